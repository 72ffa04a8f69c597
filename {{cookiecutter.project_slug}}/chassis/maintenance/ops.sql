-- The state of `db upgrade` and of maintenance windows. No migration contains it, so that none can
-- change it. The migrator creates it while it holds the mutex.

CREATE SCHEMA ops;

CREATE TABLE ops.window (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('manual', 'migration')),
    mode text NOT NULL CHECK (mode IN ('read-only', 'full')),
    phase text NOT NULL CHECK (phase IN (
        'scheduled', 'draining', 'active', 'migrating', 'verifying', 'failed', 'off')),
    message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    starts_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expected_end timestamptz,
    hard_end timestamptz,  -- A window opened by hand ends at this time, whatever its phase says.
    finished_at timestamptz,
    outcome text,
    from_revision text,
    target_revision text,
    CHECK (starts_at < expected_end),
    CONSTRAINT one_at_a_time EXCLUDE USING gist (tstzrange(starts_at, expected_end) WITH &&)
        WHERE (phase = 'scheduled')
);
CREATE UNIQUE INDEX one_open ON ops.window ((true)) WHERE phase NOT IN ('scheduled', 'off');

CREATE TABLE ops.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    window_id bigint NOT NULL REFERENCES ops.window,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    source text NOT NULL CHECK (source IN ('cli', 'api', 'migrator', 'recovery')),
    event text NOT NULL,
    detail text NOT NULL
);

-- A step that was begun and not finished may be half done if it does not run in a transaction.
CREATE TABLE ops.step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    window_id bigint REFERENCES ops.window,
    revision text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('upgrade', 'downgrade')),
    kind text NOT NULL CHECK (kind IN ('transaction', 'autocommit')),
    checksum text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

-- Responses to requests that may be repeated; rows are deleted after a day.
CREATE TABLE ops.idempotency_key (
    key text PRIMARY KEY,
    fingerprint text NOT NULL,
    status integer NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ops.idempotency_key (created_at);

-- The window that is open; else the next one.
CREATE VIEW ops.current_window AS
SELECT id, kind, mode, message, starts_at, expected_end, from_revision, target_revision, is_open,
    CASE WHEN is_open AND phase = 'scheduled' THEN 'active' ELSE phase END AS phase,
    extract(epoch FROM expected_end - clock_timestamp())::float8 AS seconds_left
FROM ops.window, LATERAL (SELECT starts_at <= clock_timestamp() AS is_open) AS time
WHERE phase <> 'off'
    AND (phase NOT IN ('scheduled', 'active') OR coalesce(hard_end > clock_timestamp(), true))
ORDER BY is_open DESC, phase = 'scheduled', starts_at
LIMIT 1;

-- The first statement of each transaction that writes: null, or the window that forbids it.
-- The function never waits: CREATE INDEX CONCURRENTLY would wait for a waiting session's snapshot.
CREATE FUNCTION ops.admit_write(fence bigint, bypass bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    admitted CONSTANT boolean := pg_try_advisory_xact_lock_shared(fence);
    forbidding jsonb;
BEGIN
    -- With a snapshot of its own, so that it sees each window that was committed before the lock
    -- was had.
    SELECT to_jsonb(w) INTO forbidding FROM ops.current_window w
    WHERE is_open AND (id IS DISTINCT FROM bypass OR phase NOT IN ('active', 'verifying'));
    RETURN CASE WHEN admitted THEN forbidding ELSE coalesce(forbidding, '{}') END;
END $$;

CREATE FUNCTION ops.is_held(key bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE datname = current_database() AND locktype = 'advisory' AND granted
            AND (classid::bigint << 32 | objid::bigint) = key AND objsubid = 1)
$$;

CREATE FUNCTION ops.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'What happened is not changed.';
END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON ops.event EXECUTE FUNCTION ops.keep();
