"""The short form of `make chaos`: the fast faults, once each."""

import subprocess
import sys
from pathlib import Path

from conftest import ROOT, Report, environment


def test_faults_under_load_cost_nothing_that_was_acknowledged(copy: Path, report: Report) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "proofs.chaos", "--short", "--project", str(copy)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    borne = [line for line in result.stdout.splitlines() if line.endswith("  borne")]
    assert len(borne) > 10, result.stdout
    not_run = [line for line in result.stdout.splitlines() if "not run: " in line]
    report.append(f"chaos, short form: {len(borne)} faults are borne, {len(not_run)} not made here")
