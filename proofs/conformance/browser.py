"""The page /docs works in a real browser that can reach the server only.

python -m proofs.conformance.browser --project DIR
"""

import json
import time
from pathlib import Path

from proofs.conformance.served_project import arguments, program, served
from proofs.harness.figures import Figure, conclude, none_of

SESSION = "browser_session.py"
TITLE = "Made in the browser"


def main() -> None:
    given = arguments(__doc__)
    begun = time.monotonic()
    with served(given.project) as service:
        (service.folder / SESSION).write_text(Path(__file__).with_name(SESSION).read_text())
        session = program(
            *(given.tools / "python", SESSION, service.url, TITLE), cwd=service.folder
        )
        print(session.stdout, flush=True)
        found = json.loads(session.stdout.splitlines()[-1]) if session.returncode == 0 else {}
        rows = service.database.rows("SELECT title FROM todos")
    listed, documented = found.get("listed", []), found.get("documented", ["?"])
    status = str(found.get("status"))
    conclude(
        "browser",
        time.monotonic() - begun,
        [
            Figure("browser", str(found.get("browser"))),
            Figure("seconds until the operations are shown", str(found.get("seconds"))),
            none_of("requests to another address", found.get("elsewhere", ["?"])),
            none_of("errors on the console", found.get("errors", ["?"])),
            Figure(
                "operations shown",
                f"{len(listed)} of {len(documented)}",
                "all",
                sorted(listed) == sorted(documented),
            ),
            Figure("the answer to try it out", status, "201", status == "201"),
            Figure("rows", str(rows), "the one", rows == [(TITLE,)]),
        ],
    )


if __name__ == "__main__":
    main()
