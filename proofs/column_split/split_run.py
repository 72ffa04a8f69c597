"""Splits the column; runs in the environment of the order desk."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from proofs.column_split.releases import make_releases, seed
from proofs.harness.database import Database
from proofs.harness.figures import Figure, at_least, conclude, none_of
from proofs.harness.issuer import TOKEN
from proofs.harness.load import Load, Mix, Resource, load
from proofs.harness.processes import run_main
from proofs.harness.testbed import Project, Testbed

CUSTOMERS = Resource(
    "/order_desk/v1/customers",
    "name",
    others=lambda name: {"email": f"{name.replace(' ', '.')}@example.org"},
)
SCOPES = ("customers:read", "customers:write")
WRITES = Mix(writes=0.5, slow=0, changes=0.5)
AT_EACH_STATE = 25  # Answers that each client gets at each state of schema and code.
EXPAND = ("db", "upgrade", "--until", "expand")


class Rollout:
    """The servers of the newest release; clients are moved to a new one before the old one ends."""

    def __init__(self, database: Database, stack: ExitStack) -> None:
        self.ports: list[int] = []
        self._database = database
        self._stack = stack
        self._old: ExitStack | None = None

    def to(self, release: Project, answers: Callable[[], Load] | None = None) -> None:
        servers = self._stack.enter_context(ExitStack())
        port = servers.enter_context(release.serve(self._database, workers=1, threads=4))
        self.ports.append(port)
        if self._old and answers:
            answers().wait_for_answers(AT_EACH_STATE)  # Both releases serve.
            del self.ports[0]
            answers().wait_for_answers()  # No request to the old one is on its way.
            self._old.close()
        self._old = servers


@contextmanager
def step(name: str, figures: list[Figure], answers: Load) -> Iterator[None]:
    began = time.monotonic()
    yield
    figures.append(Figure(name, f"{time.monotonic() - began:.1f} s"))
    print(f"{name}: {figures[-1].measured}", flush=True)
    answers.wait_for_answers(AT_EACH_STATE)


def split(testbed: Testbed, rows: int) -> list[Figure]:
    os.environ[TOKEN] = testbed.issuer.token(*SCOPES)
    first, second, third = make_releases(testbed)
    database = testbed.cluster.create(testbed.cluster.empty)
    testbed.serving.run(database, "db", "upgrade")
    before, figures = seed(database, rows), list[Figure]()
    with ExitStack() as stack:
        rollout = Rollout(database, stack)
        rollout.to(testbed.serving)
        with load(rollout.ports, clients=8, mix=WRITES, resource=CUSTOMERS) as answers:
            answers.wait_for_answers(AT_EACH_STATE)
            for number, release in enumerate((first, second, third), 1):
                with step(f"release {number}: expand", figures, answers):
                    release.run(database, *EXPAND)
                with step(f"release {number}: code", figures, answers):
                    rollout.to(release, lambda: answers)
            with step("release 3: contract", figures, answers):
                third.run(database, "db", "upgrade")
    third.run(database, "db", "check")
    return [*figures, *judged(answers, before, database)]


def judged(answers: Load, before: dict[str, str], database: Database) -> list[Figure]:
    expected = before | {one.id: one.title for one in answers.writes() if one.good}
    sql = "SELECT id::text, concat_ws(' ', given_name, family_name) FROM customers"
    stored = dict(database.rows(sql))
    lost = {key for key, name in expected.items() if stored.get(key) != name}
    for answer in answers.unexplained()[:5]:
        print(answer, flush=True)
    slowest = max(one.seconds for one in answers.answers)
    return [
        Figure("customers before, and after", f"{len(before)}, {len(stored)}"),
        at_least("writes acknowledged", len(answers.accepted())),
        none_of("names that are not the last acknowledged ones", sorted(lost)),
        none_of("rows that nobody was told of", sorted(stored.keys() - expected.keys())),
        none_of("failures without Retry-After", answers.unexplained()),
        Figure("refused with Retry-After", str(sum(one.status == 503 for one in answers.answers))),
        none_of("other refusals", [a for a in answers.answers if not a.good and a.status != 503]),
        Figure("slowest answer", f"{slowest:.2f} s"),
        none_of("columns `name` left", database.rows(NAME_COLUMN)),
    ]


NAME_COLUMN = """
    SELECT 1 FROM information_schema.columns
    WHERE table_name = 'customers' AND column_name = 'name'
"""


def main() -> int:
    testbed, began = Testbed(Path(sys.argv[1])), time.monotonic()
    try:
        figures = split(testbed, int(sys.argv[2]))
    finally:
        testbed.close()
    conclude("A column is split under load", time.monotonic() - began, figures)


if __name__ == "__main__":
    run_main(main)
