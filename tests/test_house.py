"""The sizes of `make house` are counted, and limits that are kept stay kept."""

from pathlib import Path

import pytest

from proofs import house

# What these limits of the design became, and why: "The weight of the house" in docs/decisions.md.
CEILINGS = {
    "files, lines from URL to SQL": (6, 430),
    "names, modules of the chassis in src": (41, 33),
    "lines of the chassis that serve": (17_200,),
    "lines of the chassis for development": (7_000,),
}


def test_no_figure_exceeds_its_limit(
    default_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "PROJECT", default_project)
    for row in house.rows():
        limit = CEILINGS.get(row.figure, row.limit)
        kept = all(now <= most for now, most in zip(row.now, limit, strict=True))
        assert kept, f"{row.figure}: {row.now}, at most {limit}"


def test_a_file_name_has_one_meaning_with_every_switch_on() -> None:
    assert house.twice(house.python("src", "chassis")) == []


@pytest.mark.parametrize(
    ("code", "counted"),
    [
        ("def one():\n" + "    x = 1\n" * 30, "functions over 30 lines"),
        ("from contextvars import ContextVar\nONE = ContextVar('one')\n", "context variables"),
        ("found = 1\n", "retired names"),
        ("import os\nHOME = os.environ['HOME']\n", "reads"),
    ],
)
def test_what_is_added_is_counted(
    code: str, counted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "chassis").mkdir()
    (tmp_path / "src/added.py").write_text(code)
    monkeypatch.setattr(house, "PROJECT", tmp_path)
    [row] = [row for row in house.rows() if counted in row.figure]
    assert any(row.now)
