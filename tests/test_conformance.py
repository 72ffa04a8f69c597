"""The short form of `make conformance`: fewer inputs, cases and steps of each of its proofs."""

import re
from pathlib import Path

import pytest
from conftest import Report, short_form


@pytest.mark.long
def test_every_endpoint_is_right_under_any_input(copy: Path, report: Report) -> None:
    output = short_form("proofs.conformance", copy)
    assert "conformance: all hold" in output
    found = re.findall(r"^(?:corpus|mutated): .*$", output, re.MULTILINE)
    assert len(found) == 2, output
    report.extend(found)
