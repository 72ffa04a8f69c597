"""The report: one line for each fault, with its number of trials and what clients saw."""

from collections import Counter
from dataclasses import dataclass, field

from proofs.chaos.fault_testbed import Fault, Outcome

RECOVERY_SECONDS = 1.0
HEADS = [
    "fault",
    "times",
    "requests",
    "refused",
    "500s",
    "lost",
    "recovery",
    "slowest",
    "processes",
    "",
]


@dataclass(slots=True)
class Line:
    name: str
    fault: Fault
    outcomes: list[Outcome] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    not_run: str = ""

    def wrong(self, outcome: Outcome) -> list[str]:
        found = list(outcome.complaints)
        found += [f"{one.status}: {one.said[:200]}" for one in outcome.ledger.errors()[:3]]
        found += [f"lost: {one}" for one in outcome.lost[:3]]
        if outcome.recovery > RECOVERY_SECONDS:
            found.append(f"recovery took {outcome.recovery:.2f} s")
        if not outcome.same:
            found.append("other processes were replaced than those that had to be")
        if self.fault.felt not in {None, bool(outcome.ledger.refused())}:
            found.append("nobody felt it" if self.fault.felt else "requests failed")
        if outcome.slowest > self.fault.slowest:
            found.append(f"a request took {outcome.slowest:.2f} s")
        return found

    def describe(self, outcome: Outcome) -> str:
        counted = sorted(Counter(one.status for one in outcome.ledger.answers).items())
        answers = ", ".join(f"{times} of {status or 'none'}" for status, times in counted)
        told = [f"answers: {answers}; recovery {outcome.recovery:.2f} s"]
        return "; ".join(told + self.wrong(outcome))

    def holds(self, *, strict: bool) -> bool:
        if self.not_run:
            return not strict
        return bool(self.outcomes) and not self.broken and not any(map(self.wrong, self.outcomes))

    def cells(self) -> list[str]:
        made = self.outcomes
        if self.not_run or not made:
            return (
                [self.fault.title, "0"] + [""] * 7 + [f"not run: {self.not_run or self.broken[0]}"]
            )
        kept = all(one.same for one in made)
        as_wanted = "replaced" if self.fault.replaced else "the same"
        return [
            self.fault.title,
            str(len(made)),
            str(sum(len(one.ledger.answers) for one in made)),
            str(sum(one.ledger.refused() for one in made)),
            str(sum(len(one.ledger.errors()) for one in made)),
            str(sum(len(one.lost) for one in made)),
            f"{max(one.recovery for one in made):.2f} s",
            f"{max(one.slowest for one in made):.2f} s",
            as_wanted if kept else "OTHERS",
            "borne" if self.holds(strict=True) else "NOT BORNE",
        ]


def table(lines: list[Line]) -> str:
    rows = [HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADS))]
    told = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n" + "\n".join(told)
