"""Rights and time limits of the service's connections, with and without a pooler."""

from unittest.mock import patch

from psycopg2 import errorcodes
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.postgres import engines
from chassis.postgres.error_translation import sqlstate
from support.specimens import specimens

LIMITS = text("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
PATH = 'mine, "it is 50%; \u00e9"'
PATH_OPTION = PATH.replace(" ", "\\ ")
WRITE = text("UPDATE specimens SET text = :text")


class EnginesTest(DatabaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.engines = engines.Engines.connect(self.database_url, name="tests", pool_size=1)
        self.addCleanup(self.engines.dispose)
        specimens.create(self.engines.write, checkfirst=True)

    def assert_cannot_write(self, engine: Engine) -> None:
        for rows in ([{"text": "one"}], [{"text": "one"}, {"text": "two"}]):
            with self.assertRaises(DBAPIError) as caught, engine.connect() as connection:
                connection.execute(WRITE, rows)
            self.assertEqual(sqlstate(caught.exception), errorcodes.READ_ONLY_SQL_TRANSACTION)

    def test_those_for_reading_cannot_write(self) -> None:
        for engine in (self.engines.read, self.engines.watch, self.engines.probe):
            self.assert_cannot_write(engine)

    def test_those_that_look_never_wait_long(self) -> None:
        for engine in (self.engines.watch, self.engines.probe):
            with engine.connect() as connection:
                self.assertEqual(tuple(connection.execute(LIMITS).one()), ("250ms", "500ms"))

    def test_options_of_the_url_are_heeded_by_all_and_the_limits_win(self) -> None:
        own = {"options": f"-clock_timeout=9s --statement-timeout=9s -csearch_path={PATH_OPTION}"}
        url = make_url(self.database_url).update_query_dict(own)
        mine = engines.Engines.connect(
            url.render_as_string(hide_password=False), name="tests", pool_size=1
        )
        self.addCleanup(mine.dispose)
        for engine in (mine.write, mine.read, mine.watch, mine.probe):
            with engine.connect() as connection:
                path = connection.exec_driver_sql("SHOW search_path").scalar()
                self.assertNotIn("9s", connection.execute(LIMITS).one())
                self.assertEqual(path, PATH)


class WithoutOptionsTest(EnginesTest):
    """Connections whose `options` a pooler dropped."""

    def setUp(self) -> None:
        self.enterContext(patch.object(engines, "READ_ONLY", ""))
        self.enterContext(patch.object(engines, "IMPATIENT", ""))
        self.enterContext(patch.object(engines, "_merged", lambda _url, options: options))
        super().setUp()

    def test_a_guard_ends_with_its_statement(self) -> None:
        with self.engines.watch.connect() as connection:
            connection.execute(LIMITS)
            behind = connection.connection.dbapi_connection
            assert behind
            behind.cursor_factory = None
            self.assertNotIn("250ms", connection.execute(LIMITS).one())
            connection.execute(WRITE, {"text": "one"})
