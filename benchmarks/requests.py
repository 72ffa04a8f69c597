"""Writes the requests of a load: a line for each, with tabs between method, path and body."""

import json
import random
from itertools import count

from benchmarks.checks import LIMIT, PAGES
from benchmarks.contestants import Contestant
from benchmarks.servers import PING

CREATED = "Created under load"
_runs = count(1)


def requests(contestant: Contestant, workload: str, ids: list[str], pages: list[str]) -> list[str]:
    """Return the lines. `pages` are paths of pages from the application's own responses."""
    todos = contestant.todos
    if workload == "ping":
        return [f"GET\t{PING}\t"]
    if workload == "read":
        return [f"GET\t{todos}/{one}\t" for one in _shuffled(ids)]
    if workload == "count" and contestant.counted:
        # The same pages in the middle as for `list`.
        first = (len(ids) // LIMIT - PAGES) // 2 * LIMIT
        offsets = range(first, first + PAGES * LIMIT, LIMIT)
        return [f"GET\t{contestant.counted}?limit={LIMIT}&offset={at}\t" for at in offsets]
    if workload in {"list", "count"}:
        return [f"GET\t{path}\t" for path in pages]
    if workload == "create":
        return [f"POST\t{todos}\t" + json.dumps({"title": CREATED})]
    # A new title each time, because an ORM does not write unchanged rows.
    body = json.dumps({"title": f"Changed under load, run {next(_runs)}"})
    return [f"PATCH\t{todos}/{one}\t{body}" for one in _shuffled(ids)]


def _shuffled(ids: list[str]) -> list[str]:
    """Shuffle with a fixed seed, so that each application gets the same order."""
    return random.Random(1).sample(ids, len(ids))
