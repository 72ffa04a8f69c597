"""How the issuer's key server is asked."""

import socket
from http.client import HTTPConnection, HTTPSConnection
from threading import Event, Timer
from typing import Any
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

ANSWER_SECONDS = 2.0
LONGEST_ANSWER = 1_000_000
ACCEPT = "application/jwk-set+json, application/json"


def ask(url: str, user_agent: str) -> bytes:
    """What is there; raise OSError, ValueError or HTTPException if it is not had in time.

    Time limits of sockets are for a single read. This one ends the whole exchange, also with who
    sends a byte a second in the middle of a line.
    """
    # Many firewalls refuse the name of Python's own client.
    request = Request(url, headers={"User-Agent": user_agent, "Accept": ACCEPT})  # noqa: S310
    exchange = _Exchange()
    handlers = (_Http(exchange), _Https(exchange), _NoRedirect)
    with exchange, build_opener(*handlers).open(request, timeout=ANSWER_SECONDS) as answer:
        content: bytes = answer.read(LONGEST_ANSWER + 1)
    if exchange.is_over.is_set() or len(content) > LONGEST_ANSWER:
        raise ValueError("It is too slow, or too long.")
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
        """Keep another handle of it: TLS takes the one that is returned for itself."""
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
            except OSError:  # It has ended by itself.
                continue


class _Watched:
    def __init__(self, *arguments: Any, exchange: _Exchange, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = exchange.connect  # What `connect` of the other class calls.


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
    """The keys are where the configuration says."""

    def redirect_request(self, *_: Any) -> None:
        return None
