"""Measures what gate and fence cost while no maintenance window is open."""

import json

from proofs.harness.figures import Figure
from proofs.harness.testbed import Testbed
from proofs.rehearsal.scale import Scale

ROWS = 1_000
SHARE = 1.0  # per cent
# Measured in one process: the CPU time of the serving thread, without PostgreSQL's.
MEASURE = """
import json
import os
import time
from statistics import median

from sqlalchemy import event

from chassis.core.request_scope import current_scope
from chassis.http.flow.maintenance_gate import respect_windows
from chassis.http.flow.pipeline import Route
from src.app import app

service = app.extensions["container"].maintenance_service()
gate = respect_windows(service)(Route("todos.read_todo", "GET")).before
client = app.test_client()
client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {os.environ['SERVICE_TOKEN']}"
PATH = "/my_service/v1/todos"


def per_call(call, times):
    begun = time.thread_time()
    for _ in range(times):
        call()
    return (time.thread_time() - begun) / times


def look():
    service._cached_until = 0.0
    service.current()


todo = client.get(PATH).json["items"][0]["id"]
gates, looks, gets = [], [], []
for _ in range(9):
    with app.test_request_context(f"{PATH}/{todo}"):
        scope = current_scope()
        gates.append(per_call(lambda: gate(scope.request, scope), 20_000))
    looks.append(per_call(look, 100))
    gets.append(per_call(lambda: client.get(f"{PATH}/{todo}").get_data(), 300))
statements = []
engine = app.extensions["container"].engines().write
# What was sent: the fence goes with the first statement.
event.listen(engine, "after_cursor_execute", lambda _, cursor, *__: statements.extend(
    cursor.query.decode().split("; ")
))
assert client.post(PATH, json={"title": "Counted"}).status_code == 201
print(json.dumps([median(gates), median(looks), median(gets), statements]))
"""
LOOKS_A_SECOND = 1.25


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    del scale
    with testbed.clone(ROWS) as database:
        measured = testbed.serving.python(
            "-c", MEASURE, variables={"DATABASE_URL": database.url}
        ).expect(0)
    gate, look, get, statements = json.loads(measured.lines[-1].text)
    share = 100 * (gate / get + look * LOOKS_A_SECOND)
    kinds = [statement.split()[0] for statement in statements]
    fenced = kinds == ["BEGIN", "SELECT", "INSERT"]
    return [
        Figure("CPU of a GET", f"{get * 1e6:.0f} us"),
        Figure("CPU of the gate in it", f"{gate * 1e6:.1f} us"),
        Figure("CPU of a look for windows, 1.25 a second", f"{look * 1e6:.0f} us"),
        Figure("share of both, of a process at work", f"{share:.2f} %", "<= 1 %", share <= SHARE),
        Figure("sent for a create", "; ".join(kinds), "begin, fence and insert", fenced),
    ]
