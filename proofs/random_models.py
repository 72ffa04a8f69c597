"""Makes random model files with all types, modifiers and options of `generate`."""

import json
import random
from collections.abc import Iterator

LETTERS = "abcdefghijklmnopqrstuvwxyz"
KINDS = (
    *("str", "str:{n}", "text", "text:5000", "int", "int:1..{n}", "int:-5..5", "bigint"),
    *("decimal", "decimal:12.2", "decimal:5.0", "bool", "date", "datetime", "time", "uuid"),
    *("email", "url", "enum:draft,sent,paid", "enum:a-b,c_d", "json", "json:500"),
    *("array:str:5", "array:int"),
)
DEFAULTS = {
    "str": "ab",
    "str:{n}": "x",
    "text": "ab",
    "int": "7",
    "int:-5..5": "-5",
    "bigint": "1",
    "decimal:12.2": "1.5",
    "decimal:5.0": "3",
    "bool": "true",
    "date": "2026-01-31",
    "time": "09:30",
    "enum:draft,sent,paid": "sent",
    "enum:a-b,c_d": "a-b",
    "url": "https://example.org/a",
}
INDEXED = {"str", "str:{n}", "int", "bigint", "decimal:12.2", "date", "datetime", "uuid", "email"}
OPERATIONS = ("list", "read", "create", "change", "delete")


class Model:
    """The resources of one model file."""

    def __init__(self, dice: random.Random, number: int, size: int) -> None:
        self.dice = dice
        self.names = [f"{self._word().title()}{number}x{index}" for index in range(size)]
        self.tables = {name: self._table(name) for name in self.names}

    def text(self) -> str:
        return "\n".join(
            "\n".join(
                [f"[{name}]", *(f"{_key(key)} = {json.dumps(value)}" for key, value in table)]
            )
            for name, table in self.tables.items()
        )

    def _word(self) -> str:
        return "".join(self.dice.choices(LETTERS, k=self.dice.randint(4, 9)))

    def _table(self, name: str) -> list[tuple[str, object]]:
        fields = [(f"{self._word()}_{index}", self._field()) for index in range(1, 9)]
        table: list[tuple[str, object]] = list(fields[: self.dice.randint(1, 8)])
        table.insert(0, ("first_one", self.dice.choice(("str:40", "int", "date"))))
        earlier = self.names[: self.names.index(name)]
        for target in self.dice.sample(earlier, min(len(earlier), self.dice.randint(0, 2))):
            table.append((f"to_{target.lower()}", self._reference(target)))
        if self.dice.random() < 0.1:
            table.append(("above", f"ref:{name}:set_null:optional"))
        return table + list(self._options(table, earlier))

    def _field(self) -> str:
        kind = self.dice.choice(KINDS)
        parts = [kind.replace("{n}", str(self.dice.randint(2, 600)))]
        default = DEFAULTS.get(kind, "") if self.dice.random() < 0.3 else ""
        is_optional = not default and self.dice.random() < 0.4
        parts += ["optional"] * is_optional
        parts += [word for word in ("unique", "index", "filter") if self._is_looked_up(kind)]
        if kind in INDEXED and not is_optional and self.dice.random() < 0.2:
            parts.append("sort")
        if (default or is_optional) and self.dice.random() < 0.2:
            parts.append("readonly")
        elif not {"filter", "sort"} & set(parts) and self.dice.random() < 0.1:
            parts.append("writeonly")
        return ":".join(parts) + (f"={default}" if default else "")

    def _is_looked_up(self, kind: str) -> bool:
        return kind in INDEXED and self.dice.random() < 0.15

    def _reference(self, target: str) -> str:
        action = self.dice.choice(("", ":restrict", ":cascade", ":set_null:optional", ":optional"))
        return f"ref:{target}{action}{self.dice.choice(('', '', ':filter', ':index'))}"

    def _options(
        self, table: list[tuple[str, object]], earlier: list[str]
    ) -> Iterator[tuple[str, object]]:
        if self.dice.random() < 0.3:
            yield "--operations", self.dice.sample(OPERATIONS, self.dice.randint(1, 5))
        if self.dice.random() < 0.3:
            yield "--timestamps", True
        if self.dice.random() < 0.5:
            yield self.dice.choice(("--owned", "--public")), True
        if earlier and self.dice.random() < 0.2:
            optional = {key for key, value in table if "optional" in str(value)}
            within = [name for name in earlier if f"to_{name.lower()}" not in optional]
            yield from (("--under", name) for name in within[:1])
        whole = [key for key, value in table if str(value).startswith(("str", "int", "date"))]
        if len(whole) > 1 and self.dice.random() < 0.2:
            yield "--unique", [",".join(whole[:2])]


def _key(key: str) -> str:
    return json.dumps(key) if key.startswith("--") else key
