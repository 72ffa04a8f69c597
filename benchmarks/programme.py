"""Measures for benchmarks.run; runs in the generated project's environment."""

import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.chart import chart
from benchmarks.checks import WrongAnswerError
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.figures import Figure, Start, figures
from benchmarks.load import LoadError, Measurement
from benchmarks.machine import machine
from benchmarks.postgres import postgres
from benchmarks.report import load_tables, peer_table, start_table
from benchmarks.rounds import Programme, Scale, say

SCALES = {"short": Scale(3, 2, (16,), 3), "full": Scale(5, 2, (1, 16, 64), 7)}


def write(
    paths: list[Path],
    about: dict[str, Any],
    found: list[Figure],
    starts: list[Start],
    measurements: list[Measurement],
) -> None:
    told = {
        "about": about,
        "figures": [one.as_dict() for one in found],
        "starts": [one.as_dict() for one in starts],
        "measurements": [one.as_dict() for one in measurements],
    }
    paths[0].write_text(json.dumps(told, indent=1) + "\n")
    paths[1].write_text(chart(found))
    say(f"Written: {paths[0]} and {paths[1]}")


def measure(project: Path, scale: Scale, paths: list[Path], chosen: list[Contestant]) -> None:
    cores = os.sched_getaffinity(0) - {max(os.sched_getaffinity(0))}
    with ExitStack() as stack:
        server = stack.enter_context(postgres(project, cores))
        about = machine(server)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        programme = Programme(project, server, folder, scale)
        chosen = programme.with_tokens(chosen)
        rows = programme.rows(chosen)
        for one in rows:
            stack.callback(one.close)
        loads, starts = [], []
        for contestant, own in zip(chosen, rows, strict=True):
            say(f"Checking {contestant.title}")
            loads.append(programme.load(contestant, own, stack))
        measurements = programme.rounds(loads)
        about["busy_with_others"] = f"{programme.busy_with_others:.2f} cores"
        for load in loads:
            load.server.stop()
        for contestant, own in zip(chosen, rows, strict=True):
            if not contestant.is_variant:
                say(f"Starting {contestant.title}, alone")
                starts.append(programme.alone(contestant, own))
    found = figures(measurements)
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(f"\n{load_tables(found)}\n\n{start_table(starts)}")
    print(f"\n{peer_table(measurements)}")
    write(paths, about, found, starts, measurements)


def main() -> int:
    project, length, json_path, chart_path, *names = sys.argv[1:]
    chosen = [contestant for contestant in CONTESTANTS if contestant.name in names]
    try:
        measure(Path(project), SCALES[length], [Path(json_path), Path(chart_path)], chosen)
    except (LoadError, WrongAnswerError) as error:
        say(f"{error}\nNo figure of this run counts.")
        return 1
    return 0


def stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
