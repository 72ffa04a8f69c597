"""The types of fields: their annotation in the entity, and values that tests and seeds take.

Column and field of a schema follow from the annotation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from chassis.core.limits import BIG_INTEGER_MAX, BIG_INTEGER_MIN, INTEGER_MAX, INTEGER_MIN
from chassis.development.generate.refusal import Refusal

LONGEST_STR, LONGEST_TEXT, LONGEST_JSON, MOST_ITEMS = 10_000, 100_000, 100_000, 1_000
# An index entry of PostgreSQL holds 2,704 bytes, and a character has up to four.
LONGEST_INDEXED = 650
MOST_DIGITS = 28  # What Python's decimal computes with.
LEAST_VALUES = 2
VALUE = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`values` are two examples in Python, `json` the same in JSON.

    The rule of the type refuses `bad_value` (in Python) and each of `broken` (in JSON). `default`
    turns what was written into Python.
    """

    type: str
    annotation: str
    values: tuple[str, str]
    json: tuple[str, str]
    broken: tuple[str, ...]
    bad_value: str
    default: Callable[[str], str]
    indexed: bool = True
    ordered: bool = False  # Filters are bounds.
    members: tuple[str, ...] = ()  # Of an enumeration.
    target: str = ""  # Of a reference.
    on_delete: str = ""


def _text(arguments: list[str], usual: int, most: int, name: str) -> Kind:
    length = _whole(arguments.pop(0), name) if _is_whole(arguments) else usual
    if not 1 <= length <= most:
        raise Refusal(f"{name}: the longest text has 1 to {most} characters, not {length}.")
    samples = (_quoted("ab"[:length]), _quoted("cd"[:length]))

    def default(text: str) -> str:
        if not 1 <= len(text) <= length or not (text.isascii() and text.isprintable()):
            raise Refusal(f"{name}: the default {text!r} is no text of 1 to {length} characters.")
        return _quoted(text)

    return Kind(
        type="str",
        annotation=f"Annotated[str, Text({length})]",
        values=samples,
        json=samples,
        broken=('""', f'"x" * {length + 1}', "1"),
        bad_value='""',
        default=default,
        indexed=length <= LONGEST_INDEXED,
    )


def _str(arguments: list[str], name: str) -> Kind:
    return _text(arguments, 200, LONGEST_STR, name)


def _long_text(arguments: list[str], name: str) -> Kind:
    return _text(arguments, LONGEST_STR, LONGEST_TEXT, name)


