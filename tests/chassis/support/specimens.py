"""An entity of the tests, which test shared code without a team's resource."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, String, Table, Uuid

from chassis.core.identity import uuid7


@dataclass(eq=False, kw_only=True, slots=True)
class Specimen:
    text: str
    id: UUID = field(default_factory=uuid7)
    version: int = 1


specimens = Table(
    "specimens",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("text", String(20), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
)
