from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MaintenanceMode(StrEnum):
    """The requests that a maintenance window rejects: none, writes, or all."""

    NONE = "none"
    READ_ONLY = "read-only"  # Forbids writes.
    FULL = "full"  # Forbids reads, too.

    @property
    def strength(self) -> int:
        return list(MaintenanceMode).index(self)


class WindowPhase(StrEnum):
    SCHEDULED = "scheduled"
    DRAINING = "draining"  # Waits until running writers end.
    ACTIVE = "active"  # Opened by hand.
    MIGRATING = "migrating"
    VERIFYING = "verifying"  # The migration is done; a person checks before the window ends.
    FAILED = "failed"  # The schema is between two revisions.
    OFF = "off"  # The window has ended.


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A maintenance window: the open one, or the next one."""

    id: int
    kind: str  # manual or migration
    mode: MaintenanceMode
    phase: WindowPhase
    message: str
    is_open: bool
    starts_at: datetime
    expected_end: datetime | None
    seconds_left: float | None  # Until the expected end; negative after it.
    from_revision: str | None
    target_revision: str | None
    orphaned: bool = False  # Its owner died: nobody holds the migrator's mutex.

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
    """The maintenance windows of a database; at most one is open at a time.

    Each method raises UnavailableError if the database does not answer in time.
    """

    @abstractmethod
    def current(self) -> Window | None:
        """The open window, else the next one, else None."""

    @abstractmethod
    def settle_orphan(self) -> None:
        """End the window of a dead owner, if the schema is proven to be at a revision."""

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
        """Open a window and wait until nobody writes. `expires` ends the window after `lasts`.

        Raise ConflictError if a window is open, BusyError if writers do not end within `patience`.
        """

    @abstractmethod
    def schedule(
        self, mode: MaintenanceMode, message: str, starts_at: datetime, lasts: timedelta
    ) -> Window:
        """Schedule a window. Raise ConflictError if the window overlaps another one.

        Raise ValidationError if the window begins in the past.
        """

    @abstractmethod
    def end(self, accept_schema: str | None = None, *, window_id: int | None = None) -> Window:
        """End the open window, and return it as ended. Raise BusyError while a migration runs.

        After a failed migration, raise ConflictError unless `accept_schema` is the database's
        revision. Raise NotFoundError unless window `window_id` (None: any) is open.
        """

    @abstractmethod
    def cancel(self, window_id: int) -> None:
        """Cancel a scheduled window. Raise NotFoundError if there is none, or if it has begun."""

    @abstractmethod
    def events(self, window_id: int | None = None) -> list[WindowEvent]:
        """The events of one window, or of all, the oldest first."""
