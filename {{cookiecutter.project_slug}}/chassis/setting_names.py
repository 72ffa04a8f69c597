"""Settings with a second name: POSTGRES_* for DATABASE_URL, and ORIGINS for CORS_ORIGINS.

Both names may be set if their values agree.
"""

from typing import Any

from sqlalchemy import URL, make_url

# For a setting, the other name that `manage.py config` gives as its source.
OTHER_NAMES = {"database_url": "POSTGRES_SERVER", "cors_origins": "ORIGINS"}
POSTGRES_PORT = 5432
PARTS = {
    "postgres_server": "host",
    "postgres_port": "port",
    "postgres_user": "username",
    "postgres_password": "password",
    "postgres_db": "database",
}


class SettingNameError(Exception):
    """The text names settings that differ or are missing, without their values."""


def settle_names(values: dict[str, Any]) -> None:
    """Set `database_url` and `cors_origins` from their other names. Raise SettingNameError."""
    if values["origins"]:
        if values["cors_origins"] and set(values["cors_origins"]) != set(values["origins"]):
            raise SettingNameError("CORS_ORIGINS and ORIGINS differ: set one of them.")
        values["cors_origins"] = values["origins"]
    if values["postgres_server"]:  # Without it, the others are often for a database's container.
        _settle_url(values)


def _settle_url(values: dict[str, Any]) -> None:
    parts = {part: values[name] for name, part in PARTS.items() if values[name]}
    parts["host"] = parts["host"].strip("[]")
    if values["database_url"]:
        url = make_url(values["database_url"])
        in_url = {part: getattr(url, part) for part in parts} | {"port": url.port or POSTGRES_PORT}
        if in_url != parts:
            differ = {part for part in in_url if in_url[part] != parts.get(part, POSTGRES_PORT)}
            names = [name.upper() for name, part in PARTS.items() if part in differ]
            raise SettingNameError(
                f"DATABASE_URL and {', '.join(names)} differ: set the one, or the others."
            )
        return
    if missing := [name for name in ("POSTGRES_USER", "POSTGRES_DB") if not values[name.lower()]]:
        raise SettingNameError(f"POSTGRES_SERVER is set: set {' and '.join(missing)}, too.")
    url = URL.create("postgresql", **parts)  # URL.create escapes special characters.
    values["database_url"] = url.render_as_string(hide_password=False)
