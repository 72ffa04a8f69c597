-- The service that owns this schema; the revisions of another service are rejected.
CREATE TABLE ops.service (name text PRIMARY KEY);
