"""Each list has its indexes, and needs no more statements for many rows than for one."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import MetaData, event

from chassis.development.testing.declared_lists import missing_indexes
from chassis.development.testing.example_rows import Rows, fill
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.openapi.document import operations, resolve
from chassis.project import current_project

MANY = 20


class ListsSuite(ApplicationTestCase):
    # Values by column that rows need to appear in a list.
    values: ClassVar[Mapping[str, Any]] = {"owner": "tests"}

    @property
    def metadata(self) -> MetaData:
        metadata: MetaData = current_project().metadata
        return metadata

    def lists(self) -> Iterator[str]:
        document = self.client.get("/openapi.json").get_json()
        for path, method, operation in operations(document):
            content = operation["responses"].get("200", {}).get("content", {})
            found = content.get("application/json", {}).get("schema", {})
            names = resolve(document, found).get("properties", {}).keys()
            if method == "get" and {"items", "next"} <= names:
                yield path

    def test_each_sort_and_filter_has_its_index(self) -> None:
        self.assertEqual(missing_indexes(self.client.application, self.metadata), [])

    def test_many_rows_cost_as_many_statements_as_one(self) -> None:
        costs: dict[str, list[int]] = {}
        for count in (1, MANY):
            with self._cleaner.begin() as connection:
                for table in reversed(self.metadata.sorted_tables):
                    connection.execute(table.delete())
                rows = fill(connection, self.metadata, count, self.values)
            for path in self.lists():
                found, statements = self.read(self.concrete(path, rows))
                self.assertGreaterEqual(
                    found, min(count, 2), f"{path} shows {found} of {count} rows: add to `values`."
                )
                costs.setdefault(path, []).append(statements)
        for path, (one, many) in costs.items():
            self.assertEqual(
                one, many, f"{path} sends {one} statements for 1 row, and {many} for {MANY}: N+1."
            )

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
