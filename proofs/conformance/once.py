"""Concurrent requests create a unique name once, and a row once for each Idempotency-Key."""

from uuid import uuid4

from proofs.conformance.racers import Answer, Client, race
from proofs.harness.database import Database
from proofs.harness.figures import Figure, all_of
from proofs.harness.load import PATH

CLIENTS = 12
KEYED = 100
COME_AGAIN = {409, 503}


def unique_names(url: str, database: Database, number: int) -> list[Figure]:
    names = [f"unique {uuid4()}" for _ in range(number)]

    def post(client: Client, _: int) -> list[Answer]:
        return [client.ask("POST", PATH, {"title": name}) for name in names]

    taken = list(zip(*race(url, CLIENTS, post), strict=True))
    won = sum([one.status for one in answers].count(201) == 1 for answers in taken)
    others = [one for answers in taken for one in answers if one.status != 201]
    told = sum(one.status == 409 and one.json["type"] == "duplicate" for one in others)
    rows = database.value("SELECT count(*) FROM todos WHERE starts_with(title, %s)", "unique ")
    return [
        all_of("names with exactly one 201", won, len(names)),
        all_of("names with exactly one row", int(rows), len(names)),
        all_of("other answers that say duplicate", told, len(others)),
    ]


def one_key(url: str, database: Database, keys: int) -> list[Figure]:
    once = same = refused = replayed = 0
    for _ in range(keys):
        key, title = str(uuid4()), f"keyed {uuid4()}"

        def post(client: Client, _: int, key: str = key, title: str = title) -> Answer:
            return client.ask("POST", PATH, {"title": title}, Idempotency_Key=key)

        answers = race(url, KEYED, post)
        # They wait for the first one's answer, as long as for any lock, and are told to come again.
        answered = [one for one in answers if one.status not in COME_AGAIN]
        told = {(one.status, one.headers.get("location"), one.body) for one in answered}
        refused += len(answers) - len(answered)
        replayed += sum("idempotent-replayed" in one.headers for one in answered)
        same += len(told) == 1 and answered[0].status == 201
        again = race(url, 1, post)[0]
        same += again.body == answered[0].body and again.status == 201
        once += database.value("SELECT count(*) FROM todos WHERE title = %s", title) == 1
    return [
        all_of(f"keys that {KEYED} parallel POSTs had, with one row", once, keys),
        all_of("and one answer to all but those, and to one later", same, 2 * keys),
        Figure("told to come again, given the first answer", f"{refused}, {replayed}"),
    ]
