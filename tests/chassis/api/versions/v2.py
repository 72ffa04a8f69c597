from typing import Any
from uuid import UUID

from flask import url_for

from api.versions.service import SpecimenService
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.api.responses import created
from support.specimens import Specimen


class SpecimenSchema(Schema):
    id = fields.UUID(dump_only=True)
    label = fields.Text(max_length=20, required=True, attribute="text")


def blueprint(specimens: SpecimenService) -> Blueprint:
    blueprint = Blueprint("specimens", __name__, url_prefix="/specimens")

    @blueprint.post("")
    @blueprint.public
    @blueprint.arguments(SpecimenSchema)
    @blueprint.response(201, SpecimenSchema)
    def create_specimen(body: dict[str, Any]) -> tuple[Specimen, dict[str, str]]:
        specimen = specimens.create(**body)
        return created(specimen, url_for(".read_specimen", specimen_id=specimen.id))

    @blueprint.get("/<uuid:specimen_id>")
    @blueprint.public
    @blueprint.response(200, SpecimenSchema)
    def read_specimen(specimen_id: UUID) -> Specimen:
        return specimens.get(specimen_id)

    return blueprint
