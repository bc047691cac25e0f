#!/bin/sh
# A story with real output: three people, three departments, an airline, a forger.
#
# Run it with "make demo", which gives it a throw-away cluster.  Every answer is held
# against what the story says; the first that differs ends the demo with status 1.
set -eu

# All times below are Beijing's.
PGTZ=Asia/Shanghai PGOPTIONS='-c client_min_messages=warning'
export PGTZ PGOPTIONS

out=build/demo		# with-postgres brings it back to the checkout
mkdir -p "$out"

# What the statements below may use as :'attestation', :'application' and so on.
attestation='' application='' no='' qr='' keys=''
answer=''

# ---------------------------------------------------------------- telling, asking, checking

if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

chapter()
{
	printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

tell()
{
	printf '\n'
	printf '%s\n' "$@"
}

sql()		# database, role, statement, options of psql
{
	database=$1 role=$2 statement=$3
	shift 3
	printf 'SET ROLE %s;\n%s\n' "$role" "$statement" |
		psql -X -q -d "$database" -v ON_ERROR_STOP=1 -P footer=off \
			-v attestation="$attestation" -v application="$application" \
			-v no="$no" -v qr="$qr" -v keys="$keys" "$@"
}

# Show what somebody asks and what is answered.
ask()		# database, role, statement, options of psql
{
	printf '\n%s@%s=> %s\n' "$2" "$1" "$3"
	answer=$(sql "$@") || fail "the statement above failed"
	printf '%s\n' "$answer"
}

# The bare value, not shown.
value()		# database, role, statement
{
	sql "$@" -A -t
}

expect()	# texts that the answer must hold
{
	for text in "$@"; do
		case $answer in
			*"$text"*) ;;
			*) fail "expected in the answer above: $text" ;;
		esac
	done
}

fail()
{
	printf '\ndemo: the story went wrong: %s\n' "$1" >&2
	exit 1
}

# One live portrait, one application: every attempt needs a fresh attestation.
attest()	# database, document number
{
	attestation=$(value "$1" epermit_attestor "SELECT epermit.attest('$2');")
}

# ---------------------------------------------------------------- the stage

# What the registrar knows.
registry="
	SELECT epermit.register_holder('H12345678', '2031-05-31',
		'陳大文', 'CHAN, TAI MAN', '1985-06-15', 'male', 'HKG');
	SELECT epermit.register_residence_permit(
		epermit.register_holder('M87654321', '2033-01-20',
			'何𤧬芳', 'HO, CHONG FONG', '1990-05-05', 'female', 'MAC'),
		'820000199005050044', '2029-08-01');
	SELECT epermit.register_residence_permit(
		epermit.register_holder('01234567', '2030-11-30',
			'林𠮷祥', 'LIN, CHI-HSIANG', '1978-11-12', 'male', 'TWN'),
		'830000197811120011', '2028-03-15');"

create_keys="SELECT usage, epermit.create_signing_key(usage) AS kid
  FROM unnest('{permit, linkage, status, attestation}'::epermit.key_usage[]) AS usage;"

chapter 'The stage'
tell "The administration's database gets its signing keys, and knows three people. Two of their names" \
	'hold characters beyond the first 65,536 of Unicode.'
createdb epermit
value epermit postgres 'CREATE EXTENSION epermit;'
ask epermit epermit_keeper "$create_keys"
value epermit epermit_registrar "$registry" >/dev/null
ask epermit epermit_registrar "SELECT travel_permit_no, name_zh, name_romanised, region,
       t.valid_until, residence_permit_no
  FROM epermit.holder JOIN epermit.travel_permit t USING (holder_id)
  LEFT JOIN epermit.residence_permit USING (holder_id) ORDER BY region;"
expect '陳大文' '何𤧬芳' '林𠮷祥' ' 01234567 '

tell 'Departments are database roles. Each is granted purposes, and the fields it may see.'
value epermit postgres "
	CREATE ROLE china_rail IN ROLE epermit_verifier;
	CREATE ROLE hotels IN ROLE epermit_verifier;
	CREATE ROLE a_bank IN ROLE epermit_verifier;"
ask epermit epermit_admin "SELECT epermit.register_department('rail', 'China Railway', 'china_rail',
           '{rail}', '{holder_name, birth_date, document_no}');
SELECT epermit.register_department('hotels', 'Hotels', 'hotels', '{lodging}', '{}');
SELECT epermit.register_department('bank', 'A bank', 'a_bank', '{finance}', '{}');" -A -t

# ---------------------------------------------------------------- permits

chapter 'A lost card'
tell 'Chan Tai Man of Hong Kong lost his travel permit and has a train to catch. He holds his face' \
	'to the camera and fills in the form in a hurry. Four fields are wrong; he is told which.'
