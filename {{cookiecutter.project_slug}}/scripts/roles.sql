-- Two roles instead of a superuser: `service` reads and writes rows and changes no table;
-- `migrator` owns the tables. To be run by a superuser, as often as one likes:
--
--   SERVICE_PASSWORD=... MIGRATION_PASSWORD=... psql "$SUPERUSER_URL" --file scripts/roles.sql
--
-- A database that has tables keeps them: they become the migrator's.
-- Other names: --set service=NAME --set migrator=NAME

\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\getenv service_password SERVICE_PASSWORD
\getenv migration_password MIGRATION_PASSWORD
\if :{?service_password} \else \warn 'SERVICE_PASSWORD is not set.' \endif
\if :{?migration_password} \else \warn 'MIGRATION_PASSWORD is not set.' \endif
\if :{?service} \else \set service service \endif
\if :{?migrator} \else \set migrator migrator \endif

SELECT coalesce(bool_or(rolsuper), false) AS names_a_superuser FROM pg_roles
WHERE rolname IN (:'service', :'migrator') \gset
\if :names_a_superuser
    DO 'BEGIN RAISE ''A superuser is named, who would lose what that is: choose another role.''; END';
\endif

BEGIN;
SET LOCAL client_min_messages = 'warning';
-- Not in the server's log, should it note statements.
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_error_statement = 'panic';

SELECT DISTINCT format('CREATE ROLE %I', name) FROM unnest(ARRAY[:'service', :'migrator']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'service_password';
ALTER ROLE :"migrator" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'migration_password';
-- Of chassis/postgres/engines.py, for connections that a pooler opens.
ALTER ROLE :"service" SET lock_timeout = '2s';
ALTER ROLE :"service" SET statement_timeout = '15s';
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '15s';
-- Else it would not see which transactions it has to wait for.
GRANT pg_read_all_stats TO :"migrator";

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO :"service";
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO :"migrator";
GRANT USAGE, CREATE ON SCHEMA public TO :"migrator";
GRANT USAGE ON SCHEMA public TO :"service";

-- What another role made; what belongs to an extension stays with it, and a column's sequence
-- goes with its table.
CREATE TEMPORARY VIEW moved AS
SELECT 'pg_namespace'::regclass AS catalog, oid, 'SCHEMA' AS kind, nspowner AS owner,
    quote_ident(nspname) AS name FROM pg_namespace WHERE nspname = 'ops'
UNION ALL SELECT 'pg_class'::regclass, oid, 'TABLE', relowner, oid::regclass::text FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace::regnamespace::text IN ('public', 'ops')
UNION ALL SELECT 'pg_proc'::regclass, oid, 'ROUTINE', proowner, oid::regprocedure::text FROM pg_proc
    WHERE pronamespace::regnamespace::text IN ('public', 'ops')
UNION ALL SELECT 'pg_type'::regclass, oid, 'TYPE', typowner, oid::regtype::text FROM pg_type
    WHERE typtype IN ('e', 'd') AND typnamespace::regnamespace::text IN ('public', 'ops');
SELECT format('ALTER %s %s OWNER TO %I', kind, name, :'migrator') FROM moved
WHERE owner <> (SELECT oid FROM pg_roles WHERE rolname = :'migrator') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = catalog AND d.objid = moved.oid
    AND (d.deptype = 'e' OR (d.deptype IN ('a', 'i') AND kind = 'TABLE'
        AND d.refclassid = 'pg_class'::regclass))
) \gexec
DROP VIEW moved;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"service";
-- What `db upgrade` remembers is read, and responses are stored. Where it is not there yet, the
-- first `db upgrade` gives these rights, to the role in the default privileges below.
SELECT 'REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM ' || quote_ident(:'service')
WHERE to_regclass('public.alembic_version') IS NOT NULL AND :'service' <> :'migrator' \gexec
SELECT format(line, :'service') FROM unnest(ARRAY[
    'REVOKE ALL ON SCHEMA ops FROM PUBLIC',
    'REVOKE ALL ON ALL TABLES IN SCHEMA ops FROM PUBLIC',
    'GRANT USAGE ON SCHEMA ops TO %I',
    'GRANT SELECT ON ALL TABLES IN SCHEMA ops TO %I',
    'GRANT INSERT, UPDATE, DELETE ON ops.job, ops.outbox, ops.periodic_task TO %I',
    'GRANT INSERT, UPDATE, DELETE ON ops.idempotency_key TO %I'
]) AS line WHERE to_regclass('ops.idempotency_key') IS NOT NULL \gexec
SELECT 'GRANT INSERT, UPDATE, DELETE ON ops.stored_file TO ' || quote_ident(:'service')
WHERE to_regclass('ops.stored_file') IS NOT NULL \gexec
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO :"service";
COMMIT;
