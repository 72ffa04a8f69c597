"""Two advisory locks: a migrator's mutex, and the fence that each writer passes.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import tomllib
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, text

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
PROJECT = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["name"]
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


def write_fence(bypass: int | None = None) -> str:
    """A statement that fails with WRITE_REFUSED if a window forbids writing.

    To be the first of a transaction. Its lock lasts as long as that, so that whoever has the fence
    to itself knows that nobody is writing. `bypass` is the id of the window in which this writer
    may write before it ends.
    """
    window = "NULL" if bypass is None else f"'{bypass:d}'"
    return f"SELECT ops.admit_write('{WRITE_FENCE}', {window});"


def holders(connection: Connection, key: int) -> list[str]:
    """Who has a lock: program, process, state and statement, the oldest first."""
    return list(connection.execute(HOLDERS, {"key": key}).scalars())
