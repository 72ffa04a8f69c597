-- Whose schema this is: another service with its revisions in the same database is refused.
CREATE TABLE ops.service (name text PRIMARY KEY);
