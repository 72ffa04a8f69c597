"""What logs and metrics say of a request: nothing that its caller could choose, but for its id."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from flask import Flask, g

from chassis.http.flow.current_request import present_request

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER = "other"


class Answered(NamedTuple):
    request_id: str | None
    method: str
    route: str | None  # None where nothing matched.
    status: int
    seconds: float
    subject: str | None


def observe_requests(app: Flask, *observers: Callable[[Answered], None]) -> None:
    """Each observer is told of every request, when its answer is made."""

    @app.teardown_request
    def tell(_: BaseException | None) -> None:
        now, known = perf_counter(), vars(g._get_current_object())  # noqa: SLF001
        asked = present_request()
        rule, method = asked.url_rule, asked.method
        answered = Answered(
            known.get("request_id"),
            method if method in METHODS else OTHER,
            rule.rule if rule else None,
            known.get("status", 500),
            now - known.get("started", now),
            getattr(known.get("principal"), "subject", None),
        )
        for observe in observers:
            observe(answered)
