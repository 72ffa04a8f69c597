"""Medians of the rounds, and ratios of the medians to bare Flask's in the same run."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.contestants import BASE
from benchmarks.load import Measurement

MEASURED = ("cpu", "postgres", "rate", "p50", "p99", "busy")


@dataclass(frozen=True, slots=True)
class Start:
    """An application by itself: its start, and what it holds after some load."""

    application: str
    first_answer: float  # Seconds, the median of several starts.
    memory: float  # MiB (PSS) of the process that serves.
    memory_in_all: float  # With the process that watches over it.

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of one application under one load."""

    application: str
    workload: str
    connections: int
    rounds: int
    cpu: float
    postgres: float
    rate: float
    p50: float
    p99: float
    busy: float
    cpu_ratio: float | None  # To bare Flask: less is better.
    rate_ratio: float | None  # More is better.

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def figures(measurements: list[Measurement], base_name: str = BASE) -> list[Figure]:
    """A ratio is the median of the rounds' ratios: neighbours in time share what disturbs them."""
    series: dict[tuple[str, str, int], list[Measurement]] = defaultdict(list)
    for one in measurements:
        series[one.application, one.workload, one.connections].append(one)
    found = []
    for (application, workload, connections), rounds in series.items():
        base = series.get((base_name, workload, connections), [])
        medians = {name: median(getattr(one, name) for one in rounds) for name in MEASURED}
        ratios = {
            f"{name}_ratio": median(
                getattr(one, name) / getattr(other, name)
                for one, other in zip(rounds, base, strict=True)
            )
            if base
            else None
            for name in ("cpu", "rate")
        }
        found.append(
            Figure(application, workload, connections, len(rounds), **medians, **ratios)  # type: ignore[arg-type]
        )
    return found
