"""The tables that the snippets change, created by a first revision, and their rows."""

BASE = '''
    op.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    op.execute("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
    op.create_table(
        "owners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_owners"),
    )
    op.create_table(
        "items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("price", sa.Numeric(8, 2), server_default="0"),
        sa.Column("code", sa.String(20)),
        sa.Column("slug", sa.String(20)),
        sa.Column("owner_id", sa.Integer()),
        sa.Column("made_at", sa.DateTime(timezone=True)),
        sa.Column("mood", sa.Enum("sad", "ok", name="mood", create_type=False)),
        sa.CheckConstraint("length(code) > 0", name="ck_code"),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
    )
    op.create_index("ix_items_title", "items", ["title"])
    op.create_index("ix_items_lower", "items", [sa.text("lower(slug)")])
    op.create_index("ux_items_id", "items", ["id"], unique=True)
    op.create_table(
        "parts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("items.id", name="fk_item")),
    )
    op.execute("""
        CREATE TABLE "Odd Names" (id integer PRIMARY KEY, "select" text, "Table" varchar(10));
        CREATE TABLE keyless (id integer, data jsonb);
        CREATE TABLE events (id integer, day date NOT NULL) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events
            FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        CREATE TABLE logs (id integer, day date NOT NULL) PARTITION BY RANGE (day);
        CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
        CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n;
        CREATE VIEW titles AS SELECT id, made_at FROM items;
        CREATE FUNCTION touch() RETURNS integer LANGUAGE sql
            AS 'UPDATE items SET note = ''x'' RETURNING 1';
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE SCHEMA other;
        CREATE TABLE other.items (id integer PRIMARY KEY, title varchar(10));
    """)
'''

ROWS = """
    INSERT INTO owners SELECT n, 'name' || n FROM generate_series(1, 50000) AS n;
    INSERT INTO items SELECT n, 'title ' || n, 'note', 1, 'c' || n, 's' || n,
        mod(n, 50000) + 1, now(), 'ok' FROM generate_series(1, {rows}) AS n;
    INSERT INTO parts SELECT n, n FROM generate_series(1, 50000) AS n;
    INSERT INTO "Odd Names" SELECT n, 'x', 'y' FROM generate_series(1, 50000) AS n;
    INSERT INTO keyless SELECT n, '{{}}' FROM generate_series(1, 50000) AS n;
    INSERT INTO events SELECT n, '2020-06-01' FROM generate_series(1, 50000) AS n;
    INSERT INTO logs SELECT n, '2020-06-01' FROM generate_series(1, 50000) AS n;
    INSERT INTO other.items SELECT n, 'x' FROM generate_series(1, 50000) AS n;
"""
