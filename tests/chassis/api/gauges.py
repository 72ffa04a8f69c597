"""A nested resource of the tests, with every kind of field and filter."""

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import Table

from chassis.core.model import declarations
from chassis.core.paging import PageQuery
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from chassis.schemas import fields, filters
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from src.api.responses import created
from support.gauges import Gauge, Site, SqlSites, gauges, sites, tables

MAYBE = [name for name in declarations(Gauge) if name.startswith("maybe_")]
SORTED = [
    name
    for name in declarations(Gauge)
    if name not in {"id", "version", "more", "words", "page", "site_id"}
]


class GaugeInput(Schema):
    text = fields.of(Gauge, "text", required=True)
    email = fields.of(Gauge, "email", required=True)
    page = fields.of(Gauge, "page", required=True)
    number = fields.of(Gauge, "number", required=True)
    price = fields.of(Gauge, "price", required=True)
    state = fields.of(Gauge, "state", required=True)
    right = fields.of(Gauge, "right", required=True)
    day = fields.of(Gauge, "day", required=True)
    at = fields.of(Gauge, "at", required=True)
    moment = fields.of(Gauge, "moment", required=True)
    more = fields.of(Gauge, "more", required=True)
    words = fields.of(Gauge, "words", required=True)
    site_id = fields.of(Gauge, "site_id", required=True)
    maybe_text = fields.of(Gauge, "maybe_text")
    maybe_number = fields.of(Gauge, "maybe_number")
    maybe_price = fields.of(Gauge, "maybe_price")
    maybe_state = fields.of(Gauge, "maybe_state")
    maybe_right = fields.of(Gauge, "maybe_right")
    maybe_day = fields.of(Gauge, "maybe_day")
    maybe_at = fields.of(Gauge, "maybe_at")
    maybe_moment = fields.of(Gauge, "maybe_moment")


class GaugeOutput(GaugeInput):
    id = fields.of(Gauge, "id", required=True)
    created_at = fields.of(Gauge, "created_at", required=True)
    updated_at = fields.of(Gauge, "updated_at", required=True)
    version = fields.of(Gauge, "version", required=True)


class GaugeQuery(PageArguments):
    sort = Sort(Gauge, *SORTED)
    email = filters.equal(Gauge, "email")
    text_prefix = filters.prefix(Gauge, "text")
    state = filters.one_of(Gauge, "state")
    right = filters.equal(Gauge, "right")
    number_from = filters.at_least(Gauge, "number")
    number_to = filters.at_most(Gauge, "number")
    price_from = filters.at_least(Gauge, "price")
    day_to = filters.at_most(Gauge, "day")
    at_from = filters.at_least(Gauge, "at")
    moment_from = filters.at_least(Gauge, "moment")
    has_text = filters.is_set(Gauge, "maybe_text")
    site_name = filters.related(Gauge, "site_id", Site, "name")
    site_names = filters.related(Gauge, "site_id", Site, "name", "one_of")


class GaugePage(Schema):
    items = fields.List(fields.Nested(GaugeOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)


class GaugeApiTestCase(ApplicationTestCase):
    site: Site

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        tables.create_all(cls._cleaner)

    def start(self, **settings: Any) -> FlaskClient:
        return super().start(**{"rate_limit": "", **settings})

    def setUp(self) -> None:
        super().setUp()
        self.units = self.client.application.extensions["container"].unit_of_work()
        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(self.blueprint())
        self.site = self.new_site("here")

    def new_site(self, name: str) -> Site:
        site = Site(name=name)
        with self.units() as work:
            SqlSites(work.connection, sites, Site).add(site)
        return site

    def repository(self, work: Any, table: Table = gauges) -> Any:
        return work.repository(table, Gauge)

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("gauges", __name__, url_prefix="/")

        @blueprint.get("gauges")
        @blueprint.public
        @blueprint.arguments(GaugeQuery, location="query")
        @blueprint.response(200, GaugePage)
        def list_gauges(query: PageQuery) -> dict[str, Any]:
            with self.units(read_only=True) as work:
                return page(self.repository(work).page, query)

        @blueprint.get("sites/<uuid:site_id>/gauges")
        @blueprint.public
        @blueprint.arguments(GaugeQuery, location="query")
        @blueprint.response(200, GaugePage)
        def list_gauges_of_site(query: PageQuery, site_id: UUID) -> dict[str, Any]:
            with self.units(read_only=True) as work:
                below = self.repository(work).where(site_id=site_id)
                return page(below.page, query)

        @blueprint.post("gauges")
        @blueprint.public
        @blueprint.arguments(GaugeInput)
        @blueprint.response(201, GaugeOutput)
        def create_gauge(body: dict[str, Any]) -> tuple[Gauge, dict[str, str]]:
            gauge = Gauge(**body)
            with self.units() as work:
                self.repository(work).add(gauge)
            return created(gauge, f"/gauges/{gauge.id}")

        @blueprint.patch("gauges/<uuid:gauge_id>")
        @blueprint.public
        @blueprint.arguments(GaugeInput(partial=True))
        @blueprint.response(200, GaugeOutput)
        def change_gauge(body: dict[str, Any], gauge_id: UUID) -> Gauge:
            with self.units() as work:
                gauge: Gauge = self.repository(work).get(gauge_id)
                gauge.change(**body)
                self.repository(work).save(gauge)
            return gauge

        return blueprint
