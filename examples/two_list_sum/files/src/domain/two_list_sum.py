"""Which pairs of two lists have a given sum."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A value of the first list and one of the second; `count` ways to choose their places."""

    first: int
    second: int
    count: int


def pairs_with_sum(first: Sequence[int], second: Sequence[int], target: int) -> list[Pair]:
    """Each pair of values once, in the order in which the first list has its first number.

    A number that a list has more than once makes no second pair: it adds to `count`, which is how
    often the first list has the one, times how often the second has the other. Sums are exact:
    Python's integers do not overflow.

    Time and memory grow with the lengths of the lists: the partner of a number is looked up, where
    two loops would search for it.
    """
    partners = Counter(second)
    return [
        Pair(number, target - number, times * partners[target - number])
        for number, times in Counter(first).items()
        if target - number in partners
    ]
