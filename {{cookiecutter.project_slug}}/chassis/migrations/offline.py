"""The SQL of a plan, rendered without a database."""

import io

from alembic import command
from alembic.util import CommandError

from chassis.migrations.commands import alembic_config, migration_scripts, named
from chassis.migrations.plan import Plan, plan_downgrade, plan_upgrade

NOT_IN_SQL = """\
-- Unlike `db upgrade`, this SQL has no windows, no journal in ops.step, no time limits, no retries.
-- If you run the SQL by hand, keep writers out where a revision declares a window.

"""


def sql_of(plan: Plan) -> str:
    """Return the SQL of the plan, rendered without a database."""
    written = io.StringIO()
    written.write(NOT_IN_SQL)
    config = alembic_config(None, output_buffer=written)
    if plan.steps:
        change = command.upgrade if plan.direction == "upgrade" else command.downgrade
        change(config, f"{plan.start or 'base'}:{plan.target or 'base'}", sql=True)
    return written.getvalue()


def sql_between(direction: str, revisions: str) -> str:
    """Return the SQL of the range `from:to`, or up to `to`; reversed for a downgrade."""
    start, colon, end = revisions.rpartition(":")
    if direction == "downgrade" and not colon:
        raise CommandError(
            "Without a database, name both revisions: `db downgrade 0003:0001 --sql`."
        )
    scripts = migration_scripts()
    if start and start != "base":
        scripts.get_revision(start)
    from_revision = None if start in {"", "base"} else start
    make = plan_upgrade if direction == "upgrade" else plan_downgrade
    return sql_of(make(scripts, from_revision, named(end)))
