from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch

from chassis.setting_files import SettingFileError, SettingsEnv, read_dotenv

# The value that `docker compose config` reads from each line.
AS_COMPOSE = {
    "'${NAME}'": "${NAME}",
    "'$NAME'": "$NAME",
    "'a$b${c}'": "a$b${c}",
    "'${NAME:-x}' # why": "${NAME:-x}",
    '"${NAME}"': "value",
    "${NAME}": "value",
    "$NAME": "value",
    '"$NAME"': "value",
    '"a\\$NAME"': "a$NAME",
    "a$$NAME": "a$NAME",
    "${NAME:-x}": "value",
    "${NOTHING:-x y}": "x y",
    '"${NOTHING-z}"': "z",
    '"${NAME:+set}"': "set",
    "${NOTHING}": "",
    "pa$1word": "pa$1word",
    "a$": "a$",
    "a # why": "a",
    '"a # b"': "a # b",
}


class DotenvTest(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(TemporaryDirectory())) / ".env"

    def read(self, content: bytes) -> dict[str, str]:
        self.path.write_bytes(content)
        return read_dotenv(self.path)

    def test_it_is_read_as_compose_reads_it(self) -> None:
        with patch.dict("os.environ"):
            for written, value in AS_COMPOSE.items():
                with self.subTest(written):
                    found = self.read(f"NAME=value\nOTHER={written}\n".encode())
                    self.assertEqual(found["OTHER"], value)

    def test_the_environment_comes_first_where_a_name_stands_for_a_value(self) -> None:
        with patch.dict("os.environ", {"NAME": "theirs"}):
            self.assertEqual(self.read(b"NAME=ours\nOTHER=${NAME}")["OTHER"], "theirs")

    def test_where_there_is_none_there_is_nothing(self) -> None:
        self.assertEqual(read_dotenv(self.path), {})

    def test_a_byte_order_mark_is_no_part_of_it(self) -> None:
        self.assertEqual(self.read(b"\xef\xbb\xbfNAME=value\r\n"), {"NAME": "value"})

    def test_what_cannot_be_read_is_a_sentence(self) -> None:
        text = "NAME=välue\n"
        for content, why in (
            (text.encode("utf-16"), "UTF-8"),
            (text.encode("latin-1"), "UTF-8"),
            (text.encode("utf-16-le"), "UTF-8"),
            (b"NAME=\xff\xfe", "UTF-8"),
            (b"NAME=a\0b", "NUL"),
            (b"A=1\nB='open\n", "line 2: Must have the form NAME=value"),
            (b"A=1\n= 1\n", "line 2"),
        ):
            with self.subTest(content), self.assertRaisesRegex(SettingFileError, why):
                self.read(content)

    def test_a_folder_is_none(self) -> None:
        self.path.mkdir()
        with self.assertRaisesRegex(SettingFileError, "a file that can be read [(]is a directory"):
            read_dotenv(self.path)


class SecretFileTest(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(TemporaryDirectory())) / "secret"

    def value(self) -> str:
        return str(SettingsEnv({"SECRET_FILE": str(self.path)}).str("SECRET", ""))

    def test_a_secret_is_what_is_written_there(self) -> None:
        for content in (b"s3cret", b"s3cret\n", b"\xef\xbb\xbfs3cret\r\n", b"  s3cret\n\n"):
            with self.subTest(content):
                self.path.write_bytes(content)
                self.assertEqual(self.value(), "s3cret")

    def test_what_cannot_be_read_is_a_sentence_that_names_it(self) -> None:
        for content in ("s3cret".encode("utf-16"), b"\xff", b"s3\0cret"):
            with self.subTest(content):
                self.path.write_bytes(content)
                with self.assertRaisesRegex(SettingFileError, "SECRET_FILE.*UTF-8"):
                    self.value()
        self.path.unlink()
        with self.assertRaisesRegex(SettingFileError, "SECRET_FILE.*no such file"):
            self.value()
        self.path.mkdir()
        with self.assertRaisesRegex(SettingFileError, "SECRET_FILE.*directory"):
            self.value()
