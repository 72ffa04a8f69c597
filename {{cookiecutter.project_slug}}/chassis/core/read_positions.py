"""Which writes the reads of the present request have to see.

A position is how far the primary's log of changes had come, as a number: who reads from a server
that has applied all up to it sees what was committed before.
"""

from dataclasses import dataclass

ONLY_PRIMARY = 2**63 - 1  # Beyond any position, so that no replica qualifies.


@dataclass(slots=True)
class Positions:
    """`needed`: what the request's reads must see. `written`: what its commit has reached."""

    needed: int
    written: int = 0
