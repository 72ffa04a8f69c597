"""Files over HTTP: uploads are checked, and contents that differ from the announced are rejected.

The same tests run on S3 and on a disk, as far as both support them.
"""

import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from io import RawIOBase
from typing import Any

from chassis.core.errors import UnavailableError
from chassis.core.storage.file_store import UploadForm, attachment
from support.contents import OTHER_PNG, PNG, OnDisk, OnS3, announcement, ask, send_form
from support.files import FILES, FilesTestCase, Findings

PAGE = b"<!DOCTYPE html><script>alert(1)</script>"
LONG = 50_000_000
MOST_MEMORY = 40_000_000


class FilesContract(FilesTestCase):
    def test_an_announced_file_is_pending(self) -> None:
        file = self.client.get(self.announce(name="Prüfung.png")).get_json()
        self.assertEqual((file["name"], file["state"]), ("Prüfung.png", "pending"))
        self.assertEqual({name: file[name] for name in ("size", "sha256")}, self.sums(PNG))
        [listed] = self.client.get(FILES).get_json()["items"]
        self.assertEqual(listed, file)

    @staticmethod
    def sums(content: bytes) -> dict[str, Any]:
        return {"size": len(content), "sha256": sha256(content).hexdigest()}

    def test_what_may_not_be_stored_is_refused_beforehand(self) -> None:
        refused = {
            "media_type": ["text/html", "image/svg+xml", "application/x-msdownload", ""],
            "size": [0, -1, 100_000_001],
            "sha256": ["0" * 63, "0" * 65, "G" * 64, "A" * 64],
            "name": ["", "../a", "a/b", "a\\b", "a\nb", "x" * 256],
        }
        for name, values in refused.items():
            for value in values:
                with self.subTest(name, value=value):
                    response = self.client.post(FILES, json=announcement(**{name: value}))
                    problem = self.assert_problem(response, 422, "validation")
                    self.assertEqual(problem["errors"][0]["pointer"], f"/{name}")
        self.assertEqual(self.client.get(FILES).get_json()["items"], [])

    def test_a_content_that_is_sent_is_downloaded_as_it_was(self) -> None:
        address = self.stored(name='"1" é.png')
        self.assertEqual(self.state(address), "ready")
        status, headers, content = self.downloaded(address)
        self.assertEqual((status, content), (200, PNG))
        self.assertEqual(headers["content-type"], "image/png")
        self.assertEqual(headers["content-disposition"], attachment('"1" é.png'))

    def downloaded(self, address: str) -> tuple[int, dict[str, str], bytes]:
        response = self.client.get(f"{address}/content")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        if response.status_code == 302:
            return ask("GET", response.headers["Location"])
        headers = {name.lower(): value for name, value in response.headers}
        return response.status_code, headers, response.data

    def test_another_content_is_refused_and_not_stored(self) -> None:
        sent = {
            "another of that size": (PNG, OTHER_PNG, "/sha256"),
            "shorter": (PNG, PNG[:-1], "/sha256"),
            "longer": (PNG, PNG + b"x", "/sha256"),
            "none": (PNG, b"", "/sha256"),
            "a page": (PAGE, PAGE, "/media_type"),
        }
        for what, (announced, content, pointer) in sent.items():
            with self.subTest(what):
                address = self.announce(announced)
                problem = self.assert_problem(self.send(address, content), 422, "validation")
                self.assertEqual(problem["errors"][0]["pointer"], pointer)
                self.assertEqual(self.state(address), "pending")
        self.assertEqual(self.keys(), [])

    def test_the_announced_content_may_follow_a_wrong_one(self) -> None:
        address = self.announce()
        self.send(address, OTHER_PNG)
        self.assertEqual(self.send(address, PNG).status_code, 200)
        self.assertEqual(self.downloaded(address)[2], PNG)

    def test_a_content_is_kept_once(self) -> None:
        address = self.stored()
        self.assert_problem(self.send(address), 409, "conflict")
        self.assert_problem(self.client.get(f"{address}/upload"), 404, "not-found")
        self.assertEqual(self.client.post(f"{address}/complete").get_json()["state"], "ready")
        self.assertEqual(len(self.keys()), 1)

    def test_without_a_content_there_is_nothing_to_complete_or_download(self) -> None:
        address = self.announce()
        self.assert_problem(self.client.post(f"{address}/complete"), 409, "conflict")
        self.assert_problem(self.client.get(f"{address}/content"), 404, "not-found")

    def test_a_lost_content_is_not_found(self) -> None:
        address = self.stored()
        for key in self.keys():
            self.store.delete(key)
        self.assertEqual(self.downloaded(address)[0], 404)

    def test_anothers_file_is_not_there(self) -> None:
        address, another = self.stored(), self.as_another()
        self.assertEqual(self.client.get(FILES, headers=another).get_json()["items"], [])
        asked = [("GET", ""), ("DELETE", ""), ("GET", "/upload"), ("GET", "/content")]
        for method, rest in [*asked, ("PUT", "/content"), ("POST", "/complete")]:
            with self.subTest(method, rest=rest):
                response = self.client.open(f"{address}{rest}", method=method, headers=another)
                self.assert_problem(response, 404, "not-found")
        self.assertEqual(self.downloaded(address)[2], PNG)

    def test_a_deleted_file_takes_its_content_along(self) -> None:
        address = self.stored()
        self.assertEqual(self.client.delete(address).status_code, 204)
        self.assert_problem(self.client.get(address), 404, "not-found")
        self.assertEqual(self.keys(), [])

    def test_a_harmful_content_is_refused_and_not_stored(self) -> None:
        self.use(self.store, Findings("Eicar-Test-Signature"))
        address = self.announce()
        self.assert_problem(self.send(address), 422, "validation")
        self.assertEqual((self.state(address), self.keys()), ("pending", []))

    def test_what_cannot_be_scanned_is_not_taken(self) -> None:
        self.use(self.store, Findings(does=_unavailable))
        address = self.announce()
        self.assert_problem(self.send(address), 503, "unavailable")
        self.assertEqual(self.state(address), "pending")

    def test_a_long_content_takes_no_more_memory(self) -> None:
        sent = LongText()
        about = announcement(b"", size=LONG, sha256=sent.digest, media_type="text/plain")
        address = self.client.post(FILES, json=about).headers["Location"]
        length = {"Content-Length": str(LONG)}
        tracemalloc.start()
        try:
            response = self.client.put(f"{address}/content", input_stream=sent, headers=length)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertEqual(response.status_code, 200, response.text)
        self.assertLess(most, MOST_MEMORY)


