"""WSGI and psycopg2 without a framework: the lower limit of the cost in Python."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import local
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import psycopg2
from identity import uuid7

COLUMNS = "id, title, completed_at, version"
READ = f"SELECT {COLUMNS} FROM todos WHERE id = %s"
FIRST_PAGE = f"SELECT {COLUMNS} FROM todos ORDER BY id LIMIT %s"
NEXT_PAGE = f"SELECT {COLUMNS} FROM todos WHERE id > %s ORDER BY id LIMIT %s"
COUNTED_PAGE = f"SELECT {COLUMNS} FROM todos ORDER BY id LIMIT %s OFFSET %s"
COUNT = "SELECT count(*) FROM todos"
INSERT = "INSERT INTO todos (id, title, completed_at, version) VALUES (%s, %s, NULL, 1)"
UPDATE = "UPDATE todos SET title = %s, version = version + 1 WHERE id = %s AND version = %s"
STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

Answer = tuple[int, Any, list[tuple[str, str]]]
_thread = local()


class RefusedError(Exception):
    """A rejected request, with the status of its response."""


def cursor() -> Any:
    """Return a cursor of this thread's connection, which PGHOST and libpq's other variables set."""
    if not hasattr(_thread, "cursor"):
        connection = psycopg2.connect("")
        connection.autocommit = True
        _thread.cursor = connection.cursor()
    return _thread.cursor


@contextmanager
def transaction() -> Iterator[Any]:
    inner = cursor()
    inner.execute("BEGIN")
    try:
        yield inner
    except BaseException:
        inner.execute("ROLLBACK")
        raise
    inner.execute("COMMIT")


def represent(row: Any) -> dict[str, Any]:
    completed_at = row[2].isoformat() if row[2] else None
    return {"id": row[0], "title": row[1], "completed_at": completed_at, "version": row[3]}


def identity(text: str, otherwise: int) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise RefusedError(otherwise) from error


def title_of(environ: dict[str, Any]) -> str:
    try:
        body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    except ValueError as error:
        raise RefusedError(400) from error
    title = body.get("title") if isinstance(body, dict) and len(body) == 1 else None
    if not isinstance(title, str) or not 1 <= len(title) <= 200 or "\0" in title:
        raise RefusedError(422)
    return title


def read_one(text: str) -> Answer:
    rows = cursor()
    rows.execute(READ, [identity(text, 404)])
    row = rows.fetchone()
    if row is None:
        raise RefusedError(404)
    return 200, represent(row), []


def read_page(query: str) -> Answer:
    arguments = parse_qs(query)
    limit = int(arguments["limit"][0]) if "limit" in arguments else 20
    if not 1 <= limit <= 100:
        raise RefusedError(422)
    rows = cursor()
    if "cursor" in arguments:
        rows.execute(NEXT_PAGE, [identity(arguments["cursor"][0], 422), limit + 1])
    else:
        rows.execute(FIRST_PAGE, [limit + 1])
    found = [represent(row) for row in rows.fetchall()]
    items = found[:limit]
    return 200, {"items": items, "next": items[-1]["id"] if len(found) > limit else None}, []


def read_counted(query: str) -> Answer:
    arguments = parse_qs(query)
    limit, offset = (int(arguments.get(name, "0")[0]) for name in ("limit", "offset"))
    if not 1 <= limit <= 100 or offset < 0:
        raise RefusedError(422)
    rows = cursor()
    rows.execute(COUNT)
    [total] = rows.fetchone()
    rows.execute(COUNTED_PAGE, [limit, offset])
    return 200, {"items": [represent(row) for row in rows.fetchall()], "total": total}, []


def create(environ: dict[str, Any]) -> Answer:
    row = (str(uuid7()), title_of(environ), None, 1)
    with transaction() as writing:
        writing.execute(INSERT, row[:2])
    return 201, represent(row), [("Location", f"/todos/{row[0]}")]


def update(environ: dict[str, Any], text: str) -> Answer:
    todo_id, title = identity(text, 404), title_of(environ)
    with transaction() as writing:
        writing.execute(READ, [todo_id])
        row = writing.fetchone()
        if row is None:
            raise RefusedError(404)
        writing.execute(UPDATE, [title, todo_id, row[3]])
        if writing.rowcount != 1:
            raise RefusedError(409)
    return 200, represent((todo_id, title, row[2], row[3] + 1)), []


def dispatch(environ: dict[str, Any]) -> Answer:
    match environ["REQUEST_METHOD"], environ["PATH_INFO"].split("/")[1:]:
        case "GET", ["todos", todo_id]:
            return read_one(todo_id)
        case "GET", ["todos"]:
            return read_page(environ.get("QUERY_STRING", ""))
        case "GET", ["counted-todos"]:
            return read_counted(environ.get("QUERY_STRING", ""))
        case "POST", ["todos"]:
            return create(environ)
        case "PATCH", ["todos", todo_id]:
            return update(environ, todo_id)
        case "GET", ["health", "live"]:
            return 200, {"status": "ok"}, []
    raise RefusedError(404)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    try:
        status, answer, headers = dispatch(environ)
    except RefusedError as refused:
        status, headers = refused.args[0], []
        answer = {"error": STATUS[status]}
    body = json.dumps(answer).encode()
    sizes = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(STATUS[status], headers + sizes)
    return [body]
