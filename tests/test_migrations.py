"""Several processes migrate one database, as several instances of a service do."""

import subprocess
from pathlib import Path

from conftest import Report, command, environment, short_form

MIGRATORS, ROUNDS = 4, 3


def test_several_migrators_at_once_all_succeed(copy: Path) -> None:
    """One process migrates, the others wait; the first round begins with an empty database."""
    for _ in range(ROUNDS):
        processes = [
            subprocess.Popen(
                [".venv/bin/python", "manage.py", "db", "upgrade"],
                cwd=copy,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(MIGRATORS)
        ]
        outputs = [process.communicate()[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * MIGRATORS, outputs
        assert command(".venv/bin/python manage.py db current", cwd=copy).stdout == "0001\n"
        assert command(".venv/bin/python manage.py db downgrade", cwd=copy).returncode == 0


def test_nothing_of_others_is_dropped_or_called_drift(copy: Path, report: Report) -> None:
    """The short form of `make strangers-objects`."""
    output = short_form("proofs.strangers_objects", copy)
    seed, *_, result = [line for line in output.splitlines() if line and "tests:" not in line]
    assert "; 0 dropped or called drift" in result
    report.append(f"{seed}: {result}")
