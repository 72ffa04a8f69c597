"""Edits that teams make to a generated project: resources, and changes in the usual places.

Edits of version 1.0 are patches, because that version never changes. Edits of this version are
functions that fit any project of this version. The text that an edit replaces must occur once.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[Path], None]

PATCHES = Path(__file__).with_name("teams_of_1_0")
PORTS = "src/services/ports.py"
CONTAINER = "src/dependency_container.py"
UNIT_OF_WORK = "src/infrastructure/databases/unit_of_work.py"
CONFIG = "src/config.py"
ERRORS = "src/error_handler.py"


def run(project: Path, *command: str) -> None:
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


def manage(project: Path, *arguments: str) -> None:
    run(project, ".venv/bin/python", "manage.py", *arguments)


def commit(project: Path, message: str) -> None:
    run(project, "git", "add", "--all", ".")
    run(project, "git", "commit", "--quiet", "--message", message)


def replace(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{name}: {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new), "utf-8")


def append(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text("utf-8") if path.exists() else "") + text, "utf-8")


def patch(name: str) -> Edit:
    """Return an edit that applies a patch to a project of version 1.0."""

    def apply(project: Path) -> None:
        run(project, "git", "apply", "--3way", str(PATCHES / f"{name}.patch"))

    return apply


def add_notes(project: Path) -> None:
    """Add a resource by the project's own guide, with a revision by `db migrate`."""
    guide = (project / "docs/add-a-resource.md").read_text("utf-8")
    for section in re.split(r"^## \d+\. ", guide, flags=re.MULTILINE)[1:10]:
        title, _, text = section.partition("\n")
        [name] = re.findall("`(src/.+?|tests/.+?)`", title)
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if ": `" in title:
            append(project, name, blocks[0])
            continue
        place = {
            PORTS: "    todos: ",
            CONTAINER: "    todo_service",
            UNIT_OF_WORK: "        self.todos",
        }
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


def generate_invoices(project: Path) -> None:
    manage(project, "db", "upgrade")
    fields = ("number:str:40:unique", "amount:decimal:12.2", "paid:bool=false")
    manage(project, "generate", "resource", "Invoice", *fields)


def add_a_setting(project: Path) -> None:
    line = "from chassis.settings import Settings\n"
    replace(project, CONFIG, line, "from chassis.settings import Settings, setting\n")
    append(project, CONFIG, '\n    desk: str = setting("extension 7")\n')


def change_the_clock(project: Path) -> None:
    append(
        project,
        "src/infrastructure/services/whole_seconds.py",
        "from datetime import UTC, datetime\n\nfrom src.services.ports import Clock\n\n\n"
        "class WholeSeconds(Clock):\n    def now(self) -> datetime:\n"
        "        return datetime.now(UTC).replace(microsecond=0)\n",
    )
    replace(project, CONTAINER, "Singleton(SystemClock)", "Singleton(WholeSeconds)")
    line = "from src.infrastructure.services.system_clock import SystemClock\n"
    replace(
        project,
        CONTAINER,
        line,
        line.replace("system_clock import SystemClock", "whole_seconds import WholeSeconds"),
    )


def add_an_error(project: Path) -> None:
    append(
        project,
        "src/domain/exceptions.py",
        "from chassis.core.errors import ConflictError\n\n\n"
        "class QuotaError(ConflictError):\n    pass\n",
    )
    line = "from src.api.responses import problem_body\n"
    replace(project, ERRORS, line, f"{line}from src.domain.exceptions import QuotaError\n")
    line = "    errors.ForbiddenError: "
    replace(project, ERRORS, line, f'    QuotaError: (429, "quota"),\n{line}')


def add_a_hook(project: Path) -> None:
    append(
        project,
        "src/api/served_by.py",
        "from flask import Flask, Response\n\n\ndef register_served_by(app: Flask) -> None:\n"
        "    @app.after_request\n    def add(response: Response) -> Response:\n"
        '        response.headers["X-Served-By"] = app.name\n        return response\n',
    )
    line = "    register_cors(app, config)\n"
    replace(project, "src/create_app.py", line, f"{line}    register_served_by(app)\n")
    line = "from src.config import Config\n"
    added = "from src.api.served_by import register_served_by\n"
    replace(project, "src/create_app.py", line, added + line)


