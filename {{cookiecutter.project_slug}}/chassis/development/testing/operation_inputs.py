"""Makes good and bad requests to one operation."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from chassis.development.testing import hostile
from chassis.development.testing.json_schema import Json, accepts, example
from chassis.openapi.document import resolve

JSON = "application/json"
BAD_TOKENS = ("", "Bearer", "Bearer wrong", "Basic dTpw", "Bearer a b")


@dataclass(frozen=True, slots=True)
class Input:
    kind: str
    method: str
    target: str
    status: int | None  # None for a valid request, which may change something.
    slug: str = ""
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        body = f"{self.headers} {self.body!r}"
        return f"{self.kind}: {self.method} {self.target[:100]} {body[:200]}"


class Operation:
    """`template` is the path with parameters, `path` has values; `headers` has the token."""

    def __init__(
        self, document: Json, template: str, path: str, method: str, headers: dict[str, str]
    ) -> None:
        operation = document["paths"][template][method]
        self._document = document
        self._template = template
        self._path = path
        self._method = method.upper()
        self._headers = headers
        parameters = [
            resolve(self._document, parameter) for parameter in operation.get("parameters", [])
        ]
        self._query = [one for one in parameters if one["in"] == "query"]
        self._declared_headers = [one for one in parameters if one["in"] == "header"]
        content = operation.get("requestBody", {}).get("content", {})
        self.secured = bool(self._headers)
        self.schema: Json | None = content.get(JSON, {}).get("schema")

    def whole(self) -> Any:
        return example(self._document, self.schema) if self.schema is not None else None

    def send(
        self, kind: str, status: int | None, slug: str, target: str = "", **more: Any
    ) -> Input:
        headers = self._headers | {"Content-Type": JSON} | more.pop("headers", {})
        if "body" not in more and self.schema is not None:
            more["body"] = json.dumps(self.whole()).encode()
        if more.get("body") is None:
            del headers["Content-Type"]
        target = target or self._path
        return Input(kind, self._method, target, status, slug, headers=headers, **more)

    def addresses(self) -> Iterator[Input]:
        wrong = [f"{self._path}/", f"/{self._path}", f"{self._path}%00", f"{self._path}%2f"]
        wrong += [f"{self._path}/..%2f", f"/.{self._path}", self._path.replace("/", "//")]
        for name in re.findall(r"{\w+}", self._template):
            before, after = self._template.split(name)
            for segment in hostile.SEGMENTS:
                if segment != "x" or after != "":
                    wrong.append(before + segment + re.sub(r"{\w+}", "x", after))
        for target in wrong:
            yield self.send("address", 404, "not-found", target)

    def queries(self) -> Iterator[Input]:
        for query in hostile.QUERIES:
            yield self.send("query", 400, "invalid-query", f"{self._path}?{query}")
        for parameter in self._query:
            name, schema = parameter["name"], parameter["schema"]
            if schema.get("type") != "array":
                twice = f"{self._path}?{name}=1&{name}=1"
                yield self.send("query", 400, "invalid-query", twice)
            for value in hostile.VALUES:
                if isinstance(value, str) and not re.search("[\ud800-\udfff]", value):
                    status, slug = self._judge(schema, value)
                    target = f"{self._path}?{name}={quote(value[:10_000], safe='')}"
                    if status or not self.secured:
                        yield self.send("query", status, slug, target)

    def headers(self) -> Iterator[Input]:
        for parameter in self._declared_headers:
            for value in hostile.HEADERS:
                right = accepts(self._document, parameter["schema"], value.strip())
                status, slug = (None, "") if right else (400, "invalid-header")
                if status or not self.secured:
                    yield self.send("header", status, slug, headers={parameter["name"]: value})

    def tokens(self) -> Iterator[Input]:
        for token in BAD_TOKENS:
            yield self.send("token", 401, "unauthorized", headers={"Authorization": token})

    def bodies(self) -> Iterator[Input]:
        whole = json.dumps(self.whole()).encode()
        for body in hostile.broken_bodies(whole):
            yield self.send("body", 400, "malformed-body", body=body)
        for content_type in hostile.TYPES:
            headers = {"Content-Type": content_type}
            yield self.send("type", 415, "unsupported-media-type", headers=headers)
        for encoding in hostile.ENCODINGS:
            headers = {"Content-Encoding": encoding}
            yield self.send("type", 415, "unsupported-media-type", headers=headers)
        yield self.send("size", 413, "payload-too-large", body=whole + b" " * 1_000_000)

    def fields(self) -> Iterator[Input]:
        schema, whole = self.schema or {}, self.whole()
        for value in hostile.variants(self._document, schema, whole):
            if isinstance(value, dict):  # Each request gets new unique values.
                new = self.whole()
                value |= {name: new[name] for name in whole if value.get(name) is whole[name]}
            right = accepts(self._document, schema, value)
            # An open maintenance window would reject all other requests.
            if not (right and self._template.startswith("/ops/")):
                status, slug = (None, "") if right else (422, "validation")
                yield self.send("field", status, slug, body=json.dumps(value).encode())

    def _judge(self, schema: Json, text: str) -> tuple[int | None, str]:
        """The expected response to a value in a query string, where all values are texts."""
        if "\0" in text or schema.get("format") == "cursor":
            return 400, "invalid-query"
        if schema.get("type") == "array":
            return self._judge(schema["items"], text)
        value: Any = text
        if schema.get("type") == "integer" and re.fullmatch("-?(0|[1-9][0-9]{0,18})", text):
            value = int(text)
        elif schema.get("type") == "boolean" and text in {"true", "false"}:
            value = text == "true"
        return (None, "") if accepts(self._document, schema, value) else (422, "validation")
