"""The inner code of a resource: entity, table, service, seeds."""

from chassis.development.generate.grammar import Field, Resource
from chassis.development.generate.names import snake


def lines(*parts: str, indent: int = 0) -> str:
    return "\n".join(" " * indent + part if part else part for part in parts)


def entity(resource: Resource) -> str:
    constants = [constant_lines(resource, field) for field in resource.stored]
    attributes = [attribute(field) for field in resource.stored]
    ruled = [field for field in resource.stored if field.kind.rule]
    return lines(
        *filter(None, constants),
        "",
        "@dataclass(eq=False, kw_only=True, slots=True)",
        f"class {resource.name}:",
        lines(*attributes, indent=4),
        "    id: UUID = field(default_factory=uuid7)",
        "    version: int = 1",
        "",
        *([post_init(resource, ruled)] if ruled else []),
    )


def constant_lines(resource: Resource, field: Field) -> str:
    """Two of a range, or of a precision, are one line."""
    constants = resource.constants(field)
    if not constants:
        return ""
    return f"{', '.join(constants)} = {', '.join(constants.values())}"


def attribute(field: Field) -> str:
    if field.optional:
        return f"{field.name}: {field.kind.python} | None = None"
    return f"{field.name}: {field.kind.python}" + (f" = {field.default}" if field.default else "")


def post_init(resource: Resource, ruled: list[Field]) -> str:
    return lines(
        "    def __post_init__(self) -> None:",
        f'        """Raise ValidationError for what {resource.a} cannot be."""',
        "        rules = [",
        lines(*(f"{rule(resource, field)}," for field in ruled), indent=12),
        "        ]",
        "        for holds, sentence in rules:",
        "            if not holds:",
        "                raise ValidationError(sentence)",
    )


def rule(resource: Resource, field: Field) -> str:
    """An entry of `rules`: whether it holds, and what it says."""
    value = f"self.{field.name}"
    condition = resource.fill(field.kind.rule, field, value)
    if field.optional:
        condition = f"({condition})" if " and " in condition else condition
        condition = f"{value} is None or {condition}"
    return f"({condition}, {resource.fill(field.kind.sentence, field)})"


def table(resource: Resource) -> str:
    parts = [column(resource, field) for field in resource.stored]
    rules = [one for field in resource.stored for one in (*check(field), *index(resource, field))]
    rules += [f"UniqueConstraint({_quoted(names)})" for names in resource.unique]
    return lines(
        f"{resource.plural} = Table(",
        f'    "{resource.plural}",',
        "    metadata,",
        '    Column("id", Uuid, primary_key=True),',
        lines(*(f"{part}," for part in parts), indent=4),
        '    Column("version", Integer, nullable=False),',
        lines(*(f"{part}," for part in rules), indent=4),
        ")",
    )


def column(resource: Resource, field: Field) -> str:
    parts = [f'"{field.name}"', resource.fill(field.kind.column, field)]
    if field.kind.target:
        action = field.kind.on_delete.replace("_", " ").upper()
        parts.append(f'ForeignKey("{resource.tables[field.kind.target]}.id", ondelete="{action}")')
    if not field.optional:
        parts.append("nullable=False")
    if field.has("unique"):
        parts.append("unique=True")
    elif (field.has("index") or field.kind.target) and not index(resource, field):
        parts.append("index=True")
    return f"Column({', '.join(parts)})"


def check(field: Field) -> list[str]:
    if not field.kind.check:
        return []
    condition = field.kind.check.format(c=field.name)
    return [f'CheckConstraint("{condition}", name="{field.name}")']


def index(resource: Resource, field: Field) -> list[str]:
    """Pages of a list that is filtered or sorted by it: in the order of the id."""
    is_owner = resource.owned and field.name == "owner"
    if field.has("sort") or is_owner or field is resource.parent:
        return [f'Index(None, "{field.name}", "id")']
    return [f'Index(None, "{field.name}", "id")'] if _filters(field) else []


def _filters(field: Field) -> bool:
    return field.has("filter") and not field.has("unique")


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def service(resource: Resource) -> str:
    clock = resource.timestamps
    methods = [_page, _create]
    methods += [_get] * resource.can("read") + [_change] * resource.can("change")
    methods += [_delete] * resource.can("delete") + [_owned] * (
        resource.owned and resource.can("read", "change", "delete")
    )
    return lines(
        f"class {resource.name}Service:",
        f'    """Each method raises what UnitOfWorkFactory, Repository and {resource.name} raise."""',
        "",
        "    def __init__(self, unit_of_work: UnitOfWorkFactory"
        + (", clock: Clock" if clock else "")
        + ") -> None:",
        "        self._unit_of_work = unit_of_work",
        *(["        self._clock = clock"] if clock else []),
        *("\n" + method(resource) for method in methods),
    )


