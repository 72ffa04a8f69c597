from unittest import TestCase

from chassis.migrations.commands import Migrations, migration_scripts
from tests.support.database import empty_database


class StairwayTest(TestCase):
    def test_there_is_one_newest_revision(self) -> None:
        self.assertLessEqual(len(migration_scripts().get_heads()), 1)

    def test_each_revision_goes_up_down_and_up_again(self) -> None:
        scripts = reversed(list(migration_scripts().walk_revisions()))
        with empty_database() as url:
            migrations = Migrations(url)
            for script in scripts:
                with self.subTest(script.revision):
                    migrations.upgrade(script.revision)
                    migrations.downgrade("-1")
                    self.assertEqual(migrations.current(), script.down_revision)
                    migrations.upgrade(script.revision)
                    self.assertEqual(migrations.current(), script.revision)
