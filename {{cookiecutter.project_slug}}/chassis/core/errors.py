"""The errors of the domain and the services.

DomainError
├── ValidationError      a rule about a value is broken
├── NotFoundError        nothing has that identity
├── ConflictError        the present state forbids the change, or another writer was first
│   ├── DuplicateError   something else already has that identity or name
│   ├── PreconditionFailedError  the entity has another version than the caller expects
│   ├── CollisionError   two transactions collided (deadlock); a second try may succeed
│   └── BusyError        another process does the same; the call may succeed later
├── AuthenticationError  the caller has no valid token
├── ForbiddenError       the caller lacks a scope
└── UnavailableError     a dependency does not answer; the same call may succeed later
    ├── MaintenanceError     a maintenance window forbids the call
    └── SchemaMismatchError  the database has the schema of another release
"""

import re
from typing import Self

from chassis.core.maintenance import Window


class CodeError(Exception):
    """A mistake in the project's code. The text names the place and the correction."""


class DeclarationError(CodeError, TypeError):
    """The declaration of a field, a column, a schema or a list is wrong."""


class DomainError(Exception):
    """The text is a sentence that a caller may see."""


class ValidationError(DomainError):
    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        """`field` is the name of the wrong field, or a path to it: `lines/2/product_id`."""
        super().__init__(sentence)
        self.field = field


class NotFoundError(DomainError):
    @classmethod
    def of(cls, kind: type, identity: object) -> Self:
        """Name the kind in words: a missing OrderLine is "no order line"."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", kind.__name__).lower()
        return cls(f"There is no {words} {identity}.")


class ConflictError(DomainError):
    pass


class DuplicateError(ConflictError):
    def __init__(self, sentence: str, *, fields: tuple[str, ...] = ()) -> None:
        """`fields` are the entity's fields whose combined values exist already."""
        super().__init__(sentence)
        self.fields = fields


class PreconditionFailedError(ConflictError):
    pass


class CollisionError(ConflictError):
    pass


class BusyError(ConflictError):
    pass


class AuthenticationError(DomainError):
    def __init__(self, sentence: str, reason: str = "") -> None:
        """`reason` is a word for the log, such as "expired"; it contains nothing of the token."""
        super().__init__(sentence)
        self.reason = reason


class ForbiddenError(DomainError):
    def __init__(self, sentence: str, scopes: frozenset[str] = frozenset()) -> None:
        """`scopes` are those that the operation requires."""
        super().__init__(sentence)
        self.scopes = scopes


class UnavailableError(DomainError):
    pass


class SchemaMismatchError(UnavailableError):
    pass


class MaintenanceError(UnavailableError):
    def __init__(self, window: Window | None) -> None:
        """`window` is None if the window has just ended, or this process has not read it yet."""
        super().__init__((window and window.message) or "The service is under maintenance.")
        self.window = window
