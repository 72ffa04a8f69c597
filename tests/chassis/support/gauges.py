"""An entity with every kind of field, for tests of storage and of the API."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from chassis.core import rules
from chassis.core.identity import uuid7
from chassis.core.model import UNSTAMPED, Model, Value
from chassis.core.rules import Email, Items, JsonObject, Number, Text, Url
from chassis.postgres.children import Children
from chassis.postgres.columns import columns
from chassis.postgres.sql_repository import SqlRepository
from src.infrastructure.databases.metadata import metadata


class State(StrEnum):
    DRAFT = "draft"
    OPEN = "it's open"


@dataclass(kw_only=True, slots=True)
class Step(Value):
    label: Annotated[str, Text(20)]
    done: bool = False


@dataclass(eq=False, kw_only=True, slots=True)
class Site(Model):
    name: Annotated[str, Text(20)]
    steps: list[Step] = field(default_factory=list)
    tag_ids: list[UUID] = field(default_factory=list)


@dataclass(eq=False, kw_only=True, slots=True)
class Tag(Model):
    name: Annotated[str, Text(20)]


@dataclass(eq=False, kw_only=True, slots=True)
class Gauge(Model):
    """Fields whose names begin with `maybe` are optional."""

    text: Annotated[str, Text(20)]
    email: Annotated[str, Email()]
    page: Annotated[str, Url()]
    number: Annotated[int, rules.Integer(0, 2**40)]
    price: Annotated[Decimal, Number(6, 2, minimum=0, maximum=1000)]
    state: State
    right: bool
    day: date
    at: time
    moment: datetime
    more: Annotated[dict[str, Any], JsonObject(max_bytes=200, depth=3)]
    words: Annotated[list[str], Items(Text(5), 3)]
    site_id: UUID
    maybe_text: Annotated[str, Text(20)] | None = None
    maybe_number: int | None = None
    maybe_price: Annotated[Decimal, Number(6, 2)] | None = None
    maybe_state: State | None = None
    maybe_right: bool | None = None
    maybe_day: date | None = None
    maybe_at: time | None = None
    maybe_moment: datetime | None = None
    created_at: datetime = UNSTAMPED
    updated_at: datetime = UNSTAMPED


tables = MetaData(naming_convention=metadata.naming_convention)
sites = Table("sites", tables, *columns(Site))
tags = Table("tags", tables, *columns(Tag))
steps = Table(
    "steps",
    tables,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    *columns(Step),
)
site_tags = Table(
    "site_tags",
    tables,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)
gauges = Table(
    "gauges",
    tables,
    *columns(Gauge),
    UniqueConstraint("email"),
    ForeignKeyConstraint(["site_id"], ["sites.id"], ondelete="RESTRICT"),
    Index(None, "number", "id"),
)


class SqlSites(SqlRepository[Site]):
    children = (Children("steps", steps, Step), Children("tag_ids", site_tags))


def gauge(site: Site, **values: Any) -> Gauge:
    whole: dict[str, Any] = {
        "text": "x",
        "email": f"{uuid7().hex}@example.org",
        "page": "https://example.org/",
        "number": 2**40,
        "price": Decimal("9.50"),
        "state": State.OPEN,
        "right": True,
        "day": date(2026, 1, 31),
        "at": time(12, 30),
        "moment": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "more": {"deep": [1, 1.5, None, "ä"]},
        "words": ["a", "b"],
        "site_id": site.id,
    }
    return Gauge(**whole | values)
