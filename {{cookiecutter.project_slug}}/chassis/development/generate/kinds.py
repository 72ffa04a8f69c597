"""The types of fields: their annotation in the entity, and values that tests and seeds take.

The annotation determines the column and the schema's field.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from chassis.core.limits import BIG_INTEGER_MAX, BIG_INTEGER_MIN, INTEGER_MAX, INTEGER_MIN
from chassis.core.rules import Url
from chassis.development.generate.refusal import Refusal

LONGEST_STR, LONGEST_TEXT, LONGEST_JSON, MOST_ITEMS = 10_000, 100_000, 100_000, 1_000
# An index entry of PostgreSQL holds 2,704 bytes, and a character has up to four.
LONGEST_INDEXED = 650
TOO_LONG = f"needs an index, which holds texts of {LONGEST_INDEXED} characters at most"
MOST_DIGITS = 28  # The precision of Python's decimal.
LEAST_VALUES = 2
VALUE = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", re.ASCII | re.IGNORECASE)
# ruff's rule RUF001 rejects characters that look like others; a reader sees the escape instead.
UNLIKE_LATIN = re.compile(r"[^ -~\xc0-\xd6\xd8-\xf6\xf8-\u0130\u0132-\u017e]")
CLASS = re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII)
ACTIONS = ("restrict", "cascade", "set_null")
# For an array's items: the type in Python, the rule, and two examples.
ARRAYS = {"str": ("str", "Text(200)", '"ab"', '"cd"'), "int": ("int", "Integer()", "1", "2")}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of fields. `values` are two examples in Python. `sent` has their JSON if it differs.

    The rule of the type rejects each of `broken`, in Python and in JSON. `default` converts the
    text of a default to Python. For a wrong text, `default` raises ValueError with a sentence.
    """

    type: str
    annotation: str
    values: tuple[str, str]
    sent: tuple[str, str] | None = None
    broken: tuple[str, str]
    default: Callable[[str], str]
    unindexed: str = ""  # Why no index fits; follows a modifier's name in a sentence.
    ordered: bool = False  # True if filters are bounds: at least, at most.
    members: tuple[str, ...] = ()  # The values of an enumeration.
    target: str = ""  # The resource that a reference points to.
    on_delete: str = ""

    @property
    def json(self) -> tuple[str, str]:
        return self.sent or self.values


def _none(reason: str) -> Callable[[str], str]:
    def default(text: str) -> str:
        raise ValueError(f"{text!r} cannot be a default: {reason}.")

    return default


def _matching(form: str, python: Callable[[str], str], like: str) -> Callable[[str], str]:
    """Make a function that reads defaults of this form; `python` may raise ValueError, too."""

    def default(text: str) -> str:
        try:
            if re.fullmatch(form, text, re.ASCII):
                return python(text)
        except ValueError:
            pass
        raise ValueError(f"the default {text!r} is not {like}.")

    return default


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{UNLIKE_LATIN.sub(_escape, escaped)}"'


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("ascii", "backslashreplace").decode()


def _whole_only(what: str) -> str:
    return f"compares {what} as a whole. Give the part to search a field of its own"


def _date(text: str) -> str:
    day = date.fromisoformat(text)
    return f"date({day.year}, {day.month}, {day.day})"


def _time(text: str) -> str:
    moment = time.fromisoformat(text)
    return f"time({moment.hour}, {moment.minute})"


