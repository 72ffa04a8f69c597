"""Renders the project that a state of the template would generate, in another folder."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chassis.development.template.git import git
from chassis.development.template.record import TemplateError

STEPS = "updates/steps"
INSTALL = (
    "cookiecutter was not found. Put it or uv on the PATH, or install it here: "
    "`.venv/bin/python -m pip install cookiecutter`."
)


class Template:
    """A clone of the template's repository, in a folder that the caller removes."""

    def __init__(self, source: str, folder: Path) -> None:
        """Clone the template. Raise TemplateError if that fails."""
        self._folder = folder
        self._clone = folder / "template"
        git("clone", "--quiet", "--no-checkout", "--", source, str(self._clone), cwd=folder)

    def commit(self, reference: str | None) -> str:
        """Resolve a tag, a branch or a commit; None is the newest of the default branch."""
        for name in [f"origin/{reference}", reference] if reference else ["origin/HEAD"]:
            try:
                return git("rev-parse", "--verify", f"{name}^{{commit}}", cwd=self._clone)
            except TemplateError:
                continue
        raise TemplateError(
            f"The template has no {reference or 'default branch'}. "
            "Its tags and branches: `git ls-remote SOURCE`."
        )

    def describe(self, commit: str) -> str:
        """Return the nearest tag and the abbreviated commit, as `git describe` prints them."""
        return git("describe", "--tags", "--always", commit, cwd=self._clone)

    def newer(self, commit: str, target: str) -> list[str]:
        """Return one line for each commit between the two."""
        return git("log", "--format=%h %s", f"{commit}..{target}", cwd=self._clone).splitlines()

    def questions(self, commit: str) -> dict[str, Any]:
        """The questions of that state, with their defaults."""
        table = json.loads(git("show", f"{commit}:cookiecutter.json", cwd=self._clone))
        return {name: value for name, value in table.items() if not name.startswith("_")}

    def steps(self, commit: str) -> list[str]:
        """The names of that state's steps, which change a team's code."""
        listed = git("ls-tree", "--name-only", commit, f"{STEPS}/", cwd=self._clone)
        return [Path(line).name for line in listed.splitlines()]

    def run_steps(self, project: Path, done: Sequence[str]) -> list[tuple[str, str]]:
        """Run the steps of the state that was rendered as "new"; return each change and its path.

        Where a rule exists, a step resolves the conflicts that git left. Raise TemplateError if a
        step fails; the changes of earlier steps stay.
        """
        state = self._folder / "new-template"
        if not (state / STEPS).is_dir():
            return []
        command = [sys.executable, "-m", STEPS.replace("/", "."), str(project), *done]
        result = subprocess.run(command, cwd=state, capture_output=True, text=True, check=False)
        if result.returncode:
            reason = result.stderr.strip().rpartition("\n")[2]
            raise TemplateError(f"A step of the template failed: {reason}")
        lines = (line.partition("\t") for line in result.stdout.splitlines())
        return [(what, path) for what, _, path in lines]

    def render(self, commit: str, answers: dict[str, Any], name: str) -> Path:
        """Generate the project of that state. Hooks run, and change no other folder."""
        state = self._folder / f"{name}-template"
        git("worktree", "add", "--quiet", "--detach", str(state), commit, cwd=self._clone)
        output = self._folder / name
        output.mkdir()
        settings = self._folder / "settings.yaml"
        settings.write_text(
            f"cookiecutters_dir: {self._folder / 'cloned'}\nreplay_dir: {self._folder / 'replay'}\n"
        )
        chosen = _arguments(answers, self.questions(commit))
        command = [*_cookiecutter(), "--no-input", "--config-file", str(settings)]
        command += ["--output-dir", str(output), str(state), *chosen]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            reason = result.stderr or result.stdout
            if "Traceback" in reason:
                reason = reason.strip().rpartition("\n")[2]
            raise TemplateError(
                f"The template at {commit[:12]} does not render with the recorded answers: "
                f"{' '.join(reason.split())}"
            )
        [project] = output.iterdir()
        shutil.rmtree(project / ".git", ignore_errors=True)
        return project


def _cookiecutter() -> list[str]:
    if find_spec("cookiecutter"):
        return [sys.executable, "-m", "cookiecutter"]
    if program := shutil.which("cookiecutter"):
        return [program]
    if program := shutil.which("uvx"):
        return [program, "cookiecutter>=2.7,<3"]
    raise TemplateError(INSTALL)


def _arguments(answers: dict[str, Any], questions: dict[str, Any]) -> list[str]:
    """The answers as arguments. cookiecutter renders texts, so each is a literal of Jinja."""
    return [
        f"{name}={_literal(str(answer)) if isinstance(questions[name], str) else answer}"
        for name, answer in answers.items()
        if name in questions and answer is not None
    ]


def _literal(text: str) -> str:
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}"
