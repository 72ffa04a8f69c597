"""What can go wrong, in the words of the domain.

DomainError
├── ValidationError      a rule about a value is broken
├── NotFoundError        nothing has that identity
├── ConflictError        the present state forbids it, or another writer was first
│   └── DuplicateError   something else already has that identity or name
└── UnavailableError     what is needed does not answer; the same call may succeed later
"""


class DomainError(Exception):
    """Its text is a sentence that may be shown to whoever asked."""


class ValidationError(DomainError):
    pass


class NotFoundError(DomainError):
    pass


class ConflictError(DomainError):
    pass


class DuplicateError(ConflictError):
    pass


class UnavailableError(DomainError):
    pass
