"""`generate` reads its grammar, rejects mistakes and edits code; without a project."""

import ast
import re
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

import marshmallow

from chassis.container import ServiceContainer
from chassis.core.model import Model
from chassis.development.generate.grammar import read_field, read_resource
from chassis.development.generate.kinds import KINDS
from chassis.development.generate.model_file import read_model
from chassis.development.generate.names import (
    FIELD,
    OF_A_SCHEMA,
    OF_A_UNIT_OF_WORK,
    OF_AN_ENTITY,
    WITH_A_SERVICE,
    plural_of,
    snake,
    with_article,
)
from chassis.development.generate.receipt import described, resource_of
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Resource
from chassis.development.generate.resources import files, ordered
from chassis.development.generate.splice import add_import, add_statement, remove
from chassis.postgres.unit_of_work_factory import SqlWork

MODULE = '''"""Ports."""

from abc import ABC

from src.b import B


class Work:
    """Of one transaction."""

    b: B  # Kept.


def after() -> None: ...
'''


class PluralTest(TestCase):
    def test_the_last_word_has_its_plural(self) -> None:
        words = {
            "invoice": "invoices",
            "category": "categories",
            "day": "days",
            "box": "boxes",
            "address": "addresses",
            "child": "children",
            "leaf": "leaves",
            "purchase_order": "purchase_orders",
            "order_status": "order_statuses",
            "address_lens": "address_lenses",
        }
        for singular, plural in words.items():
            with self.subTest(singular):
                self.assertEqual(plural_of(singular), plural)

    def test_a_word_without_a_plural_needs_one(self) -> None:
        with self.assertRaisesRegex(Refusal, "--plural"):
            plural_of("equipment")

    def test_articles_follow_the_sound(self) -> None:
        words = {"invoice": "an", "user": "a", "hour": "an", "house": "a", "unit": "a"}
        for word, article in words.items():
            with self.subTest(word):
                self.assertEqual(with_article(word), f"{article} {word}")


class GrammarTest(TestCase):
    def test_a_field_has_type_arguments_modifiers_and_default(self) -> None:
        field = read_field("status:enum:draft,sent:filter:index=sent")
        self.assertEqual((field.name, field.kind.type), ("status", "enum"))
        self.assertEqual(field.modifiers, {"filter", "index"})
        self.assertEqual(field.default, "{E}.SENT")

    def test_every_type_is_read(self) -> None:
        sources = {
            **{name: name for name in KINDS - {"enum", "array", "ref"}},
            "enum": "enum:a,b",
            "array": "array:int:3",
            "ref": "ref:Customer:cascade",
        }
        for name, source in sources.items():
            for modifier in ("", ":optional"):
                with self.subTest(name, modifier=modifier):
                    self.assertEqual(read_field(f"x_1:{source}{modifier}").source[:4], "x_1:")

    def test_a_default_has_every_printable_character_that_the_field_takes(self) -> None:
        for value in ("Ä1", "Łódź", 'a\\"b', "\N{COLLISION SYMBOL}", "\N{CYRILLIC SMALL LETTER A}"):
            with self.subTest(value):
                default = read_field(f"a:str:9={value}").default
                self.assertEqual(ast.literal_eval(default), value)
        self.assertEqual(read_field("a:str=Ä1").default, '"Ä1"')
        ambiguous = read_field("a:str=\N{CYRILLIC SMALL LETTER A}").default
        self.assertTrue(ambiguous.isascii())

    def test_what_cannot_work_is_refused_with_its_cure(self) -> None:
        for source, cure in REFUSED_FIELDS.items():
            with self.subTest(source), self.assertRaisesRegex(Refusal, cure):
                read_field(source)

    def test_a_resource_that_cannot_work_is_refused(self) -> None:
        for (name, *sources), cure in REFUSED_RESOURCES.items():
            with self.subTest(name, sources=sources), self.assertRaisesRegex(Refusal, cure):
                read_resource(name, sources)

    def test_options_that_contradict_are_refused(self) -> None:
        refused: tuple[tuple[dict[str, Any], str], ...] = (
            ({"owned": True, "public": True}, "exclude each other"),
            ({"plural": "note"}, "itself"),
            ({"plural": "Notes"}, "no plural"),
            ({"unique": (("text", "other"),)}, "no field other"),
            ({"unique": (("text",),)}, "two or more"),
            (
                {"unique": (("b", "d"),), "sources": ["b:int", "d:json"]},
                "d: unique compares a JSON",
            ),
            ({"unique": (("text", "b"), ("b", "text"))}, "name the same fields"),
            ({"under": "Book", "sources": ["book:ref:Book"]}, "caller sets"),
        )
        for options, cure in refused:
            with self.subTest(options), self.assertRaisesRegex(Refusal, cure):
                read_resource("Note", options.pop("sources", ["text:str", "b:int"]), **options)

    def test_what_is_described_is_read_back(self) -> None:
        resource = read_resource(
            "Line", ["order:ref:Order", "count:int:1..9"], under="Order", timestamps=True
        )
        self.assertEqual(described(resource_of(described(resource))), described(resource))

    def test_names_that_code_has_are_refused(self) -> None:
        for owner, names in (
            (Model, OF_AN_ENTITY),
            (SqlWork, OF_A_UNIT_OF_WORK),
            (ServiceContainer, {f"{name}_service" for name in WITH_A_SERVICE}),
        ):
            public = {name for name in dir(owner) if FIELD.fullmatch(name)}
            ends = "_service" if owner is ServiceContainer else ""
            self.assertLessEqual({name for name in public if name.endswith(ends)}, names)

    def test_initials_are_one_word(self) -> None:
        words = {"APIKey": "api_key", "HTTPServer2": "http_server2", "OrderLine": "order_line"}
        for name, expected in words.items():
            self.assertEqual(snake(name), expected)

    def test_names_that_a_schema_has_are_refused(self) -> None:
        """Names are rejected that the schema's class already has."""
        public = {name for name in dir(marshmallow.Schema) if not name.startswith("_")}
        self.assertLessEqual(public, OF_A_SCHEMA)


