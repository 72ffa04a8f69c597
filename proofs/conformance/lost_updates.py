"""Concurrent writers read, change and write the same rows."""

from collections import Counter

from proofs.conformance.racers import Answer, Client, race
from proofs.harness.database import Database
from proofs.harness.figures import Figure, none_of
from proofs.harness.load import PATH

WRITERS = 12
COLLISION = "at the same time"


def create(url: str, title: str) -> str:
    client = Client(url)
    try:
        return str(client.ask("POST", PATH, {"title": title}).json["id"])
    finally:
        client.close()


def unexpected(answers: Counter[int], *expected: int) -> int:
    """Count responses that are neither lost updates nor allowed."""
    return sum(number for status, number in answers.items() if status not in expected)


def with_if_match(url: str, database: Database, changes: int) -> list[Figure]:
    """Each client reads a counter, adds one, and writes it with If-Match, many times."""
    todo = create(url, "0")

    def write(client: Client, _: int) -> Counter[int]:
        answers: Counter[int] = Counter()
        while answers[200] < changes:
            read = client.ask("GET", f"{PATH}/{todo}")
            body = {"title": str(int(read.json["title"]) + 1)}
            tag = read.headers["etag"]
            answers[client.ask("PATCH", f"{PATH}/{todo}", body, If_Match=tag).status] += 1
        return answers

    answers = sum(race(url, WRITERS, write), Counter())
    [(title, version)] = database.rows("SELECT title, version FROM todos WHERE id = %s", todo)
    print(f"  with If-Match: {dict(answers)}", flush=True)
    return [
        Figure(
            "with If-Match: changes refused with 412", str(answers[412]), "some", answers[412] > 0
        ),
        none_of("with If-Match: lost updates", abs(answers[200] - int(title))),
        none_of("with If-Match: versions too many or too few", abs(answers[200] + 1 - version)),
        none_of("with If-Match: other answers than 200, 412", unexpected(answers, 200, 412)),
    ]


def without_if_match(url: str, database: Database, changes: int) -> list[Figure]:
    """The service itself reads and adds; of two concurrent requests, one may succeed."""
    todo = create(url, "0")

    def write(client: Client, _: int) -> Counter[int]:
        every = range(changes * 4)
        ask = client.ask
        return Counter(ask("PATCH", f"{PATH}/{todo}", {"title": "1"}).status for _ in every)

    answers = sum(race(url, WRITERS, write), Counter())
    [(title,)] = database.rows("SELECT title FROM todos WHERE id = %s", todo)
    print(f"  without: {dict(answers)}", flush=True)
    return [
        Figure("without: changes refused with 409", str(answers[409]), "some", answers[409] > 0),
        none_of("without: lost updates", abs(answers[200] - int(title))),
        none_of("without: other answers than 200, 409", unexpected(answers, 200, 409)),
    ]


def deadlocks(url: str, database: Database, changes: int) -> tuple[int, list[Figure]]:
    """Half of the clients change two rows in one order, half in the other order.

    Return also the number of deadlocks that reached a client.
    """
    ids = [create(url, "0"), create(url, "0")]

    def write(client: Client, number: int) -> list[Answer]:
        first, second = ids if number % 2 else reversed(ids)
        body = {"title": f"1 {second}"}
        return [client.ask("PATCH", f"{PATH}/{first}", body) for _ in range(changes // 3)]

    every = [one for answers in race(url, 4, write) for one in answers]
    answers = Counter(one.status for one in every)
    told = sum(one.status == 409 and COLLISION in one.json["detail"] for one in every)
    titles = [int(database.value("SELECT title FROM todos WHERE id = %s", one)) for one in ids]
    print(f"  crossing: {dict(answers)}, {titles}", flush=True)
    return told, [
        none_of("crossing: lost updates", sum(abs(answers[200] - title) for title in titles)),
        none_of("crossing: other answers than 200, 409", unexpected(answers, 200, 409)),
    ]
