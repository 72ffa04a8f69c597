from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import UnavailableError
from chassis.core.jobs import JobFigures, JobStatistics
from chassis.postgres.error_translation import translated_errors
from chassis.postgres.ops_schema import OpsText

QUANTILES = ("0.5", "0.95", "0.99")
OPEN = OpsText("""
    SELECT count(*) FILTER (WHERE state = 'queued') AS waiting,
        count(*) FILTER (WHERE state = 'running') AS running,
        coalesce(extract(epoch FROM now() - min(not_before) FILTER (
            WHERE state = 'queued' AND not_before <= now())), 0)::float8 AS oldest
    FROM ops.job WHERE finished_at IS NULL
""")
DEAD = OpsText("SELECT count(*) FROM ops.job WHERE state = 'failed' AND finished_at IS NOT NULL")
RECENT = OpsText(f"""
    SELECT state, count(*), percentile_cont(ARRAY[{", ".join(QUANTILES)}]) WITHIN GROUP (
        ORDER BY extract(epoch FROM finished_at - greatest(created_at, not_before))::float8)
    FROM ops.job
    WHERE state IN ('done', 'failed', 'cancelled') AND finished_at > now() - interval '5 minutes'
    GROUP BY state
""")  # noqa: S608


class SqlJobStatistics(JobStatistics):
    """Counts jobs in ops.job for `/metrics`."""

    def __init__(self, engine: Engine) -> None:
        """`engine` is in autocommit and has a short timeout: a scrape must not wait for long."""
        self._engine = engine

    def figures(self) -> JobFigures:
        try:
            with translated_errors(), self._engine.connect() as connection:
                waiting, running, oldest = connection.execute(OPEN).one()
                dead = connection.execute(DEAD).scalar_one()
                recent = connection.execute(RECENT).all()
        except DBAPIError as error:  # For example before the first `db upgrade`.
            raise UnavailableError("The jobs cannot be counted.") from error
        done = next((row[2] for row in recent if row[0] == "done"), [0.0] * len(QUANTILES))
        return JobFigures(
            waiting=waiting,
            running=running,
            dead=dead,
            oldest_seconds=oldest,
            finished={row[0]: row[1] for row in recent},
            latencies=dict(zip(QUANTILES, done, strict=True)),
        )
