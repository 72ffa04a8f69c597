"""Scans contents with ClamAV's daemon, by its INSTREAM command.

https://docs.clamav.net/manual/Usage/Scanning.html#clamd
"""

import logging
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain

from chassis.core.errors import UnavailableError
from chassis.core.storage.scanner import Scanner

TIMEOUT_SECONDS = 30  # For each read or write on the socket, not for the whole content.
LONGEST_REPLY = 4096


class ClamdScanner(Scanner):
    def __init__(self, address: str) -> None:
        """`address` is host:port."""
        host, _, port = address.rpartition(":")
        self._address = host, int(port)

    def finding(self, pieces: Iterable[bytes]) -> str | None:
        try:
            reply = self._reply_to(pieces)
        except OSError as error:
            raise UnavailableError("The scanner does not answer.") from error
        if match := re.fullmatch(r"stream: (.+) FOUND", reply):
            return match[1]
        if reply != "stream: OK":
            logging.getLogger(__name__).error(
                "The answer of the scanner is unexpected: %s", reply or "nothing"
            )
            raise UnavailableError("The scanner could not scan the content.")
        return None

    def _reply_to(self, pieces: Iterable[bytes]) -> str:
        with socket.create_connection(self._address, TIMEOUT_SECONDS) as connection:
            # clamd answers and closes the connection when a content exceeds its StreamMaxLength.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(b"zINSTREAM\0")
                for piece in chain(filter(None, pieces), [b""]):  # An empty chunk ends the stream.
                    connection.sendall(len(piece).to_bytes(4) + piece)
            reply = b""
            while not reply.endswith(b"\0") and (more := connection.recv(LONGEST_REPLY)):
                reply += more
        return reply.rstrip(b"\0").decode(errors="replace").strip()