attest epermit H12345678
ask epermit epermit_issuer "SELECT p.field, p.code, p.message
  FROM epermit.issue_permit(jsonb_build_object(
           'document_kind', 'hk_macau', 'document_no', 'H12345678', 'name', '陳?文',
           'birth_date', '1985-02-30', 'mobile_no', '+852 9123 4567', 'reason', 'lost',
           'request_id', gen_random_uuid(), 'attestation', :'attestation')) AS i,
       unnest(i.problems) AS p;"
expect name.charset birth_date.invalid mobile_no.prefix document_expiry.missing
expect 姓名 出生日期 手機 有效期限
[ "$(printf '%s\n' "$answer" | grep -c '^ [a-z_]')" = 4 ] || fail 'there should be four problems'

# His application with everything right, new each time.
complete="jsonb_build_object(
           'document_kind', 'hk_macau', 'document_no', 'H12345678', 'document_expiry', '2031-05-31',
           'name', '陳大文', 'birth_date', '1985-06-15', 'mobile_no', '+86 138 0013 8000',
           'reason', 'lost', 'request_id', gen_random_uuid(), 'attestation', :'attestation')"
apply()		# database
{
	attest "$1" H12345678
	application=$(value "$1" postgres "SELECT $complete;")
}

tell 'He corrects them, and the permit is there.'
attest epermit H12345678
ask epermit epermit_issuer "SELECT * FROM epermit.issue_permit($complete) \gx"
expect '| T-' '{rail,air}' '{}'
no=$(printf '%s\n' "$answer" | sed -n 's/^credential_no *| //p')

tell 'Once the transaction has committed, and not before, there is a token to show.'
qr=$(value epermit epermit_issuer "SELECT epermit.credential_token(:'no');")
ask epermit epermit_issuer "SELECT epermit.qr_text(epermit.credential_token(:'no'));" -A -t
expect '█'
value epermit epermit_issuer "SELECT epermit.qr_svg(:'qr');" >"$out/permit.svg"

chapter 'On the train, at the hotel, at the border'
tell 'The railway scans it. It sees the fields that it was granted, and no more.'
ask epermit china_rail "SELECT ok, verdict, holder_name, name_romanised, birth_date, document_no, valid_until
  FROM epermit.verify_permit(:'qr', 'rail') \gx"
expect '| t' '| valid' '陳大文' 1985-06-15 'H1****678'

tell 'The number printed below the code serves too. One character misread is called just that.'
ask epermit china_rail "SELECT ok, verdict, holder_name FROM epermit.verify_permit(:'no', 'rail');"
expect ' t ' ' valid ' '陳大文'
last=${no#"${no%?}"}
wrong=7
[ "$last" != 7 ] || wrong=8
right=$no no=${no%?}$wrong
ask epermit china_rail "SELECT ok, verdict FROM epermit.verify_permit(:'no', 'rail');"
expect mistyped
no=$right

tell 'A hotel asks for lodging, which the policy does not grant such permits. Nobody is let across' \
	'the border with one.'
ask epermit hotels "SELECT ok, verdict FROM epermit.verify_permit(:'qr', 'lodging');"
expect out_of_scope
ask epermit hotels "SELECT ok, verdict FROM epermit.verify_permit(:'qr', 'border');"
expect out_of_scope

tell 'An airline checks in its own database, which knows nothing but the public keys.'
createdb airline
value airline postgres 'CREATE EXTENSION epermit;'
keys=$(value epermit postgres 'SELECT epermit.jwks();')
value airline epermit_keeper "SELECT epermit.import_jwks(:'keys', 'permit');" >/dev/null
ask airline postgres "SELECT ok, verdict, holder_name, document_no, valid_until
  FROM epermit.verify_offline(:'qr', 'air');"
expect ' t ' ' valid ' '陳大文'

chapter 'Two a month'
tell 'He loses his phone as well and applies again. That is the second permit of the month.'
apply epermit
ask epermit epermit_issuer "SELECT credential_no, quota_used, quota_remaining, problems
  FROM epermit.issue_permit(:'application');"
expect ' T-' ' 2 ' ' 0 ' '{}'

tell 'The third is refused, with the moment at which the next month opens, Beijing time.'
apply epermit
ask epermit epermit_issuer "SELECT p.code, p.message, p.hint
  FROM epermit.issue_permit(:'application') AS i, unnest(i.problems) AS p \gx"
next=$(value epermit postgres "SELECT to_char(date_trunc('month', now()) + '1 month', 'YYYY-MM-DD HH24:MI');")
expect quota.exceeded "$next"
ask epermit epermit_issuer "SELECT * FROM epermit.quota_status('H12345678');"
expect "$next"

chapter 'Forgeries'
tell 'One character of the code changed: that is no token any more.'
genuine=$qr
head=$(printf %s "$qr" | cut -c 1-200) tail=$(printf %s "$qr" | cut -c 202-)
case $(printf %s "$qr" | cut -c 201) in
	0) qr=${head}1$tail ;;
	*) qr=${head}0$tail ;;
