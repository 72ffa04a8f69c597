"""Compares measured figures with the limits in benchmarks/budget.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

BUDGET = Path(__file__).with_name("budget.toml")

# Maps the name of a figure to its values by workload.
Figures = dict[str, dict[str, float]]
Told = Mapping[str, Mapping[str, float]]


def budget(path: Path = BUDGET) -> Figures:
    return tomllib.loads(path.read_text())


def regressions(measured: Told, allowed: Told) -> Iterator[str]:
    """Return a sentence for each figure that exceeds its budget or has none."""
    for name, of_each in measured.items():
        for workload, value in of_each.items():
            most = allowed.get(name, {}).get(workload)
            if most is None:
                yield f"{workload}: {name} has no budget."
            elif value > most:
                yield f"{workload}: {name} is {value:.5g}, and its budget {most:g}."


def unmeasured(measured: Told, allowed: Told) -> Iterator[str]:
    """Return a sentence for each budget without a measurement, because it would guard nothing."""
    for name, of_each in allowed.items():
        for workload in of_each.keys() - measured.get(name, {}).keys():
            yield f"{workload}: {name} has a budget, and was not measured."


def lines(measured: Told, allowed: Told) -> Iterator[list[str]]:
    """Return the rows of the report's table."""
    yield ["", "", "measured", "budget"]
    for name, of_each in measured.items():
        for workload, value in of_each.items():
            most = allowed.get(name, {}).get(workload)
            yield [name, workload, f"{value:.4g}", "-" if most is None else f"{most:g}"]
