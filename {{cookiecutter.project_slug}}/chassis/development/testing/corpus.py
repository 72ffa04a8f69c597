"""Makes good and bad requests from openapi.json, each with the expected response."""

from collections.abc import Iterator, Mapping

from chassis.development.testing.json_schema import Json, example
from chassis.development.testing.operation_inputs import Input, Operation
from chassis.openapi.document import METHODS, operations

OTHER_METHODS = (*METHODS, "trace", "brew")


class Corpus:
    """`paths` gives a path with values for each path with parameters."""

    def __init__(self, document: Json, token: str = "", paths: Mapping[str, str] = {}) -> None:
        self.document = document
        self._token = {"Authorization": f"Bearer {token}"}
        self._paths = paths

    def inputs(self) -> Iterator[Input]:
        for path, item in self.document["paths"].items():
            for method in set(OTHER_METHODS) - item.keys():
                yield Input("method", method.upper(), self.path(path), 405, "method-not-allowed")
        for path, method, operation in operations(self.document):
            headers = self.token(operation)
            target = Operation(self.document, path, self.path(path), method, headers)
            yield from target.addresses()
            yield from target.queries()
            yield from target.headers()
            if target.secured:
                yield from target.tokens()
            if target.schema is not None:
                yield from target.bodies()
                yield from target.fields()

    def path(self, path: str) -> str:
        if path in self._paths:
            return self._paths[path]
        parameters = self.document["paths"][path].get("parameters", [])
        for parameter in parameters:
            value = example(self.document, parameter["schema"])
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        return path

    def token(self, operation: Json) -> dict[str, str]:
        return dict(self._token) if operation.get("security") else {}
