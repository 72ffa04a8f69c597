"""Keys are fetched from a real HTTP server, cached, and fetched again in time."""

import json
import time
from contextlib import suppress
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Event, Thread
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from chassis.core.errors import AuthenticationError, UnavailableError
from chassis.development.testing.security_table import shows
from chassis.tokens import key_server
from chassis.tokens import signing_keys as module
from chassis.tokens.signing_keys import PublishedKeys

REDIRECT = 302
HEAD = b"HTTP/1.0 200 OK\r\n"


class Issuer:
    """An issuer's server whose response a test can change."""

    def __init__(self, *key_ids: str) -> None:
        self.key_ids = list(key_ids)
        self.status = 200
        self.body: bytes | None = None
        self.asked = 0
        self.headers: Message = Message()
        self.drip = b""
        self.drops = 0
        self.elsewhere = ""
        self.stopped, self.hung_up = Event(), Event()
        self.go_on = Event()
        self.go_on.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, self))
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/keys"

    def document(self) -> bytes:
        if self.body is not None:
            return self.body
        return json.dumps({"keys": [published(name) for name in self.key_ids]}).encode()

    def close(self) -> None:
        self.go_on.set()
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    def __init__(self, issuer: Issuer, *arguments: Any) -> None:
        self.issuer = issuer
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.issuer.asked += 1
        self.issuer.headers = self.headers
        self.issuer.go_on.wait(10)
        if self.issuer.drip:
            self.drip_on()
            return
        self.send_response(self.issuer.status)
        if self.issuer.status == REDIRECT:
            self.send_header("Location", self.issuer.elsewhere)
        self.end_headers()
        self.wfile.write(self.issuer.document())

    def drip_on(self) -> None:
        """Send the body byte by byte until the client closes the connection."""
        with suppress(OSError):
            self.wfile.write(self.issuer.drip)
            while not self.issuer.stopped.wait(0.05):
                self.wfile.write(b"x")
                self.issuer.drops += 1
        self.issuer.hung_up.set()

    def log_message(self, *_: Any) -> None:
        pass


def published(name: str) -> dict[str, Any]:
    key = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate().public_key(), as_dict=True)
    return {**key, "kid": name, "use": "sig", "alg": "EdDSA"}


