"""Several services share a database, each with its own schema."""

from datetime import timedelta
from functools import partial
from unittest.mock import patch

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, make_url, text

from chassis.core.errors import MaintenanceError
from chassis.core.maintenance import MaintenanceMode
from chassis.development.testing.database_cases import empty_database
from chassis.maintenance import drain
from chassis.maintenance.migrator import migrator
from chassis.maintenance.revisions import read_revisions
from chassis.maintenance.schema_probe import SqlDatabaseProbe
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.maintenance.window_log import AnotherServiceError
from chassis.migrations.commands import Migrations
from chassis.migrations.plan import Options
from chassis.postgres.engines import Engines, unpooled_engine
from chassis.postgres.locks import ask_write_fence
from chassis.postgres.ops_schema import SchemaNameError
from chassis.project import Project, current_project
from support.revisions import revisions, write_revision
from support.windows import PATIENCE, WindowObserver

TABLES = text("""
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema ~ '^(billing|shipping|public|ops)' AND table_name IN
        ('things', 'more', 'alembic_version', 'window')
    ORDER BY 1, 2
""")


MODELS = MetaData()
Table("things", MODELS, Column("id", Integer))
Table(
    "seen",
    MODELS,
    *(Column(name, Text) for name in ("mode", "phase")),
    *(Column(name, Boolean) for name in ("fenced", "alone")),
)


def in_schema(url: str, path: str) -> str:
    own = make_url(url).update_query_dict({"options": f"-csearch_path={path}"})
    return own.render_as_string(hide_password=False)


class Service:
    """One of the services in the database."""

    def __init__(self, url: str, path: str) -> None:
        self.url = in_schema(url, path)
        self.migrations = Migrations(self.url, Options(wait=0, drain_timeout=PATIENCE))
        self.engines = Engines.connect(self.url, name="tests", pool_size=1)
        self.windows = SqlMaintenanceWindows(self.engines.watch, self.url, "cli")

    def write(self) -> None:
        with self.engines.write.connect() as connection:
            ask_write_fence(connection)
            connection.execute(text("INSERT INTO things VALUES (1)"))
            connection.commit()


class ServicesTest(WindowObserver):
    @classmethod
    def setUpClass(cls) -> None:
        cls.database_url = cls.enterClassContext(empty_database())
        super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(
            self.sql, "DROP SCHEMA IF EXISTS billing, billing_ops, shipping, shipping_ops CASCADE"
        )
        self.versions = self.enterContext(revisions())
        self.enterContext(patch.object(drain, "SEEN_BY_ALL_SECONDS", 0))

    def service(self, path: str) -> Service:
        made = Service(self.database_url, path)
        self.addCleanup(made.engines.dispose)
        return made

    def both(self) -> tuple[Service, Service]:
        services = self.service("billing"), self.service("shipping")
        for one in services:
            one.migrations.upgrade()
        return services

    def test_each_has_its_tables_its_revision_and_its_windows(self) -> None:
        billing, shipping = self.both()
        write_revision(self.versions, 2, "CREATE TABLE more ()", maintenance="full")
        billing.migrations.upgrade()
        self.assertEqual(billing.migrations.current(), "0002")
        self.assertEqual(shipping.migrations.current(), "0001")
        self.assertEqual(
            [tuple(row) for row in self.sql(TABLES.text)],
            [
                ("billing", "alembic_version"),
                ("billing", "more"),
                ("billing", "things"),
                ("billing_ops", "window"),
                ("shipping", "alembic_version"),
                ("shipping", "things"),
                ("shipping_ops", "window"),
            ],
        )
        self.assertEqual(len(billing.windows.latest(9)), 1)
        self.assertEqual(shipping.windows.latest(9), [])
        for one, probe in ((billing, False), (shipping, True)):
            found = SqlDatabaseProbe(one.engines.probe, read_revisions(self.versions))
            self.assertEqual(found.schema_state().behind, probe)

    def test_a_window_keeps_only_its_own_writers_out(self) -> None:
        billing, shipping = self.both()
        with shipping.engines.write.connect() as writer:  # No other service waits for this one.
            ask_write_fence(writer)
            billing.windows.start(MaintenanceMode.FULL, "", None, patience=timedelta(seconds=1))
        self.assertIsNone(shipping.windows.current())
        shipping.write()
        with self.assertRaises(MaintenanceError):
            billing.write()
        shipping.windows.start(MaintenanceMode.READ_ONLY, "", None, patience=timedelta(seconds=1))
        billing.windows.end()
        billing.write()
        with self.assertRaises(MaintenanceError):
            shipping.write()

    def test_one_migrates_while_the_other_does(self) -> None:
        billing, shipping = self.both()
        write_revision(self.versions, 2, "CREATE TABLE more ()", maintenance="read-only")
        with migrator(billing.url, wait=0):
            shipping.migrations.upgrade()
        self.assertEqual(shipping.migrations.current(), "0002")

    def test_they_are_checked_and_compared_each_in_its_own(self) -> None:
        for one in self.both():
            with patch.object(Project, "metadata", MODELS):
                self.assertEqual(one.migrations.check(), [])
                self.assertEqual(one.migrations.create("Nothing"), [])

    def test_a_second_one_in_the_same_schema_is_refused_before_it_writes(self) -> None:
        billing, _ = self.both()
        billing.windows.start(MaintenanceMode.READ_ONLY, "", None, patience=timedelta())
        before = self.sql("SELECT oid FROM pg_class ORDER BY oid")
        about = current_project().about | {"name": "another"}
        write_revision(self.versions, 2, "CREATE TABLE more ()")
        with patch.object(Project, "about", about):
            for action in (billing.migrations.upgrade, partial(billing.migrations.stamp, "0002")):
                with self.assertRaisesRegex(AnotherServiceError, "`billing_ops` .*csearch_path"):
                    action()
        self.assertEqual(before, self.sql("SELECT oid FROM pg_class ORDER BY oid"))
        self.assertEqual(billing.migrations.current(), "0001")
        self.assertIsNotNone(billing.windows.current())

    def test_what_is_behind_it_on_the_path_is_not_its_own(self) -> None:
        plain = Migrations(self.database_url)
        plain.upgrade()
        self.addCleanup(self.sql, "DROP SCHEMA ops, public CASCADE; CREATE SCHEMA public")
        billing = self.service("billing,public")
        self.assertIsNone(billing.migrations.current())
        write_revision(self.versions, 2, "CREATE TABLE more ()")
        billing.migrations.upgrade()
        self.assertEqual((billing.migrations.current(), plain.current()), ("0002", "0001"))

    def test_a_schema_that_cannot_stand_in_a_statement_is_refused_with_a_sentence(self) -> None:
        for path in ('"it\'s"', '"50%"', "b" * 60, "a-b"):
            with self.assertRaisesRegex(SchemaNameError, "names the schema"):
                unpooled_engine(in_schema(self.database_url, path))
        for path in ("public", '"$user",public', "b" * 59, "Billing", '"my,\\ own",public'):
            unpooled_engine(in_schema(self.database_url, path))
