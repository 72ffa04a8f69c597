"""Runs `db migrate` and `db check` on databases that contain objects of other owners.

proofs/strangers_objects.py runs this in a project's environment. Each database is at the newest of
two revisions, which create a table, a table with children and a partitioned table. Then a random
choice of the objects below is added, with odd names. `db check` must find nothing, and `db migrate`
must write nothing. Then the models get a column and a table, and later lose the column; after each
`db upgrade`, every foreign object must still exist with the same oid.
"""
# mypy: ignore-errors

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from unittest.mock import patch

from chassis.development.testing.database_cases import empty_database
from chassis.migrations.commands import Migrations
from chassis.project import Project
from sqlalchemy import Column, Index, Integer, MetaData, NullPool, Table, Text, create_engine, text
from src.infrastructure.databases.metadata import metadata
from support.revisions import revisions, write_revision

OWN = (
    "CREATE TABLE todos (id integer NOT NULL, title text, CONSTRAINT pk_todos PRIMARY KEY (id))",
    "CREATE INDEX ix_todos_title ON todos (title)",
    "CREATE TABLE parents (id integer)",
    "CREATE TABLE events (id integer, day integer) PARTITION BY RANGE (day)",
    "CREATE TABLE events_first PARTITION OF events FOR VALUES FROM (0) TO (10)",
)
WORDS = ("todo", "Order", "legacy orders", 'a "quoted" one', "dotted.name", "ÄÖÜ", "select", "100%")
# {0} and {1} are new quoted names.
OBJECTS = (
    "CREATE TABLE {0} (id integer PRIMARY KEY, {1} text UNIQUE)",
    "CREATE TABLE {0} (id serial, todo integer REFERENCES todos ON DELETE CASCADE)",
    "CREATE UNLOGGED TABLE {0} (LIKE todos INCLUDING ALL)",
    "CREATE TABLE {0} ({1} text) INHERITS (parents)",
    "CREATE TABLE {0} () INHERITS (parents); CREATE TABLE {1} () INHERITS ({0})",
    "CREATE TABLE {0} PARTITION OF events FOR VALUES FROM ({number}0) TO ({number}9)",
    "CREATE TABLE {0} PARTITION OF events FOR VALUES FROM ({number}0) TO ({number}9)"
    " PARTITION BY RANGE (id); CREATE TABLE {1} PARTITION OF {0} DEFAULT",
    "CREATE TABLE {0} (id integer) PARTITION BY LIST (id);"
    " CREATE TABLE {1} PARTITION OF {0} DEFAULT",
    "CREATE INDEX {0} ON todos (lower(title)) WHERE id > {number}",
    "CREATE UNIQUE INDEX {0} ON todos (title, id)",
    "CREATE INDEX {0} ON ONLY events (id)",
    "ALTER TABLE todos ADD CONSTRAINT {0} CHECK (id > -{number})",
    "ALTER TABLE todos ADD CONSTRAINT {0} UNIQUE (title, id)",
    "ALTER TABLE parents ADD CONSTRAINT {0} EXCLUDE (id WITH =)",
    "ALTER TABLE todos ADD COLUMN {0} text",
    "ALTER TABLE parents ADD COLUMN {0} integer DEFAULT {number}",
    "CREATE MATERIALIZED VIEW {0} AS SELECT title FROM todos; CREATE INDEX {1} ON {0} (title)",
    "CREATE VIEW {0} AS SELECT * FROM events",
    "CREATE SCHEMA {0}; CREATE TABLE {0}.todos (id integer); CREATE TYPE {0}.{1} AS ENUM ('x')",
    "CREATE SCHEMA {0}; CREATE SEQUENCE {0}.{1}; CREATE TABLE {0}.{0} (id bigint PRIMARY KEY)",
    "CREATE SEQUENCE {0}; CREATE SEQUENCE {1} OWNED BY todos.id",
    "CREATE TYPE {0} AS ENUM ('a', 'B')",
    "CREATE DOMAIN {0} AS integer CHECK (VALUE > 0); CREATE TABLE {1} (of {0})",
    "CREATE TYPE {0} AS (a integer); CREATE TABLE {1} OF {0}",
    "CREATE FOREIGN DATA WRAPPER {0}; CREATE SERVER {0} FOREIGN DATA WRAPPER {0};"
    " CREATE FOREIGN TABLE {1} (id integer) SERVER {0}",
    "CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER {1} BEFORE INSERT ON todos EXECUTE FUNCTION {0}()",
    "CREATE POLICY {0} ON todos USING (true)",
    "CREATE STATISTICS {0} ON id, title FROM todos",
    "COMMENT ON TABLE todos IS 'A stranger was here.'; COMMENT ON COLUMN todos.title IS '...'",
    "CREATE RULE {0} AS ON DELETE TO parents DO ALSO NOTHING",
    "ALTER TABLE todos SET (fillfactor = 70), CLUSTER ON pk_todos",
    "CREATE EXTENSION IF NOT EXISTS {extension} CASCADE",
)
EXTENSIONS = text("SELECT name FROM pg_available_extensions ORDER BY name")
OIDS = text("""
    SELECT 'pg_class', oid::text, relname FROM pg_class
    UNION ALL SELECT 'pg_constraint', oid::text, conname FROM pg_constraint
    UNION ALL SELECT 'pg_type', oid::text, typname FROM pg_type
    UNION ALL SELECT 'pg_namespace', oid::text, nspname FROM pg_namespace
    UNION ALL SELECT 'pg_trigger', oid::text, tgname FROM pg_trigger
    UNION ALL SELECT 'pg_policy', oid::text, polname FROM pg_policy
    UNION ALL SELECT 'pg_proc', oid::text, proname FROM pg_proc
    UNION ALL SELECT 'pg_rewrite', oid::text, rulename FROM pg_rewrite
    UNION ALL SELECT 'pg_statistic_ext', oid::text, stxname FROM pg_statistic_ext
    UNION ALL SELECT 'pg_extension', oid::text, extname FROM pg_extension
    UNION ALL SELECT 'pg_attribute', attrelid || '.' || attnum, attname FROM pg_attribute
        WHERE NOT attisdropped
    UNION ALL SELECT 'pg_attrdef', oid::text, pg_get_expr(adbin, adrelid) FROM pg_attrdef
    UNION ALL SELECT 'pg_description', objoid || '.' || objsubid, description FROM pg_description
""")
FEWEST, MOST = 4, 14


