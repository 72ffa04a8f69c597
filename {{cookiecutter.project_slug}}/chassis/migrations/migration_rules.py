"""The rules of `db check`, each with a safe form to paste in place of the rejected change.

Safe forms have placeholders such as `{table}`; `safe_lines` fills in names that the revision
shows. docs/migration-rules.md lists all rules.
"""

import re
from collections.abc import Iterator

from chassis.migrations.catalog import Difference, Key
from chassis.migrations.table_statements import ConstraintStatement, qualified, quote

RULES = {
    "MIG001": """op.add_column("table", sa.Column("column", sa.Text(), server_default=""))
# NOT NULL with that default, or nullable until the release that writes it is out""",
    "MIG002": """op.add_column("table", sa.Column("column", sa.Uuid()))
# next revision: op.execute("ALTER TABLE table ALTER column SET DEFAULT gen_random_uuid()")
# next: operations.backfill("table", "column = gen_random_uuid()", where="column IS NULL")
# then NOT NULL as MIG022 has it""",
    "MIG003": """op.add_column("table", sa.Column("column_new", sa.BigInteger()))
operations.keep_columns_equal("table", "column", "column_new")
# next revision: operations.backfill("table", "column_new = column", where="column_new IS NULL")
# when each release that runs uses column_new alone, contract:
#     operations.let_columns_differ("table", "column_new")
#     op.drop_column("table", "column")""",
    "MIG004": """op.add_column("table", sa.Column("new_name", sa.Text()))
operations.keep_columns_equal("table", "name", "new_name")
# next revision: operations.backfill("table", "new_name = name", where="new_name IS NULL")
# when each release that runs uses new_name alone, contract:
#     operations.let_columns_differ("table", "new_name")
#     op.drop_column("table", "name")
# A table: op.rename_table and CREATE VIEW old_name AS TABLE new_name in one revision""",
    "MIG005": """phase = "contract"
# apply the revision when no release that runs uses the object; the models must not have it""",
    "MIG006": """operations.create_index_concurrently("name", "table", ["column"])
# alone in its revision""",
    "MIG008": """op.execute("ALTER TABLE table ADD CONSTRAINT name CHECK (condition) NOT VALID")
# next revision: op.execute("ALTER TABLE table VALIDATE CONSTRAINT name")""",
    "MIG009": """operations.backfill("table", "column = value", where="column IS NULL")
# alone in its revision; rows that are written meanwhile get the value from a default""",
    "MIG010": """operations.create_index_concurrently("name", "table", ["column"])
# and everything else in other revisions""",
    "MIG012": """maintenance = "full"
# as the finding says; for a weaker mode, add `# mig: ignore RULE -- the reason`""",
    "MIG013": "# correct the statement that the finding names",
    "MIG014": """books = sa.table("books", sa.column("id"), sa.column("title"))
# the revision itself declares the tables that it uses""",
    "MIG015": '''irreversible = "the rows are gone"
# or a downgrade; or a docstring in it: """Nothing has to be taken back."""''',
    "MIG017": """operations.add_enum_value("enum", "new value")
# write the new value; change the old rows; keep the old value""",
    "MIG019": "# leave alembic_version and the schema ops to the migrator",
    "MIG020": "# one revision for each table",
    "MIG021": """operations.create_index_concurrently("other", "table", ["column"], unique=True)
# before this one; and apply this (contract) when no release that runs needs the old one""",
    "MIG022": """op.execute("ALTER TABLE table ADD CHECK (column IS NOT NULL) NOT VALID")
# next revision: op.execute("ALTER TABLE table VALIDATE CONSTRAINT table_column_check")
# next: op.alter_column("table", "column", nullable=False), and drop the CHECK""",
    "MIG023": """phase = "contract"
# when each release that runs writes the column itself""",
    "MIG024": """phase = "contract"
# when each release that runs sets what the policies ask for""",
    "MIG025": """phase = "contract"
# when each release that runs writes other values, and no row has them;
# add a new value in an earlier release""",
}
INDEX = re.compile(r"CREATE (UNIQUE )?INDEX ON .+? USING (\w+) \((.+?)\)(?: WHERE (.+))?$")


