"""Settings: one frozen object, read once when a command or a server process starts."""

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from environs import EnvValidationError, FileAwareEnv
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from chassis.project import current_project
from chassis.setting_files import SettingFileError, SettingsEnv, read_dotenv
from chassis.setting_names import OTHER_NAMES, SettingNameError, settle_names

DEVELOPMENT, PRODUCTION = "development", "production"
LAST_PORT = 65535
MOST_AT_ONCE = 1000  # Processes, or threads of a process: PostgreSQL serves far fewer clients.
POSTGRESQL = {"postgresql", "postgresql+psycopg2", "postgres"}
MASK = "********"
NEAR = 0.85  # A ratio of difflib: TEST_DATABASE_URL does not count as a misspelt DATABASE_URL.
# For SECRET_KEY: 32 random digits nearly always have 8 different ones.
SHORTEST_KEY, FEWEST_CHARACTERS = 32, 8
RATE_LIMIT = re.compile(r"[1-9]\d{0,8} per ([1-9]\d{0,3} )?(second|minute|hour|day)s?")
HOST_NAME = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*"
IPV6 = r"\[[a-f0-9]*:[a-f0-9.:]+\]"
PATH = r"(/[\w.~-]+)+"
URL_PARTS = "Parts between / may have letters, digits and - . _ ~, but must not be `.` or `..`."


class ConfigError(Exception):
    """A setting is wrong or missing. The text names each, and a correct form."""


def setting(
    default: Any = "",
    *,
    parse: str = "str",
    validate: Callable[[Any], Any] | None = None,
    required: bool = False,
    secret: bool = False,
) -> Any:
    """A field of the settings, read from the variable with its name in capitals.

    `parse` names a method of environs' Env; `required` applies in production only.
    """
    metadata = {"parse": parse, "validate": validate, "required": required, "secret": secret}
    return field(default=default, metadata=metadata)


def with_default(name: str, default: Any) -> Any:
    """A field of Settings with another default: `port: int = with_default("port", 3000)`."""
    [declared] = [item for item in fields(Settings) if item.name == name]
    return field(default=default, metadata=declared.metadata)


def _valid_url(value: str) -> None:
    try:
        url = make_url(value or "postgresql://")
        # libpq accepts %2F for the folder of a socket; SQLAlchemy does not.
        is_usable = url.drivername in POSTGRESQL and "%" not in (url.host or "")
        is_usable &= url.port is None or 0 < url.port <= LAST_PORT
    except (ArgumentError, ValueError):  # ValueError for a port that is not a number.
        is_usable = False
    if not is_usable:
        raise ValidationError(
            "Must have the form postgresql://user:password@host:5432/database; with several hosts "
            "postgresql://user:password@/database?host=one:5432&host=two:5432, with a socket "
            "postgresql://user@/database?host=/var/run/postgresql."
        )


def _valid_origins(values: list[str]) -> None:
    # flask-cors reads a * as a regular expression, and would let other origins in.
    # Browser extensions and phone applications have schemes of their own (RFC 3986, 3.1).
    origin = rf"[a-z][a-z0-9+.-]*://({HOST_NAME}|{IPV6})(:\d{{1,5}})?"
    if not all(re.fullmatch(rf"\*|{origin}", value, re.IGNORECASE) for value in values):
        raise ValidationError(
            "Each must be * or have the form https://host or https://host:port, with any scheme."
        )


def _valid_key_set(value: str) -> None:
    if value and not re.fullmatch(r"(https?://[^/]+|file://)/.*", value):
        raise ValidationError("Must have the form https://host/path, or file:///path.")


def _valid_limits(value: str) -> None:
    if value and not all(RATE_LIMIT.fullmatch(limit.strip()) for limit in value.split(";")):
        raise ValidationError("Must have the form 100 per minute; separate several with ;.")


def _valid_storage(value: str) -> None:
    if not re.match(r"(memory|rediss?)://", value):
        raise ValidationError("Must be memory:// or have the form redis://host:6379/0.")


def _valid_endpoint(value: str) -> None:
    if value and not re.match(r"https?://[^/]", value):
        raise ValidationError("Must have the form http://host:4318.")


def _valid_path(value: str) -> None:
    if not re.fullmatch(PATH, value, re.ASCII) or _climbs(value):
        raise ValidationError("Must have the form /docs or /api/v1/docs.")


def _valid_prefix(value: str) -> None:
    if not re.fullmatch(r"[\w.~/-]*", value, re.ASCII) or _climbs(value):
        raise ValidationError(URL_PARTS)


