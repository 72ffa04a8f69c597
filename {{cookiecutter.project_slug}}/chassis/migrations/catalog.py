"""Describes a database's objects in PostgreSQL's own words, as far as models can have them.

Equal objects have equal definitions, whoever made them and however they were written: PostgreSQL
writes both. Views, functions, triggers, policies and rights are left out.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema

from chassis.maintenance.window_log import TABLES_BESIDE
from chassis.migrations.scratch import undone
from chassis.postgres.error_translation import first_line

HOME = text("SELECT coalesce(current_schema(), 'public')")
# Else PostgreSQL would write a name with or without its schema, depending on search_path.
ONE_SCHEMA = text("SELECT set_config('search_path', quote_ident(:home), true)")
RESTORE = text("SELECT set_config('search_path', :path, true)")
# Objects that models can make: those that do not belong to an extension.
MODELLED = text(r"""
    SELECT format('DROP %s IF EXISTS %s CASCADE', kind, name) FROM (
        SELECT 'pg_class'::regclass AS catalog, oid, relnamespace AS namespace,
            oid::regclass::text AS name, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
            AS kind FROM pg_class WHERE relkind IN ('r', 'p', 'S') AND NOT relispartition
        UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace, oid::regtype::text,
            CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END FROM pg_type
            WHERE typtype IN ('e', 'd')
    ) AS objects JOIN pg_namespace n ON n.oid = namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND name <> ALL (CAST(:beside AS text[]))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = catalog AND d.objid = objects.oid
        AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
    ORDER BY kind DESC
""")
BESIDE = {"beside": [*TABLES_BESIDE]}  # No model has these tables.
NOT_MADE = (
    "The tables of the models cannot be created after the revisions have run. If they need an "
    "extension or a function, create it in a revision: `db migrate --empty`."
)
# IN on a varchar: PostgreSQL writes a cast of the array, and once it has read that, a cast of each
# value. Both mean the same.
CAST_LIST = re.compile(r"\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]")
CAST_VALUE = re.compile(r"'(?:[^']|'')*'::character varying")
CAST_TO_TEXT = r"(\g<0>)::text"
CONSTRAINTS = {
    "primary key",
    "unique constraint",
    "foreign key",
    "exclusion constraint",
    "check constraint",
}


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """The name of an object; `schema` is empty for the schema that the connection writes to."""

    kind: str
    schema: str
    table: str
    name: str

    @property
    def label(self) -> str:
        """The name in the form of `--accept-drop`."""
        own = self.name if self.kind in {"index", *CONSTRAINTS} else ""
        parts = [self.schema, *([own] if own else [self.table, self.name])]
        return ".".join(part for part in parts if part)

    @property
    def is_column(self) -> bool:
        return self.kind.startswith("column ")

    @property
    def relation(self) -> tuple[str, str]:
        return self.schema, self.table

    def __str__(self) -> str:
        kind = "column" if self.is_column else self.kind
        where = f" of {self.table}" if self.kind in {"index", *CONSTRAINTS} else ""
        return f"{kind} {self.label}{where}"


Catalog = dict[Key, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two catalogs. A missing or extra table stands for all its parts."""

    missing: Catalog = field(default_factory=dict)
    extra: Catalog = field(default_factory=dict)
    changed: dict[Key, tuple[str, str]] = field(default_factory=dict)  # The present and the wanted.

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changed)

    @property
    def texts(self) -> list[str]:
        return [
            *(f"{key} is missing" for key in sorted(self.missing)),
            *(f"{key} is not in the models" for key in sorted(self.extra)),
            *(
                f"{key} is {was or 'nothing'}, not {wanted or 'nothing'}"
                for key, (was, wanted) in sorted(self.changed.items())
            ),
        ]


@cache
def _facts() -> TextClause:
    return text(Path(__file__).with_name("catalog.sql").read_text("utf-8"))


def catalog(connection: Connection) -> Catalog:
    """The catalog of the database, as this transaction sees it."""
    home = connection.execute(HOME).scalar_one()
    path = connection.exec_driver_sql("SHOW search_path").scalar_one()
    connection.execute(ONE_SCHEMA, {"home": home})
    rows = connection.execute(_facts(), {"home": home, **BESIDE}).all()
    connection.execute(RESTORE, {"path": path})
    return {Key(*row[:4]): CAST_LIST.sub(_with_cast_values, row[4] or "") for row in rows}


def _with_cast_values(match: re.Match[str]) -> str:
    return f"ARRAY[{CAST_VALUE.sub(CAST_TO_TEXT, match[1])}]"


def wanted_by(connection: Connection, metadata: MetaData) -> Catalog:
    """The catalog that the models would make in this scratch database, in place of its contents.

    Raise CommandError if an object cannot be made.

    A transaction makes everything, and is rolled back. Objects that models cannot make, such as
    functions that a default calls, are kept.
    """
    with undone(connection):
        for statement in connection.execute(MODELLED, BESIDE).scalars().all():
            connection.exec_driver_sql(statement)
        for schema in sorted({table.schema for table in metadata.tables.values() if table.schema}):
            connection.execute(CreateSchema(schema, if_not_exists=True))
        try:
            metadata.create_all(connection)
        except DBAPIError as error:
            raise CommandError(f"{NOT_MADE} ({first_line(error.orig)})") from error
        return catalog(connection)


def compare(actual: Catalog, wanted: Catalog) -> Difference:
    others = {key.relation for key in actual if key.kind == "inherits"}
    actual, wanted = (_comparable(one, others) for one in (actual, wanted))
    missing = _whole({key: wanted[key] for key in wanted.keys() - actual.keys()})
    extra = _whole({key: actual[key] for key in actual.keys() - wanted.keys()})
    missing, extra = _without_renamed(missing, extra)
    changed = {
        key: (actual[key], wanted[key])
        for key in actual.keys() & wanted.keys()
        if actual[key] != wanted[key]
    }
    return Difference(missing, extra, changed)


def _comparable(one: Catalog, others: set[tuple[str, str]]) -> Catalog:
    return {
        key: definition
        for key, definition in one.items()
        if key.kind != "inherits" and (not key.table or key.relation not in others)
    }


def _whole(catalog: Catalog) -> Catalog:
    """The objects, without parts of tables and columns that are among them."""
    tables = {key.relation for key in catalog if key.kind == "table"}
    columns = {(key.relation, key.name) for key in catalog if key.kind == "column type"}
    return {
        key: definition
        for key, definition in catalog.items()
        if not (key.table and key.kind != "table" and key.relation in tables)
        and key.kind not in {"column null", "column default"}
        and not (key.kind == "comment" and (key.relation, key.name) in columns)
    }


def _without_renamed(missing: Catalog, extra: Catalog) -> tuple[Catalog, Catalog]:
    """The difference without indexes and constraints that differ in their names only."""
    missing, extra = dict(missing), dict(extra)
    for key in [key for key in missing if key.kind in {"index", *CONSTRAINTS}]:
        same = (
            other
            for other in extra
            if (other.kind, other.relation, extra[other]) == (key.kind, key.relation, missing[key])
        )
        if twin := next(same, None):
            del missing[key], extra[twin]
    return missing, extra
