"""What changes a team's code where this template moved a name: a file a step, in their order.

`python -m updates.steps PROJECT [DONE ...]` resolves what it can of git's conflicts, runs the steps
that are not done, and prints each file that it changed. `manage.py template update` does that with
the state that it updates to. A step that is done twice changes nothing the second time.

NAME.txt lists what moved, as updates/mapping.txt does. NAME.py has `run(project)`, which yields
the paths that it changed; it may use chassis.development.generate.splice.
"""

import runpy
from collections.abc import Iterator
from pathlib import Path

from updates.renames import Mapping, read, rewritten, texts

FOLDER = Path(__file__).parent
TEAMS = ("src", "tests", "scripts", "migrations/env.py", "manage.py", "wsgi.py")


def steps() -> list[Path]:
    found = [*FOLDER.glob("[0-9]*.txt"), *FOLDER.glob("[0-9]*.py")]
    return sorted(found, key=lambda path: path.name)


def run(project: Path, done: frozenset[str] = frozenset()) -> Iterator[str]:
    for step in steps():
        if step.name in done:
            continue
        if step.suffix == ".py":
            yield from runpy.run_path(str(step))["run"](project)
        else:
            yield from _rename(project, Mapping.read(step))


def _rename(project: Path, mapping: Mapping) -> Iterator[str]:
    for path in texts([project / name for name in TEAMS if (project / name).exists()]):
        if path.suffix != ".py":
            continue
        old = read(path)
        new = rewritten(old, mapping, python=True)
        if new != old:
            path.write_text(new, "utf-8", newline="")
            yield str(path.relative_to(project))