UUIDS = tuple(f'"{digit}2345678-9abc-4def-8123-456789abcdef"' for digit in "12")
WITHOUT_ARGUMENTS = (
    Kind(
        type="bool",
        annotation="bool",
        values=("True", "False"),
        broken=("1", '"true"'),
        default=_matching("true|false", str.title, "true or false"),
    ),
    Kind(
        type="date",
        annotation="date",
        values=("date(2026, 1, 31)", "date(2026, 2, 1)"),
        sent=('"2026-01-31"', '"2026-02-01"'),
        broken=('"2026-02-30"', '"31.1.2026"'),
        default=_matching(r"\d{4}-\d\d-\d\d", _date, "a date such as 2026-01-31"),
        ordered=True,
    ),
    Kind(
        type="datetime",
        annotation="datetime",
        values=("datetime(2026, 1, 31, 12, tzinfo=UTC)", "datetime(2026, 2, 1, 12, tzinfo=UTC)"),
        sent=('"2026-01-31T12:00:00+00:00"', '"2026-02-01T12:00:00+00:00"'),
        broken=('"2026-01-31T12:00:00"', '"2026-01-31"'),
        default=_none("one time does not fit all rows. Make the field optional"),
        ordered=True,
    ),
    Kind(
        type="time",
        annotation="time",
        values=("time(9, 30)", "time(10, 30)"),
        sent=('"09:30:00"', '"10:30:00"'),
        broken=('"25:00:00"', '"x"'),
        default=_matching(r"\d\d:\d\d", _time, "a time such as 09:30"),
        ordered=True,
    ),
    Kind(
        type="uuid",
        annotation="UUID",
        values=(f"UUID({UUIDS[0]})", f"UUID({UUIDS[1]})"),
        sent=(UUIDS[0], UUIDS[1]),
        broken=('"x"', "1"),
        default=_none("one UUID does not fit all rows. Make the field optional"),
    ),
    Kind(
        type="email",
        annotation="Annotated[str, Email()]",
        values=('"a@example.org"', '"b@example.org"'),
        broken=('"a"', '""'),
        default=_none("one address does not fit all rows. Leave the default out"),
    ),
    Kind(
        type="url",
        annotation="Annotated[str, Url()]",
        values=('"https://example.org/a"', '"https://example.org/b"'),
        broken=('"ftp://example.org"', '""'),
        default=_matching(
            r"https?://[A-Za-z0-9.-]+([/?#][!-~]*)?", quoted, "a URL such as https://example.org/a"
        ),
        unindexed=f"{TOO_LONG}; a URL has up to {Url().maximum}",
    ),
)
PLAIN = {kind.type: kind for kind in WITHOUT_ARGUMENTS}


def read_kind(kind: str, arguments: list[str], name: str) -> Kind:
    """Take the arguments of this type off the list. Raise Refusal if they are wrong."""
    return PLAIN[kind] if kind in PLAIN else READ[kind](arguments, name)


def _text(arguments: list[str], usual: int, most: int, name: str) -> Kind:
    length = _whole(arguments.pop(0), name) if _is_whole(arguments) else usual
    if not 1 <= length <= most:
        raise Refusal(f"{name}: the limit of a text is 1 to {most} characters, not {length}.")
    samples = quoted("ab"[:length]), quoted("cd"[:length])

    def default(text: str) -> str:
        if not (1 <= len(text) <= length and text.isprintable()):
            raise ValueError(f"{text!r} does not have 1 to {length} printable characters.")
        return quoted(text)

    return Kind(
        type="str",
        annotation=f"Annotated[str, Text({length})]",
        values=samples,
        broken=('""', f'"x" * {length + 1}'),
        default=default,
        unindexed="" if length <= LONGEST_INDEXED else TOO_LONG,
    )


def _integer(arguments: list[str], name: str, ends: tuple[int, int], unbounded: str) -> Kind:
    is_bounded = bool(arguments) and ".." in arguments[0]
    low, high = _range(arguments.pop(0), name, *ends) if is_bounded else ends
    first = min(max(low, 1), high - 1)

    def default(text: str) -> str:
        if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"the default {text} is not within {low}..{high}.")
        return str(int(text))

    return Kind(
        type="int",
        annotation=f"Annotated[int, Integer({low}, {high})]" if is_bounded else unbounded,
        values=(str(first), str(first + 1)),
        broken=(str(low - 1), str(high + 1)),
        default=default,
        ordered=True,
    )


def _decimal(arguments: list[str], name: str) -> Kind:
    text = arguments.pop(0) if arguments and arguments[0][:1].isdigit() else "12.2"
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text, re.ASCII)
    digits, places = (int(part) for part in match.groups()) if match else (0, 0)
    if not match or not 1 <= digits <= MOST_DIGITS or not places < digits:
        raise Refusal(
            f"{name}: write decimal:12.2 for 12 digits, 2 of them after the point. "
            f"{MOST_DIGITS} digits are the most, and one has to be before the point."
        )
    samples = quoted(f"{1:.{places}f}"), quoted(f"{2:.{places}f}")
    form = rf"-?\d{{1,{digits - places}}}" + (rf"(\.\d{{1,{places}}})?" if places else "")
    return Kind(
        type="decimal",
        annotation=f"Annotated[Decimal, Number({digits}, {places})]",
        values=(f"Decimal({samples[0]})", f"Decimal({samples[1]})"),
        sent=samples,
        broken=(f'"1{"0" * (digits - places)}"', "1"),
        default=_matching(
            form,
            lambda text: f'Decimal("{Decimal(text):.{places}f}")',
            f"a decimal of {digits}.{places}",
        ),
        ordered=True,
    )


