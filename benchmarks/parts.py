"""Assigns sampled stacks to the owner of the code and to a step of the request."""

from collections import Counter

from benchmarks.sampler import Stack

# By a part of the path; the first match counts. A file without a match, as of the standard library,
# counts for its caller.
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
# Calls of psycopg2, which is C and has no Python frames.
DRIVER = {"do_execute", "do_begin", "do_commit", "do_rollback", "do_ping"}
FAST_DRIVER = ("chassis/postgres/fast/statements.py", "send")
# (file, function) anywhere in the stack, so steps can contain other steps.
STEPS = {
    "routing": ("fast/direct_routes.py", "match"),
    "pipeline: before the view": ("http/flow/pipeline.py", "enter"),
    "pipeline: after the view": ("http/flow/pipeline.py", "leave"),
    "arguments: read and load": ("fast/direct_parser.py", "parse"),
    "  Schema.load": ("marshmallow/schema.py", "_do_load"),
    "serializing": ("output/answers.py", "represented"),
    "the answer": ("output/answers.py", "answer"),
    "cursor: sign, unsign": ("schemas/cursor.py", ""),
    "unit of work: open, close": ("unit_of_work_factory.py", "__call__"),
    "connection from the pool": ("sqlalchemy/engine/base.py", "raw_connection"),
    "connection back": ("sqlalchemy/pool/base.py", "_checkin"),
    "COMMIT": ("sqlalchemy/engine/base.py", "_commit_impl"),
    "statements": ("postgres/fast/statements.py", ""),
    "  in psycopg2 and the kernel": FAST_DRIVER,
    "rows to entities": ("postgres/sql_repository.py", "_entities"),
}


def owner(stack: Stack) -> str:
    for path, function in stack:
        is_fast = function == FAST_DRIVER[1] and path.endswith(FAST_DRIVER[0])
        if is_fast or (function in DRIVER and "/sqlalchemy/" in path):
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
    """Return the shares of all samples by owner and by step."""
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
