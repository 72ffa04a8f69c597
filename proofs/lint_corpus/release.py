"""The statements of the running release, and whether they still work after a revision.

A revision is contract if a statement that worked before fails afterwards, or returns values of
another type. The release has its own database role, as in production.
"""
# mypy: ignore-errors

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

ROLE = "corpus_release"
ENTER = f"SET LOCAL ROLE {ROLE}; SET LOCAL search_path = public, pg_temp"
GRANTS = f"""
    DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    GRANT USAGE ON SCHEMA public, other TO {ROLE};
    GRANT ALL ON ALL TABLES IN SCHEMA public, other TO {ROLE};
    GRANT ALL ON ALL SEQUENCES IN SCHEMA public, other TO {ROLE};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public, other GRANT ALL ON TABLES TO {ROLE};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public, other GRANT ALL ON SEQUENCES TO {ROLE};
"""
LONG = "x" * 100
STATEMENTS = (
    "SELECT id, title, note, price, code, slug, owner_id, made_at, mood FROM items WHERE id = 7",
    "SELECT id FROM items WHERE title = 'title 7' AND owner_id = 8 AND mood = 'ok' AND price = 1",
    "INSERT INTO items (id, title, code, slug) VALUES (900001, 'a', 'b', 'c')",
    f"INSERT INTO items (id, title, note) VALUES (900002, '{LONG}', NULL)",
    "INSERT INTO items VALUES (900003, 'a', 'b', 1.25, 'c', 'd', 1, now(), 'sad')",
    "INSERT INTO items (id, title) VALUES (7, 'again') ON CONFLICT (id) DO UPDATE SET title = 'x'",
    "UPDATE items SET title = 'other', price = price + 1, note = lower(note) WHERE id = 7",
    "INSERT INTO items (id, title) VALUES (900004, 'a') RETURNING price",
    "DELETE FROM items WHERE id = 60000",
    "SELECT id, name FROM owners WHERE name = 'name7'",
    "INSERT INTO owners (id, name) VALUES (900001, NULL)",
    "INSERT INTO owners (id) VALUES (7) ON CONFLICT (id) DO NOTHING",
    "INSERT INTO parts (item_id) VALUES (7) RETURNING id",
    "INSERT INTO parts (id, item_id) VALUES (7, 8) ON CONFLICT (id) DO NOTHING",
    "SELECT parts.id FROM parts JOIN items ON items.id = item_id WHERE item_id = 7",
    'SELECT id, "select", "Table" FROM "Odd Names" WHERE id = 7',
    "INSERT INTO \"Odd Names\" VALUES (900001, NULL, '0123456789')",
    "INSERT INTO keyless VALUES (900001, '{}')",
    "SELECT data->>'a' FROM keyless WHERE id = 7",
    "INSERT INTO events VALUES (900001, '2020-02-02')",
    "SELECT id, day FROM events WHERE id = 7",
    "INSERT INTO logs VALUES (900001, '2031-02-02')",
    "SELECT id, day FROM logs WHERE id = 7",
    "SELECT id, title FROM other.items WHERE id = 7",
    "INSERT INTO other.items VALUES (900001, '0123456789')",
    "SELECT n FROM totals",
    "SELECT id, made_at FROM titles WHERE id = 7",
    "SELECT touch() WHERE false",
)


def answers(connection: Connection) -> dict[str, list[set[str]] | None]:
    """Return for each statement the types of its columns; None where it fails."""
    found = {}
    for statement in STATEMENTS:
        with connection.begin_nested() as savepoint:
            connection.exec_driver_sql(ENTER)
            try:
                result = connection.exec_driver_sql(statement)
                rows = result.all() if result.returns_rows else []
                found[statement] = [
                    {type(value).__name__ for value in column if value is not None}
                    for column in zip(*rows, strict=True)
                ]
            except DBAPIError:
                found[statement] = None
            savepoint.rollback()
    return found


def broken(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """List statements that worked, and now fail or return other types. Rows are not compared."""
    return [
        one
        for one, was in before.items()
        if was is not None and not _like(was, after[one], is_new=one.startswith("INSERT"))
    ]


def _like(was: list[set[str]], now: list[set[str]] | None, *, is_new: bool) -> bool:
    """Tell whether the columns still have values of the same types."""
    if now is None:
        return False
    pairs = zip(was, now, strict=bool(was and now))
    return all(old & new or not old or (not new and not is_new) for old, new in pairs)
