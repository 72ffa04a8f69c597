"""Runs the items of the rehearsal on a project, in that project's environment."""

import sys
import time
import traceback
from pathlib import Path

from proofs.harness.figures import Figure, table
from proofs.harness.processes import run_main
from proofs.harness.testbed import Testbed
from proofs.rehearsal import (
    backfilled,
    baseline,
    blocked_drain,
    gate_cost,
    gates,
    killed,
    racing,
    reader,
    under_load,
)
from proofs.rehearsal.scale import FULL, SHORT

ITEMS = {
    "load": ("Ten migrations under load", under_load.prove),
    "kill": ("A migrator that is killed", killed.prove),
    "race": ("Four migrators at once", racing.prove),
    "reader": ("A six-second reader in front of an ALTER", reader.prove),
    "drain": ("A drain that is blocked", blocked_drain.prove),
    "gates": ("Into a window and out of it", gates.prove),
    "backfill": ("A backfill under load, killed five times", backfilled.prove),
    "cost": ("What the gate and the fence cost", gate_cost.prove),
    "baseline": ("The classic recipe: a flag, and plain Alembic", baseline.prove),
}


def main() -> int:
    project, length, *only = sys.argv[1:]
    scale = SHORT if length == "short" else FULL
    results: dict[str, tuple[float, list[Figure]]] = {}
    testbed = Testbed(Path(project))
    try:
        print(f"PostgreSQL {testbed.cluster.version()}", flush=True)
        for name in only or [name for name in ITEMS if scale.baseline or name != "baseline"]:
            title, prove = ITEMS[name]
            print(title, flush=True)
            began = time.monotonic()
            try:
                figures = prove(testbed, scale)
            except Exception as error:  # Go on with the other items.
                traceback.print_exc()
                figures = [Figure("broken off", type(error).__name__, "never", holds=False)]
            results[title] = (time.monotonic() - began, figures)
    finally:
        testbed.close()
    print(table(results))
    failed = [f for _, figures in results.values() for f in figures if f.holds is False]
    print(f"\n{len(failed)} of the bounds do not hold." if failed else "\nEvery bound holds.")
    return 1 if failed else 0


if __name__ == "__main__":
    run_main(main)
