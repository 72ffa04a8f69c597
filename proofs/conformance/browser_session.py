"""Opens /docs in Debian's chromium, creates a todo there, and prints its observations as JSON."""

import json
import os
import sys
import time
from urllib.request import urlopen

from playwright.sync_api import sync_playwright  # type: ignore[import-not-found]

# No other host name can be resolved, as without a network.
CUT = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
CREATE = "#operations-todos-create_todo"


def documented(url: str) -> list[str]:
    with urlopen(f"{url}/openapi.json", timeout=10) as answer:
        paths = json.load(answer)["paths"]
    every = [operation for item in paths.values() for operation in item.values()]
    return [operation["operationId"] for operation in every if "operationId" in operation]


def session(url: str, title: str) -> dict[str, object]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[CUT])
        page = browser.new_page()
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda said: errors.extend([said.text] if said.type == "error" else []))
        page.on("pageerror", lambda error: errors.append(str(error)))
        begun = time.monotonic()
        page.goto(f"{url}/docs")
        page.wait_for_selector(CREATE)
        seconds = time.monotonic() - begun
        ids = page.locator(".opblock").evaluate_all("found => found.map(one => one.id)")
        page.click(".auth-wrapper .authorize")
        page.fill(".auth-container input", os.environ["SERVICE_TOKEN"])
        page.click(".auth-container .authorize")
        page.click(".auth-container .btn-done")
        page.click(f"{CREATE} .opblock-summary")
        page.click(f"{CREATE} .try-out__btn")
        page.fill(f"{CREATE} textarea.body-param__text", json.dumps({"title": title}))
        page.click(f"{CREATE} .execute")
        status = page.inner_text(f"{CREATE} .live-responses-table .response .response-col_status")
        page.screenshot(path="docs.png", full_page=True)
        version = browser.version
        browser.close()
    return {
        "browser": f"chromium {version}",
        "seconds": round(seconds, 2),
        "elsewhere": [one for one in requests if not one.startswith((url, "data:", "blob:"))],
        "errors": errors,
        "listed": [one.rpartition("-")[2] for one in ids],
        "documented": documented(url),
        "status": status.split()[0],
    }


if __name__ == "__main__":
    print(json.dumps(session(sys.argv[1], sys.argv[2])))
