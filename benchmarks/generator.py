"""How long `generate` takes to plan and render a resource, without its migration's trial.

python -m benchmarks.generator PROJECT

PROJECT is a generated one with its environment. Nothing is written into it.
"""

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
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([*command, "--json"], cwd=project, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"Plan and files of a resource, with the start of Python: {median:.2f} s,")
    print(f"the median of {ROUNDS} runs from {min(seconds):.2f} to {max(seconds):.2f} s.")


if __name__ == "__main__":
    main()
