"""The in-memory stand-ins behave like the database: the API gives the same responses on both."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dependency_injector.providers import Object
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from chassis.development.testing.resource_cases import ResourceTestCase

Exchange = tuple[str, str, Any]  # Method, path and body of a request.
# Ids of version 7, such as those of children, which differ in each run.
IDENTITY = r"[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"


class StandInsSuite(ResourceTestCase):
    # In-memory repositories with methods of their own, by their name in the unit of work.
    twins: ClassVar[Mapping[str, Any]] = {}

    def test_the_api_answers_on_stand_ins_as_on_the_database(self) -> None:
        plans = [list(self.plan(collection)) for collection in self.collections()]
        real = [self.answers(self.client, plan) for plan in plans]
        client = self.on_stand_ins()
        for plan, expected in zip(plans, real, strict=True):
            # Only a database rejects a reference to nothing: see `bodies`.
            if expected[0][0] == "201":
                with self.subTest(plan[0][1]):
                    self.assertEqual(self.answers(client, plan), expected)

    def plan(self, collection: str) -> Iterator[Exchange]:
        """The requests to a collection: a member is made, read, changed and removed."""
        post = self.document["paths"][collection]["post"]
        yield "post", collection, self.bodies.get(collection) or self.body(post)
        if "get" in self.document["paths"][collection]:
            yield "get", collection, None
        members = list(self.members(collection))
        yield from ((method, path, self.body(operation)) for method, path, operation in members)
        yield from ((method, path, None) for method, path, _ in members if method == "get")

    def answers(self, client: FlaskClient, plan: list[Exchange]) -> list[tuple[str, str]]:
        """The status and body of each response, without values that differ in every run."""
        [(method, collection, body), *others] = plan
        made = client.open(collection, method=method.upper(), json=body)
        if made.status_code != 201:
            return [_comparable(made, "no identity")]
        identity, answers = self.identity(made), [made]
        for method, path, body in others:
            target = self.addressed(path, identity) if "{" in path else path
            answers.append(client.open(target, method=method.upper(), json=body))
        return [_comparable(answer, identity) for answer in answers]

    def on_stand_ins(self) -> FlaskClient:
        """The same application, in memory. Controllers use the application that was built last."""
        client = self.start()
        container = client.application.extensions["container"]
        container.unit_of_work.override(Object(MemoryUnitOfWorkFactory(**self.twins)))
        return client


def _comparable(answer: TestResponse, identity: str) -> tuple[str, str]:
    if answer.status_code >= 400:  # The sentences of errors differ.
        return str(answer.status_code), answer.get_json(force=True)["type"]
    text = re.sub(IDENTITY, "another", answer.text.replace(identity, "id"))
    return str(answer.status_code), re.sub(MOMENT, "moment", text)
