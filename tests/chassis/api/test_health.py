from sqlalchemy import NullPool, create_engine, text

from chassis.development.testing.database_cases import migrated_database
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.development.testing.security_table import shows
from chassis.maintenance.revisions import read_revisions
from chassis.migrations.commands import migration_scripts

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"


def set_revision(url: str, revision: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        # Without revisions, this table does not exist.
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)"))
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})


class HealthTest(ApplicationTestCase):
    def test_a_migrated_database_is_ready(self) -> None:
        response = self.client.get("/health/ready")
        self.assertEqual(response.status_code, 200, response.text)
        head = migration_scripts().get_current_head()
        expand = [one.revision for one in read_revisions() if not one.is_contract]
        required = expand[-1] if expand else None
        self.assertEqual(response.get_json()["schema"], {"current": head, "required": required})

    def test_a_newer_schema_serves_this_release_too(self) -> None:
        with migrated_database() as url:
            set_revision(url, "9999")
            client = self.start(database_url=url)
            self.assertEqual(client.get("/health/ready").status_code, 200)

    @shows("V16.5.2")
    def test_without_its_database_it_is_alive_and_not_ready(self) -> None:
        client = self.start(database_url=NOBODY_LISTENS)
        self.assertEqual(client.get("/health/live").status_code, 200)
        with self.assertLogs(client.application.logger, "WARNING") as logs:
            response = client.get("/health/ready")
        self.assert_problem(response, 503, "unavailable")
        self.assertEqual(response.headers["Retry-After"], "2")
        self.assertIn("refused", logs.output[0])
        self.assertNotIn("refused", response.text)
