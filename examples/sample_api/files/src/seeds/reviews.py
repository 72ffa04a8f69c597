"""Development data: each review refers to a book."""

from chassis.core.paging import PageQuery
from src.dependency_container import Container
from src.seeds import books

REVIEWS = [
    ("Frankenstein", 5, "Read it twice."),
    ("Frankenstein", 4, None),
    ("Solaris", 5, "An ocean that thinks."),
]


def seed(container: Container) -> None:
    """Add the reviews with their books, unless there are some already."""
    books.seed(container)
    with container.unit_of_work()(read_only=True) as work:
        if work.reviews.page(PageQuery(limit=1)):
            return
        ids = {one.title: one.id for one in work.books.page(PageQuery(limit=100))}
    for title, stars, text in REVIEWS:
        container.review_service().create(book_id=ids[title], stars=stars, text=text)