def add_an_operation(project: Path) -> None:
    """Add an operation through every ring of the example, with a test."""
    entity = "\n    def reopen(self) -> None:\n        self.completed_at = None\n"
    append(project, "src/domain/models/todo.py", entity)
    line = "    def delete(self, todo_id"
    replace(
        project,
        "src/services/todo_service.py",
        line,
        "    def reopen(self, todo_id: UUID) -> Todo:\n        with self._unit_of_work() as work:\n"
        "            todo = work.todos.get(todo_id)\n            todo.reopen()\n"
        f"            work.todos.save(todo)\n        return todo\n\n{line}",
    )
    line = '@blueprint.delete("/<uuid:todo_id>")\n'
    replace(
        project,
        "src/api/controllers/v1/todos.py",
        line,
        '@blueprint.post("/<uuid:todo_id>/reopen")\n@blueprint.requires("todos:write")\n'
        "@blueprint.response(200, TodoOutput)\n@inject\n"
        "def reopen_todo(todo_id: UUID, todos: Todos) -> Todo:\n"
        f'    """Take the completion back."""\n    return todos.reopen(todo_id)\n\n\n{line}',
    )
    append(
        project,
        "tests/api/test_todos.py",
        "\n    def test_it_is_reopened(self) -> None:\n        path = self.create()\n"
        '        self.client.post(f"{path}/complete")\n'
        '        todo = self.client.post(f"{path}/reopen")\n'
        '        self.assertIsNone(todo.get_json()["completed_at"])\n',
    )


def change_texts(project: Path) -> None:
    append(project, "README.md", "\n## On call\n\nAsk the desk, extension 7.\n")
    append(project, "Makefile", "\n.PHONY: week\nweek:  ## Print the week.\n\t@git log --oneline\n")
    append(project, ".gitignore", "/reports/\n")
    append(project, "docs/on-call.md", "# On call\n\nAsk the desk.\n")
    replace(project, "pyproject.toml", 'version = "0.1.0"', 'version = "0.7.3"')


def add_a_command(project: Path) -> None:
    append(
        project,
        "src/commands/desk.py",
        'import click\n\n\n@click.command("desk")\ndef command() -> None:\n'
        '    """Say whom to ask."""\n    click.echo("Extension 7")\n',
    )
    append(project, "src/commands/__init__.py", "")


def remove_files(project: Path) -> None:
    """Remove some files, and rename one."""
    (project / "docs/scaling.md").unlink()
    (project / "scripts/run_postgres.sh").unlink()
    (project / "tests/unit/test_todo.py").rename(project / "tests/unit/test_todo_entity.py")


def change_answers(project: Path) -> None:
    """Change the form of errors, and the headers that pages of other origins may read."""
    line = "    if problem.errors:\n"
    replace(project, "src/api/responses.py", line, f'    body["help"] = "extension 7"\n{line}')
    replace(project, "src/cors.py", '"X-Request-ID"]', '"X-Request-ID", "X-Served-By"]')


OF_VERSION_1: dict[str, Edit] = {
    "resource": add_notes,
    **{path.stem: patch(path.stem) for path in sorted(PATCHES.glob("*.patch"))},
}
OF_THIS_VERSION: dict[str, Edit] = {
    "resource": generate_invoices,
    "setting": add_a_setting,
    "clock": change_the_clock,
    "error": add_an_error,
    "hook": add_a_hook,
    "operation": add_an_operation,
    "texts": change_texts,
    "command": add_a_command,
    "files": remove_files,
    "answers": change_answers,
}


def edit(project: Path, edits: dict[str, Edit], *, document: bool = True) -> None:
    """Apply the edits, format the code and commit."""
    for one in edits.values():
        one(project)
    run(project, ".venv/bin/python", "-m", "ruff", "check", "--fix", "--exit-zero", "--quiet", ".")
    run(project, ".venv/bin/python", "-m", "ruff", "format", "--quiet", ".")
    if document:
        manage(project, "openapi", "write")
    commit(project, "Our own work")
