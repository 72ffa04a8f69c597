"""Split the customer's name of the order desk over three releases, while clients write.

python -m proofs.column_split [--short] [--project DIR]

50,000 customers; --short: 5,000. DIR is the example order_desk as `python -m proofs.examples
--build --into ...` makes it, with its .venv. The first release's revisions are those of the page
docs/grow.md, `db migrate` writes the others, and each release replaces the one before while both
serve.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proofs.examples import Build, Recipe
from proofs.harness.entry import parser, run_in, temporary_folder


@contextmanager
def desk_of(given: Path | None) -> Iterator[Path]:
    """The order desk of --project, or one that is built and removed afterwards."""
    if given:
        yield given.resolve()
        return
    with temporary_folder("column-split") as folder:
        yield Build(Recipe.read("order_desk"), folder, print).make()


def main() -> int:
    arguments = parser("column_split", __doc__)
    arguments.add_argument("--short", action="store_true", help="5,000 customers")
    given = arguments.parse_args()
    rows = 5_000 if given.short else 50_000
    with desk_of(given.project) as desk:
        return run_in(desk, "proofs.column_split.split_run", str(desk), str(rows))


if __name__ == "__main__":
    sys.exit(main())
