"""Generate, install, start, migrate, check and test a project for each combination of answers.

python -m proofs.matrix --list      the combinations, and how many there are
python -m proofs.matrix             all, and the defaults on each supported Python
python -m proofs.matrix --resume    only those that have not passed yet

Answers that change running code are combined with each other. Each value of another answer, such as
the licence, is tried in one combination. Each project's path has a space, and every second project
has no git repository.
"""

import argparse
import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from proofs.harness.entry import parser, temporary_folder
from proofs.harness.generation import ROOT, copy_template, environment
from proofs.harness.processes import free_port

QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
PYTHONS = ("3.11", "3.12", "3.13")
# Running code consists of these; all else is prose, pipelines and manifests.
RUNS = ("chassis", "src", "tests", "requirements", "migrations", "scripts/install.sh", "Makefile")
RESULTS = ROOT / ".matrix.json"
START_SECONDS = 180
STEPS = (
    ("install", "make .venv/.ready"),
    ("up", ".venv/bin/python manage.py db upgrade"),
    ("down", ".venv/bin/python manage.py db downgrade base --yes"),
    ("up again", ".venv/bin/python manage.py db upgrade"),
    ("check", "make check"),
    ("test", "make test"),
)
Answers = dict[str, object]


@dataclass(frozen=True)
class Combination:
    answers: tuple[tuple[str, object], ...]
    python: str | None = None  # None stands for the first Python on the PATH.

    @property
    def name(self) -> str:
        words = [f"{name}={value}" for name, value in self.answers]
        return " ".join([*words, *([f"Python {self.python}"] if self.python else [])])


def choices() -> dict[str, list[object]]:
    """Return the values of each question that has a choice, the default first."""
    return {
        name: default if isinstance(default, list) else [default, not default]
        for name, default in QUESTIONS.items()
        if isinstance(default, list | bool) and not name.startswith("_")
    }


def combinations(template: Path, folder: Path) -> list[Combination]:
    every = choices()
    default = {name: values[0] for name, values in every.items()}
    plain = fingerprint(generate(template, folder / "plain", default))
    deep = {
        name
        for name, values in every.items()
        for number, value in enumerate(values[1:])
        if fingerprint(generate(template, folder / f"{name}{number}", {**default, name: value}))
        != plain
    }
    names = [name for name in every if name in deep]
    full = [
        {**default, **dict(zip(names, values, strict=True))}
        for values in itertools.product(*(every[name] for name in names))
    ]
    crossed = [
        {**full[number % len(full)], name: value}
        for name in every
        if name not in deep
        for number, value in enumerate(every[name][1:], 1)
    ]
    found = [Combination(tuple(answers.items())) for answers in [*full, *crossed]]
    return found + [Combination(tuple(default.items()), version) for version in PYTHONS]


def covering(every: list[Combination]) -> list[Combination]:
    """Return two combinations: all answers on, and all off."""
    on = max(every, key=lambda one: sum(value not in {False, "none"} for _, value in one.answers))
    off = min(every, key=lambda one: sum(value not in {False, "none"} for _, value in one.answers))
    return [on, off]


def fingerprint(project: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        name = str(path.relative_to(project))
        if path.is_file() and name.startswith(RUNS):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def generate(template: Path, folder: Path, answers: Answers) -> Path:
    folder.mkdir(parents=True)
    settings = folder / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n")
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--config-file", str(settings)]
    command += ["--output-dir", str(folder / "made"), str(template)]
    command += [f"{name}={value}" for name, value in answers.items()]
    subprocess.run(command, check=True, capture_output=True)
    [project] = (folder / "made").iterdir()
    return project


def path_with(python: str | None, folder: Path) -> str | None:
    """Return a PATH whose python3 has that version; None where this machine has none."""
    if python is None:
        return os.environ["PATH"]
    program = shutil.which(f"python{python}") or next(
        (str(one) for one in Path.home().glob(f".pyenv/versions/{python}.*/bin/python3")), None
    )
    if program is None:
        return None
    (folder / "bin").mkdir()
    (folder / "bin/python3").symlink_to(program)
    return f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"


def prove(template: Path, one: Combination, number: int) -> str:
    """Try a combination; return "passed", or a sentence about the failure."""
    with temporary_folder("matrix ") as folder:  # A path with a space.
        path = path_with(one.python, folder)
        if path is None:
            return f"not run: no Python {one.python}"
        project = generate(template, folder / "a project", dict(one.answers))
        if number % 2:
            shutil.rmtree(project / ".git")
        variables = environment(PATH=path, ENVIRONMENT="development")
        for step, command in STEPS:
            result = subprocess.run(
                ["bash", "-c", command],
                cwd=project,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if result.returncode:
                return f"{step} failed:\n{result.stdout[-3000:]}"
            if step == "install" and (problem := answer(project, variables)):
                return f"start failed: {problem}"
    return "passed"


def answer(project: Path, variables: dict[str, str]) -> str | None:
    """Start the project with `make run`; return what failed before it was ready, or None."""
    port = free_port()
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        cwd=project,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).close()
            except (URLError, ConnectionError):
                time.sleep(0.1)
            else:
                return None
        return "it ended" if process.poll() is not None else f"no answer in {START_SECONDS} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)


def results(resume: bool) -> dict[str, str]:
    found: dict[str, str] = json.loads(RESULTS.read_text()) if resume and RESULTS.exists() else {}
    return {name: result for name, result in found.items() if result == "passed"}


def chosen(every: list[Combination], arguments: argparse.Namespace) -> Iterator[Combination]:
    passed = results(arguments.resume)
    for one in covering(every) if arguments.short else every:
        if one.name not in passed:
            yield one


def main() -> int:
    options = parser("matrix", __doc__, project=False)
    options.add_argument("--list", action="store_true")
    options.add_argument("--short", action="store_true", help="all answers on, and all off")
    options.add_argument("--resume", action="store_true")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        template = copy_template(Path(name) / "template")
        every = combinations(template, Path(name) / "compared")
        if arguments.list:
            print("\n".join([f"{len(every)} combinations", *(f"  {one.name}" for one in every)]))
            return 0
        found = results(arguments.resume)
        for number, one in enumerate(chosen(every, arguments)):
            began = time.monotonic()
            print(f"{one.name} ...", flush=True)
            found[one.name] = prove(template, one, number)
            RESULTS.write_text(json.dumps(found, indent=2))
            print(f"  {found[one.name]}, in {time.monotonic() - began:.0f} s", flush=True)
    passed = sum(result == "passed" for result in found.values())
    wanted = len(covering(every)) if arguments.short else len(every)
    print(f"{passed} of {wanted} combinations passed.")
    return 0 if passed >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
