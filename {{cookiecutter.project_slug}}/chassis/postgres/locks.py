"""Two advisory locks: the migrator's mutex, and the write fence that every writer passes.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from chassis.core.errors import MaintenanceError
from chassis.core.maintenance import MaintenanceMode, Window, WindowPhase
from chassis.postgres.ops_schema import OPS, OpsText, ops_schema
from chassis.project import current_project

ADMIT_WRITE = OpsText("SELECT ops.admit_write(:fence, :bypass)")
# The statement in pg_stat_activity, without the prefix of a writer's first statement.
STATEMENT = r"""left(regexp_replace(regexp_replace(query,
    '^BEGIN; ?(SELECT [^;(]*(pass_write_fence|set_config)[(][^;]*;)* *', ''),
    '\s+', ' ', 'g'), 60)"""
HOLDERS = text(f"""
    SELECT format('%s, process %s, %s for %s s: %s',
        coalesce(nullif(application_name, ''), 'unknown'), pid, state,
        round(extract(epoch FROM clock_timestamp() - state_change)::numeric, 1),
        {STATEMENT})
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = current_database() AND objsubid = 1
    AND (classid::bigint << 32 | objid::bigint) = :key AND pid <> pg_backend_pid()
    ORDER BY xact_start
""")  # noqa: S608


def lock_key(purpose: str, schema: str) -> int:
    """The lock's number; projects and schemas that share a database have different ones."""
    name = current_project().name
    purpose = purpose if schema == OPS else f"{schema}:{purpose}"
    return int.from_bytes(sha256(f"{name}:{purpose}".encode()).digest()[:8], signed=True)


@cache
def mutex(schema: str = OPS) -> int:
    return lock_key("migrator", schema)


@cache
def write_fence(schema: str = OPS) -> int:
    return lock_key("write-fence", schema)


def mutex_of(connection: Connection) -> int:
    return mutex(ops_schema(connection))


def fence_of(connection: Connection) -> int:
    return write_fence(ops_schema(connection))


def fence_statement(bypass: int | None = None, schema: str = OPS) -> str:
    """The statement that passes the fence; it is sent before the first one of a transaction.

    The shared lock lasts until the transaction ends. So a migrator that holds the lock exclusively
    knows that nobody writes. `bypass` is the id of a window in which this writer may write.
    """
    window = "NULL" if bypass is None else f"'{bypass:d}'"
    return f"SELECT {schema}.pass_write_fence('{write_fence(schema)}', {window});"


def ask_write_fence(connection: Connection, bypass: int | None = None) -> None:
    """Pass the fence with a statement of its own. Raise MaintenanceError if a window forbids it."""
    values = {"fence": fence_of(connection), "bypass": bypass}
    refusal = connection.execute(ADMIT_WRITE, values).scalar_one()
    if refusal is not None:
        raise refused_by(refusal)


def holders(connection: Connection, key: int) -> list[str]:
    """The sessions that hold a lock: program, process, state and statement, the oldest first."""
    return list(connection.execute(HOLDERS, {"key": key}).scalars())


def window_from(row: Mapping[Any, Any]) -> Window:
    values = {item.name: row[item.name] for item in fields(Window) if item.name in row}
    for name in ("starts_at", "expected_end"):
        if isinstance(values[name], str):
            values[name] = datetime.fromisoformat(values[name])
    values["mode"] = MaintenanceMode(values["mode"])
    values["phase"] = WindowPhase(values["phase"])
    return Window(**values)


def refused_by(refusal: Mapping[Any, Any]) -> MaintenanceError:
    """The error for a refusal of ops.admit_write, with the window that the refusal names."""
    return MaintenanceError(window_from(refusal) if refusal else None)
