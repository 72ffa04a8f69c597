from chassis.migrations.commands import Migrations
from tests.support.database import DatabaseTestCase


class DriftTest(DatabaseTestCase):
    def test_revisions_declare_enough_and_agree_with_the_models(self) -> None:
        self.assertEqual(Migrations(self.database_url).check(), [])
