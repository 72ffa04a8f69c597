"""The record of a request for logs and metrics. Callers can choose only the id in it."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from flask import Request

from chassis.core.request_scope import RequestScope
from chassis.http.flow.pipeline import Maker, Step

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER = "other"


class RequestRecord(NamedTuple):
    request_id: str | None
    method: str
    route: str | None  # None where nothing matched.
    status: int
    seconds: float
    subject: str | None


Observer = Callable[[RequestRecord], None]


def record_requests(*observers: Observer) -> Maker:
    """Give the record of every request to each observer, after the response was made."""

    def record(request: Request, scope: RequestScope) -> None:
        rule, method = request.url_rule, request.method
        entry = RequestRecord(
            scope.request_id,
            method if method in METHODS else OTHER,
            rule.rule if rule else None,
            scope.status,
            perf_counter() - scope.started,
            scope.principal.subject if scope.principal else None,
        )
        for observe in observers:
            observe(entry)

    return lambda _route: Step(end=record)