esac
ask epermit china_rail "SELECT ok, verdict, holder_name FROM epermit.verify_permit(:'qr', 'rail');"
expect ' f ' malformed

tell 'A forger installs the same software, registers the same man, and signs with a key of his own.'
createdb forger
value forger postgres 'CREATE EXTENSION epermit;'
value forger epermit_keeper "$create_keys" >/dev/null
value forger epermit_registrar "$registry" >/dev/null
apply forger
no=$(value forger epermit_issuer "SELECT credential_no FROM epermit.issue_permit(:'application');")
qr=$(value forger epermit_issuer "SELECT epermit.credential_token(:'no');")
ask epermit china_rail "SELECT ok, verdict, holder_name FROM epermit.verify_permit(:'qr', 'rail');"
expect ' f ' unknown_key
qr=$genuine

# ---------------------------------------------------------------- linkage

chapter 'Two documents, one person'
tell 'Ho Chong Fong of Macao opens a bank account: the bank wants to know that her travel permit and' \
	'her residence permit belong to the same person. She applies online.'
attest epermit M87654321
ask epermit epermit_issuer "SELECT credential_no, valid_from, valid_until, clipped, problems
  FROM epermit.link_documents(jsonb_build_object(
           'document_kind', 'hk_macau', 'document_no', 'M87654321', 'document_expiry', '2033-01-20',
           'name', '何𤧬芳', 'birth_date', '1990-05-05', 'mobile_no', '13912345678',
           'residence_permit_no', '820000199005050044', 'residence_permit_expiry', '2029-08-01',
           'request_id', gen_random_uuid(), 'attestation', :'attestation')) \gx"
expect 'L-' '{}'
no=$(printf '%s\n' "$answer" | sed -n 's/^credential_no *| //p')
qr=$(value epermit epermit_issuer "SELECT epermit.credential_token(:'no');")

tell 'The bank scans her code and enters the two numbers; then those of another person.'
ask epermit a_bank "SELECT ok, verdict, valid_until FROM epermit.verify_linkage(
           :'qr', 'M87654321', '820000199005050044', 'finance');"
expect ' t ' valid
ask epermit a_bank "SELECT ok, verdict, valid_until FROM epermit.verify_linkage(
           :'qr', 'M87654321', '830000197811120011', 'finance');"
expect ' f ' not_linked

tell 'In thirty days it will have ended: the same question, asked as of then and without the database,' \
	'since who holds both numbers and the birth date can check it by the public key alone.'
ask epermit a_bank "SELECT ok, verdict, checked_at FROM epermit.verify_linkage_offline(
           :'qr', 'M87654321', '820000199005050044', '1990-05-05', 'finance', now() + interval '30 days');"
expect ' f ' expired

tell 'Lin of Taiwan goes to a police counter, shows his documents, and leaves with a sheet of paper.'
ask epermit epermit_officer "SELECT credential_no, valid_until, problems
  FROM epermit.link_documents(jsonb_build_object(
           'document_kind', 'taiwan', 'document_no', '01234567', 'document_expiry', '2030-11-30',
           'name', '林𠮷祥', 'birth_date', '1978-11-12', 'mobile_no', '18600001111',
           'residence_permit_no', '830000197811120011', 'residence_permit_expiry', '2028-03-15',
           'request_id', gen_random_uuid(),
           'channel', 'counter', 'office', '350100', 'officer', '061234')) \gx"
expect 'L-' '{}'
no=$(printf '%s\n' "$answer" | sed -n 's/^credential_no *| //p')
value epermit epermit_officer "SELECT epermit.linkage_certificate_svg(:'no');" >"$out/linkage-certificate.svg"
grep -q '<svg' "$out/linkage-certificate.svg" || fail 'the certificate is no SVG'
tell "The sheet: $out/linkage-certificate.svg"

tell 'He left it at home. The bank asks without it, and paper counts as much as online.'
ask epermit a_bank "SELECT ok, verdict, credential_no, valid_until
  FROM epermit.documents_linked('01234567', '830000197811120011', 'finance') \gx"
expect valid "$no"

# ---------------------------------------------------------------- afterwards

chapter 'Who asked?'
tell 'Everything above is on record: who asked, when, for what. The rest is in the README.'
ask epermit epermit_auditor "SELECT * FROM epermit.checks_on_holder('H12345678');"
expect ' rail ' ' hotels ' ' lodging '

printf '\n%sThe demo ends here; every answer was as told.%s\n' "$bold" "$plain"
