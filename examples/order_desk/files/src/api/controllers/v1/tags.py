from typing import Annotated, Any
from uuid import UUID

from dependency_injector.wiring import Provide, inject

from chassis.core.paging import PageQuery
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from src.api.requests import PageArguments
from src.api.schemas.v1.tag import TagInput, TagOutput, TagPage
from src.domain.models.tag import Tag
from src.services.tag_service import TagService

blueprint = Blueprint("tags", __name__, url_prefix="/tags")

Tags = Annotated[TagService, Provide["tag_service"]]


@blueprint.get("")
@blueprint.public
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, TagPage)
@inject
def list_tags(query: PageQuery, tags: Tags) -> dict[str, Any]:
    """List tags."""
    return page(tags.page, query)


@blueprint.post("")
@blueprint.requires("products:write")
@blueprint.arguments(TagInput)
@blueprint.response(201, TagOutput)
@inject
def create_tag(body: dict[str, Any], tags: Tags) -> Tag:
    """Create a tag."""
    return tags.create(**body)


@blueprint.delete("/<uuid:tag_id>")
@blueprint.requires("products:write")
@blueprint.response(204)
@inject
def delete_tag(tag_id: UUID, tags: Tags) -> None:
    """Delete a tag that no product has."""
    tags.delete(tag_id)
