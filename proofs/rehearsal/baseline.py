"""The classic recipe under the same load and migrations: shown for comparison, without bounds."""

from functools import partial

from proofs.harness.figures import Figure
from proofs.harness.testbed import Testbed
from proofs.rehearsal.classic import give_flag, serving_with_flag, upgrade, with_plain_alembic
from proofs.rehearsal.revisions import ORDERS
from proofs.rehearsal.scale import Scale
from proofs.rehearsal.under_load import describe, migrate_under_load, slow

CONFIGURATIONS = {
    "order A, a transaction a revision": ("A", True),
    "order A, one transaction": ("A", False),
    "order B, one transaction": ("B", False),
}


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    serving = serving_with_flag(slow(testbed.variant("classic_serving")))
    found = []
    for name, (order, each) in CONFIGURATIONS.items():
        migrating = with_plain_alembic(testbed, f"classic_{order}_{each}", ORDERS[order], each=each)
        with testbed.clone(scale.rows) as database:
            give_flag(database)
            outcome = migrate_under_load(serving, database, partial(upgrade, migrating, database))
            index = database.value("SELECT to_regclass('ix_todos_slug')")
        print(f"  {name}: {describe(outcome)}", flush=True)
        errors = [line for line in outcome.output.splitlines() if "psycopg2.errors" in line]
        found += [
            Figure(f"{name}: ended with, at revision", f"{outcome.code}, {outcome.revision}"),
            Figure(f"{name}: acknowledged writes lost", str(outcome.lost)),
            Figure(f"{name}: rows missed by the backfill", str(outcome.missed)),
            Figure(f"{name}: reads refused", str(outcome.bad_reads())),
            Figure(
                f"{name}: 5xx without Retry-After, or no answer",
                str(len(outcome.answers.unexplained())),
            ),
        ]
        if index and outcome.revision < "0004":
            found.append(Figure(f"{name}: schema", "has an index of a revision not noted"))
        if outcome.code:
            print(f"    {errors[-1] if errors else outcome.output}", flush=True)
    return found
