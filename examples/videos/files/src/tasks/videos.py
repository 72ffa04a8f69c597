from typing import Annotated
from uuid import UUID

from dependency_injector.wiring import Provide, inject

from chassis.jobs.tasks import task
from src.services.video_service import VideoService

Videos = Annotated[VideoService, Provide["video_service"]]


@task("process.file")
@inject
def process_file(video_id: UUID, videos: Videos) -> dict[str, int | None]:
    """Find out how long a video is."""
    return {"milliseconds": videos.process(video_id)}
