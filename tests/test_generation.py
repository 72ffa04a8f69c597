"""For any answers, generated files are valid, complete and the same each time."""

import itertools
import json
import os
import re
import stat
import subprocess
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from conftest import (
    PROJECT_FOLDER,
    ROOT,
    Bake,
    bake_into,
    git,
    project_files,
    run,
    tool,
)
from cookiecutter.exceptions import OutputDirExistsException
from markdown_it import MarkdownIt

QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
COPIED = QUESTIONS["_copy_without_render"]

HOSTILE_TEXTS = {
    "quotes": """She said "hi" and it's 'fine'""",
    "triple quotes": "'''three''' and \"\"\"three\"\"\"",
    "backslashes": r"C:\new\table \u0041 \x41 \\ ends in \\"[:-1],
    "line breaks": "one\ntwo\r\nthree\n\n\tfour",
    "jinja expression": "{{ 7 * 7 }} {{ cookiecutter.author }} }} {{",
    "jinja statement": "{% if x %}{% endif %} {# gone? #} %}",
    "comment": "# not a comment #",
    "mapping": "key: value, - item: [1, {a: b}] & *anchor !tag | > @",
    "percent": "100% %s %(x)s %",
    "shell": "$(touch pwned) `touch pwned` ${HOME} ; touch pwned && !",
    "python": "'); import os; os.system('touch pwned') #",
    "python, double quotes": '"); import os; os.system("touch pwned") #',
    "json in a raw string": r"\u0027\x27'\' r'",
    "toml": '" \n[tool.ruff]\nselect = ["ALL"]\nx = """',
    "markdown": "*a* _b_ `c` [d](http://e) ![f](g) <b>h</b> ~~i~~ &amp; | $j$ \\",
    "markdown heading": "# heading",
    "markdown list": "- item",
    "markdown number": "1. item",
    "markdown rule": "---",
    "html": "<script>alert('1')</script><!-- x -->",
    "emoji": "Rockets 🚀🏳️‍🌈 and \U0001f468\u200d\U0001f469",
    "right to left": "שלום עולם \u202eabc\u202c مرحبا",
    "accents": "Ünïcödé Straße İstanbul",
    "separators": "a\u2028b\u2029c\u00a0d\ufeffe",
    "very long": "word " * 19 + "end",
}


def literally(text: str) -> str:
    """Escape an answer: cookiecutter renders answers that it gets without a prompt."""
    return f"{{% raw %}}{text}{{% endraw %}}"


def one_line(text: str) -> str:
    return " ".join(text.split())


def markdown_text(readme: str) -> tuple[str, list[str]]:
    """Return the first heading and the top-level paragraphs, as a reader sees them."""
    tokens = MarkdownIt("commonmark").parse(readme)
    seen = {"heading_open": [""], "paragraph_open": [""]}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type in seen and opening.level == 0:
            parts = [child.content for child in inline.children or []]
            seen[opening.type].append("".join(parts))
    return seen["heading_open"][1], seen["paragraph_open"]


def check_files(project: Path) -> None:
    for path in project_files(project):
        content = (project / path).read_text(encoding="utf-8")
        if path.suffix == ".py":
            compile(content, str(path), "exec")
        elif path.suffix == ".toml":
            tomllib.loads(content)
        elif path.suffix in {".yaml", ".yml"}:
            list(yaml.safe_load_all(content))
        elif path.suffix == ".json":
            json.loads(content)


