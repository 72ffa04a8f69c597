"""Development data: what is there already stays as it is."""

from chassis.core.paging import PageQuery
from src.dependency_container import Container

NAMES = ["Lackington", "Hetzel", "Czytelnik"]


def seed(container: Container) -> None:
    """Add the publishers, unless there are some already."""
    with container.unit_of_work()(read_only=True) as work:
        if work.publishers.page(PageQuery(limit=1)):
            return
    for name in NAMES:
        container.publisher_service().create(name=name)
