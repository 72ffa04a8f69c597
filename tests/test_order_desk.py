"""The order desk of examples/order_desk, built on a new project: what a service grows into."""

import re
import shutil
from pathlib import Path

from conftest import Report, command

from proofs.order_desk import COMMANDS, DESK, build

MOST_LINES = 1300


def test_the_guide_shows_lines_of_the_order_desk(copy: Path) -> None:
    guide = (copy / "docs/fields-and-lists.md").read_text()
    desk = [" ".join(path.read_text().split()) for path in DESK.rglob("*.py")]
    passages = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert passages
    for passage in passages:
        assert any(" ".join(passage.split()) in text for text in desk), passage


def test_the_order_desk_is_built_on_a_new_project(
    copy: Path, empty_project: Path, tmp_path: Path, report: Report
) -> None:
    project = shutil.copytree(empty_project, tmp_path / "desk")
    (project / ".venv").symlink_to((copy / ".venv").resolve())
    lines = build(project)
    for line in COMMANDS:
        result = command(line, cwd=project)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    report.append(f"the order desk: {lines} lines by hand, tests included")
    assert lines <= MOST_LINES
