"""The outer code of a resource: schemas and controllers."""

from chassis.development.generate.grammar import Field, Resource
from chassis.development.generate.rings import lines


def schemas(resource: Resource) -> str:
    name, parts = resource.name, []
    if resource.can("create", "change"):
        parts.append(_schema(f"{name}Input", [given(resource, one) for one in resource.inputs]))
    if resource.can("list", "read", "create", "change"):
        output = [shown(resource, one) for one in resource.stored if not one.has("writeonly")]
        first, last = "id = fields.UUID(required=True)", "version = fields.Integer(required=True)"
        parts.append(_schema(f"{name}Output", [first, *output, last]))
    if has_query(resource):
        parts.append(_schema(f"{name}Query", _query(resource), "PageArguments"))
    if resource.can("list"):
        items = f"items = fields.List(fields.Nested({name}Output), required=True)"
        parts.append(
            _schema(f"{name}Page", [items, "next = fields.Cursor(required=True, allow_none=True)"])
        )
    return "\n\n\n".join(parts)


def _schema(name: str, fields: list[str], base: str = "Schema") -> str:
    return lines(f"class {name}({base}):", lines(*fields, indent=4))


def given(resource: Resource, one: Field) -> str:
    required = ", required=True" * (one in resource.required)
    return f'{one.name} = fields.of({resource.name}, "{one.name}"{required})'


def shown(resource: Resource, one: Field) -> str:
    return f'{one.name} = fields.of({resource.name}, "{one.name}", required=True)'


def filtered(resource: Resource, one: Field) -> list[str]:
    """Its parameters: bounds of what has an order."""
    about = f'({resource.name}, "{one.name}")'
    if one.kind.ordered:
        first = f"{one.name}_from = filters.at_least{about}"
        return [first, f"{one.name}_to = filters.at_most{about}"]
    return [f"{one.name} = filters.{'one_of' if one.kind.members else 'equal'}{about}"]


def sorted_by(resource: Resource) -> list[Field]:
    return [one for one in resource.fields if one.has("sort")]


def filters(resource: Resource) -> list[Field]:
    return [one for one in resource.fields if one.has("filter") and one is not resource.parent]


def has_query(resource: Resource) -> bool:
    return resource.can("list") and bool(sorted_by(resource) or filters(resource))


def sort_line(resource: Resource) -> str:
    names = "".join(f', "{one.name}"' for one in sorted_by(resource))
    by_id = ', created_at="id"' * (not resource.timestamps)
    return f"sort = Sort({resource.name}{names}{by_id})"


def _query(resource: Resource) -> list[str]:
    sort = [sort_line(resource)] if sorted_by(resource) else []
    return sort + [line for one in filters(resource) for line in filtered(resource, one)]


def controllers(resource: Resource) -> str:
    name, parent = resource.name, resource.parent
    every = {
        "list": _list,
        "create": _create,
        "read": _read,
        "change": _change,
        "delete": _delete,
    }
    prefix = "" if parent else f"/{resource.url}"
    return lines(
        f'blueprint = Blueprint("{resource.plural}", __name__, url_prefix="{prefix}")',
        "",
        f'{services(resource)} = Annotated[{name}Service, Provide["{resource.singular}_service"]]',
        *(f"\n\n{write(resource)}" for key, write in every.items() if resource.can(key)),
    )


def services(resource: Resource) -> str:
    """The name of what is injected: PurchaseOrders."""
    return "".join(word.title() for word in resource.plural.split("_"))


def _operation(resource: Resource, method: str, *, one: bool, more: list[str]) -> list[str]:
    path = f"/<uuid:{resource.singular}_id>" if one else ""
    if parent := resource.parent:
        above = resource.tables[parent.kind.target].replace("_", "-")
        path = f"/{resource.url}{path}" if one else f"/{above}/<uuid:{parent.name}>/{resource.url}"
    reads = method == "get"
    scope = f'requires("{resource.url}:{"read" if reads else "write"}")'
    access = "public" if reads and resource.public else scope
    return [f'@blueprint.{method}("{path}")', f"@blueprint.{access}", *more, "@inject"]


