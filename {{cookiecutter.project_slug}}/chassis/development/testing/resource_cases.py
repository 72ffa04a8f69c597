"""Makes resources as openapi.json describes them: by a POST to a collection."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.development.testing.json_schema import Json, example

JSON = "application/json"


class ResourceTestCase(ApplicationTestCase):
    """Cases for resources. `bodies` has request bodies by path, where an example is not enough.

    A resource that refers to another one needs an entry:
    `{"/prefix/v1/invoices": {"customer_id": ...}}`.
    """

    bodies: ClassVar[Mapping[str, Json]] = {}
    document: Json

    def setUp(self) -> None:
        super().setUp()
        self.document = self.client.get("/openapi.json").get_json()

    def collections(self) -> Iterator[str]:
        """The path of each collection whose POST makes a resource."""
        for path, item in self.document["paths"].items():
            makes = "201" in item.get("post", {}).get("responses", {})
            if makes and "{" not in path and not path.startswith("/ops/"):
                yield path

    def members(self, collection: str) -> Iterator[tuple[str, str, Json]]:
        """Method, path and operation of each operation on a member, GET first."""
        for path, item in self.document["paths"].items():
            if path.startswith(f"{collection}/{{") and path.count("{") == 1:
                for method in ("get", "patch", "put", "post", "delete"):
                    if method in item:
                        yield method, path, item[method]

    def body(self, operation: Json) -> Any:
        content = operation.get("requestBody", {}).get("content", {})
        return example(self.document, content[JSON]["schema"]) if JSON in content else None

    def create(self, client: FlaskClient, collection: str, body: Any = None) -> TestResponse:
        post = self.document["paths"][collection]["post"]
        body = body or self.bodies.get(collection) or self.body(post)
        return client.post(collection, json=body)

    def identity(self, made: TestResponse) -> str:
        """The id of a created resource: the end of Location, else `id` in the body."""
        return made.location.rpartition("/")[2] if made.location else str(made.get_json()["id"])

    def addressed(self, path: str, identity: str) -> str:
        """The path of an operation, with the id of an existing resource."""
        before, _, rest = path.partition("{")
        return f"{before}{identity}{rest.partition('}')[2]}"
