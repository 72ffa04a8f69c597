"""Statements behave the same with and without the shortcut."""

import enum
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from os import dup
from socket import SHUT_RDWR, socket
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from psycopg2.errors import UndefinedTable
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    bindparam,
    event,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import (
    IntegrityError,
    InvalidRequestError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.postgres.engines import Engines
from chassis.postgres.fast import statements
from chassis.postgres.fast.statements import Statement


class Colour(enum.Enum):
    RED = "red"


things = Table(
    "chassis_things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, unique=True),
    Column("parts", ARRAY(Text)),
    Column("owners", ARRAY(Uuid)),
    Column("colour", Enum(Colour, native_enum=False)),
    Column("price", Numeric(10, 2)),
    Column("weight", Double),
    Column("about", JSONB),
    Column("picture", LargeBinary),
    Column("good", Boolean),
    Column("made_at", DateTime(timezone=True)),
)
plain = Table(
    "chassis_plain",
    things.metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, unique=True),
    Column("price", Numeric(10, 2)),
    Column("about", JSONB),
    Column("good", Boolean),
)
counted = Table(
    "chassis_counted",
    things.metadata,
    Column("id", Uuid, primary_key=True),
    Column("changes", Integer, default=lambda: 1, onupdate=lambda: 7),
)
FIND = Statement(plain.select().where(plain.c.id == bindparam("id")))
INSERT = Statement(plain.insert())
RENAME = Statement(
    plain.update().where(plain.c.id == bindparam("old_id")).values(name=bindparam("new_name"))
)
STRANGE = "50% %(id)s \\ ' \u00e9 \U0001f600"


def values(**others: Any) -> dict[str, Any]:
    name = f"name {uuid4()}"
    row = {"id": uuid4(), "name": name, "price": Decimal("1.50"), "about": {"a": [1]}, "good": True}
    return row | others


