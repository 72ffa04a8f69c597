import unittest

from chassis.core.read_positions import ONLY_PRIMARY
from chassis.http.flow.read_your_writes import LastWrites


class LastWritesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.last_writes = LastWrites(2)

    def test_who_never_wrote_needs_nothing(self) -> None:
        self.last_writes.note("alice", 5)
        self.assertEqual(self.last_writes.of("bob"), 0)

    def test_the_furthest_write_counts_not_the_last_that_was_told(self) -> None:
        for position in (5, 7, 6):
            self.last_writes.note("alice", position)
        self.assertEqual(self.last_writes.of("alice"), 7)

    def test_who_was_forgotten_still_sees_what_they_wrote(self) -> None:
        for caller, position in (("alice", 5), ("bob", 6), ("alice", 7), ("carol", 8)):
            self.last_writes.note(caller, position)
        positions = [self.last_writes.of(caller) for caller in ("alice", "bob", "carol")]
        self.assertEqual(positions, [7, 6, 8])

    def test_a_position_that_is_not_known_does_not_bind_others(self) -> None:
        for caller, position in (("alice", ONLY_PRIMARY), ("bob", 6), ("carol", 7)):
            self.last_writes.note(caller, position)
        self.assertEqual(self.last_writes.of("dave"), 0)
