"""An object of another owner cannot be read, changed or listed."""

from collections.abc import Collection
from typing import ClassVar

from chassis.development.testing.bearer import bearer
from chassis.development.testing.resource_cases import ResourceTestCase

TAGS = ("", '"1"', '"9"', "*")  # A condition must not reveal that the object exists.


class OwnershipSuite(ResourceTestCase):
    # Collections whose members belong to their maker: "/prefix/v1/letters".
    owned: ClassVar[Collection[str]] = ()

    def test_an_owned_object_is_not_there_for_anybody_else(self) -> None:
        app = self.client.application
        stranger = app.test_client()
        stranger.environ_base["HTTP_AUTHORIZATION"] = bearer(app, subject="somebody else")
        self.assertLessEqual(set(self.owned), set(self.collections()))
        for collection in self.owned:
            made = self.create(self.client, collection)
            self.assertEqual(made.status_code, 201, made.text)
            for method, path, operation in self.members(collection):
                verb = method.upper()
                target = self.addressed(path, self.identity(made))
                for tag in TAGS if method != "get" else TAGS[:1]:
                    headers = {"If-Match": tag} if tag else {}
                    with self.subTest(method=method, path=path, tag=tag):
                        body = self.body(operation)
                        answer = stranger.open(target, method=verb, json=body, headers=headers)
                        self.assert_refused(answer, 404, "not-found")
            if "get" in self.document["paths"][collection]:
                self.assertEqual(stranger.get(collection).get_json()["items"], [])
                self.assertEqual(len(self.client.get(collection).get_json()["items"]), 1)
