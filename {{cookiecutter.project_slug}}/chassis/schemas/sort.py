import re
from typing import Any, Literal

from chassis.core.errors import DeclarationError
from chassis.core.model import declarations
from chassis.core.paging import SortKey
from chassis.schemas.strict import StrictField


class Sort(StrictField[tuple[SortKey, ...]]):
    """The parameter `sort=-created_at,title`, with the fields that its names stand for.

    `entity_type` has to have these fields. Each needs an index with the id behind it; then the last
    page costs as much as the first. `nulls` puts None at one end in both directions; without it,
    None is the greatest value, as in PostgreSQL.
    """

    default_error_messages = {"choice": "Sorts by {names}; with - before a name it descends."}

    def __init__(
        self,
        entity_type: type | None = None,
        *same: str,
        nulls: Literal["first", "last"] | None = None,
        **names: str,
    ) -> None:
        self.entity_type = entity_type
        self.fields = {name: name for name in same} | names
        self._nulls_first = None if nulls is None else nulls == "first"
        if entity_type:
            _require_fields(entity_type, self.fields)
        name = f"-?({'|'.join(self.fields)})"  # `sort_names` reads this form.
        about = f"Of {', '.join(self.fields)}; with - before a name it descends."
        super().__init__(metadata={"pattern": f"^{name}(,{name})*$", "description": about})

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[SortKey, ...]:
        order: dict[str, bool] = {}
        for name in str(value).split(","):
            bare = name.removeprefix("-")
            if bare not in self.fields:
                raise self.make_error("choice", names=", ".join(self.fields))
            order.setdefault(self.fields[bare], name != bare)  # A name's first occurrence counts.
        return tuple(SortKey(*one, self._nulls_first) for one in order.items())


def sort_names(pattern: object) -> set[str]:
    """The names in the pattern of a Sort; none for another pattern."""
    match = re.fullmatch(r"\^-\?\((\w+(?:\|\w+)*)\)\(,-\?\(\1\)\)\*\$", str(pattern))
    return set(match[1].split("|")) if match else set()


def _require_fields(entity_type: type, names: dict[str, str]) -> None:
    declared = declarations(entity_type)
    for name, field in names.items():
        if field not in declared:
            raise DeclarationError(
                f"Sort: {name!r} stands for {entity_type.__name__}.{field}, which is no field with "
                f"a rule. Name one of {', '.join(declared)}."
            )
