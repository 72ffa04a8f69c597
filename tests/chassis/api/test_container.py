from dataclasses import replace
from unittest import TestCase

from src.dependency_container import Container
from support.configuration import CONFIG


class ContainerTest(TestCase):
    def test_every_provider_can_be_built(self) -> None:
        config = replace(CONFIG, database_url="postgresql://somebody@127.0.0.1:1/nothing")
        container = Container(config=config)
        self.addCleanup(lambda: container.engines().dispose())
        for name, provider in container.providers.items():
            with self.subTest(name):
                self.assertIsNotNone(provider())
