"""What a revision really does: it is run on a database without rows, and its locks are read.

A scan, a rewrite and a lock are the same with no rows as with a million; only the time differs.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from alembic.script import Script
from sqlalchemy import Connection, Row, TextClause, text

from chassis.core.maintenance import MaintenanceMode
from chassis.migrations.catalog import Catalog, Difference, catalog, compare
from chassis.migrations.effects import Effect, contracting
from chassis.migrations.scratch import operations
from chassis.migrations.shapes import shape_effects

RELATIONS = text("""
    SELECT c.oid AS oid, relkind, pg_relation_filenode(c.oid) AS file,
        relrowsecurity AS is_secured,
        CASE nspname WHEN current_schema() THEN relname ELSE format('%s.%s', nspname, relname) END
            AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND nspname !~ '^(pg_|information_schema$)'
""")
COLUMNS = text("""
    SELECT attrelid AS oid, attnum AS number, attname AS name
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
""")
INHERITED = text("SELECT inhrelid, inhparent FROM pg_inherits")
INDEXES = text("SELECT indexrelid, indrelid FROM pg_index")
# Also of what was dropped in this transaction.
ACTIVITY = text("""
    SELECT oid, pg_stat_get_xact_numscans(oid) AS scans,
        pg_stat_get_xact_tuples_inserted(oid) AS inserted FROM unnest(CAST(:oids AS oid[])) AS oid
""")
LABELS = text("SELECT oid, enumlabel FROM pg_enum")
RELATED = text("""
    SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
    UNION ALL SELECT inhrelid, inhparent FROM pg_inherits
""")
LOCKS = text("""
    SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
""")
STRENGTH = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
STORED = {"r", "p", "m"}
KEEPS_WRITERS_OUT = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
READS = "AccessShareLock"
KEEPS_ALL_OUT, WRITES = "AccessExclusiveLock", "RowExclusiveLock"
FEW = 1000  # Rows that are put into a table in no time.
VALIDATES = "ShareUpdateExclusiveLock"


@dataclass(frozen=True, slots=True)
class Footprint:
    """`locks`, `scanned` and `rewritten` are of tables that were there before, by name."""

    effects: list[Effect]
    dropped: list[tuple[str, str | None]] = field(default_factory=list)  # None: the whole table.
    locks: dict[str, str] = field(default_factory=dict)
    scanned: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    change: Difference = field(default_factory=Difference)

    @property
    def work(self) -> Iterator[tuple[str, str]]:
        """Each table, and the lock, the scan and the rewrite that it sees."""
        for table, lock in self.locks.items():
            scan = ["scan"] if table in self.scanned else []
            rewrite = ["rewrite"] if table in self.rewritten else []
            if lock != READS or scan or rewrite:
                yield table, ", ".join([lock, *scan, *rewrite])
        # Outside a transaction the lock is gone before it can be read.
        for key in sorted(self.change.missing.keys() | self.change.extra.keys()):
            name = ".".join(filter(None, key.relation))
            if key.kind == "index" and name not in self.locks:
                scan = ["scan"] if key in self.change.missing else []
                yield name, ", ".join([VALIDATES, *scan])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database, as a transaction sees it."""

    relations: dict[int, Row[Any]]
    columns: dict[int, dict[int, str]]
    indexes: dict[int, int]
    labels: dict[int, str]
    inherited: set[tuple[int, int]]
    related: set[frozenset[int]]
    catalog: Catalog

    @classmethod
    def of(cls, connection: Connection) -> "Snapshot":
        columns: dict[int, dict[int, str]] = defaultdict(dict)
        for row in connection.execute(COLUMNS):
            columns[row.oid][row.number] = row.name
        return cls(
            relations={row.oid: row for row in connection.execute(RELATIONS)},
            columns=columns,
            indexes=_pairs(connection, INDEXES),
            labels=_pairs(connection, LABELS),
            inherited={(row[0], row[1]) for row in connection.execute(INHERITED)},
            related={frozenset(pair) for pair in connection.execute(RELATED)},
            catalog=catalog(connection),
        )

    @property
    def names(self) -> dict[int, str]:
        return {oid: row.name for oid, row in self.relations.items()}

    @property
    def by_name(self) -> dict[str, int]:
        return {name: oid for oid, name in self.names.items()}

    @property
    def stored(self) -> set[int]:
        return {oid for oid, row in self.relations.items() if row.relkind in STORED}


