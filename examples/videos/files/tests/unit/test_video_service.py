from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

from chassis.core.errors import NotFoundError, ValidationError
from chassis.core.storage.file_service import FileService
from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from chassis.storage.disk_store import DiskStore
from src.services.video_service import VideoService
from tests.api.contents import mp4

OWNER = "developer"


class VideoServiceTest(TestCase):
    def setUp(self) -> None:
        folder = Path(self.enterContext(TemporaryDirectory()))
        self.work = MemoryUnitOfWorkFactory()
        files = FileService(self.work, DiskStore(folder), None, types=["video/mp4"], max_bytes=1000)
        content = mp4(1500)
        about: dict[str, Any] = {"name": "a", "media_type": "video/mp4", "size": len(content)}
        file = files.announce(owner=OWNER, sha256=sha256(content).hexdigest(), **about)
        files.receive(file.id, [content], owner=OWNER)
        self.values: dict[str, Any] = {"owner": OWNER, "title": "Tea", "file_id": file.id}
        self.videos = VideoService(self.work, files)

    def test_what_breaks_a_rule_is_refused(self) -> None:
        for name, value in {"title": "", "description": "", "file_id": "x"}.items():
            with self.subTest(name), self.assertRaises(ValidationError):
                self.videos.create(**self.values | {name: value})

    def test_a_job_is_enqueued_for_the_owner_and_nobody_else(self) -> None:
        video = self.videos.create(**self.values)
        with self.assertRaises(NotFoundError):
            self.videos.request_processing(video.id, owner="another")
        self.videos.request_processing(video.id, owner=OWNER)
        with self.work() as work:
            self.assertEqual(work.jobs.enqueued, [("process.file", {"video_id": video.id})])

    def test_what_is_processed_has_its_length(self) -> None:
        video = self.videos.create(**self.values)
        self.assertEqual(self.videos.process(video.id), 1500)
        self.assertEqual(self.videos.read(video.id).milliseconds, 1500)
