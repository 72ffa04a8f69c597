"""Generated projects pass their own checks and tests, on real databases."""

import os
import re
import shutil
import subprocess
import time
from difflib import ndiff
from pathlib import Path

import pytest
from conftest import Report, environment, make

ATTACKS = {
    # The rings of src.
    "absolute import": ("src/api/attack.py", "import src.infrastructure.databases.metadata\n"),
    "relative import": ("src/api/attack.py", "from ..infrastructure.databases import metadata\n"),
    "import in a function": (
        "src/services/attack.py",
        "def late() -> None:\n    from src.infrastructure.databases import metadata\n",
    ),
    "import for types only": (
        "src/domain/attack.py",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import src.services.ports\n",
    ),
    "through the container": (
        "src/api/attack.py",
        "from src.dependency_container import Container\n",
    ),
    "the container, from a service": (
        "src/services/attack.py",
        "import src.dependency_container\n",
    ),
    "the application, from the infrastructure": (
        "src/infrastructure/attack.py",
        "from src.create_app import create_app\n",
    ),
    "a repository, above the container": (
        "src/seeds/attack.py",
        "from src.infrastructure.repositories import todo_repository\n",
    ),
    "a new module outside the rule": ("src/attack.py", "import src.domain\n"),
    "a new ring outside the rule": ("src/helpers/__init__.py", ""),
    # Domain, services and core: the imports that they may have.
    "a framework in the domain": ("src/domain/attack.py", "import sqlalchemy\n"),
    "a framework in a service, late": (
        "src/services/attack.py",
        "def late() -> None:\n    from flask import g\n",
    ),
    "any library in the domain": ("src/domain/attack.py", "import requests\n"),
    "paging in the domain": ("src/domain/attack.py", "from chassis.core import paging\n"),
    "fields in a service": ("src/services/attack.py", "from chassis.schemas import fields\n"),
    "any library in the core": ("chassis/core/attack.py", "import orjson\n"),
    # The parts of the chassis that API and infrastructure may import.
    "PostgreSQL in the API": ("src/api/attack.py", "import chassis.postgres.engines\n"),
    "the document in a controller": (
        "src/api/controllers/attack.py",
        "def late() -> None:\n    from chassis.openapi import document\n",
    ),
    "fields in the infrastructure": (
        "src/infrastructure/attack.py",
        "import typing\n\nif typing.TYPE_CHECKING:\n    from chassis.schemas import fields\n",
    ),
    "the runner in the infrastructure": (
        "src/infrastructure/attack.py",
        "from chassis.migrations import runner\n",
    ),
    # The chassis knows no project.
    "the project in the chassis": ("chassis/attack.py", "import src.config\n"),
    "the project in the chassis, late": (
        "chassis/http/attack.py",
        "def late() -> None:\n    from src.domain import constants\n",
    ),
    # The order of the rooms of the chassis.
    "upwards in the chassis": ("chassis/postgres/attack.py", "import chassis.maintenance.drain\n"),
    "a neighbour in the chassis": (
        "chassis/maintenance/attack.py",
        "from ..observability import logs\n",
    ),
    "a new room outside the rule": ("chassis/helpers/__init__.py", ""),
    "development from what serves": (
        "chassis/development/__init__.py",
        "",
        "chassis/http/attack.py",
        "from chassis import development\n",
    ),
    # No SQL in the API, and no HTTP in the database.
    "SQL in the API": ("src/api/controllers/attack.py", "from sqlalchemy import text\n"),
    "SQL in the chassis's HTTP": (
        "chassis/http/attack.py",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from sqlalchemy import text\n",
    ),
    "SQL through the settings": ("chassis/http/attack.py", "from chassis import settings\n"),
    "HTTP in the infrastructure": ("src/infrastructure/attack.py", "from flask import request\n"),
    "HTTP in the chassis's PostgreSQL": ("chassis/postgres/attack.py", "import werkzeug\n"),
    # Only the container knows both services and infrastructure.
    "a service in the infrastructure": (
        "src/infrastructure/attack.py",
        "from src.services import todo_service\n",
    ),
    "PostgreSQL in a seed": ("src/seeds/attack.py", "from chassis.postgres import engines\n"),
    "SQLAlchemy in a seed": ("src/seeds/attack.py", "import sqlalchemy\n"),
    "the command line in src": ("src/seeds/attack.py", "import chassis.cli.main\n"),
}


def database_of(output: str) -> str:
    found = re.search(r"^tests: (PostgreSQL .+)$", output, re.MULTILINE)
    assert found, output
    return found[1]


def how_many(output: str) -> str:
    """Return the number of tests, and the sum of their times."""
    found = re.findall(r"^Ran (\d+) tests in ([\d.]+)s$", output, re.MULTILINE)
    assert found, output
    tests, seconds = (sum(map(float, column)) for column in zip(*found, strict=True))
    return f"{tests:.0f} tests in {seconds:.0f} s"


