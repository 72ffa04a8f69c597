"""Opens and ends maintenance windows over HTTP. No operation runs a migration."""

from datetime import timedelta
from typing import Annotated, Any

from dependency_injector.wiring import Provide, inject
from flask import url_for

from chassis.core.maintenance import MaintenanceWindows, Window
from chassis.core.maintenance_service import MaintenanceService
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas.window import WindowEndInput, WindowInput, WindowOutput

blueprint = Blueprint("maintenance-windows", __name__, url_prefix="/ops/maintenance/windows")

NEEDS_DATABASE = True
Maintenance = Annotated[MaintenanceService, Provide["maintenance_service"]]
Windows = Annotated[MaintenanceWindows, Provide["maintenance_windows"]]
PATIENCE = timedelta(seconds=10)  # A caller waits this long for running writes to end.


@blueprint.post("")
@blueprint.requires("maintenance:write")
@blueprint.arguments(WindowInput)
@blueprint.response(201, WindowOutput)
@inject
def open_window(body: dict[str, Any], maintenance: Maintenance) -> tuple[Window, dict[str, str]]:
    """Open a window now, or schedule one."""
    window = maintenance.open(**body, patience=PATIENCE)
    return window, {"Location": url_for("maintenance.read_maintenance")}


@blueprint.post("/<int:window_id>/end")
@blueprint.requires("maintenance:write")
@blueprint.arguments(WindowEndInput)
@blueprint.response(200, WindowOutput)
@inject
def end_window(body: dict[str, Any], window_id: int, windows: Windows) -> Window:
    """End the window that is open."""
    return windows.end(body["accept_schema"], window_id=window_id)


@blueprint.delete("/<int:window_id>")
@blueprint.requires("maintenance:write")
@blueprint.response(204)
@inject
def cancel_window(window_id: int, windows: Windows) -> None:
    """Cancel a window that has not begun."""
    windows.cancel(window_id)
