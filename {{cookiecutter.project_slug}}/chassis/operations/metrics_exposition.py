from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from dependency_injector.wiring import Provide, inject
from flask import Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chassis.core.errors import UnavailableError  # Raised where jobs cannot be counted.
from chassis.core.jobs import JobStatistics
from chassis.core.maintenance import MaintenanceMode, Window
from chassis.core.maintenance_service import MaintenanceService
from chassis.http.flow.blueprint import UndocumentedBlueprint

# For operators, not for callers: nginx does not pass /metrics on.
blueprint = UndocumentedBlueprint("metrics", __name__, url_prefix="/metrics")


@blueprint.get("")
@blueprint.public
@inject
def read_metrics(
    maintenance: Annotated[MaintenanceService, Provide["maintenance_service"]],
    jobs: Annotated[JobStatistics, Provide["job_statistics"]],
) -> Response:
    registry = CollectorRegistry()
    registry.register(WindowCollector(maintenance.current()))
    registry.register(JobCollector(jobs))
    counted: bytes = current_app.extensions["metrics"].exposition()
    return Response(counted + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class WindowCollector(Collector):
    """Gauges for an alarm: whether a maintenance window is open, and for how long."""

    def __init__(self, window: Window | None) -> None:
        self._window = window if window and window.is_open else None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        is_open = GaugeMetricFamily(
            "maintenance_window_open", "Whether a window of this mode is open.", labels=["mode"]
        )
        for mode in (MaintenanceMode.READ_ONLY, MaintenanceMode.FULL):
            has_mode = self._window is not None and self._window.mode is mode
            is_open.add_metric([mode], int(has_mode))
        yield is_open
        seconds = 0.0
        if self._window:
            seconds = (datetime.now(UTC) - self._window.starts_at).total_seconds()
        yield GaugeMetricFamily(
            "maintenance_window_seconds",
            "Seconds since the window was opened; 0 if none is open.",
            value=seconds,
        )


class JobCollector(Collector):
    """Exposes the numbers of jobs in the database, which cover all relays and workers."""

    def __init__(self, jobs: JobStatistics) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            jobs = self._jobs.figures()
        except UnavailableError:
            return
        numbers = {
            "jobs_waiting": (jobs.waiting, "Jobs that no worker has begun."),
            "jobs_running": (jobs.running, "Jobs that a worker has begun."),
            "jobs_dead": (jobs.dead, "Jobs that failed for good."),
            "jobs_oldest_waiting_seconds": (
                jobs.oldest_seconds,
                "Seconds for which the oldest due job has waited.",
            ),
        }
        for name, (value, text) in numbers.items():
            yield GaugeMetricFamily(name, text, value=value)
        yield _labelled_jobs(
            "jobs_finished_recently",
            "Jobs that finished in the last five minutes.",
            "state",
            jobs.finished,
        )
        yield _labelled_jobs(
            "jobs_latency_seconds", "Seconds until a job was done.", "quantile", jobs.latencies
        )


def _labelled_jobs(
    name: str, text: str, label: str, jobs: dict[str, int] | dict[str, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in jobs.items():
        family.add_metric([value], number)
    return family
