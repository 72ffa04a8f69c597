"""The last page of a million rows costs as much as the first page, for every sort.

python -m proofs.conformance.pages --project DIR [--short]
"""

import http.client
import json
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from proofs.conformance.served_project import Served, arguments
from proofs.harness.figures import Figure, conclude
from proofs.harness.testbed import Testbed

ROWS, ROWS_SHORT = 1_000_000, 50_000
LIMIT = 100
MOST = 1.2
TIMED = 50  # Pages at each end of the list.
PLANS = "page_plans.py"


def walk(service: Served, path: str) -> tuple[list[str], list[float]]:
    """Return all ids in the order of the pages, and the seconds of each page."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=30)
    found: list[str] = []
    seconds: list[float] = []
    query: dict[str, Any] = {"limit": LIMIT}
    while True:
        begun = time.perf_counter()
        connection.request("GET", f"{path}?{urlencode(query)}")
        answer = connection.getresponse()
        body = json.load(answer)
        seconds.append(time.perf_counter() - begun)
        if answer.status != http.client.OK:
            raise AssertionError(body)
        found += [item["id"] for item in body["items"]]
        if not len(seconds) % 1000:
            print(f"  {len(found)} rows read", flush=True)
        if body["next"] is None:
            return found, seconds
        query["cursor"] = body["next"]


def main() -> None:
    given = arguments(__doc__)
    rows = ROWS_SHORT if given.short else ROWS
    begun = time.monotonic()
    testbed = Testbed(given.project)
    figures = []
    try:
        database = testbed.filled(rows)
        script = Path(__file__).with_name(PLANS).read_text()
        plans = testbed.serving.python(
            "-c", script, str(LIMIT), variables={"DATABASE_URL": database.url}
        )
        for line in plans.expect(0).output.splitlines():
            name, first, last, first_ms, last_ms = json.loads(line)
            figures += [
                Figure(
                    f"{name}: buffers of the first page, of the last",
                    f"{first}, {last} ({first_ms:.2f} ms, {last_ms:.2f} ms)",
                    f"at most {MOST} times",
                    last <= MOST * first,
                )
            ]
        with testbed.serving.serve(database, workers=1, threads=4) as port:
            service = Served(f"http://127.0.0.1:{port}", database, testbed.folder, testbed.issuer)
            _, path = next(
                line.text.split()[:2]
                for line in testbed.serving.run(database, "routes").lines
                if line.text.endswith("todos.list_todos")
            )
            found, seconds = walk(service, path)
    finally:
        testbed.close()
    first, last = (median(some) * 1000 for some in (seconds[:TIMED], seconds[-TIMED:]))
    each_once = len(set(found)) == len(found) == rows
    figures += [
        Figure("rows read page by page, each once", str(len(set(found))), str(rows), each_once),
        Figure(f"the first {TIMED} pages over HTTP, the last", f"{first:.2f} ms, {last:.2f} ms"),
    ]
    conclude("pages", time.monotonic() - begun, figures)


if __name__ == "__main__":
    main()
