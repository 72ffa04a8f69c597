"""Tells whether the first bytes of a content fit its declared media type.

No type is guessed, because a guess can be wrong. A media type without an entry here cannot be
allowed, because no content could be rejected for it. The signatures are those of
https://mimesniff.spec.whatwg.org/ and of the formats' specifications.
"""

import re
from collections.abc import Callable

HEAD_BYTES = 4096  # Bytes at the beginning of a content that are examined.

Fits = Callable[[bytes], object]


def _begins(*signatures: bytes, at: int = 0) -> Fits:
    return lambda head: head[at:].startswith(signatures)


def _riff(kind: bytes) -> Fits:
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def _ebml(kind: bytes) -> Fits:
    return lambda head: head[:4] == b"\x1a\x45\xdf\xa3" and kind in head[:64]


def _iso_media(*brands: bytes) -> Fits:
    """Begins with a box `ftyp` that has one of these major brands (ISO 14496-12)."""
    return lambda head: head[4:8] == b"ftyp" and head[8:12].startswith(brands)


def _office(folder: bytes) -> Fits:
    """Is a ZIP archive whose first bytes name that folder or the list of parts (ECMA-376)."""
    begins = _begins(b"PK\x03\x04")
    return lambda head: begins(head) and (folder in head or b"[Content_Types].xml" in head)


BINARY: dict[str, Fits] = {
    "application/gzip": _begins(b"\x1f\x8b\x08"),
    "application/pdf": _begins(b"%PDF-"),
    "application/vnd.apache.parquet": _begins(b"PAR1"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": _office(b"ppt/"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _office(b"xl/"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _office(b"word/"),
    "application/zip": _begins(b"PK\x03\x04", b"PK\x05\x06"),
    "audio/flac": _begins(b"fLaC"),
    "audio/mpeg": _begins(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "audio/ogg": _begins(b"OggS\0"),
    "audio/wav": _riff(b"WAVE"),
    "image/avif": _iso_media(b"avif", b"avis"),
    "image/gif": _begins(b"GIF87a", b"GIF89a"),
    "image/heic": _iso_media(b"heic", b"heix", b"mif1"),
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "image/webp": _riff(b"WEBP"),
    "video/mp4": _iso_media(b"iso", b"mp4", b"avc1", b"dash", b"M4V", b"MSNV", b"f4v"),
    "video/quicktime": _iso_media(b"qt  "),
    "video/webm": _ebml(b"webm"),
    "video/x-matroska": _ebml(b"matroska"),
}
EXECUTABLE = _begins(b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
# A browser may display a text that begins so as HTML, in spite of the declared type.
MARKUP = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<[!?/a-z]", re.IGNORECASE)
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _text(head: bytes) -> bool:
    """Is UTF-8 without markup or a program; the end of the head may cut a character."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data" or len(head) < HEAD_BYTES:
            return False
    binary = any(fits(head) for fits in (*BINARY.values(), EXECUTABLE))
    return not (binary or CONTROL.search(head) or MARKUP.match(head))


def _json(head: bytes) -> bool:
    return _text(head) and head.lstrip()[:1] in [bytes([one]) for one in b'{["-0123456789tfn']


TYPES: dict[str, Fits] = {
    **BINARY,
    "application/json": _json,
    "application/x-ndjson": _json,
    "text/csv": _text,
    "text/plain": _text,
    "text/tab-separated-values": _text,
}


def fits(media_type: str, head: bytes) -> bool:
    """Tell whether a content with this beginning can have that media type."""
    return bool(TYPES[media_type](head))
