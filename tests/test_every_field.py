"""A generated resource with every type and filter passes the proofs of conformance."""

import re
from pathlib import Path

import pytest
from conftest import Report, short_form

from proofs.every_field import FIELDS, build

TYPES = (
    "str text int bigint decimal bool date time datetime uuid email url enum json array ref".split()
)


def test_every_type_of_the_generator_is_in_it(project: Path) -> None:
    rows = re.findall(r"^\| (`.*?) \|", (project / "docs/generate.md").read_text(), re.MULTILINE)
    known = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(TYPES) <= known
    assert set(TYPES) <= {word.split(":")[1] for word in FIELDS.split()}


@pytest.mark.long
def test_a_resource_of_every_field_is_right_under_any_input(copy: Path, report: Report) -> None:
    build(copy)
    output = short_form("proofs.conformance", copy, "--only", "corpus", "contract")
    assert "conformance: all hold" in output
    report += [f"every field: {line}" for line in re.findall(r"^corpus: .*$", output, re.M)]
