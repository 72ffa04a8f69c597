"""S3 itself rejects wrong uploads, and a silent S3 gives an error in time; on a real server."""

import socket
from threading import Thread
from time import monotonic
from unittest import TestCase
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from chassis.core.errors import UnavailableError
from chassis.core.storage.file_store import UploadForm, attachment
from chassis.core.storage.stored_file import StoredFile
from support.contents import OTHER_PNG, PNG, OnS3, ask, send_form, stored_file

SECONDS = 60


class UploadFormTest(OnS3):
    def setUp(self) -> None:
        super().setUp()
        self.file = stored_file()
        self.form = self.form_for(self.file)

    def form_for(self, file: StoredFile, seconds: int = SECONDS) -> UploadForm:
        form = self.store.upload_form(file, seconds)
        assert form
        return form

    def test_it_stores_the_content_that_was_announced(self) -> None:
        self.assertEqual(send_form(self.form, PNG), (204, ""))
        found = self.store.stat(self.file.key)
        assert found
        self.assertEqual((found.size, found.sha256), (self.file.size, self.file.sha256))

    def test_the_store_refuses_everything_else(self) -> None:
        forged = "A" * 43 + "="
        refused = {
            "one byte more": (PNG + b"x", {}, "EntityTooLarge"),
            "one byte less": (PNG[:-1], {}, "EntityTooSmall"),
            "another content of that size": (OTHER_PNG, {}, "BadDigest"),
            "another type": (PNG, {"Content-Type": "text/html"}, "AccessDenied"),
            "another key": (PNG, {"key": "files/mine"}, "AccessDenied"),
            "another checksum": (OTHER_PNG, {"x-amz-checksum-sha256": forged}, "AccessDenied"),
            "another policy": (PNG, {"policy": "e30="}, "SignatureDoesNotMatch"),
        }
        for what, (content, changed, code) in refused.items():
            with self.subTest(what):
                status, found = send_form(self.form, content, **changed)
                self.assertEqual((status // 100, found), (4, code))
        self.assertEqual(self.keys(), [])

    def test_it_is_good_for_so_long(self) -> None:
        expired = self.form_for(self.file, -1)
        self.assertEqual(send_form(expired, PNG)[0], 403)
        self.assertEqual(self.keys(), [])

    def test_where_checksums_are_only_taken_if_they_must_be_it_has_none(self) -> None:
        plain = self.store_of(self.bucket, checksums="when_required")
        form = plain.upload_form(self.file, SECONDS)
        assert form
        self.assertFalse([name for name in form.fields if "checksum" in name])
        self.assertEqual(send_form(form, OTHER_PNG)[0], 204)
        found = plain.stat(self.file.key)
        assert found
        self.assertIsNone(found.sha256)

    def test_where_the_store_takes_none_there_is_none(self) -> None:
        self.assertIsNone(
            self.store_of(self.bucket, upload_forms=False).upload_form(self.file, SECONDS)
        )


class DownloadTest(OnS3):
    def test_it_is_an_attachment_of_its_type_for_so_long(self) -> None:
        file = stored_file(name='Prüf "1".png', key="files/a")
        self.put(file.key)
        url = self.store.download_url(file, SECONDS)
        assert url
        status, headers, content = ask("GET", url)
        self.assertEqual((status, content), (200, PNG))
        self.assertEqual(headers["content-type"], "image/png")
        self.assertEqual(headers["content-disposition"], attachment(file.name))
        expired = self.store.download_url(file, -1)
        assert expired
        self.assertEqual(ask("GET", expired)[0] // 100, 4)

    def test_nobody_shows_it_in_another_way(self) -> None:
        file = stored_file(key="files/a")
        self.put(file.key)
        url = self.store.download_url(file, SECONDS)
        assert url
        inline = urlencode({"response-content-disposition": "inline"})
        asked = url.partition("?")[2].split("&")
        forged = [inline if one.startswith("response-content-disp") else one for one in asked]
        address = f"{url.partition('?')[0]}?"
        for changed in (address + "&".join(forged), address):
            with self.subTest(changed):
                self.assertEqual(ask("GET", changed)[0], 403)

    def test_clients_get_the_address_that_is_theirs(self) -> None:
        store = self.store_of(self.bucket, public_endpoint="https://files.example.org")
        file = stored_file(key="files/a")
        form, url = store.upload_form(file, SECONDS), store.download_url(file, SECONDS)
        assert form
        assert url
        for address in (form.url, url):
            self.assertTrue(address.startswith(f"https://files.example.org/{self.bucket}"))


class PreparationTest(OnS3):
    def test_abandoned_uploads_go_and_browsers_of_these_origins_upload(self) -> None:
        self.store.prepare(["https://app.example.org"])
        client = self.store._client
        [rule] = client.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"]
        self.assertEqual((rule["Status"], rule["Expiration"]["Days"]), ("Enabled", 1))
        self.assertEqual(rule["Filter"]["Prefix"], "incoming/")
        [rule] = client.get_bucket_cors(Bucket=self.bucket)["CORSRules"]
        self.assertEqual(rule["AllowedOrigins"], ["https://app.example.org"])
        self.assertIn("POST", rule["AllowedMethods"])

    def test_a_bucket_that_is_there_already_is_kept(self) -> None:
        self.put("files/a")
        self.assertFalse([said for said in self.store.prepare([]) if "Made" in said])
        self.assertEqual(self.keys(), ["files/a"])


class FaultsTest(OnS3):
    def test_a_store_that_is_not_there_is_unavailable(self) -> None:
        store = self.store_of(self.bucket, endpoint="http://127.0.0.1:1")
        with self.assertRaises(UnavailableError):
            store.stat("files/a")

    def test_a_store_that_hangs_is_given_up(self) -> None:
        """The request has a timeout and is tried twice."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            store = self.store_of(
                self.bucket, endpoint=f"http://127.0.0.1:{server.getsockname()[1]}", patience=1
            )
            begun = monotonic()
            with self.assertRaises(UnavailableError):
                store.stat("files/a")
            self.assertLess(monotonic() - begun, 10)

    def test_a_store_that_fails_is_unavailable(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = Thread(target=_fail, args=[server], daemon=True)
            thread.start()
            port = server.getsockname()[1]
            store = self.store_of(self.bucket, endpoint=f"http://127.0.0.1:{port}")
            with self.assertRaises(UnavailableError):
                store.stat("files/a")

    def test_a_mistake_of_the_operators_is_none_of_the_store(self) -> None:
        with self.assertRaises(ClientError):
            self.store_of(self.bucket, secret_key="wrong").stat("files/a")


def _fail(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n")


class AttachmentTest(TestCase):
    def test_any_name_is_one_header(self) -> None:
        shown = {
            "a.png": "attachment; filename=\"a.png\"; filename*=UTF-8''a.png",
            'x" y%.png': "attachment; filename=\"x_ y_.png\"; filename*=UTF-8''x%22%20y%25.png",
            "é.png": "attachment; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png",
        }
        for name, header in shown.items():
            with self.subTest(name):
                self.assertEqual(attachment(name), header)
