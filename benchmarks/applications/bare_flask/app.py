"""Flask and psycopg2, as https://flask.palletsprojects.com/tutorial/database/ connects them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Flask, abort, g, request, url_for
from identity import uuid7
from psycopg2.pool import ThreadedConnectionPool

COLUMNS = "id, title, completed_at, version"
READ = f"SELECT {COLUMNS} FROM todos WHERE id = %s"
FIRST_PAGE = f"SELECT {COLUMNS} FROM todos ORDER BY id LIMIT %s"
NEXT_PAGE = f"SELECT {COLUMNS} FROM todos WHERE id > %s ORDER BY id LIMIT %s"
COUNTED_PAGE = f"SELECT {COLUMNS} FROM todos ORDER BY id LIMIT %s OFFSET %s"
COUNT = "SELECT count(*) FROM todos"
INSERT = "INSERT INTO todos (id, title, completed_at, version) VALUES (%s, %s, NULL, 1)"
UPDATE = "UPDATE todos SET title = %s, version = version + 1 WHERE id = %s AND version = %s"

app = Flask(__name__)
THREADS = int(os.environ["THREADS"])
pool = ThreadedConnectionPool(THREADS, THREADS, "")  # libpq's variables describe the database.


def get_db() -> Any:
    if "db" not in g:
        g.db = pool.getconn()
        g.db.autocommit = True
    return g.db


@app.teardown_appcontext
def return_db(_error: BaseException | None) -> None:
    db = g.pop("db", None)
    if db is not None:
        pool.putconn(db)


@contextmanager
def transaction() -> Iterator[Any]:
    db = get_db()
    db.autocommit = False
    with db, db.cursor() as cursor:  # Commits, or rolls back after an exception.
        yield cursor


def represent(row: Any) -> dict[str, Any]:
    completed_at = row[2].isoformat() if row[2] else None
    return {"id": row[0], "title": row[1], "completed_at": completed_at, "version": row[3]}


def given_title() -> str:
    body = request.get_json()
    title = body.get("title") if isinstance(body, dict) and len(body) == 1 else None
    if not isinstance(title, str) or not 1 <= len(title) <= 200 or "\0" in title:
        abort(422)
    return title


@app.get("/health/live")
def ping() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/todos/<uuid:todo_id>")
def read_todo(todo_id: UUID) -> dict[str, Any]:
    with get_db().cursor() as cursor:
        cursor.execute(READ, [str(todo_id)])
        row = cursor.fetchone()
    if row is None:
        abort(404)
    return represent(row)


@app.get("/todos")
def list_todos() -> dict[str, Any]:
    limit = request.args.get("limit", 20, int)
    after = request.args.get("cursor", type=UUID)
    if not 1 <= limit <= 100:
        abort(422)
    with get_db().cursor() as cursor:
        if after:
            cursor.execute(NEXT_PAGE, [str(after), limit + 1])
        else:
            cursor.execute(FIRST_PAGE, [limit + 1])
        found = [represent(row) for row in cursor.fetchall()]
    items = found[:limit]
    return {"items": items, "next": items[-1]["id"] if len(found) > limit else None}


@app.get("/counted-todos")
def list_counted() -> dict[str, Any]:
    limit = request.args.get("limit", 20, int)
    offset = request.args.get("offset", 0, int)
    if not 1 <= limit <= 100 or offset < 0:
        abort(422)
    with get_db().cursor() as cursor:
        cursor.execute(COUNT)
        [total] = cursor.fetchone()
        cursor.execute(COUNTED_PAGE, [limit, offset])
        return {"items": [represent(row) for row in cursor.fetchall()], "total": total}


@app.post("/todos")
def create_todo() -> tuple[dict[str, Any], int, dict[str, str]]:
    row = (str(uuid7()), given_title(), None, 1)
    with transaction() as cursor:
        cursor.execute(INSERT, row[:2])
    return represent(row), 201, {"Location": url_for("read_todo", todo_id=row[0])}


@app.patch("/todos/<uuid:todo_id>")
def update_todo(todo_id: UUID) -> dict[str, Any]:
    title = given_title()
    with transaction() as cursor:
        cursor.execute(READ, [str(todo_id)])
        row = cursor.fetchone()
        if row is None:
            abort(404)
        cursor.execute(UPDATE, [title, str(todo_id), row[3]])
        if cursor.rowcount != 1:
            abort(409)
    return represent((row[0], title, row[2], row[3] + 1))
