"""A project whose container has no unit of work needs neither a database nor settings."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest import TestCase, skipIf
from unittest.mock import patch

from chassis.bootstrap import load_config_with_database
from chassis.container import ServiceContainer
from chassis.core.errors import CodeError
from chassis.project import Project, current_project
from chassis.wiring import NEED_DATABASE, wire
from cli.test_server import free_port
from src.api import controllers
from src.config import Config
from support.command_line import CommandLineTestCase

MISCONFIGURED = 78
NEEDING = [room for room in NEED_DATABASE if find_spec(f"chassis.{room}")]
SECONDS_TO_START = 180  # Generous, for a busy machine.
CONTAINER = '''\
from chassis import operations
from chassis.container import ServiceContainer, replaces
from chassis.wiring import wire
from src.api import controllers
from src.config import Config


@replaces
class Container(ServiceContainer):
    """As it comes."""


def build_container(config: Config) -> Container:
    container = Container(config=config)
    wire(container, operations, controllers)
    return container
'''
SUMS = """\
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas import fields
from chassis.schemas.base import Schema

blueprint = Blueprint("sums", __name__, url_prefix="/sums")


class Sum(Schema):
    value = fields.Integer(required=True)


@blueprint.post("")
@blueprint.public
@blueprint.arguments(Sum)
@blueprint.response(200, Sum)
def add(body):
    return body
"""
PAGES = """\
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas import fields
from chassis.schemas.base import Schema

blueprint = Blueprint("pages", __name__, url_prefix="/pages")


class Page(Schema):
    next = fields.Cursor(required=True, allow_none=True)


@blueprint.get("")
@blueprint.public
@blueprint.response(200, Page)
def read():
    return {"next": None}
