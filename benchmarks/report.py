"""Prints the figures as tables."""

from collections.abc import Iterable

from benchmarks.contestants import CONTESTANTS, ONION, PEERS, USUAL, WORKLOADS
from benchmarks.figures import Figure, Start, figures
from benchmarks.load import Measurement

TITLES = {contestant.name: contestant.title for contestant in CONTESTANTS}
NAMES = {"count": "count (ours: by key)"}
HEADERS = ["", "CPU us", "to Flask", "1/s", "to Flask", "p50 ms", "p99 ms", "PG us", "core busy"]


def table(lines: Iterable[list[str]]) -> str:
    """Format a table whose first column is left-aligned, the others right-aligned."""
    rows = list(lines)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def load_tables(found: list[Figure]) -> str:
    """Make a table for each load.

    With `core busy` well below 100 %, the server was not the limit.
    """
    parts = []
    for connections in sorted({one.connections for one in found}):
        for workload in WORKLOADS:
            lines = [
                _line(one)
                for one in found
                if (one.workload, one.connections) == (workload, connections)
            ]
            if lines:
                title = f"{NAMES.get(workload, workload)}, {connections} connections"
                parts.append(table([[title, *HEADERS[1:]], *lines]))
    return "\n\n".join(parts)


def peer_table(measurements: list[Measurement], connections: int = USUAL) -> str:
    """Make a table of the project's throughput relative to peers, medians of the rounds' ratios."""
    lines = [["throughput of the generated project", *WORKLOADS]]
    for peer in PEERS:
        ratios = {
            one.workload: one.rate_ratio
            for one in figures(measurements, peer)
            if (one.application, one.connections) == (ONION.name, connections)
        }
        if any(ratios.values()):
            cells = [_ratio(ratios.get(workload)) for workload in WORKLOADS]
            lines.append([f"to {TITLES[peer]}", *cells])
    return table(lines)


def start_table(starts: list[Start]) -> str:
    lines = [
        [
            TITLES[one.application],
            f"{one.first_answer:.2f}",
            f"{one.memory:.0f}",
            f"{one.memory_in_all:.0f}",
        ]
        for one in starts
    ]
    return table([["alone", "first answer s", "PSS MiB a process", "in all"], *lines])


def _line(one: Figure) -> list[str]:
    return [
        TITLES[one.application],
        f"{one.cpu:.0f}",
        _ratio(one.cpu_ratio),
        f"{one.rate:.0f}",
        _ratio(one.rate_ratio),
        f"{one.p50:.2f}",
        f"{one.p99:.2f}",
        f"{one.postgres:.0f}",
        f"{one.busy:.0%}",
    ]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
