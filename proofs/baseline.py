"""The classic recipe under the same load, with the same migrations: told, not asserted."""

from functools import partial

from proofs.classic import give_flag, serving_with_flag, upgrade, with_plain_alembic
from proofs.figures import Figure
from proofs.revisions import ORDERS
from proofs.scale import Scale
from proofs.stage import Stage
from proofs.under_load import describe, migrate_under_load, slow

CONFIGURATIONS = {
    "order A, a transaction a revision": ("A", True),
    "order A, one transaction": ("A", False),
    "order B, one transaction": ("B", False),
}


def prove(stage: Stage, scale: Scale) -> list[Figure]:
    serving = serving_with_flag(slow(stage.variant("classic_serving")))
    found = []
    for name, (order, each) in CONFIGURATIONS.items():
        migrating = with_plain_alembic(stage, f"classic_{order}_{each}", ORDERS[order], each=each)
        with stage.clone(scale.rows) as database:
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
