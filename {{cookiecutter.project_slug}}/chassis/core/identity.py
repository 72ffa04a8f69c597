"""Makes the ids of entities here and not in the database, so that a new entity has one at once."""

import sys

if sys.version_info >= (3, 14):
    from uuid import uuid7
else:
    import os
    import time
    from uuid import UUID

    def uuid7() -> UUID:
        """A random UUID that sorts by its millisecond of creation (RFC 9562, section 5.7)."""
        milliseconds = time.time_ns() // 1_000_000
        bits = milliseconds << 80 | int.from_bytes(os.urandom(10))
        bits = bits & ~(0xF << 76) | 0x7 << 76  # version 7
        return UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)  # variant of the RFC


__all__ = ["uuid7"]
