from typing import Any

from chassis.http.flow.blueprint import Blueprint
from src.api.schemas.v1.two_list_sum import TwoListSumInput, TwoListSumOutput
from src.domain.two_list_sum import pairs_with_sum

blueprint = Blueprint("two-list-sum", __name__, url_prefix="/two-list-sum")


@blueprint.post("")
@blueprint.public
@blueprint.arguments(TwoListSumInput)
@blueprint.response(200, TwoListSumOutput)
def find_pairs(body: dict[str, Any]) -> dict[str, Any]:
    """Find the pairs, a number of each list, whose sum is the target."""
    return {"pairs": pairs_with_sum(**body)}