def _list(resource: Resource) -> str:
    name, plural = resource.name, resource.plural
    arguments = f"{name}Query" if has_query(resource) else "PageArguments"
    order = " unless they are sorted" if sorted_by(resource) else ""
    scope = _scope(resource)
    fetch = f"partial({plural}.page, {scope})" if scope else f"{plural}.page"
    return lines(
        *_operation(
            resource,
            "get",
            one=False,
            more=[
                f'@blueprint.arguments({arguments}, location="query")',
                f"@blueprint.response(200, {name}Page)",
            ],
        ),
        f"def list_{plural}(query: PageQuery{_path(resource)}, {plural}: {services(resource)})"
        " -> dict[str, Any]:",
        f'    """List {resource.plural_words}, the oldest first{order}."""',
        f"    return page({fetch}, query)",
    )


def _path(resource: Resource) -> str:
    return f", {resource.parent.name}: UUID" if resource.parent else ""


def _scope(resource: Resource) -> str:
    parent = [f"{resource.parent.name}={resource.parent.name}"] if resource.parent else []
    return ", ".join([*parent, *_owner(resource)])


def _owner(resource: Resource) -> list[str]:
    return ["owner=subject()"] * resource.owned


def _create(resource: Resource) -> str:
    name, plural, singular = resource.name, resource.plural, resource.singular
    values = ", ".join([*filter(None, [_scope(resource)]), "**body"])
    returned = f'created({singular}, url_for(".read_{singular}", {singular}_id={singular}.id))'
    kind = f"tuple[{name}, dict[str, str]]"
    body = [f"    {singular} = {plural}.create({values})", f"    return {returned}"]
    if not resource.can("read"):
        kind, body = name, [f"    return {plural}.create({values})"]
    return lines(
        *_operation(
            resource,
            "post",
            one=False,
            more=[
                f"@blueprint.arguments({name}Input)",
                f"@blueprint.response(201, {name}Output)",
            ],
        ),
        f"def create_{singular}(body: dict[str, Any]{_path(resource)}, {plural}:"
        f" {services(resource)}) -> {kind}:",
        f'    """Create {resource.a}."""',
        *body,
    )


def _read(resource: Resource) -> str:
    return lines(
        *_operation(
            resource, "get", one=True, more=[f"@blueprint.response(200, {resource.name}Output)"]
        ),
        f"def read_{resource.singular}({_one(resource)}) -> {resource.name}:",
        f'    """Read one {resource.words}."""',
        f"    return {resource.plural}.get({_arguments(resource)})",
    )


def _change(resource: Resource) -> str:
    more = [
        f"@blueprint.arguments({resource.name}Input(partial=True))",
        f"@blueprint.response(200, {resource.name}Output)",
    ]
    return lines(
        *_operation(resource, "patch", one=True, more=more),
        f"def change_{resource.singular}(body: dict[str, Any], {_one(resource)})"
        f" -> {resource.name}:",
        f'    """Change what is given of {resource.a}."""',
        f"    return {resource.plural}.change({_arguments(resource)}, **body)",
    )


def _delete(resource: Resource) -> str:
    return lines(
        *_operation(resource, "delete", one=True, more=["@blueprint.response(204)"]),
        f"def delete_{resource.singular}({_one(resource)}) -> None:",
        f'    """Delete {resource.a}."""',
        f"    {resource.plural}.delete({_arguments(resource)})",
    )


def _one(resource: Resource) -> str:
    return f"{resource.singular}_id: UUID, {resource.plural}: {services(resource)}"


def _arguments(resource: Resource) -> str:
    return ", ".join([f"{resource.singular}_id", *_owner(resource)])
