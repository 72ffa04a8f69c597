"""Bad input to every documented operation gets its documented error, over raw sockets.

python -m proofs.conformance.corpus --project DIR [--short]

The proof runs in the project's environment; chassis/development/testing generates the inputs.
"""

import os
import sys
import time

from proofs.conformance.corpus_service import LIMIT, Service
from proofs.conformance.served_project import arguments
from proofs.harness.database import Database
from proofs.harness.testbed import Testbed

LEAST, LEAST_SHORT = 600, 200
SETTINGS = {
    "TRUSTED_HOSTS": "127.0.0.1",
    "MAX_BODY_BYTES": str(LIMIT),
}
HAS_VERSION = """
    SELECT quote_ident(table_name) FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'version'
"""


def rows_of(database: Database) -> int:
    tables = [name for (name,) in database.rows(HAS_VERSION)]
    return sum(int(database.value(f"SELECT count(*) FROM {table}")) for table in tables)


def main() -> int:
    given = arguments(__doc__)
    os.environ.update(SETTINGS)
    # Before the template's folder, which has another package `tests`.
    sys.path.insert(0, str(given.project.resolve()))
    begun = time.monotonic()
    testbed = Testbed(given.project)
    try:
        database = testbed.cluster.create(testbed.cluster.empty)
        testbed.serving.run(database, "db", "upgrade")
        with testbed.serving.serve(database, workers=1, threads=8) as port:
            service = Service(port, testbed.issuer)
            inputs = list(service.corpus().inputs())
            for one in inputs[:: 4 if given.short else 1]:
                service.try_input(one)
            print(f"  {sum(service.judge.asked.values())} inputs to operations", flush=True)
            for frame in service.frames():
                service.try_frame(frame)
            service.try_right_ones()
            rows = rows_of(database)
    finally:
        testbed.close()
    return conclude(service, rows, LEAST_SHORT if given.short else LEAST, begun)


def conclude(service: Service, rows: int, least: int, begun: float) -> int:
    judge = service.judge
    number = sum(judge.asked.values())
    if rows != service.created:
        judge.faults["rows that nobody was told of, or that are gone"] = abs(rows - service.created)
    print("  asked: " + ", ".join(f"{kind} {n}" for kind, n in sorted(judge.asked.items())))
    print(
        "  answered: " + ", ".join(f"{status} {n}" for status, n in sorted(judge.answered.items()))
    )
    print("\n".join(judge.told[:50]))
    if number < least:
        judge.faults["fewer inputs than"] = least
    other = ", ".join(f"{n} {fault}" for fault, n in judge.faults.items() if fault != "5xx")
    print(
        f"corpus: {number} inputs, {judge.faults['5xx']} 5xx, {other or 'no other fault'}, "
        f"{service.created} rows as promised, the slowest answer in {judge.slowest:.2f} s, "
        f"in {time.monotonic() - begun:.0f} s"
    )
    return 1 if sum(judge.faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
