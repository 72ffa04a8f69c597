"""`db check`: measures each revision, and compares the result with its declarations."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import indent, wrap

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.declarations import CONTRACT, EXPAND, declaration, is_autocommit
from chassis.migrations.catalog import catalog
from chassis.migrations.effects import Effect
from chassis.migrations.footprint import Footprint, footprint
from chassis.migrations.migration_rules import safe_form
from chassis.migrations.scratch import scratch_database
from chassis.postgres.error_translation import first_line

IGNORED = re.compile(r"# mig: ignore (MIG\d{3})( -- \S)?")
HELPERS = {"create_index_concurrently", "drop_index_concurrently", "add_enum_value", "backfill"}
OWN_CODE = re.compile(
    r"^\s*(from|import) (src\b(?!\.infrastructure\.maintenance(\.operations| import operations)\b)"
    r"|chassis\b(?!\.migrations(\.operations| import operations)\b))",
    re.MULTILINE,
)
DROPS, NOT_DECLARED, DOES_NOT_RUN = "MIG005", "MIG012", "MIG013"
STILL = "the models still have"
COMMENT_WIDTH = 90
NEWLINE = "\n"
# SQL with conditions, and Python that queries the database.
DEPENDS_ON_DATA = re.compile(
    r"\bdo\s*(language\s+\w+\s*)?['$]|(?<!\bop)\.(execute|scalars?|exec_driver_sql)\(", re.I
)
NONE, READ_ONLY, FULL = MaintenanceMode


@dataclass(frozen=True, slots=True)
class Finding:
    revision: str
    rule: str
    text: str
    is_error: bool
    form: str = ""  # The safe form, ready to paste.

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The window and the phase that a revision needs, with its effects and failures."""

    revision: str
    mode: MaintenanceMode
    phase: str
    findings: list[Finding]
    footprint: Footprint = field(default_factory=lambda: Footprint([]))

    @property
    def reports(self) -> list[str]:
        """The mistakes with their safe forms, and effects that need more than is declared."""
        is_weak = any(finding.rule == NOT_DECLARED for finding in self.findings)
        return [
            f"{self.revision} {finding}\n{indent(f'Safe form:{NEWLINE}{finding.form}', '    ')}"
            for finding in self.findings
            if finding.is_error or is_weak
        ]

    @property
    def failures(self) -> list[str]:
        """Return the errors with which the revision fails."""
        return [finding.text for finding in self.findings if finding.rule == DOES_NOT_RUN]


class FindingsError(Exception):
    """A written revision fails, or leaves differences that have to be written by hand."""


def check_revisions(url: str, scripts: ScriptDirectory, metadata: MetaData) -> list[Verdict]:
    """Run all revisions, oldest first, on a scratch database.

    Raise ScratchForbiddenError if the role in `url` may not create databases.
    """
    with scratch_database(url) as connection:
        return judge_all(connection, scripts, metadata)


def judge_all(
    connection: Connection, scripts: ScriptDirectory, metadata: MetaData
) -> list[Verdict]:
    """Judge the revisions, oldest first, on this scratch database; stop at one that fails."""
    verdicts = []
    for script in reversed(list(scripts.walk_revisions())):
        verdicts.append(judge(connection, script, metadata))
        if verdicts[-1].failures:
            return verdicts  # Later revisions build on this one, and cannot run.
    made_again = {
        f"{STILL} {'.'.join(part for part in (*key.relation, key.name) if part)}"
        for key in catalog(connection)
        if key.kind in {"table", "column type"}
    }
    return [_without(verdict, made_again) for verdict in verdicts]


def _without(verdict: Verdict, made_again: set[str]) -> Verdict:
    """Drop effects on objects that a later revision makes again."""
    findings = [
        one for one in verdict.findings if not (one.rule == DROPS and one.text in made_again)
    ]
    return replace(verdict, findings=findings)


def declare(verdict: Verdict, path: Path) -> None:
    """Write what a revision needs into its file, with the reasons."""
    reasons = [str(item) for item in verdict.findings if item.rule != NOT_DECLARED]
    lines = [f"# {line}\n" for reason in reasons for line in wrap(reason, COMMENT_WIDTH)]
    declared = f'{"".join(lines)}maintenance = "{verdict.mode}"\nphase = "{verdict.phase}"'
    source = path.read_text("utf-8")
    pattern = re.compile(r"^maintenance = .*\nphase = .*$", re.MULTILINE)
    path.write_text(pattern.sub(lambda _: declared, source, count=1), "utf-8")


