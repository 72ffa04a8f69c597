"""Runs a primary and a streaming standby, both with the embedded PostgreSQL.

TEST_DATABASE is ignored, because no other server is to be copied.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import chown
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, create_engine, make_url

from chassis.migrations.commands import Migrations
from chassis.postgres import embedded
from chassis.postgres.embedded import start_embedded_postgres, stop_embedded_postgres
from support.windows import wait_until

APPLIED = "SELECT pg_last_wal_replay_lsn() >= '{}'"


class Standby:
    def __init__(self, directory: Path, primary_url: str) -> None:
        self._directory = directory
        self._primary = _engine(primary_url)
        source = make_url(primary_url).set(drivername="postgresql").render_as_string()
        options = ("--write-recovery-conf", "--checkpoint=fast", f"--dbname={source}")
        _run("pg_basebackup", directory / "data", *options)
        for lock in directory.glob("data/.s.PGSQL.*.lock"):
            lock.unlink()  # Settings of the primary, whose socket lies in its data folder.
        self.url = start_embedded_postgres(directory)
        self._engine = _engine(self.url)

    def start(self) -> None:
        start_embedded_postgres(self._directory)

    def stop(self) -> None:
        self._engine.dispose()
        stop_embedded_postgres(self._directory)

    def leave(self) -> None:
        self._primary.dispose()
        self.stop()

    def pause(self) -> None:
        """Let the standby receive changes without applying them."""
        self.ask("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state() = 'paused'"))

    def resume(self) -> None:
        """Wait until the standby has applied everything that is written now."""
        self.ask("SELECT pg_wal_replay_resume()")
        with self._primary.connect() as connection:
            # The commit of this write flushes all earlier ones.
            message = "SELECT pg_logical_emit_message(true, '', '')"
            position = connection.exec_driver_sql(message).scalar_one()
        wait_until(lambda: self.ask(APPLIED.format(position)))

    def ask(self, statement: str) -> Any:
        with self._engine.connect() as connection:
            return connection.exec_driver_sql(statement).scalar_one()


@contextmanager
def replicated_database() -> Iterator[tuple[str, Standby]]:
    """Yield the URL of a migrated database, and its standby."""
    with TemporaryDirectory(prefix="replication-") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL refuses root, so it may run as another user.
        primary = Path(directory, "primary")
        url = start_embedded_postgres(primary)
        try:
            Migrations(url).upgrade()
            standby = Standby(Path(directory, "standby"), url)
            try:
                yield url, standby
            finally:
                standby.leave()
        finally:
            stop_embedded_postgres(primary)


def _engine(url: str) -> Engine:
    return create_engine(url, isolation_level="AUTOCOMMIT", use_native_hstore=False)


def _run(program: str, data: Path, *options: str) -> None:
    """Run a program of PostgreSQL that fills a folder."""
    data.mkdir(parents=True)
    data.chmod(0o700)
    server = embedded._server(data)
    if server.system_user:
        chown(data, server.system_user)
    subprocess.run(
        [server.bin_path / program, f"--pgdata={data}", "--no-sync", *options],
        check=True,
        user=server.system_user,
        capture_output=True,
    )
