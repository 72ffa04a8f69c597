"""The blueprint with which controllers register their operations."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import flask_smorest
from flask import Response
from marshmallow import Schema

from chassis.http.access import policies as access
from chassis.http.input import streamed_body
from chassis.http.input.parser import StrictParser
from chassis.http.output.answers import answer, represented
from chassis.schemas.base import require_written
from chassis.schemas.serializer import serializer

View = Callable[..., Any]


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types.
    ARGUMENTS_PARSER = StrictParser()

    def public(self, view: View) -> View:
        """Let everybody call the operation."""
        return access.public(view)

    def requires(self, *scopes: str) -> Callable[[View], View]:
        """Let callers whose token has each of these scopes call the operation."""
        document = self.doc(security=[{"bearer": sorted(scopes)}])

        def declare(view: View) -> View:
            decorated: View = document(access.requires(*scopes)(view))
            return decorated

        return declare

    def requires_any(self, *scopes: str) -> Callable[[View], View]:
        """Let callers whose token has at least one of these scopes call the operation."""
        document = self.doc(security=[{"bearer": [scope]} for scope in sorted(scopes)])

        def declare(view: View) -> View:
            decorated: View = document(access.requires_any(*scopes)(view))
            return decorated

        return declare

    def waits(self, view: View) -> View:
        """Mark an operation that calls another service: it takes no slot of database requests."""
        return streamed_body.waits(view)

    def streams(self, *media_types: str) -> Callable[[View], View]:
        """Mark an operation that reads bodies of these types as a stream (see streamed_body.py)."""
        content = {name: {"schema": {"format": "binary"}} for name in media_types}
        document = self.doc(requestBody={"required": True, "content": content})

        def declare(view: View) -> View:
            decorated: View = document(streamed_body.streams(view))
            return decorated

        return declare

    def response(
        self, status_code: int, schema: type[Schema] | None = None, **options: Any
    ) -> Callable[[View], View]:
        """Make a response of what the view returns: JSON by the schema, with an entity's ETag."""
        made = schema() if schema else None
        require_written(made)
        described: Callable[[View], View] = super().response(status_code, schema, **options)
        serialize = serializer(made) if made else None

        def decorated(view: View) -> View:
            # flask-smorest's wrapper only describes the operation.
            @wraps(described(view))
            def answered(*values: Any, **named: Any) -> Response:
                return answer(view(*values, **named), status_code, serialize)

            if serialize:  # Used by chassis/http/output/etags.py to compare tags.
                answered.represent = partial(represented, serialize=serialize)  # type: ignore[attr-defined]
                answered.output = made  # type: ignore[attr-defined]  # For output_fields.py.
            return answered

        return decorated


class UndocumentedBlueprint(Blueprint):
    """A blueprint whose operations are served, but are not in openapi.json."""

    def register_views_in_doc(self, *_: Any, **__: Any) -> None:
        """Leave the document as it is."""
