"""Figures that a proof measures, and the report that it prints."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `holds` is None where it has no bound and is only shown."""

    what: str
    measured: str
    bound: str = ""
    holds: bool | None = None


def none_of(what: str, found: Sequence[object] | int) -> Figure:
    number = found if isinstance(found, int) else len(found)
    return Figure(what, str(number), "0", number == 0)


def all_of(what: str, good: int, of: int) -> Figure:
    return Figure(what, f"{good} of {of}", "all", good == of)


def at_least(what: str, number: int, bound: int = 1) -> Figure:
    """A count without which the others show nothing."""
    return Figure(what, str(number), f">= {bound}", number >= bound)


def at_most(what: str, value: float, bound: float, unit: str = "s") -> Figure:
    return Figure(what, f"{value:.3f} {unit}", f"<= {bound:.3f} {unit}", value <= bound)


def middle_and_worst(what: str, values: Sequence[float]) -> Figure:
    return Figure(what, f"median {median(values):.2f} s, worst {max(values):.2f} s")


def table(items: dict[str, tuple[float, list[Figure]]]) -> str:
    """Format the figures below the name of their item, with the seconds that the item took."""
    figures = [figure for _, figures in items.values() for figure in figures]
    wide = max((len(figure.what) for figure in figures), default=0)
    middle = max((len(figure.measured) for figure in figures), default=0)
    lines = []
    for name, (seconds, found) in items.items():
        lines.append(f"\n{name} ({seconds:.0f} s)")
        for figure in found:
            verdict = {True: "pass", False: "FAIL", None: "    "}[figure.holds]
            columns = f"{figure.what:<{wide}}  {figure.measured:<{middle}}  {figure.bound}"
            lines.append(f"  {verdict}  {columns}".rstrip())
    return "\n".join(lines)


def conclude(name: str, seconds: float, figures: list[Figure]) -> NoReturn:
    """Print the figures and exit: 1 where one does not hold, else 0."""
    print(table({name: (seconds, figures)}), flush=True)
    sys.exit(any(figure.holds is False for figure in figures))
