import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import get_ident
from typing import Any, TypeVar

from psycopg2 import errorcodes
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chassis.core.attempt import note_committed
from chassis.core.commit_hooks import CommitHooks
from chassis.core.errors import DeclarationError, MaintenanceError, SchemaMismatchError
from chassis.core.persistence import NESTED, Clock, Entity, Transaction, UnitOfWorkFactory
from chassis.core.probes import DatabaseProbe
from chassis.core.request_scope import current_scope
from chassis.postgres.engines import Engines
from chassis.postgres.error_translation import sqlstate, translation_of
from chassis.postgres.locks import ask_write_fence, fence_statement
from chassis.postgres.ops_schema import ops_schema
from chassis.postgres.replica import Replica
from chassis.postgres.sql_repository import SqlRepository
from chassis.postgres.stored_responses import SqlIdempotentTransaction

OTHER_SCHEMA = "The database has the schema of another release."
# SQLSTATEs, or their classes, that another schema may explain: a missing name, type or right, a
# rejected value, an outdated plan, a trigger that raises.
EXPLAINED_BY_A_SCHEMA = (
    errorcodes.CLASS_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    errorcodes.CLASS_DATA_EXCEPTION,
    errorcodes.FEATURE_NOT_SUPPORTED,
    errorcodes.NOT_NULL_VIOLATION,
    errorcodes.CHECK_VIOLATION,
    errorcodes.EXCLUSION_VIOLATION,
    errorcodes.CLASS_PL_PGSQL_ERROR,
)


@dataclass(slots=True)
class _Open:
    """The open units of work of a thread."""

    busy: bool = False
    # The connection of an open `once` or `joined`.
    joined: Connection | None = None
    hooks: CommitHooks | None = None
    reads_apart: bool = False  # Reads before the first write do not join.


class SqlWork(Transaction):
    """A unit of work: one transaction. The project's subclass has the repositories."""

    clock: Clock | None = None  # Set by the factory.

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def repository(self, table: Table, entity_type: type[Entity]) -> SqlRepository[Entity]:
        return SqlRepository(self.connection, table, entity_type, self.clock)


Work = TypeVar("Work", bound=SqlWork)
Prepared = TypeVar("Prepared")