def safe_form(rule: str, change: Difference) -> str:
    """Return the safe form with the revision's names, where they are known."""
    return "\n".join(safe_lines(rule, change)) or RULES.get(rule, "")


def safe_lines(rule: str, change: Difference) -> Iterator[str]:
    if rule in {"MIG006", "MIG008"}:
        for key, definition in sorted(change.missing.items()):
            yield from _added(key, definition)
    if rule == "MIG006":
        for key in sorted(change.extra):
            if key.kind == "index":
                schema = f', schema="{key.schema}"' if key.schema else ""
                yield f'operations.drop_index_concurrently("{key.name}", "{key.table}"{schema})'
    for key, (_, wanted) in sorted(change.changed.items()):
        if rule in {"MIG008", "MIG022"} and key.kind == "column null" and wanted == "NOT NULL":
            yield from _not_null(key)
        if rule in {"MIG002", "MIG003"} and key.kind == "column type":
            yield from _in_another_column(key, key.name, f"{key.name}_new", wanted)
    if rule == "MIG004":
        yield from _renamed(change)


def _renamed(change: Difference) -> Iterator[str]:
    """A dropped column and an added one of the same table and type."""
    for old, was in sorted(change.extra.items()):
        for new, wanted in sorted(change.missing.items()):
            same = (old.kind, old.relation, was) == (new.kind, new.relation, wanted)
            if same and old.kind == "column type":
                yield from _in_another_column(old, old.name, new.name, wanted)


def _in_another_column(key: Key, old: str, new: str, wanted: str) -> Iterator[str]:
    table, old, new = qualified(key.schema, key.table), quote(old), quote(new)
    yield f"op.execute({f'ALTER TABLE {table} ADD {new} {wanted}'!r})"
    yield f"operations.keep_columns_equal({table!r}, {old!r}, {new!r})"
    filled = f"{table!r}, {f'{new} = {old}'!r}, where={f'{new} IS NULL'!r}"
    yield f"# next revision: operations.backfill({filled})"
    yield f"# when each release that runs uses {new} alone, contract:"
    yield f"#     operations.let_columns_differ({table!r}, {new!r})"
    yield f"#     op.execute({f'ALTER TABLE {table} DROP {old}'!r})"


def _added(key: Key, definition: str) -> Iterator[str]:
    if key.kind == "index" and (match := INDEX.match(definition)):
        unique, using, columns, where = match.groups()
        options = ", unique=True" if unique else ""
        options += f', postgresql_using="{using}"' if using != "btree" else ""
        options += f", postgresql_where=sa.text({where!r})" if where else ""
        options += f', schema="{key.schema}"' if key.schema else ""
        shown = f'operations.create_index_concurrently("{key.name}", "{key.table}"'
        yield f"{shown}, [sa.text({columns!r})]{options})"
    if key.kind in {"check constraint", "foreign key"} and not definition.endswith(" NOT VALID"):
        made = ConstraintStatement(key.kind, key.relation, key.name, definition)
        yield f"op.execute({made.unvalidated().forward!r})"
        yield f"# next revision: op.execute({made.validations()[0].forward!r})"
    if key.kind == "unique constraint":
        made = ConstraintStatement(key.kind, key.relation, key.name, definition)
        columns = definition.removeprefix("UNIQUE (").removesuffix(")")
        shown = f'operations.create_index_concurrently("{key.name}", "{key.table}"'
        yield f"{shown}, [sa.text({columns!r})], unique=True)"
        yield f"# next revision: op.execute({made.using_index().forward!r})"


def _not_null(key: Key) -> Iterator[str]:
    table, column = qualified(key.schema, key.table), quote(key.name)
    name = quote(f"ck_{key.table}_{key.name}_not_null"[:63])
    check = f"ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID"
    alter = f"ALTER TABLE {table}"
    yield f"op.execute({f'{alter} {check}'!r})"
    yield f"# next revision: op.execute({f'{alter} VALIDATE CONSTRAINT {name}'!r})"
    yield f"# next: op.execute({f'{alter} ALTER {column} SET NOT NULL'!r})"
    yield f"#       op.execute({f'{alter} DROP CONSTRAINT {name}'!r})"
