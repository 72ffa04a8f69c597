"""Run the chassis's own tests on a generated project, for example one with a patched chassis.

python -m proofs.chassis [--coverage | --ordinary | --security] [--project DIR] [MODULE ...]

Modules (`api.test_pages`) limit the run to these, in one process. `--coverage` fails below 95 % of
the chassis's branches. `--ordinary` disables the shortcuts of the chassis. `--security` runs no
test: it writes into the template which security requirements the tests show.
"""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proofs.harness import generation
from proofs.harness.entry import parser, project_of, temporary_folder
from proofs.harness.generation import ROOT

SUITE = ROOT / "tests/chassis"
# The longest first, so that the last process does not run alone for long.
FOLDERS = ("api", "contract", "jobs", "migrations", "replication", "cli", "unit", "storage")
ROOMS = {"jobs", "storage"}  # A project has these only with some answers.
AT_A_TIME = 3
REPORT = ["-m", "coverage", "report", "--include=chassis/*"]
# These packages are tested by the template: tests/test_{template_update,generate,documents}.py.
REPORT += ["--omit=chassis/development/template/*,chassis/development/generate/*,*/diagrams.py"]
TABLE = "chassis.development.testing.security_table"
WRITTEN = ("chassis/development/testing/security_table.json", "docs/security.md")


def environment(**variables: str) -> dict[str, str]:
    return generation.environment(**variables, PYTHONPATH=str(SUITE))


def compile_once(project: Path) -> None:
    """Write the bytecode of all that the tests import: each process would compile it anew.

    The tests themselves write none. Bytecode knows a module by its second and size, and some tests
    write the same revision twice within a second.
    """
    discover = ["discover", f"--start-directory={SUITE}", f"--top-level-directory={SUITE}"]
    for arguments in (["manage.py", "--help"], ["-m", "unittest", *discover, "-k=no_such_test"]):
        python(project, *arguments, PYTHONDONTWRITEBYTECODE="")


def python(project: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [project / ".venv/bin/python", *arguments],
        cwd=project,
        env=environment(**{"PYTHONDONTWRITEBYTECODE": "1"} | variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def run(project: Path, folder: Path, *, modules: list[str], coverage: bool, ordinary: bool) -> int:
    """Run the tests and return the exit status; all processes share one embedded PostgreSQL."""
    begin = ["-m", "coverage", "run", "--source=chassis"] if coverage else []
    discover = ["discover", f"--top-level-directory={SUITE}", "--start-directory"]
    runner = ["-m", "support.ordinary" if ordinary else "unittest"]
    missing = {name for name in ROOMS if not (project / "chassis" / name).is_dir()}
    here = [name for name in FOLDERS if name not in missing]
    if missing and not modules:
        print(f"{', '.join(sorted(missing))}: not run, this project has none", flush=True)
    commands = [[*runner, *discover, str(SUITE / name)] for name in here]
    if modules:
        commands = [[*runner, *modules]]
    shared = {"TEST_EMBEDDED_DIRECTORY": str(folder), "COVERAGE_FILE": str(folder / "covered")}

    def one(command: list[str]) -> int:
        result = python(project, *begin, *command, **shared)
        print(result.stdout, flush=True)
        return result.returncode

    if not modules:
        compile_once(project)
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        status = max(threads.map(one, commands))
    if coverage:
        python(project, "-m", "coverage", "combine", "--quiet", **shared)
        result = python(project, *REPORT, **shared)
        print(result.stdout)
        status = status or result.returncode
    return status


def suite_of(project: Path, folder: Path) -> Path:
    """Copy the tests of the rooms that the project has: tests of other rooms cannot be imported."""
    missing = [name for name in ROOMS if not (project / "chassis" / name).is_dir()]
    ignored = shutil.ignore_patterns(*missing, "__pycache__")
    return Path(shutil.copytree(SUITE, folder / "suite", ignore=ignored))


def write_security(project: Path, folder: Path) -> int:
    """Write the table of security requirements into the project, and copy it to the template."""
    for arguments in (["chassis", str(suite_of(project, folder))], ["write"]):
        result = python(project, "-m", TABLE, *arguments)
        print(result.stdout, end="")
        if result.returncode:
            return result.returncode
    for name in WRITTEN:
        shutil.copy(project / name, ROOT / "{{cookiecutter.project_slug}}" / name)
    return 0


def main() -> int:
    arguments = parser("chassis", __doc__)
    arguments.add_argument("--coverage", action="store_true", help="measure covered branches")
    arguments.add_argument("--ordinary", action="store_true", help="leave all to the libraries")
    arguments.add_argument("--security", action="store_true", help="write what the tests show")
    arguments.add_argument("modules", nargs="*", metavar="MODULE")
    given = arguments.parse_args()
    with (
        temporary_folder("chassis") as folder,
        project_of(given.project, "chassis-project") as project,
    ):
        if given.project:
            generation.prepare(project)
        if given.security:
            return write_security(project, folder)
        how = {"coverage": given.coverage, "ordinary": given.ordinary}
        return run(project, folder, modules=given.modules, **how)


if __name__ == "__main__":
    sys.exit(main())
