from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from dependency_injector.wiring import Provide, inject
from flask import Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chassis.core.maintenance import MaintenanceMode, Window
from chassis.core.maintenance_service import MaintenanceService
from chassis.http.flow.blueprint import UndocumentedBlueprint

# For the people who run the service: callers may not rely on it, and nginx hides it from them.
blueprint = UndocumentedBlueprint("metrics", __name__, url_prefix="/metrics")


@blueprint.get("")
@blueprint.public
@inject
def read_metrics(
    maintenance: Annotated[MaintenanceService, Provide["maintenance_service"]],
) -> Response:
    registry = CollectorRegistry()
    registry.register(WindowCollector(maintenance.current()))
    counted: bytes = current_app.extensions["metrics"].exposition()
    return Response(counted + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class WindowCollector(Collector):
    """Whether a window is open, and for how long: for an alarm on one that was forgotten."""

    def __init__(self, window: Window | None) -> None:
        self._window = window if window and window.is_open else None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        is_open = GaugeMetricFamily(
            "maintenance_window_open", "Whether one is, by mode.", labels=["mode"]
        )
        for mode in (MaintenanceMode.READ_ONLY, MaintenanceMode.FULL):
            found = self._window is not None and self._window.mode is mode
            is_open.add_metric([mode], int(found))
        yield is_open
        seconds = 0.0
        if self._window:
            seconds = (datetime.now(UTC) - self._window.starts_at).total_seconds()
        yield GaugeMetricFamily(
            "maintenance_window_seconds", "Since it was opened; 0 if none is.", value=seconds
        )
