"""Hooks for schemathesis: it cannot invent signed cursors, so hooks give it those of real pages."""

import json
import os
from functools import cache
from random import choice
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import schemathesis  # type: ignore[import-not-found]
from hypothesis import strategies  # type: ignore[import-not-found]

SERVICE = os.environ["SERVICE_URL"]
LARGEST = 2**63 - 1


def get(path: str, **query: Any) -> Any:
    url = f"{SERVICE}{path}?{urlencode(query)}"
    headers = {"Authorization": f"Bearer {os.environ['SERVICE_TOKEN']}"}
    with urlopen(Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


@cache
def paths() -> dict[str, Any]:
    described: dict[str, Any] = get("/openapi.json")["paths"]
    return described


@cache
def cursors() -> dict[str, list[str]]:
    """Return the cursors of the first pages of each list that is not nested, by its path."""
    lists = [path for path, item in paths().items() if takes_cursor(item.get("get", {}))]
    pages = {path: [get(path, limit=n) for n in (1, 2, 3)] for path in lists if "{" not in path}
    found = {path: [one["next"] for one in each if one["next"]] for path, each in pages.items()}
    return {path: each for path, each in found.items() if each}


def every_cursor() -> list[str]:
    return [cursor for own in cursors().values() for cursor in own]


def storable(value: Any) -> Any:
    """Replace what the service refuses, and no schema excludes.

    JSON Schema calls 1.0 an integer: a reader would also take 1.00000000000000000001 for 1.0. In a
    JSON object of any form, jsonb stores no NUL, and JSON's readers lose digits of longer numbers.
    """
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        return value
    return max(-LARGEST, min(int(value), LARGEST))


@cache
def references() -> dict[str, str]:
    """The lists that references in bodies lead to, by the names of the references: site_id."""
    lists = {path.rpartition("/")[2]: path for path in paths() if "{" not in path}
    return {f"{name.removesuffix('s')}_id": path for name, path in lists.items()}


def referred(name: str) -> Any:
    """The id of an entity that exists now: an earlier request may have removed any other."""
    items = get(references()[name], limit=1)["items"]
    return items[0]["id"] if items else None


def takes_cursor(operation: Any) -> bool:
    return any(parameter.get("name") == "cursor" for parameter in operation.get("parameters", []))


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_context: Any, case: Any, _arguments: Any) -> None:
    """Change values that are valid alone but not in combination, such as a cursor with a sort."""
    query, headers = is_valid(case, "query"), is_valid(case, "header")
    if query and case.query.get("cursor") in every_cursor():
        # A cursor is valid with the list, the sort and the filters of its page; these had none.
        case.query = {name: case.query[name] for name in case.query if name == "limit"}
        if own := cursors().get(case.operation.path):
            case.query["cursor"] = choice(own)
    if is_valid(case, "body"):
        case.body = storable(case.body)
        if isinstance(case.body, dict):
            case.body |= {name: referred(name) for name in case.body if name in references()}
    if headers and "Idempotency-Key" in case.headers:
        # An Idempotency-Key is valid for the request that first used it.
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}.{uuid4()}"


def is_valid(case: Any, location: str) -> bool:
    found = case.meta and case.meta.components.get(location)
    return bool(found and found.mode.is_positive)


# schemathesis cannot generate a header for a pattern with a quotation mark.
schemathesis.openapi.format(
    "entity-tags",
    strategies.from_regex(r'\A(\*|(W/)?"[!#-~]{0,20}"(, (W/)?"[!#-~]{0,20}"){0,2}|"[1-9]")\Z'),
)
schemathesis.openapi.format(
    "cursor", strategies.deferred(lambda: strategies.sampled_from(every_cursor()))
)
