"""Runs the migrations on one PostgreSQL, in a project's environment. See __main__.py."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proofs.harness.processes import run_main
from proofs.refusals.cases import CASES, NONE, Case
from proofs.refusals.migration_testbed import MigrationTestbed
from proofs.refusals.refusals_table import done_in


def main() -> int:
    project, results, version, rows, rounds, *names = sys.argv[1:]
    done = done_in(Path(results))
    wanted = [
        (case, form, number)
        for case in CASES
        if not names or case.name in names
        for form, number in forms(case, int(rounds))
        if (version, case.name, form, number) not in done
    ]
    wanted.sort(key=lambda one: one[2])  # Finish a round of all migrations before the next one.
    if not wanted:
        return 0
    began = time.monotonic()
    testbed = MigrationTestbed(Path(project), version, int(rows))
    try:
        print(f"PostgreSQL {testbed.versioned.cluster.version()}, {len(wanted)} runs", flush=True)
        prepared: dict[tuple[str, str], tuple[Path, Any]] = {}
        for number, (case, form, again) in enumerate(wanted, 1):
            steps = case.plain if form == "plain" else case.safe
            key = case.name, form
            if key not in prepared:
                folder = testbed.revisions(f"{CASES.index(case)}-{form}", steps)
                prepared[key] = folder, testbed.prepare(folder)
            folder, verdicts = prepared[key]
            found = testbed.run(folder, case.ids)
            about = {"version": version, "case": case.name, "form": form, "round": again}
            found |= about | {"verdicts": verdicts}
            with Path(results).open("a") as file:
                print(json.dumps(found), file=file)
            seconds = "writes {:.2f} s, reads {:.2f} s".format(*found["with"])
            progress = f"{number}/{len(wanted)} {(time.monotonic() - began) / 60:.0f} min"
            print(f"{progress}  {case.name}, {form}: {seconds}", flush=True)
    finally:
        testbed.close()
    return 0


def forms(case: Case, rounds: int) -> Iterator[tuple[str, int]]:
    """Yield form and round.

    A migration that is safe in its plain form runs as often as safe forms.
    """
    if case.safe:
        yield "plain", 0
        yield from (("safe", number) for number in range(rounds))
    else:
        often = rounds if case.verdict[0] == NONE and not case.breaks else 1
        yield from (("plain", number) for number in range(often))


if __name__ == "__main__":
    run_main(main)
