"""Development data: what is there already stays as it is."""

from datetime import date
from typing import Any

from chassis.core.paging import PageQuery
from src.dependency_container import Container

AUTHORS: list[dict[str, Any]] = [
    {"name": "Mary Shelley", "born_on": date(1797, 8, 30)},
    {"name": "Jules Verne", "born_on": date(1828, 2, 8)},
    {"name": "Stanisław Lem", "born_on": date(1921, 9, 12)},
]


def seed(container: Container) -> None:
    """Add the authors, unless there are some already."""
    with container.unit_of_work()(read_only=True) as work:
        if work.authors.page(PageQuery(limit=1)):
            return
    for author in AUTHORS:
        container.author_service().create(**author)
