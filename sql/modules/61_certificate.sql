-- The paper form of a linkage result (src/certificate.c).

CREATE FUNCTION epermit.draw_linkage_certificate(token epermit.token, office text, officer text) RETURNS text
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'epermit_draw_linkage_certificate';
COMMENT ON FUNCTION epermit.draw_linkage_certificate(epermit.token, text, text) IS 'One A4 page as SVG from a linkage result''s token and who handed it out (NULL: issued online). Says nothing of the signature. 22023: the token is of another kind.';

CREATE FUNCTION epermit.linkage_certificate_svg(credential_no epermit.credential_no) RETURNS text
    LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT epermit.draw_linkage_certificate(t.token, l.office, l.officer)
      FROM epermit.credential_token($1) t (token)
      LEFT JOIN epermit.linkage l
        ON l.holder_id = epermit.holder_id($1) AND l.credential_no OPERATOR(epermit.=) $1
$$;
COMMENT ON FUNCTION epermit.linkage_certificate_svg(epermit.credential_no) IS 'The paper result: one A4 page in Chinese as SVG, with both masked numbers, validity in Beijing time, the printed number and the QR code. TP008: the calling transaction has not committed it. 42704: no such credential. 22023: the number is a permit''s.';
