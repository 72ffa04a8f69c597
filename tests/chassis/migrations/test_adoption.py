"""A database with tables and without revisions can be adopted as docs/migrations.md says."""

from unittest import TestCase
from unittest.mock import patch

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, create_engine

from chassis.development.testing.database_cases import empty_database
from chassis.migrations.commands import Migrations
from chassis.project import Project
from support.revisions import revisions

THERE = """
    CREATE TABLE books (id integer CONSTRAINT pk_books PRIMARY KEY, title text);
    CREATE INDEX ix_books_title ON books (title);
    CREATE TABLE of_others (id integer);
    INSERT INTO books VALUES (1, 'One')
"""


class AdoptionTest(TestCase):
    def test_the_first_revision_makes_what_is_there_and_is_not_run(self) -> None:
        models = MetaData()
        id_column = Column("id", Integer, primary_key=True, autoincrement=False)
        title = Column("title", Text)
        Table("books", models, id_column, title, Index("ix_books_title", "title"))
        with empty_database() as url, revisions() as folder:
            next(folder.glob("0001_*.py")).unlink()
            engine = create_engine(url, isolation_level="AUTOCOMMIT")
            self.addCleanup(engine.dispose)
            with engine.connect() as connection, patch.object(Project, "metadata", models):
                connection.exec_driver_sql(THERE)
                migrations = Migrations(url)
                [path] = migrations.create("Adopt")
                self.assertIn("0001_adopt", path)
                migrations.stamp("0001")
                self.assertEqual(migrations.check(), [])
                self.assertEqual(migrations.create("Nothing"), [])
                connection.exec_driver_sql("DROP INDEX ix_books_title")
                [drift] = migrations.check()
                self.assertIn("ix_books_title of books is missing", drift)
                found = connection.exec_driver_sql("SELECT title FROM books").scalars().all()
                self.assertEqual(found, ["One"])
            engine.dispose()
