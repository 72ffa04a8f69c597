"""The contract of file stores: the same tests for S3 and for a disk."""

from collections.abc import Iterator
from hashlib import sha256

from chassis.core.storage.file_store import ContentChangedError, StoredObject
from support.contents import OTHER_PNG, PNG, OnDisk, OnS3, StoreTestCase, long_content

LONG = 20_000_000  # Several parts, and a shorter last one.


class StoreContract(StoreTestCase):
    def test_a_content_is_read_back(self) -> None:
        found = self.put("files/a")
        self.assertEqual((found.key, found.size), ("files/a", len(PNG)))
        self.assertEqual(b"".join(self.store.read(found)), PNG)
        self.assertEqual(b"".join(self.store.read(found, first=8)), PNG[:8])
        self.assertEqual(b"".join(self.store.read(found, first=10**6)), PNG)

    def test_an_empty_content_is_one(self) -> None:
        found = self.put("files/a", b"")
        self.assertEqual((found.size, b"".join(self.store.read(found))), (0, b""))

    def test_a_long_content_is_read_back(self) -> None:
        written, digest = sha256(), sha256()

        def pieces() -> Iterator[bytes]:
            for piece in long_content(LONG):
                written.update(piece)
                yield piece

        self.store.write("files/long", "text/plain", pieces())
        found = self.store.stat("files/long")
        assert found
        self.assertEqual(found.size, LONG)
        for piece in self.store.read(found):
            digest.update(piece)
        self.assertEqual(digest.digest(), written.digest())

    def test_what_breaks_off_is_not_stored(self) -> None:
        for length in (10, LONG):
            with self.subTest(length), self.assertRaisesRegex(ValueError, "broken off"):
                self.store.write("files/a", "text/plain", self.broken_off(length))
        self.assertIsNone(self.store.stat("files/a"))
        self.assertEqual(self.keys(), [])

    @staticmethod
    def broken_off(length: int) -> Iterator[bytes]:
        yield from long_content(length)
        raise ValueError("broken off")

    def test_a_content_that_is_not_there_is_none(self) -> None:
        self.assertIsNone(self.store.stat("files/none"))
        self.store.delete("files/none")

    def test_a_deleted_content_is_gone(self) -> None:
        found = self.put("files/a")
        self.store.delete("files/a")
        self.assertIsNone(self.store.stat("files/a"))
        with self.assertRaises(Exception):  # noqa: B017  # Each store raises its own error.
            list(self.store.read(found))

    def test_another_content_has_another_tag(self) -> None:
        first, second = self.put("files/a"), self.put("files/a", OTHER_PNG)
        self.assertNotEqual(first.etag, second.etag)

    def test_a_copy_is_of_what_was_looked_at(self) -> None:
        found = self.put("incoming/a")
        self.store.copy(found, "files/a", "image/png")
        self.assertEqual(self.content("files/a"), PNG)

    def test_what_was_changed_meanwhile_is_neither_read_nor_copied(self) -> None:
        found = self.put("incoming/a")
        self.put("incoming/a", OTHER_PNG)
        with self.assertRaises(ContentChangedError):
            list(self.store.read(found))
        with self.assertRaises(ContentChangedError):
            self.store.copy(found, "files/a", "image/png")
        self.assertIsNone(self.store.stat("files/a"))

    def test_what_lies_below_a_prefix_is_listed_in_order(self) -> None:
        for key in ("files/b/1", "files/a/2", "incoming/c", "files/a/10"):
            self.put(key)
        self.assertEqual(self.keys("files/"), ["files/a/10", "files/a/2", "files/b/1"])
        [found] = self.store.objects("incoming/")
        self.assertEqual((found.key, found.size), ("incoming/c", len(PNG)))
        stat = self.store.stat("incoming/c")
        assert stat
        self.assertLess(abs((found.modified_at - stat.modified_at).total_seconds()), 2)

    def test_preparing_twice_is_preparing_once(self) -> None:
        self.put("files/a")
        self.assertTrue(self.store.prepare(["https://app.example.org"]))
        self.assertEqual(self.keys(), ["files/a"])

    def test_what_was_found_elsewhere_is_not_there(self) -> None:
        found = self.put("files/a")
        other = StoredObject("files/b", found.size, found.etag, found.modified_at)
        with self.assertRaises(Exception):  # noqa: B017
            list(self.store.read(other))


class DiskStoreTest(OnDisk, StoreContract):
    def test_no_key_leads_out_of_the_folder(self) -> None:
        for key in ("../a", "files/../../a", "/etc/passwd", ""):
            with self.subTest(key), self.assertRaises(ValueError):
                self.store.write(key, "text/plain", [b"x"])
        self.assertEqual([*self.folder.parent.iterdir()], [self.folder])


class S3StoreTest(OnS3, StoreContract):
    pass


del StoreContract  # Only the subclasses are run.
