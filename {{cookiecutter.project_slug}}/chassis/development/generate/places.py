"""Where the code of a resource lies in a project: files, classes, and the modules of names."""

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


def entity_test_file(singular: str) -> str:
    return f"tests/unit/test_{singular}.py"


def service_test_file(singular: str) -> str:
    return f"tests/unit/test_{singular}_service.py"


def module_of(path: str) -> str:
    return str(Path(path).with_suffix("")).replace("/", ".")


# The module of each name that generated code takes from elsewhere.
IMPORTS: dict[str, str] = {
    name: module
    for module, names in {
        "dataclasses": "dataclass field replace",
        "datetime": "UTC date datetime time",
        "decimal": "Decimal",
        "typing": "Annotated Any",
        "unittest": "TestCase",
        "uuid": "UUID uuid4",
        "dependency_injector.wiring": "Provide inject",
        "flask": "url_for",
        "marshmallow": "validate",
        "sqlalchemy": "BigInteger Boolean CheckConstraint Column Date DateTime ForeignKey Index "
        "Integer Numeric String Table UniqueConstraint Uuid",
        "src.api.access": "subject",
        "src.api.blueprint": "Blueprint",
        "src.api.pages": "page",
        "src.api.requests": "PageArguments",
        "src.api.responses": "created",
        "src.api.schemas": "fields",
        "src.api.schemas.base": "Schema",
        "src.api.schemas.sort": "Sort",
        "src.dependency_container": "Container",
        "src.domain.constants": "BIG_INTEGER_MAX BIG_INTEGER_MIN",
        "src.domain.exceptions": "NotFoundError ValidationError",
        "src.domain.identity": "uuid7",
        "src.infrastructure.databases.metadata": "metadata",
        "src.services.paging": "PageQuery",
        "src.services.ports": "Clock UnitOfWorkFactory",
        "tests.support.application": "ApplicationTestCase",
        "tests.support.memory": "MemoryUnitOfWorkFactory StoppedClock",
    }.items()
    for name in names.split()
}
