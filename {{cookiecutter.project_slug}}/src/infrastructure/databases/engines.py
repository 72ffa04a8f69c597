from dataclasses import dataclass

from sqlalchemy import URL, Engine, create_engine, make_url

# Nothing waits for longer than this in PostgreSQL: a caller gets an answer, if a bad one.
# https://www.postgresql.org/docs/current/runtime-config-client.html
TIMEOUTS = "-c lock_timeout=2s -c statement_timeout=15s -c idle_in_transaction_session_timeout=15s"
READ_ONLY = "-c default_transaction_read_only=on"
CONNECT_SECONDS = 2
POOL_WAIT_SECONDS = 2


def psycopg2_url(url: str) -> URL:
    """The URL with its driver named: bare `postgresql://` is psycopg 3 from SQLAlchemy 2.1 on."""
    return make_url(url).set(drivername="postgresql+psycopg2")


@dataclass(frozen=True, slots=True)
class Engines:
    """Two pools on one database.

    `write` opens a transaction. `read` is in autocommit, so that a query is one round trip, on
    connections that PostgreSQL itself keeps from writing.
    """

    write: Engine
    read: Engine

    @classmethod
    def connect(cls, url: str, *, name: str, pool_size: int) -> "Engines":
        """Nothing is sent until the first query. `pool_size` should be the number of threads."""
        write = create_engine(
            psycopg2_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            connect_args=_connect_args(name, TIMEOUTS),
        )
        read = create_engine(
            psycopg2_url(url),
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            connect_args=_connect_args(name, f"{TIMEOUTS} {READ_ONLY}"),
        )
        return cls(write=write, read=read)

    def dispose(self) -> None:
        self.write.dispose()
        self.read.dispose()


def _connect_args(name: str, options: str) -> dict[str, str | int]:
    return {"application_name": name, "connect_timeout": CONNECT_SECONDS, "options": options}
