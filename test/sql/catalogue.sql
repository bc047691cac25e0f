-- What the extension puts into the catalogues: everything says what it is for, every label is one
-- that somebody looked at, and nothing is left open.

\set suite :DBNAME
CREATE DATABASE epermit_catalogue TEMPLATE template0 ENCODING 'UTF8';
\c epermit_catalogue
CREATE EXTENSION epermit;
SET search_path = epermit, pg_catalog;

-- everything is explained: functions, procedures, types, domains, tables, views, sequences, operators
SELECT pg_describe_object(classid, objid, 0) AS unexplained
  FROM (SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace
        UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type t WHERE typnamespace = 'epermit'::regnamespace AND typcategory <> 'A'
                     AND (typrelid = 0 OR (SELECT relkind = 'c' FROM pg_class WHERE oid = typrelid))
        UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relnamespace = 'epermit'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = 'epermit'::regnamespace) AS o (classid, objid)
 WHERE COALESCE(obj_description(objid, classid::regclass::name), '') = '' ORDER BY 1;

-- functions of the types compute and nothing else
SELECT count(*) > 60 AS some, count(*) FILTER (WHERE provolatile <> 'i' OR proparallel <> 's' OR NOT proisstrict OR prosecdef) AS otherwise
  FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace AND proname ~ '^(travel_permit_no|residence_permit_no|mobile_no|credential_no|token)_';

-- all others, with their labels: volatility, parallel safety, STRICT, SECURITY DEFINER
SELECT p.oid::regprocedure AS function,
       CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
       CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       CASE WHEN proisstrict THEN 'strict' END AS strict, CASE WHEN prosecdef THEN 'definer' END AS security
  FROM pg_proc p
 WHERE pronamespace = 'epermit'::regnamespace AND prorettype <> 'trigger'::regtype
   AND proname !~ '^(travel_permit_no|residence_permit_no|mobile_no|credential_no|token)_'
 ORDER BY proname COLLATE "C", p.oid::regprocedure::text COLLATE "C";
SELECT array_agg(proname ORDER BY proname COLLATE "C") AS triggers FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace AND prorettype = 'trigger'::regtype;

-- with the owner's rights only under a path that nobody else can put anything into
SELECT oid::regprocedure AS open_path FROM pg_proc
 WHERE pronamespace = 'epermit'::regnamespace AND prosecdef AND NOT 'search_path=pg_catalog, pg_temp' = ANY (COALESCE(proconfig, '{}')) ORDER BY 1;
-- and none of those is immutable: what it reads changes
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace AND prosecdef AND provolatile = 'i' ORDER BY 1;

-- operator classes are whole, and operators that commute or negate say so
SELECT opcname, amvalidate(oid) AS valid FROM pg_opclass WHERE opcnamespace = 'epermit'::regnamespace ORDER BY opcname COLLATE "C", opcmethod;
SELECT oid::regoperator FROM pg_operator WHERE oprnamespace = 'epermit'::regnamespace AND oprresult = 'boolean'::regtype AND (oprcom = 0 OR oprnegate = 0) ORDER BY 1;

-- the guards of the tables fire always; what only follows from a change does not where the change is a replica's
SELECT tgrelid::regclass AS relation, tgname, CASE tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' END AS fires
  FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
 WHERE relnamespace = 'epermit'::regnamespace AND NOT tgisinternal AND tgenabled <> 'A' ORDER BY relname COLLATE "C", tgname COLLATE "C";

-- who may touch what, but the owner
SELECT c.oid::regclass AS relation, CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END AS kind, CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee,
       string_agg(privilege_type, ' ' ORDER BY privilege_type) AS privileges
  FROM pg_class c, aclexplode(relacl)
 WHERE relnamespace = 'epermit'::regnamespace AND grantee <> relowner GROUP BY c.oid, relname, relkind, grantee ORDER BY relname COLLATE "C", 3;
SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'epermit'::regnamespace AND attacl IS NOT NULL;
SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee, privilege_type AS on_schema FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'epermit' AND grantee <> nspowner;

-- what only computes is everybody's; of the rest, this
SELECT array_agg(proname ORDER BY proname COLLATE "C") AS everybody
  FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace AND (provolatile <> 'i' OR prosecdef) AND has_function_privilege('public', oid, 'EXECUTE');
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'epermit'::regnamespace AND provolatile = 'i' AND NOT prosecdef AND NOT has_function_privilege('public', oid, 'EXECUTE');

-- every table and sequence is dumped, by itself or through another, but those that the extension fills, or whose partitions are
SELECT c.oid::regclass AS not_dumped FROM pg_class c
 WHERE relnamespace = 'epermit'::regnamespace AND relkind IN ('r', 'p', 'S')
   AND NOT EXISTS (SELECT FROM pg_extension, unnest(extconfig, extcondition) AS d (dumped, condition)
                    WHERE extname = 'epermit' AND (dumped = c.oid OR position(format('FROM epermit.%I t', relname) IN condition) > 0))
 ORDER BY relname COLLATE "C";

\c :suite
DROP DATABASE epermit_catalogue;
