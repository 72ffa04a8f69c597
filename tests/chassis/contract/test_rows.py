"""The fast conversion of rows makes the same entities as psycopg2 and setattr."""

import pickle
from dataclasses import dataclass
from typing import Annotated, Any
from unittest import TestCase
from unittest.mock import patch
from uuid import UUID, SafeUUID, uuid4

from chassis.core.errors import ValidationError
from chassis.core.model import Model
from chassis.core.rules import Text
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.postgres.engines import Engines
from chassis.postgres.fast import rows
from chassis.postgres.fast.rows import entity_maker
from support.specimens import Specimen


@dataclass
class Guarded:
    text: str
    version: int = 1

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, f"{value}!")


class Bare:
    pass


@dataclass(eq=False, kw_only=True, slots=True)
class Bounded(Model):
    text: Annotated[str, Text(1)]


@dataclass(eq=False, kw_only=True)
class Unslotted(Model):
    text: Annotated[str, Text(1)]


class EntityTest(TestCase):
    def test_an_entity_has_what_the_row_has(self) -> None:
        identity = uuid4()
        made = entity_maker(Specimen, ("id", "text", "version"))((identity, "", 3))
        self.assertIs(type(made), Specimen)
        self.assertEqual((made.id, made.text, made.version), (identity, "", 3))

    def test_its_own_way_to_set_a_field_is_kept(self) -> None:
        made = entity_maker(Guarded, ("text", "version"))(("a", 1))
        self.assertEqual((made.text, made.version), ("a!", "1!"))

    def test_a_row_may_break_a_rule_that_is_stricter_now(self) -> None:
        identity = uuid4()
        for kind in (Bounded, Unslotted):
            made = entity_maker(kind, ("text", "id", "version"))(("long", identity, 3))
            self.assertEqual((made.text, made.id, made.version), ("long", identity, 3))
            with self.assertRaises(ValidationError):
                made.text = "long"

    def test_a_row_of_another_length_is_refused(self) -> None:
        for kind in (Specimen, Bounded):
            for row in ((1,), (1, 2, 3)):
                with self.assertRaises(ValueError):
                    entity_maker(kind, ("id", "text"))(row)

    def test_a_column_may_have_any_name(self) -> None:
        for name in ("class", "two words", "x; import os", "a.b", "None", "\ufb01eld"):
            made = entity_maker(Bare, (name,))((1,))
            self.assertEqual(vars(made), {name: 1})

    def test_one_column_is_no_tuple(self) -> None:
        self.assertEqual(entity_maker(Bare, ("a",))(("x",)).a, "x")


class OrdinaryEntityTest(EntityTest):
    def setUp(self) -> None:
        self.enterContext(patch.object(rows, "ENABLED", new=False))


class UuidTest(DatabaseTestCase):
    def read(self, *values: Any) -> Any:
        engines = Engines.connect(self.database_url, name="tests", pool_size=1)
        self.addCleanup(engines.dispose)
        for engine in (engines.read, engines.write):
            with engine.connect() as connection:
                [row] = connection.exec_driver_sql("SELECT %s::uuid, %s::uuid[]", values)
                yield tuple(row)

    def test_it_is_one_in_every_respect(self) -> None:
        for number in (0, 1, 2**128 - 1, uuid4().int):
            same = UUID(int=number)
            for found, [listed, none] in self.read(str(same), [str(same), None]):
                self.assertIs(type(found), UUID)
                for one in (found, listed, pickle.loads(pickle.dumps(found))):
                    self.assertEqual((one, hash(one), str(one)), (same, hash(same), str(same)))
                    self.assertEqual((one.is_safe, one.version), (SafeUUID.unknown, same.version))
                self.assertIsNone(none)

    def test_there_may_be_none(self) -> None:
        self.assertEqual([*self.read(None, None)], [(None, None)] * 2)


class OrdinaryUuidTest(UuidTest):
    def setUp(self) -> None:
        self.enterContext(patch.object(rows, "ENABLED", new=False))
        super().setUp()
