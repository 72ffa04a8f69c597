"""The journal of steps, and what it proves about the schema after a crash."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from chassis.core.maintenance import Window
from chassis.maintenance.declarations import checksum, is_autocommit
from chassis.maintenance.revisions import revision_of
from chassis.postgres.ops_schema import OpsText

if TYPE_CHECKING:  # A server process does not import Alembic.
    from alembic.script import Script

BEGIN = OpsText("""
    INSERT INTO ops.step (window_id, revision, direction, kind, checksum, leads_to)
    VALUES (:window_id, :revision, :direction, :kind, :checksum, :leads_to) RETURNING id
""")
FINISH = OpsText("UPDATE ops.step SET finished_at = clock_timestamp() WHERE id = :id")
# Steps that began outside a transaction, if neither the step nor a later try has ended.
HALF_DONE = OpsText("""
    SELECT revision FROM ops.step AS begun
    WHERE kind = 'autocommit' AND finished_at IS NULL AND window_id = :window_id
    AND NOT EXISTS (
        SELECT FROM ops.step AS later
        WHERE later.revision = begun.revision AND later.id > begun.id
        AND later.finished_at IS NOT NULL)
""")
# The steps failed before their first commit, so PostgreSQL has rolled all of them back.
ROLLED_BACK = OpsText("UPDATE ops.step SET kind = 'transaction' WHERE id = ANY(:ids)")
LAST_RESULT = OpsText("""
    SELECT leads_to FROM ops.step WHERE window_id = :window_id AND finished_at IS NOT NULL
    ORDER BY id DESC LIMIT 1
""")
PARTLY = "partly applied"
ENDED_BETWEEN = OpsText("""
    SELECT w.id, step.leads_to FROM ops.step JOIN ops.window AS w ON w.id = step.window_id
    WHERE step.id = (SELECT max(id) FROM ops.step WHERE finished_at IS NOT NULL)
    AND step.direction = 'upgrade' AND w.phase = 'off' AND EXISTS (
        SELECT FROM ops.event
        WHERE window_id = w.id AND event IN (:partly, 'forced') AND at > step.finished_at)
""")


def begin_step(
    connection: Connection,
    script: "Script",
    direction: str,
    window_id: int | None,
    leads_to: str | None,
) -> int:
    """Note that a revision begins; return the id of its step."""
    values: dict[str, Any] = {
        "window_id": window_id,
        "revision": script.revision,
        "direction": direction,
        "kind": "autocommit" if is_autocommit(script) else "transaction",
        "checksum": checksum(script),
        "leads_to": leads_to,
    }
    identity: int = connection.execute(BEGIN, values).scalar_one()
    connection.commit()
    return identity


def finish_step(connection: Connection, identity: int, **_context: object) -> None:
    """Note the end of a revision, in its transaction."""
    connection.execute(FINISH, {"id": identity})


def note_rolled_back(connection: Connection, steps: list[int]) -> None:
    """Note that nothing of the steps was committed. The caller commits."""
    connection.execute(ROLLED_BACK, {"ids": steps})


def proven_outcome(connection: Connection, window: Window) -> str | None:
    """`completed`, `rolled back`, or `partly applied` after some of the revisions.

    None if the schema may be between two revisions.
    """
    if connection.execute(HALF_DONE, {"window_id": window.id}).first():
        return None
    revision = revision_of(connection)
    if revision == window.target_revision:
        return "completed"
    if revision == window.from_revision:
        return "rolled back"
    last = connection.execute(LAST_RESULT, {"window_id": window.id}).first()
    return PARTLY if last and last.leads_to == revision else None


def ended_between(connection: Connection) -> tuple[int, str | None] | None:
    """The id of the window that ended between two of its revisions, and the revision reached.

    None if a later step has finished, or if no window ended so.
    """
    row = connection.execute(ENDED_BETWEEN, {"partly": PARTLY}).one_or_none()
    return (row.id, row.leads_to) if row else None
