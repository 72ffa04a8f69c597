"""The state of one request, for code that no argument reaches. No other module has such state."""

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
    """One attempt to serve a request; after a collision there is a second one."""

    # The last entity in the URL, and whether its version is the expected one. None expects nothing.
    entity_id: UUID | None
    expects: Callable[[int, object], bool] | None
    # Versions that met the expectation, or that this request has made.
    met_versions: set[int] = field(default_factory=set)
    committed: bool = False


@dataclass(slots=True, eq=False)
class RequestScope:
    """The scope of a request. Outside of requests, a thread's scope has units of work only."""

    request: Any = None  # The framework's request; None outside of one.
    plan: Any = None  # The steps that the request passes.
    started: float = field(default_factory=perf_counter)
    request_id: str | None = None
    principal: Principal | None = None
    refusal: DomainError | None = None  # Why there is no principal, although a token was sent.
    rate: Any = None  # How much of the caller's limit is used.
    slots: list[Callable[[], None]] = field(default_factory=list)  # Release the acquired ones.
    status: int = 500  # The status of the sent response.
    attempt: Attempt | None = None
    positions: Positions | None = None  # None without a replica.
    admitted_window: int | None = None  # The id of the window that the request may write in.
    masks: dict[str, set[str]] = field(default_factory=dict)  # Values that log lines leave out.
    units: dict[Any, Any] = field(default_factory=dict)  # The open ones, by factory and thread.
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
    """Drop the scope, so that the thread's next request begins with a new one."""
    if scope := _current.get():
        _current.set(scope.outer)
