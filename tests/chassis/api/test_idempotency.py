"""Every POST accepts an Idempotency-Key."""

from threading import Event, Thread
from uuid import uuid4

from werkzeug.test import TestResponse

from api.specimens import SPECIMENS, SpecimenApiTestCase
from chassis.core.errors import CollisionError
from chassis.development.testing.bearer import bearer
from chassis.development.testing.security_table import shows
from support.specimens import Specimen


class IdempotencyTest(SpecimenApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.key = str(uuid4())

    def post(self, text: str = "once") -> TestResponse:
        return self.create(text, **{"Idempotency-Key": self.key})

    @shows("API6:2023")
    def test_a_repetition_gets_the_first_answer(self) -> None:
        first, second = self.post(), self.post()
        self.assertEqual((first.status_code, second.status_code), (201, 201))
        self.assertEqual(second.data, first.data)
        for name in ("Location", "ETag", "Content-Type"):
            self.assertEqual(second.headers[name], first.headers[name])
        self.assertNotIn("Idempotent-Replayed", first.headers)
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        self.assertNotEqual(second.headers["X-Request-ID"], first.headers["X-Request-ID"])
        self.assertEqual(self.texts(), ["once"])

    def test_even_where_it_would_now_be_refused(self) -> None:
        path = self.create("x").headers["Location"]
        headers = {"Idempotency-Key": self.key, "If-Match": '"1"'}
        for _ in range(2):
            response = self.client.post(f"{path}/double", headers=headers)
            self.assertEqual((response.status_code, response.get_json()["text"]), (200, "xx"))
        self.assertEqual(self.texts(), ["xx"])

    def test_a_key_is_for_one_request(self) -> None:
        path = self.post().headers["Location"]
        for target, body in ((SPECIMENS, {"text": "other"}), (f"{path}/double", None)):
            with self.subTest(target):
                headers = {"Idempotency-Key": self.key}
                response = self.client.post(target, json=body, headers=headers)
                self.assert_problem(response, 422, "idempotency-key-reused")
        self.assertEqual(self.texts(), ["once"])

    def test_another_caller_may_choose_the_same_key(self) -> None:
        mine = self.post("mine")
        other = bearer(self.client.application, subject="somebody else")
        headers = {"Idempotency-Key": self.key, "Authorization": other}
        theirs = self.create("theirs", **headers)
        self.assertEqual((mine.status_code, theirs.status_code), (201, 201))
        self.assertEqual(self.texts(), ["mine", "theirs"])

    def test_what_failed_may_be_tried_again(self) -> None:
        self.assert_problem(self.post(""), 422, "validation")
        self.create("taken")
        self.assert_problem(self.post("taken"), 409, "duplicate")
        self.assertEqual(self.post("free").status_code, 201)
        self.assertEqual(self.texts(), ["free", "taken"])

    @shows("API6:2023", "V2.3.4")
    def test_one_that_is_being_served_is_not_served_twice(self) -> None:
        begun, end = Event(), Event()

        def wait(_: Specimen) -> None:
            begun.set()
            end.wait(10)

        self.before_commit = wait
        answers: list[TestResponse] = []
        first = Thread(target=lambda: answers.append(self.post()))
        first.start()
        self.assertTrue(begun.wait(10))
        second = self.post()
        end.set()
        first.join()
        self.assert_problem(second, 409, "conflict")
        self.assertEqual(second.headers["Retry-After"], "1")
        self.assertEqual(answers[0].status_code, 201)
        self.assertEqual(self.post().data, answers[0].data)

    @shows("V2.3.3")
    def test_a_collision_takes_everything_back_and_is_tried_again(self) -> None:
        collisions = iter([False, True, False, False])

        def collide(_: Specimen) -> None:
            if next(collisions):
                raise CollisionError("Another change was made at the same time.")

        self.before_commit = collide
        for _ in range(2):
            headers = {"Idempotency-Key": self.key}
            response = self.client.post(f"{SPECIMENS}/pair", headers=headers)
            self.assertEqual(response.status_code, 204, response.text)
        self.assertEqual(self.texts(), ["first of two", "second of two"])

    def test_an_effect_follows_the_commit_once(self) -> None:
        """An effect runs neither for an attempt that collided nor for a repetition."""
        collisions, mails = iter([True, False]), list[str]()

        def place(specimen: Specimen) -> None:
            # The call comes from within the view's unit of work.
            self.work.after_commit(lambda: mails.append(specimen.text))
            if next(collisions):
                raise CollisionError("Another change was made at the same time.")

        self.before_commit = place
        for replayed in (None, "true"):
            response = self.post()
            self.assertEqual(response.headers.get("Idempotent-Replayed"), replayed)
            self.assertEqual(mails, ["once"])

    def test_a_key_has_1_to_255_visible_characters(self) -> None:
        for self.key in ("!", "+-.", "~" * 255):
            self.assertEqual(self.post(self.key[:20]).status_code, 201)
        for self.key in ("", " ", "a b", "~" * 256, "\xe4", "a\tb"):
            with self.subTest(self.key):
                self.assert_problem(self.post("bad"), 400, "invalid-header")
        for self.key in ("a,b", "a,a", "a, b", "a,", ",a", ",", '"a,b"'):
            with self.subTest(self.key):  # Servers join two lines with a comma.
                problem = self.assert_problem(self.post("bad"), 400, "invalid-header")
                self.assertEqual(problem["errors"][0]["parameter"], "Idempotency-Key")
        self.assertNotIn("bad", self.texts())

    def test_other_methods_have_no_use_for_it(self) -> None:
        path = self.post().headers["Location"]
        for text in ("second", "third"):
            headers = {"Idempotency-Key": self.key}
            response = self.client.patch(path, json={"text": text}, headers=headers)
            self.assertEqual(response.get_json()["text"], text)