def _climbs(path: str) -> bool:
    """Whether clients would resolve the path to another one (RFC 3986, section 5.2.4)."""
    return not {".", ".."}.isdisjoint(path.split("/"))


def _valid_server(value: str) -> None:
    if value and not re.fullmatch(f"{HOST_NAME}|{IPV6}", value, re.IGNORECASE):
        raise ValidationError("Must be a host's name or address; its port is POSTGRES_PORT.")


def _valid_hosts(values: list[str]) -> None:
    if not all(re.fullmatch(rf"\.?{HOST_NAME}|{IPV6}", value) for value in values):
        raise ValidationError(
            "Each must be a host in lower case, or .name for all hosts below name."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The project's name, title, version and description, then every setting with its default.

    Precedence: the file named by `<NAME>_FILE`, the environment, `.env`, the default.
    """

    name: str
    title: str
    version: str
    description: str

    environment: str = setting(PRODUCTION, validate=OneOf([DEVELOPMENT, PRODUCTION]))
    database_url: str = setting(required=True, secret=True, validate=_valid_url)
    database_read_url: str = setting(secret=True, validate=_valid_url)
    migration_database_url: str = setting(secret=True, validate=_valid_url)
    # DATABASE_URL in parts: chassis/setting_names.py.
    postgres_server: str = setting(validate=_valid_server)
    postgres_port: int = setting(5432, parse="int", validate=Range(1, LAST_PORT))
    postgres_user: str = setting()
    postgres_password: str = setting(secret=True)
    postgres_db: str = setting()
    secret_key: str = setting(required=True, secret=True)
    jwt_jwks_url: str = setting(validate=_valid_key_set)
    jwt_issuer: str = setting()
    jwt_audience: str = setting()
    jwt_audience_claim: str = setting("aud")
    jwt_scope_claim: Sequence[str] = setting(("scope", "scp"), parse="list")
    service_prefix: str = setting(validate=_valid_prefix)
    docs_path: str = setting("/docs", validate=_valid_path)
    openapi_path: str = setting("/openapi.json", validate=_valid_path)
    host: str = setting("127.0.0.1")
    port: int = setting(8000, parse="int", validate=Range(1, LAST_PORT))
    workers: int = setting(1, parse="int", validate=Range(1, MOST_AT_ONCE))
    threads: int = setting(8, parse="int", validate=Range(1, MOST_AT_ONCE))
    log_level: str = setting("INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
    cors_origins: Sequence[str] = setting((), parse="list", validate=_valid_origins)
    origins: Sequence[str] = setting((), parse="list", validate=_valid_origins)  # A second name.
    trusted_hosts: Sequence[str] = setting((), parse="list", validate=_valid_hosts)
    proxy_hops: int = setting(0, parse="int", validate=Range(0, 10))
    max_body_bytes: int = setting(1_000_000, parse="int", validate=Range(1))
    rate_limit: str = setting("1000 per second", validate=_valid_limits)
    rate_limit_storage: str = setting("memory://", secret=True, validate=_valid_storage)
    otel_exporter_otlp_endpoint: str = setting(validate=_valid_endpoint)

    @property
    def migration_url(self) -> str:
        """The URL for migrations, which leads to PostgreSQL itself and not to a pooler."""
        return self.migration_database_url or self.database_url


Kind = TypeVar("Kind", bound=Settings)


def load_config(kind: type[Kind], *, complete: bool = True, signs: bool = True) -> Kind:
    """Read the settings. Raise ConfigError with every mistake.

    With `complete`, a missing setting is a mistake. Without `signs`, as in a migration,
    DATABASE_URL alone is required. A project that uses no database needs neither SECRET_KEY nor
    DATABASE_URL.
    """
    about: dict[str, Any] = current_project().about
    try:
        env = SettingsEnv(read_dotenv(current_project().dotenv))
        values = {item.name: _read(env, item, kind) for item in _settings(kind)}
        env.seal()
        settle_names(values)
    except EnvValidationError as error:
        raise ConfigError(_sentences(error)) from error
    except (SettingFileError, SettingNameError, ValueError) as error:
        raise ConfigError(str(error)) from error
    if complete:
        _complete(kind, values, signs=signs)
    return kind(**about | values)


def doubts(config: Settings) -> Iterator[str]:
    """Warnings for operators about doubtful settings, with which the service runs all the same."""
    yield from misspelt(type(config))
    if config.environment == PRODUCTION:
        if not config.jwt_jwks_url:
            yield "JWT_JWKS_URL is not set: only public operations are served."
        if config.rate_limit and config.rate_limit_storage.startswith("memory:"):
            yield "RATE_LIMIT_STORAGE is memory://: each process counts requests for itself."
        if not config.trusted_hosts:
            yield "TRUSTED_HOSTS is not set: every Host header is accepted."


def misspelt(kind: type[Settings]) -> Iterator[str]:
    """A sentence for each name in `.env` that is similar to a setting's, but not equal to any."""
    names = [name for item in _settings(kind) for name in (item.name.upper(), _of_file(item))]
    for name in read_dotenv(current_project().dotenv):
        if name not in names and (near := get_close_matches(name, names, 1, NEAR)):
            yield f"{name} in .env is not read. Did you mean {near[0]}?"


def _of_file(item: Field[Any]) -> str:
    return f"{item.name.upper()}_FILE"


def describe(config: Settings) -> Iterator[tuple[str, str, str]]:
    """Name, value and source of each setting; a secret's value is masked."""
    dotenv = read_dotenv(current_project().dotenv)
    for item in _settings(type(config)):
        name, value = item.name.upper(), getattr(config, item.name)
        if _of_file(item) in os.environ or _of_file(item) in dotenv:
            source = _of_file(item)
        elif name in os.environ:
            source = "environment"
        elif name not in dotenv and item.name in OTHER_NAMES and value != item.default:
            source = OTHER_NAMES[item.name]
        else:
            source = ".env" if name in dotenv else "default"
        shown = value if isinstance(value, str | int) else ",".join(value)
        is_masked = item.metadata["secret"] and value != item.default
        yield name, MASK if is_masked else str(shown), source


def _settings(kind: type[Settings]) -> list[Field[Any]]:
    return [item for item in fields(kind) if item.metadata]


def default_prefix(kind: type[Settings]) -> str:
    """Return the default of SERVICE_PREFIX: the project's name, unless its Config has another."""
    [prefix] = [item.default for item in fields(kind) if item.name == "service_prefix"]
    return str(prefix or current_project().name)


def _read(env: FileAwareEnv, item: Field[Any], kind: type[Settings]) -> Any:
    default = default_prefix(kind) if item.name == "service_prefix" else item.default
    read = getattr(env, item.metadata["parse"])
    value = read(item.name.upper(), default, validate=item.metadata["validate"])
    return value.strip() if isinstance(value, str) else value


def _sentences(error: EnvValidationError) -> str:
    messages = cast("Mapping[str, list[str]]", error.error_messages)
    return " ".join(f"{name}: {' '.join(texts)}" for name, texts in messages.items())


def _complete(kind: type[Settings], values: dict[str, Any], *, signs: bool) -> None:
    required = [item.name for item in _settings(kind) if item.metadata["required"]]
    stateless = not current_project().uses_database
    needless = {"database_url", "secret_key"} if stateless else set()
    needless |= set() if signs else {*required} - {"database_url"}
    missing = [name.upper() for name in required if not values[name] and name not in needless]
    if values["jwt_jwks_url"] and not (values["jwt_issuer"] and values["jwt_audience"]):
        raise ConfigError("JWT_JWKS_URL needs JWT_ISSUER and JWT_AUDIENCE as well.")
    if values["docs_path"] == values["openapi_path"]:
        raise ConfigError("DOCS_PATH and OPENAPI_PATH have to differ.")
    if values["environment"] == DEVELOPMENT:
        # Without DATABASE_URL, the embedded PostgreSQL is used. A random key is safe.
        values["secret_key"] = values["secret_key"] or secrets.token_urlsafe(32)
    elif missing:
        raise ConfigError(
            f"Not set: {', '.join(missing)}. In production each is needed, as a variable or, with "
            "_FILE behind its name, as the path of a file. For development, "
            "`python scripts/create_env.py` writes a .env with ENVIRONMENT=development."
        )
    if signs and (values["secret_key"] or not stateless):
        _require_strong(values["secret_key"])


def _require_strong(key: str) -> None:
    """Reject a weak key: an attacker could guess it offline, from a page cursor that it signed."""
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
        raise ConfigError(
            f"SECRET_KEY: Must have {SHORTEST_KEY} characters or more, {FEWEST_CHARACTERS} of them "
            "different: `python -c 'import secrets; print(secrets.token_urlsafe(32))'` makes one."
        )
