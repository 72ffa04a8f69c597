"""POSTGRES_… and ORIGINS are other names for DATABASE_URL and CORS_ORIGINS."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from sqlalchemy import make_url

from chassis.project import Project
from chassis.settings import ConfigError, describe, load_config
from src.config import Config
from support.command_line import PRODUCTION, CommandLineTestCase

PARTS = {
    "POSTGRES_SERVER": "db.example.org",
    "POSTGRES_USER": "api",
    "POSTGRES_PASSWORD": "s3cret",
    "POSTGRES_DB": "samples",
}


class SettingNamesTest(CommandLineTestCase):
    def load(self, **variables: str) -> Config:
        with patch.dict("os.environ", PRODUCTION | variables):
            return load_config(Config)

    def assert_refused(self, sentence: str, **variables: str) -> None:
        with self.assertRaisesRegex(ConfigError, sentence) as caught:
            self.load(**variables)
        self.assertNotIn("s3cret", str(caught.exception))

    def test_the_parts_make_the_url(self) -> None:
        config = self.load(**PARTS)
        self.assertEqual(config.database_url, "postgresql://api:s3cret@db.example.org:5432/samples")
        self.assertEqual(config.migration_url, config.database_url)
        self.assertEqual(make_url(self.load(**PARTS, POSTGRES_PORT="6432").database_url).port, 6432)
        self.assertEqual(
            self.load(**PARTS | {"POSTGRES_PASSWORD": ""}).database_url,
            "postgresql://api@db.example.org:5432/samples",
        )

    def test_any_password_and_name_arrives_as_it_was_written(self) -> None:
        for text in ("p@ss/w:rd", "a%20b", "?#[]&=+ ;", "ä€", "'\"\\", "${x}", "%"):
            with self.subTest(text):
                names = ("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB")
                url = make_url(self.load(**PARTS | dict.fromkeys(names, text)).database_url)
                self.assertEqual((url.username, url.password, url.database), (text,) * 3)
                self.assertEqual(url.host, "db.example.org")

    def test_an_address_of_ipv6_is_one(self) -> None:
        url = make_url(self.load(**PARTS | {"POSTGRES_SERVER": "[::1]"}).database_url)
        self.assertEqual((url.host, url.port), ("::1", 5432))

    def test_the_password_may_be_in_a_file(self) -> None:
        file = Path(self.enterContext(TemporaryDirectory())) / "password"
        file.write_text("p@ss:w/rd\n")
        config = self.load(**PARTS | {"POSTGRES_PASSWORD_FILE": str(file)})
        self.assertEqual(make_url(config.database_url).password, "p@ss:w/rd")

    def test_both_may_be_given_where_they_say_the_same(self) -> None:
        for url in (
            "postgresql://api:s3cret@db.example.org/samples",
            "postgresql+psycopg2://api:s3cret@db.example.org:5432/samples?sslmode=require",
        ):
            with self.subTest(url):
                self.assertEqual(self.load(**PARTS, DATABASE_URL=url).database_url, url)

    def test_where_they_differ_a_sentence_names_them(self) -> None:
        for url, names in {
            "postgresql://api:s3cret@other/samples": "POSTGRES_SERVER",
            "postgresql://api:s3cret@db.example.org:6432/samples": "POSTGRES_PORT",
            "postgresql://she:s3cret@db.example.org/samples": "POSTGRES_USER",
            "postgresql://api:s3cret2@db.example.org/samples": "POSTGRES_PASSWORD",
            "postgresql://api@db.example.org/another": "POSTGRES_PASSWORD, POSTGRES_DB",
        }.items():
            with self.subTest(url):
                self.assert_refused(f"DATABASE_URL and {names} differ", **PARTS, DATABASE_URL=url)

    def test_a_server_needs_a_user_and_a_database(self) -> None:
        for name in ("POSTGRES_USER", "POSTGRES_DB"):
            self.assert_refused(f"POSTGRES_SERVER is set: set {name}, too", **PARTS | {name: ""})
        for server in ("postgresql://db", "db:5432", "a b", "db/samples"):
            with self.subTest(server):
                self.assert_refused(
                    "POSTGRES_SERVER: Must be", **PARTS | {"POSTGRES_SERVER": server}
                )

    def test_those_of_a_database_s_container_alone_are_not_meant(self) -> None:
        """A generated `.env` has POSTGRES_PASSWORD for the container's superuser only."""
        parts = PARTS | {"POSTGRES_SERVER": ""}
        self.assert_refused("Not set: DATABASE_URL", **parts)
        url = "postgresql://service@elsewhere/other"
        self.assertEqual(self.load(**parts, DATABASE_URL=url).database_url, url)

    def test_origins_are_those_of_cors(self) -> None:
        url, one, two = {"DATABASE_URL": "postgresql://"}, "https://a.example.org", "http://b"
        self.assertEqual(list(self.load(**url, ORIGINS=f"{one},{two}").cors_origins), [one, two])
        config = self.load(**url, ORIGINS=f"{one},{two}", CORS_ORIGINS=f"{two},{one}")
        self.assertEqual(set(config.cors_origins), {one, two})
        self.assert_refused("CORS_ORIGINS and ORIGINS differ", **url, ORIGINS=one, CORS_ORIGINS=two)
        self.assert_refused("ORIGINS: Each must be", **url, ORIGINS="https://*.example.org")

    def test_where_a_value_is_from_is_shown_and_no_password(self) -> None:
        with patch.dict("os.environ", PRODUCTION | PARTS):
            shown = {name: (value, source) for name, value, source in describe(load_config(Config))}
        self.assertEqual(shown["DATABASE_URL"], ("********", "POSTGRES_SERVER"))
        self.assertEqual(shown["POSTGRES_PASSWORD"], ("********", "environment"))

    def test_a_dotenv_has_them_too(self) -> None:
        file = Path(self.enterContext(TemporaryDirectory())) / ".env"
        file.write_text("".join(f"{name}='{value}'\n" for name, value in PARTS.items()))
        with patch.object(Project, "dotenv", file):
            self.assertIn("@db.example.org:5432/samples", self.load().database_url)
