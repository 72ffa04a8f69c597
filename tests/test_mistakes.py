"""Silent mistakes are rejected with their place and the remedy.

The service's start rejects them, or the tests that `make check` runs.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import pytest
from conftest import command, commit_all, make

from proofs.examples import Build, Recipe

V1 = "src/api/controllers/v1"
SCHEMAS = "src/api/schemas/v1"
MODELS = "src/infrastructure/models"
WORK = "src/infrastructure/databases/unit_of_work.py"
PROMISES = "tests.test_promises.DriftTest tests.test_promises.ListsTest"
PROMISES += " tests.test_promises.ApiDocumentTest"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
START = f"ENVIRONMENT=production DATABASE_URL={NOWHERE} SECRET_KEY={token_urlsafe()} "
START += '.venv/bin/python -c "import src.app"'
CHECK = ".venv/bin/python -m unittest tests.test_promises."
LISTS, DOCUMENT = f"{CHECK}ListsTest", f"{CHECK}ApiDocumentTest"

Edit = Callable[[Path], object]


@dataclass(frozen=True)
class Mistake:
    kind: str  # One of the kinds that have to be rejected.
    name: str
    edit: Edit
    said: tuple[str, ...]  # Parts of the error: the place and the remedy.
    by: str = START


def put(path: str, old: str, new: str, *, imports: str = "") -> Edit:
    def edit(project: Path) -> None:
        text = (project / path).read_text()
        assert old in text, f"{path}: {old}"
        lines = f"{imports}\n" if imports else ""
        (project / path).write_text(lines + text.replace(old, new, 1))

    return edit


def both(*edits: Edit) -> Edit:
    return lambda project: [edit(project) for edit in edits]


def without(path: str) -> Edit:
    return lambda project: (project / path).unlink()


def moved(path: str, to: str) -> Edit:
    def edit(project: Path) -> None:
        (project / to).parent.mkdir(parents=True, exist_ok=True)
        (project / path).rename(project / to)

    return edit


def renamed(path: str, old: str, new: str) -> Edit:
    def edit(project: Path) -> None:
        text = (project / path).read_text()
        (project / path).write_text(re.sub(old, new, text))

    return edit


def field(schema: str, name: str, declared: str, *, imports: str = "") -> Edit:
    """Return an edit that replaces the declaration of a field."""

    def edit(project: Path) -> None:
        path = project / SCHEMAS / f"{schema}.py"
        lines = path.read_text().splitlines()
        place = next(n for n, line in enumerate(lines) if line.startswith(f"    {name} = "))
        lines[place] = f"    {name} = {declared}"
        path.write_text("\n".join([*filter(None, [imports]), *lines]) + "\n")

    return edit


def table(name: str, old: str, new: str) -> Edit:
    """Return an edit of a module of tables, with the imports for its columns."""
    imports = "from sqlalchemy import Column, Integer, String\n"
    path = f"{MODELS}/{name}.py"
    return both(put(path, old, new), put(path, "from sqlalchemy", f"{imports}from sqlalchemy"))


def after(path: str, line: str, more: str, *, imports: str = "") -> Edit:
    return put(path, f"{line}\n", f"{line}\n{more}\n", imports=imports)


INJECT_ABOVE = both(
    put(f"{V1}/tags.py", "@inject\ndef list_tags", "def list_tags"),
    put(f"{V1}/tags.py", '@blueprint.get("")', '@inject\n@blueprint.get("")'),
)
MARSHMALLOW = "import marshmallow"
NOT_SERVED = "has no __init__.py, so products.py would not be served. Add an empty __init__.py"
ADD_INJECT = "Add @inject as the last decorator, directly above `def`"
BIGGER = "make it one, or give the field bounds"
TYPE_OF_JSON = "has to have the JSON type of its field"

MISTAKES = [
    # A version's folder that is not found
    Mistake(
        "folder",
        "v2 is no package",
        without("src/api/controllers/v2/__init__.py"),
        ("controllers/v2/ ", NOT_SERVED),
    ),
    Mistake(
        "folder",
        "a folder below a version",
        moved(f"{V1}/products.py", f"{V1}/shop/products.py"),
        ("controllers/v1/shop/ ", NOT_SERVED),
    ),
    Mistake(
        "folder",
        "a version as a file",
        moved("src/api/controllers/v2/products.py", "src/api/controllers/v3/v4/products.py"),
        ("controllers/v3/v4/ ", NOT_SERVED),
    ),
    Mistake(
        "folder",
        "a blueprint by another name",
        renamed(f"{V1}/tags.py", r"(?<!\.)\bblueprint\b(?! import)", "bp"),
        ("controllers.v1.tags has no `blueprint`", "Add blueprint = Blueprint("),
    ),
    # A missing @inject
    Mistake(
        "inject",
        "it is not there",
        put(f"{V1}/tags.py", "@inject\ndef list_tags", "def list_tags"),
        ("tags.list_tags would not get tags", ADD_INJECT),
    ),
    Mistake(
        "inject",
        "it is above the route",
        INJECT_ABOVE,
        ("tags.list_tags would not get tags", ADD_INJECT),
    ),
    Mistake(
        "inject",
        "annotations are texts",
        put(f"{V1}/tags.py", "from typing", "from __future__ import annotations\nfrom typing"),
        ("tags.list_tags would not get tags", "take `from __future__ import annotations` out"),
    ),
    Mistake(
        "inject",
        "a default asks",
        both(
            put(
                f"{V1}/tags.py",
                "@inject\ndef delete_tag(tag_id: UUID, tags: Tags)",
                'def delete_tag(tag_id: UUID, tags: TagService = Provide["tag_service"])',
            )
        ),
        ("tags.delete_tag would not get tags", ADD_INJECT),
    ),
    # A port without its line
    Mistake(
        "port",
        "its line is not there",
        put(WORK, "        self.tags = self.repository(tags, Tag)\n", ""),
        ("SqlUnitOfWork lacks `tags`", "Add a line self.tags = self.repository("),
    ),
    Mistake(
        "port",
        "its line is misspelt",
        put(WORK, "self.tags =", "self.tag ="),
        ("SqlUnitOfWork lacks `tags`", "Add a line self.tags = self.repository("),
    ),
    Mistake(
        "port",
        "its line has another entity",
        put(WORK, "(tags, Tag)", "(tags, Customer)"),
        ("tags.name holds 30 characters, and Customer.name may have 100", "make the column longer"),
    ),
    Mistake(
        "port",
        "a provider without it",
        put(
            "src/dependency_container.py",
            "(OrderService, unit_of_work, mailer)",
            "(OrderService, unit_of_work)",
        ),
        (
            "The container's order_service cannot make a OrderService",
            "'mailer'",
            "Give the provider what its __init__ takes",
        ),
    ),
    # A column without a field
    Mistake(
        "column",
        "of an entity",
        table("tags", "*columns(Tag),", '*columns(Tag), Column("more", Integer),'),
        ("tags.more is a column without a field", "give Tag a field `more`"),
    ),
    Mistake(
        "column",
        "of a child",
        table(
            "orders",
            "    *columns(OrderLine),",
            '    *columns(OrderLine),\n    Column("more", Integer),',
        ),
        ("order_lines.more is a column without a field", "give OrderLine a field `more`"),
    ),
    Mistake(
        "column",
        "of a pair",
        table(
            "products",
            '    Column("tag_id"',
            '    Column("more", ForeignKey(tags.c.id)),\n    Column("tag_id"',
        ),
        ("product_tags has 2 values in a row", "Product.tag_ids needs Children(…, of=)"),
    ),
    Mistake(
        "column",
        "a field without one",
        table(
            "tags",
            '*columns(Tag), UniqueConstraint("name")',
            '*columns(Tag, "id", "version")',
        ),
        ("Tag.name is a field without a column", "give tags a column `name`"),
    ),
    # A schema or rule longer than its column
    Mistake(
        "longer",
        "a Text by hand",
        field("customer", "name", "fields.Text(max_length=500, required=True)"),
        (
            "CustomerInput.name takes 500 characters, and customers.name holds 100",
            "give the field max_length=100",
        ),
        DOCUMENT,
    ),
    Mistake(
        "longer",
        "an Integer in a nested list",
        field("order", "quantity", "fields.Integer(maximum=2**40, required=True)"),
        ("OrderLineInput.quantity takes", "order_lines.quantity is no BigInteger", BIGGER),
        DOCUMENT,
    ),
    Mistake(
        "longer",
        "a Decimal by hand",
        field("product", "price", "fields.Decimal(digits=14, places=4, required=True)"),
        (
            "ProductInput.price takes 10 digits and 4 places, and products.price holds 8 and 2",
            "give the field digits=10 and places=2",
        ),
        DOCUMENT,
    ),
    Mistake(
        "longer",
        "null where there is none",
        field("tag", "name", "fields.Text(max_length=30, allow_none=True)"),
        (
            "TagInput.name takes null, and tags.name is NOT NULL",
            "take allow_none=True from the field",
        ),
        DOCUMENT,
    ),
    Mistake(
        "longer",
        "a rule",
        table(
            "tags",
            "*columns(Tag)",
            '*columns(Tag, "id", "version"), Column("name", String(10), nullable=False)',
        ),
        (
            "tags.name holds 10 characters, and Tag.name may have 30",
            "make the column longer, or the rule shorter",
        ),
    ),
    Mistake(
        "longer",
        "a value of an enumeration",
        table(
            "customers",
            "*columns(Customer)",
            '*columns(Customer, "id", "version", "name", "email", "notes"),\n'
            '    Column("tier", String(4), nullable=False)',
        ),
        (
            "customers.tier holds 4 characters, and Customer.tier may have 5",
            "make the column longer",
        ),
    ),
    # A sort or filter without a column
    Mistake(
        "list",
        "a sort",
        field("order", "sort", 'Sort(Order, "sum")'),
        ("Order.sum, which is no field", "Name one of"),
    ),
    Mistake(
        "list",
        "a sort by children",
        field("order", "sort", 'Sort(Order, "lines")'),
        ("Order.lines, which is no field", "Name one of"),
    ),
    Mistake(
        "list",
        "a sort without its entity",
        field("order", "sort", 'Sort(sum="sum")'),
        ("A list sorts or filters orders by 'sum'", "name one of id, "),
        LISTS,
    ),
    Mistake(
        "list",
        "a filter by hand",
        after(
            f"{SCHEMAS}/customer.py",
            "class CustomerQuery(PageArguments):",
            "    town = fields.Text(max_length=9)",
        ),
        ("A list sorts or filters customers by 'town'", "name one of id, "),
        LISTS,
    ),
    Mistake(
        "list",
        "a filter of another entity",
        field("order", "total_from", 'filters.equal(Customer, "name")'),
        ("A list sorts or filters orders by 'name'", "name one of id, "),
        LISTS,
    ),
    Mistake(
        "list",
        "a filter of no field",
        field("order", "total_from", 'filters.equal(Order, "sum")'),
        ("Order has no field 'sum'", "name one ("),
    ),
    Mistake(
        "list",
        "a filter through no reference",
        field("order", "customer_tier", 'filters.related(Order, "total", Customer, "tier")'),
        ("orders.total refers to no other table", "ForeignKeyConstraint"),
        LISTS,
    ),
    # A bare field of marshmallow in an output
    Mistake(
        "bare",
        "a Decimal",
        field("product", "id", "marshmallow.fields.Decimal()", imports=MARSHMALLOW),
        ("ProductOutput.id", "has to be a field of chassis.schemas.fields"),
    ),
    Mistake(
        "bare",
        "a DateTime in a list",
        field(
            "order",
            "created_at",
            "marshmallow.fields.List(marshmallow.fields.DateTime())",
            imports=MARSHMALLOW,
        ),
        ("OrderOutput.created_at", "has to be a field of chassis.schemas.fields"),
    ),
    Mistake(
        "bare",
        "one in a nested schema",
        field("order", "unit_price", "marshmallow.fields.Float()", imports=MARSHMALLOW),
        ("OrderLineOutput.unit_price", "has to be a field of chassis.schemas.fields"),
    ),
    Mistake(
        "bare",
        "a Dict",
        field("product", "version", "marshmallow.fields.Dict()", imports=MARSHMALLOW),
        ("ProductOutput.version", "has to be a field of chassis.schemas.fields"),
    ),
    # A Nested that cannot be described
    Mistake(
        "nested",
        "a name that is none",
        field("order", "next", 'fields.Nested("OrderPagee")'),
        ("OrderPage.next: there is no schema 'OrderPagee'", "Give Nested the class itself"),
    ),
    Mistake(
        "nested",
        "a lambda of nothing",
        field("order", "next", "fields.Nested(lambda: OrderLinesOutput)"),
        ("OrderPage.next", "Give Nested the class itself"),
    ),
    Mistake(
        "nested",
        "a field that is none",
        field("order", "next", 'fields.Nested(OrderOutput, only=("sum",))'),
        ("OrderPage.next", "sum"),
    ),
    Mistake(
        "nested",
        "a class that is no schema",
        field("order", "next", "fields.Nested(Order)"),
        ("OrderPage.next", "Give Nested the class itself"),
    ),
    # A bound that makes the document invalid
    Mistake(
        "bound",
        "a Range of a Decimal",
        both(
            field(
                "product",
                "price",
                "fields.Decimal(digits=8, places=2, validate=validate.Range(min=1))",
                imports="from marshmallow import validate",
            )
        ),
        ("Decimal is a text in JSON", "minimum= and maximum= instead"),
    ),
    Mistake(
        "bound",
        "a minimum as text",
        field("product", "stock", 'fields.Integer(metadata={"minimum": "1"})'),
        ("ProductInput/properties/stock/minimum", TYPE_OF_JSON),
        DOCUMENT,
    ),
    Mistake(
        "bound",
        "examples that are no list",
        field("product", "stock", 'fields.Integer(metadata={"examples": 3})'),
        ("ProductInput/properties/stock/examples", TYPE_OF_JSON),
        DOCUMENT,
    ),
    Mistake(
        "bound",
        "a pattern that is none",
        field("customer", "notes", 'fields.Text(max_length=9, metadata={"pattern": "(["})'),
        ("CustomerInput/properties/notes/pattern", TYPE_OF_JSON),
        DOCUMENT,
    ),
    # A path whose parameters are not those of its view
    Mistake(
        "path",
        "a parameter by another name",
        put(f"{V1}/tags.py", '"/<uuid:tag_id>"', '"/<uuid:tagid>"'),
        ("tags.delete_tag does not take 'tagid'", "did you mean 'tag_id'?", "same name in both"),
    ),
    Mistake(
        "path",
        "one of a nested list",
        put(f"{V1}/orders.py", "<uuid:customer_id>", "<uuid:client>"),
        ("list_orders_of_customer does not take 'client'", "/customers/<uuid:client>/orders"),
    ),
    Mistake(
        "path",
        "it is not in the path",
        put(f"{V1}/orders.py", '"/orders/<uuid:order_id>"', '"/orders/one"'),
        ("orders.read_order takes 'order_id', which is not in its path", "Add it to the path"),
    ),
    # A setting that there is not
    Mistake(
        "setting",
        "it is misspelt",
        put("src/dependency_container.py", "provided.smtp_host", "provided.smtp_hots"),
        (
            "The container's mailer reads the setting 'smtp_hots', which Config does not have",
            "did you mean 'smtp_host'?",
        ),
    ),
    Mistake(
        "setting",
        "within a list of providers",
        after(
            "src/dependency_container.py",
            "    clock = Singleton(SystemClock)",
            "    probes = List(Singleton(str, ServiceContainer.config.provided.smtp_prt))",
            imports="from dependency_injector.providers import List",
        ),
        ("The container's probes reads the setting 'smtp_prt'", "did you mean 'smtp_port'?"),
    ),
    Mistake(
        "setting",
        "of nothing near",
        put("src/dependency_container.py", "provided.mail_sender", "provided.xyz"),
        ("The container's mailer reads the setting 'xyz', which Config does not have.",),
    ),
    # A repository that cannot stamp its rows
    Mistake(
        "clock",
        "a named repository",
        put(WORK, "orders, Order, self.clock", "orders, Order"),
        ("SqlUnitOfWork.orders gets no clock", "Give OrderRepository self.clock"),
    ),
    Mistake(
        "clock",
        "a repository that asks for none",
        put(WORK, "orders, Order, self.clock", "orders, Order, clock=None"),
        ("SqlUnitOfWork.orders gets no clock", "Give OrderRepository self.clock"),
    ),
    Mistake(
        "clock",
        "a repository with a constructor",
        both(
            put(WORK, "(connection, orders, Order, self.clock)", "(connection)"),
            after(
                "src/infrastructure/repositories/order_repository.py",
                "class OrderRepository(SqlRepository[Order]):",
                "    def __init__(self, connection):\n"
                "        super().__init__(connection, orders, Order)\n",
                imports="from src.infrastructure.models.orders import orders",
            ),
        ),
        ("SqlUnitOfWork.orders gets no clock", "created_at or updated_at"),
    ),
    # An error without the status of an error
    Mistake(
        "error",
        "a status of success",
        put("src/error_handler.py", "(404, ", "(200, "),
        ("The row of NotFoundError in error_handler.py has status 200", "one from 400 to 599"),
    ),
    Mistake(
        "error",
        "a class without a row",
        put(
            "src/domain/models/tag.py",
            "@dataclass",
            "class UnpaidError(DomainError):\n    pass\n\n\n@dataclass",
            imports="from chassis.core.errors import DomainError",
        ),
        ("models.tag.UnpaidError has no row in error_handler.py", "Add a line UnpaidError: (4"),
    ),
    Mistake(
        "error",
        "a class below one without a row",
        put(
            "src/services/tag_service.py",
            "class TagService",
            "class PaidError(errors.DomainError):\n    pass\n\n\n"
            "class UnpaidError(PaidError):\n    pass\n\n\nclass TagService",
            imports="from chassis.core import errors",
        ),
        ("tag_service.UnpaidError has no row in error_handler.py", "derive it from a class"),
    ),
    # A required field that the returned entity lacks
    Mistake(
        "output",
        "it is only in the schema",
        after(
            f"{SCHEMAS}/tag.py",
            "class TagOutput(Schema):",
            "    colour = fields.Text(max_length=9, required=True)",
        ),
        (
            "TagOutput requires 'colour', and Tag, which src.api.controllers.v1.tags.create_tag",
            "Give Tag a field or a property colour, or take the field out of TagOutput",
        ),
    ),
    Mistake(
        "output",
        "an attribute by another name",
        put("src/api/schemas/v2/product.py", 'attribute="sku"', 'attribute="skew"'),
        ("ProductOutput requires 'skew', and Product, which", "v2.products.read_product"),
    ),
    Mistake(
        "output",
        "a property is not there",
        put("src/domain/models/product.py", "def available", "def is_available"),
        ("ProductOutput requires 'available', and Product, which", "a property available"),
    ),
]
KINDS = "folder inject port column longer list bare nested bound"
KINDS += " path setting clock error output"


@pytest.fixture(scope="module")
def desk(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The order desk without a mistake, migrated; tests copy it."""
    make(project, ".venv/.ready")
    folder = tmp_path_factory.mktemp("mistakes")
    folder.chmod(0o755)
    desk = Build(Recipe.read("order_desk"), folder, print, project / ".venv").make()
    for line in (
        START,
        f".venv/bin/python -m unittest {PROMISES}",
    ):
        result = command(line, cwd=desk)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    commit_all(desk, "The order desk")
    return desk