class PublishedKeysTest(TestCase):
    def setUp(self) -> None:
        self.issuer = Issuer("first")
        self.addCleanup(self.issuer.close)
        self.keys = PublishedKeys(self.issuer.url, "tests/1.2.3")
        self.now = time.monotonic()
        clock = self.enterContext(patch("time.monotonic"))
        clock.side_effect = lambda: self.now

    def known(self, name: str) -> bool:
        try:
            return self.find(name) == [name]
        except AuthenticationError:
            return False

    def find(self, name: str | None, *, patient: bool = True) -> list[str | None]:
        return [key.key_id for key in self.keys.find(name, patient=patient)]

    def settle(self) -> None:
        """Wait until the background read has ended."""
        assert self.keys._reader
        self.keys._reader.join(10)

    def test_they_are_read_once_for_many_tokens(self) -> None:
        for _ in range(5):
            self.assertTrue(self.known("first"))
        self.assertEqual(self.issuer.asked, 1)

    def test_a_new_key_is_known_without_a_restart(self) -> None:
        self.assertTrue(self.known("first"))
        self.issuer.key_ids = ["first", "second"]
        self.now += module.PAUSE_SECONDS + 1
        self.assertTrue(self.known("second"))

    def test_an_old_key_is_forgotten(self) -> None:
        self.assertTrue(self.known("first"))
        self.issuer.key_ids = ["second"]
        self.now += module.FRESH_SECONDS + 1
        self.known("first")
        self.settle()
        self.assertFalse(self.known("first"))
        self.assertTrue(self.known("second"))

    @shows("API4:2023")
    def test_strangers_do_not_make_us_ask_without_end(self) -> None:
        self.assertTrue(self.known("first"))
        for number in range(20):
            self.assertFalse(self.known(f"stranger {number}"))
        self.assertEqual(self.issuer.asked, 1)
        self.now += module.PAUSE_SECONDS + 1
        for number in range(20):
            self.assertFalse(self.known(f"stranger {number}"))
        self.assertEqual(self.issuer.asked, 2)

    @shows("V16.5.2")
    def test_an_issuer_that_is_down_disturbs_no_key_that_is_known(self) -> None:
        self.assertTrue(self.known("first"))
        self.issuer.status = 500
        self.now += module.FRESH_SECONDS + 1
        with self.assertLogs(module.__name__, "WARNING"):
            self.assertTrue(self.known("first"))
            self.settle()
        self.assertTrue(self.known("first"))
        with self.assertRaises(UnavailableError):
            self.find("other")
        self.now += module.OLDEST_SECONDS
        with self.assertLogs(module.__name__, "WARNING"), self.assertRaises(UnavailableError):
            self.find("first")

    @shows("API10:2023", "V16.5.2")
    def test_one_that_is_slow_disturbs_none_either(self) -> None:
        self.assertTrue(self.known("first"))
        self.issuer.go_on.clear()
        self.now += module.FRESH_SECONDS + 1
        for _ in range(5):
            self.assertTrue(self.known("first"))
        self.assertLessEqual(self.issuer.asked, 2)
        self.issuer.go_on.set()
        self.settle()

    def test_after_an_outage_the_first_token_is_taken_at_once(self) -> None:
        self.issuer.status = 500
        with self.assertLogs(module.__name__, "WARNING"), self.assertRaises(UnavailableError):
            self.find("first")
        self.issuer.status = 200
        self.now += module.PAUSE_AFTER_FAILURE_SECONDS + 0.1
        self.assertTrue(self.known("first"))

    @shows("API10:2023", "V16.5.3")
    def test_what_is_no_key_set_is_none(self) -> None:
        for body in (b"", b"[]", b"{}", b"\xff", b'{"keys": 1}', b'{"keys": [{"kty": "no"}]}'):
            with self.subTest(body):
                self.issuer.body = body
                self.keys = PublishedKeys(self.issuer.url, "tests/1.2.3")
                with (
                    self.assertLogs(module.__name__, "WARNING"),
                    self.assertRaises(UnavailableError),
                ):
                    self.find("first")

    @shows("V15.3.2")
    def test_they_are_looked_for_nowhere_else(self) -> None:
        other = Issuer("first")
        self.addCleanup(other.close)
        self.issuer.status, self.issuer.elsewhere = REDIRECT, other.url
        with self.assertLogs(module.__name__, "WARNING"), self.assertRaises(UnavailableError):
            self.find("first")
        self.assertEqual((self.issuer.asked, other.asked), (1, 0))

    def test_one_key_needs_no_name(self) -> None:
        self.assertEqual(self.find(None), ["first"])
        self.issuer.key_ids = ["first", "second"]
        self.keys = PublishedKeys(self.issuer.url, "tests/1.2.3")
        with self.assertRaises(AuthenticationError):
            self.find(None)

    def test_a_key_without_a_name_is_for_tokens_without_one(self) -> None:
        self.issuer.body = json.dumps(
            {"keys": [{**published("first"), "kid": name} for name in (None, "first")]}
        ).encode()
        self.assertEqual((self.find(None), self.find("first")), ([None], ["first"]))
        for name in ("None", "null", ""):
            with self.assertRaises(AuthenticationError):
                self.find(name)

    def test_all_keys_with_one_name_are_candidates(self) -> None:
        self.issuer.key_ids = ["twice", "once", "twice"]
        self.assertEqual(self.find("twice"), ["twice", "twice"])

    def test_the_issuer_is_asked_by_the_service_s_own_name(self) -> None:
        self.find("first")
        self.assertEqual(self.issuer.headers["User-Agent"], "tests/1.2.3")
        self.assertIn("application/json", self.issuer.headers["Accept"])

    @shows("V15.2.2")
    def test_one_that_sends_on_and_on_is_hung_up_on(self) -> None:
        self.enterContext(patch.object(key_server, "ANSWER_SECONDS", 0.2))
        for sent in (b"H", HEAD + b"X-Slow: ", HEAD + b"\r\n", HEAD + b'Length: 9\r\n\r\n{"keys":'):
            with self.subTest(sent):
                self.issuer.drip = sent
                self.issuer.hung_up.clear()
                self.keys = PublishedKeys(self.issuer.url, "tests")
                with self.assertLogs(module.__name__, "WARNING"):
                    self.assertRaises(UnavailableError, self.find, "first")
                self.assertTrue(self.issuer.hung_up.wait(10))
        self.issuer.drip = b""
        self.now += module.PAUSE_AFTER_FAILURE_SECONDS + 0.1
        self.assertTrue(self.known("first"))

    @shows("API4:2023", "V15.2.2")
    def test_only_those_who_need_to_know_wait_and_a_few_at_once(self) -> None:
        self.issuer.go_on.clear()
        self.assertRaises(UnavailableError, self.find, "first", patient=False)
        self.assertTrue(self.keys._reader and self.keys._reader.is_alive())
        for _ in range(module.MOST_WAITING):
            self.keys._places.acquire()  # Several waiting requests.
        self.assertRaises(UnavailableError, self.find, "first")
        self.keys._places.release()
        arrived = Barrier(2)
        places = self.enterContext(patch.object(self.keys, "_places", wraps=self.keys._places))
        places.acquire.side_effect = lambda **_: arrived.wait(10) >= 0
        results: list[bool] = []
        waiting = Thread(target=lambda: results.append(self.known("first")))
        waiting.start()
        arrived.wait(10)
        self.issuer.go_on.set()
        waiting.join(10)
        self.assertEqual(results, [True])
