"""Sends bad input to every operation, made from its description in openapi.json."""

from itertools import groupby
from typing import Any

from chassis.development.testing.bearer import token
from chassis.development.testing.corpus import Corpus
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.operation_inputs import Input
from chassis.development.testing.security_table import shows

MOST_OF_A_KIND = 35


class BadInputsSuite(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        document = self.client.get("/openapi.json").get_json()
        self.inputs = [
            one for one in Corpus(document, token(self.client.application)).inputs() if one.status
        ]

    def sample(self) -> list[Input]:
        """A sample of each kind and method, spread evenly."""
        chosen: list[Input] = []

        def kind(one: Input) -> tuple[str, str]:
            return one.kind, one.method

        for _, members in groupby(sorted(self.inputs, key=kind), kind):
            group = list(members)
            chosen += group[:: len(group) // MOST_OF_A_KIND + 1]
        return chosen

    def answer(self, one: Input) -> Any:
        # Flask's client reads //a/b as a path on the host a.
        exactly = {"PATH_INFO": one.target} if one.target.startswith("//") else {}
        return self.client.open(
            one.target,
            method=one.method,
            data=one.body,
            headers=one.headers,
            environ_overrides=exactly,
            follow_redirects=False,
        )

    @shows("API3:2023", "V2.2.1", "V2.2.2", "V4.1.1", "V13.4.4", "V16.5.3")
    def test_every_bad_input_is_told_what_is_wrong_with_it(self) -> None:
        for one in self.sample():
            with self.subTest(str(one)):
                response = self.answer(one)
                self.assert_refused(response, one.status or 0, one.slug)
                self.assertEqual("Allow" in response.headers, one.status == 405)
                self.assertEqual("WWW-Authenticate" in response.headers, one.status == 401)
