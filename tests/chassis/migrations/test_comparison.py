"""`db migrate` and `db check` compare models with the database, and ignore foreign objects."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from alembic.util import CommandError
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    create_engine,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, JSON, JSONB, ExcludeConstraint
from sqlalchemy.schema import SchemaItem

from chassis.migrations.catalog import Key, catalog
from chassis.migrations.check import FindingsError
from chassis.migrations.commands import Migrations
from chassis.migrations.plan import Options
from chassis.project import Project
from src.infrastructure.databases.metadata import metadata as real
from support.revisions import RevisionsTestCase

NEEDS = re.compile('^maintenance = "(.*)"$', re.MULTILINE)
VALUE = re.compile("'(?:[^']|'')*'")
PHASE = re.compile('^phase = "(.*)"$', re.MULTILINE)
STRANGERS = """
    CREATE TABLE legacy_orders (id integer PRIMARY KEY);
    CREATE TABLE "Quoted Table" ("Id" integer, UNIQUE ("Id"));
    CREATE TABLE heirs () INHERITS (things);
    CREATE INDEX dba_things ON things (id) WHERE id > 7;
    ALTER TABLE things ADD CONSTRAINT dba CHECK (id > -1), ADD COLUMN dba_note text;
    CREATE MATERIALIZED VIEW report AS SELECT count(*) FROM things;
    CREATE SCHEMA warehouse;
    CREATE TABLE warehouse.things (id integer);
    CREATE SEQUENCE numbers;
    CREATE TYPE colour AS ENUM ('red')
