"""Requests and tokens that were right, with something changed at random, over raw sockets.

python -m proofs.conformance.mutated --project DIR [--short]

It runs in the environment of the project. No answer may be a 500, no process of the server may end,
and who has sent a whole request hears within two seconds. The same number gives the same requests.
"""

import random
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import jwt

from proofs.conformance.raw import wait_for
from proofs.conformance.setting import arguments
from proofs.issuer import AUDIENCE, NAME, SCOPE
from proofs.processes import Running, free_port
from proofs.stage import Stage

NUMBER, NUMBER_SHORT, SEED = 100_000, 3_000, 20_240_915
CLIENTS, PROCESSES = 8, 2
LONGEST_SILENCE = 2.0
INCOMPLETE_SECONDS = 0.01  # The server waits for the rest, as docs/operations.md says.
SERVER_ERROR = 500
TODOS = "/my_service/v1/todos"
PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b",",
        b";",
        b"%00",
        b"%2F",
        b"%",
        b"../",
        b"//",
    ),
    *(
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xef\xbb\xbf",
        b"\x7f",
        b"'",
        b'"',
        b"\\u0000",
        b"\\ud800",
    ),
    *(
        b"-1",
        b"0",
        b"99999999999999999999",
        b"1e400",
        b"NaN",
        b"null",
        b"{}",
        b"[" * 2000,
        b"a" * 9000,
    ),
    *(
        b"chunked",
        b"gzip",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Host: a\r\n",
    ),
    *(
        b"Expect: 100-continue\r\n",
        b"Upgrade: websocket\r\n",
        b"X_Forwarded_For: 1\r\n",
        b"*",
        b"#",
    ),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        2**63,
        10**30,
        float("inf"),
        float("nan"),
        "",
        " ",
        "x" * 3000,
    ),
    *(
        "\0",
        "\ud800",
        "\u202e",
        "1",
        [],
        {},
        [[]],
        [None],
        ["a", 1],
        {"a": {}},
        {SCOPE: False},
        "\u00a0",
    ),
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


@dataclass
class Ledger:
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def note(self, request: bytes, status: int, seconds: float, *, whole: bool) -> None:
        silent = whole and seconds > LONGEST_SILENCE
        with self.lock:
            self.answers[str(status or ("none" if whole else "none, for it was cut"))] += 1
            self.slowest = max(self.slowest, seconds)
            for fault, found in (("500", status == SERVER_ERROR), ("silent", silent)):
                if found:
                    self.faults[fault] += 1
                    self.told.append(f"{fault}: {request[:400]!r}")


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
        try:
            return jwt.encode(
                {**usual, "scope": SCOPE, **claims}, self._key, "ES256", {"kid": "proof", **header}
            )
        except Exception:  # What the library does not sign; then it is no token.
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


def is_whole(request: bytes) -> bool:
    """Whether nothing more has to come: else the server may wait for it."""
    head, end, body = request.lstrip(b"\r\n").partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?im)^content-length\s*:\s*(\d+)\s*$", head)
    if not end or re.search(rb"(?i)transfer-encoding", head):
        return False
    return not lengths or (
        len(lengths) == 1 and len(lengths[0]) < 10 and int(lengths[0]) <= len(body)
    )


def ask(port: int, request: bytes, *, whole: bool) -> tuple[int, float]:
    """The status, 0 for none; and how long nothing was heard."""
    begun, received = time.monotonic(), b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(request)
            client.settimeout(10 if whole else INCOMPLETE_SECONDS)
            while b"\r\n" not in received and (part := client.recv(4096)):
                received += part
    except OSError:
        pass  # Closed with what it did not read, or it waits for the rest.
    found = re.match(rb"HTTP/1\.[01] (\d{3})", received)
    return int(found[1]) if found else 0, time.monotonic() - begun


def children(server: Running) -> set[str]:
    pid = server.process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def bombard(port: int, key: bytes, number: int) -> Ledger:
    ledger = Ledger()

    def client(seed: int) -> None:
        mutator = Mutator(SEED + seed, key, f"127.0.0.1:{port}")
        for _ in range(number // CLIENTS):
            request = mutator.request()
            whole = is_whole(request)
            ledger.note(request, *ask(port, request, whole=whole), whole=whole)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(client, seed) for seed in range(CLIENTS)]:
            done.result()
    return ledger


def main() -> int:
    given = arguments(__doc__)
    stage, begun = Stage(given.project), time.monotonic()
    try:
        database = stage.cluster.create(stage.cluster.empty)
        stage.serving.run(database, "db", "upgrade")
        port = free_port()
        more = {"WORKERS": str(PROCESSES), "THREADS": "8"}
        server = stage.serving.manage(database, "serve", "--port", str(port), **more)
        server.wait_for("Started worker-", times=PROCESSES, seconds=120)
        wait_for(port)
        before = children(server)
        key = (stage.folder / "issuer.pem").read_bytes()
        ledger = bombard(port, key, NUMBER_SHORT if given.short else NUMBER)
        lost = before - children(server)
        crashes = len(re.findall("panicked|Traceback", server.output))
        print("\n".join(ledger.told[:20] + (server.output.splitlines()[-20:] if crashes else [])))
    finally:
        stage.close()
    print("  answered: " + ", ".join(f"{s} {n}" for s, n in sorted(ledger.answers.items())))
    print(
        f"mutated: {sum(ledger.answers.values())} requests, {ledger.faults['500']} answers of 500, "
        f"{len(lost)} of {PROCESSES} processes lost, {ledger.faults['silent']} silent for more than "
        f"{LONGEST_SILENCE:g} s, {crashes} crashes in the log, the slowest answer in "
        f"{ledger.slowest:.2f} s, in {time.monotonic() - begun:.0f} s"
    )
    return 1 if lost or crashes or sum(ledger.faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
