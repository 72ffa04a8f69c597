"""Reads settings from files: `.env`, as docker compose does, and those of `<NAME>_FILE`."""

import os
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from environs import FileAwareEnv

# https://docs.docker.com/reference/compose-file/interpolation/
VARIABLE = re.compile(r"\\\$|\$\$|\$\{(\w+)(?:(:?[-+])([^}]*))?\}|\$([A-Za-z_]\w*)", re.ASCII)


class SettingFileError(Exception):
    """A file of settings is wrong. The text names the file and a correct form."""


class SettingsEnv(FileAwareEnv):
    """Reads the file that `<NAME>_FILE` names, the environment, then `.env`."""

    def __init__(self, dotenv: Mapping[str, str]) -> None:
        super().__init__(eager=False, strip_whitespace=True)
        self._environ.update(dotenv)

    def _get_value(self, env_key: str, default: Any) -> Any:
        name = f"{env_key}{self.file_suffix}"
        if path := os.environ.get(name) or self._environ.get(name):
            return _text(Path(path), f"{name} ({path})").strip()
        return super()._get_value(env_key, default)


def read_dotenv(path: Path) -> dict[str, str]:
    """The variables of `.env`, empty without the file. Raise SettingFileError."""
    return dict(_pairs(path)) if path.exists() else {}


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(_text(path, path.name))):
        if binding.error:
            raise SettingFileError(
                f"{path.name}, line {binding.original.line}: Must have the form NAME=value."
            )
        if binding.key is not None and binding.value is not None:
            value = binding.value
            # Between single quotes, a variable's name stands for itself.
            if not re.search(r"=\s*'", binding.original.string):
                value = VARIABLE.sub(lambda match: _expanded(match, values), value)
            values[binding.key] = value
            yield binding.key, value


def _expanded(match: re.Match[str], values: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-otherwise}` or `${NAME:+instead}`; `$$` is a `$`."""
    name = match[1] or match[4]
    if not name:
        return "$"
    value = os.environ.get(name, values.get(name))
    operator, other = match[2] or "", match[3] or ""
    is_set = value if operator[:1] == ":" else value is not None
    if operator.endswith("-"):
        return value or "" if is_set else other
    if operator.endswith("+"):
        return other if is_set else ""
    return value or ""


def _text(path: Path, name: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingFileError(f"{name}: Must be text in UTF-8.") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingFileError(f"{name}: Must be a file that can be read ({reason}).") from error
    if "\0" in text:
        raise SettingFileError(f"{name}: Must be text in UTF-8, without a NUL.")
    return text
