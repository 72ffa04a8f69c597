import errno
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch
from uuid import uuid4

import click
from sqlalchemy import Connection, NullPool, create_engine, make_url

from chassis.cli.main import cli
from chassis.development.testing.database_cases import DatabaseTestCase, empty_database
from chassis.migrations.commands import migration_scripts
from chassis.project import Project
from support.command_line import CommandLineTestCase


class ProjectCommandsTest(DatabaseTestCase, CommandLineTestCase):
    def test_routes_are_listed(self) -> None:
        result = self.manage("routes", DATABASE_URL=self.database_url)
        self.assertRegex(result.stdout, r"GET +/health/ready +health.read_readiness")

    def test_seeding_twice_is_seeding_once(self) -> None:
        first = self.manage("seed", DATABASE_URL=self.database_url)
        second = self.manage("seed", DATABASE_URL=self.database_url)
        self.assertEqual((first.exit_code, second.exit_code), (0, 0), first.output)
        self.assertEqual(first.stdout, second.stdout)

    def test_seeding_needs_the_schema(self) -> None:
        with empty_database() as url:
            result = self.manage("seed", DATABASE_URL=url)
        if migration_scripts().get_current_head():
            self.assert_stops(result, 1, "at revision none.*run `python manage.py db upgrade`")

    def test_seeding_by_a_role_without_rights_is_a_sentence(self) -> None:
        role = f"r{uuid4().hex}"
        theirs = make_url(self.database_url).set(username=role, password="x")
        with self.owner() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
            self.addCleanup(self.drop_role, role)
            for rights in (
                "USAGE ON SCHEMA public",
                "USAGE ON SCHEMA ops",
                "SELECT ON ops.current_window",
                "SELECT ON alembic_version",
            ):
                with self.subTest(f"without {rights}"), self.assertNoLogs(level="WARNING"):
                    url = theirs.render_as_string(hide_password=False)
                    result = self.manage("seed", DATABASE_URL=url)
                    self.assert_stops(result, 78, "scripts/roles.sql")
                    self.assertRegex(result.stderr, r"\AError: [^\n]+\n\Z")
                    self.assertNotRegex(result.stderr, "SELECT|SQL|psycopg2")
                connection.exec_driver_sql(f"GRANT {rights} TO {role}")

    def drop_role(self, role: str) -> None:
        with self.owner() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        engine = create_engine(self.database_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            yield connection

    def test_the_shell_has_the_container(self) -> None:
        with patch("code.interact") as interact:
            result = self.manage("shell", DATABASE_URL=self.database_url)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("health_service", interact.call_args.kwargs["banner"])

    def test_help_is_grouped_and_has_examples(self) -> None:
        for command in ("--help", "db --help", "run --help", "serve --help"):
            result = self.manage(*command.split())
            self.assertIn("python manage.py", result.stdout)

    def test_without_a_command_the_help_goes_where_a_pager_finds_it(self) -> None:
        result = self.manage()
        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        self.assertEqual(result.stdout, self.manage("--help").stdout)

    def test_what_the_machine_does_not_allow_is_a_sentence(self) -> None:
        for error, sentence in (
            (OSError(errno.ENOSPC, "No space left on device"), "left on device: the output"),
            (PermissionError(errno.EACCES, "Permission denied", "a/b"), "denied: a/b"),
            (OSError(errno.EROFS, "Read-only file system", "openapi.json"), "system: openapi.json"),
        ):
            with self.subTest(error), patch.object(Project, "create_app", side_effect=error):
                result = self.manage("routes", DATABASE_URL=self.database_url)
                self.assert_stops(result, 1, sentence)
        with patch.object(Project, "create_app", side_effect=FileNotFoundError(2, "gone", "a")):
            result = self.manage("routes", DATABASE_URL=self.database_url)
        self.assertIsInstance(result.exception, FileNotFoundError)  # A mistake in the program.

    def test_an_unknown_command_is_a_sentence(self) -> None:
        self.assert_stops(self.manage("migrate"), 2, "'migrate'. .Did you mean.*'db migrate'")
        self.assert_stops(self.manage("serv"), 2, "No such command 'serv'. Did you mean 'serve'?")

    def test_a_command_may_be_added(self) -> None:
        self.addCleanup(cli.commands.pop, "one-more")

        @cli.command()
        def one_more() -> None:
            """Print a sentence."""
            click.echo("said")

        self.assertIn("Print a sentence.", self.manage("--help").stdout)
        self.assertEqual(self.manage("one-more").stdout, "said\n")