@pytest.mark.parametrize("case", HOSTILE_TEXTS)
def test_any_text_gives_valid_files_that_carry_it(
    case: str, bake: Bake, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = HOSTILE_TEXTS[case]
    project = bake(
        project_name=literally(text),
        project_slug="hostile",
        description=literally(text),
        author=literally(text),
    )

    check_files(project)
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["name"] == "hostile"
    assert pyproject["project"]["description"] == one_line(text)
    assert pyproject["project"]["authors"] == [{"name": one_line(text)}]
    openapi = json.loads((project / "openapi.json").read_text(encoding="utf-8"))
    assert openapi["info"]["title"] == pyproject["tool"]["chassis"]["title"] == one_line(text)
    assert openapi["info"]["description"] == one_line(text)
    assert f"Copyright (c) {one_line(text)}\n" in (project / "LICENSE").read_text(encoding="utf-8")
    heading, paragraphs = markdown_text((project / "README.md").read_text(encoding="utf-8"))
    assert heading == one_line(text)
    assert one_line(text) in paragraphs
    assert not list(tmp_path.rglob("pwned"))
    assert "Warning" not in capfd.readouterr().out


def test_nginx_answers_and_limits_as_the_service_does(bake: Bake) -> None:
    project = bake()
    text = (project / "docker/nginx.conf").read_text()
    schemas = json.loads((project / "openapi.json").read_text())["components"]["schemas"]
    bodies = re.findall(r"return (\d+) '(.*)';", text)
    assert {int(status) for status, _ in bodies} == {400, 404, 405, 413, 414, 500, 502, 504}
    for status, body in bodies:
        problem = json.loads(body.replace("$status", status))
        assert problem.keys() == set(schemas["Problem"]["required"])
        assert problem["status"] == int(status)
        assert problem["title"] == problem["type"].replace("-", " ").capitalize()
    [largest] = re.findall("client_max_body_size (.+);", text)
    assert f"| `MAX_BODY_BYTES` | `{largest}` |" in (project / "docs/settings.md").read_text()


def test_the_longest_description_is_carried(bake: Bake) -> None:
    text = "\\\"'{}" * 100
    pyproject = bake(description=literally(text)) / "pyproject.toml"

    assert tomllib.loads(pyproject.read_text())["project"]["description"] == text


def test_the_questions_are_few_and_asked_as_a_person_would(template: Path, tmp_path: Path) -> None:
    answers = ["Rechnungen & Söhne", "", 'Bills "fast" {{ 7 * 7 }}', "Zoë"]
    answers += ["2", "n", "2", "y", "2", "2"]
    asked = subprocess.run(
        [tool("cookiecutter"), template],
        cwd=tmp_path,
        input="\n".join(answers) + "\n",
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "200"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout

    questions = [name for name in QUESTIONS if not name.startswith("_")]
    assert len(questions) == 10
    assert list(QUESTIONS["__prompts__"]) == questions
    for number, prompt in enumerate(QUESTIONS["__prompts__"].values(), 1):
        label = prompt if isinstance(prompt, str) else prompt["__prompt__"]
        assert f"[{number}/10] {label}" in asked
    for name in ("license", "pipelines", "background_jobs", "file_storage"):
        for choice in QUESTIONS[name]:
            assert QUESTIONS["__prompts__"][name][choice] in asked
    project = tmp_path / "rechnungen_sohne"
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert pyproject["description"] == 'Bills "fast" {{ 7 * 7 }}'
    assert pyproject["authors"] == [{"name": "Zoë"}]
    assert pyproject["license"] == "Apache-2.0"
    assert not (project / "src" / "services" / "todo_service.py").exists()
    assert (project / ".gitlab-ci.yml").is_file()
    assert (project / "deploy").is_dir()
    assert (project / "chassis/jobs").is_dir()
    assert (project / "chassis/storage").is_dir()


@pytest.mark.parametrize(
    ("choice", "expression", "text"),
    [
        ("MIT", "MIT", "Permission is hereby granted, free of charge"),
        ("Apache-2.0", "Apache-2.0", "Version 2.0, January 2004"),
        ("BSD-3-Clause", "BSD-3-Clause", "Neither the name of the copyright holder"),
        ("Proprietary", "LicenseRef-Proprietary", "All rights reserved."),
    ],
)
def test_the_chosen_licence_is_the_one_that_applies(
    choice: str, expression: str, text: str, bake: Bake
) -> None:
    project = bake(license=choice, author="Ada & Co")
    licence = (project / "LICENSE").read_text()

    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["license"] == (
        expression
    )
    assert text in licence
    assert "Copyright (c) Ada & Co" in licence
    assert not re.search(r"\b(19|20)\d\d\b", licence.replace("January 2004", ""))


# What is copied and what is rendered


def is_copied(path: Path) -> bool:
    names = [str(path), *(str(parent) for parent in path.parents)]
    return any(fnmatch(name, pattern) for name in names for pattern in COPIED)


def test_only_a_few_files_are_rendered(default_project: Path) -> None:
    rendered = {str(path) for path in project_files(default_project) if not is_copied(path)}

    assert rendered == {".cruft.json", "LICENSE", "README.md", "openapi.json", "pyproject.toml"}


@pytest.mark.parametrize("kind", ["default_project", "empty_project"])
def test_no_delimiter_is_left_over(kind: str, request: pytest.FixtureRequest) -> None:
    project: Path = request.getfixturevalue(kind)
    for path in project_files(project):
        content = (project / path).read_text(encoding="utf-8")
        # The file name cookiecutter.json is not a reference to an answer.
        assert "cookiecutter." not in content.replace("cookiecutter.json", ""), path
        if not is_copied(path):
            assert not re.search(r"\{\{|\}\}|\{%|%\}|\{#", content), path


def test_copied_files_are_the_same_to_the_byte_and_the_bit(
    template: Path, default_project: Path
) -> None:
    made = Path("chassis/manifest.json")  # The hook draws it from the project's files.
    copied = [path for path in project_files(default_project) if is_copied(path) and path != made]
    shortened = {name for part in QUESTIONS["_parts"] for name in part.get("lines_of", ())}
    executable = 0
    for path in (path for path in copied if str(path) not in shortened):
        source, target = template / PROJECT_FOLDER / path, default_project / path
        assert target.read_bytes() == source.read_bytes(), path
        assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(source.stat().st_mode), path
        executable += bool(target.stat().st_mode & stat.S_IXUSR)

    assert len(copied) > 20
    assert executable > 0


def test_a_delimiter_in_code_survives(own_template: Path, bake: Bake) -> None:
    text = "f'{{ {x} }}' {% raw %} {{ cookiecutter.nothing }} {# note #}\r\n"
    folders = ["src/api", "tests/unit", "migrations", "scripts", "requirements", "docs", ".github"]
    probes = [f"{folder}/probe.txt" for folder in folders] + ["manage_probe.py", "Makefile"]
    for name in probes:
        probe = own_template / PROJECT_FOLDER / name
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(text.encode())
        probe.chmod(0o755)

    project = bake(own_template)

    for name in probes:
        assert (project / name).read_bytes() == text.encode()
        assert os.access(project / name, os.X_OK)


# The tree as a whole


def contents(project: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): ((project / path).read_bytes(), (project / path).stat().st_mode)
        for path in project_files(project)
    }


@pytest.mark.parametrize("example_resource", [True, False])
def test_the_same_answers_give_the_same_tree(example_resource: bool, bake: Bake) -> None:
    first, second = (bake(example_resource=example_resource) for _ in range(2))

    assert contents(first) == contents(second)
    assert git("rev-parse", "HEAD^{tree}", cwd=first) == git("rev-parse", "HEAD^{tree}", cwd=second)


@pytest.mark.parametrize("kind", ["default_project", "empty_project"])
def test_what_is_generated_is_committed_and_nothing_tracked_is_ignored(
    kind: str, request: pytest.FixtureRequest
) -> None:
    project: Path = request.getfixturevalue(kind)
    tracked = git("ls-files", cwd=project).splitlines()

    assert git("status", "--porcelain", cwd=project) == ""
    assert tracked == sorted(str(path) for path in project_files(project))
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard", cwd=project) == ""


def test_the_template_tracks_nothing_that_a_gitignore_hides(template: Path) -> None:
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard", cwd=template) == ""


def test_what_a_run_leaves_behind_is_ignored(bake: Bake) -> None:
    project = bake()
    leftovers = [".venv/bin/python", ".postgres/PG_VERSION", "src/__pycache__/app.pyc"]
    leftovers += [".coverage", "htmlcov/index.html", ".mypy_cache/x", ".ruff_cache/x"]
    for name in leftovers:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()

    assert git("status", "--porcelain", cwd=project) == ""


def test_without_the_example_nothing_of_it_remains(empty_project: Path) -> None:
    check_files(empty_project)
    for path in project_files(empty_project):
        assert "todo" not in str(path).lower()
        assert b"todo" not in (empty_project / path).read_bytes().lower(), path

    assert (empty_project / "migrations" / "versions" / ".gitkeep").is_file()


def test_with_the_example_all_files_are_valid(default_project: Path) -> None:
    check_files(default_project)

    assert (default_project / "src" / "services" / "todo_service.py").is_file()
    assert not (default_project / "migrations" / "versions" / ".gitkeep").exists()


def test_an_existing_folder_is_refused_and_untouched(template: Path, tmp_path: Path) -> None:
    project = bake_into(tmp_path, template)
    (project / "README.md").write_text("mine")

    with pytest.raises(OutputDirExistsException):
        bake_into(tmp_path, template)

    assert (project / "README.md").read_text() == "mine"


def test_generation_leaves_nothing_to_commit(
    template: Path, tmp_path: Path, report: list[str]
) -> None:
    start = time.perf_counter()
    run(tool("cookiecutter"), "--no-input", template, cwd=tmp_path)
    report.append(f"generation: {time.perf_counter() - start:.2f} s, git included")
    assert git("status", "--porcelain", cwd=tmp_path / "my_service") == ""


@pytest.mark.parametrize(
    ("start", "source", "output"),
    [(".", "./template", "made/deep"), ("template", ".", "../made"), ("other", "../template", ".")],
)
def test_a_template_that_is_named_by_a_relative_path_is_recorded(
    own_template: Path, tmp_path: Path, start: str, source: str, output: str
) -> None:
    git("remote", "add", "origin", "https://git.example.org/template", cwd=own_template)
    where = tmp_path / start
    where.mkdir(exist_ok=True)
    run(tool("cookiecutter"), "--no-input", "-o", output, source, cwd=where)
    table = json.loads((where / output / "my_service/.cruft.json").read_text())
    assert table["template"] == "https://git.example.org/template"
    assert table["commit"] == git("rev-parse", "HEAD", cwd=own_template)
