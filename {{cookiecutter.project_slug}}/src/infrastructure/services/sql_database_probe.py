from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from src.domain.exceptions import UnavailableError
from src.infrastructure.databases.errors import translated_errors
from src.infrastructure.maintenance.declarations import is_contract
from src.services.ports import DatabaseProbe, SchemaState

PREPARED = text("SELECT to_regprocedure('ops.admit_write(bigint, bigint)') IS NOT NULL")


class SqlDatabaseProbe(DatabaseProbe):
    """Compares the revision of the database with the newest one that this code needs.

    That is the newest expand revision: contract revisions are applied after this code is out.
    """

    def __init__(self, engine: Engine, scripts: ScriptDirectory) -> None:
        self._engine = engine
        newest_first = list(scripts.walk_revisions())
        contracts = 0
        while contracts < len(newest_first) and is_contract(newest_first[contracts]):
            contracts += 1
        needed = [script.revision for script in newest_first[contracts:]]
        self._required = needed[0] if needed else None
        self._older = set(needed[1:])

    def schema_state(self) -> SchemaState:
        try:
            with translated_errors(), self._engine.connect() as connection:
                heads = MigrationContext.configure(connection).get_current_heads()
                prepared = connection.execute(PREPARED).scalar()
        except ProgrammingError as error:
            raise UnavailableError("The revision of the database cannot be read.") from error
        # A revision that is unknown here is newer: expand and contract lets it serve this code.
        behind = not self._older.isdisjoint(heads) or (not heads and self._required is not None)
        if not behind and not prepared:
            raise UnavailableError("The database lacks the schema `ops`, which writing needs.")
        current = ", ".join(heads) or None
        return SchemaState(current=current, required=self._required, behind=behind)
