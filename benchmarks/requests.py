"""What the load asks an application for: a line a request, with tabs between method, path, body."""

import json
import random
from itertools import count

from benchmarks.checks import LIMIT, PAGES
from benchmarks.contestants import Contestant
from benchmarks.servers import PING

CREATED = "Created under load"
_runs = count(1)


def requests(contestant: Contestant, workload: str, ids: list[str], pages: list[str]) -> list[str]:
    """`pages` are the paths of pages that the application itself has named."""
    todos = contestant.todos
    if workload == "ping":
        return [f"GET\t{PING}\t"]
    if workload == "read":
        return [f"GET\t{todos}/{one}\t" for one in _shuffled(ids)]
    if workload == "count" and contestant.counted:
        first = (len(ids) // LIMIT - PAGES) // 2 * LIMIT  # The middle, as of `list`.
        offsets = range(first, first + PAGES * LIMIT, LIMIT)
        return [f"GET\t{contestant.counted}?limit={LIMIT}&offset={at}\t" for at in offsets]
    if workload in {"list", "count"}:
        return [f"GET\t{path}\t" for path in pages]
    if workload == "create":
        return [f"POST\t{todos}\t" + json.dumps({"title": CREATED})]
    # Another title each time: an ORM writes nothing where nothing has changed.
    body = json.dumps({"title": f"Changed under load, run {next(_runs)}"})
    return [f"PATCH\t{todos}/{one}\t{body}" for one in _shuffled(ids)]


def _shuffled(ids: list[str]) -> list[str]:
    """In the same order for each application."""
    return random.Random(1).sample(ids, len(ids))
