"""Each list has its indexes and its second page, and needs no more statements for many rows."""

import json
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from typing import Any, ClassVar
from unittest.mock import patch

from sqlalchemy import Connection, MetaData, event
from sqlalchemy.exc import IntegrityError

from chassis.development.testing.declared_lists import missing_indexes
from chassis.development.testing.example_rows import Rows, fill, tables_with_rows
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.development.testing.json_schema import example
from chassis.http.access import policies
from chassis.http.input.parser import query_fields
from chassis.openapi.document import operations, resolve
from chassis.project import current_project
from chassis.schemas.sort import Sort

FEW, MANY = 5, 20
OWN = {"limit", "cursor", "sort"}  # Arguments that are no filter.


class ListsSuite(ApplicationTestCase):
    # Values by column that rows need to appear in a list.
    values: ClassVar[Mapping[str, Any]] = {"owner": "tests"}
    # Lists with rows in tables of the chassis: the tests of the chassis fill these.
    elsewhere: ClassVar[Set[str]] = frozenset()

    @property
    def metadata(self) -> MetaData:
        metadata: MetaData = current_project().metadata
        return metadata

    def lists(self) -> Iterator[str]:
        document = self.client.get("/openapi.json").get_json()
        for path, method, operation in operations(document):
            content = operation["responses"].get("200", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            names = resolve(document, schema).get("properties", {}).keys()
            if method == "get" and {"items", "next"} <= names and path not in self.elsewhere:
                yield path

    def test_each_sort_and_filter_has_its_index(self) -> None:
        self.assertEqual(missing_indexes(self.client.application, self.metadata), [])

    def test_many_rows_cost_as_many_statements_as_one(self) -> None:
        costs: dict[str, list[int]] = {}
        for count in (1, MANY):
            with self._cleaner.begin() as connection:
                for table in reversed(tables_with_rows(self.metadata)):
                    connection.execute(table.delete())
                rows = fill(connection, self.metadata, count, self.values)
            for path in self.lists():
                shown, statements = self.read(self.concrete(path, rows))
                self.assertGreaterEqual(
                    shown,
                    min(count, 2),
                    f"{path} shows {shown} of {count} rows: set `values` of the suite.",
                )
                costs.setdefault(path, []).append(statements)
        for path, (one, many) in costs.items():
            self.assertEqual(
                one, many, f"{path} sends {one} statements for 1 row, and {many} for {MANY}: N+1."
            )

    def test_each_sort_shows_each_row_once_page_by_page(self) -> None:
        rows = self.some_rows()
        for path, _, field in self.arguments():
            if isinstance(field, Sort):
                target = self.concrete(path, rows)
                whole = self.walk(target)
                for word in [sign + name for name in field.fields for sign in ("", "-")]:
                    items = self.walk(target, sort=word, limit=1)
                    self.assertCountEqual(items, whole, f"{path}?sort={word}")

    def test_each_filter_goes_on_to_the_next_page(self) -> None:
        rows = self.some_rows()
        for path, name, field in self.arguments():
            if name not in OWN:
                target = self.concrete(path, rows)
                value = self.wanted(path, name, field, [*map(json.loads, self.walk(target))])
                whole = self.walk(target, **{name: value})
                items = self.walk(target, **{name: value}, limit=1)
                self.assertEqual(items, whole, f"{path}?{name}={value}")

    def arguments(self) -> Iterator[tuple[str, str, Any]]:
        """The path of each list, and name and field of each of its arguments."""
        lists = set(self.lists())
        for _, method, rule, view in policies.operations(self.client.application):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)
            if method == "GET" and path in lists:
                yield from ((path, name, field) for name, field in query_fields(view).items())

    def wanted(self, path: str, name: str, field: Any, items: list[Any]) -> Any:
        """A value for a filter: of an item that is there, else an example of the document."""
        compared, operator = (name, "equal")
        if field.comparison and not field.comparison.via:
            compared, operator = field.comparison.field, field.comparison.operator
        values = [item[compared] for item in items if item.get(compared) is not None]
        if operator == "is_set" or not values or isinstance(values[0], list | dict):
            document = self.client.get("/openapi.json").get_json()
            parameters = document["paths"][path]["get"]["parameters"]
            schema = next(one["schema"] for one in parameters if one["name"] == name)
            values = [example(document, schema)]
        value = values[0]
        if isinstance(value, bool):
            return str(value).lower()
        return value[:1] if operator == "prefix" else value

    def walk(self, target: str, **arguments: Any) -> list[str]:
        """Return all items, page by page."""
        items, errors, cursor = list[str](), list[Any](), dict[str, str]()
        with patch.object(self.client.application, "log_exception", errors.append):
            while len(items) <= MANY:
                response = self.client.get(target, query_string=arguments | cursor)
                place = f"{target} with {arguments} is answered with {response.status_code}"
                reason = errors[-1][1] if errors else response.text
                self.assertEqual(response.status_code, 200, f"{place}: {reason}")
                page = response.get_json()
                items += map(json.dumps, page["items"])
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        return items

    def some_rows(self) -> Rows:
        """Insert rows into each table; optional columns of the first two are NULL."""
        with self._cleaner.begin() as connection:
            rows = fill(connection, self.metadata, FEW, self.values)
            for table in self.metadata.sorted_tables:
                for column in table.columns:
                    if column.nullable and not column.foreign_keys and "id" in table.c:
                        empty = table.update().where(
                            table.c.id.in_([row["id"] for row in rows[table.name][:2]])
                        )
                        if column.name not in self.values:
                            _try(connection, empty.values({column: None}))
        return rows

    def concrete(self, path: str, rows: Rows) -> str:
        """The path with ids of existing rows for its parameters."""
        for table in self.metadata.tables.values():
            for column in table.columns:
                if column.foreign_keys and f"{{{column.name}}}" in path:
                    target = next(iter(column.foreign_keys)).column.table.name
                    path = path.replace(f"{{{column.name}}}", str(rows[target][0]["id"]))
        return path

    def read(self, path: str) -> tuple[int, int]:
        """The number of items, and of statements."""
        count = 0

        def note(*_: Any) -> None:
            nonlocal count
            count += 1

        engines = self.client.application.extensions["container"].engines()
        for engine in (engines.read, engines.write):
            event.listen(engine, "before_cursor_execute", note)
        try:
            response = self.client.get(path, query_string={"limit": MANY})
        finally:
            for engine in (engines.read, engines.write):
                event.remove(engine, "before_cursor_execute", note)
        self.assertEqual(response.status_code, 200, response.text)
        return len(response.get_json()["items"]), count


def _try(connection: Connection, statement: Any) -> None:
    """Execute a change, unless a constraint of the table rejects it."""
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(statement)
