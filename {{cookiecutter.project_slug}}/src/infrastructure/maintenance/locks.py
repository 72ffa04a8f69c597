"""Two advisory locks: a migrator's mutex, and the fence that each writer passes.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import tomllib
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, text

from src.infrastructure.maintenance.windows import refused_by

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
PROJECT = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["name"]
ADMIT_WRITE = "SELECT ops.admit_write(%s, %s)"
# Of pg_stat_activity: what was asked, without what goes before the first statement of a writer.
STATEMENT = r"""left(regexp_replace(regexp_replace(query,
    '^BEGIN; (SELECT ops[.]pass_write_fence[^;]*;)? *', ''), '\s+', ' ', 'g'), 60)"""
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


def lock_key(purpose: str) -> int:
    """Two projects in one database have different keys."""
    return int.from_bytes(sha256(f"{PROJECT}:{purpose}".encode()).digest()[:8], signed=True)


MUTEX = lock_key("migrator")
WRITE_FENCE = lock_key("write-fence")


def fence_statement(bypass: int | None = None) -> str:
    """A statement to go before the first one of a transaction, which then fails, or may write.

    Its lock lasts as long as that, so that whoever has the fence to itself knows that nobody is
    writing. `bypass` is the id of the window in which this writer may write before it ends.
    """
    window = "NULL" if bypass is None else f"'{bypass:d}'"
    return f"SELECT ops.pass_write_fence('{WRITE_FENCE}', {window});"


def ask_write_fence(connection: Connection, bypass: int | None = None) -> None:
    """The same, asked by itself. Raise MaintenanceError if a window forbids writing."""
    refusal = connection.exec_driver_sql(ADMIT_WRITE, (WRITE_FENCE, bypass)).scalar_one()
    if refusal is not None:
        raise refused_by(refusal)


def holders(connection: Connection, key: int) -> list[str]:
    """Who has a lock: program, process, state and statement, the oldest first."""
    return list(connection.execute(HOLDERS, {"key": key}).scalars())