def footprint(connection: Connection, script: Script, direction: str = "upgrade") -> Footprint:
    """Run the revision, commit it, and tell what it did to what was there."""
    with operations(connection):
        before = Snapshot.of(connection)
        idle = _activity(connection, before)
        getattr(script.module, direction)()
        after = Snapshot.of(connection)
        both = Snapshot(
            before.relations | after.relations,
            {},
            before.indexes | after.indexes,
            {},
            set(),
            set(),
            {},
        )
        busy = _activity(connection, both)
        locks = _locks(connection, before)
    scanned = {oid for oid in before.stored if busy[oid][0] > idle[oid][0]}
    filled = {oid for oid in both.stored if busy[oid][1] > FEW + idle[oid][1]}
    rewritten = {
        oid
        for oid in before.stored & after.stored
        if after.relations[oid].file != before.relations[oid].file
    }
    names, change = both.names, compare(before.catalog, after.catalog)
    effects = [
        *_time_effects(names, locks, scanned, filled, rewritten),
        *_deadlock_effects(names, locks, before.related | after.related),
        *_renamed_labels(before, after),
        *_name_effects(before, after),
        *_detached(before, after),
        *shape_effects(change, after.catalog, {names[oid] for oid in rewritten}),
    ]
    return Footprint(
        effects,
        list(_dropped(before, after)),
        {names[oid]: _strongest(modes) for oid, modes in sorted(locks.items())},
        sorted(names[oid] for oid in scanned),
        sorted(names[oid] for oid in rewritten),
        change,
    )


def _activity(connection: Connection, snapshot: Snapshot) -> dict[int, tuple[int, int]]:
    """Of each table with its indexes: scans, and rows that were put in, in this transaction."""
    oids = [*snapshot.relations, *snapshot.indexes]
    found: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in connection.execute(ACTIVITY, {"oids": oids}):
        table = snapshot.indexes.get(row.oid, row.oid)
        is_index = row.oid in snapshot.indexes
        scans, inserted = found[table]
        found[table] = (
            scans + (row.scans or 0),
            inserted + (0 if is_index else row.inserted or 0),
        )
    return found


def _locks(connection: Connection, before: Snapshot) -> dict[int, set[str]]:
    """On tables that were there. To lock an index keeps those out who plan a query of its table."""
    locks: dict[int, set[str]] = defaultdict(set)
    for oid, mode in connection.execute(LOCKS):
        if (table := before.indexes.get(oid, oid)) in before.stored:
            locks[table].add(mode)
    return locks


def _time_effects(
    names: dict[int, str],
    locks: dict[int, set[str]],
    scanned: set[int],
    filled: set[int],
    rewritten: set[int],
) -> Iterator[Effect]:
    """What takes as long as a table is large, and whom it keeps out for that long."""

    def having(modes: set[str]) -> str:
        return ", ".join(sorted(names[oid] for oid in locks if locks[oid] & modes))

    worked = scanned | filled
    busy = ", ".join(sorted(names[oid] for oid in worked | rewritten))
    if rewritten:
        shown = ", ".join(sorted(names[oid] for oid in rewritten))
        yield Effect("MIG002", MaintenanceMode.FULL, f"writes all of {shown} anew")
    elif worked and having({KEEPS_ALL_OUT}):
        shown = f"reads or fills {busy} while nobody can read {having({KEEPS_ALL_OUT})}"
        yield Effect("MIG008", MaintenanceMode.FULL, shown)
    elif worked and having(KEEPS_WRITERS_OUT):
        shown = f"reads or fills {busy} while nobody can write to {having(KEEPS_WRITERS_OUT)}"
        yield Effect("MIG006", MaintenanceMode.READ_ONLY, shown)
    elif worked and having({WRITES}):
        shown = f"changes rows of {having({WRITES})} that others may be changing"
        yield Effect("MIG009", MaintenanceMode.READ_ONLY, shown)
    elif scanned and not having({VALIDATES}):
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


def _renamed_labels(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    for oid, label in before.labels.items():
        if after.labels.get(oid, label) != label:
            yield contracting("MIG017", f"renames the value {label!r}", MaintenanceMode.FULL)


def _name_effects(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """Names that the running code uses, and that stand for nothing afterwards.

    A name may stand for another table afterwards: what counts is whether it has the columns.
    """
    now = after.by_name
    for oid, name in before.names.items():
        if name not in now:
            if oid in after.relations:
                yield contracting("MIG004", f"renames {name}", MaintenanceMode.FULL)
            else:
                yield contracting("MIG005", f"drops {name}")
            continue
        for number, column in before.columns[oid].items():
            if column in after.columns[now[name]].values():
                continue
            if number in after.columns[oid]:
                yield contracting("MIG004", f"renames {name}.{column}", MaintenanceMode.FULL)
            else:
                yield contracting("MIG005", f"drops {name}.{column}")
        if after.relations[now[name]].is_secured and not before.relations[oid].is_secured:
            yield contracting("MIG024", f"hides rows of {name} by row level security")


def _detached(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    for child, parent in sorted(before.inherited - after.inherited):
        if {child, parent} <= after.relations.keys():
            names = after.names
            yield contracting("MIG005", f"takes {names[child]} out of {names[parent]}")


def _dropped(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str | None]]:
    now = after.by_name
    for oid, name in before.names.items():
        if name not in now:
            yield name, None
            continue
        for column in set(before.columns[oid].values()) - set(after.columns[now[name]].values()):
            yield name, column


def _strongest(modes: set[str]) -> str:
    return max(modes, key=STRENGTH.index)


def _pairs(connection: Connection, query: TextClause) -> dict[int, Any]:
    return {row[0]: row[1] for row in connection.execute(query)}
