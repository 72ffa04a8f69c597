"""The tests of a resource."""

from chassis.development.generate.grammar import Field, Resource
from chassis.development.generate.names import snake
from chassis.development.generate.rings import entries, examples, lines, needed, parents


def service_tests(resource: Resource) -> str:
    parts = [_service_created(resource), _service_rules(resource)]
    parts += [write(resource) for key, write in OF_SERVICE.items() if resource.can(key)]
    if resource.owned and resource.can("read"):
        parts.append(_anothers(resource))
    owner = ['"owner": OWNER'] * resource.owned
    return lines(
        *(['OWNER = "developer"'] * resource.owned),
        f"VALUES: dict[str, Any] = {entries([*owner, *examples(resource)])}",
        "",
        "",
        f"class {resource.name}ServiceTest(TestCase):",
        "    def setUp(self) -> None:",
        _service_set_up(resource),
        *parts,
    )


def _service_set_up(resource: Resource) -> str:
    """With the rows that it refers to, where it needs some: their seeds make them."""
    tables = parents(resource)
    if not tables:
        service = f"{resource.name}Service(MemoryUnitOfWorkFactory())"
        return f"        self.{resource.plural} = {service}"
    rows = [
        f'"{one.name}": {snake(one.kind.target)}.id' for one in needed(resource) if one.kind.target
    ]
    return lines(
        "container = Container()",
        "container.unit_of_work.override(Object(MemoryUnitOfWorkFactory()))",
        *_seeded(tables),
        f"self.values = VALUES | {{{', '.join(rows)}}}",
        f"self.{resource.plural} = container.{resource.singular}_service()",
        indent=8,
    )


def _seeded(tables: dict[str, str]) -> list[str]:
    """Each parent as a variable."""
    return [
        *(f"{table}.seed(container)" for table in tables.values()),
        "with container.unit_of_work()(read_only=True) as work:",
        *(
            f"    [{snake(target)}] = work.{table}.page(PageQuery(limit=1))"
            for target, table in tables.items()
        ),
    ]


def _given(resource: Resource) -> str:
    return "self.values" if parents(resource) else "VALUES"


def _paged(resource: Resource) -> str:
    parent = resource.parent
    within = f', {parent.name}=self.values["{parent.name}"]' if parent else ""
    return f"self.{resource.plural}.page(PageQuery(limit=10){within}{_owner(resource)})"


def _service_created(resource: Resource) -> str:
    return _test(
        f"a_created_{resource.singular}_is_listed",
        f"{resource.singular} = self.{resource.plural}.create(**{_given(resource)})",
        f"page = {_paged(resource)}",
        f"self.assertEqual([one.id for one in page], [{resource.singular}.id])",
    )


def _service_rules(resource: Resource) -> str:
    broken = ", ".join(f'"{one.name}": {one.kind.bad_value}' for one in resource.fields)
    return _test(
        "what_breaks_a_rule_is_refused",
        f"broken: dict[str, Any] = {{{broken}}}",
        "for name, value in broken.items():",
        "    with self.subTest(name), self.assertRaises(ValidationError):",
        f"        self.{resource.plural}.create(**{_given(resource)} | {{name: value}})",
    )


def _test(name: str, *body: str) -> str:
    return lines("", f"    def test_{name}(self) -> None:", lines(*body, indent=8))


def _owner(resource: Resource) -> str:
    return ", owner=OWNER" * resource.owned


def _service_read(resource: Resource) -> str:
    name, plural = resource.singular, resource.plural
    return _test(
        f"an_unknown_{name}_is_not_found",
        "with self.assertRaises(NotFoundError):",
        f"    self.{plural}.get(uuid7(){_owner(resource)})",
    )


def _service_change(resource: Resource) -> str:
    name, plural, one = resource.singular, resource.plural, _to_change(resource)
    value = resource.fill(one.kind.values[1], one)
    if one.kind.target:
        value = "None" if one.optional else f'self.values["{one.name}"]'
    return _test(
        "a_change_is_stored",
        f"{name} = self.{plural}.create(**{_given(resource)})",
        f"{name} = self.{plural}.change({name}.id{_owner(resource)}, {one.name}={value})",
        f"[stored] = {_paged(resource)}",
        f"self.assertEqual((stored.{one.name}, stored.version), ({name}.{one.name}, 2))",
    )


