"""`manage.py measure`: what a look-up costs, beside two loops."""

import random
import time
from collections.abc import Callable
from typing import Any

import click

from src.domain.constants import LONGEST_LIST
from src.domain.two_list_sum import Pair, pairs_with_sum

LENGTHS = (250, 500, 1000, 2000, LONGEST_LIST)
LONGEST_FOR_LOOPS = 2000  # They take minutes beyond.


def with_two_loops(first: list[int], second: list[int], target: int) -> list[Pair]:
    """The same, by comparing each number with each."""
    counts: dict[int, int] = {}
    for one in first:
        for other in second:
            if one + other == target:
                counts[one] = counts.get(one, 0) + 1
    return [Pair(one, target - one, count) for one, count in counts.items()]


@click.command()
def command() -> None:
    """Time the look-up and two loops on random lists, and compare what they find."""
    click.echo(f"{'numbers':>8}  {'look-up':>10}  {'two loops':>10}")
    for length in LENGTHS:
        numbers = random.Random(length)  # noqa: S311  # The same ones each time.
        lists = [[numbers.randint(-length, length) for _ in range(length)] for _ in range(2)]
        found, seconds = _timed(pairs_with_sum, *lists, 7)
        row = f"{length:>8}  {seconds * 1000:>7.2f} ms"
        if length <= LONGEST_FOR_LOOPS:
            same, longer = _timed(with_two_loops, *lists, 7)
            row += f"  {longer * 1000:>7.2f} ms"
            if same != found:
                raise click.ClickException(f"They found different pairs among {length} numbers.")
        click.echo(row)


def _timed(find: Callable[..., list[Pair]], *arguments: Any) -> tuple[list[Pair], float]:
    start = time.process_time()
    found = find(*arguments)
    return found, time.process_time() - start
