-- Objects of extensions and partitions are not compared. Inheriting tables are listed, so that they can
-- be left out where the database has them already.

WITH namespaces AS (
    SELECT oid, coalesce(nullif(nspname, :home), '') AS schema FROM pg_namespace n
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'ops')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass
        AND d.objid = n.oid AND d.deptype = 'e')
), relations AS (
    SELECT c.*, n.schema FROM pg_class c JOIN namespaces n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
        AND d.objid = c.oid AND d.deptype = 'e')
), tables AS (
    SELECT * FROM relations r WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relname <> 'alembic_version' AND relname <> ALL (CAST(:beside AS text[]))
), types AS (
    SELECT t.*, n.schema FROM pg_type t JOIN namespaces n ON n.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass
        AND d.objid = t.oid AND d.deptype = 'e')
)
SELECT 'schema' AS kind, schema, '' AS relation, '' AS name, '' AS definition
FROM namespaces WHERE schema <> ''
UNION ALL
SELECT 'table', schema, relname, '', concat_ws(' ', relkind, relpersistence,
    pg_get_partkeydef(oid)) FROM tables
UNION ALL
SELECT 'inherits', schema, relname, '', '' FROM tables
WHERE oid IN (SELECT inhrelid FROM pg_inherits)
UNION ALL
SELECT 'column type', schema, relname, attname, format_type(atttypid, atttypmod)
    || coalesce((SELECT ' COLLATE ' || quote_ident(collname) FROM pg_collation c
        JOIN pg_type p ON p.oid = atttypid
        WHERE c.oid = attcollation AND attcollation <> typcollation), '')
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'column null', schema, relname, attname, CASE WHEN attnotnull THEN 'NOT NULL' ELSE 'NULL' END
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'column default', schema, relname, attname, concat_ws(' ', 'IDENTITY ' || nullif(attidentity::text, ''),
    'GENERATED ' || nullif(attgenerated::text, ''), CASE
    WHEN pg_get_expr(adbin, adrelid) LIKE 'nextval(%' AND EXISTS (SELECT FROM pg_depend s
        WHERE s.refclassid = 'pg_class'::regclass AND s.refobjid = attrelid
        AND s.refobjsubid = attnum AND s.classid = 'pg_class'::regclass AND s.deptype = 'a'
        AND s.objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')) THEN 'serial'
    ELSE pg_get_expr(adbin, adrelid) END)
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = attnum
UNION ALL
SELECT CASE contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique constraint'
    WHEN 'f' THEN 'foreign key' WHEN 'x' THEN 'exclusion constraint' ELSE 'check constraint' END,
    schema, relname, CASE contype WHEN 'p' THEN '' ELSE conname END, pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN tables t ON t.oid = conrelid
WHERE contype IN ('p', 'u', 'f', 'x', 'c') AND conparentid = 0
UNION ALL
SELECT 'index', t.schema, t.relname, i.relname, replace(pg_get_indexdef(i.oid, 0, true),
    ' INDEX ' || quote_ident(i.relname) || ' ON ', ' INDEX ON ')
    || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
FROM pg_index JOIN relations i ON i.oid = indexrelid JOIN tables t ON t.oid = indrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint
    WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'enum', schema, '', typname, (SELECT string_agg(quote_literal(enumlabel), ', '
    ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = types.oid)
FROM types WHERE typtype = 'e'
UNION ALL
SELECT 'domain', schema, '', typname, concat_ws(' ', format_type(typbasetype, typtypmod),
    typnotnull, typdefault, (SELECT string_agg(pg_get_constraintdef(oid), ' ' ORDER BY conname)
    FROM pg_constraint WHERE contypid = types.oid AND contype = 'c'))
FROM types WHERE typtype = 'd'
UNION ALL
SELECT 'sequence', schema, '', relname, format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s '
    'START WITH %s CACHE %s%s', format_type(seqtypid, NULL), seqincrement, seqmin, seqmax, seqstart,
    seqcache, CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END)
FROM relations JOIN pg_sequence ON seqrelid = oid
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = seqrelid AND d.deptype IN ('a', 'i'))
UNION ALL
SELECT 'comment', schema, relname, coalesce(attname, ''), description
FROM tables t JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_class'::regclass
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND attnum = objsubid AND objsubid > 0
