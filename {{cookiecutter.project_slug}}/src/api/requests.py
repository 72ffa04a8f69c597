"""How requests are read. Controllers take their `Blueprint` from here."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import flask_smorest
from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from src.api.schemas.fields import Cursor
from src.domain.constants import PAGE_LIMIT


class InvalidRequestError(Exception):
    """`errors` has one entry a broken value, as problem details carry them."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("The request breaks the rules of this operation.")
        self.errors = errors


class StrictParser(FlaskParser):
    """Refuses what an operation does not declare, in the query string as in the body."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
    }

    def load_json(self, req: Request, schema: Schema) -> Any:
        if not req.is_json:
            raise UnsupportedMediaType("The body has to be application/json.")
        try:
            return super().load_json(req, schema)
        except (RecursionError, ValueError) as error:  # Nested, or a number, beyond measure.
            raise BadRequest("The body is not JSON that can be read.") from error

    def handle_error(
        self, error: ValidationError, req: Request, schema: Schema, **_: Any
    ) -> NoReturn:
        del req, schema
        [(location, messages)] = error.messages_dict.items()
        raise InvalidRequestError(list(_entries(location, messages))) from error


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types.
    ARGUMENTS_PARSER = StrictParser()


class PageArguments(Schema):
    limit = fields.Integer(load_default=20, validate=validate.Range(1, PAGE_LIMIT))
    after = Cursor(
        load_default=None, data_key="cursor", metadata={"description": "`next` of a page."}
    )


def _entries(location: str, messages: Any, path: str = "") -> Iterator[dict[str, str]]:
    """One entry a message: a JSON pointer (RFC 6901) into the body, else a parameter's name."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            key = str(name).replace("~", "~0").replace("/", "~1")
            yield from _entries(location, nested, path if name == "_schema" else f"{path}/{key}")
    else:
        place = {"pointer": path} if location == "json" else {"parameter": path.lstrip("/")}
        for text in messages:
            yield {**place, "detail": text}
