-- Jobs, and the outbox of messages that the broker has not got yet: see chassis/jobs/.

CREATE TABLE ops.job (
    id uuid PRIMARY KEY,
    task text NOT NULL,
    arguments jsonb NOT NULL,
    owner text,
    trace text,  -- https://www.w3.org/TR/trace-context/
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    result jsonb,
    error text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX job_open ON ops.job (changed_at) WHERE finished_at IS NULL;
CREATE INDEX job_finished ON ops.job (state, finished_at) WHERE finished_at IS NOT NULL;

-- A row for each message to publish. A relay that takes a message leases it by moving `not_before` on.
-- After a failed attempt, a job may have two messages.
CREATE TABLE ops.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL,
    not_before timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01);
CREATE INDEX outbox_due ON ops.outbox (not_before);

CREATE TABLE ops.periodic_task (
    task text PRIMARY KEY,
    next_at timestamptz NOT NULL,
    job_id uuid  -- The last one.
);
