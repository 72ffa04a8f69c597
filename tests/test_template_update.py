"""`manage.py template update` keeps the changes of both sides, and shows conflicts."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PROJECT_FOLDER, bake_into, commit_all, environment, git, tool

ANSWERS = {
    "project_name": 'It\'s "quoted" \\ & {{ 7 * 7 }} 🚀',
    "project_slug": "billing",
    "description": "one {% if %} two",
    "license": "Apache-2.0",
}
READ = "README.md"
MANIFEST = "chassis/manifest.json"
CONSTANTS = "src/domain/constants.py"


@dataclass
class Pair:
    """A template with a history, and a project generated at its first commit."""

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
        """Change or create a file of the template, and commit."""
        path = self.template / PROJECT_FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edit(path.read_text() if path.exists() else ""))
        commit_all(self.template, f"Change {name}")

    def step(self, name: str, text: str) -> None:
        """Add a step to the template that changes a team's code."""
        path = self.template / "updates/steps" / name
        path.write_text(text)
        commit_all(self.template, f"Add the step {name}")

    def edit(self, name: str, edit: Callable[[str], str]) -> None:
        """Change a file of the project, and commit."""
        path = self.project / name
        path.write_text(edit(path.read_text() if path.exists() else ""))
        commit_all(self.project, f"Edit {name}")


@pytest.fixture
def pair(own_template: Path, installed: Path, tmp_path: Path) -> Pair:
    origin = tmp_path / "template.git"
    git("clone", "--quiet", "--bare", str(own_template), str(origin), cwd=tmp_path)
    git("remote", "add", "origin", str(own_template), cwd=own_template)
    literal = {
        name: f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" for name, text in ANSWERS.items()
    }
    literal |= {"license": "Apache-2.0"}
    baked = bake_into(tmp_path, own_template, **literal)
    assert git("status", "--porcelain", cwd=baked) == ""
    return Pair(own_template, baked, installed / ".venv/bin/python")


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


def test_a_generated_file_that_both_sides_changed_is_named_with_its_command(pair: Pair) -> None:
    name, both = "docs/architecture.md", "Generated files to rewrite, with: 1\n  make diagrams"
    pair.change(name, lambda text: f"Theirs.\n{text}")
    assert "rewrite, with: 0" in pair.update()
    commit_all(pair.project, "Update")
    pair.edit(name, append("Ours."))
    pair.change(name, lambda text: f"Theirs again.\n{text}")
    assert both in pair.update()
    text = (pair.project / name).read_text()
    assert text.startswith("Theirs again.")
    assert text.endswith("Ours.\n")


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
    assert changed == [".cruft.json", READ, MANIFEST, "chassis/news.py", "scripts/create_env.py"]
    assert "Updated: 4\n" in output
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

    assert "Deleted here before, and not restored: 1\n  scripts/run_postgres.sh\n" in output
    assert not (pair.project / "scripts/run_postgres.sh").exists()
    assert git("status", "--porcelain", cwd=pair.project) == "M  .cruft.json"


def test_an_edit_of_what_the_template_deleted_is_a_conflict(pair: Pair) -> None:
    pair.edit("scripts/run_postgres.sh", append("# Ours."))
    git("rm", "--quiet", f"{PROJECT_FOLDER}/scripts/run_postgres.sh", cwd=pair.template)
    commit_all(pair.template, "Remove it")

    assert "Conflicts: 1\n  scripts/run_postgres.sh\n" in pair.update(code=3)
    assert "# Ours." in (pair.project / "scripts/run_postgres.sh").read_text()


def test_an_edit_follows_a_rename(pair: Pair) -> None:
    pair.edit("scripts/run_postgres.sh", append("# Ours."))
    folder = pair.template / PROJECT_FOLDER / "scripts"
    (folder / "run_postgres.sh").rename(folder / "start_postgres.sh")
    commit_all(pair.template, "Rename it")

    assert "Conflicts: 0\n" in pair.update()
    assert "# Ours." in (pair.project / "scripts/start_postgres.sh").read_text()
    assert not (pair.project / "scripts/run_postgres.sh").exists()


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

    assert "Updated: 2\n  chassis/manifest.json\n  chassis/news.py\n" in pair.update()
    assert git("status", "--porcelain", cwd=outer).splitlines() == [
        "M  services/billing/.cruft.json",
        "M  services/billing/chassis/manifest.json",
        "A  services/billing/chassis/news.py",
    ]


