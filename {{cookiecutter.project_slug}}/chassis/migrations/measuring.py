"""Writes measurements of revisions into their files, for the operators who apply them."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic.script import Script
from sqlalchemy import Connection

from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.declarations import MEASURED, checksum_of
from chassis.migrations.footprint import Footprint, footprint

AFTER = "\nphase = "
TABLES = re.compile(r"(^ {8}.*\n)+", re.MULTILINE)


def downgrades(connection: Connection, scripts: Iterable[Script]) -> Iterator[Footprint]:
    """Take revisions back on this scratch database, the newest first, up to an irreversible one."""
    for script in scripts:
        if getattr(script.module, "irreversible", ""):
            return
        yield footprint(connection, script, "downgrade")


def write_measurements(path: Path, up: Footprint, down: Footprint | None) -> bool:
    """Write the measurements; return whether the file has changed.

    Another order of the tables is no change: a released revision stays as it is.
    """
    source = path.read_text("utf-8")
    bare = MEASURED.sub("", source)
    before, phase, after = bare.partition(AFTER)
    line, end, rest = after.partition("\n")
    if not phase:
        return False  # The file declares nothing; `db check` reports that.
    text = _in_order(f"{before}{phase}{line}{end}{_block(checksum_of(bare), up, down)}{rest}")
    if has_changed := text != _in_order(source):
        path.write_text(text, "utf-8")
    return has_changed


def _in_order(source: str) -> str:
    """Sort the tables of each direction."""

    def in_order(lines: re.Match[str]) -> str:
        return "".join(sorted(lines[0].splitlines(keepends=True)))

    return MEASURED.sub(lambda block: TABLES.sub(in_order, block[0]), source)


def _block(checksum: str, up: Footprint, down: Footprint | None) -> str:
    lines = [f'    "checksum": "{checksum}",', *_tables("upgrade", up)]
    if down:
        lines += [*_tables("downgrade", down), f'    "downgrade_maintenance": "{_mode(down)}",']
    return "\n".join(["measured = {", *lines, "}", ""])


def _tables(direction: str, seen: Footprint) -> Iterator[str]:
    work = dict(seen.work)
    if not work:
        yield f'    "{direction}": {{}},'
        return
    yield f'    "{direction}": {{'
    for table, text in work.items():
        yield f'        {json.dumps(table, ensure_ascii=False)}: "{text}",'
    yield "    },"


def _mode(seen: Footprint) -> MaintenanceMode:
    modes = (effect.mode for effect in seen.effects)
    return max(modes, key=lambda mode: mode.strength, default=MaintenanceMode.NONE)
