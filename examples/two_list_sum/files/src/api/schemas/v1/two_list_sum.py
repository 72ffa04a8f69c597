from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.domain.constants import LARGEST_NUMBER, LONGEST_LIST


def _number() -> fields.Integer:
    return fields.Integer(minimum=-LARGEST_NUMBER, maximum=LARGEST_NUMBER, required=True)


class TwoListSumInput(Schema):
    first = fields.List(_number(), max_length=LONGEST_LIST, required=True)
    second = fields.List(_number(), max_length=LONGEST_LIST, required=True)
    target = _number()


class PairOutput(Schema):
    first = _number()
    second = _number()
    count = fields.Integer(
        minimum=1,
        maximum=LONGEST_LIST**2,
        required=True,
        metadata={"description": "In how many ways their places can be chosen."},
    )


class TwoListSumOutput(Schema):
    pairs = fields.List(fields.Nested(PairOutput), required=True)
