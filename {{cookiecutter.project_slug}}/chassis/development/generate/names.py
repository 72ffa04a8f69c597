"""The names of a resource in code, table, URL and prose; rejects names that cannot work."""

import builtins
import keyword
import re

from chassis.development.generate.places import IMPORTS
from chassis.development.generate.refusal import Refusal

LONGEST = 63  # Bytes of a name in PostgreSQL: syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
ENTITY = re.compile(r"[A-Z][a-z0-9]*([A-Z][a-z0-9]*)*", re.ASCII)
FIELD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)

IRREGULAR = {
    "child": "children",
    "person": "people",
    "man": "men",
    "woman": "women",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "mouse": "mice",
    "ox": "oxen",
    "datum": "data",
    "criterion": "criteria",
    "phenomenon": "phenomena",
    "medium": "media",
    "index": "indexes",
    "leaf": "leaves",
    "shelf": "shelves",
    "half": "halves",
    "knife": "knives",
    "wolf": "wolves",
    "wife": "wives",
    "life": "lives",
    "loaf": "loaves",
    "thief": "thieves",
    "hero": "heroes",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "quiz": "quizzes",
    "bus": "buses",
    "analysis": "analyses",
    "basis": "bases",
    "crisis": "crises",
    "axis": "axes",
    "diagnosis": "diagnoses",
    "hypothesis": "hypotheses",
    "thesis": "theses",
    "echo": "echoes",
    "lens": "lenses",
}
PLURAL = re.compile(r"[^suia]s$")  # Does not match boss, status, analysis or alias.
WITHOUT_PLURAL = {
    *("data", "equipment", "feedback", "fish", "hardware", "information", "media", "metadata"),
    *("money", "music", "news", "police", "rice", "series", "sheep", "software", "species"),
    *("staff", "traffic", "weather", "advice", "furniture", "luggage"),
}
# "a unit" and "an hour": the sound decides, not the letter.
SPOKEN_AS_CONSONANT = re.compile(r"(uni([^n]|$)|use|usa|uti|eu|one|ubi)")
SILENT_H = re.compile(r"(hour|honou?r|heir|honest)")

# The reserved words of https://www.postgresql.org/docs/current/sql-keywords-appendix.html.
RESERVED = {
    *("all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric"),
    *("authorization", "binary", "both", "case", "cast", "check", "collate", "collation"),
    *("column", "concurrently", "constraint", "create", "cross", "current_catalog"),
    *("current_date", "current_role", "current_schema", "current_time"),
    *("current_timestamp", "current_user", "default", "deferrable", "desc", "distinct"),
    *("do", "else", "end", "except", "false", "fetch", "for", "foreign", "freeze", "from"),
    *("full", "grant", "group", "having", "ilike", "in", "initially", "inner", "intersect"),
    *("into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit"),
    *("localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset", "on"),
    *("only", "or", "order", "outer", "overlaps", "placing", "primary", "references"),
    *("returning", "right", "select", "session_user", "similar", "some", "symmetric"),
    *("system_user", "table", "tablesample", "then", "to", "trailing", "true", "union"),
    *("unique", "user", "using", "variadic", "verbose", "when", "where", "window", "with"),
}
# Attributes of marshmallow's Schema, which a field in a schema would hide.
OF_A_SCHEMA = {
    *("Meta", "OPTIONS_CLASS", "SET_CLASS", "TYPE_MAPPING", "context", "declared_fields"),
    *("dict_class", "dump", "dump_fields", "dump_only", "dumps", "error_messages"),
    *("exclude", "fields", "from_dict", "get_attribute", "handle_error", "load"),
    *("load_fields", "load_only", "loads", "many", "on_bind_field", "only", "opts"),
    *("partial", "set_class", "to_query", "unknown", "validate"),
}
# Names that an entity's or a schema's class body uses itself.
OF_A_CLASS_BODY = {
    *("date", "datetime", "time", "field", "fields", "validate", "uuid7"),
    *("bool", "dict", "int", "list", "str"),
}
# Names that generated functions use for something else.
LOCAL = {
    *("blueprint", "body", "changes", "client", "container", "metadata", "owner", "path", "query"),
    *("response", "rules", "seed", "self", "sentence", "src", "tests", "value", "values", "work"),
    *("name", "found", "chassis", "expected"),
}
# Names that an entity or a call of its constructor uses.
OF_AN_ENTITY = {"id", "version", "change", "check_invariants", "self"}
STAMPS = {"created_at", "updated_at"}
OF_A_UNIT_OF_WORK = {"after_commit", "clock", "connection", "hooks", "repository"}
WITH_A_SERVICE = {"health", "maintenance"}  # The chassis has these services in each container.
WITH_A_SCHEMA = {"problem", "window"}  # The chassis's schemas in each openapi.json.
LONGEST_NAME = 28
OF_A_LIST = {"limit", "cursor", "sort"}


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def plural_of(singular: str) -> str:
    """The plural of a name in snake case. Raise Refusal if its last word has none."""
    start, _, word = singular.rpartition("_")
    if word in WITHOUT_PLURAL:
        raise Refusal(f"{word} has no plural. Choose one: --plural {singular}_entries, say.")
    if (PLURAL.search(word) or word in IRREGULAR.values()) and word not in IRREGULAR:
        raise Refusal(
            f"{word} looks like a plural. Write the singular; if {word} is one, add --plural."
        )
    if word in IRREGULAR:
        plural = IRREGULAR[word]
    elif re.search(r"(s|x|z|ch|sh)$", word):
        plural = f"{word}es"
    elif re.search(r"[^aeiou]y$", word):
        plural = f"{word[:-1]}ies"
    else:
        plural = f"{word}s"
    return f"{start}_{plural}".lstrip("_")


