from src.infrastructure.databases.migrations import Migrations
from tests.support.database import DatabaseTestCase


class DriftTest(DatabaseTestCase):
    def test_models_and_migrations_agree(self) -> None:
        Migrations(self.database_url).check()
