"""The dependency rule, as pyproject.toml states it, and what its linter cannot say."""

import ast
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import TestCase
from unittest.mock import patch

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] if not node.level else "src"


class ArchitectureTest(TestCase):
    def test_every_ring_imports_only_the_rings_inside_it(self) -> None:
        # The linter would silence every logger that there is already.
        with redirect_stdout(StringIO()) as report, patch("logging.config.dictConfig"):
            status = lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
        self.assertEqual(status, EXIT_STATUS_SUCCESS, report.getvalue())

    def test_the_inner_rings_import_only_the_standard_library_and_themselves(self) -> None:
        allowed = sys.stdlib_module_names | {"src"}
        for ring in ("domain", "services"):
            for module in (ROOT / "src" / ring).rglob("*.py"):
                with self.subTest(module.name):
                    self.assertLessEqual(set(imported(module)), allowed)
