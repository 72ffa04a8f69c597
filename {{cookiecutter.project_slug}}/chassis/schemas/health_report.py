from chassis.schemas import fields
from chassis.schemas.base import Schema
from chassis.schemas.window import WindowOutput


class LivenessOutput(Schema):
    status = fields.String()


class SchemaStateOutput(Schema):
    current = fields.String(
        allow_none=True, metadata={"description": "Revision of the database's schema."}
    )
    required = fields.String(
        allow_none=True, metadata={"description": "Revision that this release needs."}
    )


class ReadinessOutput(Schema):
    status = fields.String()
    schema = fields.Nested(SchemaStateOutput)
    maintenance = fields.Nested(WindowOutput, allow_none=True)
