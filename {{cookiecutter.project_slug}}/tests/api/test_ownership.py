"""Somebody else's object is not found, written as docs/access.md says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from src.api.access import subject
from src.api.blueprint import Blueprint
from src.api.pages import page
from src.api.requests import PageArguments
from src.api.schemas import fields
from src.api.schemas.base import Schema
from src.domain.exceptions import NotFoundError
from src.domain.identity import uuid7
from src.services.paging import PageQuery
from src.services.ports import Repository
from tests.support.application import HttpTestCase
from tests.support.memory import MemoryRepository
from tests.support.security import shows
from tests.support.tokens import bearer

NOTES = "/notes"
GUIDE = Path(__file__).parents[2] / "docs/access.md"


@dataclass(eq=False, kw_only=True, slots=True)
class Note:
    text: str
    owner: str
    id: UUID = field(default_factory=uuid7)
    version: int = 1


class NoteInput(Schema):
    text = fields.Text(max_length=20, required=True)


class NoteOutput(Schema):
    id = fields.UUID()
    text = fields.Text(max_length=20)
    version = fields.Integer()


class NotePage(Schema):
    items = fields.List(fields.Nested(NoteOutput))
    next = fields.Cursor(allow_none=True)


class Notes(MemoryRepository[Note]):
    def get(self, entity_id: UUID) -> Note:
        try:
            return super().get(entity_id)
        except NotFoundError:  # As SqlRepository says it.
            raise NotFoundError(f"There is no note {entity_id}.") from None


class Work:
    def __init__(self) -> None:
        self.notes: Repository[Note] = Notes({})


def owned(note: Note, owner: str) -> Note:
    if note.owner != owner:
        raise NotFoundError(f"There is no note {note.id}.")
    return note


class NoteService:
    def __init__(self) -> None:
        self._work = Work()

    @contextmanager
    def _unit_of_work(self, *, read_only: bool = False) -> Iterator[Work]:
        del read_only
        yield self._work

    def create(self, text: str, *, owner: str) -> Note:
        note = Note(text=text, owner=owner)
        with self._unit_of_work() as work:
            work.notes.add(note)
        return note

    def get(self, note_id: UUID, *, owner: str) -> Note:
        with self._unit_of_work(read_only=True) as work:
            return owned(work.notes.get(note_id), owner)

    def page(self, query: PageQuery, *, owner: str) -> list[Note]:
        with self._unit_of_work(read_only=True) as work:
            return work.notes.page(replace(query, where={**query.where, "owner": owner}))

    def change(self, note_id: UUID, *, text: str, owner: str) -> Note:
        with self._unit_of_work() as work:
            note = owned(work.notes.get(note_id), owner)
            note.text = text
            work.notes.save(note)
        return note

    def delete(self, note_id: UUID, *, owner: str) -> None:
        with self._unit_of_work() as work:
            work.notes.remove(owned(work.notes.get(note_id), owner))


def controller() -> Blueprint:
    blueprint = Blueprint("notes", __name__, url_prefix=NOTES)
    notes = NoteService()

    @blueprint.get("")
    @blueprint.requires("notes:read")
    @blueprint.arguments(PageArguments, location="query")
    @blueprint.response(200, NotePage)
    def list_notes(query: PageQuery) -> dict[str, Any]:
        return page(lambda asked: notes.page(asked, owner=subject()), query)

    @blueprint.post("")
    @blueprint.requires("notes:write")
    @blueprint.arguments(NoteInput)
    @blueprint.response(201, NoteOutput)
    def create_note(body: dict[str, Any]) -> Note:
        return notes.create(**body, owner=subject())

    @blueprint.get("/<uuid:note_id>")
    @blueprint.requires("notes:read")
    @blueprint.response(200, NoteOutput)
    def read_note(note_id: UUID) -> Note:
        return notes.get(note_id, owner=subject())

    @blueprint.patch("/<uuid:note_id>")
    @blueprint.requires("notes:write")
    @blueprint.arguments(NoteInput)
    @blueprint.response(200, NoteOutput)
    def change_note(body: dict[str, Any], note_id: UUID) -> Note:
        return notes.change(note_id, **body, owner=subject())

    @blueprint.delete("/<uuid:note_id>")
    @blueprint.requires("notes:write")
    @blueprint.response(204)
    def delete_note(note_id: UUID) -> None:
        notes.delete(note_id, owner=subject())

    return blueprint


class OwnershipTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        app = self.client.application
        [api] = app.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(controller())
        self.tokens = {name: bearer(app, subject=name) for name in ("ann", "bob")}
        made = self.ask("ann", "POST", NOTES, json={"text": "mine"})
        self.assertEqual(made.status_code, 201, made.text)
        self.note = f"{NOTES}/{made.get_json()['id']}"

    def ask(self, name: str, method: str, path: str, **body: Any) -> TestResponse:
        headers = {"Authorization": self.tokens[name]}
        return self.client.open(path, method=method, headers=headers, **body)

    def listed(self, name: str) -> list[str]:
        return [item["text"] for item in self.ask(name, "GET", NOTES).get_json()["items"]]

    def test_its_owner_does_as_they_please(self) -> None:
        self.assertEqual(self.listed("ann"), ["mine"])
        self.assertEqual(self.ask("ann", "GET", self.note).status_code, 200)
        self.assertEqual(self.ask("ann", "PATCH", self.note, json={"text": "x"}).status_code, 200)
        self.assertEqual(self.ask("ann", "DELETE", self.note).status_code, 204)

    @shows("API1:2023", "V8.2.2")
    def test_to_anybody_else_it_is_not_there(self) -> None:
        for method in ("GET", "PATCH", "DELETE"):
            body = {"json": {"text": "theirs"}} if method == "PATCH" else {}
            with self.subTest(method):
                for path in (self.note, f"{NOTES}/{uuid7()}"):
                    answer = self.ask("bob", method, path, **body)
                    problem = self.assert_problem(answer, 404, "not-found")
                    identity = path.rpartition("/")[2]
                    self.assertEqual(problem["detail"], f"There is no note {identity}.")
        self.assertEqual(self.listed("bob"), [])
        self.assertEqual(self.listed("ann"), ["mine"])

    def test_the_guide_has_what_is_shown_here(self) -> None:
        here = dedent(Path(__file__).read_text("utf-8"))
        found = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
        self.assertEqual(len(found), 4)
        for block in found:
            with self.subTest(block):
                lines = [line.strip() for line in block.splitlines()]
                self.assertIn("\n".join(lines), re.sub(r"^ +", "", here, flags=re.M))