def judge(connection: Connection, script: Script, metadata: MetaData) -> Verdict:
    """Run the revision on a scratch database that has all earlier revisions."""
    source = inspect.getsource(script.module)
    effects = list(_source_effects(script, source))
    try:
        seen = footprint(connection, script)
    except DBAPIError as error:
        connection.rollback()
        reason = first_line(error.orig)
        seen = Footprint([Effect(DOES_NOT_RUN, FULL, f"fails: {reason}", is_error=True)])
    # Outside a transaction, locks end before they can be read.
    in_transaction = not is_autocommit(script)
    effects += [one for one in seen.effects if in_transaction or one.contracts or one.is_error]
    for table, column in seen.dropped:
        model_table = metadata.tables.get(table)
        if model_table is not None and (column is None or column in model_table.columns):
            name = f"{table}.{column}" if column else table
            effects.append(Effect(DROPS, NONE, f"{STILL} {name}", is_error=True))
    ignored = {match[1] for match in IGNORED.finditer(source) if match[2]}
    effects = [effect for effect in effects if effect.rule not in ignored]
    mode = max((effect.mode for effect in effects), key=lambda one: one.strength, default=NONE)
    phase = CONTRACT if any(effect.contracts for effect in effects) else EXPAND
    effects += _declaration_effects(script, mode, phase)
    findings = [
        Finding(script.revision, one.rule, one.text, one.is_error, safe_form(one.rule, seen.change))
        for one in effects
    ]
    return Verdict(script.revision, mode, phase, findings, seen)


def _source_effects(script: Script, source: str) -> Iterator[Effect]:
    """Effects that are visible in the file only."""
    functions = {
        node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)
    }
    if is_autocommit(script) and not _is_one_helper(functions.get("upgrade")):
        text = "runs outside a transaction: one call of a helper has to be its only statement"
        yield Effect("MIG010", FULL, text, is_error=True)
    if DEPENDS_ON_DATA.search(source):
        text = "may behave differently on tables with rows than on empty tables"
        yield Effect("MIG009", READ_ONLY, text)
    if re.search(r"\b(\w+_)?ops\.|\balembic_version", source):
        yield Effect("MIG019", FULL, "touches alembic_version or the schema ops", is_error=True)
    if OWN_CODE.search(source):
        text = "imports code that may have changed when the revision runs"
        yield Effect("MIG014", NONE, text, is_error=True)
    down = functions.get("downgrade")
    is_excused = _says_why(down) or bool(getattr(script.module, "irreversible", ""))
    if _is_empty(down) and not _is_empty(functions.get("upgrade")) and not is_excused:
        text = (
            "has no downgrade: write one, or give it a docstring that says why nothing has to be "
            'taken back, or set irreversible = "the reason"'
        )
        yield Effect("MIG015", NONE, text, is_error=True)
    for match in IGNORED.finditer(source):
        if not match[2]:
            yield Effect(
                match[1], NONE, "is ignored by a comment without ` -- ` and a reason", is_error=True
            )


def _declaration_effects(script: Script, mode: MaintenanceMode, phase: str) -> Iterator[Effect]:
    declared = declaration(script)
    if declared.maintenance is None or declared.maintenance.strength < mode.strength:
        yield Effect(NOT_DECLARED, NONE, f'has to say maintenance = "{mode}"', is_error=True)
    if declared.phase is None or (declared.phase == EXPAND and phase == CONTRACT):
        yield Effect(NOT_DECLARED, NONE, f'has to say phase = "{phase}"', is_error=True)


def _statements(function: ast.FunctionDef | None) -> list[ast.stmt]:
    """The statements, without docstrings and `pass`."""
    body = function.body if function else []
    return [
        node
        for node in body
        if not isinstance(node, ast.Pass)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def _is_empty(function: ast.FunctionDef | None) -> bool:
    return not _statements(function)


def _says_why(function: ast.FunctionDef | None) -> bool:
    return function is not None and bool(ast.get_docstring(function))


def _is_one_helper(function: ast.FunctionDef | None) -> bool:
    match _statements(function):
        case [ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)))]:
            return name in HELPERS
        case _:
            return False
