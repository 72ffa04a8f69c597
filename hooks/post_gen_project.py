"""Finish the new project: remove unwanted parts, write `.env`, make a git repository.

`_parts` in cookiecutter.json lists the files and lines that each answer removes. Only this removal
may fail, because a half-removed part is a broken project. Every other step prints a warning: a
non-zero exit status would make cookiecutter delete the project.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

REMEMBER = "chassis/development/template/remember.py"
DRAW = ("chassis/development/diagrams.py", "write")
COMMIT_MESSAGE = "Generate the project from its template"
# Other variables, such as GIT_DIR, belong to an outer git that may have started cookiecutter.
GIT_VARIABLES = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")


def remove(files: list[str], mention: str, lines_of: list[str]) -> None:
    """Remove files and folders; in other files, matching lines with those indented below."""
    for name in files:
        for path in sorted([Path(name), *Path(name).rglob("*")], reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        if not any(Path(name).parent.iterdir()):
            (Path(name).parent / ".gitkeep").touch()
    for name in lines_of:
        text = without(Path(name).read_bytes(), re.compile(mention.encode(), re.IGNORECASE))
        Path(name).write_bytes(text)


def without(text: bytes, mention: "re.Pattern[bytes]") -> bytes:
    """Return the text without matching lines; the longer run of blank lines around one stays."""
    kept: list[bytes] = []
    before: list[bytes] = []
    blank: list[bytes] = []
    depth = None  # The indentation of the removed line.
    for line in text.splitlines(keepends=True):
        if not line.strip():
            blank.append(line)
            continue
        indent = len(line) - len(line.lstrip())
        closes = line[indent] in b")]}"
        if depth is not None and (indent > depth or (indent == depth and closes)):
            blank = []
        elif mention.search(line):
            before, blank, depth = max(before, blank, key=len), [], indent
        else:
            kept += [*max(before, blank, key=len), line]
            before, blank, depth = [], [], None
    return b"".join(kept)


def run(command: list[str], *, check: bool = True) -> int:
    own = {n: v for n, v in os.environ.items() if n[:4] != "GIT_" or n.startswith(GIT_VARIABLES)}
    # Without standard input, so that no invisible prompt for a passphrase waits for ever.
    return subprocess.run(
        command, env=own, check=check, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
    ).returncode


def attempt(otherwise: str, *commands: list[str]) -> None:
    try:
        for command in commands:
            run(command)
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or b""
        reason = output.decode(errors="replace").strip().rpartition("\n")[2] or error
        if isinstance(error, FileNotFoundError):
            reason = f"{command[0]} was not found"
        say(f"Warning: {reason}. Later, in the project: {otherwise}")


def located(template: str) -> str:
    """Return the template's folder; a relative one is so to where cookiecutter was started."""
    here = Path.cwd()
    for start in (
        Path(f"/proc/{os.getppid()}/cwd"),
        Path(os.environ.get("PWD", "")),
        *here.parents,
    ):
        if (start / template / "cookiecutter.json").is_file():
            return str((start / template).resolve())
    return template


def say(text: str) -> None:
    """Print text; unlike print(), a closed pipe or an old code page is no error."""
    with contextlib.suppress(OSError):
        os.write(1, f"{text}\n".encode("ascii", "backslashreplace"))


def next_steps(slug: str, example_resource: bool, cruft: bool, windows: bool) -> list[str]:
    lines = ["", "Next, with Python 3.11 or later:", "", f"  cd {slug}"]
    lines += ['  git commit -m "Remember the template" .cruft.json'] if cruft else []
    if windows:
        python = r"  .venv\Scripts\python"
        install = rf"{python} -m pip install --require-hashes -r requirements"
        lines += ["  py -m venv .venv", rf"{install}\run.txt", f"{python} manage.py run"]
        lines += [rf"{install}\development.txt", f"{python} -m unittest discover -s tests"]
    else:
        lines += ["  make run", "  make test"]
    lines += ["", "While it runs, http://127.0.0.1:8000/docs describes the API."]
    if example_resource and not windows:
        url = f"http://127.0.0.1:8000/{slug}/v1/todos"
        token = '-H "Authorization: Bearer $(.venv/bin/python manage.py token)"'
        body = """-H 'Content-Type: application/json' -d '{"title": "Try it"}'"""
        lines += ["Create a todo:", "", f"  curl -i {url} {token} {body}"]
    return lines


def main() -> None:
    # The answers are JSON in a raw string, so that no answer is ever run as code.
    answers = json.loads(
        r'{{ {"project_name": cookiecutter.__name, "project_slug": cookiecutter.project_slug, "description": cookiecutter.__description, "author": cookiecutter.__author, "license": cookiecutter.license, "example_resource": cookiecutter.example_resource, "pipelines": cookiecutter.pipelines, "kubernetes": cookiecutter.kubernetes, "background_jobs": cookiecutter.background_jobs, "file_storage": cookiecutter.file_storage, "cruft": "_commit" in cookiecutter, "template": cookiecutter._repo_dir | default("")} | tojson }}'  # noqa: E501
    )
    template, cruft = answers.pop("template"), answers.pop("cruft")
    say("\n".join(["Answers:", *(f"  {name}: {value}" for name, value in answers.items())]))
    parts = r'{{ cookiecutter._parts | tojson }}'  # fmt: skip  # JSON has no such quotes.
    for part in json.loads(parts):
        if any(answers[question] not in values for question, values in part["when"].items()):
            remove(part["files"], part.get("mention", ""), part.get("lines_of", []))
    attempt("complete .cruft.json by hand", [sys.executable, REMEMBER, located(template)])
    attempt("make diagrams", [sys.executable, *DRAW])
    attempt("python3 scripts/create_env.py", [sys.executable, "scripts/create_env.py"])
    inspect = ["git", "check-ignore", "--quiet", "."]  # 0: ignored; 1: part of a work tree.
    is_part = False
    with contextlib.suppress(OSError):  # Without git, the attempt below warns.
        is_part = not Path(".git").exists() and run(inspect, check=False) == 1
    if is_part:
        say("The project lies in a git repository, so it got none of its own. Commit it there.")
    elif not Path(".git").exists():  # An existing repository keeps its history.
        attempt(
            f'git init && git add --all && git commit -m "{COMMIT_MESSAGE}"',
            ["git", "init", "--quiet"],
            ["git", "symbolic-ref", "HEAD", "refs/heads/main"],
            ["git", "add", "--all"],
            ["git", "commit", "--quiet", "--message", COMMIT_MESSAGE],
        )
    slug, windows = answers["project_slug"], os.name == "nt"
    say("\n".join(next_steps(slug, answers["example_resource"], cruft, windows)))


if __name__ == "__main__":
    main()
