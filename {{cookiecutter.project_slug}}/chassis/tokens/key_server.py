"""Fetches the key set of an issuer, within a time limit."""

import socket
from http.client import HTTPConnection, HTTPSConnection
from threading import Event, Timer
from typing import Any
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

ANSWER_SECONDS = 2.0
LONGEST_ANSWER = 1_000_000
ACCEPT = "application/jwk-set+json, application/json"


def ask(url: str, user_agent: str) -> bytes:
    """The content at a URL. Raise OSError, ValueError or HTTPException, also after the time limit.

    A socket's own time limit is for a single read. The limit here ends the whole exchange,
    also with a server that sends a byte a second.
    """
    # Many firewalls reject the name of Python's own client.
    request = Request(url, headers={"User-Agent": user_agent, "Accept": ACCEPT})  # noqa: S310
    exchange = _Exchange()
    handlers = (_Http(exchange), _Https(exchange), _NoRedirect)
    with exchange, build_opener(*handlers).open(request, timeout=ANSWER_SECONDS) as answer:
        content: bytes = answer.read(LONGEST_ANSWER + 1)
    if exchange.is_over.is_set() or len(content) > LONGEST_ANSWER:
        raise ValueError("The response is too slow, or too long.")
    return content


class _Exchange:
    def __init__(self) -> None:
        self.is_over = Event()
        self._timer = Timer(ANSWER_SECONDS, self._end)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for connected in self._sockets:
            connected.close()

    def connect(self, *arguments: Any, **options: Any) -> socket.socket:
        """Keep a second handle of the socket: TLS takes over the one that is returned."""
        connected = socket.create_connection(*arguments, **options)
        self._sockets.append(connected.dup())
        if self.is_over.is_set():
            self._end()
        return connected

    def _end(self) -> None:
        self.is_over.set()
        for connected in self._sockets:
            try:
                connected.shutdown(socket.SHUT_RDWR)
            except OSError:  # The exchange has ended already.
                continue


class _Watched:
    def __init__(self, *arguments: Any, exchange: _Exchange, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = exchange.connect  # `connect` of HTTPSConnection calls this.


class _Connection(_Watched, HTTPConnection):
    pass


class _TlsConnection(_Watched, HTTPSConnection):
    pass


class _Http(HTTPHandler):
    def __init__(self, exchange: _Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def http_open(self, req: Request) -> Any:
        return self.do_open(_Connection, req, exchange=self._exchange)  # type: ignore[arg-type]


class _Https(HTTPSHandler):
    def __init__(self, exchange: _Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def https_open(self, req: Request) -> Any:
        return self.do_open(_TlsConnection, req, exchange=self._exchange)  # type: ignore[arg-type]


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: the keys are at the configured URL."""

    def redirect_request(self, *_: Any) -> None:
        return None
