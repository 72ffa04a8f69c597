"""Another owner's object is not found, with code as in docs/access.md."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from chassis.core.identity import uuid7
from chassis.core.paging import PageQuery
from chassis.core.persistence import Repository
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from chassis.development.testing.security_table import shows
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from chassis.project import current_project
from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.api.requests import PageArguments, subject

TAGS = ("", '"1"', '"9"', "*")  # If-Match must not reveal that the object exists.
LETTERS = "/letters-of-somebody"
GUIDE = current_project().root / "docs/access.md"


@dataclass(eq=False, kw_only=True, slots=True)
class Letter:
    text: str
    owner: str
    id: UUID = field(default_factory=uuid7)
    version: int = 1


class LetterInput(Schema):
    text = fields.Text(max_length=20, required=True)


class LetterOutput(Schema):
    id = fields.UUID()
    text = fields.Text(max_length=20)
    version = fields.Integer()


class LetterPage(Schema):
    items = fields.List(fields.Nested(LetterOutput))
    next = fields.Cursor(allow_none=True)


@dataclass
class Work:
    letters: Repository[Letter]


class Units:
    """A unit of work with a repository of letters."""

    def __init__(self) -> None:
        self._factory = MemoryUnitOfWorkFactory()

    @contextmanager
    def __call__(self, *, read_only: bool = False) -> Iterator[Work]:
        with self._factory(read_only=read_only) as work:
            yield Work(work.repository("letters"))


class LetterService:
    def __init__(self, unit_of_work: Units) -> None:
        self._unit_of_work = unit_of_work

    def create(self, text: str, *, owner: str) -> Letter:
        letter = Letter(text=text, owner=owner)
        with self._unit_of_work() as work:
            work.letters.add(letter)
        return letter

    def read(self, letter_id: UUID, *, owner: str) -> Letter:
        with self._unit_of_work(read_only=True) as work:
            return work.letters.where(owner=owner).get(letter_id)

    def page(self, query: PageQuery, *, owner: str) -> list[Letter]:
        with self._unit_of_work(read_only=True) as work:
            return work.letters.where(owner=owner).page(query)

    def change(self, letter_id: UUID, *, text: str, owner: str) -> Letter:
        with self._unit_of_work() as work:
            letters = work.letters.where(owner=owner)
            letter = letters.get(letter_id)
            letter.text = text
            letters.save(letter)
        return letter

    def delete(self, letter_id: UUID, *, owner: str) -> None:
        with self._unit_of_work() as work:
            letters = work.letters.where(owner=owner)
            letters.remove(letters.get(letter_id))


def controller() -> Blueprint:
    blueprint = Blueprint("letters-of-somebody", __name__, url_prefix=LETTERS)
    letters = LetterService(Units())

    @blueprint.get("")
    @blueprint.requires("letters:read")
    @blueprint.arguments(PageArguments, location="query")
    @blueprint.response(200, LetterPage)
    def list_letters(query: PageQuery) -> dict[str, Any]:
        return page(lambda asked: letters.page(asked, owner=subject()), query)

    @blueprint.post("")
    @blueprint.requires("letters:write")
    @blueprint.arguments(LetterInput)
    @blueprint.response(201, LetterOutput)
    def create_letter(body: dict[str, Any]) -> Letter:
        return letters.create(**body, owner=subject())

    @blueprint.get("/<uuid:letter_id>")
    @blueprint.requires("letters:read")
    @blueprint.response(200, LetterOutput)
    def read_letter(letter_id: UUID) -> Letter:
        return letters.read(letter_id, owner=subject())

    @blueprint.patch("/<uuid:letter_id>")
    @blueprint.requires("letters:write")
    @blueprint.arguments(LetterInput)
    @blueprint.response(200, LetterOutput)
    def change_letter(body: dict[str, Any], letter_id: UUID) -> Letter:
        return letters.change(letter_id, **body, owner=subject())

    @blueprint.delete("/<uuid:letter_id>")
    @blueprint.requires("letters:write")
    @blueprint.response(204)
    def delete_letter(letter_id: UUID) -> None:
        letters.delete(letter_id, owner=subject())

    return blueprint


class OwnershipTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        app = self.client.application
        [api] = app.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(controller())
        self.tokens = {name: bearer(app, subject=name) for name in ("ann", "bob")}
        made = self.ask("ann", "POST", LETTERS, json={"text": "mine"})
        self.assertEqual(made.status_code, 201, made.text)
        self.letter = f"{LETTERS}/{made.get_json()['id']}"

    def ask(self, name: str, method: str, path: str, **body: Any) -> TestResponse:
        headers = {"Authorization": self.tokens[name], **body.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **body)

    def listed(self, name: str) -> list[str]:
        return [item["text"] for item in self.ask(name, "GET", LETTERS).get_json()["items"]]

    def test_its_owner_does_as_they_please(self) -> None:
        self.assertEqual(self.listed("ann"), ["mine"])
        self.assertEqual(self.ask("ann", "GET", self.letter).status_code, 200)
        self.assertEqual(self.ask("ann", "PATCH", self.letter, json={"text": "x"}).status_code, 200)
        self.assertEqual(self.ask("ann", "DELETE", self.letter).status_code, 204)

    @shows("API1:2023", "V8.2.2")
    def test_to_anybody_else_it_is_not_there(self) -> None:
        for method in ("GET", "PATCH", "DELETE"):
            body = {"json": {"text": "theirs"}} if method == "PATCH" else {}
            with self.subTest(method):
                for path, tag in product((self.letter, f"{LETTERS}/{uuid7()}"), TAGS):
                    headers = {"If-Match": tag} if tag and method != "GET" else {}
                    answer = self.ask("bob", method, path, headers=headers, **body)
                    problem = self.assert_problem(answer, 404, "not-found")
                    identity = path.rpartition("/")[2]
                    self.assertEqual(problem["detail"], f"There is no letter {identity}.")
        self.assertEqual(self.listed("bob"), [])
        self.assertEqual(self.listed("ann"), ["mine"])

    def test_the_guide_has_what_is_shown_here(self) -> None:
        here = dedent(Path(__file__).read_text("utf-8"))
        guide = GUIDE.read_text("utf-8").partition("## Objects of others are not found")[2]
        found = re.findall(r"^```python\n(.*?)^```$", guide, re.M | re.S)
        self.assertEqual(len(found), 3)
        for block in found:
            with self.subTest(block):
                lines = [line.strip() for line in block.splitlines()]
                self.assertIn("\n".join(lines), re.sub(r"^ +", "", here, flags=re.M))
