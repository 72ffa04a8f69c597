"""The hooks reject answers that cannot work, and never remove a project that could."""

import ast
import importlib.util
import json
import keyword
import os
import random
import re
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import PROJECT_FOLDER, ROOT, Bake, bake_into, git, project_files, run, tool
from cookiecutter.exceptions import FailedHookException

HOOKS = sorted((ROOT / "hooks").glob("*.py"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pre_gen = load("pre_gen_project")
post_gen = load("post_gen_project")
PARTS = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))["_parts"]
EXAMPLE = PARTS[0]

# Rejected slugs, by the reason in the error.
SHAPE = "must be made of lower-case letters"
BAD_SLUGS = {
    "": "is empty",
    "class": "is a word of the Python language",
    "import": "is a word of the Python language",
    "match": "is a word of the Python language",
    "json": "is the name of a module of Python",
    "logging": "is the name of a module of Python",
    "email": "is the name of a module of Python",
    "flask": "is the name of a package",
    "marshmallow": "is the name of a package",
    "sqlalchemy": "is the name of a package",
    "dependency_injector": "is the name of a package",
    "psycopg2": "is the name of a package",
    "src": "is a name that the project",
    "tests": "is a name that the project",
    "test": "is a name that the project",
    "migrations": "is a name that the project",
    "scripts": "is a name that the project",
    "manage": "is a name that the project",
    "wsgi": "is a name that the project",
    "docs": "is a name that the project",
    "template1": "is a name that the project",
    "pg_billing": "is a name that the project",
    "con": "cannot be a folder on Windows",
    "lpt1": "cannot be a folder on Windows",
    "a" * 41: "is longer than 40 characters",
    "long_" * 60 + "x": "is longer than 40 characters",
    "2fast": SHAPE,
    "my service": SHAPE,
    " my_service": SHAPE,
    "my-service": SHAPE,
    "my.service": SHAPE,
    "MyService": SHAPE,
    "Flask": SHAPE,
    "münchen": SHAPE,
    "сервис": SHAPE,
    "日本": SHAPE,
    "_private": SHAPE,
    "trailing_": SHAPE,
    "double__underscore": SHAPE,
    "../x": SHAPE,
    "..": SHAPE,
    ".": SHAPE,
    "a/b": SHAPE,
    "a/b/c/": SHAPE,
    "a\\b": SHAPE,
    "~": SHAPE,
    "~root": SHAPE,
    "a\0b": SHAPE,
    "a\nb": SHAPE,
    "my_service\n": SHAPE,
    "\x1b[31mred": SHAPE,
    "$(touch pwned)": SHAPE,
    "'; import os #": SHAPE,
    "\udc80": SHAPE,
    "😀": SHAPE,
}

