from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from src.infrastructure.databases.errors import translated_errors
from src.services.ports import DatabaseProbe, SchemaState


class SqlDatabaseProbe(DatabaseProbe):
    """Compares the revision of the database with the newest one that the code contains."""

    def __init__(self, engine: Engine, scripts: ScriptDirectory) -> None:
        self._engine = engine
        self._required = scripts.get_current_head()
        self._older = {script.revision for script in scripts.walk_revisions()} - {self._required}

    def schema_state(self) -> SchemaState:
        with translated_errors(), self._engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        # A revision that is unknown here is newer: expand and contract lets it serve this code.
        behind = current in self._older or (current is None and self._required is not None)
        return SchemaState(current=current, required=self._required, behind=behind)
