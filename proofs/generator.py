"""Random models: `generate` writes them, the project's checks pass, `destroy` takes all back.

python -m proofs.generator                                300 rendered and undone, 20 migrated
python -m proofs.generator --rendered 10 --migrated 1 --seed 7 --project DIR

DIR is a generated project with its environment, committed, its database migrated; a new one without
it. It is left as it was found; the first difference ends the run, and the project then shows it.
"""

import argparse
import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from proofs.rehearse import generate

BATCH = 30  # Resources that are linted and typed in one run.
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
    """Some resources, as a model file has them."""

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


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.python = str(root / ".venv/bin/python")

    def run(self, *command: str) -> str:
        """Raise SystemExit, with what it printed, if it fails."""
        result = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if result.returncode:
            raise SystemExit(f"{' '.join(command)}\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
        return result.stdout

    def manage(self, *arguments: str) -> str:
        return self.run(self.python, "manage.py", *arguments)

    def generate(self, model: Model, *options: str) -> None:
        file = self.root / ".git/model.toml"
        file.write_text(model.text(), "utf-8")
        self.manage("generate", "resources", ".git/model.toml", *options)

    def destroy(self, model: Model) -> None:
        """Those that refer to others first."""
        self.manage("destroy", "resource", *reversed(model.names))

    def check(self) -> None:
        self.run(self.python, "-m", "ruff", "check", ".")
        self.run(self.python, "-m", "ruff", "format", "--check", ".")
        self.run(self.python, "-m", "mypy")
        self.run(str(self.root / ".venv/bin/lint-imports"))

    def require_clean(self, what: str) -> None:
        if left := self.run("git", "status", "--short"):
            raise SystemExit(f"After {what}:\n{left}{self.run('git', 'diff')[:4000]}")


def render(project: Project, dice: random.Random, number: int) -> None:
    done = 0
    while done < number:
        size = min(BATCH, number - done)
        model = Model(dice, done, size)
        project.generate(model, "--no-migration")
        project.check()
        project.destroy(model)
        project.require_clean(f"{size} resources were taken back")
        done += size
        print(f"{done} of {number} rendered, linted, typed and undone", flush=True)


def migrate(project: Project, dice: random.Random, number: int) -> None:
    for index in range(number):
        model = Model(dice, 1000 + index, dice.randint(1, 4))
        project.generate(model)
        for arguments in (("upgrade",), ("downgrade", "--yes"), ("upgrade",)):
            project.manage("db", *arguments)
        project.run(project.python, "-m", "unittest", "discover", "-s", "tests")
        project.manage("db", "downgrade", "--yes")
        project.destroy(model)
        project.require_clean("a migrated model was taken back")
        print(f"{index + 1} of {number} migrated up, down and up, tested and undone", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--rendered", type=int, default=300)
    parser.add_argument("--migrated", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    if options.project:
        prove(Project(options.project.resolve()), options)
        return
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # Root's embedded PostgreSQL is another user's.
        project = Project(generate(Path(folder)))
        project.manage("db", "upgrade")
        prove(project, options)
        project.manage("db", "stop")


def prove(project: Project, options: argparse.Namespace) -> None:
    print(f"seed {options.seed}", flush=True)
    dice, start = random.Random(options.seed), time.monotonic()
    project.require_clean("nothing was done yet")
    render(project, dice, options.rendered)
    migrate(project, dice, options.migrated)
    print(f"all valid, all undone, in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
