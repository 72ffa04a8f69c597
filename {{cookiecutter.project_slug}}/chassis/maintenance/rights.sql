-- The migrator's role owns the schema `ops`. The service's role reads it and stores responses.
--
-- The service's role is the one with default privileges on new tables of the owner, which
-- `scripts/roles.sql` grants before or after the first migration. An earlier release gave these rights
-- to PUBLIC. The transaction that revokes them grants them to each role that may write a table of the
-- owner, so that a running service is not interrupted.
DO $$
DECLARE
    owner CONSTANT oid := (SELECT nspowner FROM pg_namespace WHERE oid = 'ops'::regnamespace);
    home CONSTANT oid := (SELECT relnamespace FROM pg_class WHERE oid = 'alembic_version'::regclass);
    of_everybody CONSTANT boolean := EXISTS (
        SELECT FROM pg_namespace, aclexplode(nspacl) WHERE oid = 'ops'::regnamespace AND grantee = 0);
    writer text;
BEGIN
    FOR writer IN
        SELECT grantee::regrole::text FROM pg_default_acl, aclexplode(defaclacl)
        WHERE defaclrole = owner AND defaclobjtype = 'r' AND privilege_type = 'INSERT'
            AND defaclnamespace IN (0, home)
            AND grantee NOT IN (0, owner)
        UNION
        SELECT grantee::regrole::text FROM pg_class, aclexplode(relacl)
        WHERE of_everybody AND relowner = owner AND relkind IN ('r', 'p')
            AND relnamespace <> 'ops'::regnamespace AND oid <> 'alembic_version'::regclass
            AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND grantee NOT IN (0, owner)
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA ops TO %s', writer);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA ops TO %s', writer);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON ops.idempotency_key TO %s', writer);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON ops.job, ops.outbox, ops.periodic_task TO %s', writer);
        EXECUTE format('GRANT SELECT ON alembic_version TO %s', writer);
    END LOOP;
    IF of_everybody THEN
        REVOKE ALL ON ALL TABLES IN SCHEMA ops FROM PUBLIC;
        REVOKE ALL ON SCHEMA ops FROM PUBLIC;
    END IF;
    FOR writer IN
        SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
        FROM pg_class, aclexplode(relacl)
        WHERE oid = 'alembic_version'::regclass AND grantee <> relowner
            AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM %s', writer);
    END LOOP;
END $$;
