"""What teams do to a generated project: edits in the usual places, of version 1.0 and of this one.

Each is a function that changes a project and that every project of its version can take. Together
they are an edited project; `of_version_1` and `of_this_version` list them.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[Path], None]


def replace(project: Path, name: str, old: str, new: str) -> None:
    """Raise AssertionError unless it is there once."""
    path = project / name
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{name}: {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new), "utf-8")


def append(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text("utf-8") if path.exists() else "") + text, "utf-8")


def manage(project: Path, *arguments: str) -> None:
    command = [".venv/bin/python", "manage.py", *arguments]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(arguments)}\n{result.stdout}{result.stderr}"


PORTS = "src/services/ports.py"
CONTAINER = "src/dependency_container.py"
UNIT_OF_WORK = "src/infrastructure/databases/unit_of_work.py"
CONFIG = "src/config.py"


def add_notes(project: Path) -> None:
    """A resource by the project's own guide, with a revision that `db migrate` writes."""
    guide = (project / "docs/add-a-resource.md").read_text("utf-8")
    for section in re.split(r"^## \d+\. ", guide, flags=re.MULTILINE)[1:10]:
        title, _, text = section.partition("\n")
        [name] = re.findall("`(src/.+?|tests/.+?)`", title)
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if ": `" in title:
            append(project, name, blocks[0])
            continue
        place = {PORTS: "    todos: ", CONTAINER: "    todo_service", UNIT_OF_WORK: "        self.todos"}
        imports, line = "".join(blocks[:-1]), blocks[-1]
        source = (project / name).read_text("utf-8")
        [old] = re.findall(rf"^{place[name]}.*\n", source, re.MULTILINE)
        replace(project, name, old, old + line)
        [last] = re.findall(r"^from src\.services\.\w+ import TodoService\n", source, re.M) or [
            re.findall(r"^from src\..*\n", source, re.M)[0]
        ]
        replace(project, name, last, last + imports)
    manage(project, "db", "upgrade")
    manage(project, "db", "migrate", "-m", "Add notes")


def change_settings(project: Path) -> None:
    """A setting with a check of its own, another default, and what is computed of both."""
    last = '    otel_exporter_otlp_endpoint: str = setting(validate=_valid_endpoint)\n'
    own = (
        '    # Of the department\'s relay.\n'
        '    smtp_host: str = setting("localhost", validate=_valid_host)\n'
        '    smtp_port: int = setting(25, parse="int", validate=Range(1, 65535))\n'
    )
    replace(project, CONFIG, last, last + own)
    replace(project, CONFIG, 'setting("1000 per second"', 'setting("200 per second"')
    check = (
        'def _valid_host(value: str) -> None:\n'
        '    if not value.strip():\n'
        '        raise ValidationError("Must name a host.")\n\n\n'
    )
    marker = "@dataclass(frozen=True, kw_only=True, slots=True)\nclass Config"
    replace(project, CONFIG, marker, check + marker)
    first = "    @property\n    def migration_url"
    own = (
        '    @property\n    def smtp(self) -> tuple[str, int]:\n'
        '        """Where mail goes."""\n        return self.smtp_host, self.smtp_port\n\n'
    )
    replace(project, CONFIG, first, own + first)


def change_container(project: Path) -> None:
    """An adapter with settings, another clock, and a helper."""
    append(
        project,
        "src/infrastructure/services/whole_seconds.py",
        "from datetime import UTC, datetime\n\nfrom src.services.ports import Clock\n\n\n"
        "class WholeSeconds(Clock):\n    def now(self) -> datetime:\n"
        "        return datetime.now(UTC).replace(microsecond=0)\n",
    )
    append(
        project,
        "src/infrastructure/services/mailer.py",
        "class Mailer:\n    def __init__(self, host: str, product: str) -> None:\n"
        "        self.host = host\n        self.product = product\n",
    )
    replace(project, CONTAINER, "    clock = Singleton(SystemClock)\n", "    clock = Singleton(WholeSeconds)\n")
    replace(
        project,
        CONTAINER,
        "from src.infrastructure.services.system_clock import SystemClock\n",
        "from src.infrastructure.services.mailer import Mailer\n"
        "from src.infrastructure.services.whole_seconds import WholeSeconds\n",
    )
    old = "    todo_service = Singleton(TodoService, unit_of_work, clock)\n"
    replace(
        project,
        CONTAINER,
        old,
        f"{old}    # One for all.\n    mailer = Singleton(Mailer, config.provided.host, product=PRODUCT)\n",
    )
    replace(project, CONTAINER, "class Container(", 'PRODUCT = "notes"\n\n\nclass Container(')


def change_errors(project: Path) -> None:
    """A kind of error with a status of its own, and the operation that raises it."""
    append(
        project,
        "src/domain/exceptions.py",
        "\n\nclass QuotaError(ConflictError):\n"
        '    """Somebody has too much of something."""\n',
    )
    replace(
        project,
        "src/error_handler.py",
        '    AuthenticationError: (401, "unauthorized"),\n',
        '    AuthenticationError: (401, "unauthorized"),\n    QuotaError: (429, "quota"),\n',
    )
    replace(project, "src/error_handler.py", "    NotFoundError,\n    Pre", "    NotFoundError,\n    QuotaError,\n    Pre")
    append(
        project,
        "tests/unit/test_quota.py",
        "from unittest import TestCase\n\nfrom src.domain.exceptions import ConflictError, QuotaError\n\n\n"
        "class QuotaTest(TestCase):\n    def test_it_is_a_conflict(self) -> None:\n"
        '        self.assertIsInstance(QuotaError("Enough."), ConflictError)\n',
    )


