"""The three releases of the order desk: copies of the project with other code and revisions."""

import re
from pathlib import Path

from proofs.harness.database import Database
from proofs.harness.testbed import Project, Testbed

GUIDE, SECTION = "docs/grow.md", "A column, split in three releases"
BLOCK = re.compile(r"^```python\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The guide's table is `authors`, and its revisions follow 0101.
HERE = (("authors", "customers"), ("010", "000"))
DROPS = "ck_customers_name customers.name ix_customers_name_id ix_customers_name_prefix".split()

# The second release has both parts; clients of its API go on with `name`.
SECOND = {
    "src/domain/models/customer.py": (
        (
            "    name: Annotated[str, Text(100)]\n",
            "    given_name: Annotated[str, Text(100)]\n"
            "    family_name: Annotated[str, Text(100)] | None = None\n",
        ),
        (
            "    notes: Annotated[str, Text(2000)] | None = None\n",
            "    notes: Annotated[str, Text(2000)] | None = None\n\n"
            "    @property\n"
            "    def name(self) -> str:\n"
            '        return " ".join(filter(None, (self.given_name, self.family_name)))\n',
        ),
    ),
    "src/infrastructure/models/customers.py": (
        ('Index(None, "name", "id")', 'Index(None, "given_name", "id")'),
        (
            '"ix_customers_name_prefix", "name", postgresql_ops={"name"',
            '"ix_customers_given_name_prefix", "given_name", postgresql_ops={"given_name"',
        ),
    ),
    "src/services/customer_service.py": (
        (
            "\n\nclass CustomerService:",
            "\n\ndef parts(values: dict[str, Any]) -> dict[str, Any]:\n"
            '    if "name" in values:\n'
            '        given, _, family = values.pop("name").partition(" ")\n'
            "        values.update(given_name=given, family_name=family or None)\n"
            "    return values\n"
            "\n\nclass CustomerService:",
        ),
        ("Customer(**values)", "Customer(**parts(values))"),
        ("customer.change(**values)", "customer.change(**parts(values))"),
    ),
    "src/api/schemas/v1/customer.py": (
        (
            'class CustomerInput(Schema):\n    name = fields.of(Customer, "name", ',
            "class CustomerInput(Schema):\n    name = fields.Text(max_length=100, ",
        ),
        (
            '    name = fields.of(Customer, "name", required=True)\n',
            "    name = fields.Text(max_length=201, required=True)\n"
            '    given_name = fields.of(Customer, "given_name", required=True)\n'
            '    family_name = fields.of(Customer, "family_name", required=True)\n',
        ),
        ('Sort(Customer, "name", ', 'Sort(Customer, "given_name", name="given_name", '),
        ('filters.prefix(Customer, "name")', 'filters.prefix(Customer, "given_name")'),
    ),
}  # fmt: skip


def make_releases(testbed: Testbed) -> tuple[Project, Project, Project]:
    """Return the project at each release; raise AssertionError where a command fails."""
    first, second, third = (testbed.variant(f"release_{number}") for number in (1, 2, 3))
    expand, fill, drop = guide(first.path / GUIDE)
    for release in (first, second, third):
        for name, text in (expand, fill):
            (release.path / name).write_text(text)
    for release in (second, third):
        for name, changes in SECOND.items():
            release.patch(name, *changes)
    write_the_rest(testbed, third)
    replace_the_last(third, drop[1])
    for path in revisions(third):
        if 'phase = "contract"' not in path.read_text():
            (second.path / "migrations/versions" / path.name).write_text(path.read_text())
    return first, second, third


def guide(page: Path) -> list[tuple[str, str]]:
    """The path and the text of each revision in the guide, for the desk's table."""
    section = page.read_text().split(f"\n## {SECTION}\n")[1].split("\n## ")[0]
    for old, new in HERE:
        assert old in section, f"{GUIDE} has no {old}."
        section = section.replace(old, new)
    return BLOCK.findall(section)


def write_the_rest(testbed: Testbed, project: Project) -> None:
    """Let `db migrate` write what the models have and the guide's revisions do not make."""
    database = testbed.cluster.create(testbed.cluster.empty)
    project.run(database, "db", "upgrade")
    accepted = [word for name in DROPS for word in ("--accept-drop", name)]
    project.run(database, "db", "migrate", "-m", "Split names", *accepted)
    testbed.cluster.drop(database)


def replace_the_last(project: Project, text: str) -> None:
    """Put the guide's revision, which drops trigger and column, in place of the written one."""
    *_, before, last = revisions(project)
    assert 'op.drop_column("customers", "name")' in last.read_text(), last
    numbers = (("0003", before.name[:4]), ("0004", last.name[:4]))
    for old, new in numbers:
        text = text.replace(f'"{old}"', f'"{new}"')
    last.write_text(text)


def revisions(project: Project) -> list[Path]:
    return sorted((project.path / "migrations/versions").glob("0*.py"))


def seed(database: Database, rows: int) -> dict[str, str]:
    """Insert customers with one to three names; return the name of each id."""
    database.rows(
        "INSERT INTO customers (id, version, name, email, tier)"
        " SELECT gen_random_uuid(), 1, (ARRAY['Plato', 'Ada Lovelace', 'Ludwig van Beethoven'])"
        " [mod(n, 3) + 1], 'seed' || n || '@example.org', 'basic' FROM generate_series(1, %s) n",
        rows,
    )
    database.rows("VACUUM ANALYZE customers")
    return dict(database.rows("SELECT id::text, name FROM customers"))
