"""Every command of the documents runs, and docs/add-a-resource.md works by hand."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, Bake, Report, bake_into, command, environment, make, working_files

# test_generate.py runs docs/generate.md, whose commands depend on each other.
PROJECT_DOCUMENTS = (
    "README.md",
    "docs/add-a-resource.md",
    "docs/access.md",
    "docs/migrations.md",
    "docs/operations.md",
    "docs/scaling.md",
    "docs/settings.md",
    "docs/updates.md",
)
BY_ANOTHER_TEST = {
    "make demo": "test_demo.py",
    "make run": "test_demo.py, which `make demo` runs it for",
    "make test": "test_project.py; of the template: this very run",
    "make test-all": "this very run, and the long tests",
    "make check": "test_project.py",
    "cookiecutter path/to/cookiecutter-flask-onion": "test_generation.py",
    "cookiecutter -c v1 path/to/cookiecutter-flask-onion": "test_update.py",
    ".venv/bin/python manage.py serve": "tests/chassis/cli/test_server.py",
    ".venv/bin/python manage.py template status": "test_template_update.py",
    ".venv/bin/python manage.py template update": "test_template_update.py",
    "scripts/run_postgres.sh": "test_run_postgres.py, where there is Docker",
    **dict.fromkeys(
        (
            "docker compose up",
            "docker compose --profile test up --exit-code-from tests",
            "docker compose up watch",
            "docker compose up dev",
            "REPLICAS=2 docker compose up --detach",
            "scripts/rolling_update.sh",
        ),
        "test_containers.py, where there is Docker",
    ),
}
REASONS = {
    "curl": "test_demo.py sends the same requests, with another client",
    "docker buildx build": "it would push to a registry",
    "docker build ": "test_containers.py builds the same file without the extra",
    "SERVICE_PASSWORD=": "tests/chassis/contract/test_roles.py runs the script",
    "docker compose up --detach --wait db": "it is for a volume of an earlier release",
    "docker compose exec db": "it is for a volume of an earlier release",
    "py ": "Windows",
    r".venv\Scripts": "Windows",
}
CONNECT = (
    "import src, sys; from chassis.bootstrap import load_config_with_database;"
    "from chassis.project import current_project; from chassis.postgres.engines import "
    "unpooled_engine; e = unpooled_engine(load_config_with_database("
    "current_project().config_type, signs=False).database_url)"
)
# The guide's words for the place of a line in a file.
ANCHORS = {
    "src/services/ports.py": '    """The repositories of one transaction."""\n',
    "src/infrastructure/databases/unit_of_work.py": "        super().__init__(connection)\n",
    "src/dependency_container.py": "        clock,\n    )\n",
}


def blocks(text: str, *languages: str) -> list[str]:
    return [
        block
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if language in languages
    ]


def commands(text: str) -> list[str]:
    lines = "".join(blocks(text, "sh", "bat")).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


def test_every_command_of_the_documents_is_run(copy: Path, report: Report) -> None:
    texts = [(ROOT / "README.md").read_text()]
    texts += [(copy / name).read_text() for name in PROJECT_DOCUMENTS]
    every = [line for text in texts for line in commands(text)]
    not_run = [line for line in every if line.startswith(tuple(REASONS))]
    by_others = [line for line in every if line in BY_ANOTHER_TEST]
    here = [line for line in every if line not in not_run + by_others]
    add_resource(copy)  # So that `db migrate` finds a difference.
    for line in here:
        result = command(line, cwd=copy)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    assert set(BY_ANOTHER_TEST) <= set(every), "A command that no document has."
    report.append(
        f"documents: {len(every)} commands, {len(here)} run as they stand, {len(by_others)} by "
        f"another test, {len(not_run)} not run ({', '.join(sorted(set(REASONS.values())))})"
    )


def add_resource(project: Path) -> tuple[int, int]:
    """Follow docs/add-a-resource.md; return the numbers of files and lines."""
    guide = (project / "docs/add-a-resource.md").read_text()
    files = lines = 0
    for section in guide.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        code = blocks(body, "python")
        name = re.search(r"`([\w/.]+)`", heading)
        if not code or not name:
            continue
        files += 1
        lines += sum(block.count("\n") for block in code)
        path = project / name[1]
        if "in `" not in heading:
            assert not path.exists()
            path.write_text(code[0])
            continue
        imports, registration = code
        text = path.read_text()
        imported = [*re.finditer(r"^(from|import) .*\n", text, re.MULTILINE)][-1].end()
        text = text[:imported] + imports + text[imported:]
        anchor = ANCHORS[name[1]]
        gap = "\n" if anchor.strip().startswith('"""') else ""
        assert anchor in text
        path.write_text(text.replace(anchor, anchor + gap + registration, 1))
    return files, lines


