from uuid import UUID

from chassis.core.paging import PageQuery
from src.domain.models.tag import Tag
from src.services.ports import UnitOfWorkFactory


class TagService:
    """Each method raises what UnitOfWorkFactory, Repository and Tag raise."""

    def __init__(self, unit_of_work: UnitOfWorkFactory) -> None:
        self._unit_of_work = unit_of_work

    def page(self, query: PageQuery) -> list[Tag]:
        with self._unit_of_work(read_only=True) as work:
            return work.tags.page(query)

    def create(self, name: str) -> Tag:
        tag = Tag(name=name)
        with self._unit_of_work() as work:
            work.tags.add(tag)
        return tag

    def delete(self, tag_id: UUID) -> None:
        with self._unit_of_work() as work:
            work.tags.remove(work.tags.get(tag_id))