def test_every_kind_of_mistake_is_made_in_three_ways_at_least() -> None:
    assert set(KINDS.split()) == {one.kind for one in MISTAKES}
    for kind in KINDS.split():
        assert len([one for one in MISTAKES if one.kind == kind]) >= 3


@pytest.mark.long
def test_make_check_runs_what_refuses_them(desk: Path) -> None:
    assert f"-m unittest {PROMISES}\n" in (desk / "Makefile").read_text()


@pytest.mark.long
@pytest.mark.parametrize("one", MISTAKES, ids=lambda one: f"{one.kind}: {one.name}")
def test_a_mistake_is_refused_with_its_place_and_the_cure(
    one: Mistake, desk: Path, tmp_path: Path
) -> None:
    ignored = shutil.ignore_patterns(".venv", ".postgres", ".git", "*_cache", "__pycache__")
    wrong = shutil.copytree(desk, tmp_path / "wrong", ignore=ignored)
    (wrong / ".venv").symlink_to((desk / ".venv").resolve())
    one.edit(wrong)
    result = command(one.by, cwd=wrong)
    said = result.stdout + result.stderr
    assert result.returncode != 0, f"{one.name} is not noticed."
    for part in one.said:
        assert part in said, said
    if one.by == START:
        assert "Traceback" not in said, said
