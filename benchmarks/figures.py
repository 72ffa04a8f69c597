"""Medians of the rounds, and ratios to bare Flask in the same run."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.contestants import BASE
from benchmarks.load import Measurement

MEASURED = ("cpu", "postgres", "rate", "p50", "p99", "busy")


@dataclass(frozen=True, slots=True)
class Start:
    """Start time and memory of one application."""

    application: str
    first_answer: float  # Seconds, the median of several starts.
    memory: float  # MiB (PSS) of the serving process, after some load.
    memory_in_all: float  # The same with its supervising process.

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians of one application under one load."""

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
    cpu_ratio: float | None  # CPU relative to bare Flask: less is better.
    rate_ratio: float | None  # Throughput relative to bare Flask: more is better.

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def figures(measurements: list[Measurement], base_name: str = BASE) -> list[Figure]:
    """Compute figures. A ratio is the median of each round's ratio, which cancels disturbances."""
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
