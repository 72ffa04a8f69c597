"""The types of fields: how the values of each are written in every ring.

In the texts `{v}` stands for the value, `{P}` for the beginning of the names of its constants.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from chassis.development.generate.refusal import Refusal

# An index entry of PostgreSQL holds 2,704 bytes, and a character has up to four.
LONGEST_INDEXED = 650
WORD = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`values` are two examples in Python, `json` the same in JSON; `broken` no JSON may be."""

    type: str
    python: str
    column: str
    field: str
    options: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    rule: str = ""
    sentence: str = ""
    values: tuple[str, str]
    json: tuple[str, str]
    broken: tuple[str, ...]
    bad_value: str = ""  # In Python, one that breaks the rule.
    check: str = ""  # A condition of the table.
    sorts: bool = True
    indexed: bool = True
    default: Callable[[str], str]
    target: str = ""  # Of a reference.
    on_delete: str = ""


def _text(arguments: list[str], usual: int, most: int, name: str) -> Kind:
    length = _whole(arguments.pop(0), name) if arguments and arguments[0].isdecimal() else usual
    if not 1 <= length <= most:
        raise Refusal(f"{name}: a text has 1 to {most} characters at most, not {length}.")
    samples = (f'"{"ab"[:length]}"', f'"{"cd"[:length]}"')

    def default(text: str) -> str:
        if not 1 <= len(text) <= length or not text.isascii() or not text.isprintable():
            raise Refusal(f"{name}: the default {text!r} is no text of 1 to {length} characters.")
        return _quoted(text)

    return Kind(
        type="str",
        python="str",
        column="String({P}_LENGTH)",
        field="fields.Text",
        options="max_length={P}_LENGTH",
        constants={"{P}_LENGTH": str(length)},
        rule="1 <= len({v}) <= {P}_LENGTH",
        sentence='f"{A} has 1 to {{{P}_LENGTH}} characters."',
        values=samples,
        json=samples,
        broken=('""', f'"x" * {length + 1}', "1"),
        bad_value='""',
        indexed=length <= LONGEST_INDEXED,
        default=default,
    )


def _str(arguments: list[str], name: str) -> Kind:
    return _text(arguments, 200, 10_000, name)


def _long_text(arguments: list[str], name: str) -> Kind:
    return _text(arguments, 10_000, 100_000, name)


def _int(arguments: list[str], name: str) -> Kind:
    return _integer(arguments, name, 32)


def _bigint(arguments: list[str], name: str) -> Kind:
    return _integer(arguments, name, 64)


def _integer(arguments: list[str], name: str, bits: int) -> Kind:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    is_bounded = bool(arguments) and ".." in arguments[0]
    low, high = _range(arguments.pop(0), name, least, most) if is_bounded else (least, most)
    start = low if low > 1 or high < 2 else 1
    samples = (str(start), str(min(start + 1, high)))
    options = "minimum={P}_MIN, maximum={P}_MAX"
    if not is_bounded:
        options = "minimum=BIG_INTEGER_MIN, maximum=BIG_INTEGER_MAX" if bits == 64 else ""

    def default(text: str) -> str:
        if not low <= _whole(text, name) <= high:
            raise Refusal(f"{name}: the default {text} is not within {low}..{high}.")
        return str(int(text))

    return Kind(
        type="int",
        python="int",
        column="BigInteger" if bits == 64 else "Integer",
        field="fields.Integer",
        options=options,
        constants={"{P}_MIN": str(low), "{P}_MAX": str(high)} if is_bounded else {},
        rule="{P}_MIN <= {v} <= {P}_MAX" if is_bounded else "",
        sentence='f"{A} is {{{P}_MIN}} to {{{P}_MAX}}."',
        values=samples,
        json=samples,
        broken=(str(low - 1), str(high + 1), '"1"', "1.5"),
        bad_value=str(high + 1),
        default=default,
    )


def _decimal(arguments: list[str], name: str) -> Kind:
    text = arguments.pop(0) if arguments and arguments[0][:1].isdigit() else "12.2"
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text, re.ASCII)
    digits, places = (int(part) for part in found.groups()) if found else (0, 0)
    if not found or not 1 <= digits <= 28 or not 0 <= places < digits:
        raise Refusal(
            f"{name}: write decimal:12.2 for 12 digits, 2 of them after the point; up to 28.2."
        )
    sample = (f"{1:.{places}f}", f"{2:.{places}f}")

    def default(text: str) -> str:
        if not re.fullmatch(rf"-?\d{{1,{digits - places}}}(\.\d{{1,{places or 1}}})?", text):
            raise Refusal(f"{name}: the default {text!r} is no decimal of {digits}.{places}.")
        return f'Decimal("{Decimal(text):.{places}f}")'

    return Kind(
        type="decimal",
        python="Decimal",
        column="Numeric({P}_DIGITS, {P}_PLACES)",
        field="fields.Decimal",
        options="digits={P}_DIGITS, places={P}_PLACES",
        constants={"{P}_DIGITS": str(digits), "{P}_PLACES": str(places)},
        rule="abs({v}) < 10 ** ({P}_DIGITS - {P}_PLACES) and round({v}, {P}_PLACES) == {v}",
        sentence='f"{A} has {{{P}_DIGITS}} digits, {{{P}_PLACES}} of them after the point."',
        values=(f'Decimal("{sample[0]}")', f'Decimal("{sample[1]}")'),
        json=(f'"{sample[0]}"', f'"{sample[1]}"'),
        broken=("1", '"x"', f'"1{"0" * (digits - places)}"'),
        bad_value=f"Decimal(10) ** {digits - places}",
        default=default,
    )


