"""Measures a revision: runs it on a database without rows, and reads its locks and scans.

A scan, a rewrite and a lock are the same with no rows as with a million; only the time differs.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from alembic.script import Script
from sqlalchemy import Connection, text

from chassis.core.maintenance import MaintenanceMode
from chassis.migrations.catalog import Difference, compare
from chassis.migrations.effects import Effect, contracting
from chassis.migrations.scratch import operations
from chassis.migrations.shapes import shape_effects
from chassis.migrations.snapshot import Snapshot

# These functions also count for objects that this transaction has dropped. The counts of a session
# are pending at first (xact). PostgreSQL adds them to the shared counts later, between two
# transactions.
# https://www.postgresql.org/docs/current/monitoring-stats.html
ACTIVITY = text("""
    SELECT oid, pg_stat_get_numscans(oid) + pg_stat_get_xact_numscans(oid) AS scans,
        pg_stat_get_tuples_inserted(oid) + pg_stat_get_xact_tuples_inserted(oid) AS inserted
    FROM unnest(CAST(:oids AS oid[])) AS oid
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
KEEPS_WRITERS_OUT = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
READS = "AccessShareLock"
KEEPS_ALL_OUT, WRITES = "AccessExclusiveLock", "RowExclusiveLock"
FEW = 1000  # Rows that are inserted in negligible time.
VALIDATES = "ShareUpdateExclusiveLock"


@dataclass(frozen=True, slots=True)
class Footprint:
    """The measurements. `locks`, `scanned` and `rewritten` are of earlier tables, by name."""

    effects: list[Effect]
    # Table and column; None stands for the whole table.
    dropped: list[tuple[str, str | None]] = field(default_factory=list)
    locks: dict[str, str] = field(default_factory=dict)
    scanned: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    change: Difference = field(default_factory=Difference)

    @property
    def work(self) -> Iterator[tuple[str, str]]:
        """Return for each table its lock, scan and rewrite."""
        for table, lock in self.locks.items():
            scan = ["scan"] if table in self.scanned else []
            rewrite = ["rewrite"] if table in self.rewritten else []
            if lock != READS or scan or rewrite:
                yield table, ", ".join([lock, *scan, *rewrite])
        # Outside a transaction, locks end before they can be read.
        for key in sorted(self.change.missing.keys() | self.change.extra.keys()):
            name = ".".join(filter(None, key.relation))
            if key.kind == "index" and name not in self.locks:
                scan = ["scan"] if key in self.change.missing else []
                yield name, ", ".join([VALIDATES, *scan])


