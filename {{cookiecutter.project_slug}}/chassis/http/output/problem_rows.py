"""Checks the rows of src/error_handler.py: each class of errors needs an error's status."""

import sys
from collections.abc import Iterator, Mapping

from chassis.core.errors import CodeError, DomainError
from chassis.project import current_project

Row = tuple[int, str]  # The status, and the kind of the problem.
Rows = Mapping[type[DomainError], Row]
LEAST, MOST = 400, 599
NO_REQUESTS = (["commands"], ["seeds"], ["tasks"])  # Folders without code for requests.


def require_rows(rows: Rows) -> None:
    """Raise CodeError for a status that is no error, or an error of the project without a row."""
    for kind, (status, _) in rows.items():
        if not LEAST <= status <= MOST:
            raise CodeError(
                f"The row of {kind.__name__} in error_handler.py has status {status}, which is "
                f"no error. Give it one from {LEAST} to {MOST}."
            )
    for kind in _raised(DomainError):
        if not any(base in rows for base in kind.__mro__ if base is not DomainError):
            raise CodeError(
                f"{kind.__module__}.{kind.__name__} has no row in error_handler.py, so callers "
                f'would get a 500. Add a line {kind.__name__}: (4…, "…"), or derive it from a '
                "class that has a row."
            )


def _raised(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    """The project's classes without a subclass, in the modules that are imported already.

    A class with subclasses may only group them. Errors of commands and tasks reach no caller.
    """
    below = [one for one in kind.__subclasses__() if _is_current(one)]
    for one in below:
        yield from _raised(one)
    package, *inner = kind.__module__.split(".")
    if not below and package == current_project().package and inner[:1] not in NO_REQUESTS:
        yield kind


def _is_current(kind: type) -> bool:
    """Whether its module has the class: a decorator may have replaced the class."""
    return getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind
