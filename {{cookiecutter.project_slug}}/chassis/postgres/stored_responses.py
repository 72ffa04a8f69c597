"""Responses to requests with an Idempotency-Key, committed together with their effect."""

import re
from dataclasses import asdict

from psycopg2 import errorcodes
from sqlalchemy import Connection, LargeBinary, RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError

from chassis.core.errors import BusyError
from chassis.core.persistence import IdempotentTransaction, StoredResponse
from chassis.postgres.error_translation import sqlstate
from chassis.postgres.locks import lock_key
from chassis.postgres.ops_schema import OpsText, ops_schema

EXPIRED = "created_at <= now() - interval '24 hours'"
# A proxy may send a request again while another instance still serves it: the repetition waits for
# the first response, as long as for any lock.
LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
# A separate statement, which sees rows that were committed before the lock was acquired.
FIND = OpsText(f"""
    SELECT fingerprint, status, headers, body FROM ops.idempotency_key
    WHERE key = :key AND NOT {EXPIRED}
""").columns(headers=JSONB, body=LargeBinary)  # noqa: S608
# A few at a time, so that no request waits; rows that another process deletes are skipped.
FORGET = OpsText(f"""
    DELETE FROM ops.idempotency_key WHERE {EXPIRED} AND (key = :key OR key IN (
        SELECT key FROM ops.idempotency_key WHERE {EXPIRED}
        ORDER BY created_at LIMIT 20 FOR UPDATE SKIP LOCKED))
""")  # noqa: S608
KEEP = OpsText("""
    INSERT INTO ops.idempotency_key (key, fingerprint, status, headers, body)
    VALUES (:key, :fingerprint, :status, :headers, :body)
""").bindparams(bindparam("headers", type_=JSONB))
DISCARD = OpsText("DELETE FROM ops.idempotency_key WHERE key = :key")
# RFC 9110, sections 5.1 and 5.5, within the limits of WSGI.
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# These headers frame a message on one connection (RFC 9112, sections 6 and 9), and are never part
# of the response of a view.
FRAMING = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class SqlIdempotentTransaction(IdempotentTransaction):
    def __init__(self, connection: Connection, key: str) -> None:
        """Raise BusyError if another transaction serves the key beyond the lock timeout."""
        self._connection = connection
        self._key = key
        self._lock()
        row = connection.execute(FIND, {"key": key}).mappings().first()
        if row and not _is_response(row):
            connection.execute(DISCARD, {"key": key})
            row = None
        self.response = StoredResponse(**row) if row else None

    def _lock(self) -> None:
        lock = lock_key(f"idempotency:{self._key}", ops_schema(self._connection))
        try:
            self._connection.execute(LOCK, {"lock": lock})
        except OperationalError as error:
            if sqlstate(error) != errorcodes.LOCK_NOT_AVAILABLE:
                raise
            raise BusyError("A request with this key is being served.") from error

    def store(self, response: StoredResponse) -> None:
        self._connection.execute(FORGET, {"key": self._key})
        self._connection.execute(KEEP, {"key": self._key, **asdict(response)})


def _is_response(row: RowMapping) -> bool:
    """Whether the service can have stored this row: other programs may write the table too.

    A constraint rejects most other rows, once `db upgrade` has run.
    """
    headers = row["headers"]
    if not 200 <= row["status"] <= 599 or not isinstance(headers, dict):  # noqa: PLR2004
        return False
    return all(_is_field(name, value, row["body"]) for name, value in headers.items())


def _is_field(name: str, value: object, body: bytes) -> bool:
    if not isinstance(value, str) or not FIELD_VALUE.fullmatch(value):
        return False
    if name.lower() == "content-length" and value != str(len(body)):
        return False
    return bool(FIELD_NAME.fullmatch(name)) and name.lower() not in FRAMING
