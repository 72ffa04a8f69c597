"""`model.toml`: a table for each resource, its fields with the same grammar, options with `--`."""

import tomllib
from pathlib import Path
from typing import Any

from chassis.development.generate.grammar import operations_of, read_resource
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Resource

LISTS = {"--operations": '["list", "read"]', "--unique": '["student,course"]'}
TEXTS = {"--plural": '"entries"', "--under": '"Customer"'}
SWITCHES = dict.fromkeys(("--owned", "--public", "--timestamps"), "true")
EXAMPLES = {**LISTS, **TEXTS, **SWITCHES}


def read_model(path: Path) -> list[Resource]:
    """Read the resources. Raise Refusal, with the resource's name, for a mistake in the file."""
    try:
        tables = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} is no TOML: {error}") from error
    if not tables:
        raise Refusal(f'{path} has no resource: write [Note] and, below, title = "str:200".')
    return [_resource(path, name, table) for name, table in tables.items()]


def _resource(path: Path, name: str, table: object) -> Resource:
    if not isinstance(table, dict):
        raise Refusal(f'{path}: {name} is no table: write [{name}] and, below, title = "str:200".')
    try:
        options = dict(_option(key, table[key]) for key in table if key.startswith("--"))
        fields = [_field(key, table[key]) for key in table if not key.startswith("--")]
        return read_resource(name, fields, **options)
    except Refusal as error:
        raise Refusal(f"{path}: [{name}] {error.message}") from error


def _field(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refusal(f'{name}: {value!r} is no text: write {name} = "str:200".')
    return f"{name}:{value}"


def _option(name: str, value: object) -> tuple[str, Any]:
    key = name.removeprefix("--")
    if name in SWITCHES and isinstance(value, bool):
        return key, value
    if name in TEXTS and isinstance(value, str):
        return key, value
    if name in LISTS and isinstance(value, list) and value:
        words = [str(one) for one in value]
        if name == "--operations":
            return key, operations_of(words)
        return key, tuple(tuple(names.split(",")) for names in words)
    if name in EXAMPLES:
        raise Refusal(f'{name} = {value!r}: write "{name}" = {EXAMPLES[name]}, say.')
    raise Refusal(f"There is no option {name}; there are {', '.join(sorted(EXAMPLES))}.")