REFUSED_FIELDS = {
    "number": "has no type",
    "number:string": "str, text",
    "number:str:0": "1 to 10000",
    "number:str:40:uniq": "Did you mean unique",
    "number:str:unique:unique": "occurs twice",
    "Number:str": "in ASCII",
    "größe:str": "in ASCII",
    "_number:str": "in ASCII",
    "class:str": "Choose another",
    "date:date": "Choose another",
    "user:str": "reserved word",
    "id:uuid": "has this name already",
    "version:int": "has this name already",
    "change:str": "has this name already",
    "check_invariants:bool": "has this name already",
    "created_at:datetime:optional": "--timestamps",
    "self:str": "has this name already",
    "validate:bool": "Choose another",
    "limit:int:filter": "parameter of this name|reserved word",
    "a:str:5=toolong": "1 to 5 printable",
    "a:str:5=a\tb": "1 to 5 printable characters",
    "a:int:5..1": "no range",
    "a:int:1..5=9": "not within",
    "a:decimal:12,2": "decimal:12.2",
    "a:decimal:2.2": "decimal:12.2",
    "a:bool=yes": "true or false.$",
    "a:bool=false:filter": "true or false. Write modifiers before the default",
    "a:date=31.1.2026": "2026-01-31",
    "a:datetime=now": "optional",
    "a:enum:one": "two or more",
    "a:enum:a-b,a_b": "two or more",
    "a:enum:1,2": "Begin with a letter",
    "a:enum:a b,c": "Begin with a letter",
    "a:enum:a,b=c": "none of",
    "a:ref:customer": "not a resource's name",
    "a:str:" + "9" * 20: "at most 19 digits",
    "a:array:float": "array:str:20",
    "a:ref": "ref:Customer",
    "a:ref:": "ref:Customer",
    "a:ref:B:cascade:restrict": "Keep one",
    "a:ref:B:set_null": "needs optional",
    "a:many:Course": "StudentCourse student:ref:Student course:ref:Course --unique",
    "a:text:sort": "a: sort needs an index, which holds texts of 650 characters at most",
    "a:url:filter": "a: filter .* 650 characters at most; a URL has up to 2000",
    "a:json:sort": "a: sort compares a JSON object as a whole",
    "a:array:int:filter": "a: filter compares an array as a whole",
    "a:str:optional=b": "remove `optional`",
    "a:str:readonly": "default",
    "a:str:readonly:writeonly": "exclude each other",
    "a:str:writeonly:filter": "would reveal",
    "password:str=abc": "no secret",
}
REFUSED_RESOURCES = {
    ("invoice", "a:str"): "as Invoice",
    ("Invoice2$", "a:str"): "as Invoice",
    ("Post", "a:many:Tag"): "PostTag post:ref:Post tag:ref:Tag --unique post,tag",
    ("List", "a:str"): "Choose another",
    ("Page", "a:str"): "Choose another",
    ("Equipment", "a:str"): "--plural",
    ("Hook", "a:str"): "each unit of work",
    ("Orders", "a:str"): "looks like a plural",
    ("People", "a:str"): "looks like a plural",
    ("Health", "a:str"): "a service of this name",
    ("Window", "a:str"): "schemas of this name",
    ("CustomerSubscriptionInvoiceLine", "a:str"): "too long",
    ("Note", "note:ref:Note:optional"): "in the path of a note",
    ("Note", "a:int:filter", "a_from:str:filter"): "two filters",
    ("Note", "a:str", "a:int"): "two fields have the name a",
    ("Note", "a:ref:Note"): "optional",
    ("Note", "a:str:readonly=b"): "caller sets",
    ("Note", "a" * 60 + ":str"): "63 bytes",
}


