"""A content fits its own media type, and no other."""

import gzip
import io
import zipfile
from unittest import TestCase

from chassis.core.storage.media_types import HEAD_BYTES, TYPES, fits

OFFICE = "application/vnd.openxmlformats-officedocument."


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return content.getvalue()


def iso_media(brand: bytes) -> bytes:
    return b"\0\0\0\x20ftyp" + brand + b"\0\0\2\0" + bytes(64)


def ebml(kind: bytes) -> bytes:
    return b"\x1aE\xdf\xa3\xa3B\x86\x81\1B\xf7\x81\1B\x82\x88" + kind + bytes(64)


HEADS = {
    "application/gzip": gzip.compress(b"x"),
    "application/json": b'{"a": [1]}',
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "application/vnd.apache.parquet": b"PAR1\x15\x04",
    OFFICE + "presentationml.presentation": archive("[Content_Types].xml", "ppt/a.xml"),
    OFFICE + "spreadsheetml.sheet": archive("[Content_Types].xml", "xl/workbook.xml"),
    OFFICE + "wordprocessingml.document": archive("[Content_Types].xml", "word/document.xml"),
    "application/x-ndjson": b'{"a": 1}\n{"a": 2}\n',
    "application/zip": archive("a.txt"),
    "audio/flac": b"fLaC\0",
    "audio/mpeg": b"ID3\3\0",
    "audio/ogg": b"OggS\0\2",
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "image/avif": iso_media(b"avif"),
    "image/gif": b"GIF89a\1\0",
    "image/heic": iso_media(b"heic"),
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "text/csv": b"a,b\n1,2\n",
    "text/plain": "Grüße\n".encode(),
    "text/tab-separated-values": b"a\tb\n1\t2\n",
    "video/mp4": iso_media(b"isom"),
    "video/quicktime": iso_media(b"qt  "),
    "video/webm": ebml(b"webm"),
    "video/x-matroska": ebml(b"matroska"),
}
TEXTS = {"application/json", "application/x-ndjson"} | {
    name for name in TYPES if name.startswith("text/")
}
HARMFUL = {
    "a page": b"<!DOCTYPE html><html>",
    "a page with spaces": b"  \n<script>alert(1)</script>",
    "a page with a mark": b"\xef\xbb\xbf<html>",
    "a drawing": b'<?xml version="1.0"?><svg onload="alert(1)">',
    "a comment": b"<!-- --><script>",
    "a Windows program": b"MZ\x90\0\3",
    "a Linux program": b"\x7fELF\2\1\1",
    "a script": b"#!/bin/sh\nrm -rf /",
    "nothing": b"",
    "NUL": b"a\0b",
    "no UTF-8": b"\xff\xfea\0b\0",
    "half a character": b"a\xc3",
}


class MediaTypesTest(TestCase):
    def test_there_is_a_content_of_each(self) -> None:
        self.assertEqual(HEADS.keys(), TYPES.keys())

    def test_each_fits_its_own_type_and_no_other(self) -> None:
        for own, head in HEADS.items():
            for name in TYPES:
                with self.subTest(content=own, type=name):
                    alike = own in TEXTS and name in TEXTS  # A text also fits these types.
                    # An Office file is a ZIP archive, too.
                    alike |= name == "application/zip" and OFFICE in own
                    # The beginning need not show which kind of Office file it is.
                    alike |= OFFICE in own and OFFICE in name
                    if not alike:
                        self.assertEqual(fits(name, head), name == own)

    def test_what_is_harmful_fits_none(self) -> None:
        for what, head in HARMFUL.items():
            for name in TYPES:
                with self.subTest(what, type=name):
                    allowed = what == "nothing" and name in TEXTS - {"application/json"}
                    if not allowed or name == "application/x-ndjson":
                        self.assertFalse(fits(name, head))

    def test_a_character_may_be_cut_where_the_head_ends(self) -> None:
        head = ("a" * (HEAD_BYTES - 1) + "é").encode()[:HEAD_BYTES]
        self.assertTrue(fits("text/plain", head))
        self.assertFalse(fits("text/plain", head[1:]))
