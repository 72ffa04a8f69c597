"""Describes the machine of a measurement."""

import platform
import time
from pathlib import Path
from typing import Any

from benchmarks.contestants import THREADS
from benchmarks.postgres import Postgres


def machine(server: Postgres) -> dict[str, Any]:
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
    return {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": model[0] if model else platform.machine(),
        "cores": len(model),
        "python": platform.python_version(),
        "postgresql": f"{version}, {server.kind}",
        "threads": THREADS,
    }
