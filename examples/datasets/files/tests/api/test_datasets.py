"""Datasets over HTTP, with PostgreSQL and a real S3 server."""

from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from flask.testing import FlaskClient

from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.development.testing.s3_server import s3_server
from tests.api.uploads import FILES, TABLE, announce, upload

DATASETS = "/prefix/v1/datasets"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "amount": {"minimum": 0}}}


class DatasetsTest(ApplicationTestCase):
    """Each test has a bucket of its own, with one file in it."""

    def start(self, **settings: Any) -> FlaskClient:
        store = {**s3_server().settings, "s3_bucket": f"tests-{uuid4().hex}"}
        return super().start(**store | settings)

    def setUp(self) -> None:
        super().setUp()
        self.store = self.client.application.extensions["container"].file_store()
        self.store.prepare([])
        self.file_id = upload(self.client)

    def create(self, **values: Any) -> str:
        """Returns the new dataset's path."""
        body = {"name": "Tea", "json_schema": SCHEMA, "file_id": self.file_id} | values
        response = self.client.post(DATASETS, json=body)
        self.assertEqual(response.status_code, 201, response.text)
        return f"{DATASETS}/{response.get_json()['id']}"

    def assert_body_refused(self, pointer: str, **values: Any) -> str:
        """Returns the sentence."""
        body = {"name": "Tea", "json_schema": SCHEMA, "file_id": self.file_id} | values
        problem = self.assert_problem(self.client.post(DATASETS, json=body), 422, "validation")
        [error] = problem["errors"]
        self.assertEqual(error["pointer"], pointer)
        return str(error["detail"])

    def test_a_dataset_is_read_back_and_its_file_downloaded(self) -> None:
        dataset = self.client.get(self.create(description="What we sell.")).get_json()
        self.assertEqual((dataset["name"], dataset["description"]), ("Tea", "What we sell."))
        self.assertEqual((dataset["json_schema"], dataset["file_id"]), (SCHEMA, self.file_id))
        where = self.client.get(f"{FILES}/{dataset['file_id']}/content").headers["Location"]
        with urlopen(where) as content:
            self.assertEqual(content.read(), TABLE)

    def test_datasets_are_listed_by_their_names(self) -> None:
        self.create(name="b")
        self.create(name="a", file_id=upload(self.client))
        page = self.client.get(f"{DATASETS}?sort=name").get_json()
        self.assertEqual([one["name"] for one in page["items"]], ["a", "b"])

    def test_a_deleted_dataset_is_gone_with_its_file(self) -> None:
        path = self.create()
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assert_problem(self.client.get(path), 404, "not-found")
        self.assert_problem(self.client.get(f"{FILES}/{self.file_id}"), 404, "not-found")
        self.assertEqual(list(self.store.objects("")), [])

    def test_the_file_of_a_dataset_stays(self) -> None:
        self.create()
        self.assert_problem(self.client.delete(f"{FILES}/{self.file_id}"), 409, "conflict")
        self.assertEqual(len(list(self.store.objects(""))), 1)

    def test_a_file_belongs_to_one_dataset(self) -> None:
        self.create()
        body = {"name": "Again", "json_schema": SCHEMA, "file_id": self.file_id}
        self.assert_problem(self.client.post(DATASETS, json=body), 409, "duplicate")

    def test_only_ones_own_file_with_a_content_is_taken(self) -> None:
        stranger = self.client.application.test_client()
        others = bearer(self.client.application, subject="somebody else")
        stranger.environ_base["HTTP_AUTHORIZATION"] = others
        for file_id in (str(uuid4()), announce(self.client), upload(stranger)):
            with self.subTest(file_id):
                self.assert_body_refused("/file_id", file_id=file_id)

    def test_what_is_no_json_schema_is_refused_with_the_place(self) -> None:
        wrong: dict[str, dict[str, Any]] = {
            "/properties/amount/type": {"properties": {"amount": {"type": "integr"}}},
            "/required": {"required": "name"},
            "/pattern": {"pattern": "("},
            "2020-12": {"$schema": "http://json-schema.org/draft-04/schema#"},
        }
        for place, schema in wrong.items():
            with self.subTest(place):
                self.assertIn(place, self.assert_body_refused("/json_schema", json_schema=schema))

    def test_what_a_schema_refers_to_is_not_fetched(self) -> None:
        self.create(json_schema={"$ref": "http://127.0.0.1:1/schema"})

    def test_what_a_dataset_cannot_have_is_refused(self) -> None:
        values: list[tuple[str, Any]] = [
            ("name", ""),
            ("name", "x" * 201),
            ("name", None),
            ("description", ""),
            ("json_schema", []),
            ("json_schema", None),
            ("file_id", "x"),
            ("file_id", None),
        ]
        for name, value in values:
            with self.subTest(name, value=value):
                self.assert_body_refused(f"/{name}", **{name: value})
