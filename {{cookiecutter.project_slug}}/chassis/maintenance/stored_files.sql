-- A row for each file, whose content is in a file store: see chassis/core/storage. No migration contains
-- this table. It lies in the schema of the service's tables, which may refer to it.
CREATE TABLE stored_file (
    id uuid PRIMARY KEY,
    owner varchar(255) NOT NULL,
    name varchar(255) NOT NULL,
    media_type varchar(127) NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    sha256 varchar(64) NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    state text NOT NULL CHECK (state IN ('pending', 'ready')),
    key varchar(255) COLLATE "C" NOT NULL UNIQUE,  -- The order of file stores.
    created_at timestamptz NOT NULL,
    version integer NOT NULL
);
CREATE INDEX ON stored_file (owner, id);
CREATE INDEX ON stored_file (id) WHERE state = 'pending';
