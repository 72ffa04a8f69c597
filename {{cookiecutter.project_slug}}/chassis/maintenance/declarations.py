"""What a revision's file says of it: the window that it needs, and when it may be applied.

maintenance = "none"     none, read-only or full: what must not happen while it is applied
phase = "expand"         expand: before the release that needs it; contract: after it
"""

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chassis.core.maintenance import MaintenanceMode

if TYPE_CHECKING:  # A server has no need of it.
    from alembic.script import Script

EXPAND, CONTRACT = "expand", "contract"
# Of chassis.migrations.operations, and Alembic's own way.
AUTOCOMMIT = ("autocommit_block(", "index_concurrently(", "add_enum_value(")


@dataclass(frozen=True, slots=True)
class Declaration:
    """None where the file says nothing, or nothing that is known."""

    maintenance: MaintenanceMode | None
    phase: str | None


def declaration(script: "Script") -> Declaration:
    mode = getattr(script.module, "maintenance", None)
    phase = getattr(script.module, "phase", None)
    return Declaration(
        MaintenanceMode(mode) if mode in list(MaintenanceMode) else None,
        phase if phase in {EXPAND, CONTRACT} else None,
    )


def needed_mode(script: "Script") -> MaintenanceMode:
    """What was declared; of a revision that says nothing, nothing is known."""
    return declaration(script).maintenance or MaintenanceMode.FULL


def is_contract(script: "Script") -> bool:
    return declaration(script).phase == CONTRACT


def is_autocommit(script: "Script") -> bool:
    """Whether a part of it is committed before the rest: it may be left half done."""
    source = inspect.getsource(script.module)
    return any(name in source for name in AUTOCOMMIT)
