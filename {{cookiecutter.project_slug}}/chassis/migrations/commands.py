"""Alembic, driven from Python: the database is always the one that the caller names."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from traceback import extract_tb
from typing import Any
from warnings import catch_warnings, simplefilter

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.migrator import migrator
from chassis.maintenance.revisions import ONE_LINE, RevisionsError, read_revisions, revision_of
from chassis.maintenance.window_log import create_ops_schema
from chassis.migrations.authoring import Author
from chassis.migrations.catalog import catalog, compare, wanted_by
from chassis.migrations.check import DOES_NOT_RUN, Verdict, judge_all
from chassis.migrations.footprint import Footprint
from chassis.migrations.measuring import downgrades, write_measurements
from chassis.migrations.plan import (
    ContractInTheWayError,
    Options,
    Plan,
    expand_behind_contract,
    plan_downgrade,
    plan_upgrade,
)
from chassis.migrations.runner import Runner
from chassis.migrations.scratch import ScratchForbiddenError, scratch_database
from chassis.migrations.status import description, status, unchecked
from chassis.postgres.engines import CONNECT_SECONDS, unpooled_engine
from chassis.postgres.error_translation import first_line
from chassis.project import current_project

Change = tuple[str | None, str | None]  # The revisions before and after.
BEHIND = "Target database is not up to date."
DIFFERENT = (
    "The models differ from the result of the revisions: {}. `python manage.py db migrate` writes "
    "a revision."
)
UNTRIED = (
    "The role may not create databases, so nothing was tried: no drop is proposed, CHECK "
    "constraints, enums, sequences and defaults were not compared, and the file declares the "
    "strongest window."
)


def migration_scripts() -> ScriptDirectory:
    """Return the revisions. Raise CommandError if one does not load, or if they branch."""
    scripts = ScriptDirectory.from_config(Config(toml_file=current_project().alembic_file))
    try:
        with catch_warnings():
            simplefilter("error")  # Alembic only warns, and drops one of the revisions.
            heads = scripts.get_heads()
    except UserWarning as error:
        raise CommandError(f"{error}. {ONE_LINE}") from error
    except CommandError:
        raise
    except Exception as error:
        where = _place(error, Path(scripts.versions))
        if where is None:
            raise
        text = f"A revision does not load: {type(error).__name__}: {error}{where}"
        raise CommandError(text) from error
    if len(heads) > 1:
        raise CommandError(f"{' and '.join(heads)} are both the newest revision. {ONE_LINE}")
    _require_readable(scripts)
    return scripts


def _place(error: Exception, versions: Path) -> str | None:
    """Say where in a revision the error came from; None if it came from elsewhere."""
    frames = [(Path(one.filename), one.lineno) for one in extract_tb(error.__traceback__)]
    lines = [(path.name, line) for path, line in frames if path.parent == versions.resolve()]
    if lines:
        name, line = lines[-1]
        return f" ({name}, line {line})"
    return "" if isinstance(error, SyntaxError) else None  # Its own text says where.


def _require_readable(scripts: ScriptDirectory) -> None:
    """Require that a server, which reads the files without Alembic, reads the same."""
    try:
        readable = [astuple(one) for one in reversed(read_revisions(Path(scripts.versions)))]
    except RevisionsError as error:
        raise CommandError(str(error)) from error
    for script, read in zip_longest(scripts.walk_revisions(), readable):
        phase = getattr(script.module, "phase", None) if script else None
        if script is None or read != (script.revision, script.down_revision, phase):
            name = Path(script.path).name if script else read[0]
            raise CommandError(
                f"Alembic and a server read different values from {name}: write its `revision`, "
                '`down_revision` and `phase` each as `name = "text"`, in migrations/versions.'
            )


class Migrations:
    """The `db` commands. Each method raises Alembic's CommandError for wrong arguments."""

    def __init__(self, url: str, options: Options | None = None) -> None:
        self._url = url
        self._options = options or Options()

    def upgrade(self, revision: str = "head", *, until_expand: bool = False) -> Change:
        """Apply revisions; return the revisions before and after. Raise what `Runner.run` raises.

        `until_expand` stops before a contract revision; raise ContractInTheWayError if an expand
        revision comes after that one.
        """

        def plan(scripts: ScriptDirectory, current: str | None) -> Plan:
            made = plan_upgrade(scripts, current, named(revision), until_expand=until_expand)
            if names := unchecked(made.scripts):
                text = f"{', '.join(names)}: not checked by `db check`, or edited since"
                self._options.say("warning", text)
            return made

        change = self._run(plan)
        scripts = migration_scripts()
        left = plan_upgrade(scripts, change[1], named(revision)).scripts
        if until_expand and (behind := expand_behind_contract(left)):
            raise ContractInTheWayError(*behind, applied=change[1])
        return change

    def downgrade(self, revision: str = "-1") -> Change:
        """Take revisions back; return the revisions before and after. Raise as `upgrade` does."""
        return self._run(partial(plan_downgrade, revision=named(revision)))

    def stamp(self, revision: str) -> Change:
        """Record a revision and run nothing. Raise BusyError if another migration runs."""
        with migrator(self._url, wait=self._options.wait) as connection:
            create_ops_schema(connection)
            before = revision_of(connection)
            connection.rollback()
            command.stamp(alembic_config(connection), named(revision))
            return before, revision_of(connection)

    def plan(self, revision: str = "head", *, until_expand: bool = False) -> tuple[Plan, list[str]]:
        """Return the steps that `upgrade` would take on this database, without taking them."""
        return self._described(
            partial(plan_upgrade, revision=named(revision), until_expand=until_expand)
        )

    def plan_back(self, revision: str = "-1") -> tuple[Plan, list[str]]:
        """Return the steps that `downgrade` would take on this database, without taking them."""
        return self._described(partial(plan_downgrade, revision=named(revision)))

    def _described(self, make: Callable[..., Plan]) -> tuple[Plan, list[str]]:
        with self._connection() as connection:
            plan = make(migration_scripts(), revision_of(connection))
            described = (description(connection, one, plan.direction) for one in plan.scripts)
            return plan, [line for lines in described for line in lines]

    def current(self) -> str | None:
        """The revision of the database; None if it was never migrated."""
        with self._connection() as connection:
            return revision_of(connection)

    def status(self) -> dict[str, Any]:
        """Revisions, pending ones, and sessions that may block them."""
        with self._connection() as connection:
            return status(connection, migration_scripts())

    def check(self, *, write: bool = False) -> list[str]:
        """Return sentences about wrong revisions, models and databases.

        A revision is wrong where it declares too weak a window. Models are wrong where the
        revisions make another schema, and a database where it lacks a part of the schema. Objects
        that no revision made do not count. `write` records the measurements in the revisions.
        """
        scripts = migration_scripts()
        with scratch_database(self._url) as scratch:
            verdicts = judge_all(scratch, scripts, current_project().metadata)
            wrong = [report for verdict in verdicts for report in verdict.reports]
            if any(verdict.failures for verdict in verdicts):
                return wrong
            made = catalog(scratch)
            if texts := compare(made, wanted_by(scratch, current_project().metadata)).texts:
                wrong.append(DIFFERENT.format("; ".join(texts)))
            if write:
                wrong += self._measure(scratch, scripts, verdicts)
        with self._connection() as connection:
            current = revision_of(connection)
            if current != scripts.get_current_head():
                return [*wrong, *self._order(scripts, current), BEHIND]
            drift = compare(catalog(connection), made)
        texts = replace(drift, extra={}).texts
        return wrong + ([f"The database has drifted: {'; '.join(texts)}"] if texts else [])

    def create(
        self,
        message: str,
        *,
        empty: bool = False,
        plain: bool = False,
        accept_drop: Iterable[str] = (),
    ) -> list[str]:
        """Write revisions for the differences between the models and the earlier revisions.

        Return their paths; none where there is no difference. Objects that no revision made do not
        count, because the comparison runs on a scratch database. Raise FindingsError if a written
        revision fails.
        """
        message = " ".join(message.split())
        if not message:
            raise CommandError("A revision needs a message: it names the file.")
        author = Author(alembic_config(None), current_project().metadata, self._options.say)
        with self._connection() as connection:
            if empty:
                return [author.write_empty(connection, message)]
            if revision_of(connection) != migration_scripts().get_current_head():
                raise CommandError(BEHIND)
            try:
                return author.write(self._url, message, accept_drop, plain=plain)
            except ScratchForbiddenError:
                self._options.say("warning", UNTRIED)
                return author.write_untried(connection, message)

    def _measure(
        self, scratch: Connection, scripts: ScriptDirectory, verdicts: list[Verdict]
    ) -> Iterator[str]:
        newest_first = list(scripts.walk_revisions())
        downs: list[Footprint] = []
        try:
            downs.extend(downgrades(scratch, newest_first))
        except DBAPIError as error:
            failed = newest_first[len(downs)].revision
            yield f"{failed} {DOES_NOT_RUN}: its downgrade fails: {first_line(error.orig)}"
        pairs = zip_longest(newest_first, reversed(verdicts), downs)
        for script, verdict, down in pairs:
            try:
                if write_measurements(Path(script.path), verdict.footprint, down):
                    self._options.say("measured", f"{script.path} records the measurements")
            except OSError as error:  # For example in a read-only checkout.
                self._options.say("warning", f"The measurements are not recorded: {error}")

    def _order(self, scripts: ScriptDirectory, current: str | None) -> Iterator[str]:
        """Reject an expand revision behind a contract one: it would wait for the next release."""
        pending = plan_upgrade(scripts, current, "head").scripts
        if pair := expand_behind_contract(pending):
            expand, contract = pair
            text = f"{expand} (expand) comes after {contract} (contract), which is not applied."
            if current is None:  # No service uses the database, so the order does not matter.
                self._options.say("warning", text)
            else:
                yield text

    def _run(self, plan: Callable[[ScriptDirectory, str | None], Plan]) -> Change:
        scripts = migration_scripts()
        runner = Runner(self._url, scripts, alembic_config(None), self._options)
        return runner.run(partial(plan, scripts))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        arguments = {"connect_timeout": CONNECT_SECONDS}
        with unpooled_engine(self._url, connect_args=arguments).connect() as connection:
            yield connection


def named(revision: str) -> str:
    if not revision.strip():
        raise CommandError("Name a revision, or `head`, or `base`.")
    return revision


def alembic_config(connection: Connection | None, **options: Any) -> Config:
    migration_scripts()
    return Config(
        toml_file=current_project().alembic_file,
        attributes={"connection": connection},
        cmd_opts=Namespace(quiet=True),
        **options,
    )
