from typing import Any
from uuid import UUID

from chassis.core.errors import ValidationError
from chassis.core.jobs import Job
from chassis.core.paging import PageQuery
from chassis.core.storage.file_service import FileService
from src.domain import mp4
from src.domain.models.video import Video, VideoLike
from src.services.ports import UnitOfWorkFactory


class VideoService:
    """Each method raises what a unit of work, Repository, FileService and Video raise.

    Everybody sees a video; only its owner removes it, or has it processed.
    """

    def __init__(self, unit_of_work: UnitOfWorkFactory, files: FileService) -> None:
        self._unit_of_work = unit_of_work
        self._files = files

    def page(self, query: PageQuery) -> list[Video]:
        with self._unit_of_work(read_only=True) as work:
            return work.videos.page(query)

    def create(self, *, owner: str, **values: Any) -> Video:
        """`values` are the fields of a video. Its file has to be the owner's, with a content."""
        video = Video(owner=owner, **values)
        with self._unit_of_work() as work:
            file = self._files.take(work, video.file_id, owner=owner)
            if not file.media_type.startswith("video/"):
                raise ValidationError(f"It is {file.media_type}, no video.", field="file_id")
            work.videos.add(video)
        return video

    def read(self, video_id: UUID) -> Video:
        with self._unit_of_work(read_only=True) as work:
            return work.videos.get(video_id)

    def delete(self, video_id: UUID, *, owner: str) -> None:
        """Delete the video, its likes and its file; the content is deleted after the commit."""
        with self._unit_of_work() as work:
            video = work.videos.where(owner=owner).get(video_id)
            work.videos.remove(video)
            self._files.discard(work, work.files.get(video.file_id))

    def request_processing(self, video_id: UUID, *, owner: str) -> Job:
        with self._unit_of_work() as work:
            video = work.videos.where(owner=owner).get(video_id)
            return work.jobs.enqueue("process.file", {"video_id": video.id}, owner=owner)

    def process(self, video_id: UUID) -> int | None:
        """Find out how long it is, in milliseconds; None if its content does not tell."""
        with self._unit_of_work(read_only=True) as work:
            file = work.files.get(work.videos.get(video_id).file_id)
        length = mp4.milliseconds(self._files.pieces(file))  # This reads the whole file.
        with self._unit_of_work() as work:
            video = work.videos.get(video_id, lock=True)
            video.change(milliseconds=length)
            work.videos.save(video)
        return length

    def like(self, video_id: UUID, *, subject: str) -> None:
        """Count one like for each subject."""
        with self._unit_of_work() as work:
            video = work.videos.get(video_id, lock=True)
            if work.video_likes.find(video_id=video_id, subject=subject) is None:
                work.video_likes.add(VideoLike(video_id=video_id, subject=subject))
                video.change(likes=video.likes + 1)
                work.videos.save(video)

    def unlike(self, video_id: UUID, *, subject: str) -> None:
        with self._unit_of_work() as work:
            video = work.videos.get(video_id, lock=True)
            if like := work.video_likes.find(video_id=video_id, subject=subject):
                work.video_likes.remove(like)
                video.change(likes=video.likes - 1)
                work.videos.save(video)
