"""Alembic, driven from Python: the database is always the one that the caller names."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.operations.ops import (
    AddColumnOp,
    CreateTableOp,
    DropColumnOp,
    DropTableOp,
    MigrationScript,
    ModifyTableOps,
)
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, NullPool, create_engine

from src.infrastructure.databases.engines import CONNECT_SECONDS, psycopg2_url

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def migration_scripts() -> ScriptDirectory:
    """Raise CommandError if two revisions, of two branches, have one number."""
    scripts = ScriptDirectory.from_config(Config(toml_file=PYPROJECT))
    numbers = Counter(_number(file) for file in Path(scripts.versions).glob("*.py"))
    if taken := [number for number, files in numbers.items() if files > 1]:
        raise CommandError(
            f"Two revisions are numbered {taken[0]}. Give the later one the next number, in its "
            "name and in its `revision`, and the other's as its `down_revision`."
        )
    return scripts


def _number(file: Path) -> str:
    return file.name.partition("_")[0]


class Migrations:
    """Each method raises alembic's CommandError for a mistake of the caller's."""

    def __init__(self, url: str) -> None:
        self._url = psycopg2_url(url)

    def upgrade(self, revision: str = "head") -> None:
        with self._config() as config:
            command.upgrade(config, revision)

    def downgrade(self, revision: str = "-1") -> None:
        with self._config() as config:
            command.downgrade(config, revision)

    def stamp(self, revision: str) -> None:
        with self._config() as config:
            command.stamp(config, revision)

    def current(self) -> str | None:
        """The revision of the database; None if it was never migrated."""
        with self._engine().connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def check(self) -> None:
        """Raise CommandError unless the database is at the head and has what the models say."""
        with self._config() as config:
            command.check(config)

    def create(self, message: str, *, empty: bool = False, accept_drop: bool = False) -> str | None:
        """Write a revision from what the models have and the database has not.

        Returns its path, or None where there is no difference and nothing was written.
        """

        def review(_context: object, _revision: object, scripts: list[MigrationScript]) -> None:
            operations = scripts[0].upgrade_ops
            if operations is None or (operations.is_empty() and not empty):
                scripts.clear()
            elif not accept_drop and (suspects := list(_possible_renames(operations.ops))):
                raise CommandError(
                    f"This looks like a rename ({'; '.join(suspects)}), and a drop loses the data. "
                    "Nothing was written. To rename, use --empty and write op.alter_column or "
                    "op.rename_table; if a drop is meant, repeat with --accept-drop."
                )

        ids = [script.revision for script in migration_scripts().walk_revisions()]
        newest = max((int(number) for number in ids if number.isdecimal()), default=0)
        with self._config() as config:
            script = command.revision(
                config,
                message,
                autogenerate=not empty,
                rev_id=f"{newest + 1:04}",
                process_revision_directives=review,
            )
        return script.path if script and not isinstance(script, list) else None

    @contextmanager
    def _config(self) -> Iterator[Config]:
        migration_scripts()
        with self._engine().connect() as connection:
            yield Config(
                toml_file=PYPROJECT,
                attributes={"connection": connection},
                cmd_opts=Namespace(quiet=True),
            )

    def _engine(self) -> Engine:
        arguments = {"connect_timeout": CONNECT_SECONDS}
        return create_engine(self._url, poolclass=NullPool, connect_args=arguments)


def _possible_renames(operations: Iterable[object], table: str = "") -> Iterator[str]:
    """What is dropped where something else is added: pairs that may be one thing renamed."""
    dropped, added = [], []
    for operation in operations:
        match operation:
            case ModifyTableOps():
                yield from _possible_renames(operation.ops, operation.table_name)
            case DropTableOp():
                dropped.append(operation.table_name)
            case CreateTableOp():
                added.append(operation.table_name)
            case DropColumnOp():
                dropped.append(f"{table}.{operation.column_name}")
            case AddColumnOp():
                added.append(f"{table}.{operation.column.name}")
    if dropped and added:
        yield f"drops {', '.join(dropped)} and adds {', '.join(added)}"
