"""Contents, and how a client sends them: with the form of the store, as a browser does."""

import struct
from hashlib import sha256
from typing import Any
from urllib.request import Request, urlopen

from flask.testing import FlaskClient
from urllib3.filepost import encode_multipart_formdata

FILES = "/prefix/v1/files"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def mp4(milliseconds: int, *, pictures: int = 100) -> bytes:
    """Of that length, with its header behind so many bytes of pictures."""
    header = struct.pack(">IIIII", 0, 0, 0, 1000, milliseconds)
    content = box(b"mdat", bytes(pictures)) + box(b"moov", box(b"mvhd", header))
    return box(b"ftyp", b"isom\0\0\0\0") + content


def upload(client: FlaskClient, content: bytes, media_type: str = "video/mp4") -> str:
    """The id of a file that has this content."""
    about: dict[str, Any] = {"name": "a", "media_type": media_type, "size": len(content)}
    about["sha256"] = sha256(content).hexdigest()
    address = client.post(FILES, json=about).headers["Location"]
    form = client.get(f"{address}/upload").get_json()
    fields = {**form["fields"], "file": ("a", content)}
    body, kind = encode_multipart_formdata(fields)
    urlopen(Request(form["url"], body, {"Content-Type": kind})).close()
    completed = client.post(f"{address}/complete")
    if completed.status_code != 200:
        raise AssertionError(completed.text)
    return str(completed.get_json()["id"])
