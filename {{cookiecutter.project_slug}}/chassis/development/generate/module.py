"""Source of a module: its imports follow from the names that its body uses."""

import ast
import builtins
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from chassis.development.generate.places import IMPORTS
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.splice import FIRST_PARTY


def with_imports(body: str, modules: Mapping[str, str]) -> str:
    """Put imports before the code. `modules` maps the names of the resource to their modules."""
    return "\n".join([*imports_of(body, modules), "", "", body])


def imports_of(body: str, modules: Mapping[str, str]) -> list[str]:
    """Return an import for each name that the code uses and does not define."""
    used, bound = set(), set(dir(builtins))
    for node in ast.walk(ast.parse(body)):
        match node:
            case ast.Name(ctx=ast.Load()):
                used.add(node.id)
            case ast.Name() | ast.arg() | ast.FunctionDef() | ast.ClassDef():
                bound.add(_name(node))
    every = {**IMPORTS, **modules}
    return [f"from {every[name]} import {name}" for name in sorted(used - bound)]


def _name(node: ast.Name | ast.arg | ast.FunctionDef | ast.ClassDef) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.arg():
            return node.arg
    return node.name


def formatted(root: Path, sources: Mapping[str, str]) -> dict[str, str]:
    """Sort imports and format the code with ruff and the project's settings."""
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--quiet", "--no-cache", "--config", str(root / "pyproject.toml")]
    settings += ["--config", f"lint.isort.known-first-party={json.dumps(sorted(FIRST_PARTY))}"]
    with TemporaryDirectory() as directory:
        for path, source in sources.items():
            file = Path(directory, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, "utf-8")
        for command in (["check", "--select", "I", "--fix", "--exit-zero"], ["format"]):
            _run([*ruff, *command, *settings, directory], root)
        return {path: Path(directory, path).read_text("utf-8") for path in sources}


def _run(command: list[str], root: Path) -> None:
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Refusal(f"ruff does not run: `make run` installs it. ({result.stderr.strip()})")
