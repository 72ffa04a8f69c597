"""The dependency rule of pyproject.toml, and what import-linter cannot check."""

import ast
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import TestCase
from unittest.mock import patch

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from chassis.development.diagrams import is_true

ROOT = Path(__file__).parents[2]


# What a ring may import besides the standard library.
ALLOWED = {
    "chassis/core": ("chassis.core",),
    "src/domain": (
        "chassis.core.errors",
        "chassis.core.identity",
        "chassis.core.model",
        "chassis.core.rules",
        "src.domain",
    ),
    "src/services": ("chassis.core", "src.domain", "src.services"),
}


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


class ArchitectureTest(TestCase):
    def test_every_ring_imports_only_the_rings_inside_it(self) -> None:
        # import-linter would disable every existing logger.
        with redirect_stdout(StringIO()) as report, patch("logging.config.dictConfig"):
            status = lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
        self.assertEqual(status, EXIT_STATUS_SUCCESS, report.getvalue())

    def test_the_diagrams_show_what_the_code_has(self) -> None:
        self.assertTrue(is_true(ROOT), "docs/architecture.md is out of date: run `make diagrams`.")

    def test_the_inner_rings_import_only_the_standard_library_and_the_core(self) -> None:
        for folder, allowed in ALLOWED.items():
            for module in (ROOT / folder).rglob("*.py"):
                with self.subTest(str(module.relative_to(ROOT))):
                    self.assertEqual(
                        [name for name in imported(module) if _is_strange(name, allowed)], []
                    )


def _is_strange(name: str, allowed: tuple[str, ...]) -> bool:
    if name.partition(".")[0] in sys.stdlib_module_names:
        return False
    return not any(f"{name}.".startswith(f"{one}.") for one in allowed)
