from src.domain.exceptions import UnavailableError
from src.services.ports import DatabaseProbe, SchemaState


class HealthService:
    def __init__(self, database: DatabaseProbe) -> None:
        self._database = database

    def readiness(self) -> SchemaState:
        """Raise UnavailableError if requests could not be served now."""
        schema = self._database.schema_state()
        if schema.behind:
            raise UnavailableError(
                f"The database schema is at revision {schema.current or 'none'}, "
                f"this release needs {schema.required}."
            )
        return schema
