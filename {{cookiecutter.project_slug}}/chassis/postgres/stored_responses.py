"""Answers to requests with an Idempotency-Key, each committed together with what it tells of."""

from dataclasses import asdict

from sqlalchemy import Connection, LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.core.errors import BusyError
from chassis.core.persistence import KeptAnswer, Once
from chassis.postgres.locks import lock_key

LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
# Not in one statement with the lock: it has to see what was committed before that was had.
FIND = text("""
    SELECT fingerprint, status, headers, body FROM ops.idempotency_key
    WHERE key = :key AND created_at > now() - interval '24 hours'
""").columns(headers=JSONB, body=LargeBinary)
# A few at a time, so that nobody waits for it, and none that somebody else is forgetting.
FORGET = text("""
    DELETE FROM ops.idempotency_key
    WHERE created_at <= now() - interval '24 hours' AND (key = :key OR key IN (
        SELECT key FROM ops.idempotency_key WHERE created_at <= now() - interval '24 hours'
        ORDER BY created_at LIMIT 20 FOR UPDATE SKIP LOCKED))
""")
KEEP = text("""
    INSERT INTO ops.idempotency_key (key, fingerprint, status, headers, body)
    VALUES (:key, :fingerprint, :status, :headers, :body)
""").bindparams(bindparam("headers", type_=JSONB))


class SqlOnce(Once):
    def __init__(self, connection: Connection, key: str) -> None:
        """Raise BusyError while another transaction serves that key."""
        self._connection = connection
        self._key = key
        if not connection.execute(LOCK, {"lock": lock_key(f"idempotency:{key}")}).scalar_one():
            raise BusyError("A request with this key is being served.")
        row = connection.execute(FIND, {"key": key}).mappings().first()
        self.answer = KeptAnswer(**row) if row else None

    def keep(self, answer: KeptAnswer) -> None:
        self._connection.execute(FORGET, {"key": self._key})
        self._connection.execute(KEEP, {"key": self._key, **asdict(answer)})
