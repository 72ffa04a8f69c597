"""Tasks: functions that background jobs call by a registered name."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

from chassis.core.errors import CodeError

Function = TypeVar("Function", bound=Callable[..., Any])
# Arguments are stored as JSON; the annotation of a parameter says which type its text becomes.
FROM_TEXT: dict[Any, Callable[[str], Any]] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
}
ATTEMPTS, SECONDS = 10, 300
# RabbitMQ redelivers a message that is not acknowledged within 30 minutes.
# https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout
MOST_SECONDS = 25 * 60


@dataclass(frozen=True, slots=True)
class Task:
    """`seconds` limits one attempt.

    A task with `every` is periodic; `offset` shifts its due times.
    """

    name: str
    function: Callable[..., Any]
    attempts: int
    seconds: int
    every: timedelta | None
    offset: timedelta

    def call(self, arguments: Mapping[str, Any]) -> Any:
        hints = get_type_hints(inspect.unwrap(self.function))
        return self.function(**{name: _value(v, hints.get(name)) for name, v in arguments.items()})

    def require(self, arguments: Mapping[str, object]) -> None:
        """Raise CodeError where the function does not accept these arguments."""
        signature, injected = _parameters(self.function)
        if wrong := injected.keys() & arguments.keys():
            raise CodeError(
                f"{self.name}: do not pass {', '.join(sorted(wrong))}: the container injects it."
            )
        try:
            signature.bind(**{**injected, **arguments})
        except TypeError as error:
            raise CodeError(f"{self.name}: {error}.") from None


@cache
def _parameters(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, None]]:
    """Return the signature and the parameters that are injected; each enqueue needs both."""
    plain = inspect.unwrap(function)
    hints = get_type_hints(plain, include_extras=True)
    injected = {name: None for name, hint in hints.items() if hasattr(hint, "__metadata__")}
    return inspect.signature(plain), injected


_tasks: dict[str, Task] = {}


def task(
    name: str,
    *,
    attempts: int = ATTEMPTS,
    seconds: int = SECONDS,
    every: timedelta | None = None,
    offset: timedelta = timedelta(0),
) -> Callable[[Function], Function]:
    """Register the decorated function as the task `name`.

    `attempts` is how often a failing job is tried. `seconds` limits one attempt. With `every`, a
    job is enqueued at each multiple of it since 1970-01-01 00:00 UTC, plus `offset`; such a task
    takes no arguments. docs/jobs.md says what happens to missed ones. Raise CodeError for a
    limit that is too long, or a name that another module has registered.
    """

    if seconds > MOST_SECONDS:
        raise CodeError(f"{name}: `seconds` is {MOST_SECONDS} at most; split the work into jobs.")

    def register(function: Function) -> Function:
        earlier = _tasks.get(name)
        if earlier and earlier.function.__module__ != function.__module__:
            raise CodeError(
                f"{function.__module__}: {earlier.function.__module__} has a task {name}, too."
            )
        _tasks[name] = Task(name, function, attempts, seconds, every, offset)
        return function

    return register


def task_named(name: str) -> Task:
    """Return the task of that name. Raise CodeError where there is none."""
    if name not in _tasks:
        raise CodeError(f"There is no task {name!r}; there are {', '.join(sorted(_tasks)) or '-'}.")
    return _tasks[name]


def all_tasks() -> list[Task]:
    return list(_tasks.values())


def _value(value: Any, kind: Any) -> Any:
    return FROM_TEXT[kind](value) if kind in FROM_TEXT and isinstance(value, str) else value
