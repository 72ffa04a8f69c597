import random
from unittest import TestCase

from click.testing import CliRunner

from src.commands.measure import command, with_two_loops
from src.domain.constants import LARGEST_NUMBER
from src.domain.two_list_sum import Pair, pairs_with_sum


class Counting(int):
    """A number that counts how often one like it is looked at."""

    looked_at = 0

    def __hash__(self) -> int:
        Counting.looked_at += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        Counting.looked_at += 1
        return super().__eq__(other)

    def __add__(self, other: int) -> int:
        Counting.looked_at += 1
        return super().__add__(other)


def counted(length: int) -> int:
    numbers = random.Random(length)
    first, second = ([Counting(numbers.randint(0, length)) for _ in range(length)] for _ in "12")
    Counting.looked_at = 0
    pairs_with_sum(first, second, length)
    return Counting.looked_at


class TwoListSumTest(TestCase):
    def test_a_pair_has_a_number_of_each_list(self) -> None:
        self.assertEqual(pairs_with_sum([1, 2], [3, 9], 5), [Pair(2, 3, 1)])
        self.assertEqual(pairs_with_sum([1, 4], [9], 5), [], "1 and 4 are of one list")

    def test_without_numbers_there_is_no_pair(self) -> None:
        for first, second in (([], []), ([1], []), ([], [1])):
            self.assertEqual(pairs_with_sum(first, second, 1), [])

    def test_pairs_come_as_the_first_list_has_them(self) -> None:
        pairs = pairs_with_sum([3, 1, 3, 2], [2, 3, 4, 2], 5)
        self.assertEqual([(one.first, one.second) for one in pairs], [(3, 2), (1, 4), (2, 3)])

    def test_a_pair_of_values_comes_once_and_counts_its_ways(self) -> None:
        self.assertEqual(pairs_with_sum([2, 2, 2], [3, 3], 5), [Pair(2, 3, 6)])

    def test_a_sum_beyond_any_machine_number_is_exact(self) -> None:
        most = LARGEST_NUMBER
        self.assertEqual(pairs_with_sum([most], [most], 2 * most), [Pair(most, most, 1)])
        self.assertEqual(pairs_with_sum([most], [most], 2 * most + 1), [])
        self.assertEqual(pairs_with_sum([2**63 - 1], [1], -(2**63)), [], "It does not overflow.")

    def test_it_finds_what_two_loops_find(self) -> None:
        numbers = random.Random(1)
        for _ in range(300):
            first, second = (
                [numbers.randint(-6, 6) for _ in range(numbers.randint(0, 12))] for _ in "12"
            )
            target = numbers.randint(-12, 12)
            expected = with_two_loops(first, second, target)
            self.assertEqual(pairs_with_sum(first, second, target), expected)

    def test_four_times_the_numbers_take_four_times_the_steps(self) -> None:
        few, many = counted(1000), counted(4000)
        self.assertGreater(few, 1000)
        self.assertLess(many, 5 * few, "Two loops would take sixteen times as many.")

    def test_the_steps_stay_few_where_numbers_share_their_low_bits(self) -> None:
        """As an attacker would choose them, so that a table of hashes finds them in one place."""
        first = [Counting(one << 38) for one in range(4000)]
        Counting.looked_at = 0
        self.assertEqual(len(pairs_with_sum(first, first, 0)), 1)
        self.assertLess(Counting.looked_at, 10 * len(first))

    def test_it_can_be_measured(self) -> None:
        result = CliRunner().invoke(command)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("two loops", result.output)
