"""Collects which OWASP requirements the tests show, and writes docs/security.md.

`python -m chassis.development.testing.security_table write` writes the document in a project's
folder, `check` compares it. A project does not have the tests of its chassis: in the template,
`chassis DIRECTORY` records the requirements that these tests show.
"""

import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from unittest import TestCase, TestLoader, TestSuite

from chassis import __version__

DOCUMENT = Path("docs/security.md")
REQUIREMENTS = Path(__file__).with_suffix(".toml")
SHOWN_BY_THE_CHASSIS = Path(__file__).with_suffix(".json")
INTRODUCTION = f"""\
# Security requirements and the tests that show them

Each row is a requirement of the [OWASP API Security Top 10](https://owasp.org/API-Security) or of
the [ASVS 5.0](https://owasp.org/www-project-application-security-verification-standard) (levels 1
and 2), in our own words, and the tests that show it. The decorator `@shows` of a test names the
requirement. The tests of the chassis (here version {__version__}) run in the template, on a
generated project. The tests of this project run with `make test`, over its own operations.
`make security` writes this file, `make check` compares it.
"""
Shown = dict[str, list[str]]  # Maps a requirement to the names of tests.
Test = TypeVar("Test", bound=Callable[..., None])


def shows(*requirements: str) -> Callable[[Test], Test]:
    """Mark a test with the requirements that it shows."""

    def note(test: Test) -> Test:
        vars(test)["shows"] = (*requirements, *getattr(test, "shows", ()))
        return test

    return note


def tags(tests: Path, top_level: Path) -> Shown:
    """Return the requirements that tests show, with the tests' names.

    Raise RuntimeError where a test module cannot be imported.
    """
    shown: Shown = defaultdict(list)
    loader = TestLoader()
    for test in _cases(loader.discover(str(tests), top_level_dir=str(top_level))):
        for requirement in getattr(getattr(test, test._testMethodName, None), "shows", ()):
            shown[requirement].append(test.id())
    if loader.errors:
        raise RuntimeError("\n".join(map(str, loader.errors)))
    return {requirement: sorted(names) for requirement, names in sorted(shown.items())}


def _cases(suite: TestSuite) -> Iterator[TestCase]:
    for one in suite:
        if isinstance(one, TestSuite):
            yield from _cases(one)
        else:
            yield one


def mistakes(requirements: Mapping[str, Any], *shown: Shown) -> Iterator[str]:
    """The mistakes that prevent writing the document."""
    listed = [name for part in requirements["section"] for name in part["requirements"]]
    for name in listed:
        if not any(name in each for each in shown):
            yield f"No test shows {name}."
    for each in shown:
        for name in each.keys() - set(listed):
            yield f"{', '.join(each[name])}: {REQUIREMENTS.name} does not list {name}."


def document(requirements: Mapping[str, Any], chassis: Shown, project: Shown) -> str:
    parts = [INTRODUCTION]
    for part in requirements["section"]:
        rows = [
            _row(name, it, chassis.get(name, []), project.get(name, []))
            for name, it in part["requirements"].items()
        ]
        head = "| | level | what it asks | the chassis | this project |\n|---|---|---|---|---|\n"
        parts.append(f"## {part['name']}\n\n{head}{''.join(rows)}")
    rows = [f"| {name} | {text} |\n" for name, text in requirements["not_shown"].items()]
    head = "You, or the operator of the service, decide these.\n\n| ASVS 5.0 | |\n|---|---|\n"
    return "\n".join([*parts, f"## Not shown here\n\n{head}{''.join(rows)}"])


def _row(name: str, it: str | dict[str, Any], *tests: list[str]) -> str:
    level, text = ("", it) if isinstance(it, str) else (it["level"], it["text"])
    columns = ["<br>".join(f"`{test}`" for test in each) for each in tests]
    return f"| {name} | {level} | {text} | {' | '.join(columns)} |\n"


def load() -> tuple[dict[str, Any], Shown, Shown]:
    """The requirements, and for each the tests of the chassis and of the project."""
    chassis: Shown = json.loads(SHOWN_BY_THE_CHASSIS.read_text("utf-8"))
    return tomllib.loads(REQUIREMENTS.read_text("utf-8")), chassis, tags(Path("tests"), Path())


def main(command: str, *arguments: str) -> str:
    """Run a command; return the mistakes, or an empty text."""
    if command == "chassis":
        shown = tags(Path(*arguments), Path(*arguments))
        SHOWN_BY_THE_CHASSIS.write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
        return ""
    requirements, chassis, project = load()
    if wrong := list(mistakes(requirements, chassis, project)):
        return "\n".join(wrong)
    text = document(requirements, chassis, project)
    if command == "write":
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
    elif DOCUMENT.read_text("utf-8") != text:
        return "docs/security.md differs from the tests. `make security` writes the page anew."
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
