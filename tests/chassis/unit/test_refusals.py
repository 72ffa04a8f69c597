"""Silent mistakes are rejected at the start, with their place and the remedy."""

import sys
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Annotated, Any
from unittest import TestCase

import marshmallow
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Singleton
from dependency_injector.wiring import DIWiringWarning
from flask import Flask
from marshmallow import validate
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Numeric, String, Table

from chassis.core.errors import CodeError
from chassis.core.model import Model, Value
from chassis.core.persistence import Repository
from chassis.core.rules import Integer as IntegerRule
from chassis.core.rules import Number, Text
from chassis.development.testing.declared_fields import oversized
from chassis.http.flow.blueprint import Blueprint
from chassis.http.flow.controllers import (
    ControllerError,
    register_controllers,
    require_injected,
)
from chassis.postgres.children import Children
from chassis.postgres.columns import columns, require_fit
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from chassis.schemas import fields, filters
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from chassis.wiring import wire
from support.gauges import Gauge, Site

CONTROLLER = """
from typing import Annotated
from dependency_injector.wiring import Provide, inject
from chassis.http.flow.blueprint import Blueprint
blueprint = Blueprint("things", __name__, url_prefix="/things")
@blueprint.get("")
@blueprint.public
@blueprint.response(204)
{inject}
def list_things(things: Annotated[object, Provide["clock"]]) -> None: ...
"""


@dataclass(eq=False, kw_only=True, slots=True)
class Thing(Model):
    name: Annotated[str, Text(20)]
    price: Annotated[Decimal, Number(6, 2)]
    count: Annotated[int, IntegerRule(0, 2**40)] | None = None


def things(*replaced: Column[Any], without: str = "") -> Table:
    names = {column.name for column in replaced}
    own = [
        one
        for one in columns(Thing)
        if isinstance(one, Column) and one.name not in names | {without}
    ]
    return Table("things", MetaData(), *own, *replaced)


@dataclass(kw_only=True, slots=True)
class Label(Value):
    text: Annotated[str, Text(20)]


@dataclass(eq=False, kw_only=True, slots=True)
class Box(Model):
    labels: list[Label]


THINGS = things()


def boxes(*names: str) -> Table:
    """Return a table of boxes whose `thing_id` refers to a thing."""
    made = [Column(name, String(20), nullable=False) for name in names if name != "thing_id"]
    belongs: list[Column[Any]] = (
        [Column("thing_id", ForeignKey(THINGS.c.id))] if "thing_id" in names else []
    )
    return Table("boxes", MetaData(), *belongs, *made)