def _email(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        raise Refusal(f"{name}: the address {text!r} would be everybody's. Leave the default out.")

    return Kind(
        type="email",
        annotation="Annotated[str, Email()]",
        values=('"a@example.org"', '"b@example.org"'),
        json=('"a@example.org"', '"b@example.org"'),
        broken=('"a"', '""', "1"),
        bad_value='"a"',
        default=default,
    )


def _url(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+([/?#][!-~]*)?", text):
            raise Refusal(f"{name}: the default {text!r} is no URL as https://example.org/a.")
        return _quoted(text)

    return Kind(
        type="url",
        annotation="Annotated[str, Url()]",
        values=('"https://example.org/a"', '"https://example.org/b"'),
        json=('"https://example.org/a"', '"https://example.org/b"'),
        broken=('"ftp://example.org"', '""', "1"),
        bad_value='"ftp://example.org"',
        default=default,
        indexed=False,  # It may have 2,000 characters.
    )


def _int(arguments: list[str], name: str) -> Kind:
    return _integer(arguments, name, INTEGER_MIN, INTEGER_MAX, "int")


def _bigint(arguments: list[str], name: str) -> Kind:
    return _integer(
        arguments,
        name,
        BIG_INTEGER_MIN,
        BIG_INTEGER_MAX,
        "Annotated[int, Integer(-(2**63), 2**63 - 1)]",
    )


def _integer(arguments: list[str], name: str, least: int, most: int, unbounded: str) -> Kind:
    is_bounded = bool(arguments) and ".." in arguments[0]
    low, high = _range(arguments.pop(0), name, least, most) if is_bounded else (least, most)
    first = min(max(low, 1), high - 1)

    def default(text: str) -> str:
        if not low <= _whole(text, name) <= high:
            raise Refusal(f"{name}: the default {text} is not within {low}..{high}.")
        return str(int(text))

    return Kind(
        type="int",
        annotation=f"Annotated[int, Integer({low}, {high})]" if is_bounded else unbounded,
        values=(str(first), str(first + 1)),
        json=(str(first), str(first + 1)),
        broken=(str(low - 1), str(high + 1), '"1"', "1.5"),
        bad_value=str(high + 1),
        default=default,
        ordered=True,
    )


def _decimal(arguments: list[str], name: str) -> Kind:
    text = arguments.pop(0) if arguments and arguments[0][:1].isdigit() else "12.2"
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text, re.ASCII)
    digits, places = (int(part) for part in found.groups()) if found else (0, 0)
    if not found or not 1 <= digits <= MOST_DIGITS or not places < digits:
        raise Refusal(
            f"{name}: write decimal:12.2 for 12 digits, 2 of them after the point; "
            f"of up to {MOST_DIGITS}, one at least before the point."
        )
    samples = (f"{1:.{places}f}", f"{2:.{places}f}")

    def default(text: str) -> str:
        fraction = rf"(\.\d{{1,{places}}})?" if places else ""
        if not re.fullmatch(rf"-?\d{{1,{digits - places}}}{fraction}", text, re.ASCII):
            raise Refusal(f"{name}: the default {text!r} is no decimal of {digits}.{places}.")
        return f'Decimal("{Decimal(text):.{places}f}")'

    return Kind(
        type="decimal",
        annotation=f"Annotated[Decimal, Number({digits}, {places})]",
        values=(f'Decimal("{samples[0]}")', f'Decimal("{samples[1]}")'),
        json=(_quoted(samples[0]), _quoted(samples[1])),
        broken=("1", '"x"', f'"1{"0" * (digits - places)}"'),
        bad_value=f"Decimal(10) ** {digits - places}",
        default=default,
        ordered=True,
    )


def _bool(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        if text not in {"true", "false"}:
            raise Refusal(f"{name}: the default of a bool is true or false, not {text!r}.")
        return text.title()

    return Kind(
        type="bool",
        annotation="bool",
        values=("True", "False"),
        json=("True", "False"),
        broken=("1", '"true"'),
        bad_value="1",
        default=default,
    )


def _date(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise Refusal(f"{name}: the default {text!r} is no date as 2026-01-31.") from error
        return f"date({day.year}, {day.month}, {day.day})"

    return Kind(
        type="date",
        annotation="date",
        values=("date(2026, 1, 31)", "date(2026, 2, 1)"),
        json=('"2026-01-31"', '"2026-02-01"'),
        broken=('"2026-02-30"', '"31.1.2026"', "1"),
        bad_value='"2026-01-31"',
        default=default,
        ordered=True,
    )


def _datetime(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        raise Refusal(f"{name}: the same moment {text!r} for all is no default. Make it optional.")

    return Kind(
        type="datetime",
        annotation="datetime",
        values=("datetime(2026, 1, 31, 12, tzinfo=UTC)", "datetime(2026, 2, 1, 12, tzinfo=UTC)"),
        json=('"2026-01-31T12:00:00+00:00"', '"2026-02-01T12:00:00+00:00"'),
        broken=('"2026-01-31T12:00:00"', '"2026-01-31"', "1"),
        bad_value='"2026-01-31"',
        default=default,
        ordered=True,
    )


def _time(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        try:
            moment = time.fromisoformat(text if re.fullmatch(r"\d\d:\d\d", text) else "")
        except ValueError as error:
            raise Refusal(f"{name}: the default {text!r} is no time as 09:30.") from error
        return f"time({moment.hour}, {moment.minute})"

    return Kind(
        type="time",
        annotation="time",
        values=("time(9, 30)", "time(10, 30)"),
        json=('"09:30:00"', '"10:30:00"'),
        broken=('"25:00:00"', '"x"', "1"),
        bad_value='"09:30"',
        default=default,
        ordered=True,
    )


def _uuid(arguments: list[str], name: str) -> Kind:
    del arguments
    first, second = (f"{digit}2345678-9abc-4def-8123-456789abcdef" for digit in "12")

    def default(text: str) -> str:
        raise Refusal(f"{name}: the same UUID {text!r} for all is no default. Make it optional.")

    return Kind(
        type="uuid",
        annotation="UUID",
        values=(f'UUID("{first}")', f'UUID("{second}")'),
        json=(_quoted(first), _quoted(second)),
        broken=('"x"', "1"),
        bad_value='"x"',
        default=default,
    )


def _enum(arguments: list[str], name: str) -> Kind:
    """`{E}` stands for the enumeration's name."""
    values = arguments.pop(0).split(",") if arguments else []
    members = tuple(map(member, values))
    is_good = len(values) >= LEAST_VALUES and all(map(VALUE.fullmatch, values))
    if not is_good or len(set(members)) < len(members):
        raise Refusal(f"{name}: name two or more different values: {name}:enum:draft,sent,paid.")

    def default(text: str) -> str:
        if text not in values:
            raise Refusal(f"{name}: the default {text!r} is none of {', '.join(values)}.")
        return f"{{E}}.{member(text)}"

    return Kind(
        type="enum",
        annotation="{E}",
        values=(f"{{E}}.{members[0]}", f"{{E}}.{members[1]}"),
        json=(_quoted(values[0]), _quoted(values[1])),
        broken=('"?"', '""', "1"),
        bad_value='"?"',
        default=default,
        members=tuple(values),
    )


def member(value: str) -> str:
    return value.upper().replace("-", "_")


def _json(arguments: list[str], name: str) -> Kind:
    size = _whole(arguments.pop(0), name) if _is_whole(arguments) else LONGEST_STR
    if not LEAST_VALUES <= size <= LONGEST_JSON:
        raise Refusal(f"{name}: a JSON object has up to {LONGEST_JSON} bytes, not {size}.")

    def default(text: str) -> str:
        raise Refusal(f"{name}: a JSON object has no default here; {text!r} is left to the caller.")

    return Kind(
        type="json",
        annotation=f"Annotated[dict[str, Any], JsonObject(max_bytes={size})]",
        values=('{"a": 1}', '{"b": 2}') if size > len('{"a": 1}') else ("{}", "{}"),
        json=('{"a": 1}', '{"b": 2}') if size > len('{"a": 1}') else ("{}", "{}"),
        broken=("[]", '"x"', "1"),
        bad_value="[]",
        default=default,
        indexed=False,
    )


def _array(arguments: list[str], name: str) -> Kind:
    of = arguments.pop(0) if arguments else ""
    items = _whole(arguments.pop(0), name) if _is_whole(arguments) else 20
    kinds = {"str": ("str", "Text(200)", '"ab"', '"cd"'), "int": ("int", "Integer()", "1", "2")}
    if of not in kinds or not 1 <= items <= MOST_ITEMS:
        raise Refusal(f"{name}: write {name}:array:str:20 or :int:20, of 1 to {MOST_ITEMS} items.")
    python, rule, first, second = kinds[of]

    def default(text: str) -> str:
        raise Refusal(f"{name}: an array has no default; {text!r} is left to the caller.")

    return Kind(
        type="array",
        annotation=f"Annotated[list[{python}], Items({rule}, {items})]",
        values=(f"[{first}]", f"[{second}]"),
        json=(f"[{first}]", f"[{second}]"),
        broken=('"x"', "1", "[None]"),
        bad_value='"x"',
        default=default,
        indexed=False,
    )


def _ref(arguments: list[str], name: str) -> Kind:
    if not arguments:
        raise Refusal(f"{name}: name what it refers to, as in {name}:ref:Customer:restrict.")
    target = arguments.pop(0)
    chosen = [word for word in ("restrict", "cascade", "set_null") if word in arguments]
    if len(chosen) > 1:
        raise Refusal(f"{name}: {' and '.join(chosen)} at once. Keep one.")
    if chosen:
        arguments.remove(chosen[0])

    def default(text: str) -> str:
        raise Refusal(f"{name}: a reference has no default; {text!r} is no row of {target}.")

    return Kind(
        type="ref",
        annotation="UUID",
        values=("uuid7()", "uuid7()"),
        json=("", ""),
        broken=('"x"', "1"),
        bad_value='"x"',
        default=default,
        target=target,
        on_delete=(chosen or ["restrict"])[0],
    )


KINDS: dict[str, Callable[[list[str], str], Kind]] = {
    "str": _str,
    "text": _long_text,
    "int": _int,
    "bigint": _bigint,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "uuid": _uuid,
    "email": _email,
    "url": _url,
    "enum": _enum,
    "json": _json,
    "array": _array,
    "ref": _ref,
}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_whole(arguments: list[str]) -> bool:
    return bool(arguments) and arguments[0].isdecimal()


def _whole(text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        raise Refusal(f"{name}: {text!r} is no whole number.")
    return int(text)


def _range(text: str, name: str, least: int, most: int) -> tuple[int, int]:
    low, _, high = text.partition("..")
    ends = _whole(low, name), _whole(high, name)
    if not least <= ends[0] < ends[1] <= most:
        raise Refusal(f"{name}: {text!r} is no range within {least}..{most}: write int:1..500.")
    return ends