def _to_change(resource: Resource) -> Field:
    plain = [one for one in resource.inputs if not one.kind.target]
    return (plain or resource.inputs)[0]


def _service_delete(resource: Resource) -> str:
    name, plural = resource.singular, resource.plural
    return _test(
        f"a_deleted_{name}_is_gone",
        f"{name} = self.{plural}.create(**{_given(resource)})",
        f"self.{plural}.delete({name}.id{_owner(resource)})",
        f"self.assertEqual({_paged(resource)}, [])",
    )


def _anothers(resource: Resource) -> str:
    name, plural = resource.singular, resource.plural
    return _test(
        "what_belongs_to_another_is_not_found",
        f"{name} = self.{plural}.create(**{_given(resource)})",
        "with self.assertRaises(NotFoundError):",
        f'    self.{plural}.get({name}.id, owner="another")',
        f"page = {_paged(resource).replace('OWNER', chr(34) + 'another' + chr(34))}",
        "self.assertEqual(page, [])",
    )


OF_SERVICE = {"read": _service_read, "change": _service_change, "delete": _service_delete}


def api_tests(resource: Resource) -> str:
    upper = resource.singular.upper()
    required = [json_example(one) for one in resource.required if not one.kind.target]
    parts = [*_set_up(resource), _helper(resource)]
    parts += [_created(resource), _refused(resource)] * resource.can("create")
    parts += [_changed(resource)] * resource.can("change")
    parts += [_deleted(resource)] * resource.can("delete")
    parts += [_unknown(resource)] * resource.can("read", "change", "delete")
    parts += [_listed(resource)] * resource.can("list")
    parts += [_unique(resource)] * (resource.can("create") and _has_unique(resource))
    return lines(
        *([] if resource.parent else [f'{resource.plural.upper()} = "/prefix/v1/{resource.url}"']),
        *([f"{upper}: dict[str, Any] = {entries(required)}"] * resource.can("create")),
        "",
        "",
        f"class {services(resource)}Test(ApplicationTestCase):",
        *parts,
    )


def json_example(one: Field) -> str:
    return f'"{one.name}": {one.kind.json[0]}'


def services(resource: Resource) -> str:
    return "".join(word.title() for word in resource.plural.split("_"))


def _has_unique(resource: Resource) -> bool:
    """Whether the same again is refused: nothing is equal to null."""
    may_be_null = {one.name for one in resource.fields if one.optional}
    together = any(not may_be_null & set(names) for names in resource.unique)
    return together or any(one.has("unique") for one in resource.required)


def _body(resource: Resource) -> str:
    in_body = any(one.kind.target for one in resource.required)
    return "self.body" if in_body else resource.singular.upper()


def _list_path(resource: Resource) -> str:
    return "self.path" if resource.parent else resource.plural.upper()


def _set_up(resource: Resource) -> list[str]:
    tables, parent = parents(resource), resource.parent
    if not resource.can("create"):  # Then a row of its own is seeded, and the path is needed.
        tables = {parent.kind.target: tables[parent.kind.target]} if parent else {}
    if not tables:
        return []
    rows = [
        f'"{one.name}": str({snake(one.kind.target)}.id)'
        for one in resource.required
        if one.kind.target
    ]
    constant = resource.singular.upper()
    body = [f"self.body = {constant} | {{{', '.join(rows)}}}"] * bool(
        rows and resource.can("create")
    )
    path = []
    if parent:
        above = resource.tables[parent.kind.target].replace("_", "-")
        parent_id = f"{{{snake(parent.kind.target)}.id}}"
        path = [f'self.path = f"/prefix/v1/{above}/{parent_id}/{resource.url}"']
    return [
        lines(
            "    def setUp(self) -> None:",
            "        super().setUp()",
            '        container = self.client.application.extensions["container"]',
            lines(*_seeded(tables), *body, *path, indent=8),
            "",
        )
    ]


def _helper(resource: Resource) -> str:
    name = resource.singular
    if resource.can("create"):
        prefix = f"/prefix/v1/{resource.url}"
        return lines(
            "    def create(self, **values: Any) -> str:",
            f'        """Returns the new {resource.words}\'s path."""',
            f"        body = {_body(resource)} | values",
            f"        response = self.client.post({_list_path(resource)}, json=body)",
            "        self.assertEqual(response.status_code, 201, response.text)",
            f"        return f\"{prefix}/{{response.get_json()['id']}}\"",
        )
    return lines(
        "    def create(self) -> str:",
        f'        """Returns the path of {resource.a} that is there."""',
        '        container = self.client.application.extensions["container"]',
        f"        {resource.plural}.seed(container)",
        "        with container.unit_of_work()(read_only=True) as work:",
        f"            [{name}] = work.{resource.plural}.page(PageQuery(limit=1))",
        f'        return f"/prefix/v1/{resource.url}/{{{name}.id}}"',
    )


