"""The declarations in a revision's file: its window, its phase and its measurements.

maintenance = "none"     none, read-only or full: the requests that its window rejects
phase = "expand"         expand: before the release that needs it; contract: after it
measured = {...}         the measured locks, scans and rewrites, and the checksum of the rest
"""

import hashlib
import inspect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chassis.core.maintenance import MaintenanceMode

if TYPE_CHECKING:  # A server process does not import Alembic.
    from alembic.script import Script

EXPAND, CONTRACT = "expand", "contract"
MEASURED = re.compile(r"^measured = \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
# Functions of chassis.migrations.operations, and Alembic's own.
AUTOCOMMIT = ("autocommit_block(", "index_concurrently(", "add_enum_value(", "backfill(")


@dataclass(frozen=True, slots=True)
class Declaration:
    """The declarations; None for a missing or unknown value."""

    maintenance: MaintenanceMode | None
    phase: str | None


def declaration(script: "Script") -> Declaration:
    mode = getattr(script.module, "maintenance", None)
    phase = getattr(script.module, "phase", None)
    return Declaration(
        MaintenanceMode(mode) if mode in list(MaintenanceMode) else None,
        phase if phase in {EXPAND, CONTRACT} else None,
    )


def needed_mode(script: "Script", direction: str = "upgrade") -> MaintenanceMode:
    """The declared mode; the strongest for a revision without a declaration."""
    if direction == "downgrade":
        return measurements(script).downgrade_maintenance
    return declaration(script).maintenance or MaintenanceMode.FULL


def is_contract(script: "Script") -> bool:
    return declaration(script).phase == CONTRACT


def is_autocommit(script: "Script") -> bool:
    """Whether parts of the revision commit by themselves, so that a failure may leave some."""
    source = inspect.getsource(script.module)
    return any(name in source for name in AUTOCOMMIT)


@dataclass(frozen=True, slots=True)
class Measurements:
    """The measurements of both directions: by table, the work on tables that existed before.

    Empty for a revision that was not measured, or that was edited since.
    """

    is_checked: bool = False
    upgrade: dict[str, str] = field(default_factory=dict)
    downgrade: dict[str, str] = field(default_factory=dict)
    downgrade_maintenance: MaintenanceMode = MaintenanceMode.FULL

    def locks(self, direction: str) -> dict[str, str]:
        """The strongest lock on each earlier table."""
        work = self.upgrade if direction == "upgrade" else self.downgrade
        return {table: text.partition(",")[0] for table, text in work.items()}


def measurements(script: "Script") -> Measurements:
    measured: Any = getattr(script.module, "measured", None)
    if not isinstance(measured, dict) or measured.get("checksum") != checksum(script):
        return Measurements()
    declared = measured.get("downgrade_maintenance")
    mode = MaintenanceMode(declared) if declared in list(MaintenanceMode) else MaintenanceMode.FULL
    return Measurements(
        is_checked=True,
        upgrade=measured.get("upgrade", {}),
        downgrade=measured.get("downgrade", {}),
        downgrade_maintenance=mode,
    )


def checksum(script: "Script") -> str:
    """The checksum of the file without its measurements."""
    return checksum_of(inspect.getsource(script.module))


def checksum_of(source: str) -> str:
    return hashlib.sha256(MEASURED.sub("", source).encode()).hexdigest()
