"""What a revision really does: it is run on a database without rows, and its locks are read.

A scan, a rewrite and a lock are the same with no rows as with a million; only the time differs.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from alembic.script import Script
from sqlalchemy import Connection, TextClause, text

from chassis.core.maintenance import MaintenanceMode
from chassis.migrations.scratch import operations

# Scans of a table are those of its indexes too.
RELATIONS = text("""
    SELECT c.oid AS oid, pg_relation_filenode(c.oid) AS file,
        pg_stat_get_xact_numscans(c.oid) + (
            SELECT coalesce(sum(pg_stat_get_xact_numscans(indexrelid)), 0)
            FROM pg_index WHERE indrelid = c.oid) AS scans,
        pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
        CASE nspname WHEN 'public' THEN relname ELSE format('%s.%s', nspname, relname) END AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind IN ('r', 'p', 'm') AND nspname !~ '^(pg_|information_schema$)'
""")
COLUMNS = text("""
    SELECT attrelid AS oid, attnum AS number, attname AS name,
        attnotnull AND NOT atthasdef AND attidentity = '' AS is_demanded
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
""")
INDEXES = text("SELECT indexrelid, indrelid FROM pg_index")
LABELS = text("SELECT oid, enumlabel FROM pg_enum")
RELATED = text("""
    SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
    UNION ALL SELECT inhrelid, inhparent FROM pg_inherits
""")
LOCKS = text("""
    SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
""")
KEEPS_WRITERS_OUT = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
KEEPS_ALL_OUT, WRITES = "AccessExclusiveLock", "RowExclusiveLock"
FEW = 1000  # Rows that are put into a table in no time.
VALIDATES = "ShareUpdateExclusiveLock"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a revision does; `rule` is what `# mig: ignore` names."""

    rule: str
    mode: MaintenanceMode
    text: str
    contracts: bool = False  # Code of the release before could not live with it.
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    effects: list[Effect]
    dropped: list[tuple[str, str | None]]  # Table and column; None is the whole table.


def footprint(connection: Connection, script: Script) -> Footprint:
    """Run the revision's `upgrade`, commit it, and tell what it did to what was there."""
    with operations(connection):
        tables = {row.oid: row for row in connection.execute(RELATIONS)}
        columns, labels = _columns(connection), _pairs(connection, LABELS)
        # Who locks an index keeps those out who plan a query of its table.
        indexes = _pairs(connection, INDEXES)
        related = {frozenset(pair) for pair in connection.execute(RELATED)}
        script.module.upgrade()
        after = {row.oid: row for row in connection.execute(RELATIONS)}
        locks = defaultdict(set)
        for oid, mode in connection.execute(LOCKS):
            if (table := indexes.get(oid, oid)) in tables:
                locks[table].add(mode)
        now, labels_now = _columns(connection), _pairs(connection, LABELS)
        related |= {frozenset(pair) for pair in connection.execute(RELATED)}
    worked = {o for o in tables.keys() & after.keys() if after[o].scans > tables[o].scans}
    filled = {
        o for o in tables.keys() & after.keys() if after[o].inserted > FEW + tables[o].inserted
    }
    rewritten = {o for o in tables.keys() & after.keys() if after[o].file != tables[o].file}
    names = {oid: row.name for oid, row in tables.items()}
    effects = [
        *_time_effects(names, locks, worked | filled, rewritten),
        *_deadlock_effects(names, locks, related),
        *(
            _contracting("MIG017", MaintenanceMode.FULL, f"renames the value {label!r}")
            for oid, label in labels.items()
            if labels_now.get(oid, label) != label
        ),
        *_shape_effects(names, {oid: row.name for oid, row in after.items()}, columns, now),
    ]
    dropped: list[tuple[str, str | None]] = [
        (names[oid], None) for oid in tables.keys() - after.keys()
    ]
    dropped += [
        (names[oid], name)
        for oid in tables.keys() & after.keys()
        for number, (name, _) in columns[oid].items()
        if number not in now[oid]
    ]
    return Footprint(effects, dropped)


