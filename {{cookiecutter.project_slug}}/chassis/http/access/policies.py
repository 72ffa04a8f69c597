"""The access policy of each operation. An operation without one stops the start."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import structlog
from flask import Flask, Request

from chassis.core.authentication import Authenticator, Principal
from chassis.core.errors import (
    AuthenticationError,
    CodeError,
    DomainError,
    ForbiddenError,
    UnavailableError,
)
from chassis.core.request_scope import RequestScope, current_scope
from chassis.http.flow.pipeline import Maker, Route, Step
from chassis.http.flow.view_functions import view_of

View = TypeVar("View", bound=Callable[..., Any])
Policy = frozenset[str] | None  # None for a public operation, else the scopes that a token needs.


class AnyOf(frozenset[str]):
    """Scopes of which a token needs one."""


_log = structlog.get_logger(__name__)


class UndeclaredAccessError(CodeError):
    """An operation has no access policy."""


def public(view: View) -> View:
    """Let everybody call the operation."""
    view.access_policy = None  # type: ignore[attr-defined]
    return view


def requires(*scopes: str) -> Callable[[View], View]:
    """Let callers whose token has each of these scopes call the operation."""

    def declare(view: View) -> View:
        view.access_policy = frozenset(scopes)  # type: ignore[attr-defined]
        return view

    return declare


def requires_any(*scopes: str) -> Callable[[View], View]:
    """Let callers whose token has at least one of these scopes call the operation."""

    def declare(view: View) -> View:
        view.access_policy = AnyOf(scopes)  # type: ignore[attr-defined]
        return view

    return declare


def identify_callers(authenticator: Authenticator) -> Maker:
    """Find the caller's principal. An invalid token is rejected later, if the operation needs one.

    The request scope then has a principal, or the error, or neither where no token was sent.
    """

    def step(route: Route) -> Step:
        patient = _policy(route) is not None

        def identify(request: Request, scope: RequestScope) -> None:
            if sent := request.environ.get("HTTP_AUTHORIZATION"):
                try:
                    token = _bearer_token(sent)
                    scope.principal = authenticator.authenticate(token, patient=patient)
                except AuthenticationError as error:
                    _log.info("A token is rejected.", refusal=error.reason)
                    scope.refusal = error
                except DomainError as error:
                    scope.refusal = error
                except Exception:
                    _log.exception("The caller's token cannot be checked.")
                    scope.refusal = UnavailableError("The token cannot be checked at the moment.")

        return Step(before=identify)

    return step


def reject_strangers(route: Route) -> Step | None:
    scopes = _policy(route)
    if scopes is None:
        return None

    def reject(_request: Request, scope: RequestScope) -> None:
        if scope.refusal:
            raise scope.refusal
        missing = scopes - _principal_of(scope).scopes
        if isinstance(scopes, AnyOf):
            if missing == scopes:
                raise ForbiddenError(f"The token lacks {_named(missing, 'or')}.", scopes=scopes)
        elif missing:
            raise ForbiddenError(f"The token lacks {_named(missing)}.", scopes=scopes)

    return Step(before=reject)


def principal() -> Principal:
    """The caller, in an operation that requires a scope."""
    return _principal_of(current_scope())


def _principal_of(scope: RequestScope) -> Principal:
    if scope.principal is None:
        raise AuthenticationError("A bearer token is needed.")
    return scope.principal


def require_policies(app: Flask) -> None:
    """Raise UndeclaredAccessError with every operation that has no access policy."""
    silent = [
        f"{method} {rule} ({endpoint})"
        for endpoint, method, rule, view in operations(app)
        if not hasattr(view, "access_policy")
    ]
    if silent:
        raise UndeclaredAccessError(
            f"These operations have no access policy: {', '.join(silent)}. Put @blueprint.public "
            'or @blueprint.requires("resource:action") on each.'
        )


def scopes_of(app: Flask) -> list[str]:
    """Every scope that an operation needs."""
    needed = [_declared(view) for _, _, _, view in operations(app)]
    return sorted(frozenset().union(*(scopes for scopes in needed if scopes)))


def operations(app: Flask) -> Iterator[tuple[str, str, str, Any]]:
    """Endpoint, method, path and function of each operation."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule.endpoint, method, rule.rule, view_of(app, rule.endpoint, method)


def _policy(route: Route) -> Policy:
    return _declared(route.view) if route.is_operation else None


def _declared(view: Any) -> Policy:
    policy: Policy = view.access_policy
    return policy


def _bearer_token(authorization: str) -> str:
    """The token in the header's value (RFC 6750, section 2.1)."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationError(
            "The header Authorization has to have the form: Bearer <token>.",
            reason="no bearer token",
        )
    return token.strip()


def _named(scopes: frozenset[str], word: str = "and") -> str:
    return f"the scope{'s' if len(scopes) > 1 else ''} {f' {word} '.join(sorted(scopes))}"