"""


def every_kind(models: MetaData, *labels: str) -> None:
    """Return a table with everything that models can declare, also in another schema."""
    number = Sequence("ticket_numbers", metadata=models, start=100)
    Table("tenants", models, Column("id", Integer, primary_key=True), schema="billing")
    Table(
        "tickets",
        models,
        Column("id", Integer, Identity(), primary_key=True),
        Column("tenant_id", ForeignKey("billing.tenants.id", ondelete="CASCADE"), nullable=False),
        Column("number", BigInteger, number, server_default=number.next_value()),
        Column("state", Enum(*labels, name="State"), server_default=labels[0], nullable=False),
        Column("payload", JSON, server_default=text("""'{"a:b": 1}'""")),
        Column("tags", JSONB, server_default="{}"),
        Column("title", String(20), comment="It's shown."),
        Column("length", Integer, Computed("length(title)", persisted=True)),
        Column("during", INT4RANGE),
        CheckConstraint("title <> 'x'", name="title"),
        UniqueConstraint("tenant_id", "number"),
        ExcludeConstraint(("during", "&&"), name="one_at_a_time"),
        Index(None, text("lower(title)"), postgresql_where=text("title IS NOT NULL")),
        schema="billing",
    )


def special_indexes() -> list[Index]:
    """Indexes of `id` and `name` that have more than columns."""
    return [
        Index("unique", "name", unique=True, postgresql_nulls_not_distinct=True),
        Index("some", "id", postgresql_where=text("id > 7"), postgresql_include=["name"]),
        Index("prefix", "name", postgresql_ops={"name": "text_pattern_ops"}),
        Index("words", text("to_tsvector('english', name)"), postgresql_using="gin"),
        Index("last", text("name DESC NULLS LAST")),
    ]


class ComparisonTest(RevisionsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(
            self.sql, "DROP SCHEMA IF EXISTS billing, warehouse CASCADE; DROP TYPE IF EXISTS colour"
        )
        self.use_new_models()

    def use_new_models(self) -> None:
        """Use models that match revision 0001."""
        self.models = MetaData(naming_convention=real.naming_convention)
        self.enterContext(patch.object(Project, "metadata", self.models))
        self.things = Table("things", self.models, Column("id", Integer))
        texts = (Column(name, Text) for name in ("mode", "phase"))
        flags = (Column(name, Boolean) for name in ("fenced", "alone"))
        Table("seen", self.models, *texts, *flags)

    def anew(self, *parts: SchemaItem) -> None:
        """Return the model of `things` with these parts."""
        self.models.remove(self.things)
        self.things = Table("things", self.models, *parts)

    def migrate(self, *accepted: str) -> list[str]:
        """Write and apply a revision, then write again: the second time finds no difference."""
        paths = self.migrations().create("Test", accept_drop=accepted)
        self.upgrade()
        self.assertEqual(self.migrations().create("Test"), [])
        self.assertEqual(self.migrations().check(), [])
        return [Path(path).read_text() for path in paths]

    @contextmanager
    def unprivileged(self) -> Iterator[Migrations]:
        """Return the URL of a role that can read and cannot create databases."""
        role = f"reader_{uuid4().hex}"
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'; GRANT pg_read_all_data TO {role}")
        url = make_url(self.database_url).set(username=role, password=role)
        try:
            shown = url.render_as_string(hide_password=False)
            yield Migrations(shown, Options(say=self.hear))
        finally:
            self.sql(f"DROP ROLE {role}")

    def shape(self) -> dict[Key, str]:
        engine = create_engine(self.database_url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            return dict(catalog(connection))

    def test_every_kind_is_made_taken_back_and_made_again(self) -> None:
        every_kind(self.models, "new", "done")
        [source] = self.migrate()
        self.assertNotIn("DROP", source.partition("def downgrade")[0])
        self.migrations().downgrade("0001")
        self.upgrade()
        self.assertEqual(self.migrations().check(), [])

    def test_new_values_come_in_a_revision_before_what_uses_them(self) -> None:
        every_kind(self.models, "new", "done")
        self.migrate()
        self.use_new_models()
        every_kind(self.models, "it's late", "new", "stuck", "done")
        first, second = self.migrate()
        self.assertIn("ADD VALUE", first)
        self.assertIn("SET DEFAULT", second)

    def test_an_enum_column_is_added_to_a_table_and_dropped_with_its_type(self) -> None:
        self.anew(Column("id", Integer), Column("mood", Enum("good", "bad", name="mood")))
        self.migrate()
        self.anew(Column("id", Integer))
        [source] = self.migrate("things.mood", "mood")
        self.assertIn('phase = "contract"', source)
        self.migrations().downgrade()
        self.upgrade()

    def test_a_constraint_that_is_changed_is_made_anew(self) -> None:
        self.anew(Column("id", Integer), Column("of", Integer), CheckConstraint("id > 0", "id"))
        self.migrate()
        self.anew(
            Column("id", Integer, nullable=False, autoincrement=False),
            Column("of", Integer, nullable=False),
            CheckConstraint("id > 1", "id"),
            PrimaryKeyConstraint("id"),
        )
        self.migrate()
        self.anew(
            Column("id", Integer, nullable=False, autoincrement=False),
            Column("of", Integer, nullable=False),
            PrimaryKeyConstraint("id", "of"),
        )
        with self.assertRaisesRegex(CommandError, "--accept-drop ck_things_id"):
            self.migrate()
        self.migrate("ck_things_id")

    def test_tables_in_use_are_changed_in_steps_that_keep_nobody_out(self) -> None:
        other = Table("other", self.models, Column("id", Integer, primary_key=True))
        columns = Column("id", Integer), Column("of", Integer), Column("Name", Text)
        self.anew(*columns)
        self.migrate()
        self.anew(
            Column("id", Integer, nullable=False),
            Column("of", ForeignKey(other.c.id)),
            Column("Name", Text, index=True, unique=True),
            Column("more", Text),
            CheckConstraint("id > 0", "id"),
            UniqueConstraint("id", "Name"),
        )
        other.append_column(Column("more", Text))
        sources = self.migrate()
        self.assertEqual({found[1] for found in map(NEEDS.search, sources) if found}, {"none"})
        self.assertEqual(len(sources), 9)
        text = "".join(sources)
        for form in ("operations.create_index_concurrently(", "UNIQUE USING INDEX", "NOT VALID"):
            self.assertIn(form, text)
        self.migrations().downgrade("0002")
        self.upgrade()
        self.assertEqual(self.migrations().check(), [])

    def test_a_check_of_a_column_is_written_with_it(self) -> None:
        check = CheckConstraint("number > 0", "number")
        self.anew(Column("id", Integer), Column("number", Integer, check))
        sources = self.migrate()
        self.assertEqual({found[1] for found in map(NEEDS.search, sources) if found}, {"none"})
        self.assertEqual(sum("NOT VALID" in one for one in sources), 1)

    def columns_with_all(self) -> Iterator[Column[Any]]:
        """Return columns with what Alembic does not write with a column."""
        check = CheckConstraint("number > 0", "number")
        yield Column("number", Integer, check, index=True)
        yield Column("mood", Enum("good", "bad", name="mood"), unique=True)
        yield Column("moods", ARRAY(Enum("good", "bad", name="mood")))

    def test_a_new_table_has_all_that_its_columns_have(self) -> None:
        for schema in (None, "billing"):
            with self.subTest(schema=schema):
                sizes = Enum("s", "m", name="size", native_enum=False, create_constraint=True)
                columns = *self.columns_with_all(), Column("size", sizes)
                Table("counted", self.models, *columns, schema=schema)
                [source] = self.migrate()
                self.assertNotIn("NOT VALID", source)
                self.assertIn('sa.CheckConstraint("number > 0"', source.replace("'", '"'))

    def test_a_new_column_has_all_that_it_should(self) -> None:
        self.anew(Column("id", Integer), *self.columns_with_all())
        sources = self.migrate()
        self.assertEqual({found[1] for found in map(NEEDS.search, sources) if found}, {"none"})

    def test_a_default_that_differs_from_row_to_row_comes_in_steps(self) -> None:
        other = Table("other", self.models, Column("key", Integer, primary_key=True))
        self.migrate()
        self.sql("INSERT INTO other SELECT generate_series(1, 3)")
        token = text("gen_random_uuid()")
        other.append_column(Column("token", Uuid, server_default=token, nullable=False))
        other.append_column(Column("at", DateTime(timezone=True), server_default=text("now()")))
        sources = self.migrate()
        self.assertEqual({found[1] for found in map(NEEDS.search, sources) if found}, {"none"})
        self.assertEqual(sum("key='key'" in one for one in sources), 1)
        self.assertEqual(sum("operations.backfill(" in one for one in sources), 1)
        [(filled,)] = self.sql("SELECT count(DISTINCT token) FROM other")
        self.assertEqual(filled, 3)
        self.migrations().downgrade("0002")
        self.upgrade()
        self.assertEqual(self.migrations().check(), [])

    def test_what_cannot_be_in_steps_is_said_with_its_safe_form(self) -> None:
        self.anew(Column("id", BigInteger))
        self.migrate()
        [advice] = [one for one in self.said if "MIG003" in one]
        self.assertIn("operations.keep_columns_equal('things', 'id', 'id_new')", advice)

    def test_an_index_is_dropped_with_its_column(self) -> None:
        self.anew(Column("id", Integer), Column("name", Text, index=True))
        self.migrate()
        self.anew(Column("id", Integer))
        index, column = self.migrate("things.name")
        self.assertIn("drop_index_concurrently", index)
        self.assertIn("drop_column", column)

    def test_a_downgrade_makes_the_check_of_a_dropped_column_again(self) -> None:
        made = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"
        check = CheckConstraint("number > 0", "number")
        self.anew(Column("id", Integer), Column("number", Integer, check))
        self.migrate()
        before, revision = self.sql(made), self.current()
        self.anew(Column("id", Integer))
        self.migrate("things.number")
        self.migrations().downgrade(revision)
        self.assertEqual(self.sql(made), before)

    def test_a_value_that_a_rule_no_longer_lists_contracts(self) -> None:
        made = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE '%size'"
        for kind in (Text(), String(9)):
            states = []
            for values in ("'s', 'm'", "'s', 'm', 'it''s'", "'m'"):
                check = CheckConstraint(f"size IN ({values})", "size")
                self.anew(Column("id", Integer), Column("size", kind, check))
                sources = self.migrate()
                states.append((VALUE.findall(str(self.sql(made))), self.current()))
            phases = [found[1] for found in map(PHASE.search, sources) if found]
            self.assertEqual(phases, ["contract", "contract"])
            self.assertIn("MIG025: refuses 'it''s', 's', which the check constraint", sources[0])
            for before, revision in reversed(states[:-1]):
                self.migrations().downgrade(revision)
                self.assertEqual(VALUE.findall(str(self.sql(made))), before)
            self.upgrade()
            self.assertEqual(self.migrations().check(), [])
            self.anew(Column("id", Integer))
            self.migrate("things.size")

    def test_values_that_two_tables_no_longer_list_go_one_table_at_a_time(self) -> None:
        for values in ("'s', 'm'", "'m'"):
            for name in ("things", "others"):
                if name in self.models.tables:
                    self.models.remove(self.models.tables[name])
                check = CheckConstraint(f"size IN ({values})", "size")
                Table(name, self.models, Column("id", Integer), Column("size", Text, check))
            sources = self.migrate()
        needs = [found[1] for found in map(NEEDS.search, sources) if found]
        self.assertEqual(needs, ["none"] * 4)

    def test_a_column_with_a_rule_gets_a_wider_type_without_a_scan_that_blocks(self) -> None:
        rules_of_things = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'things'::regclass"
        states = []
        for kind in (String(20), String(40), Text()):
            rules = [
                CheckConstraint("char_length(new) > 0", "new"),
                CheckConstraint("new IN ('a', 'b')", "listed"),
            ]
            self.anew(Column("id", Integer), Column("new", kind, *rules))
            sources = self.migrate()
            states.append(self.current())
            if len(states) > 1:
                needs = [found[1] for found in map(NEEDS.search, sources) if found]
                self.assertEqual(needs, ["none", "none"])
                self.assertEqual([one.count("NOT VALID") for one in sources], [2, 0])
                self.assertNotIn('phase = "contract"', "".join(sources))
        for revision in reversed(states[:-1]):
            self.migrations().downgrade(revision)
            self.assertEqual(self.sql(rules_of_things), [(2,)])
        self.upgrade()
        self.assertEqual(self.migrations().check(), [])

    def test_a_wider_type_comes_before_a_value_is_taken_off(self) -> None:
        for size, values in ((9, "'s', 'm'"), (20, "'m'")):
            check = CheckConstraint(f"size IN ({values})", "size")
            self.anew(Column("id", Integer), Column("size", String(size, collation="C"), check))
            sources = self.migrate()
        phases = [found[1] for found in map(PHASE.search, sources) if found]
        self.assertEqual(phases, ["expand", "expand", "contract", "contract"])

    def test_a_downgrade_makes_a_dropped_index_as_it_was(self) -> None:
        made = "SELECT indexdef FROM pg_indexes WHERE tablename = 'things' ORDER BY 1"
        plain = Column("id", Integer), Column("name", Text)
        self.anew(*plain)
        self.migrate()
        self.anew(
            *(column._copy() for column in plain),
            *special_indexes(),
        )
        self.migrate()
        before, revision = self.sql(made), self.current()
        self.anew(*(column._copy() for column in plain))
        self.migrate("unique", "some", "prefix", "words", "last")
        self.assertEqual(self.sql(made), [])
        self.migrations().downgrade(revision)
        self.assertEqual(self.sql(made), before)

    def test_a_table_is_dropped_with_its_indexes_and_comes_back_as_it_was(self) -> None:
        Table("other", self.models, Column("id", Integer, primary_key=True))
        Table(
            "looked_up",
            self.models,
            Column("id", Integer, primary_key=True),
            Column("name", Text, index=True, nullable=False),
            Column("of", ForeignKey("other.id", ondelete="CASCADE"), index=True),
            UniqueConstraint("name", "id"),
            CheckConstraint("name <> ''", "name"),
            *special_indexes(),
        )
        self.migrate()
        before, revision = self.shape(), self.current()
        self.models.remove(self.models.tables["looked_up"])
        [source] = self.migrate("looked_up")
        self.assertIn('phase = "contract"', source)
        self.assertNotIn("concurrently", source)
        self.migrations().downgrade(revision)
        self.assertEqual(self.shape(), before)
        self.upgrade()
        self.assertFalse(self.has_table("looked_up"))

    def refer_to_each_other(self, place: str) -> list[str]:
        """Return tables with references in a line, and two that refer to each other."""
        schema = place.rstrip(".") or None
        referred = {"a": "z", "b": f"{place}a", "c": f"{place}d", "d": f"{place}c"}
        Table("z", self.models, Column("id", Integer, primary_key=True))
        for name, other in referred.items():
            Table(
                name,
                self.models,
                Column("id", Integer, primary_key=True),
                Column("of", ForeignKey(f"{other}.id", name=f"fk_{name}", use_alter=name == "c")),
                Column("state", Enum("new", "done", name="state"), index=True),
                schema=schema,
            )
        return ["z", *(f"{place}{name}" for name in referred)]

    def assert_tables_go_and_come_back(self, place: str, *, plain: bool) -> None:
        def kept(*more: SchemaItem) -> None:
            self.use_new_models()
            schema = place.rstrip(".") or None
            Table("kept", self.models, Column("id", Integer), *more, schema=schema)

        kept(Column("of", ForeignKey("z.id", ondelete="CASCADE"), index=True))
        names = self.refer_to_each_other(place)
        self.migrate()
        before, revision = self.shape(), self.current()
        kept()
        accepted = [*names, "state", f"{place}kept.of"]
        self.migrations().create("Test", plain=plain, accept_drop=accepted)
        self.upgrade()
        self.assertEqual(self.migrations().create("Test"), [])
        self.assertEqual(self.migrations().check(), [])
        self.migrations().downgrade(revision)
        self.assertEqual(self.shape(), before)
        self.upgrade()

    def test_tables_that_refer_to_others_are_dropped_before_them(self) -> None:
        self.assert_tables_go_and_come_back("", plain=False)

    def test_a_circle_of_references_is_dropped_in_one_revision(self) -> None:
        self.assert_tables_go_and_come_back("", plain=True)

    def test_tables_of_another_schema_are_dropped_and_may_come_again(self) -> None:
        for _ in range(2):
            self.assert_tables_go_and_come_back("billing.", plain=False)

    def test_plain_is_one_revision(self) -> None:
        self.anew(Column("id", Integer, nullable=False, index=True, unique=True))
        self.assertEqual(len(self.migrations().create("Test", plain=True)), 1)
        self.upgrade()
        self.assertEqual(self.migrations().create("Test"), [])

    def test_what_others_made_is_neither_dropped_nor_drift(self) -> None:
        self.sql(STRANGERS)
        self.assertEqual(self.migrations().check(), [])
        self.assertEqual(self.migrations().create("Nothing"), [])
        self.anew(Column("id", Integer), Column("name", Text))
        [source] = self.migrate()
        self.assertNotIn("drop", source.partition("def downgrade")[0])
        self.assertTrue(self.has_table("legacy_orders"))

    def test_partitions_and_heirs_that_revisions_make_are_left_out(self) -> None:
        self.revision(
            "CREATE TABLE heirs () INHERITS (things)",
            "CREATE TABLE events (at integer) PARTITION BY RANGE (at)",
            "CREATE TABLE events_1 PARTITION OF events DEFAULT",
        )
        Table("events", self.models, Column("at", Integer), postgresql_partition_by="RANGE (at)")
        self.upgrade()
        self.assertEqual(self.migrations().create("Nothing"), [])
        self.sql("DROP TABLE events_1")  # As a periodic job drops old partitions.
        self.assertNotIn("events_1", str(self.migrations().check()))

    def test_all_commands_work_in_the_schema_that_the_url_names(self) -> None:
        self.sql('DROP SCHEMA IF EXISTS "Mine" CASCADE; CREATE SCHEMA "Mine"')
        self.addCleanup(self.sql, 'DROP SCHEMA "Mine" CASCADE')
        url = make_url(self.database_url).update_query_dict({"options": '-csearch_path="Mine"'})
        mine = Migrations(url.render_as_string(hide_password=False), Options(wait=0))
        self.assertEqual(mine.upgrade(), (None, "0001"))
        self.assertEqual((mine.current(), mine.check()), ("0001", []))
        self.anew(Column("id", Integer, index=True))
        self.assertEqual(len(mine.create("Index")), 1)
        self.assertEqual(mine.upgrade(), ("0001", "0002"))
        mine.stamp("0001")
        self.assertEqual((mine.current(), self.current()), ("0001", "0001"))
        self.assertTrue(self.has_table('"Mine".things'))

    def test_what_the_database_lost_is_drift(self) -> None:
        self.sql("ALTER TABLE things ALTER id TYPE bigint, ALTER id SET DEFAULT 3")
        [drift] = self.migrations().check()
        self.assertRegex(drift, "things.id is 3, not nothing; column things.id is bigint, not int")
        self.sql("DROP TABLE things")
        self.assertEqual(
            self.migrations().check(), ["The database has drifted: table things is missing"]
        )

    def test_what_fails_is_said(self) -> None:
        self.anew(Column("id", JSONB))
        with self.assertRaisesRegex(FindingsError, "Wrote .*0002_test.py, but it fails: "):
            self.migrations().create("Test")

    def test_what_models_need_beforehand_is_asked_for(self) -> None:
        self.anew(Column("id", Integer, server_default=text("next_id()")))
        with self.assertRaisesRegex(
            CommandError, r"cannot be created .*next_id\(\) does not exist"
        ):
            self.migrations().create("Test")
        made = "CREATE FUNCTION next_id() RETURNS integer LANGUAGE sql AS 'SELECT 7'"
        self.revision(made, down="DROP FUNCTION next_id()")
        self.addCleanup(self.sql, "DROP FUNCTION IF EXISTS next_id CASCADE")
        self.upgrade()
        self.migrate()

    def test_a_revision_that_needs_what_others_made_is_named(self) -> None:
        self.sql("CREATE FUNCTION theirs() RETURNS integer LANGUAGE sql AS 'SELECT 7'")
        self.addCleanup(self.sql, "DROP FUNCTION IF EXISTS theirs CASCADE")
        self.revision("SELECT theirs()", down="SELECT 1")
        self.upgrade()
        with self.assertRaisesRegex(CommandError, "0002 fails on an empty database .*theirs"):
            self.migrations().create("Test")

    def test_without_the_right_to_make_databases_nothing_is_dropped(self) -> None:
        self.anew(Column("name", Text))
        with self.unprivileged() as migrations:
            [path] = migrations.create("Test")
        source = Path(path).read_text()
        self.assertNotIn("drop_column", source.partition("def downgrade")[0])
        self.assertIn("add_column", source)
        self.assertIn('maintenance = "full"', source)
        self.assertIn("warning: The role may not create databases", self.said[-1])
