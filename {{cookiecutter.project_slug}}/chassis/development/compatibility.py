"""`db compat`: whether two releases can share a database while one replaces the other.

Expand revisions come before the new code, contract revisions after it (docs/migrations.md). So the
earlier release has to work on the expanded schema, and the new code before the contract revisions.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory

import click

from chassis.development.testing.database_cases import empty_database
from chassis.maintenance.revisions import Revision, read_revisions
from chassis.project import current_project

FINDINGS = 3
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".postgres", ".env", "*_cache", "__pycache__")
# All tests except those that compare the models with all revisions: some revisions are left out.
RUN_TESTS = """
import sys, unittest
from chassis.development.testing.suites.revision_line import DriftSuite, StairwaySuite
def each(suite):
    for one in suite:
        yield from each(one) if isinstance(one, unittest.TestSuite) else [one]
found = each(unittest.defaultTestLoader.discover("tests"))
chosen = [one for one in found if not isinstance(one, (DriftSuite, StairwaySuite))]
sys.exit(not unittest.TextTestRunner().run(unittest.TestSuite(chosen)).wasSuccessful())
"""
START = """
import sys
from importlib import import_module
status = import_module(sys.argv[1]).app.test_client().get("/health/live").status_code
assert status == 200, status
"""
VERSIONS = Path("migrations", "versions")


@click.command()
@click.option(
    "--base",
    "--against",
    required=True,
    metavar="REF",
    help="Tag, branch or commit of the running release.",
)
def compat(base: str) -> None:
    """Try both releases on the schemas that they share during a deployment.

    Runs the tests of BASE on the schema with the new expand revisions, and the tests of this code
    without the new contract revisions. The exit code is 3 if one of these runs fails.

    \b
    python manage.py db compat --base origin/main
    """
    with TemporaryDirectory(prefix="compat-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # For root, the embedded PostgreSQL runs as another user.
        wrong = list(_differences(base, folder))
    for sentence in wrong:
        click.echo(f"Error: {sentence}", err=True)
    if wrong:
        sys.exit(FINDINGS)
    click.echo(f"{base} and this code can share a database while one replaces the other.")


def _differences(base: str, folder: Path) -> Iterator[str]:
    earlier = _unpack(base, folder / "earlier")
    earlier_revisions = {one.revision for one in read_revisions(earlier / VERSIONS)}
    new = [one for one in read_revisions() if one.revision not in earlier_revisions]
    expand = [one for one in new if not one.is_contract]
    contract = [one for one in new if one.is_contract]
    click.echo(
        f"New expand revisions: {_names(expand)}. New contract revisions: {_names(contract)}."
    )
    if expand and contract and new.index(expand[-1]) > new.index(contract[0]):
        yield f"{expand[-1].revision} (expand) comes after {contract[0].revision} (contract)."
        return
    if problem := _start(earlier):
        yield f"This code does not start on the schema of {base}:\n{problem}"
    for one in expand:
        shutil.copy2(_file(one), earlier / VERSIONS)
    if problem := _tests(earlier):
        yield f"{base} fails on the schema with {_names(expand)}:\n{problem}"
    if contract:
        later = folder / "later"
        shutil.copytree(current_project().root, later, ignore=LEFT_OUT, symlinks=True)
        for one in contract:
            (later / VERSIONS / _file(one).name).unlink()
        if problem := _tests(later):
            yield f"This code fails on the schema without {_names(contract)}:\n{problem}"


def _unpack(reference: str, folder: Path) -> Path:
    """Write the project's state at a commit into a folder."""
    root = current_project().root
    archive = subprocess.run(
        [shutil.which("git") or "git", "archive", "--format=tar", reference, "--", "."],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        reason = archive.stderr.decode(errors="replace").strip()
        raise click.ClickException(f"There is no {reference} to compare with. ({reason})")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    if not (folder / "chassis/development/testing").is_dir():
        raise click.ClickException(f"{reference} is older than this command: choose a later one.")
    return folder


def _file(one: Revision) -> Path:
    return next(current_project().versions.glob(f"{one.revision}_*.py"))


def _names(revisions: list[Revision]) -> str:
    return ", ".join(one.revision for one in revisions) or "none"


def _tests(project: Path) -> str | None:
    """Run the tests. Return the failures or the end of the output; None if all pass."""
    result = _python(project, "-c", RUN_TESTS)
    failed = [line for line in result.stderr.splitlines() if line.startswith(("FAIL:", "ERROR:"))]
    return "\n".join(failed) or result.stderr[-2000:] if result.returncode else None


def _start(earlier: Path) -> str | None:
    """Start this code on a database of the earlier release; return what is wrong."""
    with empty_database() as url:
        made = _python(earlier, "manage.py", "db", "upgrade", DATABASE_URL=url)
        if made.returncode:
            return made.stderr
        project = current_project()
        module = f"{project.package}.app"
        started = _python(project.root, "-c", START, module, DATABASE_URL=url)
        return started.stderr[-2000:] if started.returncode else None


def _python(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=os.environ | {"ENVIRONMENT": "development", "SECRET_KEY": token_urlsafe()} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
