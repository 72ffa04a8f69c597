"""What a verified token says, in the types that the RFCs give it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chassis.core.authentication import Principal
from chassis.core.errors import AuthenticationError

Claims = Mapping[str, Any]


class Validity(NamedTuple):
    """Unix times; of `nbf` and `iat` the later one."""

    not_before: float
    expires_at: float


def refusal(reason: str) -> AuthenticationError:
    """`reason` is for the log. Whoever sent the token is not told."""
    return AuthenticationError("The token is not valid here.", reason=reason)


def validity(claims: Claims) -> Validity:
    """Raise AuthenticationError where a time is no number (NumericDate of RFC 7519, section 2)."""
    begins = [_moment(claims[name]) for name in ("nbf", "iat") if name in claims]
    return Validity(max(begins, default=-math.inf), _moment(claims["exp"]))


def principal(claims: Claims, scope_claims: Sequence[str]) -> Principal:
    """Raise AuthenticationError if `sub` is no text that can be stored, or the scopes no words."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject or not _is_clean(subject):
        raise refusal("subject")
    return Principal(subject, frozenset(_scopes(claims, scope_claims)))


def require_audience(claims: Claims, claim: str, audience: str) -> None:
    """Of issuers that have another claim in the place of `aud`."""
    value = claims[claim]
    if audience not in (value if isinstance(value, list) else [value]):
        raise refusal("audience")


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refusal("a time that is none")
    return value


def _is_clean(text: str) -> bool:
    """No control character, and no half of a surrogate pair: neither can be stored everywhere."""
    return not any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text)


def _scopes(claims: Claims, names: Sequence[str]) -> list[str]:
    """Of the first of these claims that holds any: a text of words, or a list of them.

    Only a space is between words (RFC 6749, section 3.3).
    """
    for name in names:
        value = _value(claims, name)
        words = value.split(" ") if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise refusal("scopes")
        if found := [word for word in words if word]:
            return found
    return []


def _value(claims: Claims, name: str) -> Any:
    """`realm_access.roles` leads into an object, unless a claim has just that name."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return []
        value = value[part]
    return value
