"""The log has what operators need, and never secrets or personal data."""

import logging
import os
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from errno import ENOSPC
from io import BufferedWriter, BytesIO, RawIOBase, TextIOWrapper
from itertools import product
from json import dumps, loads
from tempfile import TemporaryFile
from threading import Thread
from typing import Any, BinaryIO, cast
from unittest import TestCase
from unittest.mock import Mock, patch
from urllib.parse import quote

import structlog
from flask import request
from marshmallow.fields import Raw
from sqlalchemy import text

from chassis.core.authentication import Principal
from chassis.core.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    UnavailableError,
    ValidationError,
)
from chassis.core.request_scope import current_scope
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import public
from chassis.observability import line_buffer
from chassis.observability.log_events import to_json
from chassis.observability.logs import LineHandler
from chassis.settings import DEVELOPMENT
from src.logging import configure_logging
from support.configuration import CONFIG
from support.lines import LogTestCase

FORGED = 'x\r\n{"event": "forged"}\n2026-01-01 [info] forged\x1b[31m\x07\x7f\x85\u2028\u202e'
SECRET = "hunter2"  # Every planted value contains this.
FAILURES: dict[str, type[Exception]] = {
    "401": AuthenticationError,
    "404": NotFoundError,
    "409": ConflictError,
    "422": ValidationError,
    "500": RuntimeError,
    "503": UnavailableError,
}


def everything_sent() -> str:
    """Log a request's content as careless code would."""
    body = request.get_json(force=True)
    login = request.authorization
    credentials = [str(login and login.password), str(login)]
    sent = [
        *request.headers.keys(),
        *request.headers.values(),
        *request.args.values(),
        request.path,
        request.method,
    ]
    sent += [request.host, request.full_path, body["text"], next(iter(body)), *body["list"]]
    forms: list[Callable[[Any], str]] = [str, repr, dumps, quote]
    written = [form(value) for value in sent for form in forms]
    return " ".join([*written, str(body), str(request.get_data()), *credentials])


