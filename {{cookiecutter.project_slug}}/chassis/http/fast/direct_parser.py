"""A parser that loads the usual locations without webargs's preparation."""

from typing import Any

from flask import Request
from marshmallow import Schema, ValidationError, missing
from webargs.flaskparser import FlaskParser

from chassis.core.request_scope import current_scope

ENABLED = True  # Tests set False, and webargs does everything.
USUAL = {"unknown": "_default", "validate": None, "error_status_code": None, "error_headers": None}


class DirectParser(FlaskParser):
    def parse(self, argmap: Any, req: Request | None = None, **options: Any) -> Any:
        location: str = options.get("location") or ""
        is_usual = location in {"json", "query"} and options == {"location": location, **USUAL}
        is_plain = self.unknown == USUAL["unknown"] and self.error_callback is None
        is_declared = req is None and isinstance(argmap, Schema)
        if not (ENABLED and is_usual and is_plain and is_declared):
            return super().parse(argmap, req, **options)
        request, load = current_scope().request, self.__location_map__[location]
        read: Any = getattr(self, load) if isinstance(load, str) else load
        unknown: Any = self.DEFAULT_UNKNOWN_BY_LOCATION[location]
        try:
            sent = read(request, argmap)
            sent = {} if sent is missing else sent
            sent = self.pre_load(sent, schema=argmap, req=request, location=location)
            return argmap.load(sent, unknown=unknown) if unknown else argmap.load(sent)
        except ValidationError as error:
            error.messages = {location: error.messages}
            self.handle_error(error, request, argmap, error_status_code=None, error_headers=None)
            raise ValueError("The parser's handle_error has to raise an error.") from error
