"""The scanner works with ClamAV's daemon where it is installed, and with a fake daemon."""

import socket
import subprocess
import time
import unittest
from contextlib import suppress
from hashlib import md5
from pathlib import Path
from shutil import which
from socketserver import StreamRequestHandler, ThreadingTCPServer
from tempfile import TemporaryDirectory
from threading import Thread

from marshmallow import ValidationError

from chassis.core.errors import UnavailableError
from chassis.settings import ConfigError
from chassis.storage.clamd_scanner import ClamdScanner
from chassis.storage.storage_settings import StorageSettings

# In two parts, so that scanners do not report this file:
# https://www.eicar.org/download-anti-malware-testfile/
VIRUS = [rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STAND", b"ARD-ANTIVIRUS-TEST-FILE!$H+H*"]
LONGEST = 1_000_000
SECONDS_TO_START = 60
CLAMD = which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")
SETTINGS = """TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}
Foreground yes
StreamMaxLength {longest}
"""


class ScannerContract:
    class Test(unittest.TestCase):
        scanner: ClamdScanner

        def test_a_virus_is_named_in_whatever_pieces_it_comes(self) -> None:
            for pieces in (VIRUS, [b"".join(VIRUS)], [b"", VIRUS[0], b"", VIRUS[1]]):
                self.assertRegex(self.scanner.finding(pieces) or "", "^Eicar")

        def test_other_contents_are_free_of_it(self) -> None:
            for pieces in ([], [b""], [b"a text"], [b"x" * 1000] * 900):
                self.assertIsNone(self.scanner.finding(pieces))

        def test_what_is_too_long_for_it_is_not_taken_for_scanned(self) -> None:
            for size in (1000, 300_000):
                with self.subTest(size), self.assertRaises(UnavailableError):
                    self.scanner.finding([b"x" * size] * (5 * LONGEST // size))


class ClamdTest(ScannerContract.Test):
    @classmethod
    def setUpClass(cls) -> None:
        if CLAMD is None:
            raise unittest.SkipTest("There is no clamd, so only a stand-in of it is asked.")
        folder = cls.enterClassContext(TemporaryDirectory())
        Path(folder).chmod(0o755)  # The daemon of root changes to another user.
        virus = b"".join(VIRUS)
        signature = f"{md5(virus).hexdigest()}:{len(virus)}:Eicar\n"
        Path(folder, "test.hdb").write_text(signature)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        settings = Path(folder, "clamd.conf")
        settings.write_text(SETTINGS.format(port=port, folder=folder, longest=LONGEST))
        process = subprocess.Popen([CLAMD, "-c", settings], stdout=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        cls.scanner = ClamdScanner(f"127.0.0.1:{port}")
        deadline = time.monotonic() + SECONDS_TO_START
        while process.poll() is None and time.monotonic() < deadline:
            if cls.answers():
                return
            time.sleep(0.1)
        raise AssertionError("clamd did not start.")

    @classmethod
    def answers(cls) -> bool:
        with suppress(UnavailableError):
            return cls.scanner.finding([b"ready"]) is None
        return False


class Clamd(StreamRequestHandler):
    """A fake daemon. Beyond its limit it answers at once and closes the connection."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        for piece in iter(self._piece, b""):
            content += piece
            if len(content) > LONGEST:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.wfile.write(
            b"stream: %s\0" % (b"Eicar FOUND" if b"".join(VIRUS) in content else b"OK")
        )

    def _piece(self) -> bytes:
        return self.rfile.read(int.from_bytes(self.rfile.read(4)))


class StandInTest(ScannerContract.Test):
    @classmethod
    def setUpClass(cls) -> None:
        server = cls.enterClassContext(ThreadingTCPServer(("127.0.0.1", 0), Clamd))
        serving = Thread(target=server.serve_forever)
        serving.start()
        cls.addClassCleanup(serving.join)
        cls.addClassCleanup(server.shutdown)
        cls.scanner = ClamdScanner(f"127.0.0.1:{server.server_address[1]}")


class AbsenceTest(unittest.TestCase):
    def test_a_scanner_that_does_not_answer_is_not_taken_for_a_clean_content(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with self.assertRaisesRegex(UnavailableError, "does not answer"):
            ClamdScanner(f"127.0.0.1:{port}").finding([b"a"])

    def test_other_answers_are_no_verdict(self) -> None:
        for answer in (b"", b"stream: OKAY\0", b"\xff\0", b"UNKNOWN COMMAND\0"):
            with self.subTest(answer), socket.create_server(("127.0.0.1", 0)) as server:
                serving = Thread(target=self.answer, args=(server, answer))
                serving.start()
                scanner = ClamdScanner(f"127.0.0.1:{server.getsockname()[1]}")
                with self.assertRaises(UnavailableError), self.assertLogs("chassis", "ERROR"):
                    scanner.finding([b"a"])
                serving.join()

    @staticmethod
    def answer(server: socket.socket, answer: bytes) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)


class AddressTest(unittest.TestCase):
    def test_only_a_host_and_a_port_are_taken(self) -> None:
        valid = StorageSettings.__dataclass_fields__["clamd_address"].metadata["validate"]
        for value in ("", "clamav:3310", "127.0.0.1:65535"):
            valid(value)
        for value in ("clamav", "clamav:0", "clamav:65536", ":3310", "a b:3310", "clamav:٣", "::1"):
            with self.subTest(value), self.assertRaises(ValidationError):
                valid(value)


class S3SettingsTest(unittest.TestCase):
    def test_half_of_the_credentials_is_refused(self) -> None:
        StorageSettings(s3_access_key="a", s3_secret_key="b")
        for name in ("s3_access_key", "s3_secret_key"):
            with self.subTest(name), self.assertRaisesRegex(ConfigError, "both, or neither"):
                StorageSettings(**{name: "a"})

    def test_a_bucket_has_a_name_that_a_request_can_carry(self) -> None:
        valid = StorageSettings.__dataclass_fields__["s3_bucket"].metadata["validate"]
        access_point = "arn:aws:s3:eu-west-1:1:accesspoint/a"
        for value in ("", "files", "my.files-2", "Old_Bucket", access_point):
            valid(value)
        for value in ("Bad_Bucket!", "a b", "a/b", "https://files", "ä"):
            with self.subTest(value), self.assertRaises(ValidationError):
                valid(value)
