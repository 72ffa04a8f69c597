from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MaintenanceMode(StrEnum):
    """What a maintenance window keeps from happening; from weak to strong."""

    NONE = "none"
    READ_ONLY = "read-only"  # Writes are refused.
    FULL = "full"  # Reads too.

    @property
    def strength(self) -> int:
        return list(MaintenanceMode).index(self)


class WindowPhase(StrEnum):
    SCHEDULED = "scheduled"
    DRAINING = "draining"  # Waits for the writers that are at work.
    ACTIVE = "active"  # Opened by hand.
    MIGRATING = "migrating"
    VERIFYING = "verifying"  # Migrated; somebody looks before it ends.
    FAILED = "failed"  # The schema is between two revisions.


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A maintenance window: one that is open, or the next one."""

    id: int
    kind: str  # manual or migration
    mode: MaintenanceMode
    phase: WindowPhase
    message: str
    is_open: bool
    starts_at: datetime
    expected_end: datetime | None
    seconds_left: float | None  # To the expected end; negative when that is past.
    from_revision: str | None
    target_revision: str | None
    orphaned: bool = False  # It needs an owner, and nobody has the migrator's mutex.

    @property
    def forbids_reads(self) -> bool:
        return self.is_open and self.mode is MaintenanceMode.FULL
