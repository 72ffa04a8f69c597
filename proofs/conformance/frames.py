"""Malformed HTTP requests: wrong lengths, chunks, hosts and header lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from proofs.conformance.raw import head

JSON = {"Content-Type": "application/json"}
CLOSED = 0  # The connection was closed without a response.
CHUNKED = {"Transfer-Encoding": "chunked"}
GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
SECOND = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    kind: str
    what: str
    parts: tuple[bytes, ...]
    statuses: frozenset[int]
    slug: str = ""  # The problem's type; empty where the server answers instead of the application.
    ends: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def cut_bodies(
    method: str, target: str, body: bytes, extra: dict[str, str], limit: int
) -> Iterator[Frame]:
    """Make requests whose valid body does not arrive as its headers announce."""
    name = f"{method} {target}"
    body = body.ljust(16)  # Long enough to be cut into parts that are not empty.

    def frame(what: str, headers: dict[str, str], *parts: bytes, status: int = 400) -> Frame:
        first = head(method, target, JSON | extra | headers, "127.0.0.1")
        slug = "malformed-body" if status == 400 else "payload-too-large"
        return Frame("frame", f"{name}: {what}", (first, *parts), frozenset({status}), slug)

    def cut(what: str, headers: dict[str, str], *parts: bytes) -> Frame:
        """Make a cut request; the server may notice the closed connection before it answers."""
        whole = frame(f"{what}, and gone", headers, *parts)
        return replace(whole, statuses=whole.statuses | {CLOSED}, ends=True)

    over = {"Content-Length": str(len(body) + 5)}
    yield cut("shorter than its length", over, body)
    yield cut("shorter than its length, in two parts", over, body[:5], body[5:])
    yield cut("nothing of its length", {"Content-Length": "5"})
    yield cut("no chunk", CHUNKED)
    yield frame("no content", CHUNKED, b"0\r\n\r\n")
    yield cut("cut within a chunk", CHUNKED, chunk(body[:5]), b"64\r\n" + body[5:])
    yield cut("cut between chunks", CHUNKED, chunk(body[:5]), chunk(body[5:]))
    yield cut("cut before the last line", CHUNKED, chunk(body), b"0\r\n")
    yield frame("chunk without a size", CHUNKED, chunk(body), b"zz\r\n" + body)
    yield frame("chunk with a negative size", CHUNKED, chunk(body), b"-1\r\n\r\n")
    yield frame("chunk longer than its size", CHUNKED, b"1\r\n" + body + b"\r\n0\r\n\r\n")
    yield frame("chunk with a huge size", CHUNKED, b"f" * 17 + b"\r\n" + body)
    yield frame("too long, and only announced", {"Content-Length": str(10**9)}, status=413)
    long = chunk(body + b" " * limit) + b"0\r\n\r\n"
    yield frame("too long in chunks", CHUNKED, long, status=413)


def hosts(target: str) -> Iterator[Frame]:
    bad = frozenset({400})
    for host in ("evil.example", "127.0.0.1.evil.example", "a,b", "", "[", "127.0.0.1:99999"):
        parts = (head("GET", target, {}, host),)
        yield Frame("host", f"Host: {host}", parts, bad, "bad-host")
    two = head("GET", target, {"host": "127.0.0.1"}, "127.0.0.1")
    yield Frame("host", "two of them", (two,), bad, "bad-host")
    none = f"GET {target} HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
    yield Frame("host", "none", (none,), bad, "bad-host")


def lines(path: str) -> Iterator[Frame]:
    """Make requests with malformed lines, which the server rejects or answers exactly once."""
    target = path.encode()
    get, post = GET % target, POST % target
    refused = {CLOSED, 400, 411, 413, 414, 417, 431, 501, 505}
    length = post + b"Content-Length: %s\r\n\r\n{}"
    for value in (
        b"-1",
        b"+2",
        b"2_0",
        b"0x2",
        b"2, 3",
        b"9" * 40,
        b"x",
        b"2\r\nContent-Length: 3",
    ):
        yield _line(f"Content-Length: {value!r}", length % value, refused)
    for header in (b"gzip", b"xchunked", b"chunked, gzip", b"chunked, chunked"):
        what, sent = b"Transfer-Encoding: " + header, post + b"Transfer-Encoding: " + header
        yield _line(what.decode(), sent + b"\r\n\r\n0\r\n\r\n", refused | {405})
    both = post + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND
    yield _line("length and chunks", both, refused | {405})
    for header in (
        b"X: a\0b",
        b"X\0: a",
        b"X : a",
        b"X",
        b": a",
        b"X: a\rb",
        b" X: a",
        b"X: a\n b",
    ):
        yield _line(f"header {header!r}", get + header + b"\r\n\r\n", refused | {200})
    for header in (b"X-Request-ID", b"Cookie", b"Accept", b"Range", b"Origin", b"X-Forwarded-For"):
        sent = get + header + b": \xff\xfe'\"<>{}%00\r\n\r\n"
        yield _line(f"{header.decode()} of odd characters", sent, refused | {200})
    yield _line(
        "a header of 2,000,000 bytes", get + b"X: " + b"a" * 2_000_000 + b"\r\n\r\n", refused
    )
    yield _line("5,000 headers", get + b"X: a\r\n" * 5000 + b"\r\n", refused)
    yield _line("an address of 70,000 bytes", GET % (b"/" + b"a" * 70_000) + b"\r\n", refused)
    for bad in (b"/\xff", b"/a b", b"", b"/\0", b"/?\xff", b"http://", b"*"):
        yield _line(f"address {bad!r}", GET % bad + b"\r\n", refused | {404})
    for root in (b"health", b"/#x"):  # The application gets them as `/`, which has a resource.
        yield _line(f"address {root!r}", GET % root + b"\r\n", refused | {200})
    for version in (b"HTTP/0.9", b"HTTP/3.0", b"HTTP/1.10", b"HTTP", b"X/1.1"):
        yield _line(f"version {version!r}", get.replace(b"HTTP/1.1", version) + b"\r\n", refused)
    for start in (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"\0" * 100, b"\r\n" * 100, b"{}"):
        yield Frame("line", f"bytes {start[:9]!r}", (start,), frozenset(refused), ends=True)
    yield _line("only line feeds", get.replace(b"\r\n", b"\n") + b"\n", refused | {200})
    yield _line("Expect: x", get + b"Expect: x\r\n\r\n", refused | {200})
    yield _line("CONNECT", GET.replace(b"GET", b"CONNECT") % b"a:1" + b"\r\n", refused | {404, 405})
    yield _line("Upgrade: h2c", get + b"Upgrade: h2c\r\n\r\n", refused | {200, 101})


def _line(what: str, sent: bytes, statuses: set[int]) -> Frame:
    return Frame("line", what, (sent,), frozenset(statuses))
