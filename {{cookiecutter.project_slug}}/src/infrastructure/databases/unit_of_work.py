from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from sqlalchemy import Connection, Table
from sqlalchemy.exc import ProgrammingError

from src.domain.exceptions import SchemaMismatchError
from src.domain.models.todo import Todo
from src.infrastructure.databases.engines import Engines
from src.infrastructure.databases.errors import sqlstate, translated_errors
from src.infrastructure.databases.idempotency import SqlOnce
from src.infrastructure.databases.replica import Replica
from src.infrastructure.maintenance.locks import pass_write_fence
from src.infrastructure.models.todos import todos
from src.infrastructure.repositories.sql_repository import SqlRepository
from src.services.attempt import note_committed
from src.services.maintenance_service import admitted_window
from src.services.ports import DatabaseProbe, Entity, Repository, UnitOfWork, UnitOfWorkFactory

MISSING = {"42P01", "42703"}  # There is no such table, or column.
NESTED = "A unit of work is open on this thread; join its block instead."


class _Thread(local):
    busy = False
    joined: Connection | None = None  # Of the `once` that is open.


class SqlUnitOfWork(UnitOfWork):
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.todos = self.repository(todos, Todo)

    def repository(self, table: Table, entity_type: type[Entity]) -> Repository[Entity]:
        return SqlRepository(self.connection, table, entity_type)


class SqlUnitOfWorkFactory(UnitOfWorkFactory):
    def __init__(self, engines: Engines, database: DatabaseProbe | None = None) -> None:
        """`database` tells whether a missing table or column is a mistake in the program."""
        self._engines = engines
        self._database = database
        self._replica = Replica(engines.replica, engines.read) if engines.replica else None
        self._read_connection = (self._replica or engines.read).connect
        self._thread = _Thread()

    @contextmanager
    def __call__(self, *, read_only: bool = False) -> Iterator[SqlUnitOfWork]:
        with (
            self._alone_on_its_thread(),
            self._schema_errors(),
            translated_errors(read_only=read_only),
            self._connection(read_only=read_only) as connection,
        ):
            yield SqlUnitOfWork(connection)

    @contextmanager
    def once(self, key: str) -> Iterator[SqlOnce]:
        if self._thread.busy or self._thread.joined:
            raise RuntimeError(NESTED)
        with self._schema_errors(), translated_errors(), self._transaction() as connection:
            once = SqlOnce(connection, key)
            self._thread.joined = connection
            try:
                yield once
            finally:
                self._thread.joined = None

    @contextmanager
    def _connection(self, *, read_only: bool) -> Iterator[Connection]:
        if joined := self._thread.joined:
            with joined.begin_nested():
                if read_only:
                    joined.exec_driver_sql("SET TRANSACTION READ ONLY")
                yield joined
        elif read_only:
            with self._read_connection() as connection:
                yield connection
        else:
            with self._transaction() as connection:
                yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._engines.write.connect() as connection:
            with connection.begin():
                pass_write_fence(connection, admitted_window.get())
                yield connection
            note_committed()
            if self._replica:
                self._replica.note_commit(connection)

    @contextmanager
    def _schema_errors(self) -> Iterator[None]:
        """What a newer or older schema lacks is not the program's mistake."""
        try:
            yield
        except ProgrammingError as error:
            if self._database is None or sqlstate(error) not in MISSING:
                raise
            schema = self._database.schema_state()
            if schema.current == schema.required:
                raise
            raise SchemaMismatchError("The database has another schema.") from error

    @contextmanager
    def _alone_on_its_thread(self) -> Iterator[None]:
        if self._thread.busy:
            # The inner one would commit, or wait for, what the outer one has not finished.
            raise RuntimeError(NESTED)
        self._thread.busy = True
        try:
            yield
        finally:
            self._thread.busy = False
