"""`generate` and `destroy`: the guide, the exact undo, and random models."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest
from conftest import ROOT, Report, command
from test_documents import blocks, commands, running_database, sql
from test_how_to import changed

from proofs.generator import Project, render

pytestmark = pytest.mark.long

GUIDE = "docs/generate.md"
SHELLS = ("bash", "dash", "zsh", "fish")
REGISTERED = (
    "src/services/ports.py",
    "src/infrastructure/databases/unit_of_work.py",
    "src/dependency_container.py",
)
NOTE = "python manage.py generate resource Note title:str:200:unique body:text:optional"


def manage(project: Path, line: str) -> str:
    result = command(f".venv/bin/{line}", cwd=project)
    assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    return result.stdout


def status(project: Path) -> str:
    return command("git status --short", cwd=project).stdout


@pytest.fixture
def fresh(copy: Path) -> Path:
    """A committed project with a migrated database."""
    manage(copy, "python manage.py db upgrade")
    command("git add --all && git commit --quiet --message before", cwd=copy)
    assert not status(copy)
    return copy


def test_the_guide_runs_as_it_stands(fresh: Path) -> None:
    text = (fresh / GUIDE).read_text()
    [model] = blocks(text, "toml")
    (fresh / "model.toml").write_text(model)
    for block in blocks(text, "sh", "diff"):
        name, _, lines = block.removeprefix("+++ ").partition("\n")
        if block.startswith("+++ "):
            (fresh / name).write_text(changed((fresh / name).read_text(), lines, name))
            continue
        for line in block.splitlines():
            manage(fresh, line.removeprefix(".venv/bin/"))
    checked = command("make check", cwd=fresh)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_shells_hand_on_what_the_documents_write(copy: Path, report: Report) -> None:
    lines = [
        line
        for name in ("README.md", GUIDE)
        for line in commands((copy / name).read_text())
        if "generate" in line
    ]
    assert lines
    there = [shell for shell in SHELLS if shutil.which(shell)]
    for shell in there:
        for line in lines:
            words = line.split()
            shown = subprocess.run(
                [shell, "-c", f"printf '%s\\n' {' '.join(words[1:])}"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert shown.stdout.splitlines() == words[1:] == shlex.split(line)[1:], shell
    missing = [*sorted(set(SHELLS) - set(there)), "PowerShell"]
    report.append(f"generate: read alike by {', '.join(there)}; not tried: {', '.join(missing)}")


def test_what_was_never_applied_leaves_no_trace(fresh: Path) -> None:
    assert "wrote   openapi.json\n" in manage(fresh, NOTE)
    assert ".generated/" in status(fresh)
    assert manage(fresh, NOTE).startswith("Nothing to do")
    manage(fresh, "python manage.py destroy resource Note Note")
    assert not status(fresh)


def test_what_only_an_empty_development_database_has_leaves_no_trace(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py destroy resource Note")
    assert not status(fresh)
    assert manage(fresh, "python manage.py db current") == "0001\n"


def test_rows_are_dropped_by_a_contract_revision_only(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py seed")
    command("git add migrations && git commit --quiet --message notes", cwd=fresh)
    manage(fresh, "python manage.py destroy resource Note")
    left = status(fresh).split()
    assert left == ["??", "migrations/versions/0003_remove_notes.py"]
    assert 'phase = "contract"' in (fresh / left[1]).read_text()
    assert manage(fresh, "python manage.py db current") == "0002\n"
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, NOTE)  # Again.
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py db check")


def test_edits_beside_and_a_resource_in_between_do_not_matter(fresh: Path) -> None:
    manage(fresh, NOTE)
    for name in REGISTERED:
        path = fresh / name
        lines = path.read_text().splitlines()
        edited = [f"{line}  # Beside." if "todo" in line.lower() else line for line in lines]
        path.write_text("\n".join(edited) + "\n")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py generate resource Tag name:str:50")
    manage(fresh, "python manage.py db upgrade")
    # This writes a revision, because Tag's revision builds on Note's.
    manage(fresh, "python manage.py destroy resource Note")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py destroy resource Tag")
    shown = command("git diff --unified=0 src", cwd=fresh).stdout.splitlines()
    changed = [line for line in shown if line.startswith("+") and not line.startswith("+++")]
    assert changed
    assert all(line.endswith("  # Beside.") for line in changed)


def test_an_edited_file_is_kept_unless_it_is_forced(fresh: Path) -> None:
    manage(fresh, NOTE)
    service = fresh / "src/services/note_service.py"
    service.write_text(service.read_text() + "\n\nKEPT = True\n")
    before = status(fresh)
    refused = command(".venv/bin/python manage.py destroy resource Note", cwd=fresh)
    assert refused.returncode == 1
    assert "+KEPT = True" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert status(fresh) == before
    manage(fresh, "python manage.py destroy resource Note --force")
    assert not status(fresh)


def test_what_is_referred_to_goes_last(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(
        fresh, "python manage.py generate resource Comment text:str note:ref:Note --no-migration"
    )
    refused = command(".venv/bin/python manage.py destroy resource Note", cwd=fresh)
    assert refused.returncode == 1
    assert "destroy resource Comment" in refused.stderr


def test_nothing_is_written_where_a_step_fails(fresh: Path) -> None:
    revision = next((fresh / "migrations/versions").glob("0001_*.py"))
    second = revision.read_text().replace('revision = "0001"', 'revision = "0002"', 1)
    # Two first revisions make `db migrate` fail.
    (revision.parent / "0002_another_branch.py").write_text(second)
    before = status(fresh)
    refused = command(f".venv/bin/{NOTE}", cwd=fresh)
    assert refused.returncode == 1
    assert "Revisions form one history" in refused.stderr
    assert status(fresh) == before


def test_a_place_that_is_missing_is_said_with_the_line(fresh: Path) -> None:
    ports = fresh / REGISTERED[0]
    ports.write_text(ports.read_text().replace("class UnitOfWork(", "class Work("))
    before = status(fresh)
    refused = command(f".venv/bin/{NOTE}", cwd=fresh)
    assert refused.returncode == 1
    assert "notes: persistence.Repository[Note]" in refused.stderr
    assert status(fresh) == before


def test_plans_write_nothing(fresh: Path) -> None:
    assert "+++ src/domain/models/note.py" in manage(fresh, f"{NOTE} --dry-run")
    plan = json.loads(manage(fresh, f"{NOTE} --json"))
    assert plan["resources"][0]["plural"] == "notes"
    assert not status(fresh)


EVERY_TYPE = ROOT / "proofs/every_type.toml"
FAMILIES = """
[Person]
name = "str:200:sort:filter"
[Category]
name = "str:60:unique"
above = "ref:Category:set_null:optional"
"--public" = true
[Status]
label = "str:40"
"--operations" = ["list", "read"]
[Bus]
number = "int:1..99:unique"
"--operations" = ["create"]
[Address]
street = "str"
"--under" = "Person"
"--timestamps" = true
[OrderLine]
bus = "ref:Bus:cascade"
person = "ref:Person"
category = "ref:Category:optional"
"--unique" = ["bus,person"]
"--owned" = true
[Data]
size = "bigint"
"--plural" = "data_sets"
"""


def model(project: Path, text: str) -> None:
    (project / ".git/model.toml").write_text(text)
    manage(project, "python manage.py generate resources .git/model.toml")


def test_every_type_and_modifier_is_green_without_an_edit(fresh: Path) -> None:
    model(fresh, EVERY_TYPE.read_text())
    manage(fresh, "python manage.py db upgrade")
    for line in ("make check", "make test"):
        result = command(line, cwd=fresh)
        assert result.returncode == 0, result.stdout + result.stderr
    manage(fresh, "python manage.py destroy resource Reading Diagnosis Part Sample Label")
    assert not status(fresh)


def test_a_family_is_taken_back_in_each_state(fresh: Path) -> None:
    """Revisions never applied, applied to empty tables, and applied to tables with rows."""
    names = re.findall(r"\[(\w+)\]", FAMILIES)
    back = f"python manage.py destroy resource {' '.join(reversed(names))}"
    for apply in (False, True):
        model(fresh, FAMILIES)
        if apply:
            manage(fresh, "python manage.py db upgrade")
        early = command(".venv/bin/python manage.py destroy resource Person", cwd=fresh)
        assert early.returncode == 1
        assert re.search("destroy resource (Address|OrderLine)", early.stderr)
        manage(fresh, back)
        assert not status(fresh)
        assert manage(fresh, "python manage.py db current") == "0001\n"
    model(fresh, FAMILIES)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py seed")
    command("git add --all && git commit --quiet --message family", cwd=fresh)
    manage(fresh, back)
    assert "?? migrations/versions/0003_remove_" in status(fresh)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py db check")


def test_a_revision_that_was_written_later_is_not_forgotten(fresh: Path) -> None:
    manage(fresh, f"{NOTE} --no-migration")
    manage(fresh, 'python manage.py db migrate -m "Notes"')
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py destroy resource Note")
    assert "0003_remove_notes.py" in status(fresh)


def test_a_field_that_refers_goes_before(fresh: Path) -> None:
    manage(fresh, "python manage.py generate resource Comment text:str --no-migration")
    manage(fresh, 'python manage.py db migrate -m "Comments"')
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py generate field Comment note:ref:Note:optional")
    refused = command(".venv/bin/python manage.py destroy resource Note", cwd=fresh)
    assert "First: python manage.py destroy field Comment note_id" in refused.stderr
    manage(fresh, "python manage.py destroy field Comment note_id")
    manage(fresh, "python manage.py destroy resource Note")
    assert "note" not in status(fresh)


def test_one_of_a_family_leaves_the_others_as_they_were(fresh: Path) -> None:
    """The revision of all, which was never applied, is written again without the one."""
    model(fresh, FAMILIES)
    manage(fresh, "python manage.py destroy resource Address")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py db check")
    [revision] = (fresh / "migrations/versions").glob("0002_*.py")
    assert "addresses" not in revision.read_text()
    assert not list(fresh.rglob("*address*.py"))


def test_a_field_comes_and_goes(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    command("git add --all && git commit --quiet --message note", cwd=fresh)
    fields = ("pinned:bool=false", "code:str:9:unique:optional")
    refused = command(".venv/bin/python manage.py generate field Note kind:str:9", cwd=fresh)
    assert refused.returncode == 1
    assert "--backfill" in refused.stderr
    for field in fields:
        manage(fresh, f"python manage.py generate field Note {field}")
        manage(fresh, "python manage.py db upgrade")
    checked = command("make check", cwd=fresh)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    manage(fresh, "python manage.py generate field Note kind:str:9 --backfill plain")
    manage(fresh, "python manage.py db upgrade")
    # A new required field breaks clients of the committed document.
    breaking = command("make check", cwd=fresh)
    assert breaking.stdout.count("it is required now") == 1, breaking.stdout + breaking.stderr
    for name in ("kind", "code", "pinned"):
        manage(fresh, f"python manage.py destroy field Note {name}")
    assert not status(fresh)


def test_a_required_field_shuts_nobody_out(fresh: Path) -> None:
    """Rows that are there, and rows of the release before, get the value; no revision waits."""
    manage(fresh, "python manage.py generate resource Note title:str:200")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py seed")
    command("git add --all && git commit --quiet --message note", cwd=fresh)
    manage(fresh, "python manage.py generate field Note kind:str:9:index --backfill it\\'s:new")
    written = status(fresh).split()
    texts = [(fresh / name).read_text() for name in written if "versions/" in name]
    assert [text.count('phase = "contract"') for text in texts] == [0, 0, 0, 1]
    assert all('maintenance = "none"' in text for text in texts)
    manage(fresh, "python manage.py db upgrade --until expand")
    with running_database(fresh):
        before = "INSERT INTO notes (id, version, title) VALUES (gen_random_uuid(), 1, 'Old')"
        sql(fresh, before)
        assert set(sql(fresh, "SELECT kind FROM notes").split()) == {"it's:new"}
        for line in ("upgrade", "downgrade --yes 0002", "upgrade"):
            manage(fresh, f"python manage.py db {line}")
        manage(fresh, "python manage.py db check")
        assert set(sql(fresh, "SELECT kind FROM notes").split()) == {"it's:new"}
        with pytest.raises(AssertionError, match="violates not-null constraint"):
            sql(fresh, before)
    manage(fresh, "python manage.py db downgrade --yes 0002")
    manage(fresh, "python manage.py destroy field Note kind")
    assert not status(fresh)


def test_a_required_field_that_was_destroyed_comes_back_to_rows(fresh: Path) -> None:
    """Its downgrade gives the rows what `generate field` gave them, and leaves no default."""
    manage(fresh, "python manage.py generate resource Note title:str:200")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py seed")
    for field in ("kind:enum:plain,secret=plain", "code:str:9:index --backfill it\\'s:new"):
        manage(fresh, f"python manage.py generate field Note {field}")
        manage(fresh, "python manage.py db upgrade")
    before = manage(fresh, "python manage.py db current").strip()
    command("git add --all && git commit --quiet --message fields", cwd=fresh)
    for name in ("code", "kind"):
        manage(fresh, f"python manage.py destroy field Note {name}")
        manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py db check")
    manage(fresh, f"python manage.py db downgrade --yes {before}")
    with running_database(fresh):
        assert set(sql(fresh, "SELECT kind || ' ' || code FROM notes").splitlines()) == {
            "plain it's:new"
        }
        defaults = "SELECT column_default FROM information_schema.columns"
        assert not sql(fresh, f"{defaults} WHERE table_name = 'notes' AND column_default <> ''")


def test_the_example_takes_a_field_and_a_filter_like_any_resource(fresh: Path) -> None:
    manage(fresh, "python manage.py generate field Todo pinned:bool=false")
    schema = fresh / "src/api/schemas/v1/todo.py"
    line = '    title = filters.equal(Todo, "title")\n'
    text = schema.read_text()
    assert line in text
    prefix = line.replace("title =", "title_prefix =").replace("equal", "prefix")
    schema.write_text(text.replace(line, line + prefix))
    manage(fresh, "python manage.py db upgrade")
    lists = ".venv/bin/python -m unittest tests.test_promises.ListsTest"
    lacking = command(lists, cwd=fresh)
    index = 'Index(None, "title", postgresql_ops={"title": "text_pattern_ops"}),'
    assert index in lacking.stderr, lacking.stderr
    table = fresh / "src/infrastructure/models/todos.py"
    table.write_text(table.read_text().replace("*columns(Todo),", f"*columns(Todo),\n    {index}"))
    manage(fresh, "python manage.py db migrate -m Index")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py openapi write")
    for line in ("make check", ".venv/bin/python -m unittest discover -s tests"):
        result = command(line, cwd=fresh)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"


def test_random_models_are_valid_and_undone(fresh: Path, report: Report) -> None:
    render(Project(fresh), Random(1), 0, 5)
    report.append("generate: 5 random resources of seed 1 rendered, linted, typed and undone")


def test_two_branches_that_generated_are_merged(fresh: Path) -> None:
    """As docs/generate.md says: keep both sides of each conflict, and renumber a revision."""
    command("git branch pears", cwd=fresh)
    for branch, name in (("pears", "Pear"), ("-", "Apple")):
        command(f"git checkout --quiet {branch}", cwd=fresh)
        manage(fresh, f"python manage.py generate resource {name} title:str:9")
        command(f"git add --all && git commit --quiet --message {name}", cwd=fresh)
    merged = command("git merge pears", cwd=fresh)
    conflicts = set(re.findall(r"Merge conflict in (.*)", merged.stdout))
    assert {*REGISTERED} <= conflicts <= {*REGISTERED, "openapi.json"}, merged.stdout
    for name in REGISTERED:
        text = (fresh / name).read_text()
        both = re.sub(r"^(<{7}|={7}|>{7}).*\n", "", text, flags=re.MULTILINE)
        (fresh / name).write_text(both)
    command("make format", cwd=fresh)
    told = command(".venv/bin/python manage.py db upgrade", cwd=fresh)
    assert "Error: Revision 0002 is present more than once. Revisions form one" in told.stderr
    versions = fresh / "migrations/versions"
    second = (versions / "0002_add_pears.py").rename(versions / "0003_add_pears.py")
    text = second.read_text().replace('revision = "0002"', 'revision = "0003"')
    second.write_text(text.replace('down_revision = "0001"', 'down_revision = "0002"'))
    manage(fresh, "python manage.py openapi write")
    manage(fresh, "python manage.py db upgrade")
    assert manage(fresh, "python manage.py db heads") == "0003\n"
    checked = command("make check", cwd=fresh)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    command("git add --all && git commit --quiet --message merged", cwd=fresh)
    manage(fresh, "python manage.py destroy resource Pear")  # The receipt still allows the undo.
    assert not command("git add --all && git diff --staged --stat HEAD^", cwd=fresh).stdout
