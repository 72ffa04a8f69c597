from chassis.schemas import fields, filters
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from src.domain.models.customer import Customer, Tier


class CustomerInput(Schema):
    name = fields.of(Customer, "name", required=True)
    email = fields.of(Customer, "email", required=True)
    tier = fields.of(Customer, "tier", load_default=Tier.BASIC)
    notes = fields.of(Customer, "notes")


class CustomerOutput(Schema):
    id = fields.of(Customer, "id", required=True)
    name = fields.of(Customer, "name", required=True)
    email = fields.of(Customer, "email", required=True)
    tier = fields.of(Customer, "tier", required=True)
    notes = fields.of(Customer, "notes", required=True)
    version = fields.of(Customer, "version", required=True)


class CustomerQuery(PageArguments):
    sort = Sort(Customer, "name", created_at="id")
    email = filters.equal(Customer, "email")
    tier = filters.one_of(Customer, "tier")
    name_prefix = filters.prefix(Customer, "name")


class CustomerPage(Schema):
    items = fields.List(fields.Nested(CustomerOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)
