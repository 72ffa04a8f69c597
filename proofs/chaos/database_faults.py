"""What PostgreSQL does to its clients."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg2  # type: ignore[import-untyped]

from proofs.chaos.postgres import pause
from proofs.chaos.scene import Fault, Scene

LASTS = 3.0
DEADLOCK = "deadlock detected"
OTHERS = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}"


def restarted(mode: str) -> Callable[[Scene], float]:
    def make(scene: Scene) -> float:
        scene.postgres.restart(mode)
        return scene.recovered()

    return make


def stopped(scene: Scene) -> float:
    scene.postgres.stop()
    for _ in range(3):
        scene.health("live", {200}, within=1)
        pause(LASTS / 3)
    scene.postgres.start()
    return scene.recovered()


def frozen(scene: Scene) -> float:
    with scene.postgres.frozen():
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            scene.health("live", {200}, within=1)
            scene.health("ready", {503})
    return scene.recovered()


def killed(scene: Scene) -> float:
    for _ in range(5):
        scene.database.cluster.admin.rows(KILL)
        pause(0.2)
    return scene.recovered()


@contextmanager
def holding(scene: Scene, sql: str) -> Iterator[None]:
    with scene.database.connect("chaos", autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute(sql)
        yield


def rows_held(scene: Scene) -> float:
    with holding(scene, "SELECT FROM todos FOR UPDATE"):
        pause(LASTS)
    return scene.recovered()


def table_held(scene: Scene) -> float:
    """So that all connections wait, and more requests than there are connections."""
    with holding(scene, "LOCK todos"):
        pause(LASTS)
        scene.health("live", {200}, within=1)
        scene.health("ready", {200})
    return scene.recovered()


def exhausted(scene: Scene) -> float:
    with ExitStack() as taken, scene.database.cluster.admin.connect() as admin:
        cursor = admin.cursor()
        end, refused = time.monotonic() + LASTS, 0
        while time.monotonic() < end:
            try:
                taken.enter_context(scene.database.connect("chaos"))
            except psycopg2.OperationalError:
                if not refused:  # From now on, those that the service had are taken as well.
                    cursor.execute(f"{KILL} AND application_name NOT IN ('chaos', 'rehearsal')")
                refused += 1
                pause(0.02)
        if not refused:
            scene.complaints.append("there were connections left")
    return scene.recovered()


def read_only(scene: Scene) -> float:
    admin = scene.database.cluster.admin
    admin.rows("ALTER SYSTEM SET default_transaction_read_only = on")
    admin.rows("SELECT pg_reload_conf()")
    pause(LASTS)
    admin.rows("ALTER SYSTEM RESET default_transaction_read_only")
    admin.rows("SELECT pg_reload_conf()")
    return scene.recovered()


def deadlocked(scene: Scene) -> float:
    """Somebody who has all rows wants the table, of which whoever wants a row has a share."""
    before = scene.postgres.log().count(DEADLOCK)
    with scene.database.connect("chaos", autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '20s'")  # The service's sessions find it.
        cursor.execute("SELECT FROM todos FOR UPDATE")
        pause(0.2)
        cursor.execute("LOCK todos IN EXCLUSIVE MODE")
    ended = scene.recovered()
    if scene.postgres.log().count(DEADLOCK) == before:
        scene.complaints.append("there was no deadlock")
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
