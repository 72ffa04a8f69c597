"""Steps that change a team's code where the template moved a name. Each step is a file.

`python -m updates.steps PROJECT [DONE ...]` resolves the conflicts of git that it can, runs the
steps that are not DONE in the order of their names, and prints each changed file. `manage.py
template update` runs the steps of the version that it updates to. Running a step again changes
nothing.

NAME.txt lists moved names, in the form of updates/mapping.txt. NAME.py has `run(project)`, which
yields the changed paths; it may use chassis.development.generate.splice.
"""

import runpy
from collections.abc import Iterator
from pathlib import Path

from updates.renames import Mapping, read, rewritten, texts

FOLDER = Path(__file__).parent
TEAMS = ("src", "tests", "scripts", "migrations/env.py", "manage.py", "wsgi.py")


def steps() -> list[Path]:
    """Return the files of all steps, in their order."""
    found = [*FOLDER.glob("[0-9]*.txt"), *FOLDER.glob("[0-9]*.py")]
    return sorted(found, key=lambda path: path.name)


def run(project: Path, done: frozenset[str] = frozenset()) -> Iterator[str]:
    """Run the steps that are not `done`; yield the path of each changed file."""
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
