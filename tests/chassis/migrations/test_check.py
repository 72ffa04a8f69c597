"""`db check` runs revisions, and reports their windows, phases and mistakes."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, create_engine

from chassis.migrations import migration_rules
from chassis.migrations.check import Verdict, check_revisions, declare
from chassis.migrations.commands import migration_scripts
from chassis.migrations.footprint import ACTIVITY
from chassis.project import current_project
from support.command_line import CommandLineTestCase
from support.revisions import AFRESH, RevisionsTestCase

FULL_OF_ROWS = "INSERT INTO things SELECT n FROM generate_series(1, 2000) AS n"
LOCKS_TOO = "ALTER TABLE things ADD COLUMN x text"
NUMBERS = "CREATE TABLE numbers AS SELECT generate_series(1, 2000)"
LISTED = "ALTER TABLE wide DROP CONSTRAINT IF EXISTS listed, ADD CONSTRAINT listed CHECK (kind IN"
WIDE = """
    CREATE TABLE wide (id integer PRIMARY KEY, number integer DEFAULT 1, name varchar(20),
        kind varchar(9));
    CREATE UNIQUE INDEX wide_number ON wide (number);
    CREATE INDEX wide_name ON wide (name);
    CREATE VIEW wide_view AS SELECT number FROM wide
