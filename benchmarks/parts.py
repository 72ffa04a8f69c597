"""Whose code a sampled stack is in, and what of a request it does."""

from collections import Counter

from benchmarks.sampler import Stack

# By a part of the path; the first that fits. What fits none, as the standard library, is its
# caller's.
OWNERS = {
    "/src/": "project",
    "/chassis/http/": "chassis: HTTP",
    "/chassis/schemas/": "chassis: HTTP",
    "/chassis/postgres/": "chassis: PostgreSQL",
    "/chassis/": "chassis: the rest",
    "/sqlalchemy/pool/": "SQLAlchemy: pool",
    "/sqlalchemy/": "SQLAlchemy: statements, rows",
    "/psycopg2/": "psycopg2, to PostgreSQL",
    "/marshmallow/": "marshmallow",
    "/webargs/": "webargs",
    "/flask_smorest/": "flask-smorest",
    "/apispec/": "flask-smorest",
    "/dependency_injector/": "dependency-injector",
    "/flask_cors/": "flask-cors",
    "/flask/": "Flask",
    "/werkzeug/": "Werkzeug",
    "/benchmarks/": "the profile itself",
}
# Where SQLAlchemy calls psycopg2, which is C.
DRIVER = {"do_execute", "do_begin", "do_commit", "do_rollback", "do_ping"}
# (file, function) anywhere in the stack: inclusive, so that some hold others.
STEPS = {
    "routing": ("werkzeug/routing/map.py", "match"),
    "before_request hooks": ("flask/app.py", "preprocess_request"),
    "after_request hooks": ("flask/app.py", "process_response"),
    "webargs: read and load arguments": ("webargs/core.py", "parse"),
    "  Schema.load": ("marshmallow/schema.py", "_do_load"),
    "serializing": ("schemas/serializer.py", "serialize"),
    "the answer": ("output/answers.py", "answer"),
    "cursor: sign, unsign": ("schemas/cursor.py", ""),
    "unit of work: open, close": ("contextlib.py", "helper"),
    "connection from the pool": ("sqlalchemy/engine/base.py", "raw_connection"),
    "connection back": ("sqlalchemy/pool/base.py", "_checkin"),
    "COMMIT": ("sqlalchemy/engine/base.py", "_commit_impl"),
    "statements": ("sqlalchemy/engine/base.py", "execute"),
    "  in psycopg2 and the kernel": ("sqlalchemy/engine/default.py", "do_execute"),
    "rows to entities": ("postgres/sql_repository.py", "_entity"),
}


def owner(stack: Stack) -> str:
    for path, function in stack:
        if function in DRIVER and "/sqlalchemy/" in path:
            return OWNERS["/psycopg2/"]
        for part, name in OWNERS.items():
            if part in path:
                return name
    return "the rest"


def steps(stack: Stack) -> set[str]:
    return {
        name
        for name, (file, wanted) in STEPS.items()
        if any(path.endswith(file) and wanted in {function, ""} for path, function in stack)
    }


def shares(stacks: Counter[Stack]) -> tuple[dict[str, float], dict[str, float]]:
    """Of all samples, by owner and by step."""
    by_owner: Counter[str] = Counter()
    by_step: Counter[str] = Counter()
    for stack, times in stacks.items():
        by_owner[owner(stack)] += times
        for step in steps(stack):
            by_step[step] += times
    total = stacks.total() or 1
    return (
        {name: times / total for name, times in by_owner.items()},
        {name: by_step[name] / total for name in STEPS},
    )
