"""A service that stores files, with a new store for each test."""

from collections.abc import Iterable
from typing import Any

from dependency_injector.providers import Object
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.core.storage.scanner import Scanner
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import ApplicationTestCase
from support.contents import PNG, StoreTestCase, announcement

FILES = "/prefix/v1/files"


class Findings(Scanner):
    """A scanner with the findings and side effects that a test sets."""

    def __init__(self, found: str | None = None, does: Any = None) -> None:
        self.found = found
        self.does = does

    def finding(self, pieces: Iterable[bytes]) -> str | None:
        for _ in pieces:
            pass
        if self.does:
            self.does()
        return self.found


class FilesTestCase(ApplicationTestCase, StoreTestCase):
    client: FlaskClient

    def setUp(self) -> None:
        super().setUp()
        self.use(self.store)

    @property
    def container(self) -> Any:
        return self.client.application.extensions["container"]

    def use(self, store: Any, scanner: Scanner | None = None) -> None:
        """Use the service with another store or with a scanner."""
        self.client = self.start()
        self.container.file_store.override(Object(store))
        self.container.file_scanner.override(Object(scanner))

    def announce(self, content: bytes = PNG, **other: Any) -> str:
        """Announce a file; return its address."""
        response = self.client.post(FILES, json=announcement(content, **other))
        self.assertEqual(response.status_code, 201, response.text)
        return str(response.headers["Location"])

    def send(self, address: str, content: bytes = PNG) -> TestResponse:
        return self.client.put(f"{address}/content", data=content)

    def stored(self, content: bytes = PNG, **other: Any) -> str:
        """Store a file with its content; return its address."""
        address = self.announce(content, **other)
        response = self.send(address, content)
        self.assertEqual(response.status_code, 200, response.text)
        return address

    def state(self, address: str) -> str:
        return str(self.client.get(address).get_json()["state"])

    def as_another(self) -> dict[str, str]:
        app = self.client.application
        return {"Authorization": bearer(app, "files:read", "files:write", subject="another")}