class SqlUnitOfWorkFactory(UnitOfWorkFactory[Work]):
    def __init__(
        self,
        engines: Engines,
        kind: type[Work],
        database: DatabaseProbe | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`kind` is the project's class of units of work.

        `database` tells whether the schema of another release explains an error. `clock` gives
        the values of `created_at` and `updated_at`.
        """
        self._engines = engines
        # A subclass has the clock, because the constructor of a unit of work uses the clock.
        self._kind: type[Work] = type(kind.__name__, (kind,), {"clock": clock})
        _require_repositories(self._kind)
        self._database = database
        self._replica = Replica(engines.replica, engines.read) if engines.replica else None
        self._read_connection = (self._replica or engines.read).connect
        self._was_refused = False  # Whether the last write was refused.

    @contextmanager
    def __call__(self, *, read_only: bool = False) -> Iterator[Work]:
        mine = self._open()
        if mine.busy:
            # The inner one would commit the outer one's part, or wait for it for ever.
            raise RuntimeError(NESTED)
        mine.busy = True
        hooks = mine.hooks or CommitHooks()
        earlier = len(hooks.actions)
        try:
            with self._connection(mine.joined, read_only=read_only) as connection:
                work = self._kind(connection)
                work.hooks = None if read_only else hooks
                yield work
        except BaseException as error:
            del hooks.actions[earlier:]
            self._raise_translated(error, read_only=read_only)
            raise
        finally:
            mine.busy = False
        if not mine.joined:
            hooks.run()

    @contextmanager
    def once(self, key: str) -> Iterator[SqlIdempotentTransaction]:
        with self.joined(lambda connection: SqlIdempotentTransaction(connection, key)) as once:
            yield once

    @contextmanager
    def joined(
        self, prepare: Callable[[Connection], Prepared], *, reads_apart: bool = False
    ) -> Iterator[Prepared]:
        """Open one transaction that the units of work of this thread join; commit it at the end.

        Yield what `prepare` returns for the connection. With `reads_apart`, read-only units of work
        do not join before the first write, so a long series of reads holds no transaction.
        """
        mine = self._open()
        if mine.busy or mine.joined:
            raise RuntimeError(NESTED)
        hooks = CommitHooks()
        try:
            with self._transaction() as connection:
                prepared = prepare(connection)
                mine.joined, mine.hooks, mine.reads_apart = connection, hooks, reads_apart
                try:
                    yield prepared
                finally:
                    mine.joined = mine.hooks = None
        except Exception as error:
            self._raise_translated(error)
            raise
        hooks.run()

    def _open(self) -> _Open:
        """Return this thread's state; a context may be a copy of another thread's."""
        units, key = current_scope().units, (self, get_ident())
        mine: _Open | None = units.get(key)
        if mine is None:
            mine = units[key] = _Open()
        return mine

    def _connection(
        self, joined: Connection | None, *, read_only: bool
    ) -> AbstractContextManager[Connection]:
        if joined and not (read_only and self._open().reads_apart and _is_idle(joined)):
            return self._part_of(joined, read_only=read_only)
        return self._read_connection() if read_only else self._transaction()

    @contextmanager
    def _part_of(self, joined: Connection, *, read_only: bool) -> Iterator[Connection]:
        with joined.begin_nested():
            if read_only:
                joined.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield joined

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._engines.write.connect() as connection:
            with connection.begin():
                behind: Any = connection.connection.dbapi_connection
                behind.preamble = self._fence(connection)
                try:
                    yield connection
                finally:
                    behind.preamble = ""
            note_committed()
            if self._replica:
                self._replica.note_commit(connection)

    def _fence(self, connection: Connection) -> str:
        """Return the statement that passes the write fence, for the message of the first statement.

        After a refusal, pass the fence here: PostgreSQL would log the refused statement with its
        values.
        """
        bypass = current_scope().admitted_window
        if not self._was_refused:
            return fence_statement(bypass, ops_schema(connection))
        ask_write_fence(connection, bypass)
        self._was_refused = bypass is not None
        return ""

    def _raise_translated(self, error: BaseException, *, read_only: bool = False) -> None:
        """Raise the domain's error for an error of the database, if there is one."""
        if isinstance(error, SQLAlchemyError):
            translated = translation_of(error, read_only=read_only)
            self._was_refused |= isinstance(translated, MaintenanceError)
            if translated is None and self._has_another_schema(error):
                translated = SchemaMismatchError(OTHER_SCHEMA)
            if translated is not None:
                raise translated from error
        # Columns raise exactly this class, for a value that their enum does not have.
        elif type(error) is LookupError and self._has_another_schema(error):
            raise SchemaMismatchError(OTHER_SCHEMA) from error

    def _has_another_schema(self, error: Exception) -> bool:
        """Whether the schema of another release explains the error."""
        if isinstance(error, SQLAlchemyError):
            if not isinstance(error, DBAPIError):
                return False
            if not sqlstate(error).startswith(EXPLAINED_BY_A_SCHEMA):
                return False
        schema = self._database.schema_state() if self._database else None
        return schema is not None and (schema.newer or schema.behind)


def _is_idle(connection: Connection) -> bool:
    """Whether nothing was sent of its transaction yet."""
    behind: Any = connection.connection.driver_connection
    return bool(behind.get_transaction_status() == TRANSACTION_STATUS_IDLE)


def _require_repositories(kind: type[Work]) -> None:
    """Raise DeclarationError for a declared repository that is not there, or lacks the clock."""
    inherited = {"hooks", "clock"}
    work: Any = kind
    made = vars(kind(work))  # Repositories do not use the connection before the first statement.
    for base in kind.__mro__:
        for name in inspect.get_annotations(base).keys() - inherited - made.keys():
            raise DeclarationError(
                f"{kind.__name__} lacks `{name}`, which {base.__name__} declares. Add a line "
                f"self.{name} = self.repository(…) to {kind.__name__}.__init__."
            )
    for name, repository in made.items():
        if kind.clock and isinstance(repository, SqlRepository) and repository.lacks_clock:
            raise DeclarationError(
                f"{kind.__name__}.{name} gets no clock, and its table has created_at or "
                f"updated_at. Give {type(repository).__name__} self.clock as its last argument."
            )