GOOD_SLUGS = ["my_service", "a", "a1", "billing_2", "flaskapp", "my_flask", "x" * 40, "todos"]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A folder three levels deep, so that a test sees files of a slug that leads out."""
    folder = tmp_path / "a_level" / "another" / "output"
    folder.mkdir(parents=True)
    return folder


def listing(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.mark.parametrize("slug", BAD_SLUGS, ids=ascii)
def test_a_bad_slug_is_refused_with_a_valid_suggestion_and_leaves_nothing(
    slug: str,
    template: Path,
    output: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = listing(tmp_path)
    with pytest.raises(FailedHookException):
        bake_into(output, template, project_slug=slug)

    sentence = re.search(r'^The slug (.*); try "(.*)"\.$', capfd.readouterr().err, re.MULTILINE)
    assert sentence
    assert BAD_SLUGS[slug] in sentence[1]
    assert pre_gen.slug_problem(sentence[2]) is None
    assert listing(tmp_path) == before


def test_an_absolute_path_as_slug_is_refused_and_leaves_nothing(
    template: Path, output: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FailedHookException):
        bake_into(output, template, project_slug=str(tmp_path / "elsewhere"))

    assert SHAPE in capfd.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


def test_the_command_line_ends_with_an_error(template: Path, output: Path) -> None:
    ended = run(
        tool("cookiecutter"), "--no-input", template, "project_slug=a/b", cwd=output, check=False
    )

    assert ended.returncode == 1
    assert '; try "a_b".' in ended.stderr
    assert listing(output) == []


@pytest.mark.parametrize("slug", GOOD_SLUGS)
def test_a_good_slug_is_accepted(slug: str, bake: Bake) -> None:
    assert pre_gen.slug_problem(slug) is None
    assert bake(project_slug=slug).name == slug


def test_every_suggestion_is_valid() -> None:
    chance = random.Random(20)
    alphabet = [*"aZ09__..//\\ -~$'\"\n\0", "é", "ß", "İ", "日", "😀", "\u202e", "\udc80"]
    words = ["", *keyword.kwlist, *sys.stdlib_module_names, *BAD_SLUGS]
    words += [*pre_gen.DEPENDENCIES, *pre_gen.PROJECT_PARTS, *pre_gen.WINDOWS_DEVICES]
    words += ["".join(chance.choices(alphabet, k=chance.randrange(90))) for _ in range(5000)]
    words += [f"{'a' * length}_b" for length in range(60)]

    refused = {word for word in words if pre_gen.slug_problem(pre_gen.suggestion(word))}

    assert refused == set()


@pytest.mark.parametrize("slug", GOOD_SLUGS)
def test_a_good_slug_is_its_own_suggestion(slug: str) -> None:
    assert pre_gen.suggestion(slug) == slug


def test_a_suggestion_stays_close_to_the_answer() -> None:
    answers = ["Müller & Söhne", "2 fast", "a/b", "flask", "日本", "a" * 39 + "_b"]
    suggestions = ["muller_sohne", "my_2_fast", "a_b", "my_flask", "my_service", "a" * 39]

    assert [pre_gen.suggestion(answer) for answer in answers] == suggestions


def test_every_package_that_the_project_installs_is_a_refused_slug() -> None:
    locked = "".join(
        path.read_text() for path in (ROOT / PROJECT_FOLDER / "requirements").glob("*.txt")
    )
    names = {
        re.sub("[-.]", "_", name.lower())
        for name in re.findall("^([\\w.-]+)==", locked, re.MULTILINE)
    }

    assert len(names) > 20
    assert names - pre_gen.DEPENDENCIES == set()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"project_name": ""}, "The project name is empty."),
        ({"project_name": " \n\t "}, "The project name is empty."),
        ({"author": ""}, "The author is empty."),
        ({"project_name": "x" * 101}, "The project name is longer than 100 characters."),
        ({"author": "x" * 201}, "The author is longer than 200 characters."),
        ({"description": "x" * 501}, "The description is longer than 500 characters."),
        ({"description": "a\0b"}, "The description contains a control character."),
        ({"description": "\x1b[31mred"}, "The description contains a control character."),
        ({"author": "bell\a"}, "The author contains a control character."),
        ({"project_name": "del\x7f"}, "The project name contains a control character."),
        ({"author": "next\x85line"}, "The author contains a control character."),
        ({"description": "half \ud83d"}, "The description contains a control character."),
    ],
    ids=ascii,
)
def test_a_bad_text_is_refused_with_a_sentence_and_leaves_nothing(
    answers: dict[str, str],
    sentence: str,
    template: Path,
    output: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(FailedHookException):
        bake_into(output, template, project_slug="my_service", **answers)

    assert sentence in capfd.readouterr().err.splitlines()
    assert listing(output) == []


# What the hooks are made of


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_is_short(hook: Path) -> None:
    assert len(hook.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_imports_only_a_few_harmless_standard_modules(hook: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(hook.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))

    allowed = {"contextlib", "json", "keyword", "os", "pathlib", "re", "subprocess", "sys"}
    assert imported <= {*allowed, "unicodedata"} <= {*sys.stdlib_module_names}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_starts_only_git_for_a_first_commit_and_three_scripts(hook: Path) -> None:
    tree = ast.parse(hook.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    commands = [
        ast.unparse(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "attempt"
        for argument in node.args[1:]
    ]

    assert not names & {"eval", "exec", "compile", "__import__", "open", "input"}
    assert not attributes & {"system", "popen", "Popen", "check_output", "call", "check_call"}
    assert [command.split()[:2] for command in commands] == (
        [
            ["[sys.executable,", "REMEMBER,"],
            ["[sys.executable,", "*DRAW]"],
            ["[sys.executable,", "'scripts/create_env.py']"],
            ["['git',", "'init',"],
            ["['git',", "'symbolic-ref',"],
            ["['git',", "'add',"],
            ["['git',", "'commit',"],
        ]
        if hook.stem == "post_gen_project"
        else []
    )


def test_the_lists_of_the_example_name_every_file_that_mentions_it(template: Path) -> None:
    project = template / PROJECT_FOLDER
    # Their own templates have conditions.
    rendered = {"README.md", "openapi.json", "pyproject.toml"}
    files = [str(path) for path in project_files(project) if str(path) not in rendered]
    named = {name for name in files if "todo" in name.lower()}
    mentioning = {name for name in files if b"todo" in (project / name).read_bytes().lower()}

    assert named <= set(EXAMPLE["files"]) <= set(files)
    assert mentioning - set(EXAMPLE["files"]) == set(EXAMPLE["lines_of"])


def test_an_example_that_cannot_be_removed_ends_the_generation(
    own_template: Path, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (own_template / PROJECT_FOLDER / EXAMPLE["files"][-1]).unlink()

    with pytest.raises(FailedHookException):
        bake_into(output, own_template, example_resource=False)

    assert EXAMPLE["files"][-1] in capfd.readouterr().err
    assert listing(output) == []


# What may go wrong without harm


def warnings(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = capfd.readouterr().out.splitlines()
    return [line for line in lines if line.startswith("Warning:")]


def test_nothing_is_warned_of_when_all_is_well(
    bake: Bake, capfd: pytest.CaptureFixture[str]
) -> None:
    project = bake()

    assert warnings(capfd) == []
    assert git("log", "--format=%s", cwd=project) == post_gen.COMMIT_MESSAGE
    assert git("branch", "--show-current", cwd=project) == "main"
    assert git("status", "--porcelain", cwd=project) == ""


def test_without_git_the_project_is_kept(
    bake: Bake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    project = bake()

    [warning] = warnings(capfd)
    assert warning.startswith("Warning: git was not found. Later, in the project: git init && ")
    assert (project / ".env").exists()
    assert not (project / ".git").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("[user]\nuseConfigOnly = true\n", "no email was given"),
        ("[user]\nname = A\nemail = a@b.c\n[core]\nhooksPath = {hooks}\n", "not on my watch"),
        (
            "[user]\nname = A\nemail = a@b.c\n[commit]\ngpgSign = true\n[gpg]\nprogram = false\n",
            "failed to write commit object",
        ),
    ],
    ids=["no identity", "failing commit hook", "signing that fails"],
)
def test_a_commit_that_fails_is_warned_of_and_works_later(
    settings: str,
    reason: str,
    bake: Bake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook = tmp_path / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho '✋ not on my watch' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    with monkeypatch.context() as patch:
        (tmp_path / "gitconfig").write_text(settings.format(hooks=hook.parent))
        patch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
        patch.setenv("PYTHONIOENCODING", "ascii")  # An old code page cannot print git's message.
        project = bake()

    [warning] = warnings(capfd)
    assert reason in warning
    advice = warning.partition("Later, in the project: ")[2]
    run("sh", "-c", advice, cwd=project)
    assert git("log", "--format=%s", cwd=project) == post_gen.COMMIT_MESSAGE
    assert git("branch", "--show-current", cwd=project) == "main"
    assert git("status", "--porcelain", cwd=project) == ""


def test_inside_another_git_process_only_the_new_repository_is_touched(
    bake: Bake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git("init", "--quiet", cwd=outer)
    git("commit", "--quiet", "--allow-empty", "--message", "Outer", cwd=outer)
    before = git("rev-parse", "HEAD", cwd=outer)
    with monkeypatch.context() as patch:
        patch.setenv("GIT_DIR", str(outer / ".git"))
        patch.setenv("GIT_WORK_TREE", str(outer))
        patch.setenv("GIT_INDEX_FILE", str(outer / ".git" / "index"))
        patch.setenv("GIT_OBJECT_DIRECTORY", str(outer / ".git" / "objects"))
        patch.setenv("GIT_PREFIX", "src/")
        project = bake()

    assert git("rev-parse", "HEAD", cwd=outer) == before
    assert git("status", "--porcelain", cwd=outer) == ""
    assert git("rev-parse", "--absolute-git-dir", cwd=project) == str(project / ".git")
    assert git("log", "--format=%s", cwd=project) == post_gen.COMMIT_MESSAGE


@pytest.mark.parametrize("folder", [".", "services", "a/b"])
def test_inside_a_work_tree_no_repository_is_nested(
    template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], folder: str
) -> None:
    outer = tmp_path / "outer"
    (outer / folder).mkdir(parents=True)
    git("init", "--quiet", cwd=outer)

    project = bake_into(outer / folder, template)

    assert not (project / ".git").exists()
    said = capfd.readouterr().out
    assert (
        "The project lies in a git repository, so it got none of its own. Commit it there." in said
    )
    git("add", "--all", cwd=outer)
    staged = git("ls-files", "--stage", cwd=outer)
    assert f"{project.relative_to(outer)}/manage.py" in staged
    assert "160000" not in staged
    assert ".env\n" not in staged.replace(".env.docker.env", "")


def test_where_the_work_tree_ignores_it_it_gets_a_repository(
    template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    git("init", "--quiet", cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("/apart/\n")
    (tmp_path / "apart").mkdir()

    project = bake_into(tmp_path / "apart", template)

    assert git("log", "--format=%s", cwd=project) == post_gen.COMMIT_MESSAGE
    assert "none of its own" not in capfd.readouterr().out


@pytest.mark.parametrize("license_name", ["GPL-3.0", "mit", ""])
def test_the_answers_that_were_taken_are_said(
    template: Path, output: Path, tmp_path: Path, license_name: str
) -> None:
    """Cookiecutter ignores defaults after an unknown licence, so the hook prints all answers."""
    config = tmp_path / "config.yaml"
    defaults = f"license: '{license_name}'\n  author: Ann\n  example_resource: false"
    config.write_text(f"default_context:\n  project_name: Mail Box\n  {defaults}\n")

    said = run(
        tool("cookiecutter"), "--no-input", "--config-file", config, template, cwd=output
    ).stdout

    project_toml = (output / "mail_box" / "pyproject.toml").read_text()
    [author] = re.findall('authors = .. name = "(.*)"', project_toml)
    for line in ("project_name: Mail Box", "license: MIT", f"author: {author}"):
        assert f"  {line}\n" in said
    assert "  example_resource: True\n" in said


def test_a_folder_that_is_a_repository_keeps_its_history(template: Path, output: Path) -> None:
    existing = output / "my_service"
    existing.mkdir()
    git("init", "--quiet", cwd=existing)
    git("commit", "--quiet", "--allow-empty", "--message", "Mine", cwd=existing)

    run(tool("cookiecutter"), "--no-input", "--overwrite-if-exists", template, cwd=output)

    assert git("log", "--format=%s", cwd=existing) == "Mine"
    assert "?? src/" in git("status", "--porcelain", cwd=existing)


def test_secrets_that_cannot_be_written_are_warned_of(
    own_template: Path, bake: Bake, capfd: pytest.CaptureFixture[str]
) -> None:
    script = own_template / PROJECT_FOLDER / "scripts" / "create_env.py"
    script.write_text("import sys\nsys.exit('no room left')\n")

    project = bake(own_template)

    [warning] = warnings(capfd)
    assert "no room left. Later, in the project: python3 scripts/create_env.py" in warning
    assert git("log", "--format=%s", cwd=project) == post_gen.COMMIT_MESSAGE


def test_an_output_that_nobody_reads_keeps_the_project(template: Path, output: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [tool("cookiecutter"), "--no-input", template], cwd=output, stdout=writing, timeout=60
    )
    os.close(writing)

    assert ended.returncode == 0
    assert git("status", "--porcelain", cwd=output / "my_service") == ""


# What is said at the end


def test_the_next_commands_fit_the_answers(bake: Bake, capfd: pytest.CaptureFixture[str]) -> None:
    bake(project_slug="billing")
    said = capfd.readouterr().out
    assert "  cd billing\n  make run\n  make test\n" in said
    assert "curl -i http://127.0.0.1:8000/billing/v1/todos " in said

    bake(project_slug="billing", example_resource=False)
    said = capfd.readouterr().out
    assert "  make run\n" in said
    assert "todo" not in said


def test_on_windows_the_next_commands_need_no_make() -> None:
    steps = post_gen.next_steps("billing", example_resource=True, cruft=False, windows=True)

    assert not any("make" in line or "curl" in line for line in steps)
    assert r"  .venv\Scripts\python manage.py run" in steps
    installs = [line.partition("-r ")[2].replace("\\", "/") for line in steps if "-r " in line]
    assert installs == ["requirements/run.txt", "requirements/development.txt"]
    assert all((ROOT / PROJECT_FOLDER / name).is_file() for name in installs)


# The secrets


def test_the_secrets_are_random_private_and_safe_in_every_notation(bake: Bake) -> None:
    secrets = set()
    for path in (bake() / ".env", bake() / ".env"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        settings = dict(line.split("=") for line in lines)
        passwords = ["POSTGRES_PASSWORD", "MIGRATION_PASSWORD", "SERVICE_PASSWORD"]
        assert list(settings) == ["ENVIRONMENT", "SECRET_KEY", *passwords]
        assert settings["ENVIRONMENT"] == "development"
        assert re.fullmatch("[a-zA-Z0-9]{64}", settings["SECRET_KEY"])
        for name in passwords:
            assert re.fullmatch("[a-zA-Z0-9]{32}", settings[name])
        secrets |= {settings[name] for name in ["SECRET_KEY", *passwords]}

    assert len(secrets) == 8


def test_the_secrets_are_never_tracked(default_project: Path) -> None:
    assert git("check-ignore", ".env", cwd=default_project) == ".env"
    tracked = git("ls-files", cwd=default_project).splitlines()
    assert ".env" not in tracked
    assert ".env.docker.env" in tracked  # It has no secrets.


@pytest.mark.parametrize(
    "name",
    [
        *(".env.production", ".env.local", "docker/.env", ".envrc", "tls.pem", "docker/tls.key"),
        *("src/store.p12", "id_ed25519", "deploy/id_rsa", ".pgpass"),
    ],
)
def test_where_secrets_usually_lie_git_does_not_look(default_project: Path, name: str) -> None:
    assert git("check-ignore", name, cwd=default_project) == name


def test_secrets_that_exist_are_kept(bake: Bake) -> None:
    project = bake()
    before = (project / ".env").read_bytes()

    ended = run(sys.executable, "scripts/create_env.py", cwd=project)

    assert "kept" in ended.stdout
    assert (project / ".env").read_bytes() == before
