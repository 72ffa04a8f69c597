"""Measures how long `generate` takes to plan and render a resource, without a migration.

python -m benchmarks.generator PROJECT

PROJECT is a generated project with its environment. It is not changed.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 9
FIELDS = (
    *("number:str:40:unique:sort", "amount:decimal:12.2:filter", "due_on:date:optional"),
    *("paid:bool=false", "status:enum:draft,sent,paid:filter=draft", "contact:email:optional"),
    *("attributes:json:optional", "labels:array:str:20:optional"),
)


def main() -> None:
    project = Path(sys.argv[1])
    command = [".venv/bin/python", "manage.py", "generate", "resource", "Measured", *FIELDS]
    seconds, processor = [], []
    for _ in range(ROUNDS):
        start, used = time.perf_counter(), _processor()
        subprocess.run([*command, "--json"], cwd=project, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
        processor.append(_processor() - used)
    print("Plan and files of a resource, with the start of Python:")
    for what, times in (("elapsed", seconds), ("processor", processor)):
        print(
            f"{what:<9} {statistics.median(times):.2f} s, the median of {ROUNDS} runs "
            f"from {min(times):.2f} to {max(times):.2f} s"
        )
    print(f"machine   {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _processor() -> float:
    """Return the CPU seconds of all ended child processes and their children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
