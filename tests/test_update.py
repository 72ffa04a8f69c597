"""cruft updates a project, and cookiecutter can check out a release of the template."""

import json
from pathlib import Path

import pytest
from conftest import PROJECT_FOLDER, commit_all, git, run, tool

EDITED = "src/domain/constants.py"


def change_template(template: Path) -> None:
    """Change a rendered file and a copied one, and add a new one."""
    project = template / PROJECT_FOLDER
    readme = project / "README.md"
    readme.write_text(readme.read_text() + "\nNews for {{ cookiecutter.project_slug }}.\n")
    script = project / "scripts" / "create_env.py"
    script.write_text(script.read_text() + "\n# Changed by the template.\n")
    (project / "src" / "domain" / "news.py").write_text("NEWS = '{{ kept }}'\n")
    commit_all(template, "Change three files")


def edit_project(project: Path) -> None:
    edited = project / EDITED
    edited.write_text(edited.read_text() + "\nMY_OWN = 1\n")
    readme = project / "README.md"
    readme.write_text("My own first line.\n\n" + readme.read_text())
    (project / "my_own.py").write_text("MINE = True\n")
    commit_all(project, "My own work")


@pytest.mark.parametrize("example_resource", ["yes", "no"])
def test_an_update_brings_the_news_and_keeps_the_edits(
    example_resource: str, own_template: Path, tmp_path: Path
) -> None:
    answers = {
        "project_name": 'It\'s "quoted" \\ & <b>',
        "project_slug": "billing",
        "description": "one\ntwo: {a}",
        "example_resource": example_resource,
    }
    create = [tool("cruft"), "create", "--no-input", "--extra-context", json.dumps(answers)]
    said = run(*create, own_template, cwd=tmp_path).stdout
    project = tmp_path / "billing"

    assert '  git commit -m "Remember the template" .cruft.json\n' in said
    # The hook wrote the file, and cruft added its own keys.
    assert git("status", "--porcelain", cwd=project) == "M .cruft.json"
    commit_all(project, "Remember the template")
    secrets = (project / ".env").read_bytes()
    run(tool("cruft"), "diff", "--exit-code", cwd=project)
    edit_project(project)
    change_template(own_template)
    assert run(tool("cruft"), "check", cwd=project, check=False).returncode == 1

    run(tool("cruft"), "update", "--skip-apply-ask", cwd=project)

    readme = (project / "README.md").read_text()
    assert readme.startswith("My own first line.\n")
    assert readme.endswith("\nNews for billing.\n")
    assert (project / EDITED).read_text().endswith("\nMY_OWN = 1\n")
    assert (project / "my_own.py").exists()
    assert "# Changed by the template." in (project / "scripts" / "create_env.py").read_text()
    assert (project / "src" / "domain" / "news.py").read_text() == "NEWS = '{{ kept }}'\n"
    assert (project / ".env").read_bytes() == secrets
    assert not list(project.rglob("*.rej"))
    assert sorted(git("diff", "HEAD", "--name-only", cwd=project).splitlines()) == [
        ".cruft.json",
        "README.md",
        "scripts/create_env.py",
        "src/domain/news.py",
    ]
    assert git("log", "-1", "--format=%s", cwd=project) == "My own work"
    assert run(tool("cruft"), "check", cwd=project).returncode == 0


def test_a_release_is_generated_by_its_tag(own_template: Path, tmp_path: Path) -> None:
    git("tag", "v1", cwd=own_template)
    change_template(own_template)
    clone = tmp_path / "clone.git"
    git("clone", "--quiet", "--bare", str(own_template), str(clone), cwd=tmp_path)

    for arguments, has_news in ((["-c", "v1"], False), ([], True)):
        folder = tmp_path / f"news-{has_news}"
        folder.mkdir()
        run(tool("cookiecutter"), "--no-input", *arguments, f"file://{clone}", cwd=folder)
        assert (folder / "my_service" / "src" / "domain" / "news.py").exists() is has_news
        assert git("status", "--porcelain", cwd=folder / "my_service") == ""
