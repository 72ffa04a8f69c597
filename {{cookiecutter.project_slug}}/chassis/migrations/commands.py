"""Alembic, driven from Python: the database is always the one that the caller names."""

import io
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

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
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.migrator import migrator
from chassis.maintenance.revisions import ONE_LINE, RevisionsError, read_revisions, revision_of
from chassis.maintenance.window_log import create_ops_schema
from chassis.migrations.check import check_revisions, declare
from chassis.migrations.plan import Options, Plan, plan_downgrade, plan_upgrade
from chassis.migrations.runner import Runner
from chassis.migrations.status import status
from chassis.postgres.engines import CONNECT_SECONDS, unpooled_engine
from chassis.project import current_project

Change = tuple[str | None, str | None]  # The revisions before and after.


def migration_scripts() -> ScriptDirectory:
    """Raise CommandError if the revisions are not one line: after a merge of branches, say."""
    scripts = ScriptDirectory.from_config(Config(toml_file=current_project().alembic_file))
    try:
        with catch_warnings():
            simplefilter("error")  # Alembic would go on without the revision that it warns of.
            heads = scripts.get_heads()
    except UserWarning as error:
        raise CommandError(f"{error}. {ONE_LINE}") from error
    if len(heads) > 1:
        raise CommandError(f"{' and '.join(heads)} are both the newest revision. {ONE_LINE}")
    _require_readable(scripts)
    return scripts


def _require_readable(scripts: ScriptDirectory) -> None:
    """A server reads them without Alembic, and would go by something else."""
    try:
        found = [astuple(one) for one in reversed(read_revisions(Path(scripts.versions)))]
    except RevisionsError as error:
        raise CommandError(str(error)) from error
    for script, read in zip_longest(scripts.walk_revisions(), found):
        phase = getattr(script.module, "phase", None) if script else None
        if script is None or read != (script.revision, script.down_revision, phase):
            name = Path(script.path).name if script else read[0]
            raise CommandError(
                f"{name} is not what its text says: write its `revision`, `down_revision` and "
                '`phase` each as `name = "text"`, in migrations/versions.'
            )


class Migrations:
    """Each method raises alembic's CommandError for a mistake of the caller's."""

    def __init__(self, url: str, options: Options | None = None) -> None:
        self._url = url
        self._options = options or Options()

    def upgrade(self, revision: str = "head", *, until_expand: bool = False) -> Change:
        """Raise what `Runner.run` raises. `until_expand` stops before a contract revision."""
        return self._run(
            partial(plan_upgrade, revision=_named(revision), until_expand=until_expand)
        )

    def downgrade(self, revision: str = "-1") -> Change:
        """Raise what `Runner.run` raises."""
        return self._run(partial(plan_downgrade, revision=_named(revision)))

    def stamp(self, revision: str) -> Change:
        """Raise BusyError if another migration runs."""
        with migrator(self._url, wait=self._options.wait) as connection:
            create_ops_schema(connection)
            before = revision_of(connection)
            connection.rollback()
            command.stamp(_config(connection), _named(revision))
            return before, revision_of(connection)

    def plan(self, revision: str = "head", *, until_expand: bool = False) -> tuple[Plan, str]:
        """What `upgrade` would do, and the SQL of it; nothing is changed."""
        with self._connection() as connection:
            current = revision_of(connection)
            connection.rollback()
            scripts = migration_scripts()
            plan = plan_upgrade(scripts, current, _named(revision), until_expand=until_expand)
            return plan, sql_of(plan)

    def current(self) -> str | None:
        """The revision of the database; None if it was never migrated."""
        with self._connection() as connection:
            return revision_of(connection)

    def status(self) -> dict[str, Any]:
        """Revisions, what is pending, and what may stand in the way, by name."""
        with self._connection() as connection:
            return status(connection, migration_scripts())

    def check(self) -> list[str]:
        """What is wrong: revisions that declare too little, a database unlike the models."""
        verdicts = check_revisions(self._url, migration_scripts(), current_project().metadata)
        wrong = [
            f"{verdict.revision} {finding}"
            for verdict in verdicts
            for finding in verdict.findings
            if finding.is_error
        ]
        with self._connection() as connection:
            try:
                command.check(_config(connection))
            except CommandError as error:
                wrong.append(str(error))
        return wrong

    def create(self, message: str, *, empty: bool = False, accept_drop: bool = False) -> str | None:
        """Write a revision from what the models have and the database has not.

        Returns its path, or None where there is no difference and nothing was written.
        """

        message = " ".join(message.split())
        if not message:
            raise CommandError("A revision needs a message: it names the file.")

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
        with self._connection() as connection:
            script = command.revision(
                _config(connection),
                message,
                autogenerate=not empty,
                rev_id=f"{newest + 1:04}",
                process_revision_directives=review,
            )
        if script is None or isinstance(script, list):
            return None
        self._declare(script)
        return script.path

    def _declare(self, script: Script) -> None:
        """Try the new revision, and write into it what it needs."""
        try:
            verdict = check_revisions(self._url, migration_scripts(), current_project().metadata)[
                -1
            ]
        except DBAPIError as error:
            raise CommandError(
                f"Wrote {script.path}, but could not try it, so it declares the most. "
                f"({str(error.orig).strip()})"
            ) from error
        if verdict.revision == script.revision:
            declare(verdict, Path(script.path))

    def _run(self, plan: Callable[[ScriptDirectory, str | None], Plan]) -> Change:
        scripts = migration_scripts()
        return Runner(self._url, scripts, _config(None), self._options).run(partial(plan, scripts))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        arguments = {"connect_timeout": CONNECT_SECONDS}
        with unpooled_engine(self._url, connect_args=arguments).connect() as connection:
            yield connection


def sql_of(plan: Plan) -> str:
    """Rendered without a database."""
    written = io.StringIO()
    config = _config(None, output_buffer=written)
    if plan.steps:
        change = command.upgrade if plan.direction == "upgrade" else command.downgrade
        change(config, f"{plan.start or 'base'}:{plan.target or 'base'}", sql=True)
    return written.getvalue()


def _named(revision: str) -> str:
    if not revision.strip():
        raise CommandError("Name a revision, or `head`, or `base`.")
    return revision


def _config(connection: Connection | None, **options: Any) -> Config:
    migration_scripts()
    return Config(
        toml_file=current_project().alembic_file,
        attributes={"connection": connection},
        cmd_opts=Namespace(quiet=True),
        **options,
    )


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