class StatementsContract(DatabaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.engines = Engines.connect(self.database_url, name="tests", pool_size=1)
        self.addCleanup(self.engines.dispose)
        things.metadata.create_all(self.engines.write)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self.engines.write.connect() as connection, connection.begin():
            yield connection

    def names(self) -> list[str]:
        with self.engines.read.connect() as connection:
            return sorted(connection.execute(select(plain.c.name)).scalars())

    def stored(self, **others: Any) -> dict[str, Any]:
        row = values(**others)
        with self.writing() as connection:
            INSERT.row_count(connection, row)
        return row

    def test_what_is_stored_is_read_back(self) -> None:
        row = self.stored(name=STRANGE)
        with self.engines.read.connect() as connection:
            [found] = FIND.rows(connection, {"id": row["id"]})
            self.assertEqual(FIND.rows(connection, {"id": uuid4()}), [])
        self.assertEqual(dict(zip(row, found, strict=True)), row)

    def test_a_column_that_sqlalchemy_has_to_read_or_write_is_read_and_written(self) -> None:
        row = values(
            parts=["a", None],
            owners=[uuid4()],
            colour=Colour.RED,
            weight=0.5,
            picture=b"\0\xff",
            made_at=datetime(2026, 1, 31, tzinfo=UTC),
        )
        with self.writing() as connection:
            self.assertEqual(Statement(things.insert()).row_count(connection, row), 1)
            [found] = Statement(things.select()).rows(connection, {})
        self.assertEqual(dict(zip(things.columns.keys(), found, strict=True)), row)

    def test_rows_that_were_changed_are_counted(self) -> None:
        row = self.stored()
        with self.writing() as connection:
            changes = {"old_id": row["id"], "new_name": "new"}
            self.assertEqual(RENAME.row_count(connection, changes), 1)
            self.assertEqual(RENAME.row_count(connection, changes | {"old_id": uuid4()}), 0)
        self.assertEqual(self.names(), ["new"])

    def test_what_a_column_computes_is_computed(self) -> None:
        with self.writing() as connection:
            Statement(counted.insert()).row_count(connection, {"id": uuid4()})
            self.assertEqual(Statement(select(counted.c.changes)).rows(connection, {}), [(1,)])
            renewed = Statement(counted.update().values(id=bindparam("new_id")))
            renewed.row_count(connection, {"new_id": uuid4()})
            self.assertEqual(Statement(select(counted.c.changes)).rows(connection, {}), [(7,)])

    def test_constants_and_lists_are_sent_along(self) -> None:
        row = self.stored(name="one")
        some = plain.c.id.in_(bindparam("ids", expanding=True))
        with self.engines.read.connect() as connection:
            for found in (
                Statement(select(plain.c.name).where(some)).rows(connection, {"ids": [row["id"]]}),
                Statement(select(plain.c.name).where(plain.c.name == "one")).rows(connection, {}),
            ):
                self.assertEqual([*map(tuple, found)], [("one",)])

    def test_what_is_there_twice_is_refused_as_sqlalchemy_does(self) -> None:
        row = self.stored()
        with self.assertRaises(IntegrityError) as caught, self.writing() as connection:
            INSERT.row_count(connection, row)
        self.assertIn("INSERT INTO chassis_plain", str(caught.exception.statement))
        self.assertNotIn(row["name"], str(caught.exception).replace(str(caught.exception.orig), ""))

    def test_what_is_not_there_is_refused_as_sqlalchemy_does(self) -> None:
        nowhere = Statement(select(Table("nowhere", MetaData(), Column("id", Uuid))))
        with self.assertRaises(ProgrammingError) as caught, self.engines.read.connect() as reading:
            nowhere.rows(reading, {})
        self.assertIsInstance(caught.exception.orig, UndefinedTable)

    def test_what_psycopg2_cannot_send_is_no_error_of_the_database(self) -> None:
        with self.assertRaises(ValueError) as caught, self.writing() as connection:
            INSERT.row_count(connection, values(name="\0"))
        self.assertNotIsInstance(caught.exception, SQLAlchemyError)

    def test_a_value_that_is_missing_is_no_null(self) -> None:
        with self.assertRaises(SQLAlchemyError), self.engines.read.connect() as connection:
            FIND.rows(connection, {})

    def test_a_connection_that_was_lost_is_replaced(self) -> None:
        row = self.stored()
        for engine in (self.engines.read, self.engines.write):
            with self.subTest(engine=engine), engine.connect() as connection:
                behind: Any = connection.connection.driver_connection
                # Cut the socket, whatever server is at its other end.
                with socket(fileno=dup(behind.fileno())) as wire:
                    wire.shutdown(SHUT_RDWR)
                with self.assertRaises(OperationalError) as caught:
                    FIND.rows(connection, {"id": row["id"]})
                self.assertTrue(caught.exception.connection_invalidated)
                self.assertTrue(connection.invalidated)
                with self.assertRaises(SQLAlchemyError):  # The transaction was rolled back, too.
                    FIND.rows(connection, {"id": row["id"]})
            with self.subTest(engine=engine), engine.connect() as connection:
                self.assertEqual(len(FIND.rows(connection, {"id": row["id"]})), 1)

    def test_an_interrupted_statement_leaves_no_connection_in_the_middle_of_it(self) -> None:
        row = self.stored()
        with (
            suppress(KeyboardInterrupt),
            self.engines.read.connect() as connection,
            patch.object(statements, "_all_rows", side_effect=KeyboardInterrupt),
            patch("sqlalchemy.engine.CursorResult.all", side_effect=KeyboardInterrupt),
        ):
            FIND.rows(connection, {"id": row["id"]})
        with self.engines.read.connect() as connection:
            self.assertEqual(len(FIND.rows(connection, {"id": row["id"]})), 1)

    def test_who_listens_hears_every_statement(self) -> None:
        heard: list[str] = []
        with self.writing() as connection:
            event.listen(connection, "before_cursor_execute", lambda *about: heard.append(about[2]))
            INSERT.row_count(connection, values())
        event.listen(
            self.engines.read, "before_execute", lambda *about: heard.append(str(about[1]))
        )
        with self.engines.read.connect() as connection:
            FIND.rows(connection, {"id": uuid4()})
        self.assertEqual([text.split()[0] for text in heard], ["INSERT", "SELECT"])

    def test_an_error_is_heard_of(self) -> None:
        heard: list[Any] = []
        event.listen(self.engines.write, "handle_error", heard.append)
        row = self.stored()
        with suppress(IntegrityError), self.writing() as connection:
            INSERT.row_count(connection, row)
        self.assertEqual(len(heard), 1)

    def test_statements_are_logged_on_demand(self) -> None:
        with (
            self.assertLogs("sqlalchemy.engine", logging.INFO) as logged,
            self.engines.read.connect() as connection,
        ):
            FIND.rows(connection, {"id": uuid4()})
        self.assertIn("SELECT chassis_plain.id", "".join(logged.output))

    def test_a_transaction_that_nobody_began_can_be_committed(self) -> None:
        with self.engines.write.connect() as connection:
            INSERT.row_count(connection, values(name="kept"))
            connection.commit()
            INSERT.row_count(connection, values(name="lost"))
        self.assertEqual(self.names(), ["kept"])

    def test_nothing_is_sent_after_the_end_of_a_transaction(self) -> None:
        with self.engines.write.connect() as connection, connection.begin() as whole:
            with connection.begin_nested() as part:
                part.rollback()
                with self.assertRaises(InvalidRequestError):
                    INSERT.row_count(connection, values())
            whole.rollback()
            with self.assertRaises(InvalidRequestError):
                INSERT.row_count(connection, values())
        self.assertEqual(self.names(), [])


class TextTest(StatementsContract):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(statements, "ENABLED", new=True))

    def test_sqlalchemy_is_not_asked(self) -> None:
        row = self.stored()
        with (
            patch.object(Connection, "execute", side_effect=AssertionError),
            self.engines.read.connect() as connection,
        ):
            self.assertEqual(len(FIND.rows(connection, {"id": row["id"]})), 1)


class OrdinaryTest(StatementsContract):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(statements, "ENABLED", new=False))

    def test_sqlalchemy_is_asked(self) -> None:
        with (
            patch.object(Connection, "execute", side_effect=ZeroDivisionError),
            self.assertRaises(ZeroDivisionError),
            self.engines.read.connect() as connection,
        ):
            FIND.rows(connection, {"id": uuid4()})


del StatementsContract  # Only the two subclasses are run.
