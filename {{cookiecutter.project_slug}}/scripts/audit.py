#!/usr/bin/env python3
"""Ask the advisory service about every locked package, and fail if one was not audited.

pip-audit alone succeeds when it skips a package, and ignores packages of other platforms and
Pythons. Its settings and options apply, such as `--ignore-vuln ID` for a harmless advisory.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = [
    REQUIREMENTS / "runtime.txt",
    REQUIREMENTS / "jobs.txt",
]
NAME = re.compile(r"[\w.-]+")
# The last lines of pip-audit when the service gives no answer.
UNANSWERED = re.compile(r"requests\.exceptions\.|ServiceError|Could not connect|not redirecting")

Pins = dict[str, str]  # Keys are normalised names of packages.


class AuditError(Exception):
    """The service gave no answer for some packages."""


def rounds(lock: str) -> list[Pins]:
    """The pins without markers and hashes, each name once a round, as pip-audit requires."""
    batches: list[Pins] = [{}]
    for line in re.findall(r"^[A-Za-z0-9].*", lock, re.MULTILINE):
        pin = re.split(r"\s+(?:;|\\|--hash)", line)[0].strip()
        name = re.sub(r"[-_.]+", "-", NAME.match(pin)[0]).lower()  # type: ignore[index]
        free = next((pins for pins in batches if name not in pins), None)
        if free is None:
            batches.append(free := {})
        free[name] = pin
    if not batches[0]:
        raise AuditError(f"{LOCKS[0].name} locks nothing.")
    return batches


def ask(pins: Pins) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "requirements.txt"
        path.write_text("\n".join(pins.values()), encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--format", "json", "--output", "-"]
        options += ["--progress-spinner", "off", "--requirement", str(path), *sys.argv[1:]]
        command = [sys.executable, "-m", "pip_audit", *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answers: list[dict[str, Any]] = json.loads(result.stdout)["dependencies"]
    except (ValueError, LookupError):
        reason = (result.stderr.strip().splitlines() or ["it says nothing"])[-1]
        if UNANSWERED.search(result.stderr):
            raise AuditError(f"The advisory service does not answer: {reason}") from None
        raise AuditError(f"pip-audit has failed: {reason}") from None
    return answers


def findings(pins: Pins, answers: list[dict[str, Any]]) -> Iterator[str]:
    answered = {answer["name"]: answer for answer in answers}
    for name, pin in pins.items():
        answer = answered.get(name, {})
        if "vulns" not in answer:
            reason = answer.get("skip_reason", "pip-audit does not mention it")
            yield f"Not audited: {pin}: {reason}."
        for advisory in answer.get("vulns", []):
            names = ", ".join([advisory["id"], *sorted(advisory.get("aliases", []))])
            fixed = " or ".join(advisory["fix_versions"]) or "no version yet"
            yield f"Vulnerable: {pin}: {names}; fixed in {fixed}."


def main() -> int:
    try:
        batches = rounds("\n".join(lock.read_text(encoding="utf-8") for lock in LOCKS))
        sentences = [sentence for pins in batches for sentence in findings(pins, ask(pins))]
    except (AuditError, OSError) as error:
        print(f"Nothing is known of the locked packages. {error}", file=sys.stderr)
        return 1
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    if not sentences:
        print(f"{sum(map(len, batches))} locked packages, no known vulnerability.")
    return bool(sentences)


if __name__ == "__main__":
    sys.exit(main())