class RefusalsTest(TestCase):
    def refused(self, pattern: str, act: Callable[[], object], kind: Any = TypeError) -> None:
        with self.subTest(pattern), self.assertRaisesRegex(kind, pattern):
            act()

    def test_a_table_that_does_not_fit_its_entity(self) -> None:
        require_fit(things(), Thing)
        for pattern, table in (
            (r"things\.more is a column without a field", things(Column("more", Integer))),
            (r"Thing\.price is a field without a column", things(without="price")),
            (r"holds 10 characters.*may have 20", things(Column("name", String(10)))),
            (r"things\.count has to be a BigInteger", things(Column("count", Integer))),
            (r"holds 3 digits and 2 places", things(Column("price", Numeric(5, 2)))),
            (r"holds 5 digits and 1 places", things(Column("price", Numeric(6, 1)))),
            (r"things\.count is NOT NULL", things(Column("count", BigInteger, nullable=False))),
        ):
            self.refused(pattern, lambda table=table: require_fit(table, Thing))  # type: ignore[misc]

    def test_a_port_without_its_line_in_the_unit_of_work(self) -> None:
        class Ports:
            things: Repository[Thing]

        class Forgotten(SqlWork, Ports):
            pass

        engines: Any = type("Engines", (), {"replica": None, "read": self})
        self.read = engines.connect = None
        self.refused(
            "Forgotten lacks `things`, which Ports declares",
            lambda: SqlUnitOfWorkFactory(engines, Forgotten),
        )

    def test_a_sort_or_a_filter_of_what_is_no_field(self) -> None:
        self.refused("no field 'nothing'", lambda: filters.equal(Gauge, "nothing"))
        self.refused("no field 'steps'", lambda: fields.of(Site, "steps"))
        self.refused("number is no Text", lambda: filters.prefix(Gauge, "number"))
        self.refused(r"'x' stands for Gauge\.nothing", lambda: Sort(Gauge, x="nothing"))

    def test_a_field_of_an_answer_that_is_marshmallow_s_own(self) -> None:
        class Inner(Schema):
            at = marshmallow.fields.DateTime()

        class Outer(marshmallow.Schema):
            price = marshmallow.fields.Decimal()
            inner = fields.List(fields.Nested(Inner))
            text = fields.String()

        class Lost(Schema):
            inner = fields.Nested("NoSuchSchema")

        respond = Blueprint("x", __name__).response
        self.refused(r"^Outer\.price, Inner\.at:", lambda: respond(200, Outer))
        self.refused(r"Lost\.inner: there is no schema 'NoSuchSchema'", lambda: respond(200, Lost))

    def test_a_bound_that_would_make_the_document_invalid(self) -> None:
        bound = validate.Range(min=Decimal(1))
        self.refused("minimum=", lambda: fields.Decimal(digits=4, places=2, validate=bound))

    def test_a_table_of_children_that_does_not_fit_them(self) -> None:
        for pattern, field, of, names in (
            ("boxes has 0 columns that refer to things", "labels", Label, ["text"]),
            ("Box has no field 'more'", "more", Label, ["thing_id", "text"]),
            (
                r"boxes\.more is a column without a field",
                "labels",
                Label,
                ["thing_id", "text", "more"],
            ),
            (r"2 values in a row \(text, more\)", "labels", None, ["thing_id", "text", "more"]),
        ):
            child = Children(field, boxes(*names), of)
            self.refused(pattern, lambda child=child: child.require_fit(THINGS, Box))  # type: ignore[misc]
        Children("labels", boxes("thing_id", "text", "position"), Label).require_fit(THINGS, Box)

    def test_a_provider_that_lacks_an_argument(self) -> None:
        class Container(DeclarativeContainer):
            thing = Singleton(Thing, name="x")
            right = Singleton(Thing, name="x", price=Decimal(1))

        with self.assertRaisesRegex(
            CodeError, "The container's thing cannot make a Thing: .*'price'"
        ):
            wire(Container())

    def test_a_field_that_takes_what_its_column_cannot_hold(self) -> None:
        class ThingInput(Schema):
            name = fields.Text(max_length=21, allow_none=True)
            price = fields.Decimal(digits=6, places=3)
            size = fields.Integer(attribute="count", maximum=2**40)

        def view() -> Thing:
            raise NotImplementedError

        app, narrow = Flask(__name__, static_folder=None), things(Column("count", Integer))
        app.add_url_rule("/things", "things", Blueprint("x", __name__).arguments(ThingInput)(view))
        stored: Any = SimpleNamespace(_table=narrow, children=())
        found = oversized(app, {Thing: stored})
        self.assertEqual(
            [sentence.partition(":")[0] for sentence in found],
            [
                "ThingInput.name takes 21 characters, and things.name holds 20",
                "ThingInput.name takes null, and things.name is NOT NULL",
                "ThingInput.price takes 3 digits and 3 places, and things.price holds 4 and 2",
                f"ThingInput.size takes {-(2**31)} to {2**40}, and things.count is no BigInteger",
            ],
        )


class ControllersTest(TestCase):
    def register(self, **files: str) -> None:
        with TemporaryDirectory() as folder, _importable(Path(folder)):
            package = Path(folder) / "refused"
            package.mkdir()
            (package / "__init__.py").touch()
            for name, text in files.items():
                path = package / name.replace("__", "/").replace("_py", ".py")
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            app = Flask(__name__)
            register_controllers(_Api(app), "prefix", __import__("refused"))
            require_injected(app)

    def test_what_would_not_be_served_as_it_is_meant(self) -> None:
        with self.assertRaisesRegex(ControllerError, r"v2/ has no __init__\.py, so things\.py"):
            self.register(v2__things_py=CONTROLLER.format(inject="@inject"))
        with self.assertRaisesRegex(ControllerError, r"refused\.things has no `blueprint`"):
            self.register(things_py="")
        with self.assertRaisesRegex(
            ControllerError, r"list_things would not get things\. Add @inj"
        ):
            self.register(things_py=CONTROLLER.format(inject=""))
        self.register(things_py=CONTROLLER.format(inject="@inject"))

    def test_an_operation_whose_services_are_not_injected(self) -> None:
        right = CONTROLLER.format(inject="@inject")
        above = CONTROLLER.format(inject="").replace("@blueprint.get", "@inject\n@blueprint.get")
        later = f"from __future__ import annotations\n{right}"
        marked = 'Annotated[object, Provide["clock"]]'
        default = CONTROLLER.format(inject="").replace(marked, 'object = Provide["clock"]')
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", DIWiringWarning)  # The start has to raise.
        for text in (above, later, default):
            with (
                self.subTest(text),
                self.assertRaisesRegex(ControllerError, "would not get things"),
            ):
                self.register(things_py=text)


class _Api:
    def __init__(self, app: Flask) -> None:
        self._app = app

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        self._app.register_blueprint(blueprint, **options)


@contextmanager
def _importable(folder: Path) -> Any:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "refused"]:
            del sys.modules[name]
