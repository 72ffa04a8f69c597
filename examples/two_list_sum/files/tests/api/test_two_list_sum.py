from typing import Any

from werkzeug.test import TestResponse

from chassis.development.testing.http_cases import HttpTestCase
from src.domain.constants import LARGEST_NUMBER, LONGEST_LIST

PATH = "/prefix/v1/two-list-sum"


class TwoListSumTest(HttpTestCase):
    def ask(self, **body: Any) -> TestResponse:
        return self.client.post(PATH, json=body, headers={"Authorization": ""})

    def test_anybody_gets_the_pairs(self) -> None:
        response = self.ask(first=[1, 2, 2], second=[3, 4], target=5)
        self.assertEqual(response.status_code, 200, response.text)
        pairs = [{"first": 1, "second": 4, "count": 1}, {"first": 2, "second": 3, "count": 2}]
        self.assertEqual(response.get_json(), {"pairs": pairs})

    def test_numbers_are_taken_as_far_as_every_client_reads_them_exactly(self) -> None:
        """https://www.rfc-editor.org/rfc/rfc8259#section-6"""
        most = LARGEST_NUMBER
        response = self.ask(first=[most, -most], second=[0, -most], target=most)
        self.assertEqual(response.get_json()["pairs"], [{"first": most, "second": 0, "count": 1}])
        for body in (
            {"first": [most + 1], "second": [], "target": 0},
            {"first": [], "second": [-most - 1], "target": 0},
            {"first": [], "second": [], "target": most + 1},
            {"first": [1.5], "second": [], "target": 0},
            {"first": ["1"], "second": [], "target": 0},
            {"first": [True], "second": [], "target": 0},
            {"first": [None], "second": [], "target": 0},
        ):
            with self.subTest(body):
                self.assert_problem(self.ask(**body), 422, "validation")

    def test_a_list_has_a_limit(self) -> None:
        longest = list(range(LONGEST_LIST))
        response = self.ask(first=longest, second=longest, target=0)
        self.assertEqual(response.get_json(), {"pairs": [{"first": 0, "second": 0, "count": 1}]})
        response = self.ask(first=[*longest, 0], second=[], target=0)
        problem = self.assert_problem(response, 422, "validation")
        self.assertIn("first", str(problem["errors"]))
