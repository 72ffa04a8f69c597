"""The ten migrations of the rehearsal, in two orders."""

from proofs.harness.proof_revision import Revision

ADD_COLUMN = Revision(
    "add_column",
    "none",
    ("ALTER TABLE todos ADD COLUMN slug text, ADD COLUMN draft boolean DEFAULT false",),
)
BACKFILL = Revision(
    "backfill", "read-only", ("UPDATE todos SET slug = lower(title) WHERE slug IS NULL",)
)
TRIGGER = Revision(
    "trigger",
    "read-only",
    (
        "CREATE FUNCTION todos_slug() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.slug = lower(NEW.title); RETURN NEW; END'",
        "CREATE TRIGGER todos_slug BEFORE INSERT OR UPDATE OF title ON todos "
        "FOR EACH ROW EXECUTE FUNCTION todos_slug()",
    ),
)
CONCURRENT_INDEX = Revision("concurrent_index", "none")
NOT_VALID = Revision(
    "not_valid",
    "none",
    ("ALTER TABLE todos ADD CONSTRAINT ck_todos_slug CHECK (slug IS NOT NULL) NOT VALID",),
)
VALIDATE = Revision("validate", "none", ("ALTER TABLE todos VALIDATE CONSTRAINT ck_todos_slug",))
NOT_NULL = Revision(
    "not_null",
    "none",
    (
        "ALTER TABLE todos ALTER COLUMN slug SET NOT NULL",
        "ALTER TABLE todos DROP CONSTRAINT ck_todos_slug",
    ),
)
REWRITE = Revision("rewrite", "read-only", ("ALTER TABLE todos ALTER COLUMN version TYPE bigint",))
FOREIGN_KEY = Revision(
    "foreign_key",
    "read-only",
    (
        "CREATE TABLE owners (id uuid PRIMARY KEY)",
        "ALTER TABLE todos ADD COLUMN owner_id uuid CONSTRAINT fk_todos_owner REFERENCES owners",
    ),
)
DROP = Revision("drop", "none", ("ALTER TABLE todos DROP COLUMN draft",), "contract")

COUNTER = Revision(
    "counter", "none", ("ALTER TABLE todos ADD COLUMN filled integer NOT NULL DEFAULT 0",)
)
FILL = Revision("fill", "none", call='backfill("todos", "filled = filled + 1")')

LAST = [NOT_VALID, VALIDATE, NOT_NULL, REWRITE, FOREIGN_KEY, DROP]
# The window stays open from the backfill to the trigger: both would miss a write in between.
ORDERS = {
    "A": [ADD_COLUMN, BACKFILL, TRIGGER, CONCURRENT_INDEX, *LAST],
    "B": [ADD_COLUMN, BACKFILL, CONCURRENT_INDEX, TRIGGER, *LAST],
}
TRANSACTIONAL = [one for one in ORDERS["A"] if one is not CONCURRENT_INDEX]
