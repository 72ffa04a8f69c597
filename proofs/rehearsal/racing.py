"""Four concurrent migrators: one works, the others wait, and all succeed."""

from proofs.harness.figures import Figure, all_of, none_of
from proofs.harness.testbed import Testbed
from proofs.rehearsal.revisions import ORDERS
from proofs.rehearsal.scale import Scale

MIGRATORS = 4
ROWS = 40_000


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    project = testbed.variant("racing", ORDERS["A"])
    succeeded = at_head = deadlocks = 0
    log_before = testbed.cluster.log.read_text().count("deadlock detected")
    for number in range(scale.races):
        # Every second round begins with an empty database, so that the schema `ops` is created,
        # too.
        template = testbed.filled(ROWS) if number % 2 == 0 else testbed.cluster.empty
        with testbed.cluster.clone(template) as database:
            running = [project.manage(database, "db", "upgrade") for _ in range(MIGRATORS)]
            codes = [one.wait() for one in running]
            succeeded += codes.count(0)
            at_head += database.revision() == project.head and not database.open_windows()
            deadlocks += database.deadlocks()
        if any(codes):
            print("\n".join(one.output for one in running if one.wait()), flush=True)
        elif (number + 1) % 5 == 0:
            print(f"  {number + 1} of {scale.races} rounds", flush=True)
    deadlocks += testbed.cluster.log.read_text().count("deadlock detected") - log_before
    return [
        all_of("migrators that ended with 0", succeeded, MIGRATORS * scale.races),
        all_of("rounds that ended at head, without a window", at_head, scale.races),
        none_of("deadlocks", deadlocks),
    ]
