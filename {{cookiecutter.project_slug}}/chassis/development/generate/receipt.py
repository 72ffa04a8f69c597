"""The receipt `.generated/invoice.json`: what a command wrote, and `destroy` takes back."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from chassis.development.generate.draft import Draft
from chassis.development.generate.grammar import read_resource
from chassis.development.generate.names import snake
from chassis.development.generate.places import RECEIPTS
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Resource
from chassis.development.generate.splice import Insertion

FORMAT = 1


@dataclass(kw_only=True)
class Receipt:
    """The record of what a command wrote. `files` and `revisions` map names to hashes."""

    kind: str  # "resource" or "field"
    name: str
    command: str
    description: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)
    insertions: list[Insertion] = field(default_factory=list)
    revisions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def path(self) -> str:
        return receipt_file(self.name)

    def text(self) -> str:
        return f"{json.dumps(asdict(self), indent=2)}\n"

    @property
    def resource(self) -> Resource:
        return resource_of(self.description)

    @property
    def table(self) -> str:
        return str(self.description["plural"])

    @property
    def title(self) -> str:
        """The name for `db migrate --accept-drop`: invoices, or invoices.vat."""
        _, dot, column = self.name.partition(".")
        return f"{self.table}{dot}{column}"


def receipt_file(name: str) -> str:
    """The file of the receipt of a resource or a field: Invoice, Invoice.vat."""
    entity, _, column = name.partition(".")
    return f"{RECEIPTS}/{'.'.join(filter(None, [snake(entity), column]))}.json"


def read_receipt(draft: Draft, name: str) -> Receipt | None:
    path = receipt_file(name)
    text = draft.find(path)
    return None if text is None else _receipt(path, text)


def receipts(draft: Draft) -> Iterator[Receipt]:
    for file in sorted((draft.root / RECEIPTS).glob("*.json")):
        path = f"{RECEIPTS}/{file.name}"
        text = draft.find(path)
        if text is not None:
            yield _receipt(path, text)


def _receipt(path: str, text: str) -> Receipt:
    try:
        stored = json.loads(text)
        stored["insertions"] = [Insertion(**one) for one in stored["insertions"]]
        made = Receipt(**stored)
        sorted((receipt_file(made.name), made.title))  # Fail here where one of them is missing.
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refusal(
            f"{path} is no receipt of `generate`: {error!r}. Restore it from git."
        ) from error
    return made


def described(resource: Resource) -> dict[str, Any]:
    """The description in a receipt, to compare and to generate it again."""
    return {
        "name": resource.name,
        "sources": [one.source for one in resource.fields],
        "plural": resource.plural,
        "operations": list(resource.operations),
        "unique": [list(names) for names in resource.unique],
        "owned": resource.owned,
        "public": resource.public,
        "under": resource.under,
        "timestamps": resource.timestamps,
        "tables": dict(resource.tables),
    }


def resource_of(description: dict[str, Any]) -> Resource:
    options = dict(description)
    options["operations"] = tuple(options["operations"])
    options["unique"] = tuple(map(tuple, options["unique"]))
    return read_resource(options.pop("name"), options.pop("sources"), **options)


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def hashed_revision(text: str) -> str:
    """The hash of a revision without its number, which a merge of branches may change."""
    return hashed(re.sub(r"^(down_)?revision = .*\n", "", text, flags=re.MULTILINE))
