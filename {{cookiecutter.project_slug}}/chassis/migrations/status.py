"""What an operator wants to know before and after a migration."""

from typing import Any

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text

from chassis.maintenance.declarations import declaration
from chassis.maintenance.journal import checksum
from chassis.maintenance.revisions import revision_of
from chassis.migrations.plan import plan_upgrade
from chassis.postgres.locks import holders, mutex, write_fence

PREPARED = text("SELECT to_regclass('ops.step') IS NOT NULL")
APPLIED = text("""
    SELECT DISTINCT ON (revision) revision, checksum FROM ops.step
    WHERE direction = 'upgrade' AND finished_at IS NOT NULL ORDER BY revision, id DESC
""")
INVALID = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")
LONG = text("""
    SELECT format('%s, process %s, %s, for %s s', application_name, pid, state,
        extract(epoch FROM clock_timestamp() - xact_start)::int)
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND xact_start < clock_timestamp() - interval '30 s' ORDER BY xact_start
""")


def warnings(connection: Connection, applied: list[Script]) -> dict[str, list[str]]:
    """What may stand in the way of a migration, or has been changed behind its back."""
    sums = {script.revision: checksum(script) for script in applied}
    prepared = connection.execute(PREPARED).scalar()
    rows = connection.execute(APPLIED).all() if prepared else []
    return {
        "edited after they were applied": [
            revision for revision, old in rows if sums.get(revision, old) != old
        ],
        "invalid indexes": list(connection.execute(INVALID).scalars()),
        "long transactions": list(connection.execute(LONG).scalars()),
    }


def status(connection: Connection, scripts: ScriptDirectory) -> dict[str, Any]:
    current = revision_of(connection)
    pending = plan_upgrade(scripts, current, "head").scripts
    applied = [one for one in scripts.walk_revisions() if one not in pending]
    return {
        "revision": current,
        "newest": scripts.get_current_head(),
        "pending": [_described(script) for script in pending],
        **warnings(connection, applied),
        "migrating": holders(connection, mutex()),
        "writing": holders(connection, write_fence()),
    }


def _described(script: Script) -> str:
    said = declaration(script)
    return f"{script.revision} {script.doc}: window {said.maintenance}, {said.phase}"
