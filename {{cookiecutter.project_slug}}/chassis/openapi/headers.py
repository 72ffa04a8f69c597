"""The headers of requests and responses, as openapi.json describes them."""

from typing import Any

from chassis.http.flow.idempotency import KEY, KEY_HEADER

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "What the logs know this request by; a fit one that is sent is kept.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where the new resource is.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "ETag": {
        "description": "The version of the resource, for If-Match and If-None-Match.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "schema": {"type": "string"},
    },
    "Deprecation": {
        "description": "Since when the operation is deprecated (RFC 9745).",
        "schema": {"type": "string", "pattern": "^@-?[0-9]+$"},
    },
    "Sunset": {
        "description": "When the operation will be gone (RFC 8594).",
        "schema": {"type": "string"},
    },
}


# A list may have empty elements (RFC 9110, sections 5.6.1 and 8.8.3).
TAG = r'(W/)?"[!#-~]*"'
TAGS = {
    "type": "string",
    "format": "entity-tags",
    "pattern": rf"^(\*|(, *)*{TAG}( *, *({TAG})?)*)$",
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "If-Match": {
        "description": "Do it only if the resource has this version: its ETag, or * for any.",
        "schema": TAGS,
    },
    "If-None-Match": {
        "description": "Answer 304 if the resource still has this version: its ETag.",
        "schema": TAGS,
    },
    KEY_HEADER: {
        "description": "The same key with the same request gets the first answer again.",
        "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
    },
}


def header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def parameter(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def components() -> dict[str, dict[str, Any]]:
    return {
        "headers": {name: {"required": True, **header} for name, header in HEADERS.items()},
        "parameters": {
            name: {"in": "header", "name": name, "required": False, **header}
            for name, header in PARAMETERS.items()
        },
    }
