"""The operations that PostgreSQL can only run outside of a transaction."""

from threading import Thread

from sqlalchemy.exc import DBAPIError

from chassis.migrations.offline import sql_of
from support.revisions import RevisionsTestCase
from support.windows import wait_until

CREATE = 'operations.create_index_concurrently("things_id", "things", ["id"]{})'
DROP = 'operations.drop_index_concurrently("things_id", "things")'
ADD_VALUE = 'operations.add_enum_value("mood", "it\'s fine")'
WAITS_LONG_ENOUGH = """
    SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND query LIKE 'CREATE INDEX%' AND query_start < clock_timestamp() - interval '0.15 s'
"""


class OperationsTest(RevisionsTestCase):
    def index_is_valid(self) -> list[bool]:
        found = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('things_id')"
        return [valid for (valid,) in self.sql(found)]

    def test_an_index_is_built_and_dropped(self) -> None:
        self.revision(code=CREATE.format(""))
        self.upgrade()
        self.assertEqual(self.index_is_valid(), [True])
        self.revision(code=DROP)
        self.upgrade()
        self.assertEqual(self.index_is_valid(), [])

    def test_each_is_noted_as_begun_and_done(self) -> None:
        head = self.revision(code=CREATE.format(""))
        self.upgrade()
        [step] = self.sql("SELECT * FROM ops.step WHERE revision = :head", head=head)
        self.assertEqual((step.kind, bool(step.finished_at)), ("autocommit", True))

    def test_what_is_there_already_is_left_alone(self) -> None:
        """A process may be killed after it built an index and before it recorded the revision."""
        self.sql("CREATE INDEX things_id ON things (id)")
        head = self.revision(code=CREATE.format(""))
        self.upgrade()
        self.assertEqual((self.current(), self.index_is_valid()), (head, [True]))
        self.sql("DROP INDEX things_id")
        head = self.revision(code=DROP)
        self.upgrade()
        self.assertEqual(self.current(), head)

    def test_an_invalid_leftover_is_built_anew(self) -> None:
        self.sql("INSERT INTO things VALUES (1), (1)")
        head = self.revision(code=CREATE.format(", unique=True"))
        for _ in range(2):
            with self.assertRaisesRegex(DBAPIError, "could not create unique index"):
                self.upgrade()
            self.assertEqual((self.current(), self.index_is_valid()), ("0001", [False]))
        self.sql("TRUNCATE things")
        self.upgrade()
        self.assertEqual((self.current(), self.index_is_valid()), (head, [True]))

    def test_it_waits_for_an_old_transaction_that_no_lock_timeout_would(self) -> None:
        self.revision(code=CREATE.format(""))
        reader = self.connect()
        # The statement did not read the table.
        reader.exec_driver_sql("SELECT pg_current_xact_id()")
        reader.exec_driver_sql("LOCK TABLE things IN ROW EXCLUSIVE MODE")
        migration = Thread(target=self.upgrade, kwargs={"lock_timeout": 0.05})
        migration.start()
        wait_until(lambda: self.sql(WAITS_LONG_ENOUGH))
        reader.rollback()
        migration.join()
        self.assertEqual(self.index_is_valid(), [True])
        self.assertFalse([said for said in self.said if "retrying" in said])

    def test_the_timeouts_of_what_follows_are_those_of_before(self) -> None:
        look = "op.execute(\"INSERT INTO seen SELECT current_setting('lock_timeout')\")"
        self.revision(code=f"{CREATE.format('')}\n    {look}")
        self.upgrade()
        self.assertEqual([value for value, *_ in self.seen()], ["200ms"])

    def test_a_value_is_added_to_an_enum_once_and_can_be_used(self) -> None:
        self.revision("CREATE TYPE mood AS ENUM ('good')")
        for _ in range(2):
            self.revision(code=ADD_VALUE)
        self.revision("INSERT INTO seen SELECT 'it''s fine'::mood")
        self.upgrade()
        self.assertEqual([value for value, *_ in self.seen()], ["it's fine"])

    def test_their_sql_can_be_read_without_applying_it(self) -> None:
        self.revision(code=f"{CREATE.format('')}\n    {ADD_VALUE}")
        plan, _ = self.migrations().plan()
        sql = sql_of(plan)
        self.assertIn("CREATE INDEX CONCURRENTLY things_id", sql)
        self.assertIn("ADD VALUE IF NOT EXISTS 'it''s fine'", sql)
        self.assertEqual((self.current(), self.window_count()), ("0001", 0))