class ModelFileTest(TestCase):
    def read(self, text: str) -> list[Resource]:
        with TemporaryDirectory() as folder:
            path = Path(folder, "model.toml")
            path.write_text(text, "utf-8")
            return read_model(path)

    def test_what_is_referred_to_comes_first(self) -> None:
        found = self.read('[Line]\norder = "ref:Order"\n[Order]\nnumber = "str:40"\n')
        self.assertEqual([one.name for one in ordered(found)], ["Order", "Line"])

    def test_a_circle_is_refused(self) -> None:
        found = self.read('[A1]\nb = "ref:B1"\n[B1]\na = "ref:A1"\n')
        with self.assertRaisesRegex(Refusal, "circle"):
            ordered(found)

    def test_mistakes_name_their_resource(self) -> None:
        for text, cure in (
            ("", "no resource"),
            ("[A", "no TOML"),
            ("a = 1", "no table"),
            ("[Note]\ntext = 1", "no text"),
            ('[Note]\ntext = "strin"', r"\[Note\]"),
            ('[Note]\ntext = "str"\n"--owned" = "yes"', r'= .yes.: write "--owned" = true'),
            ('[Note]\ntext = "str"\n"--operations" = []', r"= \[\]: write .*list"),
            ('[Note]\ntext = "str"\n"--owner" = true', "no option --owner; there are --op"),
            ('[Note]\ntext = "str"\ntext = "int"', "no TOML"),
            ("[Note.text]\na = 1", "no text"),
            ('[[Note]]\ntext = "str"', "no table"),
            ('[Note]\n"a b" = "str"', "in ASCII"),
        ):
            with self.subTest(text), self.assertRaisesRegex(Refusal, cure):
                self.read(text)
        with self.assertRaisesRegex(Refusal, "No such file"):
            read_model(Path("missing.toml"))


