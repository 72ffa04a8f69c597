"""Run a project's tests with the chassis installed as a wheel instead of the folder chassis/.

python -m proofs.wheel [--project DIR]

This shows that the chassis finds its project and its own data files without their place in the
project. The project itself is not changed.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from proofs.harness.entry import parser, project_of, temporary_folder
from proofs.harness.generation import environment

# uv's build backend packs every file of the package, and needs no network.
BUILD = """\
[build-system]
requires = ["uv_build"]
build-backend = "uv_build"

[project]
name = "chassis"
version = "{version}"

[tool.uv.build-backend]
module-name = "chassis"
module-root = ""
"""


def run(cwd: Path, *command: str | Path, **variables: str) -> str:
    result = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment("PYTHONPATH", **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{result.stdout}")
    return result.stdout


def build(project: Path, folder: Path, uv: str) -> Path:
    """Build the wheel of a project's chassis; return its path."""
    source = folder / "chassis-source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project / "chassis", source / "chassis", ignore=ignored)
    text = (source / "chassis/__init__.py").read_text("utf-8")
    (source / "pyproject.toml").write_text(BUILD.format(version=text.split('"')[1]), "utf-8")
    run(source, uv, "build", "--offline", "--wheel", "--out-dir", folder / "wheels")
    [wheel] = (folder / "wheels").glob("*.whl")
    return wheel


def missing(project: Path, wheel: Path) -> list[str]:
    """List the files of the chassis that the wheel lacks."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = (path for path in (project / "chassis").rglob("*") if path.is_file())
    names = {str(path.relative_to(project)) for path in files if path.suffix != ".pyc"}
    return sorted(names - packed)


def prove(project: Path, folder: Path) -> str:
    uv = shutil.which("uv") or str(project / ".venv/bin/uv")
    wheel = build(project, folder, uv)
    if left := missing(project, wheel):
        raise SystemExit(f"The wheel lacks {', '.join(left)}")
    outside = folder / project.name
    ignored = shutil.ignore_patterns(
        "chassis", ".venv", ".git", ".postgres", "__pycache__", "*_cache"
    )
    shutil.copytree(project, outside, ignore=ignored)
    run(outside, "make", ".venv/.ready")
    python = outside / ".venv/bin/python"
    run(outside, uv, "pip", "install", "--offline", "--no-deps", "--python", python, wheel)
    where = run(outside, python, "-c", "import chassis; print(chassis.__file__)").strip()
    if "site-packages" not in where:
        raise SystemExit(f"This is not the wheel's: {where}")
    output = run(outside, python, "-m", "unittest", "discover", "-s", "tests")
    ran = next(line for line in output.splitlines() if line.startswith("Ran "))
    size = wheel.stat().st_size // 1000
    return f"{wheel.name}: {size} kB, {len(zipfile.ZipFile(wheel).namelist())} files. {ran}."


def main() -> int:
    given = parser("wheel", __doc__).parse_args()
    with temporary_folder("wheel") as folder, project_of(given.project, "wheel-made") as project:
        print(prove(project, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
