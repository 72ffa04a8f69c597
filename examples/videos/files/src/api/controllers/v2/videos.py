from typing import Annotated, Any
from uuid import UUID

from dependency_injector.wiring import Provide, inject

from chassis.core.paging import PageQuery
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from src.api.requests import subject
from src.api.schemas.v1.video import VideoQuery
from src.api.schemas.v2.video import VideoOutput, VideoPage
from src.domain.models.video import Video
from src.services.video_service import VideoService

blueprint = Blueprint("videos", __name__, url_prefix="/videos")

Videos = Annotated[VideoService, Provide["video_service"]]


@blueprint.get("")
@blueprint.requires("videos:read")
@blueprint.arguments(VideoQuery, location="query")
@blueprint.response(200, VideoPage)
@inject
def list_videos(query: PageQuery, videos: Videos) -> dict[str, Any]:
    """List videos with their lengths and likes, the oldest first unless they are sorted."""
    return page(videos.page, query)


@blueprint.get("/<uuid:video_id>")
@blueprint.requires("videos:read")
@blueprint.response(200, VideoOutput)
@inject
def read_video(video_id: UUID, videos: Videos) -> Video:
    """Read one video with its length and likes."""
    return videos.read(video_id)


@blueprint.put("/<uuid:video_id>/like")
@blueprint.requires("videos:read")
@blueprint.response(204)
@inject
def like_video(video_id: UUID, videos: Videos) -> None:
    """Like a video: once, however often it is said."""
    videos.like(video_id, subject=subject())


@blueprint.delete("/<uuid:video_id>/like")
@blueprint.requires("videos:read")
@blueprint.response(204)
@inject
def unlike_video(video_id: UUID, videos: Videos) -> None:
    """Like a video no longer."""
    videos.unlike(video_id, subject=subject())
