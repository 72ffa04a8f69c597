"""Runs the snippets in the project's environment, and compares. See __main__.py."""
# mypy: ignore-errors

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic.script import Script, ScriptDirectory
from chassis.core.maintenance import MaintenanceMode
from chassis.development.testing.postgres_server import server
from sqlalchemy import Engine, MetaData, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from proofs.lint_corpus.base import BASE, ROWS
from proofs.lint_corpus.measure import Measured, apply, measure
from proofs.lint_corpus.release import GRANTS
from proofs.lint_corpus.snippets import SNIPPETS

ROWS_OF_ITEMS = 50_000
HEAD = """
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from chassis.migrations.operations import (
    add_enum_value, create_index_concurrently, drop_index_concurrently,
)

revision = {revision!r}
down_revision = {down!r}


def upgrade():
    {body}


def downgrade():
    raise NotImplementedError
"""
HELPERS = ("index_concurrently(", "add_enum_value(")


def main() -> int:
    wrong: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in CHECKERS}
    phases: dict[tuple[str, str], list[tuple[str, list[str]]]] = defaultdict(list)
    print(
        f"{'need':9} ",
        *(f"{name:9}" for name in CHECKERS),
        f"{'phase':8} {'db check':8}",
        f"{'lock':24} {'work':28}   ms  snippet",
    )
    with filled(ROWS_OF_ITEMS) as (template, shared), TemporaryDirectory() as directory:
        for number, (name, bodies) in enumerate(SNIPPETS.items()):
            scripts = revisions(Path(directory) / str(number), bodies)
            *before, last = list(scripts.walk_revisions())[::-1]
            try:
                measured = run(template, shared, bodies, before[1:], last)
            except DBAPIError as error:
                sys.exit(f"lint_corpus: {name!r} cannot be measured: {error.orig}")
            verdicts = {checker: compute(scripts) for checker, compute in CHECKERS.items()}
            computed = {checker: verdict.mode for checker, verdict in verdicts.items()}
            said = list(verdicts.values())[-1].phase
            phases[measured.phase, said].append((name, measured.broken))
            print(
                f"{measured.need:9} ",
                *(f"{mode:9}" for mode in computed.values()),
                f"{measured.phase:8} {said:8}",
                f"{measured.lock:24} {measured.work:28} {measured.seconds * 1000:4.0f}  "
                f"{' '.join(name.split())[:90]}",
                flush=True,
            )
            for checker, mode in computed.items():
                if mode != measured.need:
                    kind = "over-strict" if mode.strength > measured.need.strength else "too weak"
                    wrong[checker]["false none" if mode == MaintenanceMode.NONE else kind].append(
                        name
                    )
    for checker, kinds in wrong.items():
        for kind, names in kinds.items():
            print(*(f"{checker}: {kind}: {' '.join(name.split())}" for name in names), sep="\n")
        print(
            f"{checker}: {len(SNIPPETS)} snippets, {len(kinds['false none'])} false none, "
            f"{len(kinds['over-strict'])} over-strict"
        )
    for name, lost in phases["contract", "expand"]:
        print(f"phase: too early: {' '.join(name.split())}: breaks {lost[0]}")
    for name, _ in phases["expand", "contract"]:
        print(f"phase: over-strict: {' '.join(name.split())}")
    late, early = len(phases["expand", "contract"]), len(phases["contract", "expand"])
    print(f"phase: {len(SNIPPETS)} snippets, {early} declared too early, {late} too late")
    used = list(wrong.values())[-1]
    strict = len(used["over-strict"])
    return int(bool(used["false none"] or early) or strict > len(SNIPPETS) * 0.05)


def run(
    template: str, shared: Engine, bodies: str | list[str], before: list[Script], last: Script
) -> Measured:
    """Run a snippet.

    One with several transactions gets a new database, since it cannot be rolled back.
    """
    outside = any(helper in str(bodies) for helper in HELPERS)
    if not before and not outside:
        return measure(shared, [], last, outside=False)
    with database("corpus_clone", template) as clone:
        return measure(clone, before, last, outside=outside)


def checkers() -> dict[str, Callable[[ScriptDirectory], Any]]:
    """Return the checkers to compare; the last one is that of `db check`."""
    found: dict[str, Callable[[ScriptDirectory], Any]] = {}
    if find_spec("chassis.migrations.check"):
        check = import_module("chassis.migrations.check")
        url = server().url.render_as_string(hide_password=False)
        found["db check"] = lambda scripts: check.check_revisions(url, scripts, MetaData())[-1]
    return found


def revisions(folder: Path, bodies: str | list[str]) -> ScriptDirectory:
    (folder / "versions").mkdir(parents=True)
    down = None
    for number, body in enumerate(
        [BASE.strip(), *([bodies] if isinstance(bodies, str) else bodies)]
    ):
        text_ = HEAD.format(revision=f"{number:04}", down=down, body=body)
        (folder / "versions" / f"{number:04}_.py").write_text(text_)
        down = f"{number:04}"
    return ScriptDirectory(str(folder))


@contextmanager
def filled(rows: int) -> Iterator[tuple[str, Engine]]:
    """Yield a filled template database, and a clone whose changes are rolled back."""
    with TemporaryDirectory() as directory, database("corpus") as engine:
        [script] = revisions(Path(directory), []).walk_revisions()
        with engine.connect() as connection:
            apply(connection, script)
        with engine.begin() as connection:
            connection.exec_driver_sql(ROWS.format(rows=rows))
            connection.exec_driver_sql(GRANTS)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
        with database("corpus_template", "corpus"):
            yield "corpus_template", engine


@contextmanager
def database(name: str, template: str = "template1") -> Iterator[Engine]:
    with server().connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    options = "-c max_parallel_workers_per_gather=0 -c max_parallel_maintenance_workers=0"
    engine = create_engine(
        server().url.set(database=name), poolclass=NullPool, connect_args={"options": options}
    )
    try:
        yield engine
    finally:
        with server().connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


CHECKERS = checkers()


if __name__ == "__main__":
    sys.exit(main())
