"""Makes valid requests to a project and changes something in each at random."""

import random
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt  # type: ignore[import-not-found]  # The generated project's, which runs this.

from proofs.harness.issuer import AUDIENCE, NAME, SCOPE

TODOS = "/my_service/v1/todos"
PIECES = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"%00", b"%2F", b"%", b"../"),
    *(b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf", b"\x7f", b"'", b'"', b"//", b"*"),
    *(b"-1", b"0", b"9" * 20, b"1e400", b"NaN", b"null", b"{}", b"[" * 2000, b"a" * 9000, b"#"),
    *(b"chunked", b"gzip", b"\\u0000", b"\\ud800", b"Content-Length: 0\r\n", b"Host: a\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"X_Forwarded_For: 1\r\n"),
    b"Upgrade: websocket\r\n",
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**63, 10**30, float("inf"), float("nan"), "", " ", "1"),
    *("x" * 3000, "\0", "\ud800", "\u202e", "\u00a0", [], {}, [[]], [None], ["a", 1], {"a": {}}),
    {SCOPE: False},
)
CLAIMS = (
    "iss",
    "aud",
    "sub",
    "exp",
    "nbf",
    "iat",
    "scope",
    "scp",
    "kid",
    "typ",
    "alg",
    "crit",
    "b64",
)


class Mutator:
    def __init__(self, seed: int, key: bytes, host: str) -> None:
        self._random = random.Random(seed)
        self._key = key
        self._host = host

    def request(self) -> bytes:
        choose = self._random
        token = self._token() if choose.random() < 0.5 else self._signed({}, {})
        text = self._whole(token.encode(errors="surrogatepass"))
        if choose.random() < 0.8:
            for _ in range(choose.choice((1, 1, 1, 2, 5))):
                text = choose.choice(CHANGES)(choose, text)
        return text

    def _whole(self, token: bytes) -> bytes:
        choose = self._random
        one = f"{TODOS}/{uuid4()}"
        method, path, body = choose.choice(
            (
                ("GET", TODOS, b""),
                ("GET", f"{TODOS}?limit=3&sort=-title", b""),
                ("GET", one, b""),
                ("HEAD", one, b""),
                ("POST", TODOS, b'{"title": "one that is right"}'),
                ("PATCH", one, b'{"title": "another"}'),
                ("DELETE", one, b""),
                ("POST", f"{one}/complete", b""),
                ("POST", "/ops/maintenance/windows", b'{"mode": "read-only", "duration_s": 1}'),
                ("OPTIONS", TODOS, b""),
                ("GET", "/health/ready", b""),
                ("GET", "/openapi.json", b""),
            )
        )
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", "Connection: close"]
        lines += ['If-Match: "1-00000000"', "X-Request-ID: mine"] if choose.random() < 0.3 else []
        lines += [f"Idempotency-Key: {uuid4()}"] if method == "POST" else []
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
        head = "\r\n".join(lines).encode() + b"\r\nAuthorization: Bearer " + token
        return head + b"\r\n\r\n" + body

    def _token(self) -> str:
        choose = self._random
        name, value = choose.choice(CLAIMS), choose.choice(VALUES)
        signed = self._signed({name: value} if choose.random() < 0.7 else {}, {})
        if choose.random() < 0.4:
            signed = self._signed({}, {name: value})
        if choose.random() < 0.4:
            place = choose.randrange(len(signed))
            signed = (
                signed[:place] + choose.choice("._-=A ") + signed[place + choose.randrange(9) :]
            )
        return signed

    def _signed(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        usual = {"iss": NAME, "aud": AUDIENCE, "sub": "proof", "exp": int(time.time()) + 600}
        claims = {**usual, "scope": SCOPE, **claims}
        try:
            return str(jwt.encode(claims, self._key, "ES256", {"kid": "proof", **header}))
        # The library refuses to sign these claims: send something that is not a token.
        except Exception:
            return f"e30.{header}.{claims}"


Change = Callable[[random.Random, bytes], bytes]


def replace(choose: random.Random, text: bytes) -> bytes:
    place = choose.randrange(len(text) + 1)
    return text[:place] + choose.choice(PIECES) + text[place + choose.choice((0, 0, 1, 4)) :]


def flip(choose: random.Random, text: bytes) -> bytes:
    changed = bytearray(text or b"x")
    changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
    return bytes(changed)


def cut(choose: random.Random, text: bytes) -> bytes:
    return text[: choose.randrange(1, len(text) + 1)] if text else b"G"


def repeat_line(choose: random.Random, text: bytes) -> bytes:
    lines = text.split(b"\r\n")
    lines.insert(choose.randrange(len(lines)), choose.choice(lines))
    return b"\r\n".join(lines)


def swap_lines(choose: random.Random, text: bytes) -> bytes:
    lines = text.split(b"\r\n")
    choose.shuffle(lines)
    return b"\r\n".join(lines) + b"\r\n\r\n"


CHANGES: tuple[Change, ...] = (replace, replace, replace, flip, flip, cut, repeat_line, swap_lines)
