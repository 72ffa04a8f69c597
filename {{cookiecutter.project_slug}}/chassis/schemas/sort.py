from typing import Any

from chassis.schemas.strict import StrictField


class Sort(StrictField[tuple[tuple[str, bool], ...]]):
    """`-created_at,title`: names that are declared here, with the fields that they stand for.

    Such a field is never None, and is in an index with the id, in one direction: then the last
    page costs what the first does.
    """

    default_error_messages = {"choice": "Sorts by {names}; with - before a name it descends."}

    def __init__(self, **names: str) -> None:
        self._fields = names
        name = f"-?({'|'.join(names)})"
        about = f"Of {', '.join(names)}; with - before a name it descends."
        super().__init__(metadata={"pattern": f"^{name}(,{name})*$", "description": about})

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[tuple[str, bool], ...]:
        order: dict[str, bool] = {}
        for name in str(value).split(","):
            bare = name.removeprefix("-")
            if bare not in self._fields:
                raise self.make_error("choice", names=", ".join(self._fields))
            order.setdefault(self._fields[bare], name != bare)  # A second time says nothing new.
        return tuple(order.items())
