"""Makes a table of the seconds for which migrations refused requests; checks the limits."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from proofs.harness.figures import Figure, none_of
from proofs.refusals.cases import CASES, CONTRACT, NONE, Case

Run = dict[str, Any]
STRENGTH = ("none", "read-only", "full")
MOST_SECONDS = 1.0


def runs_in(results: Path) -> list[Run]:
    lines = results.read_text().splitlines() if results.exists() else []
    return [json.loads(line) for line in lines]


def done_in(results: Path) -> set[tuple[str, str, str, int]]:
    return {(one["version"], one["case"], one["form"], one["round"]) for one in runs_in(results)}


def grouped(runs: list[Run]) -> dict[tuple[str, str, str], list[Run]]:
    found: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for one in runs:
        found[one["case"], one["version"], one["form"]].append(one)
    return found


def table(runs: list[Run]) -> str:
    """Make a table of the seconds for which writes and reads failed, in plain and in safe form."""
    versions = sorted({one["version"] for one in runs})
    heads = [f"{version} {form}" for version in versions for form in ("plain", "safe")]
    lines = [
        f"| migration | check says | {' | '.join(heads)} | lost | 500s |",
        f"|---|---|{'---|' * len(heads)}---|---|",
    ]
    found = grouped(runs)
    for case in CASES:
        cells, mine = [], [one for one in runs if one["case"] == case.name]
        if not mine:
            continue
        for version in versions:
            cells.append(plain_cell(found.get((case.name, version, "plain"), [])))
            cells.append(safe_cell(case, version, found))
        said = {verdict(one) for one in mine if one["form"] == "plain"}
        lost, bad = (sum(one[key] for one in mine) for key in ("lost", "unexplained_count"))
        shown = " or ".join(", ".join(one) for one in sorted(said))
        lines.append(f"| {case.name} | {shown} | {' | '.join(cells)} | {lost} | {bad} |")
    return "\n".join(lines)


def plain_cell(runs: list[Run]) -> str:
    if not runs:
        return ""
    seconds = [median(one["with"][kind] for one in runs) for kind in (0, 1)]
    return "fails, taken back" if runs[0]["failure"] else "{:.1f} / {:.1f}".format(*seconds)


def beyond(runs: list[Run]) -> list[float]:
    """Return for writes and reads the median of the seconds that the migration added."""
    return [median(one["with"][kind] - one["without"][kind] for one in runs) for kind in (0, 1)]


def safe_runs(case: Case, version: str, found: dict[tuple[str, str, str], list[Run]]) -> list[Run]:
    if case.safe:
        return found.get((case.name, version, "safe"), [])
    is_safe = case.verdict[0] == NONE and not case.breaks
    return found.get((case.name, version, "plain"), []) if is_safe else []


def safe_cell(case: Case, version: str, found: dict[tuple[str, str, str], list[Run]]) -> str:
    runs = safe_runs(case, version, found)
    return "{:+.1f} / {:+.1f}".format(*beyond(runs)) if runs else "none"


def verdict(one: Run) -> tuple[str, str]:
    """Return the strictest verdict of a migration's revisions."""
    modes = [said[0] for said in one["verdicts"]]
    phases = [said[1] for said in one["verdicts"]]
    return max(modes, key=STRENGTH.index), CONTRACT if CONTRACT in phases else "expand"


def wrong_verdicts(runs: list[Run]) -> Iterator[str]:
    cases = {case.name: case for case in CASES}
    for one in runs:
        case, said = cases[one["case"]], verdict(one)
        where = f"{one['case']}, {one['form']}, on {one['version']}"
        if one["form"] == "plain" and said != case.verdict:
            yield f"{where}: {said}, not {case.verdict}"
        if one["form"] == "safe" and said[0] != NONE:
            yield f"{where}: {said}, and it is the safe form"
        if said[1] != CONTRACT and one["refused_afterwards"] and not one["failure"]:
            yield f"{where}: expand, and {one['refused_afterwards']} answers were refused after it"


def figures(runs: list[Run]) -> list[Figure]:
    found = grouped(runs)
    cases = {case.name: case for case in CASES}
    slow = []
    for name, version in sorted({(one["case"], one["version"]) for one in runs}):
        if safe := safe_runs(cases[name], version, found):
            added = max(beyond(safe))
            if added > MOST_SECONDS:
                slow.append(f"{name} on {version}: {added:.2f} s")
    failed = [
        f"{one['case']}, {one['form']}, on {one['version']}: {one['failure']}"
        for one in runs
        if bool(one["failure"]) != (one["form"] == "plain" and cases[one["case"]].fails)
    ]
    bad = [text for one in runs for text in one["unexplained"]]
    kinds = {
        "acknowledged writes that were lost": sum(one["lost"] for one in runs),
        "answers 500, or broken connections": bad,
        "wrong verdicts": list(wrong_verdicts(runs)),
        f"safe forms that refuse for over {MOST_SECONDS:g} s more than the load alone": slow,
        "migrations that did not end as they should": failed,
        "windows left open": [text for one in runs for text in one["windows"]],
    }
    for found_bad in kinds.values():
        for text in sorted({*found_bad}) if isinstance(found_bad, list) else []:
            print(f"  {text}")
    writes = sum(one["writes"] for one in runs)
    return [
        Figure("migrations, runs, writes", f"{len(cases)}, {len(runs)}, {writes}"),
        *(none_of(what, bad) for what, bad in kinds.items()),
    ]
