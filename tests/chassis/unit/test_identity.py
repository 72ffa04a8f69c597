import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from unittest import TestCase
from uuid import RFC_4122

from chassis.core.identity import random_bytes, uuid7

FORKS = """
import ctypes
import os
from chassis.core.identity import random_bytes
random_bytes()
child = ctypes.CDLL(None).fork()  # Without Python's hooks, as some servers fork.
os.write(1, " ".join(["", *(random_bytes().hex() for _ in range(100))]).encode())
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""


class IdentityTest(TestCase):
    def test_it_is_a_version_7_uuid_of_the_rfc(self) -> None:
        for identity in (uuid7() for _ in range(100)):
            self.assertEqual((identity.version, identity.variant), (7, RFC_4122))

    def test_no_two_are_the_same(self) -> None:
        self.assertEqual(len({uuid7() for _ in range(1000)}), 1000)

    def test_it_begins_with_its_millisecond(self) -> None:
        first, second = uuid7(), uuid7()
        self.assertLessEqual(first.int >> 80, second.int >> 80)

    def test_a_forked_process_makes_others_than_its_parent(self) -> None:
        made = subprocess.run(
            [sys.executable, "-c", FORKS], capture_output=True, text=True, check=True
        )
        ids = made.stdout.split()
        self.assertEqual((len(ids), len(set(ids))), (200, 200), made.stderr)

    def test_threads_get_different_bytes(self) -> None:
        with ThreadPoolExecutor(8) as threads:
            pieces = [*threads.map(lambda _: random_bytes(), range(4000))]
        self.assertEqual((len(set(pieces)), {*map(len, pieces)}), (4000, {16}))
