"""Finds the changes of an OpenAPI document that break clients of the earlier one.

A changed bound breaks a client only where it narrows a request. In a response, a bound promises
nothing: clients read back the values that they sent, so a wider request widens the response, too.
Types, formats and the values of an enum do count in responses, because clients decide by them.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from chassis.core.rules import EMAIL_FORM
from chassis.http.flow.idempotency import KEY
from chassis.openapi.document import operations, parameters_of, resolve
from chassis.schemas.fields import decimal_room
from chassis.schemas.sort import sort_names

Json = dict[str, Any]

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
MAXIMA = (
    *("maximum", "exclusiveMaximum", "maxLength", "maxItems"),
    *("x-maximum", "x-maximum-bytes", "x-maximum-depth"),
)
MINIMA = ("minimum", "exclusiveMinimum", "minLength", "minItems", "x-minimum")
OTHER_RULES = ("pattern", "multipleOf", "uniqueItems")
# Maps patterns of earlier versions to the present ones. The earlier ones accepted two
# Idempotency-Key lines as one key with a comma, and e-mail addresses that no server can have.
REFUSED_SINCE = {
    "^[!-~]{1,255}$": f"^{KEY.pattern}$",
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$": f"^{EMAIL_FORM}$",
}
UNLIMITED = (("minLength", 0), ("minItems", 0), ("uniqueItems", False))
ALTERNATIVES = ("anyOf", "oneOf", "allOf", "$ref")  # $ref where a schema contains itself.


def breaking_changes(was: Json, now: Json, today: date) -> list[str]:
    """A line for each breaking change. Removing an operation after its sunset is none."""
    was, now = {"paths": _inlined(was, was["paths"])}, {"paths": _inlined(now, now["paths"])}
    newer = {(path, method): operation for path, method, operation in operations(now)}
    changes: list[str] = []
    for path, method, older in operations(was):
        name = f"{method.upper()} {path}"
        if (path, method) in newer:
            parameters = [_parameters(document, path, method) for document in (was, now)]
            changes += _operation(name, older, newer[path, method])
            changes += _compare_parameters(name, *parameters)
        elif older.get("x-sunset", "never") > today.isoformat():
            changes.append(f"{name}: it is gone")
    return changes


def _inlined(document: Json, node: Any, within: tuple[str, ...] = ()) -> Any:
    if isinstance(node, list):
        return [_inlined(document, item, within) for item in node]
    if not isinstance(node, dict):
        return node
    if (reference := node.get("$ref")) in within:
        return node
    if reference:
        node = resolve(document, node) | {key: node[key] for key in node.keys() - {"$ref"}}
        within = (*within, reference)
    return {key: _inlined(document, value, within) for key, value in node.items()}


def _operation(name: str, was: Json, now: Json) -> Iterator[str]:
    if was.get("operationId") != now.get("operationId"):
        yield f"{name}: operationId is {now.get('operationId')}, not {was.get('operationId')}"
    if now.get("security") and now["security"] != was.get("security"):
        yield f"{name}: it needs another authentication"
    before, after = was.get("requestBody", {}), now.get("requestBody", {})
    if after.get("required") and not before.get("required"):
        yield f"{name}: a body is required now"
    yield from _contents(f"{name} takes", before, after, sent=True)
    for status, answer in was["responses"].items():
        place = f"{name} {status}"
        if status in now["responses"]:
            newer = now["responses"][status]
            for header in sorted(
                answer.get("headers", {}).keys() - newer.get("headers", {}).keys()
            ):
                yield f"{place}: the header {header} is gone"
            yield from _contents(place, answer, newer, sent=False)
        elif status < "400":
            yield f"{place}: the status is gone"


def _parameters(document: Json, path: str, method: str) -> dict[str, Json]:
    every = parameters_of(document, path, document["paths"][path][method])
    return {f"{one['in']} parameter {one['name']}": one for one in every}


def _compare_parameters(name: str, was: dict[str, Json], now: dict[str, Json]) -> Iterator[str]:
    for key in sorted(was.keys() - now.keys()):
        yield f"{name}: the {key} is gone"
    for key, parameter in now.items():
        if parameter.get("required") and not was.get(key, {}).get("required"):
            yield f"{name}: the {key} is required now"
        if key in was:
            yield from _schema(
                f"{name}: the {key}", was[key]["schema"], parameter["schema"], sent=True
            )


def _contents(place: str, was: Json, now: Json, *, sent: bool) -> Iterator[str]:
    newer = now.get("content", {})
    for kind, content in was.get("content", {}).items():
        if kind in newer:
            yield from _schema(place, content["schema"], newer[kind]["schema"], sent=sent)
        else:
            yield f"{place}: {kind} is gone"


def _schema(place: str, was: Json, now: Json, *, sent: bool) -> Iterator[str]:
    """Compare schemas. With `sent`, clients send the value; else they receive it."""
    was, now = _simple(was), _simple(now)
    if any(was.get(key) != now.get(key) for key in ALTERNATIVES):
        yield f"{place}: its anyOf, oneOf, allOf or $ref differs"
        return
    yield from _values(place, was, now, sent=sent)
    if sent:
        yield from _limits(place, was, now)
        if now.get("additionalProperties") is False is not was.get("additionalProperties"):
            yield f"{place}: unknown fields are refused now"
    before, after = was.get("properties", {}), now.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield f"{place}/{name}: it is gone"
    needed, promised = set(now.get("required", [])), set(was.get("required", []))
    sentence = "it is required now" if sent else "it may be missing"
    for name in sorted(needed - promised) if sent else sorted((promised - needed) & after.keys()):
        yield f"{place}/{name}: {sentence}"
    for name in sorted(before.keys() & after.keys()):
        yield from _schema(f"{place}/{name}", before[name], after[name], sent=sent)
    if "items" in was and "items" in now:
        yield from _schema(f"{place}/*", was["items"], now["items"], sent=sent)


def _values(place: str, was: Json, now: Json, *, sent: bool) -> Iterator[str]:
    narrow, wide = (was, now) if sent else (now, was)
    allowed = _types(wide) | ({"integer"} if "number" in _types(wide) else set())
    for lost in sorted(_types(narrow) - allowed):
        yield f"{place}: it {'is no longer' if sent else 'may now be'} {lost}"
    if "enum" in wide and any(value not in wide["enum"] for value in narrow.get("enum", [wide])):
        yield f"{place}: {'fewer values are accepted' if sent else 'it may have other values'}"
    if "format" in wide and wide["format"] != narrow.get("format"):
        yield f"{place}: its format is {now.get('format')}, not {was.get('format')}"


def _types(schema: Json) -> set[str]:
    kind = schema.get("type", TYPES)
    return {kind} if isinstance(kind, str) else set(kind)


def _limits(place: str, was: Json, now: Json) -> Iterator[str]:
    for rule in (*MAXIMA, *MINIMA, *OTHER_RULES):
        old, new = was.get(rule), now.get(rule)
        if new in (old, None) or (rule, new) in UNLIMITED:
            continue
        if old is None or not _widens(rule, old, new):
            yield f"{place}: {rule} is {new}, not {'unlimited' if old is None else old}"


def _widens(rule: str, old: Any, new: Any) -> bool:
    """Whether the new bound accepts all that the old one accepts; False for unknown patterns."""
    if rule == "pattern":
        if REFUSED_SINCE.get(old) == new:
            return True
        room, more_room = decimal_room(old), decimal_room(new)
        if room and more_room:
            return all(more >= some for some, more in zip(room, more_room, strict=True))
        return set() < sort_names(old) <= sort_names(new)
    try:
        old, new = Decimal(str(old)), Decimal(str(new))
    except InvalidOperation:
        old, new = str(old), str(new)  # Times in UTC sort as their texts do.
    if rule == "multipleOf":
        return bool(old % new == 0)
    return bool(new >= old if rule in MAXIMA else new <= old)


def _simple(schema: Json) -> Json:
    """Replace anyOf, oneOf or allOf by its only alternative besides null."""
    for key in ALTERNATIVES[:3]:
        others = [one for one in schema.get(key, []) if one != {"type": "null"}]
        if len(others) == 1:
            nullable = ["null"] if len(schema[key]) > 1 else []
            rest = {name: value for name, value in schema.items() if name != key}
            return {**rest, **others[0], "type": [*sorted(_types(others[0])), *nullable]}
    return schema
