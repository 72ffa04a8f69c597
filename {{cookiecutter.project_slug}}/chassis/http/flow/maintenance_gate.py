from flask import Request

from chassis.core.maintenance_service import MaintenanceService
from chassis.core.request_scope import RequestScope
from chassis.http.flow.pipeline import Maker, Route, Step

# Names of endpoints.
ALWAYS_SERVED = frozenset(
    {
        "health.read_liveness",
        "health.read_readiness",
        "index.read_index",
        "maintenance.read_maintenance",
        "metrics.read_metrics",
        "maintenance-windows.open_window",
        "maintenance-windows.end_window",
        "maintenance-windows.cancel_window",
    }
)
BYPASS = "HTTP_X_MAINTENANCE_BYPASS"  # The name of X-Maintenance-Bypass in the WSGI environ.


def respect_windows(service: MaintenanceService) -> Maker:
    """Reject requests in a window that forbids reading. The database rejects writes."""

    def require_reads(request: Request, _scope: RequestScope) -> None:
        service.require_reads(request.environ.get(BYPASS))

    def step(route: Route) -> Step | None:
        always = route.endpoint in ALWAYS_SERVED or route.method == "OPTIONS"
        return None if always else Step(before=require_reads)

    return step
