"""The short form of `make dump`: each kind of dump once, of few rows."""

import re
from pathlib import Path

import pytest
from conftest import Report, short_form


@pytest.mark.long
def test_a_dump_under_load_has_every_acknowledged_write(copy: Path, report: Report) -> None:
    output = short_form("proofs.dump", copy)
    written = re.search(r"acknowledged writes +(\d+)", output)
    assert written, output
    assert int(written[1]) > 0, output
    report.append(f"dump, short form: none of {written[1]} acknowledged writes is lost")
