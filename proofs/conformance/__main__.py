"""Send every kind of request to every endpoint of a generated project.

python -m proofs.conformance [--short] [--only PROOF ...] [--project DIR]

The client programs are installed from requirements-conformance.txt into their own environment.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from proofs.harness.entry import parser, project_of, run_in
from proofs.harness.generation import ROOT

PROOFS = "corpus mutated state_machine concurrency contract client pages browser".split()
# The short form leaves out proofs that take long or need a browser.
SHORT = [name for name in PROOFS if name not in {"pages", "browser"}]
TOOLS = ROOT / ".conformance"
LOCKED = ROOT / "requirements-conformance.txt"


def tools() -> Path:
    """Return the client programs' folder; the environment is made again for a new lock file."""
    with LOCKED.open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        install_tools()
    return TOOLS / "bin"


def install_tools() -> None:
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


def require_browser() -> None:
    """Install Debian's chromium where it is missing and this process is root."""
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
        options = ["--project", str(project), *(["--short"] if short else [])]
        if name != "corpus":
            options += ["--tools", str(where)]
        if run_in(project, f"proofs.conformance.{name}", *options):
            failed.append(name)
    print(f"\nconformance: {'failed: ' + ', '.join(failed) if failed else 'all hold'}")
    return 1 if failed else 0


def main() -> int:
    arguments = parser("conformance", __doc__)
    arguments.add_argument("--short", action="store_true", help="fewer of each")
    arguments.add_argument("--only", nargs="+", choices=PROOFS, default=[], metavar="PROOF")
    given = arguments.parse_args()
    with project_of(given.project, "conformance") as project:
        return conform(project, short=given.short, only=given.only)


if __name__ == "__main__":
    sys.exit(main())