def _unavailable() -> None:
    raise UnavailableError("The scanner does not answer.")


class LongText(RawIOBase):
    """A stream of LONG bytes that are never all in memory."""

    block = b"0123456789abcde\n" * 4096

    def __init__(self) -> None:
        self._left = LONG
        digest = sha256()
        for piece in self._pieces():
            digest.update(piece)
        self.digest = digest.hexdigest()

    def _pieces(self) -> Iterator[bytes]:
        for start in range(0, LONG, len(self.block)):
            yield self.block[: LONG - start]

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return LONG - self._left

    def seek(self, offset: int, whence: int = 0) -> int:
        # The client seeks the end to find the length.
        self._left = LONG - offset if whence == 0 else 0
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        begin = (LONG - self._left) % len(self.block)
        piece = self.block[begin : begin + min(self._left, len(buffer))]
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)


class DiskFilesTest(OnDisk, FilesContract):
    def test_without_a_form_the_content_goes_to_the_api(self) -> None:
        address = self.announce()
        upload = self.client.get(f"{address}/upload").get_json()
        self.assertEqual((upload["method"], upload["fields"]), ("PUT", {}))
        self.assertEqual(self.client.put(upload["url"], data=PNG).status_code, 200)
        self.assertEqual(self.state(address), "ready")


class S3FilesTest(OnS3, FilesContract):
    def form(self, address: str) -> UploadForm:
        upload = self.client.get(f"{address}/upload").get_json()
        self.assertEqual(upload["method"], "POST")
        return UploadForm(upload["url"], upload["fields"], upload["expires_at"])

    def complete(self, address: str) -> Any:
        return self.client.post(f"{address}/complete")

    def test_what_the_form_uploads_is_kept_elsewhere(self) -> None:
        address = self.announce()
        self.assertEqual(send_form(self.form(address), PNG), (204, ""))
        self.assertEqual(self.complete(address).get_json()["state"], "ready")
        [key] = self.keys()
        self.assertTrue(key.startswith("files/"))
        self.assertEqual(self.downloaded(address)[2], PNG)

    def test_a_form_that_is_used_later_changes_nothing(self) -> None:
        # A form without checksums accepts any content.
        plain = self.store_of(self.bucket, checksums="when_required")
        self.use(plain)
        address = self.announce()
        form = self.form(address)
        send_form(form, PNG)
        self.assertEqual(self.complete(address).status_code, 200)
        self.assertEqual(send_form(form, OTHER_PNG)[0], 204)
        self.assertEqual(self.complete(address).status_code, 200)
        self.assertEqual(self.downloaded(address)[2], PNG)

    def test_a_lie_about_the_type_is_refused_and_forgotten(self) -> None:
        address = self.announce(PAGE)
        self.assertEqual(send_form(self.form(address), PAGE), (204, ""))
        problem = self.assert_problem(self.complete(address), 422, "validation")
        self.assertEqual(problem["errors"][0]["pointer"], "/media_type")
        self.assertEqual((self.state(address), self.keys()), ("pending", []))

    def test_another_content_is_refused_where_the_store_knows_no_checksum(self) -> None:
        self.use(self.store_of(self.bucket, checksums="when_required"))
        address = self.announce()
        self.assertEqual(send_form(self.form(address), OTHER_PNG)[0], 204)
        problem = self.assert_problem(self.complete(address), 422, "validation")
        self.assertEqual(problem["errors"][0]["pointer"], "/sha256")
        self.assertEqual(self.keys(), [])

    def test_a_content_that_changes_while_it_is_checked_is_refused_by_the_store(self) -> None:
        plain = self.store_of(self.bucket, checksums="when_required")
        changed = Findings(does=lambda: plain.write(self.keys()[0], "image/png", [OTHER_PNG]))
        self.use(plain, changed)
        address = self.announce()
        send_form(self.form(address), PNG)
        self.assert_problem(self.complete(address), 409, "conflict")
        self.assertEqual(self.state(address), "pending")
        self.assertFalse([key for key in self.keys() if key.startswith("files/")])

    def test_a_harmful_upload_is_refused_and_forgotten(self) -> None:
        self.use(self.store, Findings("Eicar-Test-Signature"))
        address = self.announce()
        send_form(self.form(address), PNG)
        self.assert_problem(self.complete(address), 422, "validation")
        self.assertEqual((self.state(address), self.keys()), ("pending", []))

    def test_a_store_that_does_not_answer_is_unavailable(self) -> None:
        self.use(self.store_of(self.bucket, endpoint="http://127.0.0.1:1"))
        address = self.announce()
        for response in (self.complete(address), self.send(address)):
            self.assert_problem(response, 503, "unavailable")


del FilesContract  # Only the subclasses are run.
