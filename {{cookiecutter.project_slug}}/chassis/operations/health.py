from typing import Annotated

from dependency_injector.wiring import Provide, inject

from chassis.core.health_service import HealthService
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas.health_report import LivenessOutput, ReadinessOutput

blueprint = Blueprint("health", __name__, url_prefix="/health")

Health = Annotated[HealthService, Provide["health_service"]]


@blueprint.get("/live")
@blueprint.public
@blueprint.response(200, LivenessOutput)
def read_liveness() -> dict[str, str]:
    """Whether the process answers. It does not use the database."""
    return {"status": "ok"}


@blueprint.get("/ready")
@blueprint.public
@blueprint.response(200, ReadinessOutput)
@inject
def read_readiness(health: Health) -> dict[str, object]:
    """Whether the service can serve: a database, if it has one, answers with a new schema."""
    readiness = health.readiness()
    return {"status": "ok", "schema": readiness.schema, "maintenance": readiness.maintenance}
