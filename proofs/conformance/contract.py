"""schemathesis finds no failure, with all its checks and links, on the production server.

python -m proofs.conformance.contract --project DIR [--short]
"""

import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from proofs.conformance.served_project import Served, arguments, program, served
from proofs.harness.figures import Figure, conclude, none_of
from proofs.harness.issuer import TOKEN

CASES, CASES_SHORT = 4000, 400
EXAMPLES = 200  # The most requests to an operation in one round.
ROUNDS = 20
METHODS = {"get", "post", "put", "patch", "delete"}
HOOKS = "contract_hooks.py"
# A valid If-Match of another version gets 412, which does not mean rejected data.
SETTINGS = """
[auth.openapi.bearer]
bearer = "${SERVICE_TOKEN}"

[checks]
positive_data_acceptance.expected-statuses = [
    "2xx", "3xx", "401", "403", "404", "409", "412", "429",
]
"""


def token(service: Served) -> str:
    """Return a token without operators' scopes: opening a window would stop the service."""
    with urlopen(f"{service.url}/openapi.json", timeout=10) as answer:
        paths = json.load(answer)["paths"]
    own = [item for path, item in paths.items() if not path.startswith("/ops/")]
    every = [item[name].get("security", []) for item in own for name in item.keys() & METHODS]
    return service.issuer.token(
        *sorted({scope for needed in every for way in needed for scope in way.get("bearer", [])})
    )


def one_round(service: Served, tools: Path, seed: int, examples: int) -> tuple[Any, str]:
    """Run schemathesis once; return its report and its output."""
    report = service.folder / "report.json"
    result = program(
        tools / "schemathesis",
        *("run", f"{service.url}/openapi.json", "--no-color", "--checks", "all"),
        *("--continue-on-failure", "--seed", str(seed), "--max-examples", str(examples)),
        *("--report", "json", "--report-json-path", report),
        cwd=service.folder,
        SCHEMATHESIS_HOOKS=HOOKS.removesuffix(".py"),
        SERVICE_URL=service.url,
    )
    if not report.exists():
        raise AssertionError(result.stdout)
    found = json.loads(report.read_text())
    report.unlink()
    return found, result.stdout


def main() -> None:
    given = arguments(__doc__)
    wanted = CASES_SHORT if given.short else CASES
    cases, failures, errors, rows = 0, 0, 0, 50
    phases: set[str] = set()
    begun = time.monotonic()
    with served(given.project, rows=rows) as service:
        os.environ[TOKEN] = token(service)
        (service.folder / "schemathesis.toml").write_text(SETTINGS)
        (service.folder / HOOKS).write_text(Path(__file__).with_name(HOOKS).read_text())
        for seed in range(1, ROUNDS + 1):
            examples = EXAMPLES if wanted == CASES else EXAMPLES // 10
            report, output = one_round(service, given.tools, seed, examples)
            cases += report["test_cases"]["generated"]
            failures += report["test_cases"]["with_failures"]
            errors += len(report["errors"]) + report["test_cases"]["errored"]
            for name, phase in report["phases"].items():
                phases |= {name} if phase["status"] != "skip" else set()
            print(f"  round {seed}: {cases} cases, {failures} failures", flush=True)
            if report["exit_code"]:
                print(output, flush=True)
                errors += not (failures or errors)
            if cases >= wanted or failures or errors:
                break
    conclude(
        "contract",
        time.monotonic() - begun,
        [
            Figure("cases", str(cases), f">= {wanted}", cases >= wanted),
            Figure("phases", ", ".join(sorted(phases)), "stateful too", "stateful" in phases),
            none_of("failures of any check", failures),
            none_of("errors", errors),
        ],
    )


if __name__ == "__main__":
    main()
