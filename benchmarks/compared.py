"""Puts two generated projects under load in turn; runs in the newer environment.

See benchmarks.since.
"""

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

from benchmarks.checks import WrongAnswerError
from benchmarks.contestants import BASE, CONTESTANTS, ONION
from benchmarks.figures import figures
from benchmarks.in_process import WORKLOADS
from benchmarks.load import LoadError, Measurement
from benchmarks.postgres import postgres
from benchmarks.programme import stop
from benchmarks.report import table
from benchmarks.rounds import Programme, Scale, say

MOST = 1.10  # A tenth, as for the limits in budget.toml.
BEFORE, NOW = "before", ONION.name


def measured(now: Path, before: Path, rounds: int) -> list[Measurement]:
    """Measure two generated projects and bare Flask."""
    scale = Scale(rounds, seconds=1, connections=(16,), starts=1, workloads=tuple(WORKLOADS))
    cores = os.sched_getaffinity(0) - {max(os.sched_getaffinity(0))}
    with ExitStack() as stack:
        server = stack.enter_context(postgres(now, cores))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        programme = Programme(now, server, folder, scale)
        [base] = [one for one in CONTESTANTS if one.name == BASE]
        loads = programme.loads([replace(ONION, name=BEFORE, project=before), ONION, base], stack)
        found = programme.rounds(loads)
        say(programme.disturbance())
        for load in loads:
            load.server.stop()
    return found


def report(found: list[Measurement]) -> list[str]:
    """Print the ratios; return a sentence for each workload that became dearer."""
    lines = [["", "now to before", "half of the rounds", "now to Flask", "before to Flask"]]
    failures = []
    to_flask = {(one.application, one.workload): one.cpu_ratio for one in figures(found)}
    for one in figures(found, BEFORE):
        if one.application != NOW or one.cpu_ratio is None:
            continue
        cpu = {
            name: [m.cpu for m in found if (m.application, m.workload) == (name, one.workload)]
            for name in (BEFORE, NOW)
        }
        ratios = [n / b for b, n in zip(*cpu.values(), strict=True)]
        low, _, high = quantiles(ratios, n=4)
        others = [to_flask[name, one.workload] for name in (NOW, BEFORE)]
        lines.append(
            [one.workload, f"{one.cpu_ratio:.3f}", f"{low:.2f} to {high:.2f}"]
            + [f"{ratio:.3f}" for ratio in others]
        )
        if one.cpu_ratio > MOST:
            failures.append(f"{one.workload}: the CPU is {one.cpu_ratio:.2f} of what it was.")
    print(table(lines))
    return failures


def main() -> int:
    now, before, rounds = sys.argv[1:]
    try:
        found = measured(Path(now), Path(before), int(rounds))
    except (LoadError, WrongAnswerError) as error:
        say(f"{error}\nNo figure of this run counts.")
        return 1
    failures = report(found)
    print("\n".join(["", *failures]) if failures else "\nNo workload became dearer by a tenth.")
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
