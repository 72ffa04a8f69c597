"""`generate field`: the lines that a field adds to an existing resource."""

import ast
from dataclasses import dataclass, replace
from textwrap import dedent

from chassis.development.generate import places, resource_code
from chassis.development.generate.draft import Draft
from chassis.development.generate.grammar import default_of, read_field
from chassis.development.generate.module import imports_of
from chassis.development.generate.receipt import Receipt, read_receipt
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Field, Resource
from chassis.development.generate.resources import own_modules, tables_of
from chassis.development.generate.splice import (
    Insertion,
    add_import,
    add_line,
    add_statement,
    scope_of,
)
from chassis.development.generate.undo import follow


@dataclass(frozen=True, kw_only=True)
class Addition:
    """A field; `rows` is the value for existing rows."""

    resource: Resource
    field: Field
    rows: str

    @property
    def is_required(self) -> bool:
        return not self.field.optional


def read_addition(draft: Draft, name: str, source: str, rows: str | None) -> Addition:
    """Read a field. Raise Refusal if the resource cannot have it."""
    tables = tables_of(draft)
    if name not in tables:
        raise Refusal(
            f"There is no resource {name}; there are {', '.join(sorted(tables)) or 'none'}."
        )
    field = read_field(source)
    if field.kind.target and field.kind.target not in tables:
        raise Refusal(f"{field.name} refers to {field.kind.target}, which is not there.")
    resource = _resource(draft, name, tables, field)
    if field.kind.target and not field.optional:
        raise Refusal(f"{field.name}: existing rows would refer to no row. Make it optional.")
    if field.has("unique") and not field.optional:
        raise Refusal(
            f"{field.name}: existing rows would all get the same value, and unique forbids equal "
            "values. Make the field optional, and fill it; a later revision can require it."
        )
    if rows is not None and (field.optional or field.default):
        raise Refusal("--backfill is for a field that is neither optional nor has a default.")
    if rows is None and not (field.optional or field.default):
        raise Refusal(
            f"{tables[name]} may have rows, and {field.name} is required: give it a default "
            f"({source}=…), make it optional, or say what those rows get: --backfill VALUE"
        )
    if field.has("sort"):
        raise Refusal(
            f"{field.name}: `generate field` cannot add sort. Leave sort out, and add by hand: "
            f'"{field.name}" to the sort of {name}Query, and Index(None, "{field.name}", "id") to '
            "the table."
        )
    if rows is not None:
        default_of(field.kind, field.name, rows)
    return Addition(resource=resource, field=field, rows=rows or field.default_text)


def _resource(draft: Draft, name: str, tables: dict[str, str], field: Field) -> Resource:
    """Return the resource with this field only, so that code for no other field is written."""
    receipt = read_receipt(draft, name)
    resource = receipt.resource if receipt else Resource(name=name, plural=tables[name], fields=())
    if field.name in {one.name for one in resource.stored}:
        raise Refusal(f"{name} has {field.name} already.")
    return replace(resource, fields=(field,), unique=(), under="", tables=tables)


def add_field(draft: Draft, addition: Addition, command: str) -> Receipt | None:
    """Draft the lines of the field; None if an earlier command wrote the same field.

    Raise Refusal if the lines cannot be added.
    """
    resource, field = addition.resource, addition.field
    name = f"{resource.name}.{field.name}"
    description = {"plural": resource.plural, "source": field.source, "rows": addition.rows}
    if receipt := read_receipt(draft, name):
        if receipt.description == description:
            return None
        raise Refusal(f"{name} exists already. Another command generated it: {receipt.command}")
    before = dict(draft.texts)
    insertions = [*_entity(draft, resource, field), *_table(draft, resource, field)]
    insertions += [*_schemas(draft, resource, field), *_examples(draft, resource, field)]
    for path in draft.texts.keys() - before.keys():
        text = (draft.root / path).read_bytes().decode()
        follow(draft, name, path, text, draft.read(path))
    made = Receipt(
        kind="field", name=name, command=command, description=description, insertions=insertions
    )
    draft.create(made.path, made.text())
    return made


def _imports(draft: Draft, path: str, body: str, resource: Resource) -> list[Insertion]:
    """Add the imports that the lines need."""
    own = places.module_of(path)
    lines = [
        line
        for line in imports_of(dedent(body), own_modules(resource))
        if f"from {own} import" not in line
    ]
    return [one for line in lines for one in draft.change(path, add_import, f"{line}\n")]


