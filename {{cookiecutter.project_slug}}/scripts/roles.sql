-- Two roles instead of a superuser: `service` reads and writes rows and changes no table;
-- `migrator` owns the tables. A superuser runs this script, any number of times:
--
--   SERVICE_PASSWORD=... MIGRATION_PASSWORD=... psql "$SUPERUSER_URL" --file scripts/roles.sql
--
-- A database that has tables keeps them: they become the migrator's.
-- Other names: --set service=NAME --set migrator=NAME; a schema of the service's own, where several
-- share a database: --set schema=NAME

\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\getenv service_password SERVICE_PASSWORD
\getenv migration_password MIGRATION_PASSWORD
\if :{?service_password} \else \warn 'SERVICE_PASSWORD is not set.' \endif
\if :{?migration_password} \else \warn 'MIGRATION_PASSWORD is not set.' \endif
\if :{?service} \else \set service service \endif
\if :{?migrator} \else \set migrator migrator \endif
\if :{?schema} \else \set schema public \endif
SELECT CASE :'schema' WHEN 'public' THEN 'ops' ELSE :'schema' || '_ops' END AS ops \gset

SELECT coalesce(bool_or(rolsuper), false) AS names_a_superuser FROM pg_roles
WHERE rolname IN (:'service', :'migrator') \gset
\if :names_a_superuser
    DO 'BEGIN RAISE ''A named role is a superuser, and would lose its rights: choose another role.''; END';
\endif

BEGIN;
SET LOCAL client_min_messages = 'warning';
-- Keeps the passwords out of the server's log.
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_error_statement = 'panic';

SELECT DISTINCT format('CREATE ROLE %I', name) FROM unnest(ARRAY[:'service', :'migrator']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'service_password';
ALTER ROLE :"migrator" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'migration_password';
-- The limits of chassis/postgres/engines.py, for connections that a pooler opens.
ALTER ROLE :"service" SET lock_timeout = '2s';
ALTER ROLE :"service" SET statement_timeout = '15s';
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '15s';
-- Else the migrator could not see the transactions that it has to wait for.
GRANT pg_read_all_stats TO :"migrator";

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS :"schema";
GRANT CONNECT ON DATABASE :"DBNAME" TO :"service";
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO :"migrator";
GRANT USAGE, CREATE ON SCHEMA :"schema" TO :"migrator";
GRANT USAGE ON SCHEMA :"schema" TO :"service";

-- Objects of other roles. Objects of an extension stay with it, and a column's sequence goes with its
-- table.
CREATE TEMPORARY VIEW moved AS
SELECT 'pg_namespace'::regclass AS catalog, oid, 'SCHEMA' AS kind, nspowner AS owner,
    quote_ident(nspname) AS name FROM pg_namespace WHERE nspname = :'ops'
UNION ALL SELECT 'pg_class'::regclass, oid, 'TABLE', relowner, oid::regclass::text FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace::regnamespace::text IN (:'schema', :'ops')
UNION ALL SELECT 'pg_proc'::regclass, oid, 'ROUTINE', proowner, oid::regprocedure::text FROM pg_proc
    WHERE pronamespace::regnamespace::text IN (:'schema', :'ops')
UNION ALL SELECT 'pg_type'::regclass, oid, 'TYPE', typowner, oid::regtype::text FROM pg_type
    WHERE typtype IN ('e', 'd') AND typnamespace::regnamespace::text IN (:'schema', :'ops');
SELECT format('ALTER %s %s OWNER TO %I', kind, name, :'migrator') FROM moved
WHERE owner <> (SELECT oid FROM pg_roles WHERE rolname = :'migrator') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = catalog AND d.objid = moved.oid
    AND (d.deptype = 'e' OR (d.deptype IN ('a', 'i') AND kind = 'TABLE'
        AND d.refclassid = 'pg_class'::regclass))
) \gexec
DROP VIEW moved;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" TO :"service";
-- The service reads the state of `db upgrade` and stores responses. Where these tables do not exist yet,
-- the first `db upgrade` grants the rights to the role in the default privileges below.
SELECT format('REVOKE INSERT, UPDATE, DELETE ON %I.alembic_version FROM %I', :'schema', :'service')
WHERE to_regclass(quote_ident(:'schema') || '.alembic_version') IS NOT NULL
    AND :'service' <> :'migrator' \gexec
SELECT format(line, :'ops', :'service') FROM unnest(ARRAY[
    'REVOKE ALL ON SCHEMA %1$I FROM PUBLIC',
    'REVOKE ALL ON ALL TABLES IN SCHEMA %1$I FROM PUBLIC',
    'GRANT USAGE ON SCHEMA %1$I TO %2$I',
    'GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO %2$I',
    'GRANT INSERT, UPDATE, DELETE ON %1$I.job, %1$I.outbox, %1$I.periodic_task TO %2$I',
    'GRANT INSERT, UPDATE, DELETE ON %1$I.idempotency_key TO %2$I'
]) AS line WHERE to_regclass(quote_ident(:'ops') || '.idempotency_key') IS NOT NULL \gexec
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA :"schema" TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA :"schema"
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA :"schema"
    GRANT USAGE, SELECT ON SEQUENCES TO :"service";
COMMIT;
