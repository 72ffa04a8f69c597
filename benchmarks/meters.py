"""What a process and its children use, as Linux counts it."""

import os
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found = [pid]
    for one in found:  # It grows while it is read.
        found += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Of a process, those below it, and those below it that have ended."""
    ticks = 0
    for one in family(pid):
        with suppress(OSError):
            ticks += sum(int(value) for value in _stat(one)[11:15])
    return ticks / TICK


def busiest(pid: int) -> int:
    """Of a process and those below it, the one that has worked most: which serves."""
    return max(family(pid), key=lambda one: sum(int(value) for value in _stat(one)[11:13]))


def machine_cpu_seconds() -> float:
    """Of everything that runs on this machine."""
    user, nice, system, _idle, _wait, *interrupts = (
        int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + sum(interrupts)) / TICK


def proportional_memory(pid: int) -> float:
    """MiB; what several processes share counts for each in part (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _stat(pid: int) -> list[str]:
    """From the third field on: the second is a name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])
