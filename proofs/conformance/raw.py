"""Sends HTTP as bytes, because HTTP libraries refuse to send malformed requests."""

import json
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int  # 0: the connection was closed without a response.
    headers: dict[str, str]
    body: bytes
    seconds: float  # Seconds from the last sent byte.
    number: int  # Responses on the connection.

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def head(method: str, target: str, headers: dict[str, str], host: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def ask(port: int, *parts: bytes, ends: bool = False) -> Answer:
    """Send bytes and read the response; `ends` closes the sending side afterwards."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for number, part in enumerate(parts):
                if number:
                    time.sleep(0.02)  # So that this part arrives separately.
                connection.sendall(part)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The server answered before the request was complete.
        begun = time.monotonic()
        try:
            while piece := connection.recv(1 << 16):
                received += piece
        except OSError:
            pass  # The server closed the connection before it had read everything.
        seconds = time.monotonic() - begun
    return _parse(bytes(received), seconds)


def _parse(received: bytes, seconds: float) -> Answer:
    found = re.findall(rb"HTTP/1\.[01] (\d{3})", received)
    final = [int(status) for status in found if status != b"100"]
    start, _, body = received.partition(b"\r\n\r\n")
    if start.startswith(b"HTTP/1.1 100"):
        start, _, body = body.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in start.decode("latin-1").split("\r\n")[1:]]
    headers = {name.lower(): value for name, _, value in lines}
    return Answer(final[0] if final else 0, headers, body, seconds, len(final))