def footprint(connection: Connection, script: Script, direction: str = "upgrade") -> Footprint:
    """Run the revision, commit it, and measure its effects on objects that existed before."""
    with operations(connection):
        before = Snapshot.of(connection)
        idle = _activity(connection, before)
        getattr(script.module, direction)()
        after = Snapshot.of(connection)
        both = before.with_relations_of(after)
        busy = _activity(connection, both)
        locks = _locks(connection, before)
    work = _Work(
        names=both.names,
        locks=locks,
        scanned={oid for oid in before.stored if busy[oid][0] > idle[oid][0]},
        filled={oid for oid in both.stored if busy[oid][1] > FEW + idle[oid][1]},
        rewritten={
            oid
            for oid in before.stored & after.stored
            if after.relations[oid].file != before.relations[oid].file
        },
    )
    change = compare(before.catalog, after.catalog)
    return Footprint(
        list(_effects(before, after, work, change)),
        list(_dropped(before, after)),
        {work.names[oid]: _strongest(modes) for oid, modes in sorted(locks.items())},
        sorted(work.names[oid] for oid in work.scanned),
        sorted(work.names[oid] for oid in work.rewritten),
        change,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """Locks, scans and rewrites by the oid of the table."""

    names: dict[int, str]
    locks: dict[int, set[str]]
    scanned: set[int]
    filled: set[int]
    rewritten: set[int]

    def having(self, modes: set[str]) -> str:
        """The names of the tables that are locked in one of these modes."""
        return self.named(oid for oid in self.locks if self.locks[oid] & modes)

    def named(self, oids: Iterable[int]) -> str:
        return ", ".join(sorted(self.names[oid] for oid in oids))


def _effects(
    before: Snapshot, after: Snapshot, work: _Work, change: Difference
) -> Iterator[Effect]:
    yield from _time_effects(work)
    yield from _deadlock_effects(work.names, work.locks, before.related | after.related)
    yield from _renamed_labels(before, after)
    yield from _name_effects(before, after)
    yield from _detached(before, after)
    rewritten = {work.names[oid] for oid in work.rewritten}
    yield from shape_effects(change, after.catalog, rewritten)


def _activity(connection: Connection, snapshot: Snapshot) -> dict[int, tuple[int, int]]:
    """Return all scans and inserted rows so far, for each table with its indexes."""
    oids = [*snapshot.relations, *snapshot.indexes]
    activity: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in connection.execute(ACTIVITY, {"oids": oids}):
        table = snapshot.indexes.get(row.oid, row.oid)
        is_index = row.oid in snapshot.indexes
        scans, inserted = activity[table]
        activity[table] = (
            scans + (row.scans or 0),
            inserted + (0 if is_index else row.inserted or 0),
        )
    return activity


def _locks(connection: Connection, before: Snapshot) -> dict[int, set[str]]:
    """Locks on earlier tables. A locked index blocks the planning of queries on its table."""
    locks: dict[int, set[str]] = defaultdict(set)
    for oid, mode in connection.execute(LOCKS):
        if (table := before.indexes.get(oid, oid)) in before.stored:
            locks[table].add(mode)
    return locks


def _time_effects(work: _Work) -> Iterator[Effect]:
    """Effects whose time grows with a table, and the sessions that they block."""
    worked = work.scanned | work.filled
    busy = work.named(worked | work.rewritten)
    if work.rewritten:
        shown = work.named(work.rewritten)
        yield Effect("MIG002", MaintenanceMode.FULL, f"writes all of {shown} anew")
    elif worked and (locked := work.having({KEEPS_ALL_OUT})):
        shown = f"reads or fills {busy} while nobody can read {locked}"
        yield Effect("MIG008", MaintenanceMode.FULL, shown)
    elif worked and (locked := work.having(KEEPS_WRITERS_OUT)):
        shown = f"reads or fills {busy} while nobody can write to {locked}"
        yield Effect("MIG006", MaintenanceMode.READ_ONLY, shown)
    elif worked and (locked := work.having({WRITES})):
        shown = f"changes rows of {locked} that others may be changing"
        yield Effect("MIG009", MaintenanceMode.READ_ONLY, shown)
    elif work.scanned and not work.having({VALIDATES}):
        shown = f"reads rows of {busy}, which others may be changing"
        yield Effect("MIG009", MaintenanceMode.READ_ONLY, shown)


def _deadlock_effects(
    names: dict[int, str], locks: dict[int, set[str]], related: set[frozenset[int]]
) -> Iterator[Effect]:
    """Pairs of locked tables that may deadlock. Tables with a foreign key are locked together."""
    exclusive = sorted(oid for oid in locks if KEEPS_ALL_OUT in locks[oid])
    for pair in combinations(exclusive, 2):
        if frozenset(pair) not in related:
            shown = " and ".join(names[oid] for oid in pair)
            yield Effect("MIG020", MaintenanceMode.FULL, f"locks {shown}, which may deadlock")
            return


def _renamed_labels(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    for oid, label in before.labels.items():
        if after.labels.get(oid, label) != label:
            yield contracting("MIG017", f"renames the value {label!r}", MaintenanceMode.FULL)


def _name_effects(before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    """Names that running code uses, and that do not exist afterwards.

    A name may belong to another table afterwards; then its columns count.
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
