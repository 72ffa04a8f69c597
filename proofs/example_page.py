"""Runs the code fences of an example's page in the built project, from top to bottom.

A `sh` fence must exit with 0. A `sh background` fence is started; the run goes on when the page's
`<!-- ready: URL -->` answers 200, and ends the command before the next such fence and at the end.
A `sh docker` fence is skipped without a Docker engine. A `json` fence is the output of the fence
above it, where "…" stands for anything; a `text` fence has lines of that output.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.request import urlopen
from uuid import uuid4

from markdown_it import MarkdownIt

from proofs.harness.processes import free_port

START_SECONDS, STOP_SECONDS = 900, 60  # The command may have to build images first.
READY = re.compile(r"<!-- ready: (\S+) -->")
ANYTHING = "…"
LAST_LINES = 60


class PageError(Exception):
    """A fence failed; the text has its output."""


@dataclass
class Block:
    text: str
    words: frozenset[str]
    ready: str = ""
    expected_json: str = ""
    expected_text: str = ""

    @property
    def title(self) -> str:
        return self.text.strip().splitlines()[0]


def read_blocks(text: str) -> list[Block]:
    """Read the fences to run, each with its expected output."""
    found: list[Block] = []
    behind: Block | None = None  # The last fence that was run: a json or text fence is its output.
    for token in MarkdownIt().parse(text):
        if token.type == "html_block" and found and (url := READY.search(token.content)):
            found[-1].ready = url[1]
        if token.type != "fence":
            continue
        language, *words = token.info.split() or [""]
        if language == "sh":
            behind = Block(token.content, frozenset(words))
            found.append(behind)
            continue
        if behind and language == "json":
            behind.expected_json = token.content
        elif behind and language == "text":
            behind.expected_text = token.content
        behind = None
    return found


def fits(found: Any, expected: Any) -> bool:
    if expected == ANYTHING:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return found.keys() == expected.keys() and all(
            fits(found[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(fits, found, expected))
    return type(found) is type(expected) and bool(found == expected)


class Page:
    """An executed page. `ports` are the port numbers in the page, `images` the image names.

    Free ports and unique image names replace them, so that a run does not disturb others.
    """

    def __init__(self, path: Path, ports: Mapping[str, int], images: Sequence[str]) -> None:
        own = uuid4().hex[:8]
        self._ports = {name: (number, free_port()) for name, number in ports.items()}
        self._images = {name: f"{name}-{own}" for name in images}
        self._compose = f"{path.parent.name}_{own}"
        self._server: tuple[subprocess.Popen[str], IO[str]] | None = None
        self._docker = False
        self.blocks = read_blocks(path.read_text("utf-8"))

    @contextmanager
    def opened(self, project: Path, environment: Mapping[str, str]) -> Iterator[None]:
        ports = {name: str(port) for name, (_, port) in self._ports.items()}
        self._project = project
        self._environment = {**environment, **ports, "COMPOSE_PROJECT_NAME": self._compose}
        try:
            yield
        finally:
            self._stop()
            self._remove()

    def run(self, block: Block) -> str:
        """Run a fence; return a remark for the report. Raise PageError."""
        if "docker" in block.words:
            if not _engine_answers():
                return "  (not run: no Docker engine)"
            self._docker = True
        if "background" in block.words:
            return self._start(block)
        result = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", self._own(block.text)],
            cwd=self._project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise PageError(
                f"ended with {result.returncode}:\n{_last(result.stdout, result.stderr)}"
            )
        self._require(block, result.stdout)
        return ""

    def _require(self, block: Block, output: str) -> None:
        if block.expected_json:
            try:
                found = json.loads(output)
            except ValueError as error:
                raise PageError(f"printed no JSON:\n{output}") from error
            if not fits(found, json.loads(block.expected_json)):
                raise PageError(f"printed, instead of what the page says:\n{output}")
        said = output.splitlines()
        if missing := [one for one in block.expected_text.splitlines() if one not in said]:
            raise PageError(f"did not print {missing}, but:\n{output}")

    def _start(self, block: Block) -> str:
        self._stop()
        output = TemporaryFile("w+")  # noqa: SIM115  # Closed when the process ends.
        process = subprocess.Popen(
            ["bash", "-e", "-c", self._own(block.text)],
            cwd=self._project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._server = process, output
        url, end = self._own(block.ready), time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > end:
                output.seek(0)
                raise PageError(f"{url} did not answer:\n{_last(output.read())}")
            time.sleep(0.2)
        return ""

    def _stop(self) -> None:
        if self._server:
            process, output = self._server
            self._server = None
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.close()

    def _remove(self) -> None:
        """Remove the images and containers that the page made."""
        if not self._docker:
            return
        if (self._project / "compose.yaml").exists():
            everything = ["--profile=*", "down", "--volumes", "--rmi=local", "--timeout=5"]
            self._quietly("docker", "compose", *everything)
        for name in self._images.values():
            found = self._quietly("docker", "ps", "--all", "--quiet", f"--filter=ancestor={name}")
            for identity in found.split():
                self._quietly("docker", "rm", "--force", "--volumes", identity)
            self._quietly("docker", "image", "rm", "--force", name)

    def _quietly(self, *command: str) -> str:
        return subprocess.run(
            command,
            cwd=self._project,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    def _own(self, text: str) -> str:
        for number, port in self._ports.values():
            text = re.sub(rf"(localhost:|127\.0\.0\.1:|-p ){number}\b", rf"\g<1>{port}", text)
        for name, own in self._images.items():
            text = re.sub(rf"(?<=[ =]){re.escape(name)}(?=\s|$)", own, text)
        return text


def _engine_answers() -> bool:
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def _last(*outputs: str) -> str:
    return "\n".join("".join(outputs).splitlines()[-LAST_LINES:])