class LogTest(LogTestCase):
    def add(self, rule: str, view: Callable[..., Any]) -> None:
        view.query_fields = {"q": Raw()}  # type: ignore[attr-defined]
        self.client.application.add_url_rule(
            rule, view.__name__, public(view), methods=["GET", "POST"]
        )

    @shows("V16.2.1", "V16.2.2", "V16.2.4")
    def test_a_request_is_one_line(self) -> None:
        response = self.client.get("/health/live")
        [line] = self.lines()
        self.assertRegex(line.pop("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertGreater(line.pop("duration_ms"), 0)
        self.assertEqual(
            line,
            {
                "level": "info",
                "event": "request",
                "request_id": response.headers["X-Request-ID"],
                "method": "GET",
                "route": "/health/live",
                "status": 200,
                "subject": None,
            },
        )

    @shows("V16.2.1")
    def test_it_has_the_route_and_who_asked_but_nothing_of_the_url(self) -> None:
        def answer(number: int) -> str:
            current_scope().principal = Principal("alice", frozenset())
            return str(number)

        self.add("/numbered/<int:number>", answer)
        self.client.get("/numbered/7?q=7")
        self.client.get("/nothing/7")
        self.client.open("/health/live", method="BREW7")
        found = [[line[key] for key in ("method", "route", "subject")] for line in self.lines()]
        self.assertEqual(
            found,
            [
                ["GET", "/numbered/<int:number>", "alice"],
                ["GET", None, None],
                ["other", None, None],
            ],
        )

    def test_a_level_above_writes_none(self) -> None:
        self.client = self.start(log_level="WARNING")
        self.client.get("/health/live")
        self.assertEqual(self.text, "")

    def test_every_line_of_a_request_has_its_id_and_none_after_it(self) -> None:
        def speak() -> str:
            logging.getLogger("another").warning("One of %s.", "others")
            structlog.get_logger("ours").info("One of ours.", number=1)
            raise RuntimeError

        self.add("/speak", speak)
        sent = self.client.get("/speak").headers["X-Request-ID"]
        logging.getLogger("another").warning("After it.")
        lines = self.lines()
        self.assertEqual(
            [line["event"] for line in lines],
            ["One of others.", "One of ours.", "An unforeseen error.", "request", "After it."],
        )
        self.assertEqual([line.get("request_id") for line in lines], [sent] * 4 + [None])
        self.assertEqual((lines[1]["logger"], lines[1]["number"]), ("ours", 1))
        self.assertIn("in speak\n    raise RuntimeError", lines[2]["exception"])

    @shows("V16.2.5")
    def test_nothing_that_was_sent_is_written_however_it_ends(self) -> None:
        def fail(kind: str, rest: str) -> str:
            message = f"{rest} {everything_sent()}"
            logging.getLogger("another").warning(message)
            structlog.get_logger("ours").warning("Ours.", values=[message], more=message)
            raise FAILURES[kind](message) from ValueError(message)

        self.add("/fail/<kind>/<path:rest>", fail)
        headers = {
            "Cookie": f"one={SECRET}-cookie; two=2",
            "X-Api-Key": f"{SECRET}-key 'x' \xe9",
            f"X-{SECRET}": "named",
            "X-Forwarded-For": f"{SECRET}-address",
            "User-Agent": f'"{SECRET}-agent" x',
        }
        body = dumps(
            {f"{SECRET}-name": 1, "text": f'{SECRET}-text "é\n\\ü', "list": [f"{SECRET}-in"]}
        )
        path = quote(f"{SECRET}-päth x")
        tokens = [f"Bearer {SECRET}.x", f"Basic {b64encode(f'x:{SECRET}-basic'.encode()).decode()}"]
        methods = ["POST", f"{SECRET.upper()}METHOD"]
        for kind, method, token in product((*FAILURES, "unmatched"), methods, tokens):
            with self.subTest(kind, method=method, token=token):
                self.forget()
                self.client.open(
                    f"/fail/{kind}/{path}?q={quote(f'{SECRET}-q &/')}+x",
                    method=method,
                    headers={**headers, "Authorization": token},
                    data=body,
                    base_url=f"http://{SECRET}.example.org",
                )
                self.assertEqual(self.lines()[-1]["event"], "request")
                self.assertNotIn(SECRET, self.text.lower())
                self.assertNotIn(token.split()[1], self.text)

    def test_a_short_value_is_left_out_where_it_stands_alone(self) -> None:
        def fail() -> str:
            raise RuntimeError("A pin, 123, is not 1234.")

        self.add("/fail", fail)
        self.client.post("/fail", json={"pin": 123})
        self.assertIn("A ********, ********, is not 1234.", self.text)

    def test_a_name_that_the_document_publishes_is_no_secret(self) -> None:
        statement = "INSERT INTO windows (mode, message, duration_s) VALUES: {}"

        def fail() -> str:
            sent = request.get_json()
            raise RuntimeError(statement.format(" ".join(map(str, sent.values()))))

        self.add("/fail", fail)
        for body, shown in (
            ({"mode": SECRET, "message": "m y", "duration_s": 4711}, "******** ******** ********"),
            ({"message": "message"}, None),  # Here the field's name is also its value.
            ({"mode": {"message": SECRET}, "hidden": SECRET}, "******** {'message': '********'}"),
        ):
            with self.subTest(body):
                self.forget()
                self.client.post("/fail", json=body)
                if shown is None:
                    self.assertIn("(mode, ********, duration_s) VALUES: ********", self.text)
                else:
                    self.assertIn(statement.format(shown), self.text)
                self.assertNotIn(SECRET, self.text)
        self.forget()
        self.client.post("/fail", json={SECRET: f"{SECRET}!"})
        self.assertNotIn(SECRET, self.text)

    def test_no_line_waits_for_a_body(self) -> None:
        def speak() -> None:
            logging.getLogger("another").warning("Before it has come.")

        self.client.application.before_request_funcs[None].insert(0, speak)
        slow = Mock(spec=["read", "readline"])
        environ = {"CONTENT_LENGTH": "100000", "wsgi.input": slow, "wsgi.input_terminated": True}
        self.client.post("/nothing", environ_overrides=environ)
        self.assertEqual(self.lines()[0]["event"], "Before it has come.")
        slow.read.assert_not_called()

    def test_what_is_read_is_still_said(self) -> None:
        def fail() -> str:
            raise RuntimeError("The host closed the connection.")

        self.add("/fail", fail)
        self.client.get("/fail", headers={"Connection": "close"})
        self.assertIn("RuntimeError: The host closed the connection.", self.text)

    @shows("V16.4.1")
    def test_nobody_can_forge_a_line(self) -> None:
        def fail() -> str:
            logging.getLogger("another").warning(FORGED)
            structlog.get_logger("ours").warning(FORGED, **{"value": FORGED, "forged\n": [FORGED]})
            raise RuntimeError(FORGED) from ValueError(FORGED)

        for environment in ("production", DEVELOPMENT):
            with self.subTest(environment):
                self.client = self.start(environment=environment)
                self.add("/fail", fail)
                self.client.get("/fail")
                self.assertTrue(self.text.isascii())
                self.assertTrue(self.text.replace("\n", "").isprintable())
                own = [line for line in self.text.splitlines() if not line.startswith("    ")]
                self.assertEqual(len(own), 4)
                self.assertFalse(
                    [line for line in own if line.startswith(("2026-01-01", '{"event": "f'))]
                )

    def test_development_is_coloured_on_a_terminal(self) -> None:
        terminal = type("Terminal", (BytesIO,), {"isatty": lambda _: True})()
        with patch("support.lines.BytesIO", lambda: terminal):
            self.client = self.start(environment=DEVELOPMENT)
        self.client.get("/health/live")
        self.assertIn("\x1b[", self.text)
        self.assertIn("request", self.text)

    def test_a_call_that_cannot_be_logged_is_said_without_its_values(self) -> None:
        logging.getLogger("another").warning("%d", SECRET)
        [line] = self.lines()
        self.assertEqual((line["event"], line["why"]), ("A message cannot be logged.", "TypeError"))
        self.assertIn("test_logging.py:", line["at"])

    def test_what_cannot_be_written_breaks_nothing(self) -> None:
        [handler] = logging.getLogger().handlers
        with patch.object(handler, "stream", BufferedWriter(Broken())):
            self.assertEqual(self.client.get("/health/live").status_code, 200)
            self.settle()


class Recorder(RawIOBase):
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.writes.append(bytes(data))
        return len(data)


class Broken(Recorder):
    def write(self, _: Any) -> int:
        raise OSError(ENOSPC, "No space left on device")


class LineTest(TestCase):
    def test_each_is_written_in_one_piece_whoever_else_writes(self) -> None:
        recorder = Recorder()
        handler = LineHandler(BufferedWriter(recorder), to_json)

        def write() -> None:
            for length in (1, 100, 5_000, 70_000):
                handler.write_event("info", "x" * length)

        threads = [Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(recorder.writes), 4 * len(threads))
        for line in recorder.writes:
            self.assertEqual((line.count(b"\n"), line[-1:]), (1, b"\n"))
            self.assertIn(len(loads(line)["event"]), (1, 100, 5_000, 70_000))

    @shows("V15.2.2")
    def test_nobody_waits_for_a_reader_that_does_not_read(self) -> None:
        for most, lines in ((100_000, 3_000), (5_000, 3_000), (1, 3_000)):
            counted = Mock()
            reading, writing = os.pipe()
            with (
                self.subTest(most),
                patch.object(line_buffer, "MOST_BYTES", most),
                patch.object(line_buffer, "LEAVE_SECONDS", 10),
                os.fdopen(reading, "rb") as reader,
                os.fdopen(writing, "wb") as writer,
            ):
                handler = LineHandler(writer, to_json, counted)
                for number in range(lines):
                    handler.write_event("info", "one", number=number)
                self.assertGreater(counted.call_count, 0)
                if most > 1:  # One that is written now, and a line that says what is missing.
                    self.assert_reader_is_told(handler, reader, lines, counted.call_count)
                handler.close()

    def test_lines_that_cannot_be_written_are_counted(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        for name, stream in (
            ("no reader", os.fdopen(writing, "wb")),
            ("a full disk", open("/dev/full", "wb")),  # noqa: PTH123, SIM115
        ):
            with self.subTest(name), patch.object(line_buffer, "LEAVE_SECONDS", 10):
                counted = Mock()
                handler = LineHandler(stream, to_json, counted)
                for length in (1, 5_000):
                    handler.write_event("info", "x" * length)
                handler.close()
                self.assertEqual(counted.call_count, 2)
                with suppress(OSError):
                    stream.close()

    def test_a_reader_that_reads_needs_no_thread(self) -> None:
        """A file, or a pipe with room, gets its lines without a writing thread."""
        with TemporaryFile("w+b") as file:
            self.assert_written_at_once(file, file)
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "wb") as writer:
            self.assert_written_at_once(writer, reader)

    def test_a_line_cut_off_by_a_full_disk_spoils_no_other(self) -> None:
        counted, write = Mock(), os.write
        with TemporaryFile("w+b") as file:
            handler = LineHandler(file, to_json, counted)
            with patch.object(os, "write", lambda to, line: write(to, line[:9])):
                handler.write_event("info", "cut off")
            for text in ("one", "two"):
                handler.write_event("info", text)
            file.seek(0)
            cut, *lines = file.read().splitlines()
        self.assertEqual((len(cut), counted.call_count), (9, 1))
        self.assertEqual([loads(line)["event"] for line in lines], ["one", "two"])

    def test_a_closed_handler_still_writes_to_a_file_at_once(self) -> None:
        """Something may log at the very end of a process, where no thread can start."""
        with TemporaryFile("w+b") as file:
            handler = LineHandler(file, to_json, Mock())
            handler.close()
            with patch.object(line_buffer, "Thread", side_effect=AssertionError):
                handler.write_event("info", "late")
            file.seek(0)
            self.assertEqual(loads(file.read())["event"], "late")

    def assert_written_at_once(self, stream: Any, reader: Any) -> None:
        handler = LineHandler(stream, to_json, Mock())
        with patch.object(line_buffer, "Thread", side_effect=AssertionError):
            handler.write_event("info", "at once")
            if stream is reader:
                stream.seek(0)
            self.assertEqual(loads(reader.read(4096))["event"], "at once")
        handler.write_event("info", "x" * 4096)  # Longer than a pipe writes atomically.
        handler.close()

    def assert_reader_is_told(
        self, handler: LineHandler, reader: Any, lines: int, dropped: int
    ) -> None:
        found: list[dict[str, Any]] = []
        thread = Thread(target=lambda: found.extend(loads(line) for line in reader), daemon=True)
        thread.start()
        handler.flush()
        handler.write_event("info", "the last")
        handler.close()
        handler.stream.close()
        thread.join(10)
        written = [line["number"] for line in found if line["event"] == "one"]
        self.assertEqual(written, sorted(written))
        self.assertEqual((len(written) + dropped, written[0]), (lines, 0))
        self.assertEqual(sum(line.get("dropped", 0) for line in found), dropped)
        self.assertEqual(found[-1]["event"], "the last")

    def test_where_lines_do_not_go_through_a_thread_a_stalled_reader_is_not_waited_for(
        self,
    ) -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0) as writer:
            os.set_blocking(writing, False)
            while writer.write(b"x" * 4096):
                pass  # Until the buffer is full.
            os.set_blocking(writing, True)
            with patch("chassis.observability.logs.PATIENCE_SECONDS", 0.01):
                LineHandler(cast("BinaryIO", writer), to_json).write_event("info", "nobody reads")

    def test_standard_error_is_buffered_whatever_python_was_told(self) -> None:
        with TemporaryFile(buffering=0) as file:
            stderr = TextIOWrapper(file)
            with patch("sys.stderr", stderr):
                handler = configure_logging(CONFIG)
            stderr.detach()
            self.addCleanup(configure_logging, CONFIG)
            self.assertIsInstance(handler.stream, BufferedWriter)
            handler.write_event("info", "written")
            file.seek(0)
            self.assertIn(b"written", file.read())


class DatabaseLogTest(LogTestCase, ApplicationTestCase):
    @shows("V16.2.5")
    def test_a_statement_that_fails_shows_no_value(self) -> None:
        engine = self.client.application.extensions["container"].engines().write
        own = "".join(["our", " own"])  # Tracebacks show this file's lines.
        statement = "SELECT CAST(:value AS integer), CAST(:own AS text)"

        def fail(value: str) -> str:
            with engine.connect() as connection:
                connection.execute(text(statement), {"value": value, "own": own})
            return ""

        rule = ("/fail/<value>", "fail", public(fail))
        self.client.application.add_url_rule(*rule)
        # PostgreSQL quotes the statement cut, so the text differs from the sent one.
        for length in (1, 20, 400):
            with self.subTest(length):
                self.forget()
                response = self.client.get(f"/fail/{SECRET * length}")
                self.assert_problem(response, 500, "internal")
                self.assertIn("invalid input syntax for type integer", self.text)
                self.assertNotIn(SECRET, self.text)
                self.assertNotIn(own, self.text)
