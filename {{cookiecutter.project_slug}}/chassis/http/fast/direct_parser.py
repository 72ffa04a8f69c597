"""A parser that loads the usual locations without webargs's preparation."""

from typing import Any

from flask import Request
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from chassis.core.request_scope import current_scope

ENABLED = True  # Tests set False, and webargs does everything.
USUAL = {"unknown": "_default", "validate": None, "error_status_code": None, "error_headers": None}


class DirectParser(FlaskParser):
    def parse(self, argmap: Any, req: Request | None = None, **options: Any) -> Any:
        location: str = options.get("location") or ""
        is_usual = location in {"json", "query"} and options == {"location": location, **USUAL}
        is_own = req is None and self.error_callback is None and isinstance(argmap, Schema)
        if not (ENABLED and is_usual and is_own):
            return super().parse(argmap, req, **options)
        request = current_scope().request
        load = self.load_json if location == "json" else self.load_querystring
        unknown: Any = self.DEFAULT_UNKNOWN_BY_LOCATION[location]
        try:
            sent = load(request, argmap)
            sent = self.pre_load(sent, schema=argmap, req=request, location=location)
            return argmap.load(sent, unknown=unknown)
        except ValidationError as error:
            error.messages = {location: error.messages}
            self.handle_error(error, request, argmap, error_status_code=None, error_headers=None)
