"""Generate a project from the working tree, and ask its endpoints everything.

python -m proofs.conform [--short] [--only PROOF ...] [--project DIR]

The programs that ask come from requirements-conformance.txt, into an environment of their own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from proofs.generation import ROOT
from proofs.rehearse import generate, run

PROOFS = "corpus mutated state_machine concurrency contract client pages browser".split()
# In the short form: not those that take long or need a browser.
SHORT = [name for name in PROOFS if name not in {"pages", "browser"}]
TOOLS = ROOT / ".conformance"
LOCKED = ROOT / "requirements-conformance.txt"


def tools() -> Path:
    """Where the programs are; made once for each lock file."""
    ready = TOOLS / LOCKED.name
    if not ready.exists() or ready.read_bytes() != LOCKED.read_bytes():
        print(f"Installing what {LOCKED.name} names.", flush=True)
        shutil.rmtree(TOOLS, ignore_errors=True)
        if uv := shutil.which("uv"):
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, TOOLS], check=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(TOOLS / "bin/python")]
        else:
            subprocess.run([sys.executable, "-m", "venv", TOOLS], check=True)
            install = [str(TOOLS / "bin/python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, "--require-hashes", "--requirement", LOCKED], check=True)
        shutil.copy(LOCKED, ready)
    return TOOLS / "bin"


def require_browser() -> None:
    """Debian's, installed where that is allowed."""
    if shutil.which("chromium"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit("The proof `browser` needs chromium: apt-get install chromium.")
    for command in (["update", "-qq"], ["install", "--yes", "-qq", "chromium"]):
        subprocess.run(["apt-get", *command], check=True)


def conform(project: Path, *, short: bool, only: list[str]) -> int:
    where = tools()
    failed = []
    chosen = only or (SHORT if short else PROOFS)
    if "browser" in chosen:
        require_browser()
    for name in chosen:
        print(f"\n== {name}", flush=True)
        command = [str(project / ".venv/bin/python"), "-m", f"proofs.conformance.{name}"]
        command += ["--project", str(project)]
        if name != "corpus":
            command += ["--tools", str(where)]
        if run(*command, *(["--short"] if short else [])):
            failed.append(name)
    print(f"\nconformance: {'failed: ' + ', '.join(failed) if failed else 'all hold'}")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="conform")
    parser.add_argument("--short", action="store_true", help="fewer of each")
    parser.add_argument("--only", nargs="+", choices=PROOFS, default=[], metavar="PROOF")
    parser.add_argument("--project", type=Path, help="a generated one, with its environment")
    given = parser.parse_args()
    if given.project:
        return conform(given.project.resolve(), short=given.short, only=given.only)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL may run as another user.
        return conform(generate(Path(folder)), short=given.short, only=given.only)


if __name__ == "__main__":
    sys.exit(main())
