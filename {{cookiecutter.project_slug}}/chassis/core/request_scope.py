"""What belongs to one request and has to be known where no argument leads: the one place for it."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import UUID

from chassis.core.authentication import Principal
from chassis.core.errors import DomainError
from chassis.core.read_positions import Positions


@dataclass(slots=True)
class Attempt:
    """One of the attempts to serve a request; a collision may make another one necessary."""

    # The entity that the request is about, and whether the caller expects it as it is; None is any.
    entity_id: UUID | None
    expects: Callable[[int, object], bool] | None
    # What was found to be as expected, and what the request itself has made of it.
    met_versions: set[int] = field(default_factory=set)
    committed: bool = False


@dataclass(slots=True, eq=False)
class RequestScope:
    """Outside of a request a thread has one too, which stays empty but for its units of work."""

    request: Any = None  # Of the framework; None outside of a request.
    plan: Any = None  # The steps that the request passes.
    started: float = field(default_factory=perf_counter)
    request_id: str | None = None
    principal: Principal | None = None
    refusal: DomainError | None = None  # Why there is no principal, although a token was sent.
    rate: Any = None  # How much of the caller's limit is used.
    slots: list[Callable[[], None]] = field(default_factory=list)  # What releases each, in order.
    status: int = 500  # Of the response.
    attempt: Attempt | None = None
    positions: Positions | None = None  # None where all is read from the primary.
    admitted_window: int | None = None  # In which this request may write before it ends.
    masks: dict[str, set[str]] = field(default_factory=dict)  # What logs leave out.
    units: dict[Any, Any] = field(default_factory=dict)  # That are open, by factory and thread.
    outer: "RequestScope | None" = None


_current: ContextVar[RequestScope | None] = ContextVar("request_scope", default=None)


def current_scope() -> RequestScope:
    scope = _current.get()
    if scope is None:
        scope = RequestScope()
        _current.set(scope)
    return scope


def enter_scope(request: Any) -> RequestScope:
    scope = RequestScope(request, outer=_current.get())
    _current.set(scope)
    return scope


def leave_scope() -> None:
    """Nothing of a request is left for the next one of the thread."""
    if scope := _current.get():
        _current.set(scope.outer)
