"""An older release on a newer schema answers errors that the schema explains with 503."""

from enum import StrEnum

from sqlalchemy import literal, select
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import SchemaMismatchError
from chassis.core.paging import PageQuery
from chassis.maintenance.revisions import read_revisions
from chassis.maintenance.schema_probe import SqlDatabaseProbe
from chassis.postgres.columns import EnumText
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from support.specimens import Specimen, specimens
from support.units import SqlUnits

CHANGES = (
    "DROP TABLE specimens",
    "ALTER TABLE specimens DROP COLUMN text",
    "ALTER TABLE specimens ALTER text TYPE integer USING 1",
    "ALTER TABLE specimens ALTER id TYPE integer USING 1",
    "ALTER TABLE specimens ALTER text TYPE varchar(2)",
    "ALTER TABLE specimens ADD COLUMN more text NOT NULL",
    "ALTER TABLE specimens ADD CHECK (version > 7)",
    "ALTER TABLE specimens ALTER version ADD GENERATED ALWAYS AS IDENTITY",
)


class Colour(StrEnum):
    RED = "red"


class OtherSchemaTest(SqlUnits):
    def use(self, change: str) -> None:
        """Use the database like a release that has the project's revisions."""
        specimens.drop(self.engines.write, checkfirst=True)
        specimens.create(self.engines.write)
        with self.engines.write.begin() as connection:
            connection.exec_driver_sql(change)
        probe = SqlDatabaseProbe(self.engines.probe, read_revisions())
        release = SqlUnitOfWorkFactory(self.engines, SqlWork, probe)
        with release() as work:
            work.repository(specimens, Specimen).add(Specimen(text="four"))
        with release(read_only=True) as work:
            work.repository(specimens, Specimen).page(PageQuery(limit=1))

    def test_what_only_another_schema_explains_is_no_mistake_of_the_program(self) -> None:
        for change in CHANGES:
            with self.subTest(change), self.assertRaises(DBAPIError):
                self.use(change)
        self.have_a_newer_schema()
        for change in CHANGES:
            with self.subTest(change), self.assertRaises(SchemaMismatchError):
                self.use(change)

    def test_a_new_value_of_an_enum_is_of_another_schema_and_a_missing_key_is_not(self) -> None:
        probe = SqlDatabaseProbe(self.engines.probe, read_revisions())
        release = SqlUnitOfWorkFactory(self.engines, SqlWork, probe)
        blue = select(literal("blue", EnumText(Colour)))
        for newer, expected in ((False, LookupError), (True, SchemaMismatchError)):
            if newer:
                self.have_a_newer_schema()
            with self.subTest(newer=newer):
                with self.assertRaises(expected), release(read_only=True) as work:
                    work.connection.execute(blue).all()
                with self.assertRaises(KeyError), release(read_only=True):
                    raise KeyError("A mistake of the service.")

    def have_a_newer_schema(self) -> None:
        self.execute("INSERT INTO alembic_version VALUES ('9999')")
        self.addCleanup(self.execute, "DELETE FROM alembic_version WHERE version_num = '9999'")

    def execute(self, statement: str) -> None:
        with self.engines.write.begin() as connection:
            connection.exec_driver_sql(statement)
