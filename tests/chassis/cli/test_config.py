import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from chassis.development.testing.security_table import shows
from chassis.postgres.engines import unpooled_engine
from chassis.project import Project
from chassis.settings import DEVELOPMENT, PRODUCTION, doubts, load_config
from src.config import Config
from support.command_line import CommandLineTestCase
from support.configuration import CONFIG

URL = "postgresql://somebody:hidden@127.0.0.1:1/nothing"
MISCONFIGURED = 78


class ConfigTest(CommandLineTestCase):
    @shows("API8:2023", "V13.2.3")
    def test_production_names_everything_that_is_missing(self) -> None:
        for blank in ("", " ", "\t\n", "\u00a0" * 40):
            with self.subTest(blank):
                result = self.manage("serve", SECRET_KEY=blank)
                self.assert_stops(result, MISCONFIGURED, "Not set: DATABASE_URL, SECRET_KEY")

    def test_a_key_that_can_be_searched_for_is_refused_where_something_is_signed(self) -> None:
        weak = ("a", "changeme", "x" * 31, "x" * 32, "0" * 400, "ab" * 16, "changeme" * 4)
        for environment in (DEVELOPMENT, PRODUCTION):
            for command in (["serve"], ["routes"], ["maintenance", "status"]):
                for key in weak:
                    with self.subTest(environment=environment, command=command, key=key):
                        result = self.manage(
                            *command, ENVIRONMENT=environment, DATABASE_URL=URL, SECRET_KEY=key
                        )
                        self.assert_stops(result, MISCONFIGURED, "SECRET_KEY: Must have 32")
                        self.assertNotIn(f" {key} ", result.output)

    def test_a_migration_signs_nothing_and_needs_no_key(self) -> None:
        for key in ("", "a"):
            result = self.manage("db", "current", DATABASE_URL=URL, SECRET_KEY=key)
            self.assert_stops(result, 1, "does not answer")
        result = self.manage("db", "current", SECRET_KEY="")
        self.assert_stops(result, MISCONFIGURED, "Not set: DATABASE_URL[.]")

    def test_an_issuer_is_named_with_its_keys(self) -> None:
        keys = "https://issuer.example.org/keys"
        result = self.manage("db", "current", DATABASE_URL=URL, JWT_JWKS_URL=keys)
        self.assert_stops(result, MISCONFIGURED, "JWT_JWKS_URL needs JWT_ISSUER and JWT_AUDIENCE")

    def test_what_is_missing_can_be_looked_at(self) -> None:
        result = self.manage("config", SECRET_KEY="")
        self.assertIn("SECRET_KEY=  (environment)", result.stdout)

    @shows("V13.2.3")
    def test_development_needs_no_secret_and_makes_a_new_one_each_time(self) -> None:
        with patch.dict("os.environ", {"ENVIRONMENT": "development", "SECRET_KEY": ""}):
            first, second = load_config(Config), load_config(Config)
        self.assertGreaterEqual(len(first.secret_key), 32)
        self.assertNotEqual(first.secret_key, second.secret_key)

    @shows("API8:2023")
    def test_a_bad_value_is_named_with_what_is_wrong(self) -> None:
        for name, value in (
            ("PORT", "x"),
            ("PORT", "65536"),
            ("WORKERS", "0"),
            ("WORKERS", "1001"),
            ("THREADS", "100000"),
            ("ENVIRONMENT", "staging"),
            ("LOG_LEVEL", "loud"),
            ("DATABASE_URL", "mysql://x"),
            ("DATABASE_READ_URL", "mysql://x"),
            ("DATABASE_URL", "postgresql://x:y/z"),
            ("DATABASE_URL", "postgresql://a@b:99999/x"),
            ("DATABASE_READ_URL", "postgresql://a@b:65536/x"),
            ("MIGRATION_DATABASE_URL", "postgresql://a@b:-1/x"),
            ("DATABASE_URL", "nothing of the kind"),
            ("SERVICE_PREFIX", "a b"),
            ("CORS_ORIGINS", "https://*.example.org"),
            ("CORS_ORIGINS", "https://example.org/path"),
            ("SECRET_KEY_FILE", "no-such-file"),
            ("JWT_JWKS_URL", "issuer.example.org/keys"),
            ("PROXY_HOPS", "-1"),
            ("RATE_LIMIT", "often"),
            ("RATE_LIMIT_STORAGE", "mysql://x"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "somewhere"),
        ):
            with self.subTest(name=name, value=value):
                result = self.manage("config", **{"DATABASE_URL": URL, name: value})
                self.assert_stops(result, MISCONFIGURED, name)

    def test_a_url_that_only_libpq_knows_is_answered_with_one_that_works(self) -> None:
        for url in (
            "postgresql://u:p@one:5432,two:5432/d",
            "postgresql://u@%2Fvar%2Frun%2Fpostgresql/d",
            "host=one,two dbname=d",
        ):
            with self.subTest(url):
                result = self.manage("config", DATABASE_URL=url)
                self.assert_stops(result, MISCONFIGURED, "DATABASE_URL: Must have the form")
                for works in re.findall(r"postgresql://\S+?(?=[;,.]?\s)", result.stderr):
                    shown = self.manage("config", DATABASE_URL=works)
                    self.assertIn("DATABASE_URL=********", shown.stdout, works)
                    engine = unpooled_engine(works)
                    engine.dialect.create_connect_args(engine.url)
                    engine.dispose()

    def test_a_dotenv_that_cannot_be_read_is_a_sentence(self) -> None:
        folder = Path(self.enterContext(TemporaryDirectory()))
        (folder / "latin").write_bytes("PORT=ä".encode("latin-1"))
        (folder / "wide").write_bytes("PORT=9000".encode("utf-16"))
        (folder / "folder").mkdir()
        for name in ("latin", "wide", "folder"):
            with self.subTest(name), patch.object(Project, "dotenv", folder / name):
                for command in ("config", "serve", "routes"):
                    self.assert_stops(self.manage(command), MISCONFIGURED, f"{name}: Must be")

    def test_names_and_origins_that_people_have_are_taken(self) -> None:
        for name, value in (
            ("CORS_ORIGINS", "*"),
            ("CORS_ORIGINS", "capacitor://localhost,http://[::1]:3000,http://localhost:5173"),
            (
                "CORS_ORIGINS",
                "chrome-extension://abcdefgh,moz-extension://0f8b-11,tauri://localhost",
            ),
            ("TRUSTED_HOSTS", "my_service,api.example.org,.example.net,10.0.0.1,[::1]"),
        ):
            with self.subTest(name=name, value=value):
                result = self.manage("config", **{"DATABASE_URL": URL, name: value})
                self.assertIn(f"{name}={value}  (environment)", result.stdout)
        for name, value in (
            *(
                ("CORS_ORIGINS", bad)
                for bad in ("localhost", "://a", "https://", "https://a/", "null")
            ),
            *(
                ("CORS_ORIGINS", bad)
                for bad in ("https://a:x", "https://a b", "1x://a", "https://[a]")
            ),
            *(("TRUSTED_HOSTS", bad) for bad in ("API.example.org", "a:80", "*", "https://a", ".")),
        ):
            with self.subTest(name=name, value=value):
                result = self.manage("config", **{"DATABASE_URL": URL, name: value})
                self.assert_stops(result, MISCONFIGURED, name)

    def test_production_is_told_what_it_lacks(self) -> None:
        safe = replace(
            CONFIG,
            environment=PRODUCTION,
            jwt_jwks_url="https://issuer.example.org/keys",
            rate_limit_storage="redis://cache:6379/0",
            trusted_hosts=["api.example.org"],
        )
        self.assertEqual(list(doubts(safe)), [])
        self.assertEqual(list(doubts(replace(CONFIG, environment=DEVELOPMENT))), [])
        for config, name in (
            (replace(safe, jwt_jwks_url=""), "JWT_JWKS_URL"),
            (replace(safe, rate_limit_storage="memory://"), "RATE_LIMIT_STORAGE"),
            (replace(safe, trusted_hosts=[]), "TRUSTED_HOSTS"),
        ):
            with self.subTest(name):
                [doubt] = doubts(config)
                self.assertIn(name, doubt)

    def test_a_name_that_is_nearly_a_setting_is_told(self) -> None:
        dotenv = Path(self.enterContext(TemporaryDirectory())) / ".env"
        strange = ("RATE_LIMT", "S3CRET_KEY", "SECRET_KEYFILE", "DATABSE_URL")
        dotenv.write_text("".join(f"{name}=1 per day\n" for name in strange))
        with dotenv.open("a") as file:  # Of other programs, or right.
            file.write("TEST_DATABASE_URL=a\nREPLICAS=2\nPORT=9000\nFEATURE=b\nPATH_INFO=/\n")
        with patch.object(Project, "dotenv", dotenv):
            shown = self.manage("config", DATABASE_URL=URL).stderr
            self.assertEqual(
                list(doubts(replace(CONFIG, environment=DEVELOPMENT))), shown.split("\n")[:-1]
            )
        for name, right in zip(
            strange, ("RATE_LIMIT", "SECRET_KEY", "SECRET_KEY_FILE", "DATABASE_URL"), strict=True
        ):
            self.assertIn(f"{name} in .env is not read. Did you mean {right}?\n", shown)
        self.assertEqual(shown.count("\n"), len(strange), shown)

    def test_a_default_is_no_secret(self) -> None:
        shown = self.manage("config", DATABASE_URL=URL).stdout
        self.assertIn("RATE_LIMIT_STORAGE=memory://  (default)\n", shown)
        shown = self.manage("config", RATE_LIMIT_STORAGE="redis://:hidden@cache:6379/0").stdout
        self.assertIn("RATE_LIMIT_STORAGE=********  (environment)\n", shown)

    def test_a_path_that_clients_would_resolve_is_refused(self) -> None:
        for name in ("SERVICE_PREFIX", "DOCS_PATH", "OPENAPI_PATH"):
            for value in ("/..", "/a/../b", "/.", "/a/."):
                with self.subTest(name, value=value):
                    result = self.manage("config", **{name: value})
                    self.assert_stops(result, MISCONFIGURED, name)
        self.assertEqual(self.manage("config", SERVICE_PREFIX="a/.well-known/v1..2").exit_code, 0)

    def test_each_setting_is_shown_with_its_source(self) -> None:
        dotenv = Path(self.enterContext(TemporaryDirectory())) / ".env"
        dotenv.write_text("PORT=9000\nHOST=0.0.0.0\n")
        with patch.object(Project, "dotenv", dotenv):
            result = self.manage("config", DATABASE_URL=URL, HOST="::1")
        self.assertIn("HOST=::1  (environment)", result.stdout)
        self.assertIn("PORT=9000  (.env)", result.stdout)
        self.assertIn("WORKERS=1  (default)", result.stdout)

    @shows("V13.3.1")
    def test_a_setting_may_lie_in_a_file(self) -> None:
        secret = Path(self.enterContext(TemporaryDirectory())) / "secret"
        secret.write_text("from a file\n")
        result = self.manage("config", DATABASE_URL=URL, SECRET_KEY="", SECRET_KEY_FILE=str(secret))
        self.assertIn("SECRET_KEY=********  (SECRET_KEY_FILE)", result.stdout)

    def test_no_secret_is_shown(self) -> None:
        result = self.manage("config", DATABASE_URL=URL, SECRET_KEY="hidden as well")
        self.assertNotIn("hidden", result.output)
