"""What the reads of the request that is being served have to see.

A position is how far the primary's log of changes had come, as a number: who reads from a server
that has applied all up to it sees what was committed before.
"""

from dataclasses import dataclass

ONLY_PRIMARY = 2**63 - 1  # Past any log: no replica gets so far.


@dataclass(slots=True)
class Positions:
    """`needed` by its reads; `written` by itself, once it has committed."""

    needed: int
    written: int = 0
