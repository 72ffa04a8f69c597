"""The rows of maintenance windows. The locks are in chassis/postgres/locks.py."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from chassis.core.errors import UnavailableError
from chassis.core.maintenance import MaintenanceMode, Window, WindowPhase
from chassis.maintenance.migrator import retry_for_locks
from chassis.postgres.locks import mutex_of, window_from
from chassis.postgres.ops_schema import (
    NAME,
    OpsText,
    ops_schema,
    own_schema,
    version_table,
)
from chassis.project import current_project

# Maps a test for an object to the script that makes the object, in a transaction of its own.
STORED = (
    "FROM pg_constraint WHERE conrelid = 'ops.idempotency_key'::regclass AND conname = 'a_response'"
)
OPS_SCHEMA = {
    "to_regclass('ops.step') IS NOT NULL": "ops.sql",
    "to_regproc('ops.pass_write_fence') IS NOT NULL": "write_fence.sql",
    "EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ops.step'::regclass"
    " AND attname = 'leads_to')": "step_results.sql",
    f"EXISTS (SELECT {STORED})": "stored_responses.sql",
    f"EXISTS (SELECT {STORED} AND convalidated)": "validate_stored_responses.sql",
    "to_regclass('ops.backfill') IS NOT NULL": "backfill.sql",
    "to_regclass('ops.service') IS NOT NULL": "service.sql",
    "to_regclass('stored_file') IS NOT NULL": "stored_files.sql",
    "to_regclass('alembic_version') IS NOT NULL": "version_table.sql",
    "to_regclass('ops.job') IS NOT NULL": "jobs.sql",
    "false": "rights.sql",  # Applied each time, because there may be a new role.
}
# Tables in the schema of the team's tables, which may refer to them. Maps names to scripts.
BESIDE = re.compile(r"to_regclass\('(?!alembic_version)(\w+)'\) IS NOT NULL")
TABLES_BESIDE = {
    match[1]: script for present, script in OPS_SCHEMA.items() if (match := BESIDE.match(present))
}
HAS_SCHEMA = text("SELECT to_regnamespace(:schema) IS NOT NULL")
IS_CLAIMED = OpsText("SELECT to_regclass('ops.service') IS NOT NULL")
CLAIMED_BY = OpsText("SELECT name FROM ops.service")
CLAIM = OpsText("""
    INSERT INTO ops.service SELECT :name WHERE NOT EXISTS (SELECT FROM ops.service)
""")
CURRENT = OpsText("""
    SELECT *, phase IN ('draining', 'migrating') AND NOT ops.is_held(:mutex) AS orphaned
    FROM ops.current_window
""")
# Only this query tells windows that ended by the clock from open ones.
CLOSE_EXPIRED = OpsText("""
    UPDATE ops.window SET phase = 'off', outcome = 'expired', finished_at = hard_end
    WHERE phase IN ('scheduled', 'active') AND hard_end <= clock_timestamp()
""")
INSERT = OpsText("""
    INSERT INTO ops.window (kind, mode, phase, message, starts_at, expected_end, hard_end,
        from_revision, target_revision)
    SELECT :kind, :mode, :phase, :message, start, start + :lasts, start + :expires_after,
        :from_revision, :target_revision
    FROM (SELECT coalesce(:starts_at, clock_timestamp()) AS start) AS time
    RETURNING id
""")
NOTHING_GIVEN: dict[str, Any] = {
    "message": "",
    "starts_at": None,
    "lasts": None,
    "expires_after": None,
    "from_revision": None,
    "target_revision": None,
}
FINISH = OpsText("""
    UPDATE ops.window SET phase = 'off', outcome = :outcome, finished_at = clock_timestamp()
    WHERE id = :id
""")
EVENT = OpsText("""
    INSERT INTO ops.event (window_id, actor, source, event, detail)
    VALUES (:id, :actor, :source, :event, :detail)
""")


class AnotherServiceError(UnavailableError):
    """The schema belongs to another service."""


def create_ops_schema(connection: Connection) -> None:
    """Make or update the schema. The caller holds the mutex: `IF NOT EXISTS` can collide.

    Raise AnotherServiceError, before anything is written, if the schema is another service's.
    """
    require_own(connection)
    home = own_schema(connection)
    if home and not connection.execute(HAS_SCHEMA, {"schema": home}).scalar():
        connection.exec_driver_sql(f"CREATE SCHEMA {home}")
    connection.commit()
    for present, name in OPS_SCHEMA.items():
        condition = present.replace("alembic_version", version_table(connection))
        if not connection.execute(OpsText(f"SELECT {condition}")).scalar():
            retry_for_locks(connection, partial(_run_file, connection, name), budget=60)
        connection.commit()
    connection.execute(CLAIM, {"name": current_project().name})
    connection.commit()


def create_tables_beside(connection: Connection) -> None:
    """Create TABLES_BESIDE alone, in a new database. The caller commits."""
    for name in TABLES_BESIDE.values():
        _execute_file(connection, name)


def require_own(connection: Connection) -> None:
    """Raise AnotherServiceError if the schema is another service's."""
    if connection.execute(IS_CLAIMED).scalar():
        owner = connection.execute(CLAIMED_BY).scalar()
        name = ops_schema(connection)
        if owner not in {None, current_project().name}:
            raise AnotherServiceError(
                f"The schema `{name}` of this database belongs to the service {owner}, and this is "
                f"{current_project().name}. Give this service a schema of its own, by "
                "?options=-csearch_path=NAME in its URL, or a database of its own. If this service "
                f"was renamed, put the new name into the table {name}.service."
            )
    connection.rollback()


def _run_file(connection: Connection, name: str) -> None:
    _execute_file(connection, name)
    connection.commit()


def _execute_file(connection: Connection, name: str) -> None:
    statements = Path(__file__).with_name(name).read_text("utf-8")
    here = NAME.sub(ops_schema(connection), statements)
    connection.exec_driver_sql(here.replace("%", "%%"))  # The driver reads % as a parameter.


def current_window(connection: Connection) -> Window | None:
    """The open window, else the next one."""
    values = {"mutex": mutex_of(connection)}
    row = connection.execute(CURRENT, values).mappings().one_or_none()
    return window_from(row) if row else None


class WindowLog:
    """Writes changes of windows and their events. The caller commits."""

    def __init__(self, connection: Connection, *, actor: str, source: str) -> None:
        self._connection = connection
        self._by = {"actor": actor, "source": source}

    def insert(self, kind: str, mode: MaintenanceMode, phase: WindowPhase, **others: Any) -> int:
        """`others` are message, starts_at, lasts, expires_after, from_revision, target_revision."""
        values = {"kind": kind, "mode": mode, "phase": phase} | NOTHING_GIVEN | others
        identity: int = self._connection.execute(INSERT, values).scalar_one()
        self.note(identity, phase, f"{mode} {values['message']}".strip())
        return identity

    def change(self, identity: int, phase: WindowPhase, **columns: Any) -> None:
        settings = ", ".join(f"{name} = :{name}" for name in ["phase", *columns])
        statement = OpsText(f"UPDATE ops.window SET {settings} WHERE id = :id")  # noqa: S608
        self._connection.execute(statement, {"id": identity, "phase": phase} | columns)
        self.note(identity, phase)

    def finish(self, identity: int, outcome: str, detail: str = "") -> None:
        self._connection.execute(FINISH, {"id": identity, "outcome": outcome})
        self.note(identity, outcome, detail)

    def note(self, identity: int, event: str, detail: str = "") -> None:
        values = {"id": identity, "event": event, "detail": detail}
        self._connection.execute(EVENT, self._by | values)
