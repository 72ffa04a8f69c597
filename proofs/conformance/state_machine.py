"""For any order of requests, the service gives the same results as a plain dictionary.

python -m proofs.conformance.state_machine --project DIR [--short]
"""

import json
import time

from proofs.conformance.served_project import ROOT, arguments, program, served
from proofs.harness.figures import Figure, conclude

STEPS, STEPS_SHORT = 3000, 1000
SESSION = "proofs.conformance.todo_machine"


def main() -> None:
    given = arguments(__doc__)
    steps = STEPS_SHORT if given.short else STEPS
    begun = time.monotonic()
    with served(given.project) as service:
        session = program(
            *(given.tools / "python", "-m", SESSION, service.url, str(steps)),
            cwd=service.folder,
            PYTHONPATH=str(ROOT),
        )
        print(session.stdout, flush=True)
        done = json.loads(session.stdout.splitlines()[-1]) if session.returncode == 0 else {}
        left = service.database.value("SELECT count(*) FROM todos")
    total = sum(done.values())
    conclude(
        "state machine",
        time.monotonic() - begun,
        [
            Figure("steps", str(total), f">= {steps}", total >= steps),
            *(
                Figure(f"  {name}", str(number), "some", number > 0)
                for name, number in done.items()
            ),
            Figure("the session", f"ended with {session.returncode}", "0", not session.returncode),
            Figure("rows left", str(left), "0", left == 0),
        ],
    )


if __name__ == "__main__":
    main()
