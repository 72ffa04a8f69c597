"""Paths, responses, error rows, settings and clocks that do not fit are rejected at the start."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Annotated, Any
from unittest import TestCase
from unittest.mock import patch

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Dependency, List, Singleton
from flask import Flask
from sqlalchemy import MetaData, Table

from chassis.core.errors import CodeError, DomainError, NotFoundError
from chassis.core.model import UNSTAMPED, Model
from chassis.core.rules import Text
from chassis.http.flow.blueprint import Blueprint
from chassis.http.flow.controllers import ControllerError
from chassis.http.flow.output_fields import require_output_fields
from chassis.http.flow.path_parameters import require_path_parameters
from chassis.http.output.problem_rows import Rows, require_rows
from chassis.postgres.columns import columns
from chassis.postgres.sql_repository import SqlRepository
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from chassis.schemas import fields
from chassis.schemas.base import Schema
from chassis.wiring import _unset


@dataclass(eq=False, kw_only=True, slots=True)
class Note(Model):
    text: Annotated[str, Text(20)]
    created_at: datetime = UNSTAMPED


class NoteOutput(Schema):
    text = fields.Text(max_length=20, required=True)


class LongerOutput(NoteOutput):
    author = fields.Text(max_length=20, required=True)


def app(path: str, view: Callable[..., Any], schema: type[Schema] = NoteOutput) -> Flask:
    made, blueprint = Flask("tests"), Blueprint("notes", "tests")
    blueprint.route(path)(blueprint.response(200, schema)(view))
    made.register_blueprint(blueprint)
    return made


def one(note_id: str) -> Note:
    raise NotImplementedError


def pair(note_id: str) -> tuple[Note, int]:
    raise NotImplementedError


def loose(**values: str) -> Note:
    raise NotImplementedError


def two(note_id: str, line_id: str) -> dict[str, Any]:
    raise NotImplementedError


def untyped(note_id, more=None):  # type: ignore[no-untyped-def]
    raise NotImplementedError


class StartRefusalsTest(TestCase):
    def test_a_path_has_the_parameters_of_its_view(self) -> None:
        view: Any
        for path, view in (("/<note_id>", one), ("/<note_id>", untyped), ("/<a>/<b>", loose)):
            require_path_parameters(app(path, view))
        for path, view, said in (
            ("/<noteid>", one, "did you mean 'note_id'"),
            ("/<note_id>/<colour>", one, "does not take 'colour'"),
            ("/<note_id>", two, "takes 'line_id', which is not in its path"),
        ):
            with self.subTest(path), self.assertRaisesRegex(ControllerError, said):
                require_path_parameters(app(path, view))

    def test_paths_are_let_be_where_others_change_their_values(self) -> None:
        changed = app("/<noteid>", one)
        changed.url_value_preprocessor(lambda _endpoint, _values: None)
        require_path_parameters(changed)

    def test_what_a_view_returns_has_the_fields_of_its_response(self) -> None:
        view: Any
        for view in (one, pair):
            require_output_fields(app("/<note_id>", view))
            with self.assertRaisesRegex(ControllerError, "LongerOutput requires 'author'"):
                require_output_fields(app("/<note_id>", view, LongerOutput))
        for view in (untyped, two):  # It is not known what they return.
            require_output_fields(app("/<note_id>", view, LongerOutput))

    def test_a_row_of_errors_has_the_status_of_an_error(self) -> None:
        for status in (200, 302, 600):
            with self.subTest(status), self.assertRaisesRegex(CodeError, f"status {status}"):
                require_rows({NotFoundError: (status, "x")})

    def test_an_error_of_the_project_has_a_row(self) -> None:
        class StuckError(DomainError): ...

        rows: Rows = {NotFoundError: (404, "not-found")}
        StuckError.__module__, StuckError.__qualname__ = "src.domain.stuck", "StuckError"
        module: Any = SimpleNamespace(StuckError=StuckError)
        with patch.dict("sys.modules", {"src.domain.stuck": module}):
            with self.assertRaisesRegex(CodeError, "StuckError has no row"):
                require_rows(rows)
            require_rows({**rows, StuckError: (423, "stuck")})
        require_rows(rows)  # Its module does not have the class any more.

    def test_a_setting_that_the_container_reads_is_there(self) -> None:
        class Services(DeclarativeContainer):
            config: Any = Dependency()
            right: Any = Singleton(dict, host=config.provided.smtp_host)
            wrong: Any = Singleton(dict, hosts=List(config.provided.smtp_hots))

        config = SimpleNamespace(smtp_host="localhost")
        [said] = _unset(Services(config=config))
        self.assertIn("wrong reads the setting 'smtp_hots'", said)
        self.assertIn("did you mean 'smtp_host'?", said)

    def test_a_repository_of_stamped_rows_gets_the_clock(self) -> None:
        notes = Table("notes", MetaData(), *columns(Note))

        class Given(SqlWork):
            def __init__(self, connection: Any) -> None:
                super().__init__(connection)
                self.notes = self.repository(notes, Note)

        class Forgotten(SqlWork):
            def __init__(self, connection: Any) -> None:
                super().__init__(connection)
                self.notes = SqlRepository(connection, notes, Note)

        engines: Any = SimpleNamespace(replica=None, read=SimpleNamespace(connect=None))
        clock: Any = SimpleNamespace(now=datetime.now)
        SqlUnitOfWorkFactory(engines, Given, clock=clock)
        with self.assertRaisesRegex(CodeError, "notes gets no clock"):
            SqlUnitOfWorkFactory(engines, Forgotten, clock=clock)
