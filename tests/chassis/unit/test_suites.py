"""The suites that a project inherits detect the mistakes that they are for."""

from typing import Any
from unittest import TestCase, TestResult, TestSuite
from unittest.mock import Mock, patch
from uuid import UUID

from flask.testing import FlaskClient
from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Column, ForeignKey, MetaData, Table, UniqueConstraint, Uuid
from sqlalchemy.exc import IntegrityError

from api.test_ownership import LETTERS, controller
from chassis.core.errors import NotFoundError
from chassis.development.testing.bearer import bearer
from chassis.development.testing.example_rows import fill
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.memory import MemoryRepository
from chassis.development.testing.suites import (
    access_matrix,
    api_document,
    bad_inputs,
    ownership,
    revision_line,
    stand_ins,
)
from chassis.http.access.policies import public, requires
from chassis.project import current_project
from support.revisions import RevisionsTestCase


def complaints(case: type[TestCase], test: str) -> str:
    """Run a test of a suite; return its complaint, or "" where it passes."""
    result = TestResult()
    TestSuite([case(test)]).run(result)
    assert result.testsRun == 1, test
    return "\n".join(f"{what} {text}" for what, text in [*result.failures, *result.errors])


class WithRoute(HttpTestCase):
    """The project's application with one more operation."""

    view: Any = None

    def start(self, **settings: Any) -> FlaskClient:
        client = super().start(**settings)
        client.application.add_url_rule("/more/<word>", "more", self.view, methods=["POST"])
        return client


class AccessMatrixTest(TestCase):
    def changes_without_a_scope(self, **attributes: Any) -> str:
        view = {"view": staticmethod(public(lambda **_: "done"))}
        bases = (WithRoute, access_matrix.AccessMatrixSuite)
        case = type("Broken", bases, view | attributes)
        return complaints(case, "test_nothing_is_changed_without_a_scope")

    def test_a_change_that_anybody_may_make_is_noticed_unless_it_is_named(self) -> None:
        self.assertIn("/more/<word>", self.changes_without_a_scope())
        self.assertEqual(
            self.changes_without_a_scope(public_changes={("POST", "/more/<word>")}), ""
        )

    def test_an_operation_that_lets_everybody_in_is_noticed(self) -> None:
        view = requires("more:write")(lambda **_: "done")
        case = type(
            "Broken", (WithRoute, access_matrix.AccessMatrixSuite), {"view": staticmethod(view)}
        )
        test = "test_every_operation_serves_the_callers_that_it_declares_and_nobody_else"
        self.assertEqual(complaints(case, test), "")
        with patch("chassis.http.access.policies._policy", return_value=None):
            self.assertIn("200 != 401", complaints(case, test))


class DocumentsTest(TestCase):
    def test_an_operation_without_a_document_of_its_errors_is_noticed(self) -> None:
        test = "test_every_error_is_a_problem_with_an_example_of_it"
        suite = type("Suite", (api_document.ApiDocumentSuite,), {})
        self.assertEqual(complaints(suite, test), "")
        found = {"get": {"operationId": "x", "responses": {"404": {"headers": {}, "content": {}}}}}

        def set_up(case: Any) -> None:
            case.document = {"paths": {"/x": found}, "components": {}}

        with patch.object(suite, "setUp", set_up):
            self.assertIn("X-Request-ID", complaints(suite, test))

    def test_a_bad_input_that_is_let_in_is_noticed(self) -> None:
        test = "test_every_bad_input_is_told_what_is_wrong_with_it"
        suite = type("Suite", (bad_inputs.BadInputsSuite,), {})
        with patch.object(bad_inputs, "MOST_OF_A_KIND", 1):
            self.assertEqual(complaints(suite, test), "")
            sent = patch.object(suite, "answer", lambda case, _: case.client.get("/health/live"))
            with sent:
                self.assertIn("200", complaints(suite, test))


class WithLetters(HttpTestCase):
    owned = (LETTERS,)

    def start(self, **settings: Any) -> FlaskClient:
        client = super().start(**settings)
        [api] = client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(controller())
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(client.application)
        return client


class OwnershipTest(TestCase):
    test = "test_an_owned_object_is_not_there_for_anybody_else"
    letters = type("Letters", (WithLetters, ownership.OwnershipSuite), {})

    def test_objects_that_are_their_makers_alone_pass(self) -> None:
        self.assertEqual(complaints(self.letters, self.test), "")

    def test_one_that_is_shown_to_others_is_noticed(self) -> None:
        with patch.object(MemoryRepository, "where", lambda letters, **_: letters):
            self.assertIn("200", complaints(self.letters, self.test))

    def test_a_collection_that_is_not_there_is_noticed(self) -> None:
        missing = type("Missing", (ownership.OwnershipSuite,), {"owned": ("/nothing",)})
        self.assertIn("/nothing", complaints(missing, self.test))


class StandInsTest(TestCase):
    def test_a_stand_in_that_behaves_otherwise_is_noticed(self) -> None:
        test = "test_the_api_answers_on_stand_ins_as_on_the_database"

        class Suite(stand_ins.StandInsSuite):
            pass

        self.assertEqual(complaints(Suite, test), "")
        if not any(current_project().modules("api.controllers.v1")):
            self.skipTest("The project has no resource that could differ.")

        def get(_: object, entity_id: UUID, **__: Any) -> Any:
            raise NotFoundError(f"There is no {entity_id}.")

        with patch.object(MemoryRepository, "get", get):
            self.assertIn("404", complaints(Suite, test))


class StairwayTest(RevisionsTestCase):
    test = "test_each_revision_goes_up_down_and_up_again"

    def climb(self) -> str:
        return complaints(type("Suite", (revision_line.StairwaySuite,), {}), self.test)

    def test_one_that_does_not_go_back_is_noticed(self) -> None:
        self.revision("CREATE TABLE more (id integer)", down="DROP TABLE more")
        self.assertEqual(self.climb(), "")
        self.revision("CREATE TABLE again (id integer)")
        self.assertIn("already exists", self.climb())

    def test_one_that_says_that_it_is_irreversible_goes_up_only(self) -> None:
        self.revision("CREATE TABLE more (id integer)", irreversible="The old values are gone.")
        self.revision("CREATE TABLE again (id integer)", down="DROP TABLE again")
        self.assertEqual(self.climb(), "")


class ExampleRowsTest(TestCase):
    def test_references_that_are_unique_together_differ_from_row_to_row(self) -> None:
        metadata = MetaData()
        Table("members", metadata, Column("id", Uuid, primary_key=True))
        follows = Table(
            "follows",
            metadata,
            Column("id", Uuid, primary_key=True),
            *(Column(f"{name}_id", ForeignKey("members.id")) for name in ("one", "other")),
            UniqueConstraint("one_id", "other_id"),
        )
        connection = Mock()
        rows = fill(connection, metadata, 3)[follows.name]
        self.assertEqual(len({row["one_id"] for row in rows}), 1)
        self.assertEqual(len({row["other_id"] for row in rows}), 3)

    def test_rows_that_a_table_refuses_are_told_with_what_to_do(self) -> None:
        connection = Mock()
        refusal = ForeignKeyViolation("violates the check period\nDETAIL: ...")
        connection.execute.side_effect = IntegrityError("INSERT", {}, refusal)
        metadata = MetaData()
        Table("loans", metadata, Column("id", Uuid, primary_key=True))
        with self.assertRaisesRegex(AssertionError, r"loans .*period\).*ListsSuite.values"):
            fill(connection, metadata, 1)