def _created(resource: Resource) -> str:
    name, body = resource.singular, _body(resource)
    hidden = [one for one in resource.required if one.has("writeonly")]
    if hidden:
        names = ", ".join(f'"{one.name}"' for one in hidden)
        shown = f"{{name: value for name, value in {body}.items() if name not in {{{names}}}}}"
        checks = [f"shown = {shown}", f"self.assertEqual({name}, {name} | shown)"]
        checks += [f'self.assertNotIn("{one.name}", {name})' for one in hidden]
    else:
        checks = [f"self.assertEqual({name}, {name} | {body})"]
    if not resource.can("read"):
        get = f"{name} = self.client.post({_list_path(resource)}, json={body}).get_json()"
        return _test(f"a_created_{name}_is_sent_back", get, *checks)
    get = f"{name} = self.client.get(self.create()).get_json()"
    return _test(f"a_created_{name}_is_read_back", get, *checks)


def _refused(resource: Resource) -> str:
    values = [
        f'("{one.name}", {value})' for one in resource.inputs for value in one.kind.broken[:2]
    ]
    values += [f'("{one.name}", None)' for one in resource.inputs if not one.optional]
    values += [f'("{name}", None)' for name in ("id", "version", *_server_set(resource))]
    return _test(
        f"what_{resource.a.replace(' ', '_')}_cannot_have_is_refused",
        f"values: list[tuple[str, Any]] = [{', '.join(values)}]",
        "for name, value in values:",
        "    with self.subTest(name, value=value):",
        f"        body = {_body(resource)} | {{name: value}}",
        f"        response = self.client.post({_list_path(resource)}, json=body)",
        '        self.assert_problem(response, 422, "validation")',
    )


def _server_set(resource: Resource) -> list[str]:
    return [one.name for one in resource.stored if one not in resource.inputs]


def _changed(resource: Resource) -> str:
    one = _to_change(resource)
    value = f'self.body["{one.name}"]' if one.kind.target else one.kind.json[1]
    if one.kind.target and one.optional:
        value = "None"
    shown = [] if one.has("writeonly") else [f'self.assertEqual(changed["{one.name}"], {value})']
    return _test(
        "a_change_is_stored",
        "path = self.create()",
        f'response = self.client.patch(path, json={{"{one.name}": {value}}})',
        "self.assertEqual(response.status_code, 200, response.text)",
        "changed = response.get_json()",
        *shown,
        'self.assertEqual(changed["version"], 2)',
    )


def _deleted(resource: Resource) -> str:
    return _test(
        f"a_deleted_{resource.singular}_is_gone",
        "path = self.create()",
        "self.assertEqual(self.client.delete(path).status_code, 204)",
        'self.assert_problem(self.client.delete(path), 404, "not-found")',
    )


def _unknown(resource: Resource) -> str:
    url = f"/prefix/v1/{resource.url}"
    if resource.can("read"):
        request = f'self.client.get(f"{url}/{{uuid4()}}")'
    elif resource.can("delete"):
        request = f'self.client.delete(f"{url}/{{uuid4()}}")'
    else:
        request = f'self.client.patch(f"{url}/{{uuid4()}}", json={{}})'
    return _test(
        f"an_unknown_{resource.singular}_is_not_found",
        f'self.assert_problem({request}, 404, "not-found")',
    )


def _listed(resource: Resource) -> str:
    path = _list_path(resource)
    return _test(
        f"{resource.plural}_are_listed",
        "path = self.create()",
        f'[{resource.singular}] = self.client.get({path}).get_json()["items"]',
        f'self.assertTrue(path.endswith({resource.singular}["id"]))',
    )


def _unique(resource: Resource) -> str:
    request = f"self.client.post({_list_path(resource)}, json={_body(resource)})"
    return _test(
        "what_has_to_be_unique_is_refused_twice",
        "self.create()",
        f'self.assert_problem({request}, 409, "duplicate")',
    )
