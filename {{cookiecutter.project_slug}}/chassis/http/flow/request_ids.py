import re

from flask import Request, Response

from chassis.core.identity import random_bytes
from chassis.core.request_scope import RequestScope
from chassis.http.fast.prepared_response import set_header
from chassis.http.flow.pipeline import Route, Step

# A caller's id goes unchanged into logs and responses.
REQUEST_ID = re.compile(r"[\w.:-]{1,64}")


def give_request_ids(_route: Route) -> Step:
    """Give each request an id: the caller's if it is valid, else a new one. Responses have it."""
    return Step(before=_give, after=_send)


def _give(request: Request, scope: RequestScope) -> None:
    sent = request.environ.get("HTTP_X_REQUEST_ID", "")
    scope.request_id = sent if REQUEST_ID.fullmatch(sent) else random_bytes().hex()


def _send(response: Response, _request: Request, scope: RequestScope) -> None:
    set_header(response, "X-Request-ID", scope.request_id or "")
