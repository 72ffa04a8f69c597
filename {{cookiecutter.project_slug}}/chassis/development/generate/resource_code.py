"""The code of a resource: a template for each file, and the lines that a field has in them."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.development.generate.kinds import member, quoted
from chassis.development.generate.names import snake
from chassis.development.generate.resource import Field, Resource

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=False,  # noqa: S701  # The output is Python, not HTML.
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def rendered(template: str, resource: Resource) -> str:
    """`r` in a template is the resource."""
    made = TEMPLATES.get_template(f"{template}.py.jinja")
    return made.render(r=resource, snake=snake, **{one.__name__: one for one in FRAGMENTS})


def enumeration(resource: Resource, field: Field) -> str:
    members = (f'    {member(value)} = "{value}"' for value in field.kind.members)
    return "\n".join([f"class {resource.enum(field)}(StrEnum):", *members, "", ""])


def attribute(resource: Resource, field: Field) -> str:
    annotation = resource.fill(field.kind.annotation, field)
    if field.optional:
        return f"{field.name}: {annotation} | None = None"
    default = f" = {resource.fill(field.default, field)}" if field.default else ""
    return f"{field.name}: {annotation}{default}"


def constraints(resource: Resource, field: Field) -> list[str]:
    """Return a field's constraints, and its index."""
    name, written = field.name, []
    if field.has("unique"):
        written.append(f'UniqueConstraint("{name}")')
    if field.kind.target:
        action = field.kind.on_delete.replace("_", " ").upper()
        target = resource.tables[field.kind.target]
        written.append(f'ForeignKeyConstraint(["{name}"], ["{target}.id"], ondelete="{action}")')
    if columns := indexed(resource, field):
        written.append(f"Index(None, {', '.join(map(quoted, columns))})")
    return written


def indexed(resource: Resource, field: Field) -> list[str]:
    """Return the columns of a field's index; none if it needs none, or a unique key serves.

    An index for lists ends with the id, which orders rows with equal values. A sorted, optional
    field needs the index even if the field is unique, because many rows may have null.
    """
    name = field.name
    if field.has("unique") and not (field.optional and field.has("sort")):
        return []
    if field.has("sort") or field.has("filter") or field in resource.scope:
        return [name, "id"]
    is_looked_up = field.has("index") or field.kind.target
    return [name] if is_looked_up and name not in {names[0] for names in resource.unique} else []


def keywords(fields: list[Field]) -> str:
    kinds = (f", {one.name}: {'UUID' if one.kind.target else 'str'}" for one in fields)
    return ", *" * bool(fields) + "".join(kinds)


def input_field(resource: Resource, field: Field) -> str:
    required = ", required=True" * (field in resource.required)
    return f'{field.name} = fields.of({resource.name}, "{field.name}"{required})'


def output_field(resource: Resource, field: Field) -> str:
    return f'{field.name} = fields.of({resource.name}, "{field.name}", required=True)'


def filtered(resource: Resource, field: Field) -> list[str]:
    alone = "one_of" if field.kind.members else "equal"
    made = ("at_least", "at_most") if field.kind.ordered else (alone,)
    about = f'({resource.name}, "{field.name}")'
    return [
        f"{parameter} = filters.{how}{about}"
        for parameter, how in zip(field.parameters, made, strict=True)
    ]


def example(resource: Resource, field: Field) -> str:
    return f'"{field.name}": {resource.fill(field.kind.values[0], field)}'


def json_example(field: Field) -> str:
    return f'"{field.name}": {field.kind.json[0]}'


def rows(fields: list[Field], form: str) -> list[str]:
    """List the references whose row a test has to create, each with a variable for the row."""
    return [
        form.format(name=one.name, parent=snake(one.kind.target))
        for one in fields
        if one.kind.target
    ]


def refused(resource: Resource) -> list[str]:
    """List the names and values that the service has to reject in a body."""
    values = [(one.name, value) for one in resource.inputs for value in one.kind.broken]
    values += [(one.name, "None") for one in resource.inputs if not one.optional]
    server_set = [one.name for one in resource.stored if one not in resource.inputs]
    values += [(name, "None") for name in ("id", "version", *server_set)]
    return [f'("{name}", {value})' for name, value in values]


FRAGMENTS: list[Callable[..., object]] = [
    *(attribute, constraints, enumeration, example, filtered, input_field, json_example),
    *(keywords, refused, rows, output_field),
]
