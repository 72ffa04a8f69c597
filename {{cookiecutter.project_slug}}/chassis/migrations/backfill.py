"""Fills a column of a table in use, in batches, each a transaction of its own.

A batch and the note of its progress are one statement. So each row is changed once, whenever the
process is killed, and the next `db upgrade` continues.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alembic import op
from psycopg2 import errorcodes
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.migrator import TOLD_SECONDS
from chassis.postgres.error_translation import sqlstate
from chassis.postgres.ops_schema import OpsText, ops_schema

FIRST, LEAST, MOST = 500, 50, 20_000  # Rows of a batch.
BATCH_SECONDS = 0.1  # A longer batch makes the next one smaller.
LAG_SECONDS = 1.0  # The backfill waits for a replica that lags by more.
PREPARED = OpsText("SELECT to_regclass('ops.backfill') IS NOT NULL")
# Finds the revision that runs. After its downgrade, the backfill starts from the beginning.
BEGIN = OpsText("""
    WITH running AS (SELECT revision FROM ops.step ORDER BY id DESC LIMIT 1),
    undone AS (
        DELETE FROM ops.backfill USING running
        WHERE backfill.revision = running.revision AND relation = :relation AND EXISTS (
            SELECT FROM ops.step WHERE step.revision = running.revision
            AND direction = 'downgrade' AND finished_at > backfill.started_at))
    SELECT revision FROM running
""")
INSERT = OpsText("""
    INSERT INTO ops.backfill (revision, relation, expected)
    SELECT :revision, :relation, nullif(reltuples, -1)::bigint FROM pg_class
    WHERE oid = to_regclass(:relation)
    ON CONFLICT DO NOTHING
""")
STATE = OpsText("SELECT * FROM ops.backfill WHERE revision = :revision AND relation = :relation")
TYPE = text("""
    SELECT format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = to_regclass(:relation) AND attname = :key
""")
BATCH = """
    WITH batch AS MATERIALIZED (
        SELECT {key} AS key_of_batch FROM {relation} WHERE {after} ORDER BY {key} LIMIT :size
    ), changed AS (
        UPDATE {relation} SET {assignments} FROM batch
        WHERE {relation}.{key} = key_of_batch AND ({where}) RETURNING 1
    )
    UPDATE {ops}.backfill SET
        position = coalesce(
            (SELECT key_of_batch::text FROM batch  -- Not by the text of that name.
                ORDER BY batch.key_of_batch DESC LIMIT 1), position),
        seen = seen + (SELECT count(*) FROM batch),
        changed = changed + (SELECT count(*) FROM changed),
        seconds = seconds + :seconds,
        updated_at = clock_timestamp(),
        finished_at = CASE WHEN EXISTS (SELECT FROM batch) THEN NULL ELSE clock_timestamp() END
    WHERE revision = :revision AND relation = :relation
    RETURNING *
"""
LAG = text("SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) FROM pg_stat_replication")
UNFINISHED = OpsText("SELECT * FROM ops.backfill WHERE finished_at IS NULL ORDER BY started_at")


def backfill(table: str, assignments: str, *, where: str = "true", key: str = "id") -> None:
    """Set `assignments` in the rows of a table. The call has to be alone in its revision.

    `table` is as SQL writes it; `key` is a unique column that does not change. The backfill
    goes in the order of keys: a row that is inserted with a lower key has to bring the new value.

        backfill("books", "slug = lower(title)", where="slug IS NULL")
    """
    context = op.get_context()
    whole = f"UPDATE {table} SET {assignments} WHERE {where}"  # noqa: S608  # The SQL comes from a revision.
    with context.autocommit_block():
        if context.as_sql or not op.get_bind().execute(PREPARED).scalar():
            op.execute(whole)  # With --sql, or on a scratch database.
            return
        environment = context.environment_context
        say = environment.config.attributes.get("say", bool) if environment else bool
        _Backfill(op.get_bind(), table, assignments, where, key, say).run()


def progress(row: Row[Any]) -> str:
    text = f"{row.relation}: {row.seen} rows"
    if row.expected and row.seen:
        share = min(row.seen / row.expected, 1)
        left = max(row.expected - row.seen, 0) * row.seconds / row.seen
        text = f"{text} of about {row.expected} ({share:.0%}), about {left:.0f} s left"
    return text


def unfinished(connection: Connection) -> list[str]:
    """The progress of each backfill that has begun and not finished."""
    if not connection.execute(PREPARED).scalar():
        return []
    return [f"{row.revision} {progress(row)}" for row in connection.execute(UNFINISHED)]


@dataclass(slots=True)
class _Backfill:
    connection: Connection
    relation: str
    assignments: str
    where: str
    key: str
    say: Callable[[str], object]
    size: int = field(default=FIRST, init=False)

    def run(self) -> None:
        names = {"relation": self.relation}
        revision = self.connection.execute(BEGIN, names).scalar_one()
        names["revision"] = revision
        self.connection.execute(INSERT, names)
        type_of_key = self.connection.execute(TYPE, names | {"key": self.key}).scalar_one()
        row = self.connection.execute(STATE, names).one()
        self.connection.exec_driver_sql("SET lock_timeout = '1s'")
        last_told, spent = time.monotonic(), 0.0
        while row.finished_at is None:
            begun = time.monotonic()
            after = f"{self.key} > CAST(:position AS {type_of_key})" if row.position else "true"
            values = names | {"size": self.size, "seconds": spent}
            values |= {"position": row.position} if row.position else {}
            row = self._batch(after, values) or row
            self._rest(time.monotonic() - begun)
            spent = time.monotonic() - begun
            if time.monotonic() - last_told > TOLD_SECONDS:
                last_told = time.monotonic()
                self.say(progress(row))
        self.say(f"{self.relation}: {row.seen} rows seen, {row.changed} changed")
        self.connection.exec_driver_sql("RESET lock_timeout")

    def _batch(self, after: str, values: dict[str, Any]) -> Row[Any] | None:
        """Fill one batch; None if a row is locked for too long: then the next try is smaller."""
        statement = BATCH.format(
            ops=ops_schema(self.connection),
            key=self.key,
            relation=self.relation,
            after=after,
            assignments=self.assignments,
            where=self.where,
        )
        try:
            return self.connection.execute(text(statement), values).one()
        except DBAPIError as error:
            if sqlstate(error) not in {errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED}:
                raise
            self.size = LEAST
            return None

    def _rest(self, seconds: float) -> None:
        """Pause as long as the batch took, and until the replicas have caught up."""
        factor = min(max(BATCH_SECONDS / max(seconds, 0.001), 0.5), 2)
        self.size = int(min(max(self.size * factor, LEAST), MOST))
        time.sleep(seconds)
        while self.connection.execute(LAG).scalar_one() > LAG_SECONDS:
            time.sleep(BATCH_SECONDS)
