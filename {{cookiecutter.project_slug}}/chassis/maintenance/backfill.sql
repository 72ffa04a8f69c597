-- The progress of backfills, which fill a table in batches: see chassis/migrations/backfill.py.
CREATE TABLE ops.backfill (
    revision text NOT NULL,
    relation text NOT NULL,
    position text,  -- The last key that was done.
    seen bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    expected bigint,  -- Rows by PostgreSQL's statistics; null without statistics.
    seconds double precision NOT NULL DEFAULT 0,  -- The time so far, pauses included.
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (revision, relation)
);
