"""The short forms of `make rehearse` and `make refusals`, and the list of mutations."""

from pathlib import Path

import pytest
from conftest import Report, short_form

from proofs.chassis import SUITE
from proofs.mutations import mutations


@pytest.mark.long
@pytest.mark.alone
def test_migrations_under_load_lose_nothing(copy: Path, report: Report) -> None:
    output = short_form("proofs.rehearsal", copy)
    found = [line.split("FAIL")[0].strip() for line in output.splitlines()]
    passed = sum(line.startswith("pass") for line in found)
    assert passed > 0, output
    report.append(f"rehearsal, short form: {passed} bounds hold")


@pytest.mark.long
@pytest.mark.alone
def test_migrations_refuse_nobody_for_longer_than_they_must(copy: Path, report: Report) -> None:
    output = short_form("proofs.refusals", copy)
    passed = output.count("\n  pass  ")
    assert passed > 0, output
    report.append(f"refusals, short form: {passed} bounds hold")


def test_what_the_mutations_replace_is_there_once(copy: Path) -> None:
    found = list(mutations())
    assert len(found) > 30
    for mutation in found:
        mutation.applied((copy / mutation.path).read_text())
        assert (SUITE / f"{mutation.tests.replace('.', '/')}.py").is_file()
