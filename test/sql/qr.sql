-- QR codes: shape, limits and errors.  That scanners read them is test/t/qr.pl's to show.
\pset format unaligned
\pset tuples_only on

-- light modules are drawn, so this is dark on light where the terminal is dark
SELECT epermit.qr_text('HELLO WORLD'::text);

-- as wide as the symbol and two quiet zones of 4, two rows of modules a line
SELECT count(*), min(length(line)), max(length(line))
  FROM unnest(string_to_array(epermit.qr_text('HELLO WORLD'::text), E'\n')) AS line;

SELECT left(epermit.qr_svg('HELLO WORLD'::text), 173);
SELECT left(epermit.qr_svg('HELLO WORLD'::text, 1), 78);

-- PNG signature and IHDR: width, height, one bit, greyscale, not interlaced
CREATE FUNCTION pg_temp.png_header(bytea) RETURNS text LANGUAGE sql
    RETURN concat_ws(' ', substr($1, 1, 8), ('x' || encode(substr($1, 17, 4), 'hex'))::bit(32)::int,
                     ('x' || encode(substr($1, 21, 4), 'hex'))::bit(32)::int, substr($1, 25, 5));
SELECT px, pg_temp.png_header(epermit.qr_png('HELLO WORLD'::text, px)) FROM unnest(ARRAY[1, 4, 7, 64]) AS px;
SELECT epermit.qr_png('HELLO WORLD'::text) = epermit.qr_png('HELLO WORLD'::text, 4) AS default_is_4;

-- a token is alphanumeric: 420 characters fit version 13 (69 modules); in bytes they take version 16 (81)
CREATE FUNCTION pg_temp.modules(text) RETURNS int LANGUAGE sql
    RETURN length(split_part(epermit.qr_text($1), E'\n', 1)) - 8;
SELECT pg_temp.modules(repeat('NCFOXN%TSM:-', 35)), pg_temp.modules(repeat('ncfoxn%tsm:-', 35));

-- up to the largest symbol, level M and then level L
SELECT n, pg_temp.modules(repeat('A', n)) FROM unnest(ARRAY[1, 20, 21, 3391, 3392, 4296]) AS n;
SELECT epermit.qr_text(repeat('A', 4297));
SELECT epermit.qr_svg(repeat('9', 4297));
SELECT pg_temp.modules(repeat('證', 984));
SELECT epermit.qr_png(repeat('證', 985));
SELECT epermit.qr_png(repeat('x', 1000000));
\echo :LAST_ERROR_SQLSTATE

-- nothing to show
SELECT epermit.qr_text(''::text);
SELECT epermit.qr_svg(''::text);
SELECT epermit.qr_png(''::text);
\echo :LAST_ERROR_SQLSTATE

-- module sizes
SELECT epermit.qr_svg('A'::text, 0);
SELECT epermit.qr_png('A'::text, 65);
SELECT epermit.qr_png('A'::text, -2147483648);
\echo :LAST_ERROR_SQLSTATE

-- of a token: of its text
SELECT epermit.qr_text(t) = epermit.qr_text(t::text), epermit.qr_svg(t, 3) = epermit.qr_svg(t::text, 3),
       epermit.qr_png(t) = epermit.qr_png(t::text)
  FROM (SELECT 'NCFOXN%TSMAHO.JDSKCFUN5S EHBV5XD4RR5L P*C5NP9699KZ5OC9HJI3RRU5PBH5F:M0QNTU19SM046NWN%5FD/7.9WA+J.K65/A :CGQUUW6TF6.969O6ICM*7CG4M3FPALPBD7P SUPIDBQB.MJTC0JBDAJCAJTNJ$J6M$4BUFFB1E676978B5D67KJ5NK78FH7ALY-KRTGUY4283HYFQP5O.MA20CEIFGWPL1JRH3E23J9.XSOH67M9ZW4A1LV59.DM/:TV$5:RPXDIL3569525NV9RTDNO8O3DSF+PYI6JB8SDL5 SQ-GT9TGTRZEM-7NIW4HK5IWHH8C21TL8OA3EJW3-F7S3U6KV3H5O27CFAIOF*-192O+614FW.KUP9H+L20QG%ODCBRE5L740OPC$3'::epermit.token AS t) AS v;
SELECT epermit.qr_text(NULL::text) IS NULL, epermit.qr_svg(NULL::epermit.token) IS NULL,
       epermit.qr_png('A'::text, NULL) IS NULL;

-- anyone may call them, anywhere
SELECT p.oid::regprocedure, p.provolatile, p.proparallel, p.proisstrict, has_function_privilege('public', p.oid, 'execute')
  FROM pg_proc p
 WHERE p.pronamespace = 'epermit'::regnamespace AND p.proname IN ('qr_text', 'qr_svg', 'qr_png')
 ORDER BY p.oid::regprocedure::text COLLATE "C";
