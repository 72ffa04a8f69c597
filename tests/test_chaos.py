"""The short form of `make chaos`: the fast faults, once each."""

from pathlib import Path

import pytest
from conftest import Report, short_form


@pytest.mark.long
@pytest.mark.alone
def test_faults_under_load_cost_nothing_that_was_acknowledged(copy: Path, report: Report) -> None:
    output = short_form("proofs.chaos", copy)
    borne = [line for line in output.splitlines() if line.endswith("  borne")]
    assert len(borne) > 10, output
    not_run = [line for line in output.splitlines() if "not run: " in line]
    report.append(f"chaos, short form: {len(borne)} faults are borne, {len(not_run)} not made here")
