"""A client that openapi-python-client generates from openapi.json works without an edit.

python -m proofs.conformance.client --project DIR
"""

import time
from pathlib import Path

from proofs.conformance.served_project import arguments, program, served
from proofs.harness.figures import Figure, all_of, conclude

SESSION = "client_session.py"
STEPS = ["create", "page", "change", "read", "complete", "delete", "problem"]


def main() -> None:
    given = arguments(__doc__)
    begun = time.monotonic()
    with served(given.project) as service:
        generated = program(
            given.tools / "openapi-python-client",
            *("generate", "--url", f"{service.url}/openapi.json"),
            *("--meta", "none", "--output-path", "client", "--fail-on-warning"),
            cwd=service.folder,
            # The generator calls ruff, which has to be on the PATH.
            PATH=f"{given.tools}:/usr/bin:/bin",
        )
        print(generated.stdout, flush=True)
        files = len(list((service.folder / "client").rglob("*.py")))
        (service.folder / SESSION).write_text(Path(__file__).with_name(SESSION).read_text())
        session = program(given.tools / "python", SESSION, service.url, cwd=service.folder)
        print(session.stdout, flush=True)
        done = [step for step in STEPS if f"{step}: ok" in session.stdout.splitlines()]
        left = service.database.rows("SELECT title FROM todos")
    conclude(
        "client",
        time.monotonic() - begun,
        [
            Figure("generated without a warning", f"{files} files", "", generated.returncode == 0),
            all_of("steps", len(done), len(STEPS)),
            Figure("the session", f"ended with {session.returncode}", "0", not session.returncode),
            Figure("rows left", str(left), "the second", left == [("Another",)]),
        ],
    )


if __name__ == "__main__":
    main()
