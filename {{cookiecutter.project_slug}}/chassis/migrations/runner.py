"""`db upgrade` and `db downgrade`: plan, window, one revision after another, proof."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from traceback import extract_tb

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import BusyError
from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.journal import begin_step, ended_between, finish_step
from chassis.maintenance.migrator import (
    LONGEST_LOCK_TIMEOUT,
    LockedError,
    lock_timeout,
    migrator,
    retry_for_locks,
)
from chassis.maintenance.recovery import recover
from chassis.maintenance.revisions import revision_of
from chassis.maintenance.window_log import create_ops_schema
from chassis.migrations.migration_window import OpenWindow, migration_window, open_window
from chassis.migrations.plan import Options, Plan, leads_to, refuse_autocommit
from chassis.migrations.probe import SECONDS, probe
from chassis.migrations.status import INVALID, warnings
from chassis.migrations.watching import watching

# Seconds to wait for locks while clients are excluded. The first step gives up within 2 s, and the
# window is closed until the locks are free. After a step, closing the window could lose writes.
FIRST_SECONDS, LATER_SECONDS = 1.5, 30.0
WRITTEN_SINCE = (
    "Window #{0} ended after {1}, before the revisions that were to follow inside it: {1} has not "
    "processed the rows written since. If {1} copies or fills data that a later revision drops, "
    "run `python manage.py db downgrade`, then `db upgrade`. If not, `db upgrade --accept-writes`"
)


@dataclass(frozen=True, slots=True)
class Runner:
    url: str
    scripts: ScriptDirectory
    config: Config
    options: Options

    def run(self, make_plan: Callable[[str | None], Plan]) -> tuple[str | None, str | None]:
        """Return the revisions before and after.

        Raise BusyError if another migration runs, somebody does not stop writing or a lock cannot
        be had, CommandError for a mistake of the caller's, MigrationFailedError if the window
        stays.
        """
        waiting = partial(self.options.say, "waiting")
        with migrator(self.url, wait=self.options.wait, waiting=waiting) as connection:
            create_ops_schema(connection)
            plan = self._planned(connection, make_plan)
            if self.options.single_transaction:
                refuse_autocommit(plan)
            if plan.steps:
                for line in plan.described():
                    self.options.say("plan", line)
                self._warn(connection, plan)
            ends = self.options.terminate_blockers
            try:
                with watching(connection, self.options.say, end_idle=ends):
                    self._run_parts(connection, plan)
            except BaseException:
                self._say_where(connection)
                raise
            return plan.start, plan.target

    def _planned(self, connection: Connection, make_plan: Callable[[str | None], Plan]) -> Plan:
        try:
            plan = self._in_chosen_mode(make_plan(revision_of(connection)))
            recover(connection, goes_on=bool(plan.steps))
        except CommandError:
            recover(connection)
            raise
        between = ended_between(connection)
        connection.rollback()
        goes_on = plan.steps and plan.direction == "upgrade"
        if between and goes_on and not self.options.accept_writes:
            raise CommandError(WRITTEN_SINCE.format(*between))
        return plan

    def _run_parts(self, connection: Connection, plan: Plan) -> None:
        """Run the steps that need no window before and after the others."""
        everything = range(len(plan.steps))
        inside = plan.needing
        if open_window(connection) or (inside and self.options.single_transaction):
            inside = everything
        if inside and self.options.hold:
            inside = range(inside.start, everything.stop)
        connection.rollback()
        self._apply_all(connection, plan.part(0, inside.start), None)
        self._run_inside(connection, plan.part(inside.start, inside.stop))
        self._apply_all(connection, plan.part(inside.stop, everything.stop), None)

    def _run_inside(self, connection: Connection, plan: Plan) -> None:
        """Open the window only when the locks are free, and close it while they are not."""
        deadline = time.monotonic() + self.options.lock_budget
        while True:
            if plan.mode is not MaintenanceMode.NONE:
                retry_for_locks(
                    connection,
                    partial(probe, connection, plan),
                    budget=deadline - time.monotonic(),
                    timeouts=(SECONDS, SECONDS),
                    waiting=partial(self.options.say, "probe"),
                )
            try:
                with migration_window(connection, plan, self.options) as window:
                    return self._apply_all(connection, plan, window)
            except LockedError as error:
                connection.rollback()
                if revision_of(connection) != plan.start or time.monotonic() > deadline:
                    raise
                connection.rollback()
                self.options.say("window", f"closed until the locks can be had. {error}")

    def _say_where(self, connection: Connection) -> None:
        with suppress(DBAPIError):
            if not connection.invalidated:
                connection.rollback()
                self.options.say("schema", f"is at {revision_of(connection) or 'none'}")
                if invalid := list(connection.execute(INVALID).scalars()):
                    text = "the next run rebuilds each index that its revisions build"
                    self.options.say("warning", f"invalid indexes: {', '.join(invalid)}; {text}")
                connection.rollback()

    def _in_chosen_mode(self, plan: Plan) -> Plan:
        wanted = self.options.maintenance
        if wanted is None:
            return plan
        if wanted.strength < plan.mode.strength and not self.options.force:
            raise CommandError(
                f"The revisions need a window of mode {plan.mode}; the mode {wanted} is weaker. "
                "Use --maintenance auto, or --force if you accept the risk."
            )
        return plan.in_mode(wanted)

    def _warn(self, connection: Connection, plan: Plan) -> None:
        applied = [one for one in self.scripts.walk_revisions() if one not in plan.scripts]
        for what, names in warnings(connection, applied).items():
            if names:
                self.options.say("warning", f"{what}: {'; '.join(names)}")
        connection.rollback()

    def _apply_all(self, connection: Connection, plan: Plan, window: OpenWindow | None) -> None:
        single = self.options.single_transaction
        everything = range(len(plan.steps))
        for batch in [everything] if single and plan.steps else [[i] for i in everything]:
            part = plan.part(batch[0], batch[-1] + 1)
            if window:
                window.require(part.mode)
            limits = FIRST_SECONDS if batch[0] == 0 else LATER_SECONDS
            self._apply(connection, part, window, limits if window else inf)

    def _apply(
        self, connection: Connection, part: Plan, window: OpenWindow | None, limit: float
    ) -> None:
        begun = time.monotonic()
        names = ", ".join(script.revision for script in part.scripts)
        self._begin_steps(connection, part, window, names)
        run = partial(apply, self.config, self.scripts, part.steps)
        timeouts = (self.options.lock_timeout, LONGEST_LOCK_TIMEOUT)
        with naming(names):
            retries = retry_for_locks(
                connection,
                partial(window.run, run) if window else run,
                budget=min(limit, self.options.lock_budget),
                timeouts=timeouts,
                waiting=partial(self.options.say, names),
            )
        connection.rollback()  # A transaction may be open still.
        after = revision_of(connection)
        connection.rollback()
        if after != part.target:  # Alembic reported success, and nothing changed.
            raise CommandError(f"The database is at {after}, not at {part.target}.")
        text = f"applied in {time.monotonic() - begun:.2f} s"
        if retries:
            longest = lock_timeout(*timeouts, retries)
            text += f" after {retries} lock timeouts, longest lock timeout {longest} ms"
        self.options.say(names, text)

    def _begin_steps(
        self, connection: Connection, part: Plan, window: OpenWindow | None, names: str
    ) -> None:
        """Note in the journal that the steps begin, and let Alembic note their ends."""
        inside = window.id if window else None
        steps = [
            begin_step(connection, step.revision, part.direction, inside, leads_to(step))
            for step in part.steps
        ]
        if window:
            window.uncommitted = steps
        self.config.attributes.update(
            connection=connection,
            say=partial(self.options.say, names),
            on_version_apply=[partial(finish_step, connection, step) for step in steps],
            transaction_per_migration=not self.options.single_transaction,
        )


class RevisionError(Exception):
    """The Python code of a revision failed."""


@contextmanager
def naming(revision: str) -> Iterator[None]:
    """Add the revision's name to every error but BusyError and CommandError."""
    try:
        yield
    except (BusyError, CommandError):
        raise
    except DBAPIError as error:
        error.add_note(f"In revision {revision}")
        raise
    except Exception as error:
        last = extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        text = f"In revision {revision}: {type(error).__name__}: {error} ({where})."
        raise RevisionError(text) from error


def apply(config: Config, scripts: ScriptDirectory, steps: list[RevisionStep]) -> None:
    with EnvironmentContext(config, scripts, fn=lambda _revision, _context: steps):
        scripts.run_env()
