from flask import Flask

from chassis.http.flow.current_request import present_request

# By the name of their endpoints, not by what a path looks like.
ALWAYS_SERVED = frozenset(
    {
        "health.read_liveness",
        "health.read_readiness",
        "maintenance.read_maintenance",
        "metrics.read_metrics",
        "maintenance-windows.open_window",
        "maintenance-windows.end_window",
        "maintenance-windows.cancel_window",
    }
)
BYPASS_HEADER = "X-Maintenance-Bypass"


def register_maintenance_gate(app: Flask) -> None:
    """Refuse requests in a window that forbids reading. Writers are refused as they begin."""
    service = app.extensions["container"].maintenance_service()

    @app.before_request
    def refuse_in_maintenance() -> None:
        asked = present_request()
        if asked.endpoint not in ALWAYS_SERVED and asked.method != "OPTIONS":
            service.require_reads(asked.headers.get(BYPASS_HEADER))
