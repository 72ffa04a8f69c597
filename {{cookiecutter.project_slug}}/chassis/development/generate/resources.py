"""`generate resource`: the files and the lines that it takes."""

import ast
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from chassis.development.generate import places
from chassis.development.generate.draft import Draft
from chassis.development.generate.module import formatted, with_imports
from chassis.development.generate.receipt import Receipt, described, hashed, read_receipt
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Resource
from chassis.development.generate.resource_code import rendered
from chassis.development.generate.splice import LINE_LENGTH, Insertion, add_import, add_statement


def tables_of(draft: Draft) -> dict[str, str]:
    """The table of each entity for which the unit of work has a repository, by entity."""
    module = ast.parse(draft.read(places.PORTS))
    classes = [one for one in module.body if isinstance(one, ast.ClassDef)]
    stored = {
        one.name: entity for one in classes for base in one.bases if (entity := _stored(base))
    }
    tables = {}
    for node in (node for one in classes if one.name == places.PORTS_CLASS for node in one.body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=table), annotation=kind):
                entity = _stored(kind) or stored.get(ast.unparse(kind))
                tables.update({entity: table} if entity else {})
    return tables


def _stored(kind: ast.expr) -> str | None:
    """The name of the entity: Invoice for persistence.Repository[Invoice]."""
    match kind:
        case ast.Subscript(value=value, slice=ast.Name(id=entity)):
            return entity if ast.unparse(value) == places.REPOSITORY else None
    return None


def ordered(resources: list[Resource]) -> list[Resource]:
    """Sort resources so that each follows those that it refers to. Raise Refusal for a circle."""
    by_name = {one.name: one for one in resources}
    graph = {
        name: {ref.kind.target for ref in one.refs} & by_name.keys() - {name}
        for name, one in by_name.items()
    }
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        circle = " > ".join(error.args[1])
        raise Refusal(
            f"These resources refer to each other in a circle ({circle}). Leave one reference "
            "out, and add it later with `generate field`."
        ) from error


def add_resources(draft: Draft, resources: list[Resource], command: str) -> list[Receipt]:
    """Draft all resources; return the receipts of the new ones. Raise Refusal for a mistake."""
    tables, new, written = tables_of(draft), [], {}
    for one in ordered(resources):
        tables.setdefault(one.name, one.plural)
        resource = _with_tables(one, tables)
        if _is_there(draft, resource):
            continue
        new.append(resource)
        written[resource.name] = files(resource)
    flat = {path: text for texts in written.values() for path, text in texts.items()}
    _require_seeds(draft, new, flat)
    done = formatted(draft.root, flat) if flat else {}
    return [
        _add(draft, one, {path: done[path] for path in written[one.name]}, command) for one in new
    ]


def _require_seeds(draft: Draft, resources: list[Resource], flat: dict[str, str]) -> None:
    """Raise Refusal if a required entity has no seed: the tests take its rows."""
    for one in resources:
        for path in map(places.seed_file, one.parents.values()):
            if path not in flat and draft.find(path) is None:
                raise Refusal(f"{one.name}: its tests take rows of {path}, which is not there.")


def _with_tables(resource: Resource, tables: dict[str, str]) -> Resource:
    targets = {ref.kind.target for ref in resource.refs}
    if missing := sorted(targets - tables.keys()):
        raise Refusal(
            f"{resource.name} refers to {', '.join(missing)}, which is not there. Generate "
            f"{missing[0]} first: python manage.py generate resource {missing[0]} name:str:200"
        )
    return replace(resource, tables={target: tables[target] for target in sorted(targets)})


def _is_there(draft: Draft, resource: Resource) -> bool:
    """Whether this resource was generated already. Raise Refusal if another has its name."""
    receipt = read_receipt(draft, resource.name)
    if receipt and receipt.description == described(resource):
        return True
    if receipt:
        raise Refusal(
            f"{resource.name} exists already. Another command generated it: {receipt.command}. "
            "Take the resource back with `destroy resource`, or add to it with `generate field`."
        )
    return False


def files(resource: Resource) -> dict[str, str]:
    """The source of each file, before it is formatted."""
    singular, plural = resource.singular, resource.plural
    paths = {
        "entity": places.entity_file(singular),
        "table": places.table_file(plural),
        "service": places.service_file(singular),
        "schemas": places.schema_file(singular),
        "controllers": places.controller_file(plural),
        "seed": places.seed_file(plural),
        "service_test": places.service_test_file(singular),
        "api_test": places.api_test_file(plural),
    }
    bodies = {path: rendered(template, resource) for template, path in paths.items()}
    modules = own_modules(resource)
    return {path: with_imports(body, modules) for path, body in bodies.items() if body.strip()}


def own_modules(resource: Resource) -> dict[str, str]:
    """The module of each name that the resource's files import from the project."""
    singular, name = resource.singular, resource.name
    entity = places.module_of(places.entity_file(singular))
    schemas = places.module_of(places.schema_file(singular))
    enums = [resource.enum(field) for field in resource.fields if field.kind.members]
    return {
        name: entity,
        **dict.fromkeys(enums, entity),
        f"{name}Service": places.module_of(places.service_file(singular)),
        **{f"{name}{part}": schemas for part in ("Input", "Patch", "Output", "Query", "Page")},
        resource.plural: "src.seeds",
        **dict.fromkeys(resource.tables.values(), "src.seeds"),
    }


def _add(draft: Draft, resource: Resource, texts: dict[str, str], command: str) -> Receipt:
    for path, text in texts.items():
        draft.create(path, text)
    receipt = Receipt(
        kind="resource",
        name=resource.name,
        command=command,
        description=described(resource),
        files={path: hashed(text) for path, text in texts.items()},
        insertions=list(_registered(draft, resource)),
    )
    draft.create(receipt.path, receipt.text())
    return receipt


def _registered(draft: Draft, resource: Resource) -> list[Insertion]:
    name, singular, plural = resource.name, resource.singular, resource.plural
    entity = f"from {places.module_of(places.entity_file(singular))} import {name}\n"
    table = f"from {places.module_of(places.table_file(plural))} import {plural}\n"
    service = f"from {places.module_of(places.service_file(singular))} import {name}Service\n"
    lines = {
        (places.PORTS, places.PORTS_CLASS): f"    {plural}: {places.REPOSITORY}[{name}]\n",
        (places.UNIT_OF_WORK, f"{places.UNIT_OF_WORK_CLASS}.__init__"): (
            f"        self.{plural} = self.repository({plural}, {name})\n"
        ),
        (places.CONTAINER, places.CONTAINER_CLASS): (
            f"    {singular}_service = Singleton({name}Service, unit_of_work)\n"
        ),
    }
    imports = [(places.PORTS, entity), (places.UNIT_OF_WORK, entity)]
    imports += [(places.UNIT_OF_WORK, table), (places.CONTAINER, service)]
    made = [
        draft.change(path, add_statement, scope, _fitting(text))
        for (path, scope), text in lines.items()
    ]
    made += [draft.change(path, add_import, _fitting(text)) for path, text in imports]
    return [one for some in made for one in some]


def _fitting(line: str) -> str:
    """An import or a call in the form that the formatter gives it where the line is too long."""
    if len(line) <= LINE_LENGTH + 1:
        return line
    module, _, name = line.rstrip().partition(" import ")
    if name:
        return f"{module} import (\n    {name},\n)\n"
    head, _, arguments = line.rstrip()[:-1].partition("(")
    indent = " " * (len(line) - len(line.lstrip()))
    return f"{head}(\n{indent}    {arguments}\n{indent})\n"
