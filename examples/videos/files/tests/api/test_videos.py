"""Videos over HTTP, with PostgreSQL and a real S3 server; the job is done in the test's thread."""

from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.development.testing.s3_server import s3_server
from chassis.jobs.in_process import run_due_jobs
from tests.api.contents import FILES, mp4, upload

V1, V2 = "/prefix/v1/videos", "/prefix/v2/videos"


class VideosTest(ApplicationTestCase):
    def start(self, **settings: Any) -> FlaskClient:
        store = {**s3_server().settings, "s3_bucket": f"tests-{uuid4().hex}"}
        return super().start(**store | settings)

    def setUp(self) -> None:
        super().setUp()
        self.container = self.client.application.extensions["container"]
        self.container.file_store().prepare([])
        stranger = self.client.application.test_client()
        others = bearer(self.client.application, subject="somebody else")
        stranger.environ_base["HTTP_AUTHORIZATION"] = others
        self.stranger = stranger

    def create(self, content: bytes = mp4(1500), **values: Any) -> str:
        """Returns the new video's id."""
        body = {"title": "Tea", "file_id": upload(self.client, content)} | values
        response = self.client.post(V1, json=body)
        self.assertEqual(response.status_code, 201, response.text)
        return str(response.get_json()["id"])

    def test_a_video_is_processed_later_and_its_job_tells(self) -> None:
        video = self.create()
        accepted = self.client.post(f"{V1}/{video}/process")
        self.assertEqual(accepted.status_code, 202, accepted.text)
        where = accepted.headers["Location"]
        self.assertRegex(where, "/jobs/")
        job = self.client.get(where).get_json()
        self.assertEqual((job["task"], job["state"]), ("process.file", "queued"))
        run_due_jobs(self.container)
        job = self.client.get(where).get_json()
        self.assertEqual((job["state"], job["result"]), ("done", {"milliseconds": 1500}))
        self.assertEqual(self.client.get(f"{V2}/{video}").get_json()["milliseconds"], 1500)
        self.assert_problem(self.stranger.get(where), 404, "not-found")

    def test_a_content_that_tells_no_length_is_processed_too(self) -> None:
        video = self.create(mp4(0))
        where = self.client.post(f"{V1}/{video}/process").headers["Location"]
        run_due_jobs(self.container)
        job = self.client.get(where).get_json()
        self.assertEqual((job["state"], job["result"]), ("done", {"milliseconds": None}))

    def test_the_versions_differ_in_what_they_send(self) -> None:
        video = self.create()
        first, second = (self.client.get(f"{at}/{video}").get_json() for at in (V1, V2))
        self.assertEqual(second.keys() - first.keys(), {"milliseconds", "likes"})
        [listed] = self.client.get(V2).get_json()["items"]
        self.assertEqual(listed, second)

    def test_a_like_counts_once_for_each_who_likes(self) -> None:
        video = self.create()
        likes = []
        for client, method in (
            (self.client, "PUT"),
            (self.client, "PUT"),
            (self.stranger, "PUT"),
            (self.client, "DELETE"),
            (self.client, "DELETE"),
        ):
            answer = client.open(f"{V2}/{video}/like", method=method)
            self.assertEqual(answer.status_code, 204, answer.text)
            likes.append(self.client.get(f"{V2}/{video}").get_json()["likes"])
        self.assertEqual(likes, [1, 1, 2, 1, 1])

    def test_a_deleted_video_is_gone_with_its_likes_and_its_file(self) -> None:
        video = self.create()
        self.client.put(f"{V2}/{video}/like")
        self.assert_problem(self.stranger.delete(f"{V1}/{video}"), 404, "not-found")
        self.assertEqual(self.client.delete(f"{V1}/{video}").status_code, 204)
        self.assert_problem(self.client.get(f"{V2}/{video}"), 404, "not-found")
        self.assertEqual(self.client.get(FILES).get_json()["items"], [])
        self.assertEqual(list(self.container.file_store().objects("")), [])

    def test_only_ones_own_video_is_taken(self) -> None:
        for file_id in (
            str(uuid4()),
            upload(self.stranger, mp4(1)),
            upload(self.client, b"a text", "text/plain"),
        ):
            with self.subTest(file_id):
                response = self.client.post(V1, json={"title": "Tea", "file_id": file_id})
                problem = self.assert_problem(response, 422, "validation")
                self.assertEqual(problem["errors"][0]["pointer"], "/file_id")
