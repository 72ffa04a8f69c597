"""A body that is read at once equals the one that Werkzeug reads: compares bodies and headers."""

from io import BytesIO
from itertools import product
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from flask import Flask, Request
from werkzeug.exceptions import HTTPException

from chassis.http.fast import direct_request
from chassis.http.fast.direct_request import DirectRequest

LIMIT = 12
FORM = "application/x-www-form-urlencoded"
LENGTHS = ("0", "1", "5", "12", "13", " 5", "5 ", "+5", "-5", "5.0", "\u0665", "", "x", "9" * 30)
ENVIRONS: list[dict[str, Any]] = [
    *({"CONTENT_LENGTH": length} for length in LENGTHS),
    {},
    {"HTTP_TRANSFER_ENCODING": "chunked"},
    {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "5"},
    {"CONTENT_LENGTH": "5", "CONTENT_TYPE": FORM},
]
READS: dict[str, Any] = {
    "data": lambda request: request.get_data(),
    "text": lambda request: request.get_data(as_text=True),
    "not kept": lambda request: request.get_data(cache=False),
    "form first": lambda request: request.get_data(parse_form_data=True),
    "form": lambda request: dict(request.form),
    "stream": lambda request: request.stream.read(),
    "length": lambda request: request.content_length,
}


class Piecewise(BytesIO):
    """A stream that gives at most two bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(2 if size is None or size < 0 or size > 2 else size)


class Broken(BytesIO):
    def read(self, _: int | None = -1) -> bytes:
        raise OSError("The client has gone.")

    def readinto(self, _: Any) -> int:
        raise OSError("The client has gone.")


class DirectRequestTest(TestCase):
    def setUp(self) -> None:
        self.app = Flask("bodies")
        self.app.request_class = DirectRequest
        self.app.config["MAX_CONTENT_LENGTH"] = LIMIT

    def read(self, stream: BytesIO, environ: dict[str, Any], *names: str) -> list[Any]:
        """The result of each read, or the class of its error."""
        found: list[Any] = []
        with self.app.test_request_context(environ_overrides={"wsgi.input": stream}) as context:
            for name in ("CONTENT_LENGTH", "CONTENT_TYPE", "wsgi.input_terminated"):
                context.request.environ.pop(name, None)
            context.request.environ.update(environ)
            for name in names:
                try:
                    found.append(READS[name](context.request))
                except HTTPException as error:
                    found.append(type(error))
        return found

    def assert_alike(self, kind: type[BytesIO], body: bytes, environ: dict[str, Any]) -> None:
        for names in product(READS, repeat=2):
            with self.subTest(kind.__name__, body=body, environ=environ, reads=names):
                found = self.read(kind(body), environ, *names)
                with patch.object(direct_request, "ENABLED", new=False):
                    self.assertEqual(found, self.read(kind(body), environ, *names))

    def test_each_body_is_read_alike(self) -> None:
        for kind in (BytesIO, Piecewise, Broken):
            for environ in ENVIRONS:
                self.assert_alike(kind, b"a=345 and the next request", environ)
                self.assert_alike(kind, b"a=3", environ)

    def test_each_body_of_a_server_that_tells_its_end_is_read_alike(self) -> None:
        """Such a server gives no more than the length, and less of a body that was cut off."""
        for kind in (BytesIO, Piecewise, Broken):
            for environ in ENVIRONS:
                if kind is Broken and environ.get("CONTENT_LENGTH") == "0":
                    continue  # A stream that ends is not read for nothing.
                body = {"0": b"", "1": b"a"}.get(environ.get("CONTENT_LENGTH", ""), b"a=345")
                for sent in (body, body[:-1]):
                    self.assert_alike(kind, sent, {"wsgi.input_terminated": True, **environ})

    def test_one_byte_too_many_shows_a_wrong_length(self) -> None:
        environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "3"}
        [body] = self.read(BytesIO(b"12345"), environ, "data")
        self.assertNotEqual(len(body), 3)

    def test_the_files_of_a_form_are_closed(self) -> None:
        closed: list[str] = []

        class File(BytesIO):
            def close(self) -> None:
                closed.append("file")

        with Flask("files").test_request_context():
            request = DirectRequest({"wsgi.input": BytesIO(), "REQUEST_METHOD": "POST"})
            request.__dict__["files"] = {"one": File()}
            request.close()
        self.assertEqual(closed, ["file"])

    @patch.object(direct_request, "ENABLED", new=True)
    def test_werkzeug_is_not_asked_for_a_usual_body(self) -> None:
        with patch.object(Request, "get_data", side_effect=AssertionError):
            self.assertEqual(
                self.read(BytesIO(b"12345"), {"CONTENT_LENGTH": "5"}, "data"), [b"12345"]
            )
