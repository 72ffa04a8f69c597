"""Processes that a proof starts, and ends by their ids in any case."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from typing import IO, NoReturn

END_SECONDS = 40


def run_main(main: Callable[[], int]) -> NoReturn:
    """Exit with the status of `main`; after SIGTERM or Ctrl-C its `finally` blocks run first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Interrupted.")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for_port(port: int, seconds: float = 60) -> None:
    """Wait until the port accepts connections; raise TimeoutError where it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Nothing listens on port {port}.") from error
            time.sleep(0.02)
        else:
            return


@dataclass(frozen=True, slots=True)
class Line:
    at: float  # time.time() when the line was read; PostgreSQL runs on the same clock.
    text: str


class Running:
    """A started process and its output, each line with a time."""

    def __init__(self, process: "subprocess.Popen[str]", *, ends_with_input: bool) -> None:
        self.process = process
        self.ends_with_input = ends_with_input
        self.lines: list[Line] = []
        self.ended_at = 0.0
        self._news = Condition()
        self._reader = Thread(target=self._read, args=[process.stdout], daemon=True)
        self._reader.start()

    def _read(self, output: IO[str]) -> None:
        for text in output:
            line = Line(time.time(), text.rstrip("\n"))
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        self.process.wait()
        with self._news:
            self.ended_at = time.time()
            self._news.notify_all()

    @property
    def output(self) -> str:
        return "\n".join(line.text for line in self.lines)

    def find(self, pattern: str) -> Line | None:
        return next((line for line in self.lines if re.search(pattern, line.text)), None)

    def wait_for(self, pattern: str, *, times: int = 1, seconds: float = 60) -> Line:
        """Wait until `pattern` was printed so many times; return the last of these lines."""

        def found() -> list[Line]:
            return [line for line in self.lines if re.search(pattern, line.text)]

        with self._news:
            self._news.wait_for(lambda: len(found()) >= times or self.ended_at, seconds)
        if len(found()) < times:
            raise AssertionError(f"{pattern!r} was not printed:\n{self.output}")
        return found()[times - 1]

    def wait(self, seconds: float = 300) -> int:
        """Wait for the end of the process and of its output; return the exit status."""
        self._reader.join(seconds)
        if self._reader.is_alive():
            raise AssertionError(f"It did not end in {seconds} s:\n{self.output}")
        return self.process.wait()

    def expect(self, *codes: int) -> "Running":
        code = self.wait()
        if code not in (codes or (0,)):
            raise AssertionError(f"A process ended with {code}:\n{self.output}")
        return self

    def answer(self, text: str) -> None:
        if self.process.stdin:
            print(text, file=self.process.stdin, flush=True)


class Processes:
    """All processes that were started and may still run."""

    def __init__(self) -> None:
        self._started: list[Running] = []

    def start(
        self, command: list[str], *, cwd: Path, env: dict[str, str], ends_with_input: bool = False
    ) -> Running:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # So that Ctrl-C reaches this process only, which then ends the others.
            start_new_session=True,
        )
        running = Running(process, ends_with_input=ends_with_input)
        self._started = [one for one in self._started if not one.ended_at] + [running]
        return running

    def end(self, running: Running) -> None:
        """End a process with SIGTERM; kill it where it does not end in time."""
        process = running.process
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()
        if process.poll() is None and not running.ends_with_input:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        running.wait()

    def close(self) -> None:
        for running in reversed(self._started):
            self.end(running)
