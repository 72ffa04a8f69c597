"""The inner code of a resource: entity, table, service, seeds."""

from chassis.development.generate.grammar import Field, Resource
from chassis.development.generate.kinds import member
from chassis.development.generate.names import snake


def lines(*parts: str, indent: int = 0) -> str:
    return "\n".join(" " * indent + part if part else part for part in parts)


def entity(resource: Resource) -> str:
    return lines(
        *(enumeration(resource, field) for field in resource.fields if field.kind.members),
        "@dataclass(eq=False, kw_only=True, slots=True)",
        f"class {resource.name}(Model):",
        lines(*(attribute(resource, field) for field in resource.stored), indent=4),
    )


def enumeration(resource: Resource, field: Field) -> str:
    members = (f'{member(value)} = "{value}"' for value in field.kind.members)
    return lines(f"class {resource.enum(field)}(StrEnum):", lines(*members, indent=4), "", "")


def attribute(resource: Resource, field: Field) -> str:
    annotation = resource.fill(field.kind.annotation, field)
    if field.optional:
        return f"{field.name}: {annotation} | None = None"
    default = f" = {resource.fill(field.default, field)}" if field.default else ""
    return f"{field.name}: {annotation}{default}"


def table(resource: Resource) -> str:
    rules = [one for field in resource.stored for one in constraints(resource, field)]
    rules += [f"UniqueConstraint({_quoted(names)})" for names in resource.unique]
    return lines(
        f"{resource.plural} = Table(",
        f'    "{resource.plural}",',
        "    metadata,",
        f"    *columns({resource.name}),",
        lines(*(f"{rule}," for rule in rules), indent=4),
        ")",
    )


def constraints(resource: Resource, field: Field) -> list[str]:
    """What its table has beside the column. Lists come in the order of the id, so indexes do."""
    name, found = field.name, []
    if field.has("unique"):
        found.append(f'UniqueConstraint("{name}")')
    if field.kind.target:
        action = field.kind.on_delete.replace("_", " ").upper()
        target = resource.tables[field.kind.target]
        found.append(f'ForeignKeyConstraint(["{name}"], ["{target}.id"], ondelete="{action}")')
    is_listed = field.has("sort") or field.has("filter") or field in scope(resource)
    if is_listed:
        found.append(f'Index(None, "{name}", "id")')
    elif field.has("index") or (field.kind.target and not field.has("unique")):
        found.append(f'Index(None, "{name}")')
    return found


def scope(resource: Resource) -> list[Field]:
    """What all entities of a list have in common: a part of the path, the owner."""
    owner = [field for field in resource.stored if resource.owned and field.name == "owner"]
    return [*([resource.parent] if resource.parent else []), *owner]


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def service(resource: Resource) -> str:
    methods = [_page(resource), _create(resource)]
    methods += [write(resource) for key, write in METHODS.items() if resource.can(key)]
    return lines(
        f"class {resource.name}Service:",
        f'    """Each method raises what a unit of work, Repository and {resource.name} raise."""',
        "",
        "    def __init__(self, unit_of_work: UnitOfWorkFactory) -> None:",
        "        self._unit_of_work = unit_of_work",
        *("\n" + method for method in methods),
    )


def _repository(resource: Resource) -> str:
    """Another owner's entities are not there."""
    return f"work.{resource.plural}{'.where(owner=owner)' * resource.owned}"


def _keywords(fields: list[Field]) -> str:
    kinds = ((field.name, "UUID" if field.kind.target else "str") for field in fields)
    return ", *" * bool(fields) + "".join(f", {name}: {kind}" for name, kind in kinds)


def _owner(resource: Resource) -> list[Field]:
    return [field for field in scope(resource) if field is not resource.parent]


def _require_parent(resource: Resource) -> list[str]:
    """Raises NotFoundError."""
    if not resource.parent:
        return []
    table = resource.tables[resource.parent.kind.target]
    return [f"            work.{table}.get({resource.parent.name})"]


