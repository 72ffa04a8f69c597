from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from src.domain.exceptions import UnavailableError
from src.infrastructure.databases.errors import translated_errors
from src.services.ports import DatabaseProbe, SchemaState


class SqlDatabaseProbe(DatabaseProbe):
    """Compares the revision of the database with the newest one that the code contains."""

    def __init__(self, engine: Engine, scripts: ScriptDirectory) -> None:
        self._engine = engine
        self._required = scripts.get_current_head()
        self._older = {script.revision for script in scripts.walk_revisions()} - {self._required}

    def schema_state(self) -> SchemaState:
        try:
            with translated_errors(), self._engine.connect() as connection:
                heads = MigrationContext.configure(connection).get_current_heads()
        except ProgrammingError as error:
            raise UnavailableError("The revision of the database cannot be read.") from error
        # A revision that is unknown here is newer: expand and contract lets it serve this code.
        behind = not self._older.isdisjoint(heads) or (not heads and self._required is not None)
        current = ", ".join(heads) or None
        return SchemaState(current=current, required=self._required, behind=behind)