@pytest.mark.parametrize("example_resource", ["yes", "no"])
def test_a_resource_is_added_by_hand(
    example_resource: str, copy: Path, empty_project: Path, tmp_path: Path, report: Report
) -> None:
    project = copy
    if example_resource == "no":
        project = shutil.copytree(empty_project, tmp_path / "empty")
        (project / ".venv").symlink_to((copy / ".venv").resolve())
    files, lines = add_resource(project)
    for line in commands((project / "docs/add-a-resource.md").read_text()):
        if "downgrade" not in line:
            result = command(line, cwd=project)
            assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    [migration] = (project / "migrations/versions").glob("*_add_notes.py")
    files, lines = files + 1, lines + migration.read_text().count("\n")
    report.append(f"a resource by hand: {files} files, {lines} lines (migration included)")
    assert files <= 10


def test_the_three_releases_of_the_guide_lose_nothing(copy: Path) -> None:
    """Rows that old and new code write during the migrations exist afterwards."""
    guide = (copy / "docs/migrations.md").read_text().partition("## An example")[2]
    # Projects without todos have this page, too.
    example = guide.partition("\n## ")[0].replace("books", "todos")
    written: list[str] = []
    found = re.findall(r"^```(\w+)\n(.*?)^```$", example, re.MULTILINE | re.DOTALL)
    with running_database(copy):
        release(copy, found, written)
        stored = sql(copy, "SELECT subject FROM todos ORDER BY subject").splitlines()
        assert stored == sorted(written)
        assert not has_column(copy, "title")
    assert {text.split()[0] for text in written} == {"title", "subject"}


