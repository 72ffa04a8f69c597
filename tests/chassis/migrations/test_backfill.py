"""A backfill fills each row of a used table once, also where the process is killed."""

import os
import subprocess
import sys
import time
from threading import Thread

from chassis.project import current_project
from cli.test_interruption import COMMAND
from support.revisions import RevisionsTestCase
from support.windows import PATIENCE, wait_until

ROWS = 20_000
KILLS = 3
FILL = 'operations.backfill("things", "filled = filled + 1", where="id % 10 > 0")'
SOURCE = f"""
    DROP TABLE things;
    CREATE TABLE things (id bigint PRIMARY KEY, filled integer NOT NULL DEFAULT 0);
    INSERT INTO things SELECT generate_series(1, {ROWS});
    ANALYZE things
"""


class BackfillTest(RevisionsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.sql, "TRUNCATE ops.backfill")
        self.sql(SOURCE)

    def filled(self) -> list[tuple[int, int]]:
        found = self.sql("SELECT filled, count(*) AS number FROM things GROUP BY 1 ORDER BY 1")
        return [(row.filled, row.number) for row in found]

    def assert_each_row_once(self) -> None:
        self.assertEqual(self.filled(), [(0, ROWS // 10), (1, ROWS - ROWS // 10)])

    def test_each_row_is_done_once_and_no_window_is_opened(self) -> None:
        self.revision(code=FILL)
        self.upgrade()
        self.assert_each_row_once()
        self.assertEqual(self.window_count(), 0)
        [row] = self.sql("SELECT * FROM ops.backfill")
        self.assertEqual((row.seen, row.changed), (ROWS, ROWS - ROWS // 10))
        self.assertIn(f"0002: things: {ROWS} rows seen, 18000 changed", self.said)

    def test_killed_it_goes_on_where_it_was(self) -> None:
        self.revision(code=FILL)
        for _ in range(KILLS):
            self.kill_one_that_has_done_something()
        self.assertRegex(self.status_line(), r"0002 things: \d+ rows of about 20000 \(\d+%\)")
        self.assertEqual(self.current(), "0001")
        self.migrations(wait=PATIENCE).upgrade()
        self.assert_each_row_once()

    def kill_one_that_has_done_something(self) -> None:
        before = self.seen_rows()
        process = self.start()
        wait_until(lambda: self.seen_rows() > before)
        process.kill()
        process.communicate()

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", COMMAND, str(self.versions.parents[1] / "pyproject.toml")]
        return subprocess.Popen(
            [*command, "db", "upgrade"],
            cwd=current_project().root,
            env=os.environ | {"ENVIRONMENT": "production", "DATABASE_URL": self.database_url},
            stderr=subprocess.DEVNULL,
        )

    def seen_rows(self) -> int:
        return sum(row.seen for row in self.sql("SELECT seen FROM ops.backfill"))

    def status_line(self) -> str:
        return "\n".join(self.migrations().status()["backfills"])

    def test_taken_back_and_applied_again_it_is_done_again(self) -> None:
        self.revision(code=FILL, down="SELECT 1")
        self.upgrade()
        self.migrations().downgrade()
        self.upgrade()
        self.assertEqual(self.filled(), [(0, ROWS // 10), (2, ROWS - ROWS // 10)])

    def test_a_row_that_somebody_has_does_not_stop_it(self) -> None:
        self.revision(code=FILL)
        writer = self.connect()
        writer.exec_driver_sql("UPDATE things SET filled = 0 WHERE id = 601")
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: self.seen_rows() > 0 and self.awaited_locks())
        time.sleep(1.1)  # Until the lock timeout has passed.
        writer.rollback()
        migration.join()
        self.assert_each_row_once()

    def test_other_names_and_keys(self) -> None:
        self.sql('CREATE TABLE "Two Words" (key uuid PRIMARY KEY, "Text" text)')
        self.sql('INSERT INTO "Two Words" SELECT gen_random_uuid() FROM generate_series(1, 1200)')
        code = """operations.backfill('"Two Words"', '"Text" = key::text', key="key")"""
        self.revision(code=code)
        self.upgrade()
        self.assertEqual(
            [tuple(row) for row in self.sql('SELECT count("Text") FROM "Two Words"')], [(1200,)]
        )

    def test_check_takes_it_for_a_revision_that_needs_none(self) -> None:
        self.revision(code="op.execute('ALTER TABLE things ADD COLUMN filled integer DEFAULT 0')")
        self.revision(code=FILL, down="SELECT 1")
        self.assertFalse([one for one in self.migrations().check() if one.startswith("0003")])
