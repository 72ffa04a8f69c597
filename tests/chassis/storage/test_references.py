"""A table of the team that refers to files: for migrations, for rows of examples, in memory."""

from uuid import uuid4

from sqlalchemy import Column, ForeignKey, MetaData, Table, Uuid, select

from chassis.core.errors import ConflictError, ValidationError
from chassis.core.identity import uuid7
from chassis.core.model import Model
from chassis.core.storage.stored_file import StoredFile
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.development.testing.example_rows import fill
from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from chassis.migrations.catalog import catalog, compare, wanted_by
from chassis.migrations.scratch import scratch_database
from chassis.postgres.stored_files import stored_files

models = MetaData()
reports = Table(
    "reports",
    models,
    Column("id", Uuid, primary_key=True),
    Column("file_id", Uuid, ForeignKey(stored_files.c.id), nullable=False, unique=True),
)


class Report(Model):
    __slots__ = ("file_id",)


class ReferencesTest(DatabaseTestCase):
    def test_revisions_make_the_table_and_the_reference_and_no_table_of_files(self) -> None:
        with scratch_database(self.database_url) as connection:
            wanted = wanted_by(connection, models)
            before = compare(catalog(connection), wanted)
            self.assertEqual([str(key) for key in before.missing], ["table reports"])
            self.assertEqual(before.extra, {})
            models.create_all(connection)
            self.assertEqual(compare(catalog(connection), wanted).texts, [])
        self.assertEqual({key.table for key in wanted if key.table}, {"reports"})
        references = [text for key, text in wanted.items() if key.kind == "foreign key"]
        self.assertEqual(references, ["FOREIGN KEY (file_id) REFERENCES stored_file(id)"])

    def test_rows_of_examples_refer_to_files_of_their_own(self) -> None:
        with self._cleaner.connect() as connection:  # Rolled back at its end.
            models.create_all(connection)
            fill(connection, models, 3)
            self.assertEqual(len(connection.execute(select(reports.c.file_id)).all()), 3)

    def test_in_memory_a_file_that_something_refers_to_stays(self) -> None:
        file = StoredFile(owner="a", name="a", media_type="text/plain", size=1, sha256="0" * 64)
        report = Report()
        object.__setattr__(report, "file_id", file.id)
        memory = MemoryUnitOfWorkFactory(models)
        with memory() as work:
            work.files.add(file)
            work.repository("reports").add(report)
        # The refusal ends the unit of work, as in PostgreSQL.
        with self.assertRaises(ConflictError), memory() as work:
            work.files.remove(file)
        with memory() as work:
            work.repository("reports").remove(report)
            work.files.remove(file)

    def test_in_memory_a_reference_to_no_file_is_refused(self) -> None:
        report = Report(id=uuid7())
        object.__setattr__(report, "file_id", uuid4())
        with self.assertRaises(ValidationError), MemoryUnitOfWorkFactory(models)() as work:
            work.repository("reports").add(report)
