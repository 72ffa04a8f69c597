"""A request that reads a body of known length at once, without Werkzeug's stream."""

from io import BytesIO
from typing import Any

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

ENABLED = True  # Tests set False, and Werkzeug does everything.
MOST_DIGITS = 15


class DirectRequest(Request):
    @property
    def content_length(self) -> int | None:
        length = self._declared_length()
        return super().content_length if length is None else length

    def get_data(
        self,
        cache: bool = True,  # noqa: FBT001, FBT002
        as_text: bool = False,  # noqa: FBT001, FBT002
        parse_form_data: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        body: bytes | None = getattr(self, "_cached_data", None)
        is_usual = not (parse_form_data or self.shallow or "stream" in self.__dict__)
        if body is None and cache and is_usual:
            length = self._declared_length()
            if length is not None:
                body = self._cached_data = self._whole_body(length)
        if body is not None and not as_text:
            return body
        read: Any = super().get_data
        return read(cache, as_text, parse_form_data)

    def _declared_length(self) -> int | None:
        """The length that the request declares; None where Werkzeug has to look closer."""
        length = self.environ.get("CONTENT_LENGTH", "")
        if not (length.isascii() and length.isdigit() and len(length) <= MOST_DIGITS):
            return None
        return int(length) if ENABLED and "HTTP_TRANSFER_ENCODING" not in self.environ else None

    def _whole_body(self, length: int) -> bytes:
        """Read the body. Raise as Werkzeug does if it is too long, or was cut off."""
        limit = self.max_content_length
        if limit is not None and length > limit:
            raise RequestEntityTooLarge
        # Such a stream ends by itself, and one byte too many shows a wrong length.
        ends = "wsgi.input_terminated" in self.environ
        pieces, missing = list[bytes](), length
        while missing > 0:
            try:
                piece = self.environ["wsgi.input"].read(missing + ends)
            except (OSError, ValueError) as error:
                raise ClientDisconnected from error
            if not piece and not ends:
                raise ClientDisconnected
            if not piece:
                break  # As Werkzeug: the body was cut off.
            pieces.append(piece)
            missing -= len(piece)
        self.__dict__["stream"] = BytesIO()  # As empty as Werkzeug's after it was read.
        return b"".join(pieces)

    def close(self) -> None:
        """Close the files of a form, if a form was read."""
        if not ENABLED or "files" in self.__dict__:
            super().close()
