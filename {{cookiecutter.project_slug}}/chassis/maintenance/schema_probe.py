from itertools import dropwhile

from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from chassis.core.errors import UnavailableError
from chassis.core.probes import DatabaseProbe, SchemaState
from chassis.maintenance.revisions import Revision, current_revisions
from chassis.postgres.error_translation import translated_errors
from chassis.postgres.ops_schema import OpsText, ops_schema

PREPARED = OpsText("SELECT to_regprocedure('ops.pass_write_fence(bigint, bigint)') IS NOT NULL")


class SqlDatabaseProbe(DatabaseProbe):
    """Compares the revision of the database with the newest one that this code needs.

    The code needs the newest expand revision: contract revisions are applied after the deployment.
    """

    def __init__(self, engine: Engine, revisions: list[Revision]) -> None:
        """`revisions` are those that the code has, the newest last."""
        self._engine = engine
        newest_first = dropwhile(lambda one: one.is_contract, reversed(revisions))
        needed = [one.revision for one in newest_first]
        self._required = needed[0] if needed else None
        self._older = set(needed[1:])
        self._all = {one.revision for one in revisions}

    def schema_state(self) -> SchemaState:
        try:
            with translated_errors(), self._engine.connect() as connection:
                heads = current_revisions(connection)
                prepared = connection.execute(PREPARED).scalar()
                ops = ops_schema(connection)
        except ProgrammingError as error:
            raise UnavailableError("The revision of the database cannot be read.") from error
        # An unknown revision is newer; expand and contract keeps it compatible with this code.
        behind = not self._older.isdisjoint(heads) or (not heads and self._required is not None)
        if not behind and not prepared:
            raise UnavailableError(
                f"The schema `{ops}` lacks an object that writes need, or the role may not use it: "
                "`db upgrade` makes the objects, and scripts/roles.sql gives the rights."
            )
        current = ", ".join(heads) or None
        newer = not self._all.issuperset(heads)
        return SchemaState(current=current, required=self._required, behind=behind, newer=newer)