def _page(resource: Resource) -> str:
    return lines(
        f"    def page(self, query: PageQuery{_keywords(scope(resource))})"
        f" -> list[{resource.name}]:",
        "        with self._unit_of_work(read_only=True) as work:",
        *_require_parent(resource),
        f"            return {_repository(resource)}.page({_narrowed(resource)})",
    )


def _narrowed(resource: Resource) -> str:
    parent = resource.parent
    return f"query.narrow({parent.name}={parent.name})" if parent else "query"


def _create(resource: Resource) -> str:
    fixed = "".join(f"{field.name}={field.name}, " for field in scope(resource))
    return lines(
        f"    def create(self{_keywords(scope(resource))}, **values: Any) -> {resource.name}:",
        f'        """`values` are the fields of {resource.a}."""',
        f"        {resource.singular} = {resource.name}({fixed}**values)",
        "        with self._unit_of_work() as work:",
        *_require_parent(resource),
        f"            work.{resource.plural}.add({resource.singular})",
        f"        return {resource.singular}",
    )


def _signature(resource: Resource, method: str, more: str = "") -> str:
    owner = _keywords(_owner(resource))
    return f"    def {method}(self, {resource.singular}_id: UUID{owner}{more})"


def _get(resource: Resource) -> str:
    return lines(
        f"{_signature(resource, 'get')} -> {resource.name}:",
        "        with self._unit_of_work(read_only=True) as work:",
        f"            return {_repository(resource)}.get({resource.singular}_id)",
    )


def _change(resource: Resource) -> str:
    name = resource.singular
    return lines(
        f"{_signature(resource, 'change', ', **changes: Any')} -> {resource.name}:",
        '        """Change what is given, all or nothing."""',
        "        with self._unit_of_work() as work:",
        f"            {name} = {_repository(resource)}.get({name}_id)",
        "            if changes:",
        f"                {name}.change(**changes)",
        f"                work.{resource.plural}.save({name})",
        f"        return {name}",
    )


def _delete(resource: Resource) -> str:
    found = f"{_repository(resource)}.get({resource.singular}_id)"
    return lines(
        f"{_signature(resource, 'delete')} -> None:",
        "        with self._unit_of_work() as work:",
        f"            work.{resource.plural}.remove({found})",
    )


METHODS = {"read": _get, "change": _change, "delete": _delete}


def parents(resource: Resource) -> dict[str, str]:
    """The tables of what an entity cannot be without."""
    targets = {field.kind.target for field in resource.refs if not field.optional}
    return {target: resource.tables[target] for target in sorted(targets)}


def seed(resource: Resource) -> str:
    tables = parents(resource)
    rows = [
        f"{one.name}={snake(one.kind.target)}.id" for one in needed(resource) if one.kind.target
    ]
    owner = ['"owner": "developer"'] * resource.owned  # Of the tokens of `manage.py token`.
    return lines(
        f"EXAMPLE: dict[str, Any] = {entries([*owner, *examples(resource)])}",
        "",
        "",
        "def seed(container: Container) -> None:",
        f'    """Add an example, unless there are {resource.plural_words} already."""',
        *(f"    {table}.seed(container)" for table in tables.values()),
        "    with container.unit_of_work()(read_only=True) as work:",
        f"        if work.{resource.plural}.page(PageQuery(limit=1)):",
        "            return",
        *(
            f"        [{snake(target)}] = work.{table}.page(PageQuery(limit=1))"
            for target, table in tables.items()
        ),
        f"    container.{resource.singular}_service().create({', '.join(['**EXAMPLE', *rows])})",
    )


def needed(resource: Resource) -> list[Field]:
    return [field for field in resource.fields if not (field.optional or field.default)]


def examples(resource: Resource) -> list[str]:
    return [example(resource, field) for field in needed(resource) if not field.kind.target]


def example(resource: Resource, field: Field) -> str:
    return f'"{field.name}": {resource.fill(field.kind.values[0], field)}'


def entries(parts: list[str]) -> str:
    """One a line, so that a later one is a line of its own."""
    return f"{{{', '.join(parts)},}}" if parts else "{}"
