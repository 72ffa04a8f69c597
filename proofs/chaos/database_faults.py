"""Faults of PostgreSQL: restarts, crashes, locks, too few connections, deadlocks."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg2  # type: ignore[import-untyped]

from proofs.chaos.fault_testbed import Fault, FaultTestbed
from proofs.chaos.postgres import pause

LASTS = 3.0
DEADLOCK = "deadlock detected"
OTHERS = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}"


def restarted(mode: str) -> Callable[[FaultTestbed], float]:
    def make(testbed: FaultTestbed) -> float:
        testbed.postgres.restart(mode)
        return testbed.recovered()

    return make


def stopped(testbed: FaultTestbed) -> float:
    testbed.postgres.stop()
    for _ in range(3):
        testbed.health("live", {200}, within=1)
        pause(LASTS / 3)
    testbed.postgres.start()
    return testbed.recovered()


def frozen(testbed: FaultTestbed) -> float:
    with testbed.postgres.frozen():
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            testbed.health("live", {200}, within=1)
            testbed.health("ready", {503})
    return testbed.recovered()


def killed(testbed: FaultTestbed) -> float:
    for _ in range(5):
        testbed.database.cluster.admin.rows(KILL)
        pause(0.2)
    return testbed.recovered()


@contextmanager
def holding(testbed: FaultTestbed, sql: str) -> Iterator[None]:
    with testbed.database.connect("chaos", autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute(sql)
        yield


def rows_held(testbed: FaultTestbed) -> float:
    with holding(testbed, "SELECT FROM todos FOR UPDATE"):
        pause(LASTS)
    return testbed.recovered()


def table_held(testbed: FaultTestbed) -> float:
    """Lock the table, so that all connections wait, and more requests than connections."""
    with holding(testbed, "LOCK todos"):
        pause(LASTS)
        testbed.health("live", {200}, within=1)
        testbed.health("ready", {200})
    return testbed.recovered()


def exhausted(testbed: FaultTestbed) -> float:
    with ExitStack() as taken, testbed.database.cluster.admin.connect() as admin:
        cursor = admin.cursor()
        end, refused = time.monotonic() + LASTS, 0
        while time.monotonic() < end:
            try:
                taken.enter_context(testbed.database.connect("chaos"))
            except psycopg2.OperationalError:
                if not refused:  # From now on, take the connections that the service had as well.
                    cursor.execute(f"{KILL} AND application_name NOT IN ('chaos', 'rehearsal')")
                refused += 1
                pause(0.02)
        if not refused:
            testbed.complaints.append("there were connections left")
    return testbed.recovered()


def read_only(testbed: FaultTestbed) -> float:
    admin = testbed.database.cluster.admin
    admin.rows("ALTER SYSTEM SET default_transaction_read_only = on")
    admin.rows("SELECT pg_reload_conf()")
    pause(LASTS)
    admin.rows("ALTER SYSTEM RESET default_transaction_read_only")
    admin.rows("SELECT pg_reload_conf()")
    return testbed.recovered()


def deadlocked(testbed: FaultTestbed) -> float:
    """Lock all rows, then ask for a table lock, which sessions that wait for rows block."""
    before = testbed.postgres.log().count(DEADLOCK)
    with testbed.database.connect("chaos", autocommit=False) as other, other.cursor() as cursor:
        # Let the service's sessions detect the deadlock.
        cursor.execute("SET deadlock_timeout = '20s'")
        cursor.execute("SELECT FROM todos FOR UPDATE")
        pause(0.2)
        cursor.execute("LOCK todos IN EXCLUSIVE MODE")
    ended = testbed.recovered()
    if testbed.postgres.log().count(DEADLOCK) == before:
        testbed.complaints.append("there was no deadlock")
    return ended


FAULTS = {
    "restart": Fault("PostgreSQL restarted, fast", restarted("fast")),
    "crash": Fault("PostgreSQL restarted, immediately", restarted("immediate")),
    "stop": Fault("PostgreSQL stopped for three seconds", stopped),
    "freeze": Fault("PostgreSQL frozen", frozen),
    "backends": Fault("backends killed", killed),
    "rows": Fault("row locks held", rows_held),
    "connections": Fault("connections exhausted", exhausted),
    "readonly": Fault("database read-only", read_only),
    "pool": Fault("pool empty", table_held),
    "deadlock": Fault("deadlock", deadlocked, felt=False),
}
