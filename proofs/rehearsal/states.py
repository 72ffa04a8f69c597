"""Tells in which state a killed migrator left a database, and whether that state is allowed."""

from itertools import pairwise

from proofs.harness.database import Database
from proofs.harness.testbed import Project, Testbed

ROWS = 80_000
ADDED = "0002"  # The column exists, and the next revision fills it.
INDEX = "index ix_todos_slug "
INVALID = "the index invalid"
# Applies the revisions one by one; after each, waits for a line on standard input.
STEP_BY_STEP = """
import src
import sys
from chassis.migrations.commands import Migrations
for revision in sys.argv[2:]:
    Migrations(sys.argv[1]).upgrade(revision)
    print("at", revision)
    sys.stdin.readline()
"""

Schemas = dict[str, frozenset[str]]


def boundaries(testbed: Testbed, project: Project) -> Schemas:
    """Return the schema at each revision."""
    schemas: Schemas = {}
    revisions = [f"{number:04}" for number in range(1, int(project.head) + 1)]
    with testbed.clone(ROWS) as database:
        steps = project.python("-c", STEP_BY_STEP, database.url, *revisions)
        for revision in revisions:
            steps.wait_for(f"^at {revision}$")
            schemas[revision] = database.schema()
            steps.answer("go on")
        steps.expect(0)
    return schemas


def state_of(database: Database, schemas: Schemas) -> tuple[str, bool]:
    """Name the state of the database, and tell whether a killed migrator may leave it."""
    revision, schema = database.revision(), database.schema()
    if half_filled(database, revision):
        return f"at {revision} with a backfill that is not the revision's", False
    if schema == schemas[revision]:
        return "at a revision", True
    following = dict(pairwise(schemas)).get(revision, revision)
    added = schema - schemas[revision]
    index = [line for line in added if line.startswith(INDEX)]
    if added == set(index) and not schemas[revision] - schema:
        if added == schemas[following] - schemas[revision]:
            return "index built, revision not yet noted", True
        return INVALID, len(index) == 1
    return f"between: at {revision} with {sorted(added ^ (schemas[revision] - schema))}", False


def half_filled(database: Database, revision: str) -> bool:
    """Tell whether only a part of the rows is backfilled, which the schema does not show."""
    if revision < ADDED:
        return False
    empty = database.value("SELECT count(*) FROM todos WHERE slug IS NULL")
    return bool(empty != (ROWS if revision == ADDED else 0))
