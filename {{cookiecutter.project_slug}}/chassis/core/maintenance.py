from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
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


@dataclass(frozen=True, slots=True)
class WindowEvent:
    at: datetime
    window_id: int
    event: str
    actor: str
    source: str
    detail: str


class MaintenanceWindows(ABC):
    """Windows in which nobody writes, or nobody reads either; at most one is open at a time.

    Each method raises UnavailableError if the database does not answer in time.
    """

    @abstractmethod
    def current(self) -> Window | None:
        """The one that is open, else the next one."""

    @abstractmethod
    def settle_orphan(self) -> None:
        """End the window of an owner that died, if the schema is proven unchanged or complete."""

    @abstractmethod
    def start(
        self,
        mode: MaintenanceMode,
        message: str,
        lasts: timedelta | None,
        *,
        expires: bool = True,
        patience: timedelta,
    ) -> Window:
        """Open one and wait until nobody writes; it ends by itself after `lasts` if it `expires`.

        Raise ConflictError if one is open, BusyError if writers do not end within `patience`.
        """

    @abstractmethod
    def schedule(
        self, mode: MaintenanceMode, message: str, starts_at: datetime, lasts: timedelta
    ) -> Window:
        """Raise ConflictError if it overlaps another one, ValidationError if it begins earlier."""

    @abstractmethod
    def end(self, accept_schema: str | None = None) -> Window:
        """Raise BusyError while a migration runs.

        After one that failed, raise ConflictError unless `accept_schema` is the database's
        revision. Raise NotFoundError if none is open.
        """

    @abstractmethod
    def cancel(self, window_id: int) -> None:
        """Raise NotFoundError unless it is scheduled and has not begun."""

    @abstractmethod
    def events(self, window_id: int | None = None) -> list[WindowEvent]:
        """What happened to one, or to all, in order."""
