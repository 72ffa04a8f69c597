"""Deprecated operations: openapi.json and each of their responses announce the removal."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from flask import Request, Response
from flask_smorest import Blueprint
from werkzeug.http import http_date

from chassis.core.request_scope import RequestScope
from chassis.http.flow.pipeline import Route, Step

View = TypeVar("View", bound=Callable[..., Any])


def deprecated(since: date, *, sunset: date | None = None) -> Callable[[View], View]:
    """Mark an operation, below its route, with the days of its deprecation and its removal.

    Every response then has the headers Deprecation (RFC 9745) and Sunset (RFC 8594). From the day
    of the sunset on, the operation may be removed without a new version.

        @blueprint.get("/<uuid:note_id>")
        @deprecated(date(2026, 1, 1), sunset=date(2026, 7, 1))
    """
    headers = {"Deprecation": f"@{_midnight(since).timestamp():.0f}"}
    described: dict[str, Any] = {"deprecated": True}
    if sunset:
        headers["Sunset"] = http_date(_midnight(sunset))
        described["x-sunset"] = sunset.isoformat()

    def mark(view: View) -> View:
        marked: View = Blueprint.doc(**described)(view)
        marked.deprecation = headers  # type: ignore[attr-defined]  # Decorators above keep it.
        return marked

    return mark


def send_deprecation(route: Route) -> Step | None:
    headers: dict[str, str] | None = getattr(route.function, "deprecation", None)
    if headers is None:
        return None

    def send(response: Response, _request: Request, _scope: RequestScope) -> None:
        response.headers.update(headers)

    return Step(after=send)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
