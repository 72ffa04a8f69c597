"""Read by schemathesis: an opaque cursor cannot be made up, so those of real pages are taken."""

import json
import os
from functools import cache
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import schemathesis  # type: ignore[import-not-found]
from hypothesis import strategies  # type: ignore[import-not-found]

SERVICE = os.environ["SERVICE_URL"]


def get(path: str, **query: Any) -> Any:
    url = f"{SERVICE}{path}?{urlencode(query)}"
    headers = {"Authorization": f"Bearer {os.environ['SERVICE_TOKEN']}"}
    with urlopen(Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


@cache
def cursors() -> list[str]:
    """The ends of the first pages of each list that lies below no other resource."""
    paths = get("/openapi.json")["paths"]
    lists = [path for path, item in paths.items() if takes_cursor(item.get("get", {}))]
    pages = (get(path, limit=n) for path in lists if "{" not in path for n in (1, 2, 3))
    return [page["next"] for page in pages if page["next"]]


def takes_cursor(operation: Any) -> bool:
    return any(parameter.get("name") == "cursor" for parameter in operation.get("parameters", []))


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_context: Any, case: Any, _arguments: Any) -> None:
    """What is valid by itself and not together with what came before is made valid."""
    query, headers = is_valid(case, "query"), is_valid(case, "header")
    if query and case.query.get("cursor") in cursors():
        # A cursor belongs to the sort and the filters of its list: here, to none.
        case.query = {name: case.query[name] for name in case.query if name in {"cursor", "limit"}}
    if headers and "Idempotency-Key" in case.headers:
        # A key belongs to the first request that it came with.
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}.{uuid4()}"


def is_valid(case: Any, location: str) -> bool:
    found = case.meta and case.meta.components.get(location)
    return bool(found and found.mode.is_positive)


# It makes no header of a pattern with a quotation mark by itself.
schemathesis.openapi.format(
    "entity-tags",
    strategies.from_regex(r'\A(\*|(W/)?"[!#-~]{0,20}"(, (W/)?"[!#-~]{0,20}"){0,2}|"[1-9]")\Z'),
)
schemathesis.openapi.format(
    "cursor", strategies.deferred(lambda: strategies.sampled_from(cursors()))
)