def test_a_change_of_the_chassis_changes_nothing_else(pair: Pair) -> None:
    pair.edit("src/services/todo_service.py", append("MY_OWN = 1"))
    pair.change("chassis/core/paging.py", append("NEWS = 1"))
    pair.change("chassis/news.sql", append("SELECT 1"))

    assert "Conflicts: 0\n" in pair.update()

    changed = git("diff", "--cached", "--name-only", cwd=pair.project).splitlines()
    assert changed == [".cruft.json", "chassis/core/paging.py", MANIFEST, "chassis/news.sql"]


def test_two_updates_one_after_the_other_are_two_commits(pair: Pair) -> None:
    for number in (1, 2):
        pair.change("chassis/news.py", append(f"NEWS = {number}"))
        assert "Updated: 2\n" in pair.update()
        assert "not committed" in pair.update(code=1)  # The first update has to be committed.
        commit_all(pair.project, "Update")
    assert (pair.project / "chassis/news.py").read_text() == "NEWS = 1\nNEWS = 2\n"


def test_a_file_that_the_project_renamed_gets_what_is_new_in_it(pair: Pair) -> None:
    git("mv", "scripts/create_env.py", "scripts/new_env.py", cwd=pair.project)
    commit_all(pair.project, "Rename it")
    pair.change("scripts/create_env.py", append("# News."))

    assert "Conflicts: 0\n" in pair.update()

    assert "# News." in (pair.project / "scripts/new_env.py").read_text()
    assert not (pair.project / "scripts/create_env.py").exists()


