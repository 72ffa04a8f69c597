"""Two advisory locks: a migrator's mutex, and the fence that each writer passes.

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
# Of pg_stat_activity: what was asked, without what goes before the first statement of a writer.
STATEMENT = r"""left(regexp_replace(regexp_replace(query,
    '^BEGIN; ?(SELECT (\w+[.]pass_write_fence|set_config)[^;]*;)* *', ''), '\s+', ' ', 'g'), 60)"""
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
    """Two projects in one database have different keys, and so has one in two schemas."""
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
    """A statement to go before the first one of a transaction, which then fails, or may write.

    Its lock lasts as long as that, so that whoever has the fence to itself knows that nobody is
    writing. `bypass` is the id of the window in which this writer may write before it ends.
    """
    window = "NULL" if bypass is None else f"'{bypass:d}'"
    return f"SELECT {schema}.pass_write_fence('{write_fence(schema)}', {window});"


def ask_write_fence(connection: Connection, bypass: int | None = None) -> None:
    """The same, asked by itself. Raise MaintenanceError if a window forbids writing."""
    values = {"fence": fence_of(connection), "bypass": bypass}
    refusal = connection.execute(ADMIT_WRITE, values).scalar_one()
    if refusal is not None:
        raise refused_by(refusal)


def holders(connection: Connection, key: int) -> list[str]:
    """Who has a lock: program, process, state and statement, the oldest first."""
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
    """Of ops.admit_write: empty where it is not known which window it was."""
    return MaintenanceError(window_from(refusal) if refusal else None)