def _scope(resource: Resource) -> list[Field]:
    """What bounds a list, and is the same for all of its entities: a part of the path, the owner."""
    parent = [resource.parent] if resource.parent else []
    return parent + [field for field in resource.stored if resource.owned and field.name == "owner"]


def _keywords(resource: Resource) -> str:
    return "".join(f", {field.name}: {field.kind.python}" for field in _scope(resource))


def _require_parent(resource: Resource) -> list[str]:
    """Raises NotFoundError."""
    parent = resource.parent
    if not parent:
        return []
    return [f"            work.{resource.tables[parent.kind.target]}.get({parent.name})"]


def _page(resource: Resource) -> str:
    scope = _scope(resource)
    keywords = f", *{_keywords(resource)}" if scope else ""
    where = ", ".join(f'"{field.name}": {field.name}' for field in scope)
    query = f"replace(query, where={{**query.where, {where}}})" if scope else "query"
    return lines(
        f"    def page(self, query: PageQuery{keywords}) -> list[{resource.name}]:",
        "        with self._unit_of_work(read_only=True) as work:",
        *_require_parent(resource),
        f"            return work.{resource.plural}.page({query})",
    )


def _create(resource: Resource) -> str:
    scope = _scope(resource)
    given = "".join(f"{field.name}={field.name}, " for field in scope)
    moments = "created_at=now, updated_at=now, " if resource.timestamps else ""
    return lines(
        f"    def create(self{', *' * bool(scope)}{_keywords(resource)}, **values: Any)"
        f" -> {resource.name}:",
        f'        """`values` are the fields of {resource.a}."""',
        *(["        now = self._clock.now()"] if moments else []),
        f"        {resource.singular} = {resource.name}({given}{moments}**values)",
        "        with self._unit_of_work() as work:",
        *_require_parent(resource),
        f"            work.{resource.plural}.add({resource.singular})",
        f"        return {resource.singular}",
    )


def _get(resource: Resource) -> str:
    return lines(
        f"    def get(self, {resource.singular}_id: UUID{_owner_keyword(resource)})"
        f" -> {resource.name}:",
        "        with self._unit_of_work(read_only=True) as work:",
        f"            return {_found(resource)}",
    )


def _change(resource: Resource) -> str:
    name, changes = resource.singular, "**changes"
    if resource.timestamps:
        changes = "updated_at=self._clock.now(), **changes"
    return lines(
        f"    def change(self, {name}_id: UUID{_owner_keyword(resource)}, **changes: Any)"
        f" -> {resource.name}:",
        '        """Change what is given, all or nothing."""',
        "        with self._unit_of_work() as work:",
        f"            {name} = {_found(resource)}",
        "            if changes:",
        f"                {name} = replace({name}, {changes})",
        f"                work.{resource.plural}.save({name})",
        f"        return {name}",
    )


def _delete(resource: Resource) -> str:
    return lines(
        f"    def delete(self, {resource.singular}_id: UUID{_owner_keyword(resource)}) -> None:",
        "        with self._unit_of_work() as work:",
        f"            work.{resource.plural}.remove({_found(resource)})",
    )


def _owned(resource: Resource) -> str:
    name = resource.singular
    return lines(
        f"    def _owned(self, work: UnitOfWork, {name}_id: UUID, owner: str) -> {resource.name}:",
        f"        {name} = work.{resource.plural}.get({name}_id)",
        f"        if {name}.owner != owner:  # Said as the repository says it of what is not there.",
        f'            raise NotFoundError(f"There is no {resource.name.lower()} {{{name}_id}}.")',
        f"        return {name}",
    )


def _owner_keyword(resource: Resource) -> str:
    return ", *, owner: str" if resource.owned else ""


def _found(resource: Resource) -> str:
    name = resource.singular
    if resource.owned:
        return f"self._owned(work, {name}_id, owner)"
    return f"work.{resource.plural}.get({name}_id)"


def seed(resource: Resource) -> str:
    parents = {one.kind.target for one in resource.refs if not one.optional}
    tables = {target: resource.tables[target] for target in sorted(parents)}
    owner = ["owner=OWNER"] * resource.owned
    return lines(
        *(["OWNER = \"developer\"  # Of the tokens of `manage.py token`.", "", ""] * resource.owned),
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
        f"    container.{resource.singular}_service().create({', '.join([*owner, *values(resource)])})",
    )


def values(resource: Resource) -> list[str]:
    """Arguments in Python: what an entity needs, with the rows that it refers to."""
    return [
        f"{one.name}={f'{snake(one.kind.target)}.id' if one.kind.target else one.kind.values[0]}"
        for one in resource.fields
        if not (one.optional or one.default)
    ]