def _time_effects(
    names: dict[int, str], locks: dict[int, set[str]], worked: set[int], rewritten: set[int]
) -> Iterator[Effect]:
    """What takes as long as a table is large, and whom it keeps out for that long."""

    def having(modes: set[str]) -> str:
        return ", ".join(sorted(names[oid] for oid in locks if locks[oid] & modes))

    busy = ", ".join(sorted(names[oid] for oid in worked | rewritten))
    if rewritten:
        shown = ", ".join(sorted(names[oid] for oid in rewritten))
        yield Effect("MIG002", MaintenanceMode.FULL, f"writes all of {shown} anew")
    elif worked and having({KEEPS_ALL_OUT}):
        shown = f"reads through {busy} while nobody can read {having({KEEPS_ALL_OUT})}"
        yield Effect("MIG008", MaintenanceMode.FULL, shown)
    elif worked and having(KEEPS_WRITERS_OUT):
        shown = f"reads through {busy} while nobody can write to {having(KEEPS_WRITERS_OUT)}"
        yield Effect("MIG006", MaintenanceMode.READ_ONLY, shown)
    elif worked and having({WRITES}):
        shown = f"changes rows of {having({WRITES})} that others may be changing"
        yield Effect("MIG009", MaintenanceMode.READ_ONLY, shown)
    elif worked and not having({VALIDATES}):
        shown = f"reads rows of {busy}, which others may be changing"
        yield Effect("MIG009", MaintenanceMode.READ_ONLY, shown)


def _deadlock_effects(
    names: dict[int, str], locks: dict[int, set[str]], related: set[frozenset[int]]
) -> Iterator[Effect]:
    """Whoever uses two tables in the other order; those with a foreign key are locked together."""
    exclusive = sorted(oid for oid in locks if KEEPS_ALL_OUT in locks[oid])
    for pair in combinations(exclusive, 2):
        if frozenset(pair) not in related:
            shown = " and ".join(names[oid] for oid in pair)
            yield Effect("MIG020", MaintenanceMode.FULL, f"locks {shown}, which may be a deadlock")
            return


Columns = dict[int, dict[int, tuple[str, bool]]]


def _shape_effects(
    tables: dict[int, str], tables_after: dict[int, str], before: Columns, after: Columns
) -> Iterator[Effect]:
    """What the running code would notice."""
    for oid, table in tables.items():
        if oid not in tables_after:
            yield _contracting("MIG005", MaintenanceMode.NONE, f"drops {table}")
            continue
        if tables_after[oid] != table:
            yield _contracting("MIG004", MaintenanceMode.FULL, f"renames {table}")
        for number, (name, is_demanded) in after[oid].items():
            old, _ = before[oid].get(number, (None, False))
            if old is None and is_demanded:
                text = f"adds {table}.{name}, NOT NULL without a default: who runs cannot insert"
                yield Effect("MIG001", MaintenanceMode.NONE, text, is_error=True)
            elif old not in {None, name}:
                yield _contracting("MIG004", MaintenanceMode.FULL, f"renames {table}.{old}")
        for number in before[oid].keys() - after[oid].keys():
            text = f"drops {table}.{before[oid][number][0]}"
            yield _contracting("MIG005", MaintenanceMode.NONE, text)


def _contracting(rule: str, mode: MaintenanceMode, text: str) -> Effect:
    return Effect(rule, mode, text, contracts=True)


def _columns(connection: Connection) -> Columns:
    found: Columns = defaultdict(dict)
    for row in connection.execute(COLUMNS):
        found[row.oid][row.number] = row.name, row.is_demanded
    return found


def _pairs(connection: Connection, query: TextClause) -> dict[int, Any]:
    return {row[0]: row[1] for row in connection.execute(query)}
