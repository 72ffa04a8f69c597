"""Hostile values and bodies for requests."""

from collections.abc import Iterator
from typing import Any

from chassis.development.testing.json_schema import Json, example
from chassis.openapi.document import resolve

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.0, 1.9, -0.0, 1e308, [], {}, [[]], [None], {"a": {}}),
    *(2**31, -(2**31) - 1, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**100),
    *("", " ", "0", "1", "1_0", " 1 ", "+1", "1.9", "1e3", "0x1", "\u0661", "NaN", "null", "true"),
    *("9" * 400, "1.23456789", "-99999999999999999999.99"),
    *("a\0b", "\0", "\ud800", "a\udfff", "\ud83d\ude00\ud83d", "\u202e", "\ufeff", "\U0010ffff"),
    *("e\u0301", "a" + "\u0301" * 31, "\u0301\u0323" * 20_000, "\ufb2c" * 300),
    *("2026-01-31", "2026-01-31T12:00:00", "2026-02-30T00:00:00Z", "20260131T120000Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"),
    *("2020-01-01T00:00:00+00:99", "2020-01-01T00:00:00-23:60", "2020-01-01T24:00:00Z"),
    *("2020-01-01T00:00:00+24:00", "2020-01-01T23:59:60Z", "2020-01-01T00:00:00+0000"),
    *("' OR 1=1 --", "%s%(x)s{0}{x.__class__}", "../../etc/passwd", "__class__", "\r\nX: y"),
)
NAMES = ("id", "version", "__class__", "__proto__", "", "a/b~c", "\ud800", "\0", "title ")
SEGMENTS = (
    *("0", "-1", "+1", "01", "1.0", "1_0", str(2**63), "9" * 400, "9" * 5000, "%D9%A1"),
    *("%00", "1%00", "%ff", "..", "..%2f", "..%2f..%2fetc%2fpasswd", "%2e%2e", "%20", "x", "null"),
    *("'%20OR%201=1--", "00000000-0000-0000-0000-00000000000", "g" * 36, "%C0%AF", "%EF%BB%BF"),
)
QUERIES = ("unknown=1", "__class__=1", "a[]=1", "%ff=1", "%00=1", "=", "x=%ff", "x=%00", "%F0%9F")
HEADERS = (
    *("", " ", '"', '""', "x", '*, "x"', '"x" "y"', 'W/"x"', '"0-00000000"', "0", "-1", "9" * 5000),
    *(
        f'"{"9" * 5000}-00000000"',
        '"0-00000000", ' * 500 + '""',
        "x" * 255,
        "y" * 256,
        "a b",
        "\xe9",
    ),
)
TYPES = (
    *("", "text/plain", "application/xml", "application/x-www-form-urlencoded", "x"),
    *("multipart/form-data; boundary=x", "application/problem+json", "application/json-patch+json"),
    *("application/json, application/json", "application/json; charset=latin-1"),
    *("application/json; charset=utf-16", "application/json; charset=utf-8x", "text/json"),
    "application/json; charset=utf8x",
)
ENCODINGS = ("gzip", "br", "deflate", "gzip, identity", "x")


def broken_bodies(whole: bytes) -> Iterator[bytes]:
    """Broken variants of a valid body, which may be an empty object."""
    start, inner = whole.rstrip().removesuffix(b"}"), whole.strip(b"{}") and b","
    yield from (b"", b" ", b"\0", b"{", start, start + b",}", whole + whole, whole + b"x")
    yield from (b"\xef\xbb\xbf" + whole, whole.decode().encode("utf-16"), b"[" * 100_000)
    yield from (whole.decode().encode("utf-16-le"), whole.decode().encode("utf-32"))
    yield b"[" + b"[]," * 99 + b'"' + b'\\"' * 400_000
    yield from (b"[" * depth + b"]" * depth for depth in (65, 1000, 20_000))
    for value in (
        *(b"NaN", b"Infinity", b"-Infinity", b"1" * 5000, b"1e400", b"01", b"+1", b".5", b"0x1"),
        *(b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"a\nb"', b'"\0"', b'"\\x41"', b'"\\u12"'),
        *(b"'a'", b"undefined", b"True", b'1 /* x */, "y": 1', b'1, "x": 2', b'{"a": 1, "a": 1}'),
    ):
        yield start + inner + b'"x": ' + value + b"}"


def variants(document: Json, schema: Json, whole: Any) -> Iterator[Any]:
    """Variants of a valid value `whole`, each hostile in one place."""
    schema = resolve(document, schema)
    yield from VALUES
    if length := schema.get("maxLength"):
        yield from (text * length for text in ("x", "\u00e9", "e\u0301", "\U0001f389"))
        yield from (text * (length + 1) for text in ("x", "\u00e9", "e\u0301", "\U0001f389"))
    for end in ("minimum", "maximum"):
        if end in schema:
            yield from (schema[end] - 1, schema[end], schema[end] + 1)
    if isinstance(whole, list):
        yield from ([item] for item in variants(document, schema["items"], whole[0]))
    if isinstance(whole, dict):
        for name, inner in schema.get("properties", {}).items():
            right = whole[name] if name in whole else example(document, inner)
            yield from ({**whole, name: value} for value in variants(document, inner, right))
        for name in whole:
            yield {other: value for other, value in whole.items() if other != name}
        yield from ({**whole, name: None} for name in NAMES)
        yield {**whole, **{str(number): number for number in range(1000)}}