def _entity(draft: Draft, resource: Resource, field: Field) -> list[Insertion]:
    path = places.entity_file(resource.singular)
    made: list[Insertion] = []
    text = f"    {resource_code.attribute(resource, field)}\n"
    node = scope_of(path, draft.read(path), resource.name, text)
    attributes = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    if any(isinstance(one.target, ast.Name) and one.target.id == field.name for one in attributes):
        raise Refusal(f"{resource.name} has {field.name} already.")
    if not attributes:
        raise Refusal(
            f"{path}: {resource.name} has no field to put this one below. Add by hand:\n\n{text}"
        )
    line = str(attributes[-1].end_lineno)
    made += draft.change(path, add_line, resource.name, line, text)
    if field.kind.members:
        first = min(one.lineno for one in (*node.decorator_list, node)) - 1  # type: ignore[union-attr]
        enum = f"{resource_code.enumeration(resource, field)}\n"
        made += draft.change(path, add_line, "", str(first), enum)
    body = f"{resource_code.attribute(resource, field)}\n" + (
        resource_code.enumeration(resource, field) if field.kind.members else ""
    )
    return made + _imports(draft, path, body, resource)


def _table(draft: Draft, resource: Resource, field: Field) -> list[Insertion]:
    path = places.table_file(resource.plural)
    source = draft.read(path)
    if f"*columns({resource.name})" not in source:
        raise Refusal(
            f"{path} does not take its columns from {resource.name}: add the field by hand, as "
            "docs/add-a-resource.md says."
        )
    lines = later_constraints(resource, field)
    if not lines:
        return []
    text = "".join(f"    {one},\n" for one in lines)
    calls = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    ]
    if len(calls) != 1 or calls[0].lineno == calls[0].end_lineno:
        raise Refusal(
            f"{path} has no table, or several, or one in a single line. Add by hand:\n\n{text}"
        )
    made = draft.change(path, add_line, "", str((calls[0].end_lineno or 1) - 1), text)
    return made + _imports(draft, path, dedent(text), resource)


def later_constraints(resource: Resource, field: Field) -> list[str]:
    """A unique index, not a constraint: it can be built while the table is written to."""
    unique = f'UniqueConstraint("{field.name}")'
    constraints = resource_code.constraints(resource, field)
    return [
        f'Index(None, "{field.name}", unique=True)' if one == unique else one for one in constraints
    ]


def _schemas(draft: Draft, resource: Resource, field: Field) -> list[Insertion]:
    path = places.schema_file(resource.singular)
    made: list[Insertion] = []
    if resource.can("create", "change") and not field.has("readonly"):
        text = f"    {resource_code.input_field(resource, field)}\n"
        made += draft.change(path, add_statement, f"{resource.name}Input", text)
    if resource.can("list", "read", "create", "change") and not field.has("writeonly"):
        made += _output(draft, path, resource, field)
    if resource.can("list") and field.has("filter"):
        for line in resource_code.filtered(resource, field):
            made += draft.change(path, add_statement, f"{resource.name}Query", f"    {line}\n")
        made += _imports(draft, path, "filters", resource)
    return made


def _output(draft: Draft, path: str, resource: Resource, field: Field) -> list[Insertion]:
    """Add the field to the output schema, before `version`, which is the last one."""
    scope, text = f"{resource.name}Output", f"    {resource_code.output_field(resource, field)}\n"
    node = scope_of(path, draft.read(path), scope, text)
    for one in node.body:
        match one:
            case ast.Assign(targets=[ast.Name(id="version")]):
                return draft.change(path, add_line, scope, str(one.lineno - 1), text)
    return draft.change(path, add_statement, scope, text)


def _examples(draft: Draft, resource: Resource, field: Field) -> list[Insertion]:
    """Add a required field to the bodies of tests and seeds."""
    if field.optional or field.default:
        return []
    value, json = resource_code.example(resource, field), resource_code.json_example(field)
    singular, plural = resource.singular, resource.plural
    made = _entry(draft, places.seed_file(plural), "EXAMPLE", value)
    made += _imports(draft, places.seed_file(plural), f"{{{value}}}", resource)
    unit = places.service_test_file(singular)
    if draft.find(unit) is not None:
        made += _entry(draft, unit, "VALUES", value)
        made += _imports(draft, unit, f"{{{value}}}", resource)
    if resource.can("create") and not field.has("readonly"):
        made += _entry(draft, places.api_test_file(plural), singular.upper(), json)
    return made


def _entry(draft: Draft, path: str, name: str, entry: str) -> list[Insertion]:
    """Append to the dict of this name, which has one entry per line."""
    text = f"    {entry},\n"
    entries = [
        node.value
        for node in ast.parse(draft.read(path)).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == name
        and isinstance(node.value, ast.Dict)
    ]
    if len(entries) != 1 or entries[0].lineno == entries[0].end_lineno:
        raise Refusal(f"{path}: {name} is no dict with one entry per line. Add by hand:\n\n{text}")
    return draft.change(path, add_line, "", str((entries[0].end_lineno or 1) - 1), text)
