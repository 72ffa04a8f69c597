from typing import Annotated, Any

from dependency_injector.wiring import Provide, inject

from chassis.core.maintenance_service import MaintenanceService
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas.window import MaintenanceOutput, maintenance_state

blueprint = Blueprint("maintenance", __name__, url_prefix="/ops/maintenance")

NEEDS_DATABASE = True
Maintenance = Annotated[MaintenanceService, Provide["maintenance_service"]]


@blueprint.get("")
@blueprint.public
@blueprint.response(200, MaintenanceOutput)
@inject
def read_maintenance(maintenance: Maintenance) -> tuple[dict[str, Any], dict[str, str]]:
    """The open maintenance window, or the next one."""
    return maintenance_state(maintenance.current()), {"Cache-Control": "max-age=1"}
