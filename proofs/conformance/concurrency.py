"""Concurrent clients lose no acknowledged write, and no request takes effect twice.

python -m proofs.conformance.concurrency --project DIR [--short]
"""

import time
from dataclasses import dataclass

from proofs.conformance.lost_updates import deadlocks, with_if_match, without_if_match
from proofs.conformance.once import one_key, unique_names
from proofs.conformance.served_project import arguments
from proofs.harness.figures import Figure, conclude
from proofs.harness.testbed import Project, Testbed

WORKERS, THREADS = 3, 8
CROSSINGS = 10  # The most rounds, because two writers meet by chance.
UNIQUE = "CREATE UNIQUE INDEX once ON todos (title) WHERE starts_with(title, 'unique ')"
# The service adds a number to a title, and to the titles of others in the order given.
RENAME = """\
                todo.change(**changes)
                work.todos.save(todo)
"""
ADD = """\
                number, *others = changes["title"].split()
                todo.title = str(int(todo.title) + int(number))
                work.todos.save(todo)
                for other in others:
                    second = work.todos.get(UUID(other))
                    second.title = str(int(second.title) + int(number))
                    work.todos.save(second)
"""


@dataclass(frozen=True, slots=True)
class Scale:
    changes: int  # Changes by each writer.
    names: int
    keys: int


FULL, SHORT = Scale(60, 60, 10), Scale(15, 10, 2)


def adding(testbed: Testbed) -> Project:
    project = testbed.variant("adding")
    project.patch("src/services/todo_service.py", (RENAME, ADD))
    return project


def main() -> None:
    given = arguments(__doc__)
    scale = SHORT if given.short else FULL
    begun = time.monotonic()
    testbed = Testbed(given.project)
    figures: list[Figure] = []
    try:
        with testbed.clone(0) as database:
            database.rows(f"ALTER DATABASE {database.name} SET deadlock_timeout = '20ms'")
            database.rows(UNIQUE)
            served = testbed.serving.serve(database, workers=WORKERS, threads=THREADS)
            with served as port:
                url = f"http://127.0.0.1:{port}"
                figures += with_if_match(url, database, scale.changes)
                figures += one_key(url, database, scale.keys)
                figures += unique_names(url, database, scale.names)
            with adding(testbed).serve(database, workers=WORKERS, threads=THREADS) as port:
                url = f"http://127.0.0.1:{port}"
                figures += without_if_match(url, database, scale.changes)
                told = found = 0
                for _ in range(CROSSINGS):
                    in_this_one, crossing = deadlocks(url, database, scale.changes)
                    figures += crossing
                    told, found = told + in_this_one, database.deadlocks()
                    if told < found:
                        break
            figures += [
                Figure("crossing: deadlocks", str(found), "some", found > 0),
                Figure("of which a caller was told", str(told), "not of each", told < found),
            ]
    finally:
        testbed.close()
    conclude("concurrency", time.monotonic() - begun, figures)


if __name__ == "__main__":
    main()