def with_article(words: str) -> str:
    vowel = words[0] in "aeiou" and not SPOKEN_AS_CONSONANT.match(words)
    return f"{'an' if vowel or SILENT_H.match(words) else 'a'} {words}"


def require_entity_name(name: str) -> None:
    if not ENTITY.fullmatch(name):
        raise Refusal(f"{name!r} is no name of a resource: write it as Invoice or PurchaseOrder.")
    _require_free(name, name)
    _require_free(snake(name), name)
    if len(name) > LONGEST_NAME:
        raise Refusal(
            f"{name} is too long: with more than {LONGEST_NAME} letters, lines of the code would "
            "have more than 100 columns."
        )
    if snake(name) in WITH_A_SCHEMA:
        raise Refusal(f"{name}: openapi.json has schemas of this name already. Choose another.")
    if snake(name) in WITH_A_SERVICE:
        raise Refusal(f"{name}: each project has a service of this name. Choose another.")


def require_plural(plural: str, name: str) -> None:
    if not FIELD.fullmatch(plural):
        raise Refusal(f"{plural!r} is no plural: write it as invoices or purchase_orders.")
    if plural == snake(name):
        raise Refusal(f"The plural of {name} is itself. Choose another: --plural {plural}_entries.")
    _require_free(plural, name)
    if plural in OF_A_UNIT_OF_WORK:
        raise Refusal(f"{plural}: each unit of work has this attribute. Choose another --plural.")
    if plural in RESERVED:
        raise Refusal(f"{plural} is a reserved word of PostgreSQL. Choose another --plural.")
    require_length(f"ix_{plural}_id", f"The plural {plural}")


def require_field_name(name: str) -> None:
    if not FIELD.fullmatch(name):
        raise Refusal(f"{name!r} is no name of a field: write it as number or due_on, in ASCII.")
    if name in STAMPS:
        raise Refusal(f"{name}: the clock sets this field. A new resource gets it by --timestamps.")
    if name in OF_AN_ENTITY:
        raise Refusal(f"{name}: each entity has this name already. Choose another.")
    if keyword.iskeyword(name) or name in OF_A_CLASS_BODY:
        raise Refusal(f"{name}: Python, or the code itself, uses this name. Choose another.")
    if name in RESERVED:
        raise Refusal(
            f"{name} is a reserved word of PostgreSQL. Choose another: {name}_value, say."
        )
    if name in OF_A_SCHEMA or name.startswith("validate_"):
        raise Refusal(f"{name}: each schema has this attribute already. Choose another.")


def require_length(name: str, about: str) -> None:
    if len(name) > LONGEST:
        raise Refusal(f"{about} is too long: {name} would have more than {LONGEST} bytes.")


def _require_free(name: str, of: str) -> None:
    if keyword.iskeyword(name) or name in {*IMPORTS, *LOCAL} or hasattr(builtins, name):
        raise Refusal(f"{of}: Python, or the code itself, uses {name}. Choose another name.")
