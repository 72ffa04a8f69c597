"""`db upgrade` and `db downgrade`: plan, window, one revision after another, proof."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.journal import begin_step
from chassis.maintenance.migrator import lock_timeout, migrator, retry_for_locks
from chassis.maintenance.recovery import recover
from chassis.maintenance.revisions import revision_of
from chassis.maintenance.window_log import create_ops_schema
from chassis.migrations.migration_window import migration_window
from chassis.migrations.plan import Options, Plan, refuse_autocommit
from chassis.migrations.status import warnings


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
        with migrator(self.url, wait=self.options.wait) as connection:
            create_ops_schema(connection)
            recover(connection)
            plan = make_plan(revision_of(connection))
            connection.rollback()
            mode = self._mode(plan)
            if self.options.single_transaction:
                refuse_autocommit(plan)
            if plan.steps:
                self.options.say("plan", f"{plan}, window {mode}")
                self._warn(connection, plan)
            with migration_window(connection, plan, mode, self.options) as window_id:
                self._apply_all(connection, plan, window_id)
                after = revision_of(connection)
                connection.rollback()
                if after != plan.target:  # Alembic has said that all is well, and nothing happened.
                    raise CommandError(f"The database is at {after}, not at {plan.target}.")
            return plan.start, after

    def _mode(self, plan: Plan) -> MaintenanceMode:
        wanted = self.options.maintenance
        if wanted is None:
            return plan.mode
        if wanted.strength < plan.mode.strength and not self.options.force:
            raise CommandError(
                f"The revisions need a window of mode {plan.mode}, {wanted} is weaker. Take "
                "--maintenance auto, or --force if you know better"
            )
        return wanted

    def _warn(self, connection: Connection, plan: Plan) -> None:
        applied = [one for one in self.scripts.walk_revisions() if one not in plan.scripts]
        for what, names in warnings(connection, applied).items():
            if names:
                self.options.say("warning", f"{what}: {'; '.join(names)}")
        connection.rollback()

    def _apply_all(self, connection: Connection, plan: Plan, window_id: int | None) -> None:
        single = self.options.single_transaction
        for batch in [plan.steps] if single else [[step] for step in plan.steps]:
            begun = time.monotonic()
            names = ", ".join(step.revision.revision for step in batch)
            finish = [
                begin_step(connection, step.revision, plan.direction, window_id) for step in batch
            ]
            self.config.attributes.update(
                connection=connection, on_version_apply=finish, transaction_per_migration=not single
            )
            retries = retry_for_locks(
                connection,
                partial(apply, self.config, self.scripts, batch),
                budget=self.options.lock_budget,
                first=self.options.lock_timeout,
                waiting=partial(self.options.say, names),
            )
            connection.rollback()
            text = f"applied in {time.monotonic() - begun:.2f} s"
            if retries:
                longest = lock_timeout(self.options.lock_timeout, retries)
                text += f" after {retries} lock timeouts, longest lock timeout {longest} ms"
            self.options.say(names, text)


def apply(config: Config, scripts: ScriptDirectory, steps: list[RevisionStep]) -> None:
    with EnvironmentContext(config, scripts, fn=lambda _revision, _context: steps):
        scripts.run_env()
