import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg2.extensions
from psycopg2.extensions import cursor, register_type
from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url

from chassis.postgres.fast import rows
from chassis.postgres.ops_schema import use_ops_schema
from chassis.postgres.transactions import AutocommitConnection, TransactionConnection

# No statement takes longer than this: callers get a response, if only an error.
# https://www.postgresql.org/docs/current/runtime-config-client.html
TIMEOUTS = "-c lock_timeout=2s -c statement_timeout=15s -c idle_in_transaction_session_timeout=15s"
LOCK, QUERY = "250ms", "500ms"
IMPATIENT = f"-c lock_timeout={LOCK} -c statement_timeout={QUERY}"
READ_ONLY = "-c default_transaction_read_only=on"
# After four seconds, a vanished replica is given up: the primary can answer.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
VANISHING = {"keepalives_idle": "2", "keepalives_interval": "1", "keepalives_count": "2"}
VANISHING |= {"tcp_user_timeout": "4000"}
# READ_ONLY and IMPATIENT in SQL. The limits in TIMEOUTS are those of scripts/roles.sql.
READS_ONLY = "SET TRANSACTION READ ONLY;"
HURRIES = (
    f"{READS_ONLY} SET LOCAL lock_timeout = '{LOCK}'; SET LOCAL statement_timeout = '{QUERY}';"
)
# libpq's `options`: -c name=value or --name=value; a backslash escapes a space.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\\\s])*)")
LIMITED = {name for name, _ in OPTION.findall(f"{TIMEOUTS} {READ_ONLY}")}
CONNECT_SECONDS = 2
POOL_WAIT_SECONDS = 2


def psycopg2_url(url: str | URL) -> URL:
    """The URL with psycopg2 as driver: in SQLAlchemy 2.1, plain `postgresql://` is psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg2")


@dataclass(frozen=True, slots=True)
class Engines:
    """Four pools of connections to one database, and one to its replica if there is one.

    `write` opens transactions. `read` is in autocommit, so that a query is one round trip, and
    PostgreSQL itself keeps its connections read-only. `watch` is a single read-only connection with
    short time limits, for maintenance windows. `probe` is another one for readiness, which has to
    work while the others hang.
    """

    write: Engine
    read: Engine
    watch: Engine
    probe: Engine
    replica: Engine | None = None

    @classmethod
    def connect(cls, url: str, *, name: str, pool_size: int, read_url: str = "") -> "Engines":
        """Make the pools; the first query connects. `pool_size` should be the number of threads."""
        return cls(
            write=_writing(url, name, pool_size),
            read=_reading(url, name, pool_size, TIMEOUTS, READS_ONLY),
            watch=_reading(url, name, 1, IMPATIENT, HURRIES),
            probe=_reading(url, name, 1, IMPATIENT, HURRIES),
            replica=_reading(_replica_url(read_url), name, pool_size, TIMEOUTS, READS_ONLY)
            if read_url
            else None,
        )

    def dispose(self) -> None:
        for engine in (self.write, self.read, self.watch, self.probe, self.replica):
            if engine:
                engine.dispose()


def unpooled_engine(url: str | URL, **options: Any) -> Engine:
    """An engine without a pool: each connection is closed after its use."""
    arguments = options.pop("connect_args", {})
    made = create_engine(
        psycopg2_url(url),
        poolclass=NullPool,
        use_native_hstore=False,
        connect_args={**arguments, "options": _merged(url, arguments.get("options", ""))},
        **options,
    )
    return use_ops_schema(made, _search_path(url))


def _own_options(url: str | URL) -> str:
    """The options in the URL, such as `-csearch_path=mine`."""
    own = make_url(url).query.get("options", "")
    return own if isinstance(own, str) else " ".join(own)


def _merged(url: str | URL, options: str) -> str:
    """The options of the URL, then ours, which override them."""
    return f"{_own_options(url)} {options}".strip()


def _search_path(url: str | URL) -> str:
    return _parsed(_own_options(url)).get("search_path", "")


def _own_settings(url: str | URL) -> str:
    """The URL's options as statements that last for one transaction, without those that we set.

    A pooler drops the options, and a session is not the service's own there.
    """
    return "".join(
        f"SELECT set_config('{name}', {_literal(value)}, true);"
        for name, value in _parsed(_own_options(url)).items()
        if name not in LIMITED
    )


def _parsed(options: str) -> dict[str, str]:
    return {
        name.replace("-", "_"): re.sub(r"\\(.)", r"\1", value)
        for name, value in OPTION.findall(options)
    }


def _literal(value: str) -> str:
    """An SQL literal of letters, digits and escapes only, which no splitting of SQL breaks."""
    escaped = re.sub(r"[^\w, .$-]", lambda match: f"\\+{ord(match[0]):06x}", value)
    return f"U&'{escaped}'"


def _replica_url(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(query={**VANISHING, **parsed.query})


def _writing(url: str | URL, name: str, pool_size: int) -> Engine:
    engine = _engine(url, name, pool_size, TIMEOUTS, connection=TransactionConnection)
    if settings := _own_settings(url):

        @event.listens_for(engine, "connect")
        def set_in_each_transaction(connection: Any, _record: object) -> None:
            connection.settings = settings

    return engine


def _reading(url: str | URL, name: str, pool_size: int, limits: str, guard: str) -> Engine:
    """An engine in autocommit. If a pooler dropped the options, each statement sends them again.

    The options and the statement are one message, so one transaction; `SET LOCAL` ends with it.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """

    class GuardedCursor(cursor):
        def execute(self, query: Any, values: Any = None) -> None:
            super().execute(guard + query, values)

        def executemany(self, query: Any, rows: Iterable[Any]) -> None:
            super().executemany(guard + query, rows)

    guard += _own_settings(url)
    engine = _engine(
        url,
        name,
        pool_size,
        f"{limits} {READ_ONLY}",
        connection=AutocommitConnection,
        isolation_level="AUTOCOMMIT",
    )

    @event.listens_for(engine, "connect")
    def guard_a_pooled_one(connection: Any, _record: object) -> None:
        if connection.info.parameter_status("default_transaction_read_only") != "on":
            connection.cursor_factory = GuardedCursor

    return engine


def _engine(
    url: str | URL,
    name: str,
    pool_size: int,
    options: str,
    *,
    connection: type[psycopg2.extensions.connection] = psycopg2.extensions.connection,
    **engine: str,
) -> Engine:
    made = create_engine(
        psycopg2_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,
        use_native_hstore=False,  # Else SQLAlchemy would look for it on each new connection.
        hide_parameters=True,  # Keeps values out of errors, which are logged.
        connect_args={
            "application_name": name,
            "connect_timeout": CONNECT_SECONDS,
            "options": _merged(url, options),
            "connection_factory": connection,
        },
        **engine,
    )
    if rows.ENABLED:
        # After SQLAlchemy's listener, so that this one wins.
        event.listen(made, "connect", _read_uuids)
    return use_ops_schema(made, _search_path(url))


def _read_uuids(connection: Any, _record: object) -> None:
    for kind in (rows.UUIDS, rows.UUID_ARRAYS):
        register_type(kind, connection)
