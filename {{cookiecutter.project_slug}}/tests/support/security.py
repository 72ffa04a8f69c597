"""Which requirements of OWASP the tests show: what they say themselves, as docs/security.md.

`python -m tests.support.security write` writes the document, `check` says whether it is right.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "security.md"
REQUIREMENTS = Path(__file__).with_suffix(".toml")
INTRODUCTION = """\
# What the tests show of security

Each line is a requirement of the [OWASP API Security Top 10](https://owasp.org/API-Security) or of
the [ASVS 5.0](https://owasp.org/www-project-application-security-verification-standard) (levels 1
and 2), in our own words, and the tests that show it for this project. A test says so itself, with
`@shows` before it; `make security` writes this file, `make check` and `make test` compare it.
"""

Test = TypeVar("Test", bound=Callable[..., None])


def shows(*_requirements: str) -> Callable[[Test], Test]:
    """Say of a test which requirements it shows. They are read from the source."""
    return lambda test: test


def tags(tests: Path = TESTS) -> Iterator[tuple[str, str]]:
    """Each requirement that a test names, with the name of the test."""
    for path in sorted(tests.rglob("test_*.py")):
        source = path.read_text("utf-8")
        if "@shows(" not in source:
            continue
        module = ".".join(("tests", *path.relative_to(tests).with_suffix("").parts))
        for case in ast.parse(source).body:
            for test in getattr(case, "body", ()):
                for requirement in _shown(test):
                    yield requirement, f"{module}.{getattr(case, 'name', '')}.{test.name}"


def _shown(test: ast.AST) -> Iterator[str]:
    if isinstance(test, ast.FunctionDef):
        for call in test.decorator_list:
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "shows":
                yield from (ast.literal_eval(argument) for argument in call.args)


def mistakes(requirements: Mapping[str, Any], tagged: Mapping[str, list[str]]) -> Iterator[str]:
    """What keeps the document from being written."""
    listed = [name for part in requirements["section"] for name in part["requirements"]]
    for name in listed:
        if name not in tagged:
            yield f"No test shows {name}."
    for name in tagged.keys() - set(listed):
        yield f"{', '.join(tagged[name])}: {REQUIREMENTS.name} does not list {name}."


def document(requirements: Mapping[str, Any], tagged: Mapping[str, list[str]]) -> str:
    parts = [INTRODUCTION]
    for part in requirements["section"]:
        rows = [_row(name, it, tagged[name]) for name, it in part["requirements"].items()]
        head = "| | level | what it asks | shown by |\n|---|---|---|---|\n"
        parts.append(f"## {part['name']}\n\n{head}{''.join(rows)}")
    rows = [f"| {name} | {text} |\n" for name, text in requirements["not_shown"].items()]
    head = "Left to you, or to who runs the service.\n\n| ASVS 5.0 | |\n|---|---|\n"
    return "\n".join([*parts, f"## Not shown here\n\n{head}{''.join(rows)}"])


def _row(name: str, it: str | dict[str, Any], tests: list[str]) -> str:
    level, text = ("", it) if isinstance(it, str) else (it["level"], it["text"])
    return f"| {name} | {level} | {text} | {'<br>'.join(f'`{test}`' for test in tests)} |\n"


def load() -> tuple[dict[str, Any], dict[str, list[str]]]:
    tagged = defaultdict(list)
    for requirement, test in tags():
        tagged[requirement].append(test)
    return tomllib.loads(REQUIREMENTS.read_text("utf-8")), tagged


def main(command: str) -> str:
    """What is wrong, or nothing."""
    requirements, tagged = load()
    if wrong := list(mistakes(requirements, tagged)):
        return "\n".join(wrong)
    text = document(requirements, tagged)
    if command == "write":
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
    elif DOCUMENT.read_text("utf-8") != text:
        return "docs/security.md is not what the tests say. `make security` writes it anew."
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) or 0)
