-- As Alembic makes it, but before it does, so that its rights are settled with the others.
CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
);
