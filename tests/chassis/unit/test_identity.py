from unittest import TestCase
from uuid import RFC_4122

from chassis.core.identity import uuid7


class IdentityTest(TestCase):
    def test_it_is_a_version_7_uuid_of_the_rfc(self) -> None:
        for identity in (uuid7() for _ in range(100)):
            self.assertEqual((identity.version, identity.variant), (7, RFC_4122))

    def test_no_two_are_the_same(self) -> None:
        self.assertEqual(len({uuid7() for _ in range(1000)}), 1000)

    def test_it_begins_with_its_millisecond(self) -> None:
        first, second = uuid7(), uuid7()
        self.assertLessEqual(first.int >> 80, second.int >> 80)
