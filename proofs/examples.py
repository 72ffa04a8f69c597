"""Build each example again, test it, and run the commands of its page.

python -m proofs.examples [--into DIR] [--build | --page] [--venv DIR] [NAME ...]

An example is a folder of examples/ with recipe.toml, files/ that are copied over a generated
project, edits.patch for files that the project already has, and README.md, whose commands are run.
`--build` stops before the tests. `--into DIR` keeps the built project: edit it there, and
`git diff` is the new edits.patch. `--page` only runs the page's commands in DIR. `--venv` uses an
existing environment.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from proofs.example_page import Page
from proofs.harness import generation
from proofs.harness.entry import parser, temporary_folder
from proofs.harness.generation import ROOT, copy_template

EXAMPLES = ROOT / "examples"
CHECKS = ("make check", "make test")
LAST_LINES = 60  # Lines of a failed command's output that are shown.
PAGE = "EXAMPLE.md"
NOTE = f"> An example of the template: [{PAGE}]({PAGE}) says what it does, and what differs here."
IDENTITY = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")

Say = Callable[[str], None]


class ExampleError(Exception):
    """A step failed; the text names example and step, and has the output."""


def names() -> list[str]:
    return sorted(path.parent.name for path in EXAMPLES.glob("*/recipe.toml"))


@dataclass(frozen=True)
class Recipe:
    """The content of recipe.toml.

    `before` and `after` are shell lines that run before and after files/ and edits.patch are
    applied; $EXAMPLE is the example's folder. `replaces` are the project's files that files/
    overwrites, `removes` the files to delete. `ports` maps a variable to the port number that the
    page uses, and `images` are the image names that the page builds.
    """

    folder: Path
    answers: dict[str, Any]
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    replaces: Sequence[str] = ()
    removes: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=dict)
    images: Sequence[str] = ()

    @classmethod
    def read(cls, name: str) -> "Recipe":
        folder = EXAMPLES / name
        return cls(folder, **tomllib.loads((folder / "recipe.toml").read_text("utf-8")))

    @property
    def name(self) -> str:
        return self.folder.name

    def files(self) -> Iterator[tuple[Path, Path]]:
        """Yield each file of files/, with its path in the project."""
        root = self.folder / "files"
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, path.relative_to(root)

    def lines(self) -> int:
        """Count the lines of the example: those of files/, and those that the patch adds."""
        count = sum(path.read_bytes().count(b"\n") for path, _ in self.files())
        patch = self.folder / "edits.patch"
        added = patch.read_text("utf-8").splitlines() if patch.exists() else []
        return count + sum(line[:1] == "+" and line[:4] != "+++ " for line in added)


def environment(**variables: str) -> dict[str, str]:
    inherited = generation.environment("VIRTUAL_ENV")
    return inherited | dict.fromkeys(IDENTITY, "examples@example.org") | variables


class Build:
    """Builds an example in a folder, and reports each step to `say`."""

    def __init__(self, recipe: Recipe, folder: Path, say: Say, venv: Path | None = None) -> None:
        self.recipe = recipe
        self._folder = folder
        self._say = say
        self._venv = venv
        self.project = folder / recipe.name

    def make(self) -> Path:
        """Generate the project and apply the example to it. Raise ExampleError."""
        self._step("generate", self._generate)
        self._run("make .venv/.ready" if self._venv is None else "true", shown="environment")
        for line in self.recipe.before:
            self._run(line)
        self._step("files/ and edits.patch", self._lay_over)
        for line in self.recipe.after:
            self._run(line)
        # `openapi breaking` compares with the last commit; a first release has no clients to break.
        self._git("commit", "--quiet", "--allow-empty", "--message", "Its document", "openapi.json")
        return self.project

    def prove(self) -> None:
        """Run the project's own checks and tests. Raise ExampleError."""
        for line in CHECKS:
            self._run(line)

    def ask(self) -> None:
        """Run the commands of the page. Raise ExampleError."""
        page = Page(self.recipe.folder / "README.md", self.recipe.ports, self.recipe.images)
        with page.opened(self.project, environment()):
            for block in page.blocks:
                self._step(block.title, partial(page.run, block))

    def _generate(self) -> None:
        if self.project.exists():
            raise ExampleError(f"{self.project} is there already.")
        with tempfile.TemporaryDirectory(prefix=".generated-", dir=self._folder) as name:
            self._generate_in(Path(name))
        if self._venv:
            (self.project / ".venv").symlink_to(self._venv.resolve())

    def _generate_in(self, folder: Path) -> None:
        template = copy_template(folder / "template")
        settings = folder / "cookiecutter.yaml"
        settings.write_text(f"replay_dir: {folder}/replay\n", encoding="utf-8")
        # In another process, because the hook prints its next steps to standard output.
        answers = [f"{name}={value}" for name, value in self.recipe.answers.items()]
        output = folder / "generated"
        command = [sys.executable, "-m", "cookiecutter", "--no-input", f"--output-dir={output}"]
        command += [f"--config-file={settings}", str(template), *answers]
        result = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise ExampleError(result.stderr + result.stdout)
        [made] = output.iterdir()
        made.rename(self.project)

    def _lay_over(self) -> None:
        for removed in self.recipe.removes:
            path = self.project / removed
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        for source, name in self.recipe.files():
            target = self.project / name
            if target.exists() != (str(name) in self.recipe.replaces):
                there = "is a project's own" if target.exists() else "is none of a project's"
                raise ExampleError(f"{name} {there}: see `replaces` in recipe.toml.")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        shutil.copy(self.recipe.folder / "README.md", self.project / PAGE)
        readme = self.project / "README.md"
        title, rest = readme.read_text("utf-8").split("\n", 1)
        readme.write_text(f"{title}\n\n{NOTE}\n{rest}", encoding="utf-8")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Before the patch")
        patch = self.recipe.folder / "edits.patch"
        if patch.exists():
            self._git("apply", str(patch))

    def _git(self, *arguments: str) -> None:
        result = subprocess.run(
            ["git", "-c", "commit.gpgsign=false", *arguments],
            cwd=self.project,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise ExampleError(f"git {' '.join(arguments)}\n{result.stderr}{result.stdout}")

    def _run(self, line: str, shown: str = "") -> None:
        def run() -> None:
            result = subprocess.run(
                ["bash", "-c", line],
                cwd=self.project,
                env=environment(EXAMPLE=str(self.recipe.folder)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if result.returncode:
                last = "\n".join(result.stdout.splitlines()[-LAST_LINES:])
                raise ExampleError(f"{line} ended with {result.returncode}:\n{last}")

        self._step(shown or line, run)

    def _step(self, title: str, work: Callable[[], str | None]) -> None:
        start = time.monotonic()
        try:
            remark = work()
        except Exception as error:
            raise ExampleError(f"{self.recipe.name}: {title}\n{error}") from error
        shown = title if len(title) <= 70 else f"{title[:67]}..."
        seconds = time.monotonic() - start
        self._say(f"{self.recipe.name:<14}{seconds:6.1f} s  {shown}{remark or ''}")


@contextmanager
def workshop(into: Path | None) -> Iterator[Path]:
    if into:
        into.mkdir(parents=True, exist_ok=True)
        yield into.resolve()
        return
    with temporary_folder("examples") as folder:
        yield folder.resolve()


def main() -> int:
    options = parser("examples", __doc__, project=False)
    options.add_argument("--into", type=Path, metavar="DIR", help="keep what is built there")
    options.add_argument("--build", action="store_true", help="stop before the tests")
    options.add_argument("--page", action="store_true", help="only run the page in DIR")
    options.add_argument("--venv", type=Path, metavar="DIR", help="an existing environment")
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    given = options.parse_args()
    if unknown := sorted(set(given.names) - set(names())):
        options.error(f"There is no example {', '.join(unknown)}; there are {', '.join(names())}.")
    say = partial(print, flush=True)
    wanted, failed = given.names or names(), []
    for name in wanted:
        with workshop(given.into) as folder:
            build = Build(Recipe.read(name), folder, say, given.venv)
            try:
                if not given.page:
                    build.make()
                if not (given.build or given.page):
                    build.prove()
                if not given.build:
                    build.ask()
            except ExampleError as error:
                failed.append(name)
                print(error, file=sys.stderr, flush=True)
    print(f"{len(wanted) - len(failed)} of {len(wanted)} examples", *failed, sep="; failed: ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
