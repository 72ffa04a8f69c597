from marshmallow import validate

from chassis.http.access.policies import principal
from chassis.http.input.parser import ListArguments
from chassis.schemas import fields
from src.domain.constants import PAGE_LIMIT


class PageArguments(ListArguments):
    """The query string of a list. A subclass may add a `sort`; its other fields are filters."""

    limit = fields.Integer(load_default=20, validate=validate.Range(1, PAGE_LIMIT))
    cursor = fields.Cursor(metadata={"description": "`next` of a page."})


def subject() -> str:
    """The subject of the caller's token, in an operation that requires a scope."""
    return principal().subject


def scopes() -> frozenset[str]:
    """The scopes of the caller's token, in an operation that requires a scope."""
    return principal().scopes
