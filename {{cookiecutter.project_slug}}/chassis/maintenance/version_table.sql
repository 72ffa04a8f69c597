-- Alembic's table, created before Alembic creates it, so that its rights are granted with the others.
CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
);
