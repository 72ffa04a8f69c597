"""Makes the ids of entities here and not in the database, so that a new entity has one at once."""

import os
import sys
from collections import deque

PIECE_BYTES, PIECES = 16, 64
_pieces: deque[bytes] = deque()
if hasattr(os, "register_at_fork"):  # A forked process must not make the ids of its parent.
    os.register_at_fork(after_in_child=_pieces.clear)


def random_bytes() -> bytes:
    """Return 16 bytes of the system's randomness, which is read for many calls at a time.

    Each read from the system lets every waiting thread run first.
    """
    while True:
        try:
            return _pieces.popleft()
        except IndexError:
            read = os.urandom(PIECES * PIECE_BYTES)
            _pieces.extend(read[at : at + PIECE_BYTES] for at in range(0, len(read), PIECE_BYTES))


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
