"""The example order_desk is built on a new project, and its tests pass."""

import re
from pathlib import Path

import pytest
from conftest import Report, short_form

from proofs.examples import Build, Recipe

RECIPE = Recipe.read("order_desk")
MOST_LINES = 1300


def test_the_guide_shows_lines_of_the_order_desk(copy: Path) -> None:
    guide = (copy / "docs/fields-and-lists.md").read_text()
    desk = [" ".join(path.read_text().split()) for path, _ in RECIPE.files()]
    passages = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert passages
    for passage in passages:
        assert any(" ".join(passage.split()) in text for text in desk), passage


def test_no_statement_of_it_was_written_by_hand() -> None:
    """No module imports SQLAlchemy's constructs for statements, or sends a statement itself."""
    written = r"import .*\b(?:select|insert|update|delete|text|Statement)\b|\.exec\w*\("
    for path in (path for path, _ in RECIPE.files() if path.suffix == ".py"):
        assert not re.findall(written, path.read_text()), path.name


@pytest.mark.long
def test_the_order_desk_is_built_on_a_new_project(
    copy: Path, tmp_path: Path, report: Report
) -> None:
    tmp_path.chmod(0o755)  # Root's embedded PostgreSQL runs as another user.
    build = Build(RECIPE, tmp_path, report.append, copy / ".venv")
    build.make()
    build.prove()
    report.append(f"the order desk: {RECIPE.lines()} lines by hand, tests included")
    assert RECIPE.lines() <= MOST_LINES
    output = short_form("proofs.column_split", build.project)
    report.extend(line.strip() for line in output.splitlines() if "acknowledged" in line)
