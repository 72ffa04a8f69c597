"""`name:type[:argument…][:modifier…][=default]`, and the resource that fields make up."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from chassis.development.generate.kinds import KINDS, Kind, read_kind
from chassis.development.generate.names import (
    ENTITY,
    OF_A_LIST,
    plural_of,
    require_entity_name,
    require_field_name,
    require_length,
    require_plural,
    snake,
)
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import OPERATIONS, Field, Resource

MANY = "many"
MODIFIERS = ("optional", "unique", "index", "sort", "filter", "readonly", "writeonly")
# Names that ruff's rule S105 considers secrets.
SECRET = re.compile(r"(^|_)(pas+wo?r?d|pass(phrase)?|pwd|token|secrete?)($|_)")
FORM = "name:type[:argument][:modifier][=default], as number:str:40:unique"


def read_field(source: str) -> Field:
    """Read one field. Raise Refusal for a mistake in it, or for a field that cannot work."""
    declared, equals, default_text = source.partition("=")
    name, *words = declared.split(":")
    if not words:
        raise Refusal(f"{source!r} has no type. Write {FORM}.")
    kind_name, *arguments = words
    if kind_name == MANY:
        raise Refusal(join_advice("Student", arguments))
    if kind_name not in KINDS:
        raise Refusal(f"{name}: there is no type {_nearest(kind_name, KINDS)}")
    kind = read_kind(kind_name, arguments, name)
    column = f"{name}_id" if kind.target else name
    require_field_name(column)
    modifiers = _modifiers(arguments, name)
    default = default_of(kind, name, default_text) if equals else ""
    field = Field(column, kind, modifiers, default, source, default_text)
    for sentence in _nonsense(field):
        raise Refusal(f"{column}: {sentence}")
    return field


def default_of(kind: Kind, name: str, text: str) -> str:
    """Return the default as Python code. Raise Refusal where the kind does not allow this text."""
    try:
        return kind.default(text)
    except ValueError as error:
        is_late = text.rpartition(":")[2] in MODIFIERS
        order = " Write modifiers before the default." if is_late else ""
        raise Refusal(f"{name}: {error}{order}") from error


def join_advice(name: str, arguments: list[str]) -> str:
    other = arguments[0] if arguments and ENTITY.fullmatch(arguments[0]) else "Course"
    ends = snake(name), snake(other)
    return (
        "Many to many is a resource of its own, which can have fields too: python manage.py "
        f"generate resource {name}{other} {ends[0]}:ref:{name} {ends[1]}:ref:{other} "
        f"--unique {ends[0]},{ends[1]}"
    )


def _modifiers(words: list[str], name: str) -> frozenset[str]:
    for word, count in Counter(words).items():
        if word not in MODIFIERS:
            raise Refusal(f"{name}: there is no modifier {_nearest(word, MODIFIERS)}")
        if count > 1:
            raise Refusal(f"{name}: the modifier {word} occurs twice.")
    return frozenset(words)


def _nearest(word: str, names: Iterable[str]) -> str:
    near = get_close_matches(word, names, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{word!r}; there are {', '.join(sorted(names))}.{meant}"


def _nonsense(one: Field) -> Iterator[str]:
    """Yield sentences about contradictions in a field."""
    looked_up = [word for word in ("unique", "index", "sort", "filter") if one.has(word)]
    if one.default and SECRET.search(one.name):
        yield "a default is no secret, because the code has it. Leave the default out."
    if looked_up and one.kind.unindexed:
        yield f"{', '.join(looked_up)} {one.kind.unindexed}."
    if one.has("filter") and one.name in OF_A_LIST:
        yield "each list has a parameter of this name already. Choose another name."
    if {"readonly", "writeonly"} <= one.modifiers:
        yield "readonly and writeonly exclude each other: no caller could set or see the field."
    if one.has("writeonly") and {"filter", "sort"} & one.modifiers:
        yield "no answer has a writeonly field, and a filter or a sort would reveal the value."
    if one.has("readonly") and one.needed:
        yield "callers cannot set a readonly field: give it a default, or make it optional."
    if one.optional and one.default:
        yield "the default of an optional field is null: remove `optional` or the default."
    if one.kind.on_delete == "set_null" and not one.optional:
        yield "set_null needs optional: the field has to accept null."


def read_resource(
    name: str, sources: Sequence[str], plural: str = "", **options: object
) -> Resource:
    """Read a resource. Raise Refusal for a mistake in it, or if the resource cannot work."""
    require_entity_name(name)
    plural = plural or plural_of(snake(name))
    require_plural(plural, name)
    for words in (source.split(":") for source in sources):
        if words[1:2] == [MANY]:
            raise Refusal(join_advice(name, words[2:]))
    fields = tuple(read_field(source) for source in sources)
    made = Resource(name=name, plural=plural, fields=fields, **options)  # type: ignore[arg-type]
    if made.under and not made.parent:
        parent = read_field(f"{snake(made.under)}:ref:{made.under}")
        made = replace(made, fields=(parent, *made.fields))
    if made.parent and made.parent.optional:
        raise Refusal(
            f"--under {made.under}: {made.parent.name} is in the path. Remove `optional`."
        )
    made = replace(made, unique=tuple(_unique(made, names) for names in made.unique))
    _require_whole(made)
    if made.owned and made.public:
        raise Refusal("--owned and --public exclude each other: rows of an owner are not public.")
    return made


def operations_of(names: Iterable[str]) -> tuple[str, ...]:
    if unknown := sorted(set(names) - set(OPERATIONS)):
        there_are = ", ".join(OPERATIONS)
        raise Refusal(
            f"There is no operation {', '.join(map(repr, unknown))}; there are {there_are}."
        )
    return tuple(one for one in OPERATIONS if one in names) or OPERATIONS


def _unique(resource: Resource, names: tuple[str, ...]) -> tuple[str, ...]:
    fields = {field.name: field for field in resource.fields}
    columns = [name if name in fields else f"{name}_id" for name in names]
    if unknown := [
        name for name, column in zip(names, columns, strict=True) if column not in fields
    ]:
        raise Refusal(f"--unique {','.join(names)}: there is no field {', '.join(unknown)}.")
    if len(set(columns)) < len(columns) or len(columns) == 1:
        raise Refusal(f"--unique {','.join(names)}: name two or more fields, each once.")
    for column in columns:
        if reason := fields[column].kind.unindexed:
            raise Refusal(f"--unique {','.join(names)}: {column}: unique {reason}.")
    return tuple(columns)


def _require_whole(resource: Resource) -> None:
    counted = Counter(field.name for field in resource.stored)
    if twice := [name for name, count in counted.items() if count > 1]:
        raise Refusal(f"{resource.name}: two fields have the name {', '.join(twice)}.")
    if not resource.inputs and resource.can("create", "change"):
        raise Refusal(
            f"{resource.name} has no field that a caller sets: name one, as title:str:200."
        )
    parameters = Counter(name for one in resource.filters for name in one.parameters)
    if twice := [name for name, count in parameters.items() if count > 1]:
        raise Refusal(f"{resource.name}: two filters have the parameter {', '.join(twice)}.")
    for one in resource.fields:
        if one.name == f"{resource.singular}_id":
            raise Refusal(f"{one.name} is in the path of {resource.a}. Choose another name.")
        if one.kind.target == resource.name and not one.optional:
            raise Refusal(f"{one.name}: the first row has no other to refer to. Make it optional.")
        for prefix in ("ix", "uq", "fk", "ck"):
            require_length(f"{prefix}_{resource.plural}_{one.name}_id", one.name)
    if len({frozenset(names) for names in resource.unique}) < len(resource.unique):
        raise Refusal("--unique: two of these options name the same fields.")
    for names in resource.unique:
        require_length(f"uq_{resource.plural}_{'_'.join(names)}", f"--unique {','.join(names)}")