def _enum(arguments: list[str], name: str) -> Kind:
    """An enumeration. In its texts, `{E}` is a placeholder for the name of the class."""
    values = arguments.pop(0).split(",") if arguments else []
    members = tuple(map(member, values))
    if len(values) < LEAST_VALUES or len(set(members)) < len(members):
        raise Refusal(f"{name}: name two or more different values: {name}:enum:draft,sent,paid.")
    if wrong := [value for value in values if not VALUE.fullmatch(value)]:
        raise Refusal(
            f"{name}: {wrong[0]!r} cannot be a value. Begin with a letter; letters and digits of "
            "ASCII follow, with single - or _ between them."
        )

    def default(text: str) -> str:
        if text not in values:
            raise ValueError(f"the default {text!r} is none of {', '.join(values)}.")
        return f"{{E}}.{member(text)}"

    return Kind(
        type="enum",
        annotation="{E}",
        values=(f"{{E}}.{members[0]}", f"{{E}}.{members[1]}"),
        sent=(quoted(values[0]), quoted(values[1])),
        broken=('"?"', '""'),
        default=default,
        members=tuple(values),
    )


def member(value: str) -> str:
    return value.upper().replace("-", "_")


def _json(arguments: list[str], name: str) -> Kind:
    size = _whole(arguments.pop(0), name) if _is_whole(arguments) else LONGEST_STR
    if not LEAST_VALUES <= size <= LONGEST_JSON:
        raise Refusal(f"{name}: the limit is {LEAST_VALUES} to {LONGEST_JSON} bytes, not {size}.")
    return Kind(
        type="json",
        annotation=f"Annotated[dict[str, Any], JsonObject(max_bytes={size})]",
        values=('{"a": 1}', '{"b": 2}') if size > len('{"a": 1}') else ("{}", "{}"),
        broken=("[]", '"x"'),
        default=_none("a JSON object has no default"),
        unindexed=_whole_only("a JSON object"),
    )


def _array(arguments: list[str], name: str) -> Kind:
    of = arguments.pop(0) if arguments else ""
    items = _whole(arguments.pop(0), name) if _is_whole(arguments) else 20
    if of not in ARRAYS or not 1 <= items <= MOST_ITEMS:
        raise Refusal(f"{name}: write {name}:array:str:20 or :int:20, of 1 to {MOST_ITEMS} items.")
    python, rule, first, second = ARRAYS[of]
    return Kind(
        type="array",
        annotation=f"Annotated[list[{python}], Items({rule}, {items})]",
        values=(f"[{first}]", f"[{second}]"),
        broken=('"x"', "1"),
        default=_none("an array has no default"),
        unindexed=_whole_only("an array"),
    )


def _ref(arguments: list[str], name: str) -> Kind:
    if not arguments or not arguments[0]:
        raise Refusal(
            f"{name}: name the resource that it refers to, as in {name}:ref:Customer:restrict."
        )
    target = arguments.pop(0)
    if not CLASS.fullmatch(target):
        raise Refusal(f"{name}: {target!r} is not a resource's name, such as Customer.")
    chosen = [word for word in ACTIONS if word in arguments]
    if len(chosen) > 1:
        raise Refusal(f"{name}: {' and '.join(chosen)} exclude each other. Keep one.")
    if chosen:
        arguments.remove(chosen[0])
    return Kind(
        type="ref",
        annotation="UUID",
        values=("uuid7()", "uuid7()"),
        broken=('"x"', "1"),
        default=_none(f"a reference has the id of a row of {target}"),
        target=target,
        on_delete=(chosen or ["restrict"])[0],
    )


INTEGER = INTEGER_MIN, INTEGER_MAX
BIG_INTEGER = BIG_INTEGER_MIN, BIG_INTEGER_MAX
BIG = "Annotated[int, Integer(-(2**63), 2**63 - 1)]"
READ: dict[str, Callable[[list[str], str], Kind]] = {
    "str": lambda arguments, name: _text(arguments, 200, LONGEST_STR, name),
    "text": lambda arguments, name: _text(arguments, LONGEST_STR, LONGEST_TEXT, name),
    "int": lambda arguments, name: _integer(arguments, name, INTEGER, "int"),
    "bigint": lambda arguments, name: _integer(arguments, name, BIG_INTEGER, BIG),
    "decimal": _decimal,
    "enum": _enum,
    "json": _json,
    "array": _array,
    "ref": _ref,
}
KINDS = {*PLAIN, *READ}


def _is_whole(arguments: list[str]) -> bool:
    return bool(arguments) and arguments[0].isdecimal()


def _whole(text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        raise Refusal(f"{name}: {text!r} is not a whole number of at most 19 digits.")
    return int(text)


def _range(text: str, name: str, least: int, most: int) -> tuple[int, int]:
    low, _, high = text.partition("..")
    ends = _whole(low, name), _whole(high, name)
    if not least <= ends[0] < ends[1] <= most:
        raise Refusal(f"{name}: {text!r} is no range within {least}..{most}: write int:1..500.")
    return ends
