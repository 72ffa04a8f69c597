"""The writes that the reads of the current request have to see.

A position is a place in the primary's log, as a number. A server that has applied the log up
to a position shows all writes that were committed before.
"""

from dataclasses import dataclass

ONLY_PRIMARY = 2**63 - 1  # Beyond any position, so that no replica qualifies.


@dataclass(slots=True)
class Positions:
    """`needed`: what the request's reads must see. `written`: what its commit has reached."""

    needed: int
    written: int = 0
