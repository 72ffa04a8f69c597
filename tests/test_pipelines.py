"""Pipelines are valid, and each command in them runs in a generated project."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Bake, bake_into, command, commit_all, git, run, tool

HOSTS = ("github", "gitlab")
ALLOWED = tomllib.loads((ROOT / "tests/pipelines_allowed.toml").read_text())["tags"]
BY_ANOTHER_TEST = {
    "make check": "test_project.py",
    "make test": "test_project.py",
    "make .venv/.ready": "test_project.py, whose fixture sets the project up",
    'scripts/application_changed.sh >>"$GITHUB_OUTPUT"': "below",
    "scripts/propose_template_update.sh": "below",
    "scripts/propose_template_update.sh -o merge_request.create": "below",
    "scripts/deploy_container_app.sh expand": "below",
    "scripts/deploy_container_app.sh application": "below",
    "scripts/deploy_container_app.sh contract": "below",
    '.venv/bin/python manage.py db compat --base "$BASE"': "test_compat.py",
    'if [ -n "$BASE" ]; then .venv/bin/python manage.py db compat --base "$BASE"; fi': (
        "test_compat.py"
    ),
    "docker buildx create --use": "test_containers.py builds with buildx, where there is Docker",
    "scripts/try_containers.sh": "test_containers.py",
}
REASONS = {
    "docker login": "it needs a registry",
    'echo "$CI_REGISTRY_PASSWORD" | docker login': "it needs a registry",
    "docker buildx build --provenance": "it pushes; test_containers.py builds the same image",
    "grype ": "it reads a registry",
    "if git rev-parse --quiet --verify template-update": "it opens a pull request",
    '.venv/bin/python -m pip install --quiet "cookiecutter': "it needs the network",
    "command -v make git": "it installs packages of the system",
}


class Loader(yaml.SafeLoader):
    """Reads YAML in which `on` is a key and not a truth value."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:bool"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(), Loader)
    return found


@pytest.fixture(scope="session")
def projects(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Projects by the host of their pipelines; tests must not change them."""
    return {
        host: bake_into(tmp_path_factory.mktemp(host), template, pipelines=host) for host in HOSTS
    }


def workflows(project: Path) -> list[Path]:
    return sorted((project / ".github/workflows").glob("*.yml"))


def jobs_of_gitlab(project: Path) -> dict[str, dict[str, Any]]:
    """Return GitLab's jobs, merged with those that they extend."""
    table = load(project / ".gitlab-ci.yml")
    reserved = {"workflow", "stages", "variables", "default"}

    def merged(name: str) -> dict[str, Any]:
        job = table[name]
        parent = merged(job["extends"]) if "extends" in job else {}
        return {**parent, **job}

    return {
        name: merged(name) for name in table if name not in reserved and not name.startswith(".")
    }


def problems_of_github(project: Path) -> list[str]:
    found = []
    lint = [tool("zizmor"), "--offline", "--no-progress", "--format", "json", ".github/workflows"]
    for finding in json.loads(run(*lint, cwd=project, check=False).stdout):
        text = json.dumps(finding["locations"])
        if finding["ident"] != "unpinned-uses" or not any(one in text for one in ALLOWED):
            found.append(f"zizmor: {finding['ident']}")
    for path in workflows(project):
        found += problems_of(project, "actionlint", path)
        found += problems_of(
            project, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path
        )
        found += [f"{path.name}: {name} has no limit" for name in without_limit(path)]
    return found + unpinned(project)


def problems_of(project: Path, name: str, *arguments: str | Path) -> list[str]:
    result = run(tool(name), *arguments, cwd=project, check=False)
    return [f"{name}: {result.stdout}{result.stderr}"] if result.returncode else []


def without_limit(path: Path) -> list[str]:
    return [name for name, job in load(path)["jobs"].items() if "timeout-minutes" not in job]


def actions(project: Path) -> Iterator[str]:
    for path in workflows(project):
        for job in load(path)["jobs"].values():
            yield from (step["uses"] for step in job["steps"] if "uses" in step)


def unpinned(project: Path) -> list[str]:
    return [
        f"{action} is pinned by no hash"
        for action in actions(project)
        if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action) and action not in ALLOWED
    ]


