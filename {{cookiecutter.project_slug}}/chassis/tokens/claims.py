"""The claims of a verified token, checked for the types of the RFCs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chassis.core.authentication import Principal
from chassis.core.errors import AuthenticationError

Claims = Mapping[str, Any]


class Validity(NamedTuple):
    """The validity of a token in Unix time; `not_before` is the later of `nbf` and `iat`."""

    not_before: float
    expires_at: float


def refusal(reason: str) -> AuthenticationError:
    """The error for a rejected token; `reason` goes into the log, not into the response."""
    return AuthenticationError("The token is not valid for this service.", reason=reason)


def validity(claims: Claims) -> Validity:
    """Raise AuthenticationError unless the times are numbers (RFC 7519, section 2)."""
    begins = [_moment(claims[name]) for name in ("nbf", "iat") if name in claims]
    return Validity(max(begins, default=-math.inf), _moment(claims["exp"]))


def principal(claims: Claims, scope_claims: Sequence[str]) -> Principal:
    """Raise AuthenticationError unless `sub` can be stored and the scopes are words."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject or not _is_clean(subject):
        raise refusal("subject")
    return Principal(subject, frozenset(_scopes(claims, scope_claims)))


def require_audience(claims: Claims, claim: str, audience: str) -> None:
    """Check the audience in another claim than `aud`, for issuers that use one."""
    value = claims[claim]
    if audience not in (value if isinstance(value, list) else [value]):
        raise refusal("audience")


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refusal("a wrong type of time")
    return value


def _is_clean(text: str) -> bool:
    """Whether a text has neither control characters nor half of a surrogate pair."""
    return not any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text)


def _scopes(claims: Claims, names: Sequence[str]) -> list[str]:
    """The scopes in the first claim that has any: words in a text, or a list.

    Words are separated by spaces (RFC 6749, section 3.3).
    """
    for name in names:
        value = _value(claims, name)
        words = value.split(" ") if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise refusal("scopes")
        if scopes := [word for word in words if word]:
            return scopes
    return []


def _value(claims: Claims, name: str) -> Any:
    """The value of a claim; `realm_access.roles` is a path, unless a claim has that name."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return []
        value = value[part]
    return value