def test_a_mode_is_updated_and_settings_of_git_do_no_harm(pair: Pair) -> None:
    """Known problems of such updates, for example copier-org/copier#2604 and #2630."""
    for name, value in (
        ("core.fileMode", "false"),
        ("diff.noprefix", "true"),
        ("commit.gpgSign", "true"),
        ("core.autocrlf", "true"),
        ("merge.conflictStyle", "diff3"),
        ("status.showUntrackedFiles", "all"),
    ):
        git("config", name, value, cwd=pair.project)
    (pair.project / ".git/hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (pair.project / ".git/hooks/pre-commit").chmod(0o755)
    script = pair.template / PROJECT_FOLDER / "wsgi.py"
    script.chmod(0o755)
    pair.change("scripts/news.sh", append("#!/bin/sh"))
    (pair.template / PROJECT_FOLDER / "scripts/news.sh").chmod(0o755)
    commit_all(pair.template, "Make it executable")

    assert "Conflicts: 0\n" in pair.update()

    modes = git("ls-files", "--stage", "wsgi.py", "scripts/news.sh", cwd=pair.project)
    assert [line.split()[0] for line in modes.splitlines()] == ["100755", "100755"]


def test_line_endings_of_windows_are_no_change(pair: Pair) -> None:
    """A work tree with CRLF line endings, of files that were committed with LF."""
    git("config", "core.autocrlf", "true", cwd=pair.project)
    (pair.project / ".gitattributes").unlink()
    commit_all(pair.project, "Leave line endings to git")
    for path in (CONSTANTS, "chassis/core/limits.py"):
        (pair.project / path).unlink()
        git("checkout", "--", path, cwd=pair.project)  # As git checks files out on Windows.
        assert b"\r\n" in (pair.project / path).read_bytes()
    assert git("status", "--porcelain", cwd=pair.project) == ""
    pair.change("chassis/core/limits.py", append("NEWS = 1"))

    assert "Conflicts: 0\n" in pair.update()

    assert b"NEWS = 1" in (pair.project / "chassis/core/limits.py").read_bytes()
    assert "as the template made it" in pair.manage("patches").stdout


def test_files_that_were_committed_with_crlf_keep_it(pair: Pair) -> None:
    (pair.project / ".gitattributes").unlink()
    # By itself: `git add` of both at once may still take the attributes from the index.
    commit_all(pair.project, "Leave line endings to git")
    for path in (CONSTANTS, "chassis/core/limits.py", READ):
        file = pair.project / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n") + b"# Ours.\r\n")
    commit_all(pair.project, "We are on Windows")
    pair.change("chassis/core/limits.py", lambda text: f"# News.\n{text}")

    assert "Conflicts: 0\n" in pair.update()

    limits = (pair.project / "chassis/core/limits.py").read_bytes()
    assert limits.startswith(b"# News.\r\n")
    assert limits.endswith(b"# Ours.\r\n")
    assert limits.count(b"\n") == limits.count(b"\r\n")
    assert not git("diff", "--name-only", cwd=pair.project)


def test_a_step_renames_in_the_teams_code_what_moved(pair: Pair) -> None:
    pair.edit(
        "src/domain/quota.py",
        lambda _: "from chassis.core.identity import uuid7  # Ours.\n\nNEXT = uuid7\n",
    )
    pair.step("9001_ids.txt", "chassis.core.identity uuid7: chassis.core.ids\n")
    pair.change("chassis/core/ids.py", append("def uuid7() -> int:\n    return 7"))

    assert "Changed to new names: " in (output := pair.update())

    quota = (pair.project / "src/domain/quota.py").read_text()
    assert quota == "from chassis.core.ids import uuid7  # Ours.\n\nNEXT = uuid7\n"
    assert "  src/domain/quota.py\n" in output
    assert not git("diff", "--name-only", cwd=pair.project)  # The update stages all changes.
    commit_all(pair.project, "Update")
    pair.change("chassis/news.py", append("NEWS = 1"))
    assert "Changed to new names: 0\n" in pair.update()  # A step runs once.


def test_a_step_may_be_a_programme_and_a_failing_one_is_said(pair: Pair) -> None:
    pair.step(
        "9001_limit.py",
        "from chassis.development.generate.splice import add_import\n\n\n"
        "def run(project):\n"
        f"    path = project / '{CONSTANTS}'\n"
        "    line = 'from decimal import Decimal\\n'\n"
        "    source = 'import datetime\\n' + path.read_text()\n"
        "    path.write_text(add_import('', source, line)[0])\n"
        f"    yield '{CONSTANTS}'\n",
    )
    pair.step("9002_broken.py", "def run(project):\n    raise RuntimeError('Out of order')\n")
    pair.change("chassis/news.py", append("NEWS = 1"))

    output = pair.update(code=3)

    assert "A step of the template failed: RuntimeError: Out of order\n" in output
    assert "from decimal import Decimal" in (pair.project / CONSTANTS).read_text()


def test_a_conflict_of_lines_is_none_of_what_they_define(pair: Pair) -> None:
    name = "src/infrastructure/databases/unit_of_work.py"
    line = "        self.todos = SqlTodoRepository(connection, todos, Todo, self.clock)\n"
    pair.edit(name, lambda text: text.replace(line, f"{line}        self.mine = 1\n"))
    pair.change(name, lambda text: text.replace(line, f"{line}        self.theirs = 1\n"))

    output = pair.update()

    assert f"Merged by definitions; please review: 1\n  {name}\n" in output
    text = (pair.project / name).read_text()
    assert "self.mine = 1\n" in text
    assert "self.theirs = 1\n" in text


def test_patched_files_of_the_chassis_are_named_and_no_failure(pair: Pair) -> None:
    assert pair.manage("patches").stdout == "chassis/ is as the template made it.\n"
    pair.edit("chassis/core/limits.py", append("OURS = 1"))
    pair.edit("chassis/core/ours.py", append("OURS = 1"))
    git("rm", "--quiet", "chassis/core/circuit_breaker.py", cwd=pair.project)
    commit_all(pair.project, "Remove it")
    expected = (
        "Patched in chassis/ by this project; an update merges them: 3\n"
        "  chassis/core/circuit_breaker.py  removed\n"
        "  chassis/core/limits.py  changed\n"
        "  chassis/core/ours.py  added\n"
    )

    assert (pair.manage("patches").stdout, pair.manage("patches").returncode) == (expected, 0)

    pair.change("chassis/core/limits.py", lambda text: f"# News.\n{text}")
    assert "Conflicts: 0\n" in pair.update()
    assert pair.manage("patches").stdout == expected
    for broken, sentence in (("{", "cannot be read"), ("[1]", "cannot be read"), (None, "missing")):
        manifest = pair.project / MANIFEST
        manifest.write_text(broken) if broken else manifest.unlink()
        result = pair.manage("patches")
        assert (sentence in result.stdout, result.returncode, result.stderr) == (True, 0, "")


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
