"""Makes the ids of entities here and not in the database, so that a new entity has one at once."""

import os
import sys
from collections import deque

PIECE_BYTES, PIECES = 16, 64
_pieces: deque[tuple[int, bytes]] = deque()  # Each with the process that read it.


def random_bytes() -> bytes:
    """Return 16 bytes of the system's randomness, which is read for many calls at a time.

    Each read from the system lets every waiting thread run first. A forked process drops the bytes
    of its parent.
    """
    process = os.getpid()
    while True:
        try:
            reader, piece = _pieces.popleft()
        except IndexError:
            read = os.urandom(PIECES * PIECE_BYTES)
            pieces = (read[at : at + PIECE_BYTES] for at in range(0, len(read), PIECE_BYTES))
            _pieces.extend((process, piece) for piece in pieces)
        else:
            if reader == process:
                return piece


if sys.version_info >= (3, 14):
    from uuid import uuid7
else:
    import time
    from uuid import UUID

    def uuid7() -> UUID:
        """A random UUID that sorts by its millisecond of creation (RFC 9562, section 5.7)."""
        milliseconds = time.time_ns() // 1_000_000
        bits = milliseconds << 80 | int.from_bytes(random_bytes()[:10])
        bits = bits & ~(0xF << 76) | 0x7 << 76  # version 7
        return UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)  # variant of the RFC


__all__ = ["random_bytes", "uuid7"]
