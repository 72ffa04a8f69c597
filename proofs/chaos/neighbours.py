"""Neighbours of the service: Redis, the issuer's key set, nginx, a small disk."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from proofs.chaos.fault_testbed import NotPossibleError
from proofs.chaos.server import wait_until
from proofs.harness.processes import free_port
from proofs.harness.testbed import Testbed


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotPossibleError(f"there is no {name}")
    return found


def reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Redis:
    def __init__(self, _stage: Testbed) -> None:
        self._program = program("redis-server")
        self.port = free_port()
        self.start()

    def start(self) -> float:
        options = ["--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        return wait_until(lambda: reachable(self.port), 10, "Redis answers")

    def is_used(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"DBSIZE\r\n")
            return connection.recv(100) not in {b"", b":0\r\n"}

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def variables(self) -> dict[str, str]:
        store = f"redis://127.0.0.1:{self.port}/0"
        return {"RATE_LIMIT": "100000 per second", "RATE_LIMIT_STORAGE": store}


class KeySet:
    """Serves the issuer's keys over HTTP, and can stop doing so."""

    def __init__(self, testbed: Testbed) -> None:
        keys = (testbed.folder / "keys.json").read_bytes()
        self.asked, self.fails, self.seconds = 0, False, 0.0
        self.over = Event()
        this = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                this.asked += 1
                this.over.wait(this.seconds)
                with suppress(OSError):  # The client has closed the connection.
                    self.send_response(503 if this.fails else 200)
                    self.end_headers()
                    self.wfile.write(b"" if this.fails else keys)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def variables(self) -> dict[str, str]:
        return {"JWT_JWKS_URL": f"http://127.0.0.1:{self._server.server_port}/keys"}


class Proxy:
    """nginx with the project's own configuration, in which names are replaced."""

    def __init__(self, testbed: Testbed) -> None:
        self._program = program("nginx")
        self.port, self.api = free_port(), free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="chaos-nginx-"))
        text = (testbed.serving.path / "docker/nginx.conf").read_text()
        changes = {
            r"listen 8080;": f"listen 127.0.0.1:{self.port};",
            r"\n *resolver.*": "",
            r"api:8000": f"127.0.0.1:{self.api}",
            r"/tmp/": f"{self._folder}/",
            r"/dev/std(out|err)": f"{self._folder}/log",
            r"\Apid|\npid": "\ndaemon off;\npid",
        }
        for old, new in changes.items():
            text, times = re.subn(old, new, text)
            if not times:
                raise AssertionError(f"nginx.conf has no {old}.")
        (self._folder / "nginx.conf").write_text(text)
        command = [self._program, "-p", str(self._folder), "-c", f"{self._folder}/nginx.conf"]
        log = (self._folder / "own").open("w")
        self._process = subprocess.Popen(command, stderr=log, stdout=log)
        wait_until(lambda: reachable(self.port), 10, f"nginx listens: {self._folder}/own")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder)

    def variables(self) -> dict[str, str]:
        return {"PROXY_HOPS": "1"}


class Disk:
    """A file system of a few megabytes for a tablespace of PostgreSQL."""

    def __init__(self, testbed: Testbed) -> None:
        self.folder = testbed.folder / f"disk-{time.time_ns()}"
        self.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "tmpfs", str(self.folder)]
        try:
            result = subprocess.run(mount, capture_output=True, text=True, check=False)
        except OSError as error:
            raise NotPossibleError(f"a small disk cannot be mounted: {error}") from error
        if result.returncode:
            raise NotPossibleError(f"a small disk cannot be mounted: {result.stderr.strip()}")
        (self.folder / "table").mkdir(mode=0o700)

    def fill(self) -> Path:
        ballast = self.folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                return ballast
        return ballast

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def variables(self) -> dict[str, str]:
        return {}