class SpliceTest(TestCase):
    def test_lines_come_and_go_and_nothing_else(self) -> None:
        for source in (MODULE, MODULE.replace("\n", "\r\n")):
            changed, made = add_statement("x.py", source, "Work", "    c: C\n")
            self.assertIn("    b: B  # Kept.", changed)
            edited = changed.replace("# Kept.", "# Edited beside.")
            expected = source.replace("# Kept.", "# Edited beside.")
            self.assertEqual(remove(edited, made), expected)

    def test_lines_of_two_branches_are_taken_out_in_any_order(self) -> None:
        source = 'class Work:\n    """A docstring."""\n\n\nX = 1\n'
        notes, ours = add_statement("x.py", source, "Work", "    notes: N\n")
        _, theirs = add_statement("x.py", source, "Work", "    tags: T\n")
        merged = notes.replace("    notes: N\n", "    notes: N\n    tags: T\n")
        for first, second in ((ours, theirs), (theirs, ours)):
            self.assertEqual(remove(remove(merged, first), second), source)

    def test_imports_are_sorted_merged_and_taken_out(self) -> None:
        for statement, line in (
            ("from src.a import A\n", "from src.a import A\nfrom src.b import B"),
            ("from src.b import A\n", "from src.b import A, B"),
            ("from enum import StrEnum\n", "from abc import ABC\nfrom enum import StrEnum\n\n"),
            ("from sqlalchemy import Index\n", "\n\nfrom sqlalchemy import Index\n\nfrom src"),
        ):
            with self.subTest(statement):
                changed, made = add_import("x.py", MODULE, statement)
                self.assertIn(line, changed)
                self.assertIsNotNone(made)
                self.assertEqual(made and remove(changed, made), MODULE)

    def test_lines_are_counted_as_python_does(self) -> None:
        source = MODULE.replace("class Work", "\f\nclass Work").replace("Kept.", "\u2028 Kept.")
        changed, made = add_statement("x.py", source, "Work", "    c: C\n")
        self.assertEqual(remove(changed, made), source)

    def test_another_meaning_of_a_name_is_refused(self) -> None:
        for name in ("B", "Work", "ABC"):
            with self.subTest(name), self.assertRaisesRegex(Refusal, f"another {name}"):
                add_import("x.py", MODULE, f"from src.a import {name}\n")

    def test_an_import_that_is_there_is_not_ours(self) -> None:
        self.assertEqual(add_import("x.py", MODULE, "from src.b import B\n"), (MODULE, None))

    def test_a_name_that_something_else_uses_stays_imported(self) -> None:
        changed, made = add_import("x.py", MODULE, "from src.a import A\n")
        used = f"{changed}\nX = A\n"
        self.assertEqual(made and remove(used, made), used)

    def test_a_place_that_is_not_there_once_is_refused_with_the_line(self) -> None:
        twice = f"{MODULE}\n\nif True:\n\n    class Work:\n        x: int\n"
        for source in (MODULE.replace("Work", "Other"), twice):
            with self.assertRaisesRegex(Refusal, "(?s)Nothing was written.*c: C"):
                add_statement("x.py", source, "Work", "    c: C\n")

    def test_what_was_edited_is_not_taken_out(self) -> None:
        changed, made = add_statement("x.py", MODULE, "Work", "    c: C\n")
        with self.assertRaisesRegex(Refusal, "by hand"):
            remove(changed.replace("c: C", "c: C  # Edited."), made)


class CodeTest(TestCase):
    def test_operations_that_are_left_out_leave_nothing_behind(self) -> None:
        for operation in ("list", "read", "create", "change", "delete"):
            with self.subTest(operation), redirect_stderr(StringIO()):
                resource = read_resource("Note", ["a:str:9"], operations=(operation,))
                controllers = files(resource)["src/api/controllers/v1/notes.py"]
                functions = re.findall(r"^def (\w+)_notes?\(", controllers, re.MULTILINE)
                self.assertEqual(functions, [operation])

    def test_every_file_can_be_parsed(self) -> None:
        resource = read_resource("Note", ["a:enum:b,c:sort", "d:json:optional"], owned=True)
        for path, text in files(resource).items():
            with self.subTest(path):
                self.assertTrue(ast.parse(text).body)

    def test_no_index_is_written_whose_columns_another_has_first(self) -> None:
        together: dict[str, Any] = {
            "unique": (("maker", "code"),),
            "tables": {"Maker": "makers"},
        }
        for sources, options, expected in (
            (["maker:ref:Maker", "code:str:9"], together, []),
            (["maker:ref:Maker:index", "code:str:9"], together, []),
            (["maker:ref:Maker", "code:str:9:index"], together, ['"code"']),
            # The rows of one maker are listed by their id, which the unique columns do not order.
            (["maker:ref:Maker:filter", "code:str:9"], together, ['"maker_id", "id"']),
            (["code:str:9"], together | {"under": "Maker"}, ['"maker_id", "id"']),
            (["code:str:9:unique:index"], {}, []),
            (["code:str:9:unique:filter:sort"], {}, []),
            (["code:str:9:unique:filter:optional"], {}, []),
            # Null is no value that only one row has.
            (["code:str:9:unique:sort:optional"], {}, ['"code", "id"']),
        ):
            with self.subTest(sources=sources, options=options):
                resource = read_resource("Part", sources, **options)
                table = files(resource)["src/infrastructure/models/parts.py"]
                self.assertEqual(re.findall(r"Index\(None, (.+)\)", table), expected)
