"""`db status` and plans: information for operators before and after a migration."""

from typing import Any

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text

from chassis.maintenance.declarations import (
    checksum,
    declaration,
    measurements,
)
from chassis.maintenance.revisions import revision_of
from chassis.migrations.backfill import unfinished
from chassis.migrations.plan import plan_upgrade
from chassis.postgres.locks import fence_of, holders, mutex_of
from chassis.postgres.ops_schema import OpsText

PREPARED = OpsText("SELECT to_regclass('ops.step') IS NOT NULL")
APPLIED = OpsText("""
    SELECT DISTINCT ON (revision) revision, checksum FROM ops.step
    WHERE direction = 'upgrade' AND finished_at IS NOT NULL ORDER BY revision, id DESC
""")
INVALID = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")
SIZE = text("""
    SELECT reltuples::bigint AS rows, pg_total_relation_size(oid) AS bytes
    FROM pg_class WHERE oid = to_regclass(:table)
""")
MEGABYTE = 1_000_000
# The speed of a small machine: the estimate tells minutes from hours.
MEGABYTES_A_SECOND = {"rewrite": 20, "scan": 100}
LONG = text("""
    SELECT format('%s, process %s, %s, for %s s', application_name, pid, state,
        extract(epoch FROM clock_timestamp() - xact_start)::int)
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND xact_start < clock_timestamp() - interval '30 s' ORDER BY xact_start
""")


def warnings(connection: Connection, applied: list[Script]) -> dict[str, list[str]]:
    """Revisions edited after they were applied, invalid indexes, and long transactions."""
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
        "pending": [line for one in pending for line in description(connection, one)],
        "backfills": unfinished(connection),
        **warnings(connection, applied),
        "migrating": holders(connection, mutex_of(connection)),
        "writing": holders(connection, fence_of(connection)),
    }


def description(connection: Connection, script: Script, direction: str = "upgrade") -> list[str]:
    """A line for the revision, and one for each table in its measurements."""
    declared, measured = declaration(script), measurements(script)
    mode = declared.maintenance if direction == "upgrade" else measured.downgrade_maintenance
    lines = [f"{script.revision} {script.doc}: window {mode}, {declared.phase}"]
    if not measured.is_checked:
        return [f"{lines[0]}; not measured since its last edit: run `db check`"]
    tables = measured.upgrade if direction == "upgrade" else measured.downgrade
    return lines + [f"    {_weighed(connection, table, work)}" for table, work in tables.items()]


def unchecked(scripts: list[Script]) -> list[str]:
    """Revisions that were never measured, or were edited afterwards."""
    return [script.revision for script in scripts if not measurements(script).is_checked]


def _weighed(connection: Connection, table: str, work: str) -> str:
    """The work on a table, its size in this database, and an estimated time."""
    row = connection.execute(SIZE, {"table": table}).one_or_none()
    if row is None:
        return f"{table}: {work}; there is no such table yet"
    size = f"{max(row.rows, 0)} rows, {row.bytes / MEGABYTE:.0f} MB"
    speed = next((speed for word, speed in MEGABYTES_A_SECOND.items() if word in work), None)
    seconds = f", about {row.bytes / MEGABYTE / speed:.0f} s" if speed else ""
    return f"{table}: {work}; {size}{seconds}"
