"""A resource of the tests on a real database, written like a team's resource."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, select
from werkzeug.test import TestResponse

from chassis.core.persistence import Repository
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas import fields
from chassis.schemas.base import Schema
from chassis.schemas.fields import Cursor, Text
from src.api.responses import created
from src.infrastructure.databases.unit_of_work import SqlUnitOfWork
from support.specimens import Specimen, specimens

SPECIMENS = "/specimens"


class SpecimenInput(Schema):
    text = Text(max_length=20, required=True)


class SpecimenPatch(Schema):
    text = Text(max_length=20)


class SpecimenOutput(Schema):
    id = fields.UUID()
    text = fields.String()


class SpecimenPage(Schema):
    items = fields.List(fields.Nested(SpecimenOutput))
    next = Cursor(allow_none=True)


class SpecimenApiTestCase(ApplicationTestCase):
    # Called just before the commit of a view, for example to write concurrently.
    before_commit: Callable[[Specimen], None] = staticmethod(lambda _: None)
    work: SqlUnitOfWork  # The id of the last created specimen.

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        engine = create_engine(cls.database_url)
        specimens.create(engine)
        engine.dispose()

    def setUp(self) -> None:
        super().setUp()
        self.units = self.client.application.extensions["container"].unit_of_work()
        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(self.blueprint())

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("specimens", __name__, url_prefix=SPECIMENS)

        @blueprint.post("")
        @blueprint.public
        @blueprint.arguments(SpecimenInput)
        @blueprint.response(201, SpecimenOutput)
        def create_specimen(body: dict[str, Any]) -> tuple[Specimen, dict[str, str]]:
            specimen = Specimen(**body)
            with self.units() as self.work:
                repository(self.work).add(specimen)
                self.before_commit(specimen)
            return created(specimen, f"{SPECIMENS}/{specimen.id}")

        @blueprint.post("/pair")
        @blueprint.public
        @blueprint.response(204)
        def create_pair() -> None:
            for text in ("first of two", "second of two"):
                specimen = Specimen(text=text)
                with self.units() as work:
                    repository(work).add(specimen)
                    self.before_commit(specimen)

        @blueprint.get("/<uuid:specimen_id>")
        @blueprint.public
        @blueprint.response(200, SpecimenOutput)
        def read_specimen(specimen_id: UUID) -> Specimen:
            with self.units(read_only=True) as work:
                return repository(work).get(specimen_id)

        @blueprint.patch("/<uuid:specimen_id>")
        @blueprint.public
        @blueprint.arguments(SpecimenPatch)
        @blueprint.response(200, SpecimenOutput)
        def change_specimen(body: dict[str, Any], specimen_id: UUID) -> Specimen:
            with self.units() as work:
                specimen = repository(work).get(specimen_id)
                if body:
                    specimen.text = body["text"]
                    self.before_commit(specimen)
                    repository(work).save(specimen)
            return specimen

        @blueprint.post("/<uuid:specimen_id>/double")
        @blueprint.public
        @blueprint.response(200, SpecimenOutput)
        def double_specimen(specimen_id: UUID) -> Specimen:
            with self.units() as work:
                specimen = repository(work).get(specimen_id)
                specimen.text *= 2
                repository(work).save(specimen)
                repository(work).save(repository(work).get(specimen_id))
            return specimen

        @blueprint.delete("/<uuid:specimen_id>")
        @blueprint.public
        @blueprint.response(204)
        def delete_specimen(specimen_id: UUID) -> None:
            with self.units() as work:
                repository(work).remove(repository(work).get(specimen_id))

        return blueprint

    def create(self, text: str = "x", **headers: str) -> TestResponse:
        return self.client.post(SPECIMENS, json={"text": text}, headers=headers)

    def somebody_waits(self) -> bool:
        """Tell whether a session waits for a lock of PostgreSQL."""
        engines = self.client.application.extensions["container"].engines()
        with engines.probe.connect() as connection:
            return bool(
                connection.exec_driver_sql("SELECT 1 FROM pg_locks WHERE NOT granted").all()
            )

    def texts(self) -> list[str]:
        with self.client.application.extensions["container"].engines().read.connect() as connection:
            return sorted(connection.execute(select(specimens.c.text)).scalars())


def repository(work: SqlUnitOfWork) -> Repository[Specimen]:
    return work.repository(specimens, Specimen)
