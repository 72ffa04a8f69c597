"""Reads a database as a transaction sees it: names, files and relations of tables."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from chassis.migrations.catalog import Catalog, catalog

RELATIONS = text("""
    SELECT c.oid AS oid, relkind, pg_relation_filenode(c.oid) AS file,
        relrowsecurity AS is_secured,
        CASE nspname WHEN current_schema() THEN relname ELSE format('%s.%s', nspname, relname) END
            AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND nspname !~ '^(pg_|information_schema$)'
""")
COLUMNS = text("""
    SELECT attrelid AS oid, attnum AS number, attname AS name
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
""")
INHERITED = text("SELECT inhrelid, inhparent FROM pg_inherits")
INDEXES = text("SELECT indexrelid, indrelid FROM pg_index")
LABELS = text("SELECT oid, enumlabel FROM pg_enum")
RELATED = text("""
    SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
    UNION ALL SELECT inhrelid, inhparent FROM pg_inherits
""")
STORED = {"r", "p", "m"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database, as a transaction sees it."""

    relations: dict[int, Row[Any]]
    columns: dict[int, dict[int, str]]
    indexes: dict[int, int]
    labels: dict[int, str]
    inherited: set[tuple[int, int]]
    related: set[frozenset[int]]
    catalog: Catalog

    @classmethod
    def of(cls, connection: Connection) -> "Snapshot":
        columns: dict[int, dict[int, str]] = defaultdict(dict)
        for row in connection.execute(COLUMNS):
            columns[row.oid][row.number] = row.name
        return cls(
            relations={row.oid: row for row in connection.execute(RELATIONS)},
            columns=columns,
            indexes=_pairs(connection, INDEXES),
            labels=_pairs(connection, LABELS),
            inherited={(row[0], row[1]) for row in connection.execute(INHERITED)},
            related={frozenset(pair) for pair in connection.execute(RELATED)},
            catalog=catalog(connection),
        )

    def with_relations_of(self, other: "Snapshot") -> "Snapshot":
        """A snapshot with the tables and indexes of both snapshots only."""
        relations, indexes = self.relations | other.relations, self.indexes | other.indexes
        return Snapshot(relations, {}, indexes, {}, set(), set(), {})

    @property
    def names(self) -> dict[int, str]:
        return {oid: row.name for oid, row in self.relations.items()}

    @property
    def by_name(self) -> dict[str, int]:
        return {name: oid for oid, name in self.names.items()}

    @property
    def stored(self) -> set[int]:
        return {oid for oid, row in self.relations.items() if row.relkind in STORED}


def _pairs(connection: Connection, query: TextClause) -> dict[int, Any]:
    return {row[0]: row[1] for row in connection.execute(query)}