@contextmanager
def running_database(project: Path) -> Iterator[None]:
    """Keep the embedded database running, so that each command does not start and stop it."""
    holder = subprocess.Popen(
        [".venv/bin/python", "-c", f"{CONNECT}; print(1, flush=True); sys.stdin.read()"],
        cwd=project,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline()
        yield
    finally:
        holder.communicate()


def release(copy: Path, blocks: list[tuple[str, str]], written: list[str]) -> None:
    """Write the files and run the commands; before each command, code of all releases writes."""
    for language, block in blocks:
        if language == "python":
            path, _, text = block.removeprefix("# ").partition("\n")
            (copy / path).write_text(text)
            continue
        for line in commands(f"```sh\n{block}```\n"):
            columns = [name for name in ("title", "subject") if has_column(copy, name)]
            for column in columns:
                written.append(f"{column} {len(written)}")
                write_todo(copy, column, written[-1])
            result = command(line, cwd=copy)
            assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"


def sql(project: Path, statement: str) -> str:
    code = (
        f"{CONNECT}; c = e.connect(); r = c.exec_driver_sql(sys.argv[1]);"
        "print(*(row[0] for row in r) if r.returns_rows else (), sep='\\n'); c.commit()"
    )
    result = subprocess.run(
        [".venv/bin/python", "-c", code, statement],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def has_column(project: Path, name: str, table: str = "todos") -> bool:
    query = (
        f"SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('{table}') AND attname = '{name}'"
    )
    return bool(sql(project, query))


def write_todo(project: Path, column: str, text: str) -> None:
    row = f"(id, version, {column}) VALUES (gen_random_uuid(), 1, '{text}')"
    sql(project, f"INSERT INTO todos {row}")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_tree_of_the_readme_is_that_of_a_project(default_project: Path) -> None:
    [tree] = re.findall(r"^my_service/\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    shown: set[str] = set()
    folder = ""
    for inner, names in re.findall(r"^(│   )?[├└]── (\S+(?:  \S+\.\S+)*)", tree, re.MULTILINE):
        for name in names.split():
            folder = folder if inner else name
            shown.add(f"{folder}{name}" if inner else name)
    for name in shown:
        assert (default_project / name).exists(), name
    assert {
        f"src/{path.name}/" for path in (default_project / "src").iterdir() if path.is_dir()
    } <= {
        *shown,
        "src/__pycache__/",
    }
    folders = {f"{path.name}/" for path in default_project.iterdir() if path.is_dir()}
    assert folders <= {*shown, ".git/", ".venv/", ".devcontainer/", "requirements/", "scripts/"}


def test_each_row_of_the_table_of_peers_has_a_command_that_is_there() -> None:
    text = (ROOT / "README.md").read_text().partition("## Beside its peers")[2]
    rows = re.findall(r"^\| ([^|]+) \| yes \|", text, re.MULTILINE)
    assert len(rows) >= 10
    makefile = (ROOT / "Makefile").read_text()
    for row in rows:
        [proof] = re.findall(r": `(.+)`$", row)
        if proof.startswith("make "):
            assert f"\n{proof.removeprefix('make ')}: " in makefile, proof
        else:
            assert (ROOT / proof.removeprefix(".venv/bin/pytest ")).is_file(), proof


def test_each_decision_has_a_date_and_a_replaced_one_leads_to_the_other() -> None:
    text = (ROOT / "docs/decisions.md").read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    decisions = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert [one for one in decisions if not re.search(r" \(\d{4}-\d\d-\d\d\)$", one)] == []
    anchors = {anchor(one) for one in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= anchors


def test_every_link_of_a_project_leads_somewhere(default_project: Path) -> None:
    pages = [default_project / "README.md", default_project / "chassis/README.md"]
    pages += sorted((default_project / "docs").glob("*.md"))
    for page in pages:
        for target, place in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", page.read_text()):
            path = (page.parent / target) if target else page
            assert path.exists(), f"{page.name}: {target}"
            if place:
                headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
                assert place in map(anchor, headings), f"{page.name}: {target}#{place}"


@pytest.mark.parametrize("is_all", [False, True], ids=["none", "all"])
def test_every_page_of_a_project_can_be_reached_from_its_readme(
    template: Path, tmp_path: Path, is_all: bool
) -> None:
    answers = {"background_jobs": "celery", "file_storage": "s3", "kubernetes": True}
    project = bake_into(tmp_path, template, **(answers if is_all else {"pipelines": "none"}))
    pages, found = [project / "README.md"], set[str]()
    while pages:
        page = pages.pop()
        linked = re.findall(r"\]\(([\w./-]+\.md)", page.read_text())
        assert [target for target in linked if not (page.parent / target).exists()] == [], page.name
        new = {str((page.parent / target).resolve()) for target in linked} - found
        found |= new
        pages += map(Path, new)
    every = {str(path) for path in (project / "docs").resolve().glob("*.md")}
    assert every - found == set()


def test_each_setting_is_in_the_table_with_its_default(copy: Path) -> None:
    shown = command("env -i .venv/bin/python manage.py config", cwd=copy).stdout
    defaults = dict(re.findall(r"^(\w+)=(.*)  \(default\)$", shown, re.MULTILINE))
    table: dict[str, str] = {}
    for names, values in re.findall(
        r"^\| (`[A-Z_`, ]+`) \|(?: (.*?))?? \|",
        (copy / "docs/settings.md").read_text(),
        re.MULTILINE,
    ):
        found = values.replace("`", "").split(", ")
        # A row with fewer defaults than names gives them for its first names.
        each = re.findall(r"\w+", names)
        table |= dict(zip(each, [*found, *("" for _ in each)], strict=False))
    set_here = set(re.findall(r"^(\w+)=", shown, re.MULTILINE)) - defaults.keys()
    assert table.keys() == defaults.keys() | set_here
    own = {"SERVICE_PREFIX": "the project's name", "MIGRATION_DATABASE_URL": "DATABASE_URL"}
    for name, default in defaults.items():
        assert table[name] == own.get(name, default), name


def test_the_chassis_readme_names_its_rooms_in_their_order(default_project: Path) -> None:
    text = (default_project / "chassis/README.md").read_text().partition("## What a project")[0]
    rooms = [name for row in re.findall(r"^\| (`.*?) \|", text, re.M) for name in row.split(", ")]
    contracts = (default_project / "pyproject.toml").read_text()
    order = re.search(r'containers = \["chassis"\].*?layers = \[(.*?)\]', contracts, re.DOTALL)
    assert order
    layers = [re.findall(r"\w+", layer) for layer in re.findall(r'"(.*?)"', order[1])]
    place = {name: number for number, layer in enumerate(layers) for name in layer}
    found = [place[name.strip("`")] for name in rooms if name.strip("`") in place]
    assert found == sorted(found)
    there = {
        path.stem
        for path in (default_project / "chassis").iterdir()
        if (path.is_dir() or path.suffix == ".py") and path.stem[0] != "_"
    }
    assert there <= {name.strip("`") for name in rooms}


def test_a_diagram_that_differs_from_the_code_is_noticed(copy: Path) -> None:
    middleware = copy / "src/api/middleware.py"
    text = middleware.read_text()
    test = ".venv/bin/python -m unittest tests.unit.test_architecture"
    assert command(test, cwd=copy).returncode == 0
    middleware.write_text(re.sub(r"        steps.send_deprecation.*\n", "", text))
    result = command(test, cwd=copy)
    assert result.returncode == 1
    assert "make diagrams" in result.stderr
    make(copy, "diagrams")
    assert command(test, cwd=copy).returncode == 0
    assert "send_deprecation" not in (copy / "docs/architecture.md").read_text()


@pytest.mark.parametrize(
    "answers", [{"pipelines": "gitlab", "kubernetes": True}, {"pipelines": "none"}]
)
def test_the_diagrams_are_those_of_the_answers(answers: dict[str, object], bake: Bake) -> None:
    page = (bake(**answers) / "docs/architecture.md").read_text()
    assert ("gitlab_check" in page) == (answers["pipelines"] == "gitlab")
    assert ("This project has no pipelines." in page) == (answers["pipelines"] == "none")
    assert ("expand<br/>Namespace, Job" in page) == ("kubernetes" in answers)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub and GitLab make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_no_file_names_the_host_of_a_package_registry() -> None:
    """Settings name the index that a team installs from."""
    hosts = [f"{name}.org" for name in ("pypi", "files.pythonhosted")]
    hosts = [*hosts, f"registry.{'npmjs'}.org"]
    named = [
        name
        for name in working_files()
        if any(host.encode() in (ROOT / name).read_bytes() for host in hosts)
    ]
    assert named == []
