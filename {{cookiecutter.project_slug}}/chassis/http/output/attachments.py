from collections.abc import Iterator

from flask import Response

from chassis.core.storage.file_store import attachment


def attachment_response(name: str, media_type: str, size: int, pieces: Iterator[bytes]) -> Response:
    """A streamed response that browsers save and do not display; `size` is in bytes."""
    headers = {"Content-Length": str(size), "Content-Disposition": attachment(name)}
    return Response(pieces, headers=headers, content_type=media_type)
