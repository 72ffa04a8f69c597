"""JSON by RFC 8259. `json.loads` accepts more, and drops repeated names silently."""

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 64
LONGEST_INTEGER = 1000
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_json(body: bytes) -> Any:
    """Read one JSON text in UTF-8. Raise ValueError, with a sentence for the caller."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ValueError("The text is not UTF-8.") from error
    _require_shallow(text)
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"The text is not JSON at {place}.") from error


def _require_shallow(text: str) -> None:
    """Check the nesting before decoding: the decoder's own limit depends on Python's version."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for token in STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise ValueError(f"The text is nested more than {DEEPEST} levels deep.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("An object has a name twice.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("A number is too large to be read.")
    return number


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError("A number is too large to be read.")
    return int(digits)


# Made once, because json.loads would make one for each call.
_decode = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_refuse_constant,
    parse_float=_float,
    parse_int=_integer,
).decode
