"""Mistakes in a project's code give a sentence, an exit status, and no traceback."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import marshmallow
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Object
from flask import Flask
from marshmallow import fields as loose

from chassis import operations
from chassis.bootstrap import build
from chassis.core.errors import CodeError
from chassis.http.access.policies import require_policies
from chassis.http.flow.blueprint import Blueprint
from chassis.project import Project, current_project
from chassis.schemas.base import Schema
from chassis.wiring import wire
from src.config import Config
from support.command_line import CommandLineTestCase

URL = "postgresql://nobody@127.0.0.1:1/nothing"


class LooseField(Schema):
    name = loose.String()


class LooseInside(Schema):
    names = loose.List(loose.Integer())


class LooseSchema(marshmallow.Schema):
    name = loose.String()


class Misspelt(DeclarativeContainer):
    health_servise = Object(1)
    maintenance_service = Object(1)


def reads(schema: Any) -> Callable[[Any], Flask]:
    def create_app(_: Any) -> Flask:
        Blueprint("x", __name__).arguments(schema)(lambda: None)
        return Flask("tests")

    return create_app


def without_policy(_: Any) -> Flask:
    app = Flask("tests", static_folder=None)
    app.add_url_rule("/silent", "silent", lambda: "")
    require_policies(app)
    return app


def misspelt(_: Any) -> Flask:
    wire(Misspelt(), operations)
    return Flask("tests")


def merging(_: Any) -> Flask:
    compile("import os\n<<<<<<< HEAD\n", "src/merged.py", "exec")
    return Flask("tests")


MISTAKES = {
    "src/merged.py, line 2, is no Python: invalid syntax: <<<<<<< HEAD": merging,
    "These operations have no access policy: GET /silent": without_policy,
    "LooseField.name: a schema of requests needs fields": reads(LooseField),
    "LooseInside.names: a schema of requests": reads(LooseInside),
    "LooseSchema.* reads requests: make it": reads(LooseSchema),
    r"read_readiness asks the container for 'health_service', .*mean 'health_servise'": misspelt,
}


class MistakesTest(CommandLineTestCase):
    def test_each_is_named_by_the_command_line(self) -> None:
        for sentence, create_app in MISTAKES.items():
            for command in (["routes"], ["openapi", "write"], ["openapi", "check"]):
                with (
                    self.subTest(sentence, command=command),
                    patch.object(Project, "create_app", staticmethod(create_app)),
                ):
                    result = self.manage(*command, DATABASE_URL=URL)
                    self.assert_stops(result, 1, f"Error: .*{sentence}")

    def test_and_ends_a_server_process(self) -> None:
        for sentence, create_app in MISTAKES.items():
            with (
                self.subTest(sentence),
                patch.dict("os.environ", {"DATABASE_URL": URL, "ENVIRONMENT": "development"}),
                self.assertRaisesRegex(SystemExit, f"Error: .*{sentence}"),
            ):
                build(create_app, Config)

    def test_all_that_is_misspelt_is_named(self) -> None:
        with self.assertRaises(CodeError) as raised:
            wire(DeclarativeContainer(), operations)
        for name in ("health_service", "maintenance_service"):
            self.assertIn(repr(name), str(raised.exception))

    def test_alembic_itself_is_answered_with_what_to_run(self) -> None:
        for command in (["upgrade", "head"], ["current"], ["check"], ["upgrade", "head", "--sql"]):
            with self.subTest(command):
                ended = subprocess.run(
                    [Path(sys.executable).with_name("alembic"), *command],
                    cwd=current_project().root,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                self.assertNotEqual(ended.returncode, 0)
                self.assertIn("python manage.py db", ended.stdout + ended.stderr)
                self.assertNotIn("Traceback", ended.stderr)
