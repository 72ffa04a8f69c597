from marshmallow import validate

from chassis.http.access.policies import principal
from chassis.http.input.parser import ListArguments
from chassis.schemas import fields
from src.domain.constants import PAGE_LIMIT


class PageArguments(ListArguments):
    """Of a list. It may declare a `sort`; each of its other fields is a filter."""

    limit = fields.Integer(load_default=20, validate=validate.Range(1, PAGE_LIMIT))
    cursor = fields.Cursor(metadata={"description": "`next` of a page."})


def subject() -> str:
    """Who asks, in an operation that requires a scope."""
    return principal().subject


def scopes() -> frozenset[str]:
    """What the caller may do, in an operation that requires a scope."""
    return principal().scopes
