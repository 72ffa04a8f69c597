"""The short form of `make conformance`: fewer inputs, cases and steps of each of its proofs."""

import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, Report, environment


def test_every_endpoint_is_right_under_any_input(copy: Path, report: Report) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "proofs.conform", "--short", "--project", str(copy)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "conformance: all hold" in result.stdout
    found = re.findall(r"^corpus: .*$", result.stdout, re.MULTILINE)
    assert found, result.stdout
    report.extend(found)
