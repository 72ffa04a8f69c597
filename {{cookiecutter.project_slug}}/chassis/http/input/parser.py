"""Parses requests strictly: unknown fields and invalid JSON are rejected."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NoReturn

import marshmallow
from flask import Request
from marshmallow import ValidationError, post_load
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from chassis.core.paging import Comparison, PageQuery
from chassis.http.fast.direct_parser import DirectParser
from chassis.http.input.strict_json import read_json
from chassis.http.output.pages import page_query
from chassis.schemas.base import Schema, listed_in, require_strict
from chassis.schemas.strict import Parameter, StrictField

JSON = "application/json"
BODIES = {"json", "json_or_form", "form", "files"}  # The locations of webargs.
UTF_8 = {"utf-8", "utf8"}  # Clients send utf8, though it is not a registered name.
BROKEN = "The request breaks the rules of this operation."
MOST_ERRORS = 100  # Limits how long a response to a bad body gets.


class InvalidRequestError(Exception):
    """`errors` has an entry for each wrong value, in the form of the problem details."""

    def __init__(
        self, errors: list[dict[str, str]], slug: str = "validation", sentence: str = BROKEN
    ) -> None:
        super().__init__(sentence)
        self.errors = errors[:MOST_ERRORS]
        self.slug = slug


class StrictParser(DirectParser):
    def use_args(
        self, argmap: Any, *args: Any, location: str | None = None, **options: Any
    ) -> Callable[..., Any]:
        schema = argmap() if isinstance(argmap, type) else argmap
        require_strict(schema)
        decorate = super().use_args(schema, *args, location=location, **options)

        def declare(view: Callable[..., Any]) -> Callable[..., Any]:
            decorated: Any = decorate(view)
            if location == "json":
                decorated.body_schema = schema
            if location == "query":
                decorated.query_fields = query_fields(view) | {
                    field.data_key or name: field for name, field in schema.load_fields.items()
                }
            return decorated  # type: ignore[no-any-return]

        return declare

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        del schema
        body = req.get_data()
        if not body:
            raise BadRequest("This operation needs a body.")
        _require_json(req)
        try:
            return read_json(body)
        except ValueError as error:
            raise BadRequest(f"The body cannot be read. {error}") from error

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Only lists may repeat: chassis/http/input/input_gate.py rejects other repetitions."""
        listed = getattr(schema, "listed", None)
        if listed is None:  # A schema of marshmallow itself.
            listed = listed_in(schema)
        return {
            name: [*map(Parameter, values)] if name in listed else Parameter(values[0])
            for name, values in req.args.lists()
        }

    def handle_error(
        self, error: ValidationError, req: Request, schema: marshmallow.Schema, **_: Any
    ) -> NoReturn:
        del req, schema
        [(location, messages)] = error.messages_dict.items()
        errors = list(_entries(location, messages))
        forged = any(entry["code"] == "cursor" for entry in errors)
        raise InvalidRequestError(errors, "invalid-query" if forged else "validation") from error


class ListArguments(Schema):
    """The query of a list: `limit`, `cursor`, perhaps `sort`; other fields are filters."""

    @post_load
    def to_query(self, arguments: dict[str, Any], **_: Any) -> PageQuery:
        return page_query(arguments, self._comparisons)

    @cached_property
    def _comparisons(self) -> dict[str, Comparison]:
        return {
            name: field.comparison or Comparison(name)
            for name, field in self.load_fields.items()
            if isinstance(field, StrictField)
        }


def body_as_read(request: Request) -> bytes | None:
    """The body, or None if it was not read yet."""
    body: bytes | None = getattr(request, "_cached_data", None)
    return body


def query_fields(view: object) -> dict[str, marshmallow.fields.Field[Any]]:
    """The parameters that a view declares, by their names in the query string."""
    fields: dict[str, marshmallow.fields.Field[Any]] = getattr(view, "query_fields", {})
    return fields


def body_keys(view: object) -> dict[str, str]:
    """The names in the JSON body that a view declares, by the names of the loaded values."""
    schema: marshmallow.Schema | None = getattr(view, "body_schema", None)
    fields = {} if schema is None or schema.many else schema.load_fields
    return {field.attribute or name: field.data_key or name for name, field in fields.items()}


def pointer(key: str) -> str:
    """The JSON pointer (RFC 6901) of a name."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def takes_body(view: object) -> bool:
    """Whether the document describes a body; true for a view that it does not describe."""
    about: dict[str, Any] | None = getattr(view, "_apidoc", None)
    if about is None or "requestBody" in about.get("manual_doc", {}):
        return True
    arguments = about.get("arguments", {}).get("parameters", [])
    return any(one["in"] in BODIES for one in arguments)


def _require_json(request: Request) -> None:
    environ = request.environ
    if environ.get("CONTENT_TYPE") == JSON and "HTTP_CONTENT_ENCODING" not in environ:
        return  # The usual spelling; others take longer to check.
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != JSON or charset.lower() not in UTF_8:
        raise UnsupportedMediaType("The body has to be application/json, in UTF-8.")
    refuse_encodings(request)


def refuse_encodings(request: Request) -> None:
    """Raise UnsupportedMediaType for a compressed body."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("The body has to come without a Content-Encoding.")


def _entries(location: str, messages: Any, path: str = "") -> Iterator[dict[str, str]]:
    """An entry for each message, with a JSON pointer (RFC 6901) or a parameter's name."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            below = path if name == "_schema" else path + pointer(str(name))
            yield from _entries(location, nested, below)
    else:
        place = {"pointer": path} if location == "json" else {"parameter": path.lstrip("/")}
        for text in messages:
            # A team's own rule may raise a plain text.
            yield {**place, "detail": str(text), "code": getattr(text, "code", "invalid")}
