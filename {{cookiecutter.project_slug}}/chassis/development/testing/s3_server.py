"""A real S3 server for tests: SeaweedFS, installed as a wheel, so that no Docker is needed."""

import atexit
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

START_SECONDS = 60
IDENTITY = {
    "name": "tests",
    "credentials": [{"accessKey": "tests", "secretKey": "not a secret"}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}


@dataclass(frozen=True, slots=True)
class S3Server:
    endpoint: str
    process: "subprocess.Popen[bytes]"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings with which a service stores its files on this server."""
        [keys] = IDENTITY["credentials"]
        return {
            "s3_endpoint": self.endpoint,
            "s3_access_key": keys["accessKey"],  # type: ignore[index]
            "s3_secret_key": keys["secretKey"],  # type: ignore[index]
        }


@cache
def s3_server() -> S3Server:
    """Return the server that all tests of this process share. It listens on loopback only."""
    folder = Path(tempfile.mkdtemp(prefix="s3-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "s3.json").write_text(json.dumps({"identities": [IDENTITY]}))
    ports = _free_ports(8)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_command(folder, *ports), stdout=log, stderr=log)
    atexit.register(process.wait)
    atexit.register(process.kill)  # atexit calls the last registered function first.
    server = S3Server(f"http://127.0.0.1:{ports[-2]}", process)
    _wait_for(server, folder / "log")
    return server


def _command(folder: Path, *ports: int) -> list[str]:
    names = [f"{part}.port{kind}" for part in PARTS for kind in ("", ".grpc")]
    return [
        str(Path(sys.executable).parent / "weed"),
        "-logtostderr",
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=128",
        "-volume.max=1000",  # SeaweedFS uses several volumes for a bucket.
        "-volume.preStopSeconds=0",
        "-filer",
        f"-filer.localSocket={folder}/filer.sock",
        "-s3",
        f"-s3.config={folder}/s3.json",
        f"-s3.localSocket={folder}/s3.sock",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
    ]


PARTS = ("master", "volume", "filer", "s3")


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _wait_for(server: S3Server, log: Path) -> None:
    """Wait until the server rejects a request without keys, as S3 does."""
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(server.endpoint, timeout=5).close()
        except HTTPError as error:
            if error.code == 403:
                return
        except (URLError, OSError):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The S3 server does not start.\n{log.read_text(errors='replace')[-2000:]}")
