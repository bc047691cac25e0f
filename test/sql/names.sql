-- Names: what an applicant types is compared with the registry as people would, and no more.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.given(name text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(p.code, ' ' ORDER BY p.code), 'matched')
      FROM epermit.check_application(jsonb_build_object(
             'channel', 'counter', 'office', 'a counter', 'officer', '020316', 'lang', 'en', 'reason', 'lost',
             'document_kind', 'hk_macau', 'document_no', 'H12345678', 'document_expiry', '2090-12-31',
             'name', $1, 'birth_date', '1985-03-07', 'request_id', '4c1b7a7e-0000-4000-8000-000000000001')) AS p
$$;

BEGIN;
SELECT epermit.register_holder('H12345678', '2090-12-31', '陳衞國', 'CHAN, WAI KWOK', '1985-03-07', 'male', 'HKG') IS NOT NULL;

-- the same name: in either script, form or width, with the spaces that slip in
SELECT given, pg_temp.given(given) FROM unnest(ARRAY[
    '陳衞國', '陳衛國', '陈卫国', ' 陳衞國 ', '　陳衞國　',
    'CHAN, WAI KWOK', 'Chan Wai-Kwok', 'chanwaikwok', 'ＣＨＡＮ　ＷＡＩ　ＫＷＯＫ']) AS given;

-- another name
SELECT given, pg_temp.given(given) FROM unnest(ARRAY[
    '陳國衞', '陳衞', '陳衞國國', '陳惟國', 'CHAN KWOK WAI', 'WAI KWOK', '-', ',']) AS given;

-- no name
SELECT given, pg_temp.given(given) FROM unnest(ARRAY[
    '', '  ', '陳?國', '陳？國', '陳' || chr(65533) || '國', '陳' || chr(8203) || '國', E'陳\t國', repeat('陳', 121)]) AS given;

-- rare characters and the dots of names
UPDATE epermit.holder SET name_zh = '買買提·𠮷力', name_romanised = 'MAIMAITI JILI' WHERE registered_as::text = 'H12345678';
SELECT given, pg_temp.given(given) FROM unnest(ARRAY[
    '買買提·𠮷力', '買買提•𠮷力', '買買提・𠮷力', '買買提‧𠮷力', '買買提･𠮷力', '买买提·𠮷力', '買買提·吉力', '買買提𠮷力']) AS given;
ROLLBACK;