"""
SWAP = (
    "ALTER TABLE things RENAME TO things_before",
    "CREATE TABLE things (id integer) PARTITION BY RANGE (id)",
    "CREATE TABLE things_rest PARTITION OF things DEFAULT",
    "INSERT INTO things SELECT * FROM things_before; DROP TABLE things_before",
)
HELPER = 'operations.create_index_concurrently("things_id", "things", ["id"])'


def pasted(found: Verdict) -> list[str]:
    """Return the steps of the first safe form; indented lines belong to the step before."""
    form = next(item.form for item in found.findings if item.form.startswith(("op", "operations")))
    lines = re.sub(r"^# (next revision|next):", "", form, flags=re.MULTILINE).splitlines()
    steps: list[str] = []
    for line in lines:
        if line.startswith("#"):
            steps[-1] += f"\n    {line.strip('# ')}"
        else:
            steps.append(line.strip())
    return steps


class CheckTest(RevisionsTestCase, CommandLineTestCase):
    def verdicts(self) -> list[Verdict]:
        """Return the verdicts of all revisions, in one database; the models have one table."""
        models = MetaData()
        Table("things", models, Column("id", Integer))
        return check_revisions(self.database_url, migration_scripts(), models)

    def verdict(self) -> Verdict:
        return self.verdicts()[-1]

    def test_a_scan_counts_before_and_after_postgresql_adds_it_up(self) -> None:
        engine = create_engine(self.database_url, isolation_level="AUTOCOMMIT")
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TEMP TABLE counted (id integer)")
            oid = connection.exec_driver_sql("SELECT 'counted'::regclass::oid").scalar_one()
            for number, flush in enumerate(("", "SELECT pg_stat_force_next_flush()")):
                connection.exec_driver_sql("SELECT * FROM counted")
                connection.exec_driver_sql(flush or "SELECT")
                row = connection.execute(ACTIVITY, {"oids": [oid]}).one()
                self.assertEqual(row.scans, number + 1, flush)

    def test_each_needs_what_its_locks_scans_and_rewrites_say(self) -> None:
        cases: tuple[tuple[Any, ...], ...] = (
            ("none", "expand", [], "ALTER TABLE things ADD COLUMN name text"),
            ("none", "expand", [], "CREATE TABLE more (id integer)"),
            ("none", "expand", [], "ALTER TABLE things ADD CHECK (id > 0) NOT VALID"),
            ("full", "contract", ["MIG002", "MIG003"], "ALTER TABLE things ALTER id TYPE bigint"),
            ("full", "expand", ["MIG009", "MIG002"], "DO $$ BEGIN TRUNCATE things; END $$"),
            ("full", "contract", ["MIG008", "MIG022"], "ALTER TABLE things ALTER id SET NOT NULL"),
            ("read-only", "expand", ["MIG006"], "CREATE INDEX ON things (id)"),
            ("read-only", "expand", ["MIG009"], "UPDATE things SET id = 1"),
            ("read-only", "expand", ["MIG009"], "CREATE TABLE copies AS TABLE things"),
            ("read-only", "expand", ["MIG009"], FULL_OF_ROWS),
            ("full", "expand", ["MIG020"], "ALTER TABLE seen ADD x text, ADD y text", LOCKS_TOO),
            ("full", "contract", ["MIG004"], "ALTER TABLE seen RENAME TO looked"),
            ("full", "contract", ["MIG004"], "ALTER TABLE looked RENAME mode TO kind"),
            ("none", "contract", ["MIG005"], "ALTER TABLE looked DROP COLUMN kind"),
            ("none", "contract", ["MIG005"], "DROP TABLE looked"),
        )
        for _, _, _, *statements in cases:
            self.revision(*statements, down="SELECT 1")
        for case, found in zip(cases, self.verdicts()[1:], strict=True):
            with self.subTest(case[3]):
                rules = [item.rule for item in found.findings if item.rule != "MIG012"]
                self.assertEqual((found.mode, found.phase, rules), case[:3])

    def test_what_the_running_code_would_notice_contracts(self) -> None:
        cases = (
            ("none", "contract", "MIG023", "ALTER TABLE wide ALTER number DROP DEFAULT"),
            ("none", "expand", "", "ALTER TABLE wide ALTER number SET DEFAULT 2"),
            ("none", "expand", "", "ALTER TABLE wide ALTER name TYPE varchar(30)"),
            ("none", "expand", "", "ALTER TABLE wide ALTER name TYPE text"),
            ("full", "contract", "MIG003", "ALTER TABLE wide ALTER name TYPE varchar(10)"),
            ("none", "contract", "MIG021", "ALTER TABLE wide DROP CONSTRAINT wide_pkey"),
            ("none", "expand", "", "ALTER TABLE wide ALTER id DROP NOT NULL"),
            ("none", "contract", "MIG021", "DROP INDEX wide_number"),
            ("none", "expand", "", "DROP INDEX wide_name"),
            ("none", "contract", "MIG024", "ALTER TABLE wide ENABLE ROW LEVEL SECURITY"),
            ("none", "contract", "MIG022", "ALTER TABLE wide ADD CHECK (id IS NOT NULL) NOT VALID"),
            ("none", "contract", "MIG005", "DROP VIEW wide_view"),
            ("none", "expand", "", f"{LISTED} ('a', 'b')) NOT VALID"),
            ("none", "expand", "", f"{LISTED} ('a', 'b', 'it''s')) NOT VALID"),
            ("none", "contract", "MIG025", f"{LISTED} ('a', 'it''s')) NOT VALID"),
            ("none", "expand", "", "ALTER TABLE wide VALIDATE CONSTRAINT listed"),
            ("none", "contract", "MIG025", f"{LISTED} ('it''s')) NOT VALID"),
            ("none", "expand", "", f"{LISTED} ('a', 'it''s') AND number IN (1, 2, 3)) NOT VALID"),
            ("none", "contract", "MIG025", f"{LISTED} ('a') AND number IN (2, 3)) NOT VALID"),
            ("none", "expand", "", f"{LISTED} ('a') OR name ~ '^[0-9]{{3}}$') NOT VALID"),
            ("none", "expand", "", f"{LISTED} ('a') OR name ~ '^[0-9]{{4}}$') NOT VALID"),
        )
        self.revision(WIDE, down="SELECT 1")
        for *_, statement in cases:
            self.revision(statement, down="SELECT 1")
        for (mode, phase, rule, statement), found in zip(cases, self.verdicts()[2:], strict=True):
            with self.subTest(statement):
                self.assertEqual((found.mode, found.phase), (mode, phase), found.findings)
                self.assertTrue(not rule or rule in {item.rule for item in found.findings})

    def test_work_on_what_it_makes_or_drops_is_counted(self) -> None:
        self.revision(*SWAP, down="SELECT 1")
        self.revision("LOCK things", NUMBERS, down="SELECT 1")
        self.revision("CREATE TABLE alone AS SELECT generate_series(1, 2000)", down="SELECT 1")
        _, swap, locked, alone = self.verdicts()
        for found in (swap, locked):
            rules = [item.rule for item in found.findings if item.rule != "MIG012"]
            self.assertEqual((found.mode, found.phase, rules), ("full", "expand", ["MIG008"]))
        self.assertEqual((alone.mode, alone.findings), ("none", []))

    def test_what_runs_outside_a_transaction_is_one_call_of_a_helper(self) -> None:
        self.revision(code=HELPER, down="SELECT 1")
        self.revision(code=f'{HELPER}\n    op.execute("SELECT 1")', down="SELECT 1")
        _, alone, beside = self.verdicts()
        self.assertEqual((alone.mode, alone.findings), ("none", []))
        self.assertEqual(
            (beside.mode, next(item.rule for item in beside.findings)), ("full", "MIG010")
        )

    def test_mistakes_are_errors(self) -> None:
        cases = {
            "MIG001": 'op.execute("ALTER TABLE things ADD COLUMN name text NOT NULL")',
            "MIG009": 'op.execute("UPDATE things SET id = 1")  # mig: ignore MIG009',
            "MIG014": "from src.config import Config\n    Config.__doc__",
            "MIG019": 'op.execute("CREATE TABLE IF NOT EXISTS alembic_version ()")',
            "MIG005": 'op.execute("DROP TABLE things")',
            "MIG013": 'op.execute("SELECT * FROM nothing")',
        }
        for code in cases.values():
            self.revision(code=code, down="SELECT 1")
        self.revision("SELECT 1")
        # The last revision was not run, because the revision below it failed.
        for rule, found in zip(cases, self.verdicts()[1:], strict=True):
            with self.subTest(rule):
                self.assertIn(rule, {item.rule for item in found.findings if item.is_error})

    def test_what_a_release_needs_does_not_wait_for_what_comes_after_it(self) -> None:
        self.revision("CREATE TABLE early (id integer)", down="DROP TABLE early")
        contract = self.revision("DROP TABLE early", down="SELECT 1", phase="contract")
        expand = self.revision("CREATE TABLE late (id integer)", down="DROP TABLE late")
        way = rf"{expand} \(expand\) .*comes after {contract} \(contract\)"
        result = self.manage("db", "check", DATABASE_URL=self.database_url)
        self.assert_stops(result, 3, way)
        until = ("db", "upgrade", "--until", "expand")
        result = self.manage(*until, DATABASE_URL=self.database_url)
        self.assert_stops(result, 75, f"is at 0002. {way}")
        self.assertEqual(self.current(), "0002")
        self.upgrade(contract)
        self.assertEqual(self.manage(*until, DATABASE_URL=self.database_url).exit_code, 0)
        self.assertEqual(self.current(), expand)

    def test_a_renamed_value_is_noticed_by_the_running_code(self) -> None:
        self.revision("CREATE TYPE mood AS ENUM ('ok')", down="SELECT 1")
        self.revision("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", down="SELECT 1")
        found = self.verdict()
        self.assertEqual((found.mode, found.phase), ("full", "contract"))

    def test_a_line_is_excused_with_a_reason(self) -> None:
        excused = 'op.execute("UPDATE things SET id = 1")  # mig: ignore MIG009 -- ten rows'
        self.revision(code=excused, down="SELECT 1")
        self.assertEqual((self.verdict().mode, self.verdict().findings), ("none", []))

    def test_a_declaration_that_is_too_weak_is_found_and_written_anew(self) -> None:
        number = self.revision("UPDATE things SET id = 1", down="SELECT 1")
        path = Path(self.versions) / f"{number}_test.py"
        result = self.manage("db", "check", DATABASE_URL=self.database_url)
        said = 'MIG012: has to say maintenance = "read-only"'
        self.assert_stops(result, 3, f"{number} {said}")
        declare(self.verdict(), path)
        self.assertIn(
            "# MIG009: changes rows of things that others may be changing\n"
            'maintenance = "read-only"\nphase = "expand"\n',
            path.read_text(),
        )
        self.assertNotIn("MIG012", {item.rule for item in self.verdict().findings})

    def test_the_safe_form_has_the_names_and_is_safe(self) -> None:
        self.revision("CREATE INDEX at_id ON things (id) WHERE id > 1", down="SELECT 1")
        self.revision("ALTER TABLE things ADD CONSTRAINT few CHECK (id > 0)", down="SELECT 1")
        self.revision("ALTER TABLE things ALTER id SET NOT NULL", down="SELECT 1")
        steps = [line for found in self.verdicts()[1:] for line in pasted(found)]
        self.newest = 1
        for path in Path(self.versions).glob("000[234]_*.py"):
            path.unlink()
        for step in steps:
            self.revision(code=step, down="SELECT 1", phase="contract")
        self.assertEqual(len(steps), 6)
        self.assertEqual({found.mode for found in self.verdicts()[1:]}, {"none"})
        self.assertNotIn("MIG010", str(self.verdicts()))

    def test_the_safe_form_of_another_name_or_type_is_another_column(self) -> None:
        for change, new in (("RENAME id TO number", "number"), ("ALTER id TYPE text", "id_new")):
            self.newest = 1
            self.revision(f"ALTER TABLE things {change}", down="SELECT 1")
            [form] = {one.form for one in self.verdict().findings if "_equal" in one.form}
            lines = [line.removeprefix("# next revision: ") for line in form.splitlines()]
            add, equal, fill = (line for line in lines if not line.startswith("#"))
            self.newest = 1
            self.revision(code=f"{add}\n    {equal}", down="SELECT 1")
            self.revision(code=fill, down="SELECT 1")
            found = {(one.mode, one.phase) for one in self.verdicts()[1:]}
            self.assertEqual(found, {("none", "expand")})
            self.sql("INSERT INTO things VALUES (1)")
            self.upgrade()
            self.assertEqual(self.sql(f"SELECT {new}::int FROM things"), [(1,)])
            self.sql(f"{AFRESH}; TRUNCATE ops.backfill")
            for path in Path(self.versions).glob("000[23]_*.py"):
                path.unlink()

    def test_each_rule_has_a_safe_form_and_is_in_the_page(self) -> None:
        page = (current_project().root / "docs/migration-rules.md").read_text()
        rooms = Path(migration_rules.__file__).parent.glob("*.py")
        known = {rule for path in rooms for rule in re.findall(r"MIG\d{3}", path.read_text())}
        self.assertEqual(known, set(migration_rules.RULES))
        self.assertEqual(known, set(re.findall(r"^\| (MIG\d{3}) ", page, re.MULTILINE)))

    def test_a_downgrade_is_written_or_said_to_be_impossible(self) -> None:
        self.revision("CREATE TABLE more (id integer)")
        self.assertIn("MIG015", {item.rule for item in self.verdict().findings})
        self.newest = 1
        self.revision("CREATE TABLE more (id integer)", irreversible="it is gone")
        self.assertEqual(self.verdict().findings, [])

    def test_the_state_names_what_is_pending_and_what_was_edited(self) -> None:
        number = self.revision("CREATE TABLE more (id integer)", down="SELECT 1")
        self.upgrade()
        path = Path(self.versions) / f"{number}_test.py"
        path.write_text(path.read_text() + "\n# Edited.\n")
        self.revision("SELECT 1", maintenance="full")
        result = self.manage("db", "status", DATABASE_URL=self.database_url)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertRegex(result.stdout, r"pending +0003 Of a test\.: window full, expand")
        self.assertRegex(result.stdout, rf"edited after they were applied +{number}\n")
        self.assertRegex(result.stdout, r"invalid indexes +none\n")
