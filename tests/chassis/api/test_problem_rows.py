"""A row of src/error_handler.py changes what is answered, and what openapi.json says of it."""

from typing import Any
from unittest import TestResult, TestSuite
from unittest.mock import patch
from uuid import uuid4

from openapi_spec_validator import OpenAPIV31SpecValidator

from chassis.core import errors
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.suites import access_matrix, bad_inputs
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.problem_rows import Row
from chassis.openapi.document import resolve
from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.error_handler import PROBLEMS

Rows = dict[type[errors.DomainError], Row]
BAD_INPUTS = "test_every_bad_input_is_told_what_is_wrong_with_it"
ACCESS = "test_every_operation_serves_the_callers_that_it_declares_and_nobody_else"


class UnpaidError(errors.DomainError):
    pass


class OverdrawnError(errors.ConflictError):
    pass


class NoteInput(Schema):
    text = fields.Text(max_length=9, required=True)


class ProblemRowsTest(HttpTestCase):
    raised: Exception

    def override(self, rows: Rows) -> None:
        """Start with these rows over those of the project, and with an operation that fails."""
        self.enterContext(patch.dict(PROBLEMS, rows))
        self.client = self.start()
        self.enterContext(patch.object(self.client.application.logger, "disabled", new=True))
        blueprint = Blueprint("notes", __name__, url_prefix="/notes")

        @blueprint.put("/<uuid:note_id>")
        @blueprint.public
        @blueprint.arguments(NoteInput)
        @blueprint.response(204)
        @blueprint.alt_response(402, description="The note has no stamp.")
        def put_note(_body: dict[str, Any], **_names: object) -> None:
            raise self.raised

        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(blueprint)

    def assert_answered(self, raised: Exception, status: int, kind: str) -> None:
        self.raised = raised
        answer = self.client.put(f"/notes/{uuid4()}", json={"text": "x"})
        self.assert_problem(answer, status, kind)

    def documented(self) -> dict[str, str]:
        """The description of each error of the operation, by its status."""
        document = self.client.get("/openapi.json").get_json()
        self.assertEqual([*OpenAPIV31SpecValidator(document).iter_errors()], [])
        found = {}
        for status, answer in document["paths"]["/notes/{note_id}"]["put"]["responses"].items():
            response = resolve(document, answer)
            if status >= "400":
                found[status] = response["description"]
                example = response["content"]["application/problem+json"]["example"]
                self.assertEqual(example["status"], int(status))
                self.assertRegex(found[status], rf"\({example['type']}\b")
        return found

    def test_another_kind(self) -> None:
        self.override({errors.NotFoundError: (404, "missing")})
        self.assert_answered(errors.NotFoundError("There is no note."), 404, "missing")
        self.assert_problem(self.client.get("/nothing"), 404, "missing")
        self.assertEqual(self.documented()["404"], "There is no such resource. (missing)")
        self.assertNotIn("not-found", self.client.get("/openapi.json").text)

    def test_another_status(self) -> None:
        self.override(
            {
                errors.NotFoundError: (410, "gone"),
                errors.ValidationError: (400, "invalid"),
                errors.ConflictError: (499, "clash"),
            }
        )
        self.assert_answered(errors.NotFoundError("There is no note."), 410, "gone")
        self.assert_problem(self.client.get("/nothing"), 410, "gone")
        self.assert_answered(errors.ValidationError("Too late.", field="text"), 400, "invalid")
        broken = self.client.put(f"/notes/{uuid4()}", json={"text": "x" * 10})
        self.assert_problem(broken, 400, "invalid")
        self.assert_answered(errors.ConflictError("It was changed."), 499, "clash")
        self.assert_answered(errors.DuplicateError("It exists."), 409, "duplicate")
        found = self.documented()
        self.assertIn("(malformed-body, invalid, ", found["400"])
        self.assertEqual(found["409"], "The present state forbids the change. (duplicate)")
        self.assertEqual((found["410"], found["499"]), ("Gone. (gone)", "Error 499. (clash)"))
        self.assertTrue({"404", "422"}.isdisjoint(found))

    def test_an_error_of_the_projects_own(self) -> None:
        self.override({UnpaidError: (402, "unpaid"), OverdrawnError: (409, "overdrawn")})
        self.assert_answered(UnpaidError("It needs a stamp."), 402, "unpaid")
        self.assert_answered(OverdrawnError("There are no stamps."), 409, "overdrawn")
        found = self.documented()
        self.assertEqual(found["402"], "The note has no stamp. (unpaid)")
        self.assertRegex(found["409"], r"\(conflict, .*overdrawn\)$")

    def test_one_that_only_the_operation_names(self) -> None:
        self.override({})
        self.assertEqual(self.documented()["402"], "The note has no stamp. (refused)")

    def test_an_unforeseen_error_stays_one_of_the_server(self) -> None:
        for row, unforeseen in (((400, "wrong"), "internal"), ((500, "bug"), "bug")):
            with self.subTest(row):
                self.override({errors.DomainError: row})
                self.assert_answered(errors.DomainError("Wrong."), *row)
                self.assert_answered(RuntimeError("of the inside"), 500, unforeseen)
                found = self.documented()
                self.assertRegex(found["500"], rf"\({unforeseen}\)$")
                self.assertIn(row[1], found[str(row[0])])

    def test_the_suites_of_a_project_expect_what_its_rows_say(self) -> None:
        rows: Rows = {
            errors.NotFoundError: (410, "missing"),
            errors.ValidationError: (400, "invalid"),
            errors.AuthenticationError: (403, "who"),
        }
        self.enterContext(patch.dict(PROBLEMS, rows))
        result = TestResult()
        suites = [bad_inputs.BadInputsSuite(BAD_INPUTS), access_matrix.AccessMatrixSuite(ACCESS)]
        TestSuite(suites).run(result)
        found = [text for _, text in [*result.failures, *result.errors]]
        self.assertEqual((result.testsRun, found), (2, []))
