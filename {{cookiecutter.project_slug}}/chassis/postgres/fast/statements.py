"""Runs statements, compiled once, on the cursor of SQLAlchemy's connection.

SQLAlchemy takes as long for a statement as psycopg2 and PostgreSQL together. It still manages the
pool, transactions, errors and lost connections, and it executes unusual statements itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any

from psycopg2 import Error
from sqlalchemy import Connection, Delete, Dialect, Float, Insert, Select, Update
from sqlalchemy.sql.compiler import SQLCompiler

from chassis.postgres.transactions import AutocommitConnection

ENABLED = True  # Tests set False, and SQLAlchemy does everything.
# Type codes: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
FLOAT8, NUMERIC = 701, 1700

Values = Mapping[str, Any]
_all_rows = methodcaller("fetchall")
_row_count = attrgetter("rowcount")


class Statement:
    """A select, insert, update or delete, whose bound parameters each execution gives."""

    def __init__(self, statement: Select[Any] | Insert | Update | Delete) -> None:
        self._statement = statement
        self._text: _Text | None = None

    def rows(self, connection: Connection, values: Values) -> Sequence[Sequence[Any]]:
        if text := self._text_for(connection, values):
            return text.send(connection, values, _all_rows)  # type: ignore[no-any-return]
        return connection.execute(self._statement, values).all()

    def row_count(self, connection: Connection, values: Values) -> int:
        """Execute the statement; the number of rows that it inserted, changed or removed."""
        if text := self._text_for(connection, values):
            return text.send(connection, values, _row_count)  # type: ignore[no-any-return]
        return connection.execute(self._statement, values).rowcount

    def _text_for(self, connection: Connection, values: Values) -> "_Text | None":
        """The compiled SQL; None if SQLAlchemy has more to do than to send it."""
        if not ENABLED or not _is_usual(connection):
            return None
        text = self._text
        if text is None:
            text = self._text = _compiled(self._statement, connection.dialect)
        return text if values.keys() == text.names else None


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    names: Set[str] | None  # Names of the values; None where SQLAlchemy executes the statement.
    constants: Values
    processors: Mapping[str, Callable[[Any], Any]]

    def send(self, connection: Connection, values: Values, outcome: Callable[[Any], Any]) -> Any:
        """Send the statement, with the same errors and the same state afterwards as SQLAlchemy."""
        lent = connection.connection
        behind: Any = lent.dbapi_connection
        if not isinstance(behind, AutocommitConnection):
            _begin(connection)
        cursor: Any = None
        try:
            if self.constants or self.processors:
                values = self._completed(values)
            cursor = lent.cursor()
            cursor.execute(self.text, values)
            result = outcome(cursor)
            cursor.close()
        except BaseException as error:
            _begin(connection)
            # No public function does this; test_statements.py tests a lost connection.
            wrapped = self.text if isinstance(error, Error) else None
            connection._handle_dbapi_exception(error, wrapped, values, cursor, None)  # noqa: SLF001
        return result

    def _completed(self, values: Values) -> Values:
        completed = {**self.constants, **values}
        for name, process in self.processors.items():
            completed[name] = process(completed[name])
        return completed


def _begin(connection: Connection) -> None:
    """Begin as SQLAlchemy does: a commit needs a transaction, and a lost connection ends one."""
    if not connection.in_transaction():
        connection.begin()


def _is_usual(connection: Connection) -> bool:
    """Whether there are no listeners, logging or options, and no ended transaction."""
    engine = connection.engine
    if connection._has_events or engine._has_events or engine.dialect._has_events:  # noqa: SLF001
        return False
    if connection._echo or connection.get_execution_options():  # noqa: SLF001
        return False
    around: Any = connection._trans_context_manager  # noqa: SLF001
    transaction = around or connection.get_transaction()
    return transaction is None or transaction.is_active


def _compiled(statement: Select[Any] | Insert | Update | Delete, dialect: Dialect) -> _Text:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler) or any(_left_to_do(statement, compiled, dialect)):
        return _Text("", None, {}, {})
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    processors = {
        name: process
        for name, bind in binds.items()
        if (process := bind.type.dialect_impl(dialect).bind_processor(dialect))
    }
    names = frozenset(name for name, bind in binds.items() if bind.required)
    constants = {name: value for name, value in compiled.params.items() if name not in names}
    return _Text(str(compiled), names, constants, processors)


def _left_to_do(statement: Any, compiled: SQLCompiler, dialect: Dialect) -> Iterator[Any]:
    """What SQLAlchemy does at each execution: expanding, defaults, result processing."""
    yield from (compiled.post_compile_params, compiled.literal_execute_params)
    yield from (compiled.insert_prefetch, compiled.update_prefetch, compiled.effective_returning)
    yield compiled.escaped_bind_names
    yield from (bind.callable for bind in compiled.bind_names)
    for column in statement.selected_columns if isinstance(statement, Select) else ():
        impl = column.type.dialect_impl(dialect)
        # For numbers this depends on the type code; other types ignore it.
        yield impl.result_processor(dialect, FLOAT8 if isinstance(impl, Float) else NUMERIC)
