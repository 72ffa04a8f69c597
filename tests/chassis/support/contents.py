"""File stores for tests, on a real S3 server and on a disk, and contents for them."""

import os
from collections.abc import Iterator
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase
from urllib.parse import urlsplit
from uuid import uuid4

from urllib3.filepost import encode_multipart_formdata

from chassis.core.storage.file_store import FileStore, UploadForm
from chassis.core.storage.stored_file import StoredFile
from chassis.development.testing.s3_server import s3_server
from chassis.storage.disk_store import DiskStore
from chassis.storage.s3_store import S3Store

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100
OTHER_PNG = b"\x89PNG\r\n\x1a\n" + b"PIXELS" * 100


def announcement(content: bytes = PNG, **other: Any) -> dict[str, Any]:
    """Return the body with which a client announces a content."""
    digest = sha256(content).hexdigest()
    about = {"name": "a.png", "media_type": "image/png", "size": len(content), "sha256": digest}
    return about | other


def stored_file(content: bytes = PNG, **other: Any) -> StoredFile:
    return StoredFile(**{"owner": "tests", **announcement(content), **other})


def long_content(size: int) -> Iterator[bytes]:
    """Return so many bytes that begin like a text and do not repeat."""
    block = os.urandom(256 * 1024).hex().encode()
    while size > 0:
        yield block[:size]
        size -= len(block)


class StoreTestCase(TestCase):
    """Gives each test an empty `store` of its own."""

    def make_store(self) -> FileStore:
        raise NotImplementedError

    def setUp(self) -> None:
        super().setUp()
        self.store = self.make_store()
        self.store.prepare([])

    def put(self, key: str, content: bytes = PNG) -> Any:
        """Store a content; return its description by the store."""
        self.store.write(key, "image/png", [content])
        found = self.store.stat(key)
        assert found
        return found

    def content(self, key: str) -> bytes:
        found = self.store.stat(key)
        assert found
        return b"".join(self.store.read(found))

    def keys(self, prefix: str = "") -> list[str]:
        return [found.key for found in self.store.objects(prefix)]


class OnDisk(StoreTestCase):
    def make_store(self) -> FileStore:
        self.folder = Path(self.enterContext(TemporaryDirectory())) / "contents"
        return DiskStore(self.folder)


class OnS3(StoreTestCase):
    """Tests on S3. A class shares a bucket, because creating one takes a second."""

    bucket: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.bucket = f"tests-{uuid4().hex}"

    def make_store(self) -> FileStore:
        self.addCleanup(self.empty)
        return self.store_of(self.bucket)

    def empty(self) -> None:
        for found in [*self.store.objects("")]:
            self.store.delete(found.key)

    @staticmethod
    def store_of(bucket: str, **options: Any) -> S3Store:
        settings = {name.removeprefix("s3_"): v for name, v in s3_server().settings.items()}
        return S3Store(bucket, **settings | options)


def send_form(form: UploadForm, content: bytes, **changed: str) -> tuple[int, str]:
    """Send an upload form like a browser; return the status and S3's error code."""
    fields: dict[str, Any] = {**form.fields, **changed, "file": ("a", content)}
    body, kind = encode_multipart_formdata(fields)
    status, _, text = ask("POST", form.url, body, {"Content-Type": kind})
    return status, text.decode().partition("<Code>")[2].partition("</Code>")[0]


def ask(
    method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()
