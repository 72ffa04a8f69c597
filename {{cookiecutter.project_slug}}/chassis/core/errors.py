"""What can go wrong, in the words of the domain.

DomainError
├── ValidationError      a rule about a value is broken
├── NotFoundError        nothing has that identity
├── ConflictError        the present state forbids it, or another writer was first
│   ├── DuplicateError   something else already has that identity or name
│   ├── PreconditionFailedError  it has another version than the caller expects
│   ├── CollisionError   two transactions got in each other's way; again, it may succeed
│   └── BusyError        somebody else is at it; the same call may succeed later
├── AuthenticationError  it is not known who asks
├── ForbiddenError       whoever asks may not do this
└── UnavailableError     what is needed does not answer; the same call may succeed later
    ├── MaintenanceError     a maintenance window forbids it
    └── SchemaMismatchError  the database has the schema of another release
"""

from chassis.core.maintenance import Window


class CodeError(Exception):
    """The project's code is at odds with itself. Its text says where, and what would be right."""


class DeclarationError(CodeError, TypeError):
    """Of what is declared: a field, a column, a schema or a list."""


class DomainError(Exception):
    """Its text is a sentence that may be shown to whoever asked."""


class ValidationError(DomainError):
    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        """`field` is the one that is wrong, or a path to it: `lines/2/product_id`."""
        super().__init__(sentence)
        self.field = field


class NotFoundError(DomainError):
    pass


class ConflictError(DomainError):
    pass


class DuplicateError(ConflictError):
    pass


class PreconditionFailedError(ConflictError):
    pass


class CollisionError(ConflictError):
    pass


class BusyError(ConflictError):
    pass


class AuthenticationError(DomainError):
    def __init__(self, sentence: str, reason: str = "") -> None:
        """`reason` is a word for the log: what kind of mistake, and nothing of a token."""
        super().__init__(sentence)
        self.reason = reason


class ForbiddenError(DomainError):
    def __init__(self, sentence: str, scopes: frozenset[str] = frozenset()) -> None:
        """`scopes` are those that would do."""
        super().__init__(sentence)
        self.scopes = scopes


class UnavailableError(DomainError):
    pass


class SchemaMismatchError(UnavailableError):
    pass


class MaintenanceError(UnavailableError):
    def __init__(self, window: Window | None) -> None:
        """None where the window ended, or its beginning was not seen, in this moment."""
        super().__init__((window and window.message) or "The service is under maintenance.")
        self.window = window
