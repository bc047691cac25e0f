-- QR symbols: what a holder shows, as text for a terminal, SVG or PNG.

CREATE FUNCTION epermit.qr_text(content text) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_qr_text';
CREATE FUNCTION epermit.qr_svg(content text, module_px int DEFAULT 4) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_qr_svg';
CREATE FUNCTION epermit.qr_png(content text, module_px int DEFAULT 4) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_qr_png';

CREATE FUNCTION epermit.qr_text(token epermit.token) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN epermit.qr_text(token::pg_catalog.text);
CREATE FUNCTION epermit.qr_svg(token epermit.token, module_px int DEFAULT 4) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN epermit.qr_svg(token::pg_catalog.text, module_px);
CREATE FUNCTION epermit.qr_png(token epermit.token, module_px int DEFAULT 4) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN epermit.qr_png(token::pg_catalog.text, module_px);

COMMENT ON FUNCTION epermit.qr_text(text) IS 'QR code for a terminal: half blocks, light modules drawn, so that it reads on terminals that write light on dark (in psql: \pset format unaligned). Error correction level M, or L where only that holds the text; quiet zone 4. 22023: empty, or longer than the 4,296 characters a QR code holds.';
COMMENT ON FUNCTION epermit.qr_svg(text, int) IS 'QR code as an SVG image, module_px (1 to 64) pixels a module; otherwise as qr_text(text).';
COMMENT ON FUNCTION epermit.qr_png(text, int) IS 'QR code as a 1-bit PNG image, module_px (1 to 64) pixels a module; otherwise as qr_text(text).';
COMMENT ON FUNCTION epermit.qr_text(epermit.token) IS 'As qr_text(text), of the token''s text form: what verify_permit and verify_offline read.';
COMMENT ON FUNCTION epermit.qr_svg(epermit.token, int) IS 'As qr_svg(text, int), of the token''s text form.';
COMMENT ON FUNCTION epermit.qr_png(epermit.token, int) IS 'As qr_png(text, int), of the token''s text form.';
