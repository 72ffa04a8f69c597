"""`db migrate`: writes revisions for the changes of the models, and tries each revision."""

import re
import shlex
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from textwrap import indent

from alembic.autogenerate import RevisionContext
from alembic.config import Config
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.declarations import CONTRACT, EXPAND
from chassis.migrations.catalog import (
    CONSTRAINTS,
    Difference,
    Key,
    catalog,
    compare,
    wanted_by,
)
from chassis.migrations.check import FindingsError, Verdict, declare, judge
from chassis.migrations.footprint import Footprint
from chassis.migrations.measuring import downgrades, write_measurements
from chassis.migrations.proposals import drops, enum_as_it_is, is_drop, parts, proposed_by_alembic
from chassis.migrations.scratch import apply, scratch_database, undone
from chassis.migrations.table_statements import Part, quote, reversed_operations
from chassis.postgres.error_translation import first_line

RENDERING = {
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_item": enum_as_it_is,
    "upgrade_token": "upgrades",
    "downgrade_token": "downgrades",
    "process_revision_directives": None,
    "target_metadata": None,
}


class Author:
    """Writes revisions into the folder of `config`."""

    def __init__(self, config: Config, metadata: MetaData, say: Callable[[str, str], None]) -> None:
        self._config = config
        self._metadata = metadata
        self._say = say

    def write(
        self, url: str, message: str, accepted: Iterable[str], *, plain: bool = False
    ) -> list[str]:
        """Write revisions, try them on a scratch database, and return their paths.

        Raise ScratchForbiddenError, CommandError for a drop that was not accepted by its name, and
        FindingsError if a written revision fails.
        """
        paths: list[str] = []
        seen: list[Footprint] = []
        with scratch_database(url) as connection:
            for script in reversed(list(self._scripts().walk_revisions())):
                apply(connection, script)
            wanted = wanted_by(connection, self._metadata)
            _refuse_drops(compare(catalog(connection), wanted), set(accepted))
            for part in parts(connection, self._metadata, wanted, plain=plain):
                path = self.write_part(connection, part, message)
                paths.append(path)
                seen.append(self._try(connection, Path(path), part))
            left = compare(catalog(connection), wanted).texts
            self._measure(connection, paths, seen)
            if left:
                raise FindingsError(f"Write operations by hand for: {'; '.join(left)}.")
        return paths

    def write_empty(self, connection: Connection, message: str) -> str:
        path = self.write_part(connection, Part([]), message)
        [script, *_] = self._scripts().walk_revisions()
        declare(Verdict(script.revision, MaintenanceMode.NONE, EXPAND, []), Path(path))
        return path

    def write_untried(self, connection: Connection, message: str) -> list[str]:
        """Write a revision from a comparison with the live database, without drops."""
        with undone(connection):
            proposed = proposed_by_alembic(connection, self._metadata)
        operations = [one for one in proposed if not is_drop(one)]
        return [self.write_part(connection, Part(operations), message)] if operations else []

    def write_part(self, connection: Connection, part: Part, message: str) -> str:
        scripts = self._scripts()
        numbers = [script.revision for script in scripts.walk_revisions()]
        newest = max((int(number) for number in numbers if number.isdecimal()), default=0)
        arguments = {
            "message": message,
            "rev_id": f"{newest + 1:04}",
            "head": "head",
            "autogenerate": False,
            "sql": False,
            **dict.fromkeys(("splice", "branch_label", "version_path", "depends_on")),
        }
        context = RevisionContext(self._config, scripts, arguments)
        [script] = context.generated_revisions
        script.upgrade_ops = ops.UpgradeOps(part.operations)
        script.downgrade_ops = ops.DowngradeOps(reversed_operations(part.operations))
        configured = MigrationContext.configure(connection, opts=RENDERING)
        context.run_no_autogenerate((), configured)
        with redirect_stdout(StringIO()):  # Alembic prints a line for each hook.
            [written] = context.generate_scripts()
        if written is None:
            raise AssertionError
        return written.path

    def _measure(self, connection: Connection, paths: list[str], seen: list[Footprint]) -> None:
        """Run the downgrades, and write the measurements of both directions into the files."""
        newest_first = list(self._scripts().walk_revisions())[: len(paths)]
        try:
            downs = list(downgrades(connection, newest_first))
        except DBAPIError as error:
            reason = first_line(error.orig)
            raise FindingsError(
                f"Wrote {', '.join(paths)}, but a downgrade fails: {reason}."
            ) from (error)
        for path, up, down in zip(paths, seen, reversed(downs), strict=True):
            write_measurements(Path(path), up, down)

    def _try(self, connection: Connection, path: Path, part: Part) -> Footprint:
        [script, *_] = self._scripts().walk_revisions()
        verdict = judge(connection, script, self._metadata)
        declare(replace(verdict, phase=CONTRACT) if part.phase == CONTRACT else verdict, path)
        for one in verdict.findings if verdict.mode is not MaintenanceMode.NONE else ():
            if one.form and not one.is_error:
                self._say("advice", f"{path.name}, {one}. A safe form:\n{indent(one.form, '    ')}")
        if failures := verdict.failures:
            raise FindingsError(f"Wrote {path}, but it {'; '.join(failures)}.")
        return verdict.footprint

    def _scripts(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(self._config)


def _refuse_drops(difference: Difference, accepted: set[str]) -> None:
    dropped = [
        key
        for key in drops(difference)
        if key.label not in accepted and not _goes_with_a_column(key, difference, accepted)
    ]
    if not dropped:
        return
    names = ", ".join(key.label for key in dropped)
    added = ", ".join(key.label for key in sorted(difference.missing))
    text = f"The models no longer have {', '.join(map(str, dropped))}"
    if added:
        text = f"This looks like a rename (drops {names} and adds {added})"
    options = " ".join(f"--accept-drop {shlex.quote(key.label)}" for key in dropped)
    raise CommandError(
        f"{text}, and a drop loses the data. Nothing was written. To rename, use --empty and write "
        f"op.alter_column or op.rename_table; if a drop is meant, repeat with {options}"
    )


def _goes_with_a_column(key: Key, difference: Difference, accepted: set[str]) -> bool:
    """Whether this index or constraint belongs to a column whose drop was accepted."""
    columns = (
        other.name
        for other in difference.extra
        if other.is_column and other.relation == key.relation and other.label in accepted
    )
    is_part = key.kind == "index" or key.kind in CONSTRAINTS
    words = re.findall(r'"(?:[^"]|"")+"|\w+', difference.extra[key].partition("(")[2])
    # SQLAlchemy quotes some names that PostgreSQL does not, such as `of`.
    return is_part and any({column, quote(column)} & set(words) for column in columns)
