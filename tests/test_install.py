"""scripts/install.sh installs with uv, or with pip where uv fails; requirements are locked."""

import hashlib
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import PROJECT_FOLDER, ROOT, Bake, command

REQUIREMENTS = ROOT / PROJECT_FOLDER / "requirements"
INSTALL = ROOT / PROJECT_FOLDER / "scripts/install.sh"
MAKE_VENV = 'if [ "$1" = venv ]; then exec python3 -m venv "$4"; fi'


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """Write a requirements file that locks one package, a wheel on this disk."""
    wheel = tmp_path / "sample-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("sample.py", "")
        archive.writestr("sample-1.0.dist-info/METADATA", metadata)
        archive.writestr("sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("sample-1.0.dist-info/RECORD", "")
    path = tmp_path / "locked.txt"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    path.write_text(f"sample @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    return path


def stand_in(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def install(locked: Path, **variables: str) -> tuple[int, list[str]]:
    """Install into .venv beside the file; return the status and the output."""
    result = command(f"'{INSTALL}' .venv {locked.name}", cwd=locked.parent, **variables)
    assert result.stdout == ""
    return result.returncode, result.stderr.splitlines()


def is_installed(locked: Path) -> bool:
    python = ".venv/bin/python -c 'import sample'"
    return command(python, cwd=locked.parent).returncode == 0


def test_the_locked_uv_installs_where_there_is_none(locked: Path, tmp_path: Path) -> None:
    assert install(locked, PATH=without_uv(tmp_path)) == (
        0,
        ["Installing locked.txt into .venv ..."],
    )
    assert is_installed(locked)
    assert (locked.parent / ".venv/bin/uv").exists()
    [installer] = (locked.parent / ".venv").glob("lib/*/site-packages/sample-*/INSTALLER")
    assert installer.read_text().strip() == "uv"


def without_uv(folder: Path) -> str:
    """Return a PATH with the script's commands and without uv."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("env", "sed", "tail", "cat", "mktemp", "rm", "dirname", "sh", "bash"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    return str(programs)


def test_pip_installs_where_uv_cannot(locked: Path, tmp_path: Path) -> None:
    script = (
        '[ "$1" = venv ] && exec python3 -m venv "$4"\necho "error: no network for uv" >&2; exit 2'
    )
    uv = stand_in(tmp_path / "bin", "uv", script)
    status, lines = install(locked, UV=str(uv))
    assert status == 0, lines
    assert lines[1:] == [
        "uv cannot install here (error: no network for uv): pip does, which takes longer."
    ]
    assert is_installed(locked)


def test_an_environment_is_added_to(locked: Path) -> None:
    assert install(locked)[0] == 0
    kept = locked.parent / ".venv/kept"
    kept.touch()
    assert install(locked)[0] == 0
    assert kept.exists()


def test_a_wrong_hash_is_refused_with_the_installers_lines(locked: Path) -> None:
    locked.write_text(re.sub("[0-9a-f]{64}", "0" * 64, locked.read_text()))
    status, lines = install(locked)
    assert status == 1
    assert any("hash" in line.lower() for line in lines[2:]), lines
    assert not is_installed(locked)


def test_uv_is_handed_the_index_and_the_certificates_of_pip(locked: Path, tmp_path: Path) -> None:
    script = f'echo "$UV_DEFAULT_INDEX $SSL_CERT_FILE" >>{tmp_path}/settings'
    uv = stand_in(tmp_path / "bin", "uv", f"{script}\n{MAKE_VENV}")
    index, certificates = "https://index.example.org/simple", "/etc/company.pem"
    settings = {"PIP_INDEX_URL": index, "PIP_CERT": certificates, "SSL_CERT_FILE": ""}
    assert install(locked, UV=str(uv), **settings)[0] == 0
    assert (tmp_path / "settings").read_text().splitlines()[-1] == f"{index} {certificates}"


def test_an_old_python_is_refused_in_a_sentence(locked: Path, tmp_path: Path) -> None:
    path = without_uv(tmp_path)
    (tmp_path / "programs/python3").unlink()
    stand_in(tmp_path / "programs", "python3", "exit 1")
    sentence = "Python 3.11 or later is needed; none was found on the PATH."
    assert install(locked, PATH=path) == (1, [sentence])


def entries(path: Path) -> set[tuple[str, str]]:
    """Return for each locked package its version, condition and hashes."""
    found = re.findall(r"^([\w.\[\]-]+)(==.*(?:\n    --hash.*)+)", path.read_text(), re.MULTILINE)
    assert found
    return set(found)


@pytest.mark.parametrize(
    ("part", "whole", "besides"),
    [
        (REQUIREMENTS / "run.txt", REQUIREMENTS / "development.txt", set()),
        (REQUIREMENTS / "runtime.txt", REQUIREMENTS / "telemetry.txt", set()),
        (REQUIREMENTS / "telemetry.txt", REQUIREMENTS / "development.txt", {"psycopg2"}),
        (REQUIREMENTS / "runtime.txt", REQUIREMENTS / "run.txt", {"psycopg2"}),
        (ROOT / "requirements-demo.txt", ROOT / "requirements.txt", set()),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_each_set_is_locked_as_in_the_larger_one(
    part: Path, whole: Path, besides: set[str]
) -> None:
    assert {name for name, _ in entries(part) - entries(whole)} == besides


def test_every_locked_package_has_hashes() -> None:
    for path in [*REQUIREMENTS.glob("*.txt"), *ROOT.glob("requirements*.txt")]:
        pinned = re.findall(r"^[\w.\[\]-]+==", path.read_text(), re.MULTILINE)
        assert len(pinned) == len(entries(path)), path


def test_one_call_of_make_installs_once(bake: Bake) -> None:
    """As the devcontainer calls it: `.env` asks for an environment that `.venv/.ready` has made."""
    project = bake()
    python = 'mkdir -p "$1/bin"; ln -sf "$(command -v python3)" "$1/bin/python"'
    stand_in(project / "scripts", "install.sh", f'{python}; echo "$2" >> installed')
    devcontainer = json.loads((project / ".devcontainer/devcontainer.json").read_text())
    make = command(devcontainer["postCreateCommand"], cwd=project)
    assert make.returncode == 0, make.stderr
    assert (project / "installed").read_text() == "requirements/development.txt\n"
    assert (project / ".venv/.ready").exists()


def test_an_environment_of_another_machine_is_told(bake: Bake) -> None:
    project = bake()
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/.ready").touch()
    (project / ".venv/bin/python").symlink_to("/a/python/of/the/host")
    make = command("make check", cwd=project)
    assert make.returncode == 2
    assert "remove .venv, and call make again" in make.stderr