"""


class NoDatabaseTest(TestCase):
    root: ClassVar[Path]
    controllers: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        """Copy the project, with another container and one operation."""
        super().setUpClass()
        project = current_project().root
        cls.root = Path(cls.enterClassContext(TemporaryDirectory())) / "project"
        cls.root.mkdir()
        for name in ("src", "migrations"):
            shutil.copytree(project / name, cls.root / name)
        for name in ("manage.py", "wsgi.py", "pyproject.toml", "openapi.json"):
            shutil.copy(project / name, cls.root / name)
        (cls.root / "chassis").symlink_to(project / "chassis")
        (cls.root / "src/dependency_container.py").write_text(CONTAINER)
        controllers = cls.root / "src/api/controllers"
        for path in [one for one in controllers.rglob("*.py") if one.name != "__init__.py"]:
            path.unlink()
        cls.controllers = controllers / "v1"
        cls.controllers.mkdir(exist_ok=True)
        (cls.controllers / "__init__.py").touch()
        (cls.controllers / "sums.py").write_text(SUMS)

    def environment(self, **variables: str) -> dict[str, str]:
        """Return variables without any that is a setting of the service."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {"PYTHONDONTWRITEBYTECODE": "1"} | variables

    def manage(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.root,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def serving(self, **variables: str) -> Iterator[int]:
        """Run the service; yield its port. Its output is in `self.output` afterwards."""
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=self.root,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while process.poll() is None and self.status(port, "/health/live") != 200:
                self.assertLess(time.monotonic(), deadline, "It did not start.")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            self.output, _ = process.communicate()
        self.assertEqual(process.returncode, 0, self.output)

    def ask(self, port: int, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        self.addCleanup(connection.close)
        sent = None if body is None else json.dumps(body)
        headers |= {"Content-Type": "application/json"} if sent else {}
        connection.request("POST" if sent else "GET", path, sent, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text

    def status(self, port: int, path: str) -> int | None:
        try:
            return self.ask(port, path)[0]
        except OSError:
            return None

    def test_the_projects_own_container_is_read_for_it(self) -> None:
        self.assertFalse(Project(self.root, "src").uses_database)
        for line in ("    unit_of_work = Singleton(x)", "    unit_of_work: Any = Singleton(x)"):
            file = Path(self.enterContext(TemporaryDirectory())) / "src/dependency_container.py"
            file.parent.mkdir()
            file.write_text(f"class Container:\n{line}\n")
            self.assertTrue(Project(file.parents[1], "src").uses_database)
        file.with_name("merged").mkdir()
        merged = file.with_name("merged") / file.name
        merged.write_text("<<<<<<< HEAD\n")
        with self.assertRaises(SyntaxError) as raised:
            _ = Project(file.parent, "merged").uses_database
        self.assertEqual(raised.exception.filename, str(merged))

    def test_jobs_and_files_need_one(self) -> None:
        class Alone(ServiceContainer): ...

        for room, sentence in NEED_DATABASE.items():
            with (
                self.subTest(room),
                patch("chassis.wiring.find_spec", f"chassis.{room}".__eq__),
                self.assertRaisesRegex(CodeError, f"{sentence} the database: .*`unit_of_work`"),
            ):
                wire(Alone(), controllers)

    @skipIf(NEEDING, "Its jobs or files need a database.")
    def test_in_production_it_serves_with_no_setting_at_all(self) -> None:
        with self.serving() as port:
            prefix = f"/{current_project().name}/v1"
            for value in (1, 2):  # No response is stored, so none is replayed.
                answer = self.ask(
                    port, f"{prefix}/sums", {"value": value}, **{"Idempotency-Key": "k"}
                )
                self.assertEqual(answer, (200, {"value": value}))
            status, ready = self.ask(port, "/health/ready")
            self.assertEqual((status, ready["status"], ready["maintenance"]), (200, "ok", None))
            self.assertEqual(ready["schema"], {"current": None, "required": None})
            self.assertEqual(self.status(port, "/metrics"), 200)
            self.assertEqual(self.status(port, "/docs"), 200)
            for path in ("/ops/maintenance", "/ops/maintenance/windows"):
                self.assertEqual(self.status(port, path), 404)
            document = self.ask(port, "/openapi.json")[1]
        self.assertEqual(
            set(document["paths"]), {f"{prefix}/sums", "/health/live", "/health/ready"}
        )
        self.assertNotIn("Idempotency-Key", json.dumps(document))
        self.assertNotIn("Not ready", self.output)
        self.assertNotIn("Traceback", self.output)

    @skipIf(NEEDING, "Its jobs or files need a database.")
    def test_what_signs_something_needs_a_key(self) -> None:
        file = self.controllers / "pages.py"
        file.write_text(PAGES)
        self.addCleanup(file.unlink)
        key = "not a secret, but long enough for one"
        for variables, code in (({}, 1), ({"SECRET_KEY": key}, 0)):
            result = subprocess.run(
                [sys.executable, "-c", "import wsgi"],
                cwd=self.root,
                env=self.environment(**variables),
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual("Error: Not set: SECRET_KEY." in result.stderr, bool(code))
            self.assertNotIn("Traceback", result.stderr)


class NoDatabaseCommandsTest(CommandLineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(Project, "uses_database", new=False))

    def test_those_of_the_database_say_that_there_is_none(self) -> None:
        for line in (
            "db upgrade",
            "db downgrade",
            "db current",
            "db heads",
            "db history",
            "db status",
            "db check",
            "db migrate -m x",
            "db stamp 0001",
            "db stop",
            "maintenance status",
        ):
            for url in ("", "postgresql://nobody@127.0.0.1:1/nothing"):
                with self.subTest(line, url=url):
                    result = self.manage(*line.split(), DATABASE_URL=url)
                    said = r"\AError: This project has no database: .*\n\Z"
                    self.assert_stops(result, MISCONFIGURED, said)
        self.assertEqual(self.manage("db", "--help").exit_code, 0)

    def test_development_starts_none(self) -> None:
        started = patch("chassis.bootstrap.start_embedded_postgres", side_effect=AssertionError)
        with started, patch.dict("os.environ", {"ENVIRONMENT": "development"}):
            self.assertEqual(load_config_with_database(Config).database_url, "")

    def test_a_weak_key_is_refused_here_too(self) -> None:
        result = self.manage("serve", SECRET_KEY="changeme")
        self.assert_stops(result, MISCONFIGURED, "SECRET_KEY: Must have 32")
