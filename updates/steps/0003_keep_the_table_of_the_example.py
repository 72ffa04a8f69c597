"""Version 2.0.0 gave the first revision of a new project a CHECK."""

from collections.abc import Iterator
from pathlib import Path

from updates.released_table import restore


def run(project: Path) -> Iterator[str]:
    yield from restore(project)
