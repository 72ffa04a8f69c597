"""Changes of tables that running code may notice as errors.

A change that only accepts more, or adds optional things, expands; every other one contracts.
"""

import re
from collections.abc import Iterator

from chassis.core.maintenance import MaintenanceMode
from chassis.migrations.catalog import Catalog, Difference, Key
from chassis.migrations.effects import Effect, contracting

LIMITED = re.compile(r"character varying(?:\((\d+)\))?( COLLATE .*)?$")
NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)$")
NOT_NULL = re.compile(r"CHECK \(\(?[^()]+ IS NOT NULL\)?\)")
# column IN (…) of a CHECK as PostgreSQL writes it, and the values in it.
LIST = re.compile(
    r"""([\w"]+)\)?(?:::[a-z ]+)?\ =\ (?:ANY\ \(ARRAY\[((?:'(?:[^']|'')*'|[^'\]])*)\]"""
    r"""|('(?:[^']|'')*'|-?\d+))""",
    re.VERBOSE,
)
LISTED = re.compile(r"'(?:[^']|'')*'|\b\d+\b")
REFUSES_VALUES = ("GENERATED", "IDENTITY a")  # "a" is GENERATED ALWAYS AS IDENTITY.
UNIQUE = {"primary key", "unique constraint", "exclusion constraint"}


def shape_effects(change: Difference, after: Catalog, rewritten: set[str]) -> Iterator[Effect]:
    """Effects of changed columns. Dropped and renamed ones are reported elsewhere.

    In a rewritten table, even a wider type may change the values.
    """
    yield from _added(change, after)
    unique = {(key.relation, _unique_columns(key, made)) for key, made in after.items()}
    yield from _removed(change, unique)
    for key, (was, now) in sorted(change.changed.items()):
        where = f"{key.schema}.{key.table}".lstrip(".")
        column = f"{where}.{key.name}"
        if key.kind == "column type" and (where in rewritten or not is_wider(was, now)):
            yield contracting("MIG003", f"makes {column} {now}, which was {was}")
        elif key.kind == "column null" and now == "NOT NULL":
            yield contracting("MIG022", f"refuses NULL in {column}")
        elif key.kind == "column default" and was and not now:
            yield contracting("MIG023", f"drops the default of {column}")
        elif key.kind == "column default" and now.startswith(REFUSES_VALUES):
            yield contracting("MIG023", f"refuses a value for {column}")
        elif _is_unique(key, was) and not _is_unique(key, now):
            yield contracting("MIG021", f"drops the {key}, which an upsert may need")
        elif key.kind in UNIQUE:
            yield contracting("MIG021", f"changes the {key}, which an upsert may need")
        elif key.kind == "check constraint" and (gone := no_longer_listed(was, now)):
            yield contracting("MIG025", f"refuses {gone}, which the {key} accepted")


def is_wider(was: str, now: str) -> bool:
    """Whether the new type accepts all old values, and reads them the same."""
    old, new = NUMERIC.match(was), NUMERIC.match(now)
    if old and new:
        return old[2] == new[2] and int(old[1]) <= int(new[1])
    old, new = LIMITED.match(was), LIMITED.match(now)
    if not old:
        return False
    if not new:
        return now == "text" + (old[2] or "")
    fits = not new[1] or (bool(old[1]) and int(old[1]) <= int(new[1]))
    return fits and old[2] == new[2]


def no_longer_listed(was: str, now: str) -> str:
    """The values that the new lists of a CHECK lack; empty if it has no list of the column."""
    old, new = _lists(was), _lists(now)
    gone = [value for name, values in old.items() for value in values - new.get(name, values)]
    return ", ".join(sorted(gone))


def _lists(definition: str) -> dict[str, set[str]]:
    """The values that each column may have, by its name."""
    lists: dict[str, set[str]] = {}
    for name, several, one in LIST.findall(definition):
        lists.setdefault(name, set()).update(LISTED.findall(several or one))
    return lists


def _added(change: Difference, after: Catalog) -> Iterator[Effect]:
    for key, definition in sorted(change.missing.items()):
        if key.kind == "column type":
            rest = key.schema, key.table, key.name
            demanded = after[Key("column null", *rest)] == "NOT NULL"
            if demanded and not after[Key("column default", *rest)]:
                name = f"{key.schema}.{key.table}.{key.name}".lstrip(".")
                text = f"adds {name}, NOT NULL without a default: old code cannot insert"
                yield Effect("MIG001", MaintenanceMode.NONE, text, is_error=True)
        elif key.kind == "check constraint" and NOT_NULL.match(definition):
            yield contracting("MIG022", f"refuses NULL by the {key}")


def _removed(change: Difference, unique: set[tuple[tuple[str, str], str]]) -> Iterator[Effect]:
    """Removed unique keys, which an upsert may name, unless another key has the columns."""
    for key, definition in sorted(change.extra.items()):
        columns = _unique_columns(key, definition)
        if columns and (key.relation, columns) not in unique:
            yield contracting("MIG021", f"drops the {key}, which an upsert may need")
        elif key.kind in {"enum", "domain", "sequence"}:
            yield contracting("MIG005", f"drops the {key}")


def _unique_columns(key: Key, definition: str) -> str:
    """The columns of a unique index as text, with its condition; else empty."""
    if not _is_unique(key, definition):
        return ""
    return definition.partition("(")[2]


def _is_unique(key: Key, definition: str) -> bool:
    return key.kind in UNIQUE or (
        key.kind == "index" and definition.startswith("CREATE UNIQUE INDEX")
    )
