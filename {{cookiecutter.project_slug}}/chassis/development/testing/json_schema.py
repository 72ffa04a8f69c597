"""The part of JSON Schema that openapi.json uses: validation, and examples."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unicodedata import combining, normalize
from uuid import uuid4

from chassis.core.rules import JsonObject
from chassis.openapi.document import resolve

Json = dict[str, Any]

HOUR = r"([01]\d|2[0-3]):[0-5]\d"
FORMS = {
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": rf"\d{{4}}-\d\d-\d\dT{HOUR}:[0-5]\d(\.\d{{1,6}})?(Z|[+-]{HOUR})",
    "uuid": r"[\da-fA-F]{8}(-[\da-fA-F]{4}){3}-[\da-fA-F]{12}",
    "cursor": r"(?!)",  # Only the service makes cursors.
}
NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


def accepts(document: Json, schema: Json, value: Any) -> bool:
    schema = resolve(document, schema)
    if "enum" in schema and value not in schema["enum"]:
        return False
    kind = "null" if value is None else NAMES.get(type(value), "object")
    allowed = _kinds(schema)
    if allowed and kind not in allowed and not (kind == "integer" and "number" in allowed):
        return False
    if kind == "string":
        return _accepts_text(schema, value)
    if kind in {"integer", "number"}:
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if kind == "array":
        few, many = schema.get("minItems", 0), schema.get("maxItems", len(value))
        items = schema.get("items", {})
        return few <= len(value) <= many and all(accepts(document, items, it) for it in value)
    return kind != "object" or _accepts_object(document, schema, value)


def example(document: Json, schema: Json) -> Any:
    """A minimal valid value; no text occurs twice."""
    schema = resolve(document, schema)
    kind = next((kind for kind in _kinds(schema) if kind != "null"), "object")
    if "examples" in schema:
        return schema["examples"][0]
    if kind == "object":
        properties, needed = schema.get("properties", {}), schema.get("required", [])
        return {name: example(document, properties[name]) for name in needed}
    if kind == "array":
        return [example(document, schema["items"])]
    unique, low = uuid4().hex, schema.get("minimum", 1)
    texts = [str(uuid4()), unique, unique[:8], unique[:3], "2026-01-31", "2026-01-31T12:00:00Z"]
    texts += ["12:30:00", f"{unique}@example.org", f"https://example.org/{unique}"]
    decimals = [schema[f"x-{end}imum"] for end in ("min", "max") if f"x-{end}imum" in schema]
    candidates = [*schema.get("enum", ()), *texts, "1", "1.0", *decimals, 1, low, low + 0.5, True]
    for candidate in candidates:
        if accepts(document, schema, candidate):
            return candidate
    raise AssertionError(
        f"There is no example of {schema}: give the field metadata={{'examples': [...]}}."
    )


def _kinds(schema: Json) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _accepts_text(schema: Json, text: str) -> bool:
    if "\0" in text or re.search("[\ud800-\udfff]", text) or _marks(text):
        return False  # The service accepts no text with these characters.
    length = len(normalize("NFC", text))
    form = schema.get("format", "")
    return (
        schema.get("minLength", 0) <= length <= schema.get("maxLength", length)
        and bool(re.search(schema.get("pattern", ""), text))
        and bool(re.fullmatch(FORMS.get(form, "(?s:.*)"), text, re.ASCII))
        and _on_the_calendar(schema, form, text)
    )


def _on_the_calendar(schema: Json, form: str, text: str) -> bool:
    try:
        if form == "date":
            date.fromisoformat(text)
        elif form == "date-time":
            return _within(schema, datetime.fromisoformat(text))
        elif "x-minimum" in schema or "x-maximum" in schema:
            low, high = (Decimal(schema.get(f"x-{end}imum", text)) for end in ("min", "max"))
            return low <= Decimal(text) <= high
    except ValueError:
        return False
    return True


def _within(schema: Json, moment: datetime) -> bool:
    low, high = (datetime.fromisoformat(schema[f"x-{end}imum"]) for end in ("min", "max"))
    return low <= moment <= high


def _marks(text: str) -> bool:
    return "m" * 31 in "".join("m" if combining(character) else " " for character in text)


def _accepts_object(document: Json, schema: Json, value: Json) -> bool:
    if "x-maximum-bytes" in schema:
        return JsonObject(schema["x-maximum-bytes"], schema["x-maximum-depth"]).holds(value)
    properties = schema.get("properties", {})
    if not schema.get("additionalProperties", True) and value.keys() - properties.keys():
        return False
    if set(schema.get("required", ())) - value.keys():
        return False
    declared = value.keys() & properties.keys()
    return all(accepts(document, properties[name], value[name]) for name in declared)
