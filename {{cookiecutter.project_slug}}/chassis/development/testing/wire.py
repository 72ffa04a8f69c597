"""A proxy in front of PostgreSQL that records statements and round trips.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

from sqlalchemy import make_url

from chassis.postgres.engines import unpooled_engine

CHUNK = 65536
STATEMENTS = {b"Q": 0, b"P": 1}  # Maps a message type to the statement's position among its texts.
POLL = "ops.current_window"
PLAIN = {"sslmode": "disable", "gssencmode": "disable"}


class Wire:
    """Listens at `url`, and passes everything on to the PostgreSQL of another URL."""

    def __init__(self, url: str) -> None:
        with unpooled_engine(url).connect() as connection:
            server: Any = connection.connection.driver_connection
            self._postgres = server.info.host, server.info.port
        self._round_trips: list[list[str]] = []
        wire = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with suppress(ConnectionError), wire.connect() as server:
                    wire.pass_on(self.request, server)

        self.proxy = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.proxy.daemon_threads = True
        behind = make_url(url).difference_update_query(["host", "port"]).update_query_dict(PLAIN)
        there = behind.set(host="127.0.0.1", port=self.proxy.server_address[1])
        self.url = there.render_as_string(hide_password=False)

    def begin(self) -> None:
        self._round_trips.clear()

    def round_trips(self) -> list[str]:
        """The statements of each round trip since `begin`, without the poll of each second."""
        texts = ["; ".join(statements) for statements in self._round_trips]
        return [statements for statements in texts if POLL not in statements]

    def polls(self) -> int:
        return len(self._round_trips) - len(self.round_trips())

    def connect(self) -> socket.socket:
        host, port = self._postgres
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Pass messages on; the client's first message after a response begins a round trip."""
        partners = {client: server, server: client}
        messages, statements, answered = Messages(), list[str](), True
        while True:
            for source in select([client, server], [], [])[0]:
                if not (data := source.recv(CHUNK)):
                    return
                if source is client:
                    if answered:
                        statements = []
                        self._round_trips.append(statements)
                    statements += messages.statements(data)
                answered = source is server
                partners[source].sendall(data)


class Messages:
    """Splits the bytes of a client into messages."""

    def __init__(self) -> None:
        self._rest = b""
        self._type = 0  # Length of the type: the first message has none.

    def statements(self, data: bytes) -> Iterator[str]:
        self._rest += data
        while len(self._rest) >= self._type + 4:
            end = self._type + int.from_bytes(self._rest[self._type : self._type + 4])
            if len(self._rest) < end:
                return
            message, self._rest = self._rest[:end], self._rest[end:]
            if self._type and (place := STATEMENTS.get(message[:1])) is not None:
                yield " ".join(message[5:].split(b"\0")[place].decode().split())
            self._type = 1


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    between = Wire(url)
    with between.proxy as proxy:
        thread = Thread(target=proxy.serve_forever, args=[0.01])
        thread.start()
        try:
            yield between
        finally:
            proxy.shutdown()
            thread.join()