def _bool(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        if text not in {"true", "false"}:
            raise Refusal(f"{name}: the default of a bool is true or false, not {text!r}.")
        return text.title()

    return Kind(
        type="bool",
        python="bool",
        column="Boolean",
        field="fields.Boolean",
        values=("True", "False"),
        json=("True", "False"),
        broken=("1", '"true"'),
        sorts=False,
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
        python="date",
        column="Date",
        field="fields.Date",
        values=("date(2026, 1, 31)", "date(2026, 2, 1)"),
        json=('"2026-01-31"', '"2026-02-01"'),
        broken=('"2026-02-30"', '"31.1.2026"', "1"),
        default=default,
    )


def _datetime(arguments: list[str], name: str) -> Kind:
    del arguments

    def default(text: str) -> str:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass
        raise Refusal(f"{name}: a moment has no default here; make it optional, or set it yourself.")

    return Kind(
        type="datetime",
        python="datetime",
        column="DateTime(timezone=True)",
        field="fields.AwareDateTime",
        values=("datetime(2026, 1, 31, 12, tzinfo=UTC)", "datetime(2026, 2, 1, 12, tzinfo=UTC)"),
        json=('"2026-01-31T12:00:00+00:00"', '"2026-02-01T12:00:00+00:00"'),
        broken=('"2026-01-31T12:00:00"', '"2026-01-31"', "1"),
        default=default,
    )


def _uuid(arguments: list[str], name: str) -> Kind:
    del arguments
    samples = ("12345678-9abc-4def-8123-456789abcdef", "22345678-9abc-4def-8123-456789abcdef")

    def default(text: str) -> str:
        try:
            return f'UUID("{UUID(text)}")'
        except ValueError as error:
            raise Refusal(f"{name}: the default {text!r} is no UUID.") from error

    return Kind(
        type="uuid",
        python="UUID",
        column="Uuid",
        field="fields.UUID",
        values=(f'UUID("{samples[0]}")', f'UUID("{samples[1]}")'),
        json=(f'"{samples[0]}"', f'"{samples[1]}"'),
        broken=('"x"', "1"),
        default=default,
    )


def _enum(arguments: list[str], name: str) -> Kind:
    words = arguments.pop(0).split(",") if arguments else []
    if len(words) < 2 or len(set(words)) < len(words) or not all(map(WORD.fullmatch, words)):
        raise Refusal(f"{name}: name two or more different values: {name}:enum:draft,sent,paid.")
    values = ", ".join(_quoted(word) for word in words)

    def default(text: str) -> str:
        if text not in words:
            raise Refusal(f"{name}: the default {text!r} is none of {', '.join(words)}.")
        return _quoted(text)

    return Kind(
        type="enum",
        python="str",
        column=f"String({max(map(len, words))})",
        field="fields.Text",
        options=f"max_length={max(map(len, words))}, validate=validate.OneOf({{P}}_VALUES)",
        constants={"{P}_VALUES": f"({values})"},
        rule="{v} in {P}_VALUES",
        sentence='f"{A} is one of {{\', \'.join({P}_VALUES)}}."',
        values=(_quoted(words[0]), _quoted(words[1])),
        json=(_quoted(words[0]), _quoted(words[1])),
        broken=('"?"', '""', "1"),
        bad_value='"?"',
        check=f"{{c}} IN ({values.replace(chr(34), chr(39))})",
        default=default,
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
        python="UUID",
        column="Uuid",
        field="fields.UUID",
        values=("", ""),
        json=("", ""),
        broken=('"x"', "1"),
        default=default,
        target=target,
        on_delete=(chosen or ["restrict"])[0],
    )


def _many(arguments: list[str], name: str) -> Kind:
    other = arguments[0] if arguments else "Course"
    raise Refusal(
        f"{name}: many to many is a resource of its own, which can have fields too: python "
        f"manage.py generate resource Enrolment student:ref:Student {other.lower()}:ref:{other} "
        f"--unique student,{other.lower()}"
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
    "uuid": _uuid,
    "enum": _enum,
    "ref": _ref,
    "many": _many,
}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
