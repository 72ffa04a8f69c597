"""Ids like those of the generated project, for every compared application."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A random UUID that sorts by its millisecond of creation (RFC 9562, section 5.7)."""
    bits = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | 0x7 << 76
    return UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)
