"""The revisions make what the models have; each reversible one goes up, down and up again."""

from typing import Any
from unittest import TestCase

from chassis.development.testing.database_cases import DatabaseTestCase, empty_database
from chassis.migrations.commands import Migrations, migration_scripts
from chassis.project import current_project


class DriftSuite(DatabaseTestCase):
    def test_revisions_declare_enough_and_agree_with_the_models(self) -> None:
        if not self.database_url:  # The project uses no database.
            self.assertEqual(list(migration_scripts().walk_revisions()), [])
            self.assertEqual(list(current_project().metadata.tables), [])
            return
        self.assertEqual(Migrations(self.database_url).check(), [])


class StairwaySuite(TestCase):
    def test_there_is_one_newest_revision(self) -> None:
        self.assertLessEqual(len(migration_scripts().get_heads()), 1)

    def test_each_revision_goes_up_down_and_up_again(self) -> None:
        """A revision that declares itself irreversible goes up only."""
        scripts = reversed(list(migration_scripts().walk_revisions()))
        with empty_database() as url:
            migrations = Migrations(url)
            for script in scripts:
                with self.subTest(script.revision):
                    migrations.upgrade(script.revision)
                    if not _is_irreversible(script):
                        migrations.downgrade("-1")
                        self.assertEqual(migrations.current(), script.down_revision)
                        migrations.upgrade(script.revision)
                    self.assertEqual(migrations.current(), script.revision)


def _is_irreversible(script: Any) -> bool:
    return bool(getattr(script.module, "irreversible", None))
