"""A resource of `generate`, with the names and parts of its code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from chassis.development.generate.kinds import Kind, read_kind
from chassis.development.generate.names import snake, with_article

OPERATIONS = ("list", "read", "create", "change", "delete")
OWNER_LENGTH = 255
# Modifiers of fields that no caller sets; hidden ones are not shown either.
SHOWN, HIDDEN = frozenset({"readonly"}), frozenset({"readonly", "writeonly"})


@dataclass(frozen=True)
class Field:
    name: str
    kind: Kind
    modifiers: frozenset[str]
    default: str  # Python; empty where there is none.
    source: str  # The field as it was typed.
    default_text: str = ""

    def has(self, modifier: str) -> bool:
        return modifier in self.modifiers

    @property
    def optional(self) -> bool:
        return self.has("optional")

    @property
    def parameters(self) -> list[str]:
        """Return the query parameters that filter by this field; ordered types have bounds."""
        return [f"{self.name}_from", f"{self.name}_to"] if self.kind.ordered else [self.name]

    @property
    def needed(self) -> bool:
        return not (self.optional or self.default)


@dataclass(frozen=True, kw_only=True)
class Resource:
    name: str
    plural: str
    fields: tuple[Field, ...]
    operations: tuple[str, ...] = OPERATIONS
    unique: tuple[tuple[str, ...], ...] = ()
    owned: bool = False
    public: bool = False
    under: str = ""
    timestamps: bool = False
    # The tables of the resources that its references name.
    tables: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def singular(self) -> str:
        return snake(self.name)

    @property
    def words(self) -> str:
        return self.singular.replace("_", " ")

    @property
    def a(self) -> str:
        return with_article(self.words)

    @property
    def plural_words(self) -> str:
        return self.plural.replace("_", " ")

    @property
    def url(self) -> str:
        return self.plural.replace("_", "-")

    @property
    def title(self) -> str:
        """The name of the service that a controller gets: PurchaseOrders."""
        return "".join(word.title() for word in self.plural.split("_"))

    @cached_property
    def stored(self) -> list[Field]:
        """The fields of the entity, those that the service sets included."""
        owner = Field("owner", read_kind("str", [str(OWNER_LENGTH)], "owner"), HIDDEN, "", "")
        moment = read_kind("datetime", [], "created_at")
        moments = [
            Field(name, moment, SHOWN, "UNSTAMPED", "") for name in ("created_at", "updated_at")
        ]
        return [*self.fields, *([owner] * self.owned), *(moments * self.timestamps)]

    @property
    def inputs(self) -> list[Field]:
        """List the fields of a request's body."""
        return [one for one in self.fields if not one.has("readonly") and one is not self.parent]

    @property
    def outputs(self) -> list[Field]:
        return [one for one in self.stored if not one.has("writeonly")]

    @property
    def required(self) -> list[Field]:
        return [one for one in self.inputs if one.needed]

    @property
    def needed(self) -> list[Field]:
        """List the required arguments of the service's `create`, without the owner."""
        return [one for one in self.fields if one.needed]

    @property
    def sorts(self) -> list[Field]:
        return [one for one in self.fields if one.has("sort")]

    @property
    def filters(self) -> list[Field]:
        return [one for one in self.fields if one.has("filter") and one is not self.parent]

    @property
    def refs(self) -> list[Field]:
        return [field for field in self.fields if field.kind.target]

    @property
    def parents(self) -> dict[str, str]:
        """The required entities: each name, in snake case, with its table."""
        targets = sorted({one.kind.target for one in self.refs if not one.optional})
        return {snake(target): self.tables[target] for target in targets}

    @property
    def parent(self) -> Field | None:
        """The reference that is a part of the path."""
        return next((field for field in self.refs if field.kind.target == self.under), None)

    @property
    def scope(self) -> list[Field]:
        """List the fields that narrow every list: the parent in the path, and the owner."""
        owner = [field for field in self.stored if self.owned and field.name == "owner"]
        return [*([self.parent] if self.parent else []), *owner]

    @property
    def is_unique(self) -> bool:
        """Whether a unique key rejects a copy of an entity. A key with NULL rejects none."""
        may_be_null = {one.name for one in self.fields if one.optional}
        together = any(not may_be_null & set(names) for names in self.unique)
        return together or any(one.has("unique") for one in self.required)

    @property
    def to_change(self) -> Field:
        """Return the field that the generated test changes."""
        plain = [one for one in self.inputs if not one.kind.target]
        return (plain or self.inputs)[0]

    def can(self, *operations: str) -> bool:
        return bool(set(operations) & set(self.operations))

    def enum(self, field: Field) -> str:
        """The class name of the field's enumeration: InvoiceStatus."""
        return self.name + "".join(word.title() for word in field.name.split("_"))

    def fill(self, text: str, field: Field) -> str:
        """Put the name of the field's enumeration into a text of its kind, in place of `{E}`."""
        return text.replace("{E}", self.enum(field)) if field.kind.members else text
