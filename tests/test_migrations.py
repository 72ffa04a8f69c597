"""Migrations by several processes, as several instances of a service start them."""

import subprocess
from pathlib import Path

from conftest import command, environment

MIGRATORS, ROUNDS = 4, 3


def test_several_migrators_at_once_all_succeed(copy: Path) -> None:
    """One migrates and the others wait for it, in the first round from an empty database on."""
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
