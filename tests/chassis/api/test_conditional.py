"""Every resource has ETag, If-Match and If-None-Match."""

from itertools import product
from typing import Any

from sqlalchemy import text

from api.specimens import SPECIMENS, SpecimenApiTestCase
from chassis.core.errors import CollisionError
from chassis.development.testing.security_table import shows
from chassis.openapi.document import parameters_of
from support.specimens import Specimen


class ConditionalTest(SpecimenApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.create("first").headers["Location"]
        self.tag = self.client.get(self.path).headers["ETag"]

    def execute(self, statement: str) -> None:
        with self.client.application.extensions["container"].engines().write.begin() as connection:
            connection.execute(text(statement))

    def patch(self, body: dict[str, str], **headers: str) -> int:
        return self.client.patch(self.path, json=body, headers=headers).status_code

    def test_every_answer_with_one_entity_has_the_same_tag(self) -> None:
        self.assertRegex(self.tag, '^"1-[0-9a-f]{8}"$')
        self.assertEqual(self.create("other").headers["ETag"][:3], '"1-')
        changed = self.client.patch(self.path, json={"text": "second"})
        self.assertEqual(changed.headers["ETag"], self.client.get(self.path).headers["ETag"])
        self.assertEqual(changed.headers["ETag"], self.client.head(self.path).headers["ETag"])
        self.assertNotEqual(changed.headers["ETag"], self.tag)
        self.assertNotIn("ETag", self.client.get("/health/live").headers)

    def test_what_the_caller_has_is_not_sent_again(self) -> None:
        for sent in (self.tag, f"W/{self.tag}", f'"other", {self.tag}', "*"):
            for method in ("GET", "HEAD"):
                with self.subTest(sent, method=method):
                    headers = {"If-None-Match": sent}
                    response = self.client.open(self.path, method=method, headers=headers)
                    self.assertEqual((response.status_code, response.data), (304, b""))
                    self.assertEqual(response.headers["ETag"], self.tag)
                    self.assertNotIn("Content-Type", response.headers)

    def test_what_changed_is_sent_whoever_changed_it(self) -> None:
        self.execute("UPDATE specimens SET text = 'migrated'")
        response = self.client.get(self.path, headers={"If-None-Match": self.tag})
        self.assertEqual((response.status_code, response.get_json()["text"]), (200, "migrated"))

    def test_a_change_with_the_present_version_is_made(self) -> None:
        for number, sent in enumerate((self.tag, '"2"', '"9", "3" ,,', "*")):
            with self.subTest(sent):
                self.assertEqual(self.patch({"text": str(number)}, **{"If-Match": sent}), 200)

    def test_a_tag_is_taken_as_a_whole(self) -> None:
        """After a migration, the same version has another representation, so another tag."""
        self.execute("UPDATE specimens SET text = 'migrated'")
        new = self.client.get(self.path).headers["ETag"]
        self.assertEqual((self.tag[:3], new[:3]), ('"1-', '"1-'))
        for stale in (self.tag, '"1-deadbeef"', '"1-00000000"', f'"2", {self.tag}'):
            for method, path in (
                ("PATCH", self.path),
                ("DELETE", self.path),
                ("GET", self.path),
                ("POST", f"{self.path}/double"),
            ):
                with self.subTest(stale, method=method):
                    body = {"text": "lost"} if method == "PATCH" else None
                    headers = {"If-Match": stale}
                    response = self.client.open(path, method=method, json=body, headers=headers)
                    self.assert_problem(response, 412, "precondition-failed")
        self.assertEqual(self.patch({"text": "new"}, **{"If-None-Match": self.tag}), 200)
        new = self.client.get(self.path).headers["ETag"]
        for sent, method in ((f"{self.tag}, {new}", "POST"), ('"9-x", "4"', "DELETE")):
            path = f"{self.path}/double" if method == "POST" else self.path
            status = self.client.open(path, method=method, headers={"If-Match": sent}).status_code
            self.assertLess(status, 300, sent)

    @shows("V2.3.4")
    def test_one_with_another_version_is_not(self) -> None:
        stale = ('"2"', f"W/{self.tag}", '"9"', '"x"', '""', '"1-0"', '"99999999999"')
        changes: tuple[tuple[str, str, Any], ...] = (
            ("PATCH", self.path, {"text": "lost"}),
            ("PATCH", self.path, {}),
            ("DELETE", self.path, None),
            ("POST", f"{self.path}/double", None),
            ("POST", SPECIMENS, {"text": "lost"}),
        )
        for sent, (method, path, body) in product(stale, changes):
            with self.subTest(sent, method=method, path=path):
                headers = {"If-Match": sent}
                response = self.client.open(path, method=method, json=body, headers=headers)
                self.assert_problem(response, 412, "precondition-failed")
        self.assertEqual(self.texts(), ["first"])
        self.assertEqual(self.client.get(self.path, headers={"If-Match": '"2"'}).status_code, 412)

    def test_the_document_says_so(self) -> None:
        document = self.client.get("/openapi.json").get_json()
        one = "/specimens/{specimen_id}"
        for method, path, url, named in (
            ("GET", one, self.path, True),
            ("PATCH", one, self.path, True),
            ("DELETE", one, self.path, True),
            ("POST", f"{one}/double", f"{self.path}/double", True),
            ("POST", SPECIMENS, SPECIMENS, False),
        ):
            with self.subTest(method, path=path):
                body = {"text": "x"} if path == SPECIMENS or method == "PATCH" else None
                headers = {"If-Match": '"9"'}
                answer = self.client.open(url, method=method, json=body, headers=headers)
                self.assert_problem(answer, 412, "precondition-failed")
                operation = document["paths"][path][method.lower()]
                self.assertIn("412", operation["responses"])
                parameters = parameters_of(document, path, operation)
                self.assertEqual("If-Match" in {each["name"] for each in parameters}, named)

    def test_a_version_may_be_unwanted(self) -> None:
        for sent, status in (("*", 412), (f"W/{self.tag}", 412), ('"2"', 200)):
            with self.subTest(sent):
                self.assertEqual(self.patch({"text": "new"}, **{"If-None-Match": sent}), status)

    def test_what_is_no_tag_is_refused(self) -> None:
        for sent in ("", ",", "1", "'1'", '"1', '"a" "b"', '*, "1"', 'w/"1"', '"a\x7f"'):
            for name in ("If-Match", "If-None-Match"):
                with self.subTest(sent, name=name):
                    response = self.client.get(self.path, headers={name: sent})
                    problem = self.assert_problem(response, 400, "invalid-header")
                    self.assertEqual(problem["errors"][0]["parameter"], name)
        headers = {"If-Match": "1"}
        self.assert_problem(self.client.get("/nothing", headers=headers), 404, "not-found")

    def test_a_request_may_save_more_than_once(self) -> None:
        response = self.client.post(f"{self.path}/double", headers={"If-Match": self.tag})
        self.assertEqual((response.status_code, response.headers["ETag"][:3]), (200, '"2-'))
        self.assertEqual(self.client.get(self.path).headers["ETag"][:3], '"3-')

    @shows("V2.3.4")
    def test_another_writer_in_the_same_moment_is_not_overwritten(self) -> None:
        for headers, status in (({}, 409), ({"If-Match": "*"}, 409), ({"If-Match": self.tag}, 412)):
            with self.subTest(headers):
                self.before_commit = self.write_in_between
                self.assertEqual(self.patch({"text": "lost"}, **headers), status)
                self.assertEqual(self.texts(), ["in between"])
                self.execute("UPDATE specimens SET version = 1")

    def write_in_between(self, _: Specimen) -> None:
        self.execute("UPDATE specimens SET text = 'in between', version = version + 1")

    def collide(self, times: int, text: str = "") -> None:
        self.left = times

        def fail(specimen: Specimen) -> None:
            if self.left and specimen.text.startswith(text):
                self.left -= 1
                raise CollisionError("Another change was made at the same time.")

        self.before_commit = fail

    def test_what_collides_is_tried_again(self) -> None:
        self.collide(3)
        self.assertEqual(self.create("again").status_code, 201)
        self.assertEqual(self.patch({"text": "changed"}, **{"If-Match": self.tag}), 200)
        self.assertEqual(self.texts(), ["again", "changed"])

    def test_but_not_for_ever(self) -> None:
        self.collide(4)
        self.assert_problem(self.create("never"), 409, "conflict")
        self.assertEqual((self.left, self.texts()), (0, ["first"]))

    def test_nor_where_something_was_committed(self) -> None:
        self.collide(1, "second of two")
        self.assert_problem(self.client.post(f"{SPECIMENS}/pair"), 409, "conflict")
        self.assertEqual(self.texts(), ["first", "first of two"])