def python(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [".venv/bin/python", *arguments],
        cwd=project,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_default_project_checks_and_tests(project: Path, report: Report) -> None:
    make(project, "check")
    begun = time.monotonic()
    output = make(project, "test")
    seconds = time.monotonic() - begun
    covered = make(project, "coverage")
    assert how_many(output).split()[0] == how_many(covered).split()[0], "A folder is left out."
    report.append(
        f"default project: {how_many(output)} on {database_of(output)}, "
        f"in {seconds:.0f} s with `make test`; with coverage {how_many(covered)}"
    )
    if wanted := os.environ.get("TEST_DATABASE"):
        assert wanted in database_of(output)


def test_the_empty_project_checks_and_tests(
    empty_project: Path, tmp_path: Path, report: Report
) -> None:
    copy = shutil.copytree(empty_project, tmp_path / "empty")
    make(copy, "check")
    output = make(copy, "coverage", TEST_DATABASE="embedded")
    report.append(f"empty project: {how_many(output)} on {database_of(output)}")
    assert "embedded" in database_of(output)


def test_the_dependency_rule_holds_where_nobody_attacks_it(copy: Path) -> None:
    result = python(copy, "-m", "unittest", "tests.unit.test_architecture")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_dependency_rule_catches_an_import_that_points_outwards(
    copy: Path, attack: str
) -> None:
    files = iter(ATTACKS[attack])
    for name, code in zip(files, files, strict=True):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(code)
    result = python(copy, "-m", "unittest", "tests.unit.test_architecture")
    assert result.returncode == 1, result.stderr
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert re.search(rf"AssertionError.*{module}|\[{name}\]", result.stderr, re.DOTALL)


def test_the_example_is_written_as_the_generator_writes(copy: Path) -> None:
    fields = ("title:str:200:sort:filter", "completed_at:datetime:optional:readonly")
    generate = ("manage.py", "generate", "resource", "Chore", *fields, "--public", "--no-migration")
    result = python(copy, *generate, ENVIRONMENT="development")
    assert result.returncode == 0, result.stderr
    for path in copy.glob("src/**/*chore*.py"):
        if path.parent.name == "seeds":
            continue
        example = path.with_name(path.name.replace("chore", "todo")).read_text()
        example = example.replace("TODO_TITLE_LENGTH)]", "200)]")
        example = example.replace("Clock, UnitOfWorkFactory", "UnitOfWorkFactory")
        example = example.replace("UnitOfWorkFactory, clock: Clock", "UnitOfWorkFactory")
        written = path.read_text().replace("chore", "todo").replace("Chore", "Todo")
        # Lines that the example has of its own may stand between those of the generator.
        missing = [
            line for line in ndiff(written.splitlines(), example.splitlines()) if line[0] == "-"
        ]
        assert not missing, f"{path.name}: {missing}"


def test_a_wrong_provider_name_stops_the_application(copy: Path) -> None:
    controller = copy / "chassis/operations/health.py"
    controller.write_text(controller.read_text().replace('"health_service"', '"health_servise"'))
    result = python(copy, "manage.py", "routes", ENVIRONMENT="development")
    assert result.returncode != 0
    assert "asks the container for 'health_servise'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_model_without_its_migration_fails_the_check(copy: Path) -> None:
    entity = copy / "src/domain/models/todo.py"
    text = entity.read_text()
    title = "    title: "
    assert title in text
    entity.write_text(text.replace(title, f"    note: Annotated[str, Text(10)]\n{title}"))
    result = python(copy, "-m", "unittest", "tests.test_promises.DriftTest")
    assert result.returncode == 1
    assert "AssertionError" in result.stderr
    assert "note" in result.stderr


def test_a_test_that_is_broken_on_purpose_fails(copy: Path) -> None:
    entity = copy / "src/domain/models/todo.py"
    rule = "Text(TODO_TITLE_LENGTH)"
    text = entity.read_text()
    assert rule in text
    entity.write_text(text.replace(rule, "Text(TODO_TITLE_LENGTH, minimum=0)"))
    assert python(copy, "-m", "unittest", "tests.unit.test_todo").returncode == 1


WRONG = {
    "a line that is too long": (
        "x = [" + ", ".join(f'"item {n}"' for n in range(20)) + "]\n",
        True,
    ),
    "imports out of order": ("import sys\nimport os\n\nprint(sys, os)\n", True),
    "quotes and spaces": ("def  f( a,b ):\n  return {'a':a ,'b':b}\n", True),
    "what no tool mends": ("x = undefined_name\ny  =  [1,2]\n", False),
}


@pytest.mark.parametrize(("text", "mended"), WRONG.values(), ids=WRONG)
def test_make_format_mends_all_that_one_of_its_tools_can(
    copy: Path, *, text: str, mended: bool
) -> None:
    make(copy, ".venv/.ready")
    module = copy / "scripts/wrong.py"
    module.write_text(text)
    result = subprocess.run(
        ["make", "format"],
        cwd=copy,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    linted = python(copy, "-m", "ruff", "format", "--check", "scripts/wrong.py")
    assert linted.returncode == 0, module.read_text()
    assert (result.returncode == 0) is mended, result.stdout
    assert mended or "undefined_name" in result.stdout
