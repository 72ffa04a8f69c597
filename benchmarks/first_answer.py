"""Measures `make demo` from a clone to the first response, with the time of each part.

It clones HEAD and uses empty caches. It needs what `make demo` needs:

    python3 -m benchmarks.first_answer
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = Path("demo/my_service")
TODOS = "/my_service/v1/todos"
POLL_SECONDS = 0.02
# Each part ends when its file exists.
FILES = {
    "virtual environment": Path(".venv/bin/python"),
    **({} if shutil.which("uv") else {"uv": Path(".venv/bin/uv")}),
    "what generates": Path(".venv/.demo"),
    "generation": PROJECT / "Makefile",
    "what runs": PROJECT / ".venv/.run",
}


def is_answered(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", TODOS)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def parts(clone: Path, process: "subprocess.Popen[str]", port: int) -> Iterator[tuple[str, float]]:
    """Yield the name and the seconds of each part when it ends."""
    steps: dict[str, Callable[[], bool]] = {
        name: (clone / path).exists for name, path in FILES.items()
    }
    steps["database, migrations, server, first answer"] = lambda: is_answered(port)
    begun = time.monotonic()
    for name, is_done in steps.items():
        while not is_done():
            if process.poll() is not None:
                raise SystemExit(process.communicate()[0])
            time.sleep(POLL_SECONDS)
        now = time.monotonic()
        yield name, now - begun
        begun = now


def measure(folder: Path) -> None:
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        cwd=clone,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    try:
        total = 0.0
        for name, seconds in parts(clone, process, port):
            total += seconds
            print(f"{seconds:6.1f} s  {name}", flush=True)
        print(f"{total:6.1f} s  from `make demo` to the first answer")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    print("", *output.split("API ")[0].splitlines(), sep="\n  ")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))
