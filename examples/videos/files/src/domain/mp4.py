"""The length of a video, from its header: ISO 14496-12, of which MP4 is a kind."""

import struct
from collections.abc import Iterable

HEADER = 8  # Bytes of a box, without its content.
PIECE = 256 * 1024  # Bytes that are skipped at once.
LONGEST = 2**63 - 1


class _Stream:
    """Reads pieces of any length; it keeps none that was read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead = b""

    def read(self, count: int) -> bytes:
        while len(self._ahead) < count and (piece := next(self._pieces, b"")):
            self._ahead += piece
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        return taken

    def skip(self, count: int) -> None:
        while count > 0 and (passed := self.read(min(count, PIECE))):
            count -= len(passed)


def milliseconds(pieces: Iterable[bytes]) -> int | None:
    """None for a content without a movie header: it is no MP4, or a broken one.

    The header may lie behind all the pictures. Whatever its length, few pieces are in memory.
    """
    stream = _Stream(pieces)
    while len(head := stream.read(HEADER)) == HEADER:
        left, kind = int.from_bytes(head[:4]) - HEADER, head[4:]
        if left == 1 - HEADER:  # The length follows, in 64 bits.
            left = int.from_bytes(stream.read(8)) - HEADER - 8
        if kind == b"mvhd":
            return _length(stream.read(min(max(left, 0), PIECE)))
        if kind == b"moov":  # Its content is boxes, too.
            continue
        if left < 0:
            return None
        stream.skip(left)
    return None


def _length(header: bytes) -> int | None:
    at, form = (20, ">IQ") if header[:1] == b"\1" else (12, ">II")
    if len(header) < at + struct.calcsize(form):
        return None
    a_second, length = struct.unpack_from(form, header, at)
    found = int(length * 1000 // a_second) if a_second else 0
    return found if 0 < found <= LONGEST else None
