from typing import Any

from flask import Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST

from chassis.http.flow.blueprint import Blueprint


class Undocumented(Blueprint):
    """Of those who run the service: callers may not rely on it, and nginx hides it from them."""

    def register_views_in_doc(self, *_: Any, **__: Any) -> None:
        pass


blueprint = Undocumented("metrics", __name__, url_prefix="/metrics")


@blueprint.get("")
@blueprint.public
def read_metrics() -> Response:
    return Response(
        current_app.extensions["metrics"].exposition(), content_type=CONTENT_TYPE_LATEST
    )
