"""JSON Schema, of the version 2020-12: https://json-schema.org/draft/2020-12"""

from typing import Any

from jsonschema_rs import Draft202012Validator

from src.services.ports import SchemaLanguage

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_MESSAGE = 200  # It repeats what was sent.


class JsonSchemas(SchemaLanguage):
    def __init__(self) -> None:
        # The language's own description. What a schema refers to is never fetched.
        self._schemas = Draft202012Validator({"$ref": DIALECT}, validate_formats=True)

    def fault(self, schema: dict[str, Any]) -> str | None:
        if schema.get("$schema", DIALECT) != DIALECT:
            return f"/$schema: Must be {DIALECT}."
        error = next(self._schemas.iter_errors(schema), None)
        if error is None:
            return None
        place = "".join(f"/{step}" for step in error.instance_path) or "/"
        return f"{place}: {error.message[:LONGEST_MESSAGE]}"
