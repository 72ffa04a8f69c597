from typing import Annotated, Any

from dependency_injector.wiring import Provide, inject

from chassis.core.maintenance_service import MaintenanceService, retry_after
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas.window import MaintenanceOutput

blueprint = Blueprint("maintenance", __name__, url_prefix="/ops/maintenance")

NEEDS_DATABASE = True
Maintenance = Annotated[MaintenanceService, Provide["maintenance_service"]]
OFF = {"id": None, "mode": "off", "phase": "off", "message": ""}


@blueprint.get("")
@blueprint.public
@blueprint.response(200, MaintenanceOutput)
@inject
def read_maintenance(maintenance: Maintenance) -> tuple[dict[str, Any], dict[str, str]]:
    """The open maintenance window, or the next one."""
    window = maintenance.current()
    state: dict[str, Any] = dict.fromkeys(MaintenanceOutput().fields) | OFF
    if window:
        state |= {"id": window.id, "phase": window.phase, "message": window.message}
        state |= {"starts_at": window.starts_at, "expected_end": window.expected_end}
        if window.is_open:
            state |= {"mode": window.mode, "retry_after": retry_after(window)}
    return state, {"Cache-Control": "max-age=1"}
