"""Fixtures: the template as it is in the working tree, and projects generated from it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
collect_ignore = ["chassis"]  # proofs.chassis runs these in a generated project.
PROJECT_FOLDER = "{{cookiecutter.project_slug}}"

# The longest first, so that neither of two test processes runs alone for long at the end.
LONGEST = """
    move generate conformance every_field mistakes examples growth first_minute order_desk
    documents chassis project compat jobs files how_to pooler template_update update pipelines
    hooks generation grow demo install clusters audit
""".split()

Bake = Callable[..., Path]
Report = list[str]


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, check=check, capture_output=True, text=True)


def git(*arguments: str, cwd: Path) -> str:
    return run("git", *arguments, cwd=cwd).stdout.strip()


def commit_all(repository: Path, message: str) -> None:
    git("add", "--all", cwd=repository)
    git("commit", "--quiet", "--message", message, cwd=repository)


def working_files() -> list[str]:
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_template(folder: Path) -> Path:
    """Make a git repository of the tracked and new files, so that tests see uncommitted changes."""
    for name in working_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    git("init", "--quiet", cwd=folder)
    commit_all(folder, "The template")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the developer's settings of git and cookiecutter."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "gitconfig").write_text("[user]\nname = A Tester\nemail = tester@example.org\n")
    (folder / "cookiecutter.yaml").write_text(
        f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        # Cookiecutter leaves copies of the hooks in the temporary folder.
        patch.setattr("tempfile.tempdir", str(folder))
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        # Without bytecode each process of a project compiles 700 modules: five seconds, not two.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # mypy compares hashes, so that copies of a project share what it knows of the libraries.
        patch.setenv("MYPY_CACHE_DIR", str(folder / "mypy"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        patch.setenv("COOKIECUTTER_CONFIG", str(folder / "cookiecutter.yaml"))
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, shared by all tests. A test that changes it takes `own_template`."""
    return copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def own_template(tmp_path: Path) -> Path:
    folder = tmp_path / "template"
    folder.mkdir()
    return copy_template(folder)


@pytest.fixture
def bake(template: Path, tmp_path: Path) -> Bake:
    """bake(**answers) generates a project, without a question, in a new folder."""
    made = 0

    def generate(source: Path = template, /, **answers: object) -> Path:
        nonlocal made
        made += 1
        folder = tmp_path / f"baked{made}"
        folder.mkdir()
        return bake_into(folder, source, **answers)

    return generate


def bake_into(folder: Path, source: Path, **answers: object) -> Path:
    project = cookiecutter(
        str(source), no_input=True, extra_context=answers, output_dir=str(folder)
    )
    return Path(project)


@pytest.fixture(scope="session")
def default_project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the default answers, generated once; tests must not change it."""
    return bake_into(tmp_path_factory.mktemp("default"), template)


@pytest.fixture(scope="session")
def empty_project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without the example, generated once; tests must not change it."""
    return bake_into(tmp_path_factory.mktemp("empty"), template, example_resource=False)


def tool(name: str) -> str:
    """Return the path of a command in the environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


def project_files(project: Path) -> list[Path]:
    """List all files except git's own and the secrets, relative to the project."""
    return sorted(
        path.relative_to(project)
        for path in project.rglob("*")
        if path.is_file()
        and path.relative_to(project).parts[0] not in {".git", ".env"}
        and "__pycache__" not in path.parts
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = [f"test_{name}" for name in LONGEST]
    items.sort(key=lambda item: (*order, item.path.stem).index(item.path.stem))


REPORT = pytest.StashKey[Report]()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Lines for the end of the run, such as the databases that were used."""
    return pytestconfig.stash.setdefault(REPORT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect the lines of one of several test processes."""
    node.config.stash.setdefault(REPORT, []).extend(node.workeroutput.get("report", []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["report"] = session.config.stash.get(REPORT, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in terminalreporter.config.stash.get(REPORT, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def engine(report: Report) -> None:
    """Require a Docker engine. Without one the test is skipped, and the end of the run says so."""
    try:
        command = ["docker", "info", "--format", "{{.ServerVersion}}"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        report.append("containers: not run, no Docker engine")
        if os.environ.get("TEST_DATABASE") == "docker":
            pytest.fail("TEST_DATABASE=docker insists on a Docker engine, and none answers")
        pytest.skip("containers: not run, no Docker engine")


def make(project: Path, *arguments: str, **variables: str) -> str:
    """Run make in the project and return its output; fail with the output where make fails."""
    result = subprocess.run(
        ["make", *arguments],
        cwd=project,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"make {' '.join(arguments)}\n{result.stdout}"
    return result.stdout


def environment(**variables: str) -> dict[str, str]:
    """Return the variables of a newcomer's shell: make would pass its settings to an inner make."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAKE") and name not in {"VIRTUAL_ENV", "MFLAGS"}
    }
    return inherited | variables


def prove(programme: str, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a proof on a project; standard output has its errors, too."""
    return subprocess.run(
        [sys.executable, "-m", programme, "--project", str(project), *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def short_form(programme: str, project: Path, *arguments: str) -> str:
    """Run the short form of a proof on a project; return its output. Fail where a bound fails."""
    result = prove(programme, project, "--short", *arguments)
    assert result.returncode == 0, result.stdout
    return result.stdout


def command(line: str, *, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a newcomer's shell would."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default project in a folder whose path has a space; tests must not change it."""
    folder = tmp_path_factory.mktemp("my projects")
    # Root's embedded PostgreSQL runs as another user, who follows a copy's link to this folder.
    folder.chmod(0o755)
    return bake_into(folder, template)


@pytest.fixture(scope="session")
def installed(project: Path) -> Path:
    """The same with its environment, which copies and other projects link to."""
    make(project, ".venv/.ready")
    # The first processes compile all that they import; a test that waits for a start need not.
    for arguments in (["--help"], ["openapi", "check"]):
        run(project / ".venv/bin/python", "manage.py", *arguments, cwd=project)
    return project


@pytest.fixture
def copy(installed: Path, tmp_path: Path) -> Path:
    """A copy of the default project that a test may change, with the original's environment."""
    target = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".venv", ".postgres", "*_cache")
    shutil.copytree(installed, target, ignore=ignored)
    (target / ".venv").symlink_to(installed / ".venv")
    return target
