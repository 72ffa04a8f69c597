"""`manage.py template update` merges: the changes of both sides stay, conflicts are shown."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PROJECT_FOLDER, bake_into, commit_all, environment, git, make, tool

ANSWERS = {
    "project_name": 'It\'s "quoted" \\ & {{ 7 * 7 }} 🚀',
    "project_slug": "billing",
    "description": "one {% if %} two",
    "license": "Apache-2.0",
}
READ = "README.md"
CONSTANTS = "src/domain/constants.py"


@dataclass
class Pair:
    """A template with a history, and a project that its first commit generated."""

    template: Path
    project: Path
    python: Path

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(tool('cookiecutter')).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [self.python, "manage.py", "template", *arguments],
            cwd=self.project,
            env=environment(PATH=path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def update(self, *arguments: str, code: int = 0) -> str:
        result = self.manage("update", *arguments)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result.stdout + result.stderr

    def change(self, name: str, edit: Callable[[str], str]) -> None:
        """In the template; a new file where there is none."""
        path = self.template / PROJECT_FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edit(path.read_text() if path.exists() else ""))
        commit_all(self.template, f"Change {name}")

    def edit(self, name: str, edit: Callable[[str], str]) -> None:
        """In the project."""
        path = self.project / name
        path.write_text(edit(path.read_text() if path.exists() else ""))
        commit_all(self.project, f"Edit {name}")


@pytest.fixture
def pair(own_template: Path, project: Path, tmp_path: Path) -> Pair:
    make(project, "format")  # Sets the environment up, if that has not happened.
    origin = tmp_path / "template.git"
    git("clone", "--quiet", "--bare", str(own_template), str(origin), cwd=tmp_path)
    git("remote", "add", "origin", str(own_template), cwd=own_template)
    literal = {
        name: f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" for name, text in ANSWERS.items()
    }
    literal |= {"license": "Apache-2.0"}
    baked = bake_into(tmp_path, own_template, **literal)
    assert git("status", "--porcelain", cwd=baked) == ""
    return Pair(own_template, baked, project / ".venv/bin/python")


def append(line: str) -> Callable[[str], str]:
    return lambda text: f"{text}{line}\n"


def record(project: Path) -> dict[str, object]:
    table: dict[str, object] = json.loads((project / ".cruft.json").read_text())
    return table


def test_the_record_names_the_source_the_commit_and_the_answers(pair: Pair) -> None:
    table = record(pair.project)
    assert table["template"] == str(pair.template)
    assert table["commit"] == git("rev-parse", "HEAD", cwd=pair.template)
    answers = table["context"]["cookiecutter"]  # type: ignore[index]
    assert ANSWERS.items() <= answers.items()
    assert pair.update("--check").count("Nothing to do.") == 1


def test_an_update_changes_what_changed_and_keeps_every_edit(pair: Pair) -> None:
    pair.edit(CONSTANTS, append("MY_OWN = 1"))
    pair.edit("my_own.py", append("MINE = True"))
    pair.change("scripts/create_env.py", append("# News."))
    pair.change(READ, append("News for {{ cookiecutter.project_slug }}."))
    pair.change("chassis/news.py", append("NEWS = '{{ kept }}'"))
    secrets = (pair.project / ".env").read_bytes()
    assert pair.update("--check", code=3).count("Change ") == 3

    output = pair.update()

    changed = git("diff", "--cached", "--name-only", cwd=pair.project).splitlines()
    assert changed == [".cruft.json", READ, "chassis/news.py", "scripts/create_env.py"]
    assert "Updated: 3\n" in output
    assert "Conflicts: 0\n" in output
    assert (pair.project / READ).read_text().endswith("News for billing.\n")
    assert "MY_OWN" in (pair.project / CONSTANTS).read_text()
    assert (pair.project / ".env").read_bytes() == secrets
    assert record(pair.project)["commit"] == git("rev-parse", "HEAD", cwd=pair.template)
    commit_all(pair.project, "Update")
    assert "Nothing to do." in pair.update("--check")
    assert git("diff", "HEAD", cwd=pair.project) == ""


def test_a_line_that_both_changed_gets_markers_and_nothing_else_is_lost(pair: Pair) -> None:
    pair.edit("wsgi.py", lambda text: text.replace("Entry point", "Our entry"))
    pair.change("wsgi.py", lambda text: text.replace("Entry point", "The entry"))
    pair.change("chassis/news.py", append("NEWS = 1"))

    output = pair.update(code=3)

    assert "Conflicts: 1\n  wsgi.py\n" in output
    assert "<<<<<<<" in (pair.project / "wsgi.py").read_text()
    assert (pair.project / "chassis/news.py").exists()
    git("reset", "--quiet", "--hard", cwd=pair.project)
    assert git("status", "--porcelain", cwd=pair.project) == ""


def test_what_the_project_deleted_stays_deleted(pair: Pair) -> None:
    git("rm", "--quiet", "scripts/run_postgres.sh", cwd=pair.project)
    commit_all(pair.project, "We have our own")
    pair.change("scripts/run_postgres.sh", append("# News."))

    output = pair.update()

    assert "Deleted here, and left so: 1\n  scripts/run_postgres.sh\n" in output
    assert not (pair.project / "scripts/run_postgres.sh").exists()
    assert git("status", "--porcelain", cwd=pair.project) == "M  .cruft.json"


def test_an_edit_of_what_the_template_deleted_is_a_conflict(pair: Pair) -> None:
    pair.edit("scripts/run_postgres.sh", append("# Ours."))
    git("rm", "--quiet", f"{PROJECT_FOLDER}/scripts/run_postgres.sh", cwd=pair.template)
    commit_all(pair.template, "Remove it")

    assert "Conflicts: 1\n  scripts/run_postgres.sh\n" in pair.update(code=3)
    assert "# Ours." in (pair.project / "scripts/run_postgres.sh").read_text()


def test_an_edit_follows_a_rename(pair: Pair) -> None:
    pair.edit("scripts/create_env.py", append("# Ours."))
    folder = pair.template / PROJECT_FOLDER / "scripts"
    (folder / "create_env.py").rename(folder / "make_env.py")
    commit_all(pair.template, "Rename it")

    assert "Conflicts: 0\n" in pair.update()
    assert "# Ours." in (pair.project / "scripts/make_env.py").read_text()
    assert not (pair.project / "scripts/create_env.py").exists()


def test_a_new_question_is_answered_by_its_default_and_reported(pair: Pair) -> None:
    questions = pair.template / "cookiecutter.json"
    table = json.loads(questions.read_text())
    first = {"colour": "{{ cookiecutter.project_slug }} blue", "size": ["small", "large"]}
    questions.write_text(json.dumps({**table, **first}, indent=2))
    pair.change(READ, append("In {{ cookiecutter.colour }}, {{ cookiecutter.size }}."))

    output = pair.update()

    assert "Answered: 2\n  colour: billing blue\n  size: small\n" in output
    assert (pair.project / READ).read_text().endswith("In billing blue, small.\n")


def test_a_skipped_state_is_no_obstacle(pair: Pair) -> None:
    pair.change("chassis/news.py", append("NEWS = 1"))
    git("tag", "1.9.0", cwd=pair.template)
    pair.change("chassis/news.py", append("NEWS = 2"))

    pair.update("--to", "1.9.0")
    assert "NEWS = 2" not in (pair.project / "chassis/news.py").read_text()
    commit_all(pair.project, "Update")
    assert "Conflicts: 0\n" in pair.update()
    assert "NEWS = 2" in (pair.project / "chassis/news.py").read_text()


def test_a_project_in_a_folder_of_a_larger_repository_is_updated_there(
    pair: Pair, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(pair.project, outer / "services/billing", ignore=shutil.ignore_patterns(".git"))
    git("init", "--quiet", cwd=outer)
    commit_all(outer, "A larger repository")
    pair.change("chassis/news.py", append("NEWS = 1"))
    pair.project = outer / "services/billing"

    assert "Updated: 1\n  chassis/news.py\n" in pair.update()
    assert git("status", "--porcelain", cwd=outer).splitlines() == [
        "M  services/billing/.cruft.json",
        "A  services/billing/chassis/news.py",
    ]


def test_what_cannot_be_updated_is_left_as_it_is(pair: Pair, tmp_path: Path) -> None:
    pair.change("chassis/news.py", append("NEWS = 1"))
    project, settings = pair.project, pair.project / ".cruft.json"

    (project / "draft.py").write_text("x = 1\n")
    assert "not committed" in pair.update(code=1)
    (project / "draft.py").unlink()
    assert "has no nowhere" in pair.update("--to", "nowhere", code=1)
    assert "git clone failed" in pair.update("--from", str(tmp_path / "missing"), code=1)

    table = record(project)
    for broken, sentence in (
        (json.dumps({**table, "template": None}), "--from"),
        (json.dumps({**table, "commit": None}), "names no commit"),
        (json.dumps({**table, "commit": "0" * 40}), "has no 0000"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
    ):
        settings.write_text(broken)
        commit_all(project, "Break the record")
        assert sentence in pair.update(code=1)
        assert git("status", "--porcelain", cwd=project) == ""
        git("reset", "--quiet", "--hard", "HEAD^", cwd=project)
    git("rm", "--quiet", ".cruft.json", cwd=project)
    commit_all(project, "Remove the record")
    assert "is missing" in pair.update(code=1)


def test_a_password_in_the_url_of_the_template_is_not_recorded(
    own_template: Path, tmp_path: Path
) -> None:
    url = "https://ada:secret@example.org/template.git"
    git("remote", "add", "origin", url, cwd=own_template)

    table = record(bake_into(tmp_path, own_template))

    assert table["template"] == "https://example.org/template.git"
