"""Stops, starts and freezes the processes of PostgreSQL."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]

from proofs.chaos.server import wait_until
from proofs.harness.database import Database


class Postgres:
    def __init__(self, data: Path) -> None:
        self._data = data
        self._bin = Path(f"/proc/{self._main()}/exe").resolve().parent
        [line] = (data / "postmaster.opts").read_text().splitlines()
        _program, quote, options = line.partition(' "')  # Only what follows it is quoted.
        self._options = shlex.split(quote + options)
        self.owner = data.stat().st_uid

    def _main(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def _control(self, *words: str) -> None:
        with (self._data.parent / "log").open(
            "a"
        ) as log:  # PostgreSQL's user may not write to this folder.
            subprocess.run(
                [self._bin / "pg_ctl", *words],
                env={**os.environ, "PGDATA": str(self._data)},
                user=self.owner if os.getuid() == 0 else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )

    def log(self) -> str:
        return (self._data.parent / "log").read_text(errors="replace")

    def restart(self, mode: str) -> None:
        self.stop(mode)
        self.start()

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", "--mode", mode)

    def start(self) -> None:
        self._control("start", "--options", shlex.join(self._options))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze PostgreSQL: the kernel still accepts data for it, and nothing answers."""
        main = self._main()
        stopped = [main]
        os.kill(main, signal.SIGSTOP)  # The postmaster first, so that it forks no new process.
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for number in map(int, children):
            os.kill(number, signal.SIGSTOP)
            stopped.append(number)
        try:
            yield
        finally:
            for number in reversed(stopped):
                os.kill(number, signal.SIGCONT)


def answers(database: Database) -> float:
    """Return the time at which a new connection's SELECT 1 succeeds."""

    def asked() -> bool:
        try:
            return bool(database.value("SELECT 1"))
        except psycopg2.Error:
            return False

    return wait_until(asked, 60, "PostgreSQL answers SELECT 1")


def pause(seconds: float) -> None:
    """Let time pass: the length of a fault, not a wait for a condition."""
    time.sleep(seconds)
