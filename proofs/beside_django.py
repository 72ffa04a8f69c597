"""Compare one resource in a project and in Django REST framework: lines, and rejected bad input.

python -m proofs.beside_django [--project DIR] [--every N] [--write]

Both get the same bad inputs, which are derived from the project's openapi.json. Django is installed
from requirements-django.txt into its own environment. `--write` writes docs/beside-django.md.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from proofs.every_field import COMMANDS, FILTERS, INDEX, build
from proofs.harness.entry import parser, project_of
from proofs.harness.generation import ROOT

PAGE, TEXT = ROOT / "docs/beside-django.md", ROOT / "proofs/django_gauges/page.md"
TOOLS, LOCKED = ROOT / ".django", ROOT / "requirements-django.txt"
DJANGO = ("models", "api")
HERE = "proofs.django_gauges.answers"
KINDS = {
    "field": "a value that the field's column or rule does not allow",
    "body": "a body that is not a JSON object",
    "query": "an unknown or invalid filter, sort or page",
    "type": "another content type or encoding",
}
# Runs in the project: prints each input, whether it is bad, and the status that it got.
ASK = """
import json, sys
from base64 import b64encode
import src
from chassis.development.testing.bearer import bearer, token
from chassis.development.testing.corpus import Corpus
from chassis.development.testing.database_cases import migrated_database
from chassis.development.testing.http_cases import config
from chassis.project import current_project

path, (step, *kinds) = "/my_service/v1/gauges", sys.argv[1:]
with migrated_database() as url:
    settings = {"database_url": url, "rate_limit": "", "service_prefix": "my_service"}
    app = current_project().create_app(config(**settings))
    client = app.test_client()
    document = client.get("/openapi.json").get_json()
    document["paths"] = {path: document["paths"][path]}
    inputs = [one for one in Corpus(document, token(app)).inputs() if one.kind in kinds]
    for one in inputs[:: int(step)]:
        sent = {"method": one.method, "data": one.body, "headers": one.headers}
        status = client.open(one.target, **sent).status_code
        body = b64encode(one.body or b"").decode()
        said = {"kind": one.kind, "method": one.method, "target": one.target, "body": body}
        said |= {"headers": one.headers, "wrong": bool(one.status), "status": status}
        print(json.dumps(said), flush=True)
    app.extensions["container"].engines().dispose()
"""
# Runs in the project: starts a PostgreSQL for Django, and stops it when standard input ends.
DATABASE = """
import sys
import src
from chassis.development.testing.database_cases import empty_database

with empty_database() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def python_of_django() -> Path:
    """Return the Python of Django's environment, which is made again when the lock file changes."""
    ready = TOOLS / LOCKED.name
    if not ready.exists() or ready.read_bytes() != LOCKED.read_bytes():
        shutil.rmtree(TOOLS, ignore_errors=True)
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, TOOLS], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", str(TOOLS / "bin/python")]
        subprocess.run([*install, "--require-hashes", "--requirement", LOCKED], check=True)
        shutil.copy(LOCKED, ready)
    return TOOLS / "bin/python"


def answers(project: Path, step: int) -> Iterator[tuple[str, bool, int, int]]:
    """Yield for each input its kind, whether it is bad, and the statuses of project and Django."""
    python, lines = project / ".venv/bin/python", project / ".asked.jsonl"
    with lines.open("w", encoding="utf-8") as file:
        subprocess.run([python, "-c", ASK, str(step), *KINDS], cwd=project, stdout=file, check=True)
    with subprocess.Popen(
        [python, "-c", DATABASE],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as database:
        assert database.stdout
        url = database.stdout.readline().strip()
        asked = subprocess.run(
            [python_of_django(), "-m", HERE, lines, url],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.split()
        database.communicate()
    inputs = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    lines.unlink()
    for one, status in zip(inputs, asked, strict=True):
        yield one["kind"], one["wrong"], one["status"], int(status)


def counted(path: Path) -> int:
    return len([line for line in path.read_text("utf-8").splitlines() if line.strip()])


def lines_by_hand(project: Path) -> tuple[int, int, int]:
    """Count lines: written by hand for the project, written by `generate`, written for Django."""
    wrote = [path for name in ("gauge", "site") for path in project.glob(f"src/**/{name}*.py")]
    by_hand = len([line for line in COMMANDS if "generate" in line])
    by_hand += len(FILTERS.splitlines()) + len(INDEX.splitlines()) + 1  # The import.
    folder = ROOT / "proofs/django_gauges"
    return by_hand, sum(map(counted, wrote)), sum(counted(folder / f"{n}.py") for n in DJANGO)


def table(project: Path, step: int) -> tuple[str, bool]:
    """Return the page, and whether the project rejected all bad input without a 5xx."""
    ours: Counter[tuple[str, str]] = Counter()
    theirs: Counter[tuple[str, str]] = Counter()
    right = Counter[str]()
    for kind, wrong, mine, others in answers(project, step):
        if wrong:
            ours[kind, outcome(mine)] += 1
            theirs[kind, outcome(others)] += 1
        else:
            right["ours"] += mine >= 500
            right["theirs"] += others >= 500
    rows = []
    for kind, text in KINDS.items():
        number = sum(ours[kind, word] for word in ("refused", "taken", "broke"))
        shown = [ours[kind, "refused"], ours[kind, "broke"]]
        shown += [theirs[kind, word] for word in ("refused", "taken", "broke")]
        rows.append(f"| {text} | {number} | " + " | ".join(map(str, shown)) + " |")
    by_hand, wrote, django = lines_by_hand(project)
    page = TEXT.read_text("utf-8").format(
        rows="\n".join(rows),
        by_hand=by_hand,
        wrote=wrote,
        django=django,
        ours=right["ours"],
        theirs=right["theirs"],
        step=f" The proof sent every {step}th input." if step > 1 else "",
    )
    holds = not any(ours[kind, word] for kind in KINDS for word in ("taken", "broke"))
    return page, holds and not right["ours"]


def outcome(status: int) -> str:
    return "broke" if status >= 500 else "refused" if status >= 400 else "taken"


def main() -> int:
    arguments = parser("beside_django", __doc__)
    arguments.add_argument("--every", type=int, default=1, help="send each N-th input only")
    arguments.add_argument("--write", action="store_true", help="write docs/beside-django.md")
    given = arguments.parse_args()
    with project_of(given.project, "beside-django") as project:
        if not given.project:
            build(project, whole=False)
        text, holds = table(project, given.every)
    print(text)
    if given.write:
        PAGE.write_text(text, "utf-8")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
