"""Measures what a revision locks, scans and rewrites, before its commit."""
# mypy: ignore-errors

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import combinations
from threading import Event, Thread

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from chassis.core.maintenance import MaintenanceMode
from sqlalchemy import Connection, Engine, text

from proofs.lint_corpus.release import answers, broken

NONE, READ_ONLY, FULL = MaintenanceMode
MANY_ROWS = 1000
LOCKS = """
    SELECT relation, mode FROM pg_locks
    WHERE pid = {pid} AND granted AND locktype = 'relation'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# A lock on an index counts for its table, because planning a query locks the table's indexes.
RELATIONS = text("""
    SELECT c.oid, coalesce(i.indrelid, c.oid) AS "table", c.relname, c.relnamespace,
        CASE WHEN c.relkind NOT IN ('p', 'I') THEN c.relfilenode END AS file
    FROM pg_class AS c LEFT JOIN pg_index AS i ON indexrelid = c.oid
    WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND c.oid >= 16384
    AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%')
""")
NAMES = text("""
    SELECT format('column %s %s', attrelid, attnum) AS key, attname AS name
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p') AND attrelid >= 16384
    UNION ALL
    SELECT format('table %s', oid), format('%s.%s', relnamespace, relname)
    FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384
    UNION ALL SELECT format('label %s', oid), enumlabel FROM pg_enum
""")
RELATED = text("""
    SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
    UNION ALL SELECT inhrelid, inhparent FROM pg_inherits
""")
ROWS_SEEN = text("""
    SELECT relid, seq_tup_read, n_tup_ins, n_tup_upd + n_tup_del AS changed
    FROM pg_stat_xact_all_tables
""")
# Lock modes that conflict with readers, and with writers.
MODES = {
    "AccessExclusiveLock": FULL,
    "ExclusiveLock": READ_ONLY,
    "ShareRowExclusiveLock": READ_ONLY,
    "ShareLock": READ_ONLY,
    "ShareUpdateExclusiveLock": NONE,
    "RowExclusiveLock": NONE,
    "RowShareLock": NONE,
    "AccessShareLock": NONE,
}


@dataclass(frozen=True)
class Measured:
    lock: str
    work: str
    need: MaintenanceMode
    seconds: float
    broken: list[str]  # Statements that the running release sends.

    @property
    def phase(self) -> str:
        return "contract" if self.broken else "expand"


class _EnoughError(Exception):
    """Ends a measurement by a rollback."""


def apply(connection: Connection, script: Script, then: Callable[[], None] = lambda: None) -> None:
    options = {"transaction_per_migration": True}
    context = MigrationContext.configure(connection, opts=options)
    with suppress(_EnoughError), context.begin_transaction(_per_migration=True):
        with Operations.context(context):
            script.module.upgrade()
        then()


def measure(engine: Engine, before: list[Script], script: Script, *, outside: bool) -> Measured:
    """Run and measure a revision.

    Locks of statements `outside` a transaction are polled meanwhile.
    """
    for earlier in before:
        with engine.connect() as connection:
            apply(connection, earlier)
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        relations = {row.oid: row for row in connection.execute(RELATIONS)}
        names = dict(connection.execute(NAMES).all())
        related = {frozenset(pair) for pair in connection.execute(RELATED)}
        with engine.connect() as other:  # On this one, reads would count as the revision's.
            before_it = answers(other)
            other.rollback()
        connection.rollback()
        measured: list[Measured] = []
        started = time.monotonic()

        def look() -> None:
            seconds = time.monotonic() - started
            seen = set(connection.exec_driver_sql(LOCKS.format(pid=pid))) | watched
            locks = {
                (relations[oid].table, MODES.get(mode, NONE), mode)
                for oid, mode in seen
                if oid in relations
            }
            rows = connection.execute(ROWS_SEEN).all()
            files = {row.oid: row.file for row in connection.execute(RELATIONS)}
            renamed = any(names.get(key, name) != name for key, name in connection.execute(NAMES))
            read = sum(row.seq_tup_read for row in rows if row.relid in relations)
            changed = sum(row.changed for row in rows if row.relid in relations)
            added = sum(row.n_tup_ins for row in rows if row.relid in relations)
            copied = sum(row.n_tup_ins for row in rows if row.relid not in relations)
            rewritten = any(
                oid in files and files[oid] != old.file for oid, old in relations.items()
            )
            long = read > MANY_ROWS or rewritten or (outside and seconds > 0.05)
            many = changed > MANY_ROWS or added > MANY_ROWS or (long and copied > MANY_ROWS)
            strongest = max((lock for _, lock, _ in locks), key=by_strength, default=NONE)
            exclusive = {table for table, lock, _ in locks if lock == FULL}
            apart = any(
                frozenset(pair) not in related for pair in combinations(sorted(exclusive), 2)
            )
            need = max(
                strongest if long else NONE,
                READ_ONLY if many else NONE,
                FULL if apart or renamed else NONE,
                key=by_strength,
            )
            work = [
                *(["rewritten"] if rewritten else []),
                *([f"{read} read"] if read else []),
                *([f"{changed + added + copied} changed"] if changed + added + copied else []),
                *(["renamed"] if renamed else []),
                *(["apart"] if apart else []),
            ]
            modes = {mode for _, lock, mode in locks if lock == strongest}
            name = next((mode for mode in MODES if mode in modes), "")
            lost = broken(before_it, answers(connection))
            measured.append(Measured(name, " ".join(work), need, seconds, lost))
            raise _EnoughError

        with watch(engine, pid, on=outside) as watched:
            apply(connection, script, look)
        connection.rollback()
        return measured[0]


def by_strength(mode: MaintenanceMode) -> int:
    return mode.strength


@contextmanager
def watch(engine: Engine, pid: int, *, on: bool) -> Iterator[set[tuple[int, str]]]:
    seen: set[tuple[int, str]] = set()
    done = Event()

    def look() -> None:
        with engine.connect() as connection:
            while not done.is_set():
                seen.update(connection.exec_driver_sql(LOCKS.format(pid=pid)))
                connection.rollback()

    watcher = Thread(target=look)
    if on:
        watcher.start()
    try:
        yield seen
    finally:
        done.set()
        if on:
            watcher.join()