def change_limits(project: Path) -> None:
    """Constants of the team's own, and a smaller page."""
    replace(
        project,
        "src/domain/constants.py",
        "PAGE_LIMIT = 100\n",
        "PAGE_LIMIT = 50  # Ours are large.\nLONGEST_QUOTA = 12\n",
    )


def add_an_operation(project: Path) -> None:
    """Through every ring of the example, with a test."""
    append(
        project,
        "src/domain/models/todo.py",
        "\n    def reopen(self) -> None:\n        self.completed_at = None\n",
    )
    replace(
        project,
        "src/services/todo_service.py",
        "    def delete(self, todo_id",
        "    def reopen(self, todo_id: UUID) -> Todo:\n        with self._unit_of_work() as work:\n"
        "            todo = work.todos.get(todo_id)\n            todo.reopen()\n"
        "            work.todos.save(todo)\n        return todo\n\n    def delete(self, todo_id",
    )
    replace(
        project,
        "src/api/controllers/v1/todos.py",
        '@blueprint.delete("/<uuid:todo_id>")\n',
        '@blueprint.post("/<uuid:todo_id>/reopen")\n@blueprint.requires("todos:write")\n'
        "@blueprint.response(200, TodoOutput)\n@inject\n"
        "def reopen_todo(todo_id: UUID, todos: Todos) -> Todo:\n"
        '    """Take a todo\'s completion back."""\n    return todos.reopen(todo_id)\n\n\n'
        '@blueprint.delete("/<uuid:todo_id>")\n',
    )
    append(
        project,
        "tests/api/test_todos.py",
        "\n    def test_it_is_reopened(self) -> None:\n        path = self.create()\n"
        '        self.client.post(f"{path}/complete")\n'
        '        self.assertIsNone(self.client.post(f"{path}/reopen").get_json()["completed_at"])\n',
    )


def add_a_hook(project: Path) -> None:
    """A header on each response, registered where the application is made."""
    append(
        project,
        "src/api/served_by.py",
        "from flask import Flask, Response\n\n\ndef register_served_by(app: Flask) -> None:\n"
        '    """Say who made a response."""\n\n    @app.after_request\n'
        "    def add(response: Response) -> Response:\n"
        '        response.headers["X-Served-By"] = app.name\n        return response\n',
    )
    replace(
        project,
        "src/create_app.py",
        "    register_cors(app, config)\n",
        "    register_cors(app, config)\n    register_served_by(app)  # For the support desk.\n",
    )
    replace(
        project,
        "src/create_app.py",
        "from src.config import Config\n",
        "from src.api.served_by import register_served_by\nfrom src.config import Config\n",
    )
    append(
        project,
        "tests/api/test_served_by.py",
        "from tests.support.application import HttpTestCase\n\n\nclass ServedByTest(HttpTestCase):\n"
        "    def test_each_response_says_it(self) -> None:\n"
        '        self.assertEqual(self.client.get("/health/live").headers["X-Served-By"], "tests")\n',
    )


def change_texts(project: Path) -> None:
    """A chapter of the README, a target, a setting of compose, a rule of git."""
    append(project, "README.md", "\n## On call\n\nAsk the desk, extension 7.\n")
    append(
        project,
        "Makefile",
        "\n.PHONY: report\nreport: $(READY)  ## Print what changed this week.\n\t@git log --oneline --since=1.week\n",
    )
    append(project, ".gitignore", "/reports/\n")
    append(project, "docs/on-call.md", "# On call\n\nAsk the desk.\n")
    replace(project, "pyproject.toml", 'version = "0.1.0"', 'version = "0.7.3"')


def add_an_index(project: Path) -> None:
    """A revision by hand, with an operation of the template's."""
    versions = project / "migrations/versions"
    head = sorted(path.name.partition("_")[0] for path in versions.glob("0*.py"))[-1]
    number = f"{int(head) + 1:04}"
    append(
        project,
        f"migrations/versions/{number}_index_completed_at.py",
        '"""Index completed_at"""\n\nfrom src.infrastructure.maintenance.operations import (\n'
        "    create_index_concurrently,\n    drop_index_concurrently,\n)\n\n"
        f'revision = "{number}"\ndown_revision = "{head}"\nmaintenance = "none"\nphase = "expand"\n\n\n'
        'def upgrade() -> None:\n    create_index_concurrently("ix_todos_completed_at", "todos", ["completed_at"])\n\n\n'
        'def downgrade() -> None:\n    drop_index_concurrently("ix_todos_completed_at", "todos")\n',
    )
    replace(
        project,
        "src/infrastructure/models/todos.py",
        '    Index(None, "title", "id"),',
        '    Index(None, "completed_at"),\n    Index(None, "title", "id"),',
    )


OF_VERSION_1: tuple[Edit, ...] = (
    add_notes,
    change_settings,
    change_container,
    change_errors,
    change_limits,
    add_an_operation,
    add_a_hook,
    change_texts,
    add_an_index,
)
