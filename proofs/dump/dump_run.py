"""Dumps and restores under load; runs in the environment of the project."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proofs.harness.database import Database
from proofs.harness.figures import Figure, all_of, at_least, conclude, none_of
from proofs.harness.load import Answer, Load, Mix, load
from proofs.harness.processes import run_main
from proofs.harness.testbed import Testbed

# docs/operations.md of the project leaves the windows out, and then runs `db upgrade`.
KINDS: dict[str, list[str]] = {"whole": [], "without windows": ["--exclude-schema=ops"]}
MIX = Mix(writes=0.6, changes=0.3, slow=0)


@dataclass(frozen=True, slots=True)
class Dump:
    kind: str
    file: Path
    began: float
    ended: float


@dataclass(slots=True)
class Restored:
    """What is wrong with a restored database; each text is one fault."""

    refused: list[str]
    lost: list[str]
    seeds: int
    not_served: list[str]


def dump(database: Database, kind: str, file: Path) -> Dump:
    options = ["--format=custom", f"--file={file}", *KINDS[kind]]
    command = [database.cluster.program("pg_dump"), *options, database.url]
    began = time.time()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise AssertionError(f"pg_dump ended with {result.returncode}:\n{result.stderr}")
    return Dump(kind, file, began, time.time())


def during(one: Dump, answers: Load) -> int:
    """Count the writes that were sent and acknowledged while the dump was taken."""
    return sum(a.good and one.began < a.sent and a.received < one.ended for a in answers.writes())


def lost(one: Dump, answers: Load, stored: dict[str, str]) -> Iterator[str]:
    """Find what was acknowledged before the dump began, and is neither stored nor overwritten.

    A row has one client only, which waits for each answer: so its writes have an order.
    """
    of_rows: dict[str, list[Answer]] = {}
    for write in answers.writes():
        of_rows.setdefault(write.id, []).append(write)
    for row, writes in of_rows.items():
        before = [n for n, a in enumerate(writes) if a.good and a.received < one.began]
        if row and before and stored.get(row) not in {a.title for a in writes[before[-1] :]}:
            yield f"lost: {writes[before[-1]].title!r} is {stored.get(row)!r}"


def restore(testbed: Testbed, one: Dump, answers: Load) -> Restored:
    with testbed.cluster.clone(testbed.cluster.empty) as database:
        program = database.cluster.program("pg_restore")
        command = [program, "--exit-on-error", f"--dbname={database.url}"]
        result = subprocess.run([*command, one.file], capture_output=True, text=True, check=False)
        if result.returncode:
            return Restored([result.stderr], [], 0, [])
        stored = dict(database.rows("SELECT id::text, title FROM todos"))
        seeds = sum(title.startswith("Seed ") for title in stored.values())
        found = Restored([], list(lost(one, answers, stored)), seeds, [])
        try:
            if one.kind != "whole":
                testbed.serving.run(database, "db", "upgrade")
            with testbed.serving.serve(database, workers=1, threads=4) as port:
                with load(port, clients=2, mix=MIX) as after:
                    after.wait_for_answers(20)
                found.not_served += [f"{a.status} {a.said}" for a in after.answers if not a.good]
        except AssertionError as error:
            found.not_served.append(str(error))
        return found


def prove(testbed: Testbed, times: int, rows: int) -> list[Figure]:
    dumps: list[Dump] = []
    with (
        testbed.clone(rows=rows) as database,
        testbed.serving.serve(database, workers=1, threads=4) as port,
        load(port, clients=4, mix=MIX) as answers,
    ):
        for n in range(times):
            for kind in KINDS:
                answers.wait_for_answers(50)
                dumps.append(dump(database, kind, testbed.folder / f"{n} {kind}.dump"))
        answers.wait_for_answers()
    restored = [restore(testbed, one, answers) for one in dumps]
    for text in [text for one in restored for text in one.refused + one.lost + one.not_served][:20]:
        print(text, flush=True)
    busy = [one for one in dumps if during(one, answers)]
    before = sum(a.good and a.received < dumps[0].began for a in answers.writes())
    return [
        Figure("acknowledged writes", str(len(answers.accepted()))),
        at_least("of them before the first dump", before),
        Figure("of them while a dump was taken", str(sum(during(one, answers) for one in dumps))),
        all_of("dumps during which clients wrote", len(busy), len(dumps)),
        none_of("failures without Retry-After during the dumps", answers.unexplained()),
        none_of("dumps that pg_restore refused", [one for one in restored if one.refused]),
        none_of(
            "writes acknowledged before a dump, and lost", [t for o in restored for t in o.lost]
        ),
        all_of("rows from before the load", sum(o.seeds for o in restored), len(dumps) * rows),
        none_of("restored databases not served", [one for one in restored if one.not_served]),
    ]


def main() -> int:
    _, project, times, rows = sys.argv
    testbed, began = Testbed(Path(project)), time.monotonic()
    try:
        figures = prove(testbed, int(times), int(rows))
    finally:
        testbed.close()
    conclude("Dumps under load", time.monotonic() - began, figures)


if __name__ == "__main__":
    run_main(main)