def problems_of_gitlab(project: Path) -> list[str]:
    file = project / ".gitlab-ci.yml"
    found = problems_of(project, "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file)
    table, jobs = load(file), jobs_of_gitlab(project)
    if found:
        return found
    for name, job in jobs.items():
        if job.get("stage") not in table["stages"]:
            return [*found, f"{name}: the stage {job.get('stage')} is missing"]
        found += [
            f"{name}: needs {one}, which is no job"
            for one in job.get("needs", [])
            if one not in jobs
        ]
        later = [
            one
            for one in job.get("needs", [])
            if one in jobs
            and table["stages"].index(jobs[one]["stage"]) > table["stages"].index(job["stage"])
        ]
        found += [f"{name}: needs {one}, which comes later" for one in later]
        if "rules" not in job:
            found.append(f"{name}: has no rules")
        for pattern in changed_paths(job):
            if not any(
                fnmatch(path, pattern) for path in git("ls-files", cwd=project).splitlines()
            ):
                found.append(f"{name}: no file is like {pattern}")
        for line in script_lines(job):
            script = line.split()[0]
            if script.startswith("scripts/") and not os.access(project / script, os.X_OK):
                found.append(f"{name}: {script} is no program")
    if "timeout" not in table["default"] or "interruptible" not in table["default"]:
        found.append("The default has no timeout, or does not say whether it may be interrupted.")
    return found


def changed_paths(job: dict[str, Any]) -> Iterator[str]:
    for rule in job.get("rules", []):
        for pattern in rule.get("changes", {}).get("paths", []):
            group = re.match(r"(.*)\{(.*)\}(.*)", pattern)
            names = group[2].split(",") if group else [""]
            start, end = (group[1], group[3]) if group else (pattern, "")
            yield from (f"{start}{name}{end}".replace("**/*", "*") for name in names)


def script_lines(job: dict[str, Any]) -> list[str]:
    return [*job.get("before_script", []), *job.get("script", [])]


PROBLEMS: dict[str, Callable[[Path], list[str]]] = {
    "github": problems_of_github,
    "gitlab": problems_of_gitlab,
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_pipeline_is_valid(host: str, projects: dict[str, Path]) -> None:
    assert PROBLEMS[host](projects[host]) == []
    schema = ["--builtin-schema", "vendor.renovate", "renovate.json"]
    assert problems_of(projects[host], "check-jsonschema", *schema) == []


def test_the_allowed_tags_are_used_and_have_a_reason(projects: dict[str, Path]) -> None:
    assert set(ALLOWED) <= set(actions(projects["github"]))
    assert all(len(reason) > 20 for reason in ALLOWED.values())


MUTATIONS = {
    "an unpinned action": ("github", ".github/workflows/ci.yml", r"@3d3c42e5\w+ # v7.0.1", "@v7"),
    "an unknown key": ("github", ".github/workflows/ci.yml", "timeout-minutes: 15", "timeout: 15"),
    "a missing need": ("github", ".github/workflows/ci.yml", r"\[check, test, ", "[check, tests, "),
    "a caller's text in a script": (
        "github",
        ".github/workflows/ci.yml",
        "run: make check",
        "run: make check ${{ github.head_ref }}",
    ),
    "a missing stage": ("gitlab", ".gitlab-ci.yml", r"stages: \[check, ", "stages: ["),
    "a typo in a path": (
        "gitlab",
        ".gitlab-ci.yml",
        "deploy_container_app.sh expand",
        "deploy_app.sh expand",
    ),
    "a typo in a filter": ("gitlab", ".gitlab-ci.yml", r"\{chassis,", "{chasis,"),
    "a need that is no job": ("gitlab", ".gitlab-ci.yml", r"needs: \[scan\]", "needs: [scans]"),
    "a key that GitLab does not know": (
        "gitlab",
        ".gitlab-ci.yml",
        "    - make test",
        "    - make: [test]",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_noticed(mutation: str, projects: dict[str, Path], tmp_path: Path) -> None:
    host, name, pattern, replacement = MUTATIONS[mutation]
    project = shutil.copytree(projects[host], tmp_path / "project")
    path = project / name
    text, count = re.subn(pattern, replacement, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    assert PROBLEMS[host](project)


def lines_of(project: Path, host: str) -> list[str]:
    if host == "gitlab":
        return [line for job in jobs_of_gitlab(project).values() for line in script_lines(job)]
    return [
        step["run"]
        for path in workflows(project)
        for job in load(path)["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]


def test_each_command_runs_here(projects: dict[str, Path], copy: Path, report: list[str]) -> None:
    every = [line for host in HOSTS for line in lines_of(projects[host], host)]
    not_run = {line for line in every if line.startswith(tuple(REASONS))}
    here = [line for line in every if line not in not_run | BY_ANOTHER_TEST.keys()]
    upgrade, check = (f".venv/bin/python manage.py db {name}" for name in ("upgrade", "check"))
    down = ".venv/bin/python manage.py db downgrade base --yes"
    assert here == [upgrade, down, upgrade, check] * len(HOSTS)
    for line in here[: len(here) // len(HOSTS)]:
        result = command(line, cwd=copy, ENVIRONMENT="development")
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    assert BY_ANOTHER_TEST.keys() <= set(every), "A command that no pipeline has."
    reasons = ", ".join(sorted(set(REASONS.values())))
    report.append(f"pipelines: {len(set(every))} commands, {len(not_run)} not run ({reasons})")


# The scripts


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("README.md", "false"),
        ("docs/access.md", "false"),
        ("docs/notes/new.md", "false"),
        ("src/domain/constants.py", "true"),
        ("requirements/runtime.txt", "true"),
        ("compose.yaml", "true"),
        ("new.cfg", "true"),
    ],
)
def test_only_prose_is_no_change_of_the_application(name: str, changed: str, bake: Bake) -> None:
    project = bake()
    base = git("rev-parse", "HEAD", cwd=project)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("changed\n")
    commit_all(project, "Change one file")
    for given, expected in (
        (base, changed),
        ("", "true"),
        ("0" * 40, "true"),
        ("no-branch", "true"),
    ):
        result = command("scripts/application_changed.sh", cwd=project, BASE=given)
        assert (result.returncode, result.stdout) == (0, f"application={expected}\n")


AZ = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in
    *"job start"*) echo migrate-1 ;;
    *"execution show"*) head -n 1 "$STATES"; sed -i 1d "$STATES" ;;
esac
"""
AZURE = {
    "IMAGE": "registry.example.org/shop:1",
    "AZURE_CLIENT_ID": "client",
    "AZURE_TENANT_ID": "tenant",
    "AZURE_SUBSCRIPTION_ID": "subscription",
    "AZURE_RESOURCE_GROUP": "group",
    "AZURE_CONTAINER_APP": "app",
    "AZURE_MIGRATION_JOB": "job",
    "POLL_SECONDS": "0",
}


def deploy(
    project: Path, folder: Path, part: str, states: str = "Running\nSucceeded\n", **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the deployment with a fake `az` that records its arguments."""
    (folder / "az").write_text(AZ)
    (folder / "az").chmod(0o755)
    (folder / "states").write_text(states)
    calls = folder / "calls"
    calls.write_text("")
    given = AZURE | {"CALLS": str(calls), "STATES": str(folder / "states")} | variables
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    line = f"scripts/deploy_container_app.sh {part}"
    return command(line, cwd=project, PATH=path, **given), calls.read_text().splitlines()


def test_a_deployment_expands_rolls_and_contracts(
    projects: dict[str, Path], tmp_path: Path
) -> None:
    project = projects["gitlab"]
    result, calls = deploy(project, tmp_path, "expand", AZURE_FEDERATED_TOKEN="token")
    assert result.returncode == 0, result.stderr
    assert calls[0].endswith("--federated-token token")
    assert calls[2].endswith("--command python manage.py --args db upgrade --until expand")
    assert "job start --name job" in calls[3]

    result, calls = deploy(project, tmp_path, "application")
    assert (result.returncode, len(calls)) == (0, 1)
    assert "containerapp update" in calls[0]
    assert calls[0].endswith("--image registry.example.org/shop:1")

    result, calls = deploy(project, tmp_path, "contract")
    assert result.returncode == 0
    assert calls[0].endswith("--args db upgrade")


@pytest.mark.parametrize("state", ["Failed", "Stopped", "Degraded", ""])
def test_a_migration_that_fails_ends_the_deployment(
    state: str, projects: dict[str, Path], tmp_path: Path
) -> None:
    result, _ = deploy(projects["gitlab"], tmp_path, "expand", f"{state}\n")
    assert result.returncode == 1
    assert "migrate-1 ended as" in result.stderr


def test_a_deployment_says_what_it_lacks(projects: dict[str, Path], tmp_path: Path) -> None:
    result, calls = deploy(projects["gitlab"], tmp_path, "")
    assert (result.returncode, calls) == (2, [])
    assert "Usage" in result.stderr
    result, calls = deploy(projects["gitlab"], tmp_path, "expand", IMAGE="")
    assert (result.returncode, calls) == (2, [])
    assert "IMAGE is not set" in result.stderr


def test_an_update_of_the_template_is_proposed_once(
    own_template: Path, project: Path, tmp_path: Path
) -> None:
    git("remote", "add", "origin", str(own_template), cwd=own_template)
    made = bake_into(tmp_path, own_template)
    (made / ".venv").symlink_to(project / ".venv")
    remote = tmp_path / "remote.git"
    git("clone", "--quiet", "--bare", str(made), str(remote), cwd=tmp_path)
    path = f"{Path(tool('cookiecutter')).parent}{os.pathsep}{os.environ['PATH']}"
    propose = "scripts/propose_template_update.sh"

    def proposed() -> str:
        result = command(propose, cwd=made, PATH=path, REMOTE=str(remote))
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    assert "Nothing to do." in proposed()
    news = own_template / "{{cookiecutter.project_slug}}/docs/news.md"
    news.write_text("# News\n")
    commit_all(own_template, "Add news")
    assert "Updated: 1" in proposed()
    assert git("show", "template-update:docs/news.md", cwd=remote) == "# News"
    git("switch", "--quiet", "main", cwd=made)
    assert "waits to be merged" in proposed()


def test_without_pipelines_nothing_of_them_remains(bake: Bake) -> None:
    project = bake(pipelines="none")
    named = {".github", ".gitlab-ci.yml", "renovate.json", "docs/pipelines.md"}
    assert not [name for name in named if (project / name).exists()]
    assert not list(project.glob("scripts/*_template_update.sh"))


def test_the_hooks_of_a_commit_work_offline_and_change_nothing(copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / ".git", ignore_errors=True)
    git("init", "--quiet", cwd=copy)
    commit_all(copy, "A fresh project")
    offline = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    for program in ("prek", "pre-commit"):
        homes = {"PREK_HOME": str(tmp_path / "prek"), "PRE_COMMIT_HOME": str(tmp_path / "home")}
        line = f"{tool(program)} run --all-files"
        result = command(line, cwd=copy, **homes, **offline)
        assert result.returncode == 0, result.stdout + result.stderr
        assert result.stdout.count("Passed") == 4
    assert git("status", "--porcelain", cwd=copy) == ""
