-- The extension refuses a database whose encoding is not UTF8.

SELECT current_database() AS here \gset
CREATE DATABASE epermit_not_utf8 ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;
\c epermit_not_utf8
CREATE EXTENSION epermit;
SELECT count(*) FROM pg_namespace WHERE nspname = 'epermit';
\c :here
DROP DATABASE epermit_not_utf8;
