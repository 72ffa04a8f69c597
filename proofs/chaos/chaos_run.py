"""Causes the faults on a generated project; runs in that project's environment."""

import sys
import traceback
from pathlib import Path

from proofs.chaos import database_faults, other_faults, server_faults
from proofs.chaos.fault_table import Line, table
from proofs.chaos.fault_testbed import Fault, FaultTestbed, NotPossibleError, Outcome
from proofs.chaos.ledger import clients
from proofs.chaos.neighbours import Proxy
from proofs.chaos.postgres import Postgres, pause
from proofs.chaos.server import serving
from proofs.harness.database import Cluster
from proofs.harness.processes import run_main
from proofs.harness.testbed import Project, Testbed

FAULTS: dict[str, Fault] = {
    **database_faults.FAULTS,
    **server_faults.FAULTS,
    **other_faults.FAULTS,
}
ROWS, CLIENTS, THREADS, CONNECTIONS = 100, 12, 4, 60
BEFORE, AFTER = 0.7, 1.5
KEYS = "chassis/tokens/signing_keys.py"
ALWAYS = (  # Fetch the issuer's keys all the time.
    ("FRESH_SECONDS, OLDEST_SECONDS = 300", "FRESH_SECONDS, OLDEST_SECONDS = 0.1"),
    ("PAUSE_AFTER_FAILURE_SECONDS = 5, 0.5", "PAUSE_AFTER_FAILURE_SECONDS = 0.1, 0.1"),
)


def trial(testbed: Testbed, project: Project, fault: Fault) -> Outcome:
    neighbour = fault.around(testbed) if fault.around else None
    try:
        variables = {"THREADS": str(THREADS), **(neighbour.variables() if neighbour else {})}
        port = neighbour.api if isinstance(neighbour, Proxy) else None
        with (
            testbed.clone(ROWS) as database,
            serving(project, database, fault.processes, variables, port) as server,
        ):
            postgres = Postgres(testbed.folder / "postgres/data")
            fault_testbed = FaultTestbed(testbed, project, database, postgres, server, neighbour)
            before = server.workers()
            asked = neighbour.port if isinstance(neighbour, Proxy) else server.port
            with clients(asked, CLIENTS) as ledger:
                pause(BEFORE)
                ended = fault.make(fault_testbed)
                pause(AFTER)
            gone = before - server.workers()
            return Outcome(
                ledger=ledger,
                lost=ledger.lost(database),
                recovery=ledger.recovery(ended),
                same=len(gone) == fault.replaced,
                slowest=ledger.slowest(),
                complaints=fault_testbed.complaints,
            )
    finally:
        if neighbour:
            neighbour.close()


def show(testbed: Testbed, project: Project, name: str, times: int) -> Line:
    fault = FAULTS[name]
    line = Line(name, fault)
    for number in range(times):
        try:
            outcome = trial(testbed, project, fault)
        except NotPossibleError as error:
            line.not_run = str(error)
            break
        except Exception as error:  # Go on with the other faults.
            traceback.print_exc()
            line.broken.append(f"{type(error).__name__}: {error}".partition("\n")[0])
            continue
        line.outcomes.append(outcome)
        print(f"  {name} {number + 1}: {line.describe(outcome)}", flush=True)
    return line


def main() -> int:
    folder, length, times, *only = sys.argv[1:]
    if unknown := set(only) - FAULTS.keys():
        print(f"No such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}.")
        return 2
    chosen = only or [name for name, one in FAULTS.items() if one.short or length == "full"]
    testbed = Testbed(Path(folder))
    try:
        print(f"PostgreSQL {testbed.cluster.version()}", flush=True)
        limit_connections(testbed.cluster, Postgres(testbed.folder / "postgres/data"))
        project = testbed.variant("chaos")
        project.patch(KEYS, *ALWAYS)
        lines = [show(testbed, project, name, int(times)) for name in chosen]
    finally:
        testbed.close()
    print(table(lines))
    failed = [line for line in lines if not line.holds(strict=length == "full")]
    print(f"\n{len(failed)} faults are not borne." if failed else "\nEvery fault is borne.")
    return 1 if failed else 0


def limit_connections(cluster: Cluster, postgres: Postgres) -> None:
    cluster.admin.rows(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
    postgres.restart("fast")


if __name__ == "__main__":
    run_main(main)
