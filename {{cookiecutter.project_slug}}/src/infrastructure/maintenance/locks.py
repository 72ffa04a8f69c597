"""Two advisory locks: a migrator's mutex, and the fence that each writer passes.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import tomllib
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, text

from src.domain.exceptions import MaintenanceError
from src.infrastructure.maintenance.windows import window_from

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
PROJECT = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["name"]
ADMIT_WRITE = "SELECT ops.admit_write(%s, %s)"
HOLDERS = text("""
    SELECT format('%s, process %s, %s for %s s: %s',
        coalesce(nullif(application_name, ''), 'unknown'), pid, state,
        round(extract(epoch FROM clock_timestamp() - state_change)::numeric, 1),
        left(regexp_replace(query, '\\s+', ' ', 'g'), 60))
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = current_database() AND objsubid = 1
    AND (classid::bigint << 32 | objid::bigint) = :key AND pid <> pg_backend_pid()
    ORDER BY xact_start
""")


def lock_key(purpose: str) -> int:
    """Two projects in one database have different keys."""
    return int.from_bytes(sha256(f"{PROJECT}:{purpose}".encode()).digest()[:8], signed=True)


MUTEX = lock_key("migrator")
WRITE_FENCE = lock_key("write-fence")


def pass_write_fence(connection: Connection, bypass: int | None = None) -> None:
    """Raise MaintenanceError if a window forbids writing.

    To be the first statement of a transaction. The lock lasts as long as that, so that whoever
    has the fence to itself knows that nobody is writing. `bypass` is the id of the window in which
    this writer may write before it ends.
    """
    refused = connection.exec_driver_sql(ADMIT_WRITE, (WRITE_FENCE, bypass)).scalar_one()
    if refused is not None:
        raise MaintenanceError(window_from(refused) if refused else None)


def holders(connection: Connection, key: int) -> list[str]:
    """Who has a lock: program, process, state and statement, the oldest first."""
    return list(connection.execute(HOLDERS, {"key": key}).scalars())
