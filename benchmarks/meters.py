"""Reads CPU time and memory of a process and its children from /proc."""

import os
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return the ids of a process and of its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found = [pid]
    for one in found:  # The list grows while the loop reads it.
        found += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of its descendants, ended ones included."""
    ticks = 0
    for one in family(pid):
        with suppress(OSError):
            ticks += sum(int(value) for value in _stat(one)[11:15])
    return ticks / TICK


def busiest(pid: int) -> int:
    """Return the descendant with the most CPU time, which is the serving process."""
    return max(family(pid), key=lambda one: sum(int(value) for value in _stat(one)[11:13]))


def machine_cpu_seconds() -> float:
    """Return the CPU seconds of the whole machine."""
    user, nice, system, _idle, _wait, *interrupts = (
        int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + sum(interrupts)) / TICK


def proportional_memory(pid: int) -> float:
    """Return the memory in MiB; shared pages count in part for each process (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _stat(pid: int) -> list[str]:
    """Return the fields after the process name, which may contain spaces and parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])