def main() -> int:
    seed, databases = int(sys.argv[1]), int(sys.argv[2])
    print(f"strangers' objects: seed {seed}, {databases} databases")
    random = Random(seed)
    wrong = objects = 0
    for number in range(databases):
        with database() as url:
            made = strangers(url, random)
            objects += len(made)
            for sentence in violations(url):
                wrong += 1
                print(f"FAIL database {number}: {sentence}\n     of {'; '.join(made)}")
    print(f"{objects} objects of others in {databases} databases; {wrong} dropped or called drift")
    return 1 if wrong or not objects else 0


@contextmanager
def database() -> Iterator[str]:
    """Create a database and a folder of revisions for it."""
    with empty_database() as url, revisions() as folder:
        write_revision(folder, 1, *OWN, down="DROP TABLE todos, parents, events")
        Migrations(url).upgrade()
        yield url


def models(*columns: Column) -> MetaData:
    own = MetaData(naming_convention=metadata.naming_convention)
    Table(
        "todos",
        own,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("title", Text),
        Index(None, "title"),
        *columns,
    )
    Table("parents", own, Column("id", Integer))
    days = Column("id", Integer), Column("day", Integer)
    Table("events", own, *days, postgresql_partition_by="RANGE (day)")
    return own


def strangers(url: str, random: Random) -> list[str]:
    """Create a random choice of objects; return their statements."""
    numbers = count(1)
    made = []
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        extensions = connection.execute(EXTENSIONS).scalars().all()
        for form in random.sample(OBJECTS, random.randint(FEWEST, MOST)):
            number = next(numbers)
            names = [name(random, number, part) for part in ("", "'s")]
            extension = f'"{random.choice(extensions)}"'
            statement = form.format(*names, number=number, extension=extension)
            connection.exec_driver_sql(statement.replace("%", "%%"))
            made.append(statement)
    return made


def name(random: Random, number: int, part: str) -> str:
    plain = f"{random.choice(WORDS)} {number}{part}"
    quoted = plain.replace('"', '""')
    return f'"{quoted}"'


def violations(url: str) -> Iterator[str]:
    migrations, before = Migrations(url), oids(url)
    with patch.object(Project, "metadata", models()):
        yield from (f"check says: {sentence}" for sentence in migrations.check())
        yield from (f"migrate writes {path}" for path in migrations.create("Nothing"))
    wider = models(Column("note", Text, index=True))
    Table("extra", wider, Column("id", Integer, primary_key=True))
    with patch.object(Project, "metadata", wider):
        yield from after(migrations, "Add")
        yield from (f"{what} is gone" for what in sorted(before - oids(url)))
    with patch.object(Project, "metadata", models()):
        yield from after(migrations, "Drop", "extra", "todos.note", "ix_todos_note")
        yield from (f"{what} is gone" for what in sorted(before - oids(url)))


def after(migrations: Migrations, message: str, *accepted: str) -> Iterator[str]:
    if not migrations.create(message, accept_drop=accepted):
        yield f"migrate does not write: {message}"
    migrations.upgrade()
    yield from (f"check says: {sentence}" for sentence in migrations.check())
    yield from (f"migrate writes again: {path}" for path in migrations.create("Again"))


def oids(url: str) -> set[tuple[str, ...]]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return {tuple(row) for row in connection.execute(OIDS)}


if __name__ == "__main__":
    sys.exit(main())
