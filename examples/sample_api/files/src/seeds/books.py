"""Development data: each book refers to its author and its publisher."""

from datetime import date

from chassis.core.paging import PageQuery
from src.dependency_container import Container
from src.seeds import authors, publishers

# Title, ISBN, day of publication, and the names of author and publisher.
BOOKS = [
    ("Frankenstein", "9780141439471", date(1818, 1, 1), "Mary Shelley", "Lackington"),
    ("The Last Man", "9780199552351", date(1826, 1, 23), "Mary Shelley", None),
    ("The Mysterious Island", "9780812966428", date(1875, 9, 1), "Jules Verne", "Hetzel"),
    ("Solaris", "9780156027601", date(1961, 6, 20), "Stanisław Lem", None),
]


def seed(container: Container) -> None:
    """Add the books with all they refer to, unless there are some already."""
    authors.seed(container)
    publishers.seed(container)
    with container.unit_of_work()(read_only=True) as work:
        if work.books.page(PageQuery(limit=1)):
            return
        author_ids = {one.name: one.id for one in work.authors.page(PageQuery(limit=100))}
        publisher_ids = {one.name: one.id for one in work.publishers.page(PageQuery(limit=100))}
    for title, isbn, published_on, author, publisher in BOOKS:
        container.book_service().create(
            title=title,
            isbn=isbn,
            published_on=published_on,
            author_id=author_ids[author],
            publisher_id=publisher_ids[publisher] if publisher else None,
        )
