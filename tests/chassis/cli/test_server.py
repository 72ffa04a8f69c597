"""The service started as in production, and called over HTTP."""

import fcntl
import logging
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import unittest
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from types import MappingProxyType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from chassis.cli import server
from chassis.development.testing.database_cases import empty_database
from chassis.development.testing.security_table import shows
from chassis.migrations.commands import Migrations, migration_scripts
from chassis.project import current_project
from support.command_line import PRODUCTION, CommandLineTestCase

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"
SECONDS_TO_START = 20
SECONDS_TO_RELOAD = 60  # The development server starts one interpreter after another.
COLUMNS = 80
SCRIPT = "/docs/assets/swagger-ui-bundle.js"
SLOW_BODY = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
SLOW_HEADERS = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class ServerCase(CommandLineTestCase):
    port: int

    def wait_for(self, process: subprocess.Popen[Any], seconds: int = SECONDS_TO_START) -> None:
        deadline = time.monotonic() + seconds
        while self.get("/health/live") != HTTPStatus.OK:
            self.assertIsNone(process.poll(), "The server has stopped.")
            self.assertLess(time.monotonic(), deadline, "The server did not start.")
            time.sleep(0.05)

    def get(self, path: str, headers: Mapping[str, str] = MappingProxyType({})) -> int | None:
        """Return the status of the response; None without a response."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            try:
                connection.request("GET", path, headers=headers)
                return connection.getresponse().status
            except OSError:
                return None


class ServerTest(ServerCase):
    def start(self, database_url: str, **variables: str) -> subprocess.Popen[str]:
        """Start the service, and wait until it answers."""
        process = self.begin(database_url, **variables)
        self.wait_for(process)
        return process

    def begin(self, database_url: str, **variables: str) -> subprocess.Popen[str]:
        self.port = free_port()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port)],
            cwd=current_project().root,
            env=os.environ | PRODUCTION | {"DATABASE_URL": database_url} | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        return process

    def counted(self, route: str) -> float:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", "/metrics")
            told = connection.getresponse().read().decode()
        [found] = re.findall(rf'requests_total\{{.*"{route}".*\}} (\S+)', told)
        return float(found)

    def test_it_waits_for_its_schema_then_serves_until_it_is_told_to_stop(self) -> None:
        with empty_database() as url:
            process = self.start(url, WORKERS="2")
            if migration_scripts().get_current_head():
                self.assertEqual(self.get("/health/ready"), HTTPStatus.SERVICE_UNAVAILABLE)
            Migrations(url).upgrade()
            self.assertEqual(self.get("/health/ready"), HTTPStatus.OK)
            for _ in range(10):
                self.assertEqual(self.get("/openapi.json"), HTTPStatus.OK)
            # Any of its processes.
            self.assertEqual({self.counted("/openapi.json") for _ in range(10)}, {10})
            process.terminate()
            _, said = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 0, said)
        self.assertNotIn("Traceback", said)
        self.assertNotIn("panic", said)

    @unittest.skipUnless(sys.platform == "linux", "Processes are forked there only.")
    def test_one_that_is_starting_ends_when_it_is_told_to(self) -> None:
        process = self.begin(NOBODY_LISTENS)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + SECONDS_TO_START
        while not children.read_text():
            self.assertLess(time.monotonic(), deadline, "No process was forked.")
        process.terminate()
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, 0)

    def test_neither_slow_clients_nor_large_headers_stop_it(self) -> None:
        process = self.start(NOBODY_LISTENS)
        for text in [SLOW_BODY, SLOW_HEADERS] * 20:
            slow = socket.create_connection(("127.0.0.1", self.port))
            self.addCleanup(slow.close)
            slow.sendall(text)
        self.assertEqual(self.get("/openapi.json"), HTTPStatus.OK)
        for headers in ({"X-Large": "x" * 100_000}, {f"X-{n}": "many" for n in range(200)}):
            status = self.get("/health/live", headers)
            self.assertEqual(status, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self.assertEqual(self.get("/" + "x" * 100_000), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self.assertEqual(self.get("/health/live"), HTTPStatus.OK)
        self.assertIsNone(process.poll())

    @shows("V15.2.2")
    def test_clients_that_never_read_stop_nobody(self) -> None:
        process = self.start(NOBODY_LISTENS)
        with ExitStack() as clients:
            for path in ([SCRIPT] * 5 + ["/openapi.json", "/docs/assets/swagger-ui.css"]) * 9:
                client = clients.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", self.port))
                asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                client.sendall(asked * 8)  # More than the buffers of the connection hold.
            for path in ("/health/live", SCRIPT, "/openapi.json") * 3:
                self.assertEqual(self.get(path), HTTPStatus.OK, path)
        self.assertIsNone(process.poll())

    @shows("V15.2.2", "V16.5.2")
    def test_a_log_that_nobody_reads_stops_nobody(self) -> None:
        process = self.start(NOBODY_LISTENS, RATE_LIMIT="")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        with closing(connection):
            for _ in range(2_000):  # Each request writes a line, and a pipe holds about 300 lines.
                connection.request("GET", "/health/live")
                self.assertEqual(connection.getresponse().read()[:1], b"{")
        self.assertIsNone(process.poll())

    def test_it_serves_without_standard_streams(self) -> None:
        for closed in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                self.port = free_port()
                command = f'exec "$0" manage.py serve --port {self.port} {closed}'
                process = subprocess.Popen(
                    ["sh", "-c", command, sys.executable],
                    cwd=current_project().root,
                    env=os.environ | PRODUCTION | {"DATABASE_URL": NOBODY_LISTENS},
                )
                self.addCleanup(process.wait)
                self.addCleanup(process.terminate)
                self.wait_for(process)
                self.assertEqual(self.get("/openapi.json"), HTTPStatus.OK)


class DevelopmentServerTest(ServerCase):
    def test_the_first_minute_fits_a_terminal_and_warns_of_nothing(self) -> None:
        reading, terminal = os.openpty()
        self.addCleanup(os.close, reading)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, COLUMNS, 0, 0))
        with empty_database() as url:
            Migrations(url).upgrade()
            self.port = free_port()
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--port", str(self.port)],
                cwd=current_project().root,
                env=os.environ | PRODUCTION | {"ENVIRONMENT": "development", "DATABASE_URL": url},
                stdout=terminal,
                stderr=terminal,
                process_group=0,
            )
            self.addCleanup(process.kill)
            os.close(terminal)
            seen = Thread(target=lambda: text.extend(read_all(reading)))
            text: list[bytes] = []
            seen.start()
            self.wait_for(process, SECONDS_TO_RELOAD)
            self.assertEqual(self.get("/"), HTTPStatus.OK)
            os.killpg(process.pid, signal.SIGINT)  # Signal the process group, as Ctrl-C does.
            self.assertEqual(process.wait(timeout=30), 0)
            seen.join(timeout=30)
        shown = re.sub(r"\x1b\[[\d;]*m", "", b"".join(text).decode())
        self.assertIn("route=/ ", shown)
        self.assertNotRegex(shown, r"(?i)\[(warning|error|critical)|not available|unexpected")
        self.assertEqual([line for line in shown.splitlines() if len(line) > COLUMNS], [])


class LogTest(unittest.TestCase):
    def test_only_an_exit_that_nobody_asked_for_is_unexpected(self) -> None:
        record = logging.makeLogRecord({"msg": "Unexpected exit from worker-1"})
        for code in (None, 0, -signal.SIGINT, -signal.SIGTERM):
            self.assertFalse(server._is_true_here(workers(None, code), record), code)
        for code in (1, 3, -signal.SIGKILL, -signal.SIGSEGV):
            self.assertTrue(server._is_true_here(workers(None, code), record), code)


def workers(*codes: int | None) -> SimpleNamespace:
    """Return a fake server whose processes have ended with these codes."""
    return SimpleNamespace(
        wrks=[SimpleNamespace(inner=SimpleNamespace(exitcode=code)) for code in codes]
    )


def read_all(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # Linux raises EIO when the last writer of a terminal is gone.
        while found := os.read(terminal, 4096):
            yield found


class StartTest(CommandLineTestCase):
    def test_a_missing_variable_stops_both(self) -> None:
        for command in ("run", "serve"):
            with self.subTest(command):
                self.assert_stops(self.manage(command), 78, "Not set: DATABASE_URL")

    def test_an_unreachable_database_stops_the_development_server(self) -> None:
        result = self.manage("run", DATABASE_URL=NOBODY_LISTENS)
        self.assert_stops(result, 1, "does not answer.*run `python manage.py db upgrade`")

    def test_an_unreachable_database_is_said_by_the_production_server(self) -> None:
        with patch("chassis.cli.server.Granian") as server:
            result = self.manage("serve", "--port", str(free_port()), DATABASE_URL=NOBODY_LISTENS)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("Not ready: The database does not answer", result.stderr)
        server.return_value.serve.assert_called_once_with()

    def test_an_ipv6_address_is_written_as_urls_have_it(self) -> None:
        for host, shown in (("::1", "[::1]"), ("::", "[::]"), ("127.0.0.1", "127.0.0.1")):
            self.assertEqual(server._in_url(host), shown)
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
            port = str(taken.getsockname()[1])
            result = self.manage("serve", "--port", port, DATABASE_URL=NOBODY_LISTENS, HOST="::1")
        self.assert_stops(result, 1, rf"Cannot listen on \[::1\]:{port}")

    def test_a_taken_port_stops_it(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
            result = self.manage("serve", "--port", port, DATABASE_URL=NOBODY_LISTENS)
        self.assert_stops(result, 1, f"Cannot listen on 127.0.0.1:{port}.*--port")
