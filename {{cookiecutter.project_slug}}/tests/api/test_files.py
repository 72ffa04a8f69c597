"""A file of this service, from its announcement to its removal."""

from hashlib import sha256

from chassis.development.testing.http_cases import ApplicationTestCase

FILES = "/prefix/v1/files"
TABLE = b"name,amount\ntea,3\n"


class FilesTest(ApplicationTestCase):
    def test_a_file_is_stored_and_downloaded(self) -> None:
        about = {"name": "table.csv", "media_type": "text/csv", "size": len(TABLE)}
        about["sha256"] = sha256(TABLE).hexdigest()
        address = self.client.post(FILES, json=about).headers["Location"]
        self.addCleanup(self.client.delete, address)
        self.assertEqual(self.client.put(f"{address}/content", data=TABLE).status_code, 200)
        content = self.client.get(f"{address}/content")
        self.assertEqual(content.data, TABLE)
        self.assertTrue(content.headers["Content-Disposition"].startswith("attachment"))
