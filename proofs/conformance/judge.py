"""Counts requests and responses, and records each response that breaks a rule."""

import re
from collections import Counter
from typing import Any

from proofs.conformance.raw import Answer

SLOW = 2.0
NEEDED = ("type", "title", "status", "detail", "instance", "request_id")
INSIDE = re.compile(rb"Traceback|psycopg|sqlalchemy|File \"|/src/|/chassis/|SELECT |INSERT ")
HEADERS = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}


class Judge:
    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answered: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.told: list[str] = []
        self.slowest = 0.0

    def look(self, one: Any, answer: Answer, statuses: frozenset[int], slug: str) -> None:
        """Check one response. Any of `statuses` is right; without them, any status below 500."""
        self.asked[one.kind] += 1
        self.answered[answer.status] += 1
        self.slowest = max(self.slowest, answer.seconds)
        wrong = []
        if answer.status >= 500:
            wrong.append("5xx")
        if answer.status not in (statuses or {answer.status or 500}):
            wrong.append("of another status")
        if answer.number > 1:
            wrong.append("answered twice")
        if answer.status >= 400 and (slug or not statuses):
            wrong += problem_faults(answer, slug)
        if answer.seconds > SLOW:
            wrong.append("slow")
        for fault in wrong:
            self.note(fault, one, answer)

    def note(self, fault: str, one: Any, answer: Answer) -> None:
        self.faults[fault] += 1
        self.told.append(f"{fault}: {one} -> {answer.status} {answer.body[:300]!r}")


def problem_faults(answer: Answer, slug: str) -> list[str]:
    body = answer.json()
    wrong = []
    if answer.headers.get("content-type") != "application/problem+json":
        return ["not problem+json"]
    if not isinstance(body, dict) or not all(body.get(name) for name in NEEDED):
        return ["problem with members missing"]
    if body["status"] != answer.status or (slug and body["type"] != slug):
        wrong.append("of another type")
    for error in body.get("errors", ()):
        place = {"pointer", "parameter"} & error.keys()
        if len(place) != 1 or not error.get("detail") or not error.get("code"):
            wrong.append("an error without its place, detail or code")
    if INSIDE.search(answer.body):
        wrong.append("tells of the inside")
    if HEADERS.get(answer.status, "date") not in answer.headers:
        wrong.append("without the header of its status")
    return wrong
