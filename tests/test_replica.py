"""The default project's reads on a real standby: tests/replica/, run as tests of the project."""

import re
import shutil
from pathlib import Path

from conftest import Report, command

SUITE = Path(__file__).parent / "replica"


def test_reads_on_a_standby_and_everybody_sees_their_own_writes(copy: Path, report: Report) -> None:
    shutil.copy(SUITE / "suite.py", copy / "tests/contract/test_replica.py")
    shutil.copy(SUITE / "replication.py", copy / "tests/support/replication.py")
    ended = command(
        ".venv/bin/python -m unittest tests.contract.test_replica",
        cwd=copy,
        TEST_DATABASE="embedded",
    )
    assert ended.returncode == 0, ended.stderr
    [tests] = re.findall(r"^Ran (\d+) tests", ended.stderr, re.MULTILINE)
    assert int(tests) >= 10
    assert "skipped=" not in ended.stderr
    report.append(f"replica: {tests} tests on two servers")
