"""The places of a resource's code in a project: files, classes, and modules of names."""

from pathlib import Path

PORTS = "src/services/ports.py"
UNIT_OF_WORK = "src/infrastructure/databases/unit_of_work.py"
CONTAINER = "src/dependency_container.py"
MODELS = "src/infrastructure/models"
RECEIPTS = ".generated"
VERSIONS = "migrations/versions"
OPENAPI = "openapi.json"

PORTS_CLASS = "UnitOfWork"
UNIT_OF_WORK_CLASS = "SqlUnitOfWork"
CONTAINER_CLASS = "Container"
REPOSITORY = "persistence.Repository"  # The name in the ports.


def entity_file(singular: str) -> str:
    return f"src/domain/models/{singular}.py"


def table_file(plural: str) -> str:
    return f"{MODELS}/{plural}.py"


def service_file(singular: str) -> str:
    return f"src/services/{singular}_service.py"


def schema_file(singular: str) -> str:
    return f"src/api/schemas/v1/{singular}.py"


def controller_file(plural: str) -> str:
    return f"src/api/controllers/v1/{plural}.py"


def seed_file(plural: str) -> str:
    return f"src/seeds/{plural}.py"


def api_test_file(plural: str) -> str:
    return f"tests/api/test_{plural}.py"


def service_test_file(singular: str) -> str:
    return f"tests/unit/test_{singular}_service.py"


def module_of(path: str) -> str:
    return str(Path(path).with_suffix("")).replace("/", ".")


# The module of each name that generated code takes from elsewhere.
IMPORTS: dict[str, str] = {
    name: module
    for module, names in {
        "dataclasses": "dataclass",
        "datetime": "UTC date datetime time",
        "decimal": "Decimal",
        "enum": "StrEnum",
        "functools": "partial",
        "typing": "Annotated Any",
        "unittest": "TestCase",
        "uuid": "UUID uuid4",
        "dependency_injector.providers": "Object",
        "dependency_injector.wiring": "Provide inject",
        "flask": "url_for",
        "sqlalchemy": "ForeignKeyConstraint Index Table UniqueConstraint",
        "chassis.core.errors": "NotFoundError ValidationError",
        "chassis.core.identity": "uuid7",
        "chassis.core.model": "UNSTAMPED Model",
        "chassis.core.paging": "PageQuery",
        "chassis.core.rules": "Email Integer Items JsonObject Number Text Url",
        "chassis.http.flow.blueprint": "Blueprint",
        "chassis.http.output.pages": "page",
        "chassis.postgres.columns": "columns",
        "chassis.schemas": "fields filters",
        "chassis.schemas.base": "Schema",
        "chassis.schemas.sort": "Sort",
        "src.api.requests": "PageArguments subject",
        "src.api.responses": "created",
        "src.dependency_container": "Container",
        "src.infrastructure.databases.metadata": "metadata",
        "src.services.ports": "UnitOfWorkFactory",
        "chassis.development.testing.http_cases": "ApplicationTestCase",
        "chassis.development.testing.memory": "MemoryUnitOfWorkFactory",
    }.items()
    for name in names.split()
}
