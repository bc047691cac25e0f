/*
 * certificate.c
 *		The paper form of a linkage result: one A4 page as SVG.
 *
 * A counter of the mainland hands it out, so it speaks Simplified Chinese, with the essentials
 * in Traditional Chinese and English.  A unit of the drawing is a tenth of a millimetre.  Nothing
 * is loaded from elsewhere; fonts are named with their usual substitutes.
 *
 * What comes from the database is escaped here, and made to fit its place: an office may have a
 * long name, and nothing may run off the paper.
 *
 * epermit.linkage_certificate_svg() calls this with the token of a committed result, which says
 * all but who handed it out.
 */
#include "compat.h"

#include "core/calendar.h"
#include "core/number.h"
#include "core/utf8.h"
#include "credential.h"
#include "lib/stringinfo.h"
#include "qr.h"
#include "token.h"
#include "types.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(epermit_draw_linkage_certificate);

PGDLLEXPORT Datum epermit_draw_linkage_certificate(PG_FUNCTION_ARGS);

#define PAGE_WIDTH	2100
#define PAGE_HEIGHT	2970
#define LEFT		190
#define RIGHT		(PAGE_WIDTH - LEFT)
#define CENTRE		(PAGE_WIDTH / 2)

#define DOCUMENT_WIDTH 790		/* of the box around a document's number */

#define QR_SIDE		620			/* quiet zones included: 62 mm */

#define INK			"#1b2733"
#define FAINT		"#5b6b7a"
#define ACCENT		"#123f63"
#define LINE		"#b9c7d3"
#define TINT		"#eff4f8"

#define SANS		"'Noto Sans CJK SC','Source Han Sans SC','Source Han Sans CN','PingFang SC'," \
					"'Microsoft YaHei','WenQuanYi Micro Hei','Noto Sans',sans-serif"
#define SANS_HANT	"'Noto Sans CJK TC','Source Han Sans TC','PingFang TC','Microsoft JhengHei'," \
					"'WenQuanYi Micro Hei','Noto Sans',sans-serif"
#define MONO		"'Noto Sans Mono','DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"

/* No name and no birth date: whoever holds both documents shows them. */
typedef struct LinkageCertificate
{
	const char *credential_no;	/* as printed */
	DocumentKind travel_kind;
	Region		region;
	const char *travel_permit_no;	/* masked */
	const char *residence_permit_no;	/* masked */
	int64		issued_at;		/* seconds since 1970, as the next two */
	int64		valid_from;
	int64		valid_until;	/* exclusive */
	const char *office;			/* NULL: issued online */
	const char *officer;		/* NULL: none to name */
	const char *token;			/* text for the QR */
} LinkageCertificate;

static const char *const travel_document_names[] = {
	[KIND_HK_MACAU] = "港澳居民来往内地通行证",
	[KIND_HK_MACAU_FOREIGN] = "港澳居民来往内地通行证（非中国籍）",
	[KIND_TAIWAN] = "台湾居民来往大陆通行证"
};

static const char *const residence_document_names[] = {
	[REGION_HKG] = "港澳居民居住证",
	[REGION_MAC] = "港澳居民居住证",
	[REGION_TWN] = "台湾居民居住证"
};

static const char *const region_names[] = {
	[REGION_HKG] = "香港居民",
	[REGION_MAC] = "澳门居民",
	[REGION_TWN] = "台湾居民"
};

/* The styles of text; sizes come with each text. */
static const char styles[] =
	"<style>"
	"text{font-family:" SANS ";fill:" INK "}"
	".hant{font-family:" SANS_HANT "}"
	".mono{font-family:" MONO "}"
	".faint{fill:" FAINT "}"
	".accent{fill:" ACCENT "}"
	".bold{font-weight:bold}"
	".middle{text-anchor:middle}"
	".end{text-anchor:end}"
	"</style>";

/*
 * One code point as XML text.  Characters that XML 1.0 does not know at all become
 * spaces.
 */
static void
append_escaped(StringInfo out, uint32 codepoint, const char *bytes, int len)
{
	if (codepoint == '&')
		appendStringInfoString(out, "&amp;");
	else if (codepoint == '<')
		appendStringInfoString(out, "&lt;");
	else if (codepoint == '>')
		appendStringInfoString(out, "&gt;");
	else if (codepoint < 0x20 || codepoint == 0x7F || codepoint == 0xFFFE || codepoint == 0xFFFF)
		appendStringInfoChar(out, ' ');
	else
		appendBinaryStringInfo(out, bytes, len);
}

/*
 * Width in hundredths of the font size, on the generous side: no font is at hand to ask.
 * From CJK on (and the punctuation before it) a character is a square.
 */
static int
advance(uint32 codepoint)
{
	if (codepoint >= 0x2E80 || (codepoint >= 0x2000 && codepoint < 0x2070))
		return 100;
	if (codepoint < 0x80 && strchr("MWmw@%", (int) codepoint) != NULL)
		return 96;
	return codepoint >= 'A' && codepoint <= 'Z' ? 70 : 60;
}

static int
text_advance(const char *text)
{
	const uint8 *p = (const uint8 *) text;
	const uint8 *end = p + strlen(text);
	uint32		codepoint;
	int64		sum = 0;

	while (utf8_next(&p, end, &codepoint))
		sum += advance(codepoint);
	return (int) Min(sum, 1000000);
}

/*
 * A line of text of at most this width.  A long one is set smaller, down to three fifths; what
 * is longer still ends in an ellipsis.
 */
static void
append_text(StringInfo out, int x, int y, int size, int width, const char *class, const char *text)
{
	const uint8 *p = (const uint8 *) text;
	const uint8 *end = p + strlen(text);
	int			natural = text_advance(text);
	int			room;

	if (natural * size > width * 100)
		size = Max(width * 100 / natural, size * 3 / 5);
	room = width * 100 / size;

	appendStringInfo(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\" class=\"%s\">",
					 x, y, size, class);
	while (p < end)
	{
		const uint8 *start = p;
		uint32		codepoint;

		if (!utf8_next(&p, end, &codepoint))
			break;
		if (natural > width * 100 / size && room < 100 + advance(codepoint))
		{
			appendStringInfoString(out, "…");
			break;
		}
		room -= advance(codepoint);
		append_escaped(out, codepoint, (const char *) start, (int) (p - start));
	}
	appendStringInfoString(out, "</text>");
}

/* A line that is known to fit: our own words, a number. */
static void
append_label(StringInfo out, int x, int y, int size, const char *class, const char *text)
{
	append_text(out, x, y, size, PAGE_WIDTH, class, text);
}

static void
append_rule(StringInfo out, int right, int y)
{
	appendStringInfo(out, "<path d=\"M%d %dH%d\" stroke=\"" LINE "\" stroke-width=\"3\"/>",
					 LEFT, y, right);
}

/* In Beijing time.  A day's end is written 24:00 of that day, as the law counts. */
static char *
chinese_instant(int64 instant, bool is_end)
{
	int32		day = beijing_day(instant);
	int			second = (int) (instant - beijing_midnight(day));
	int			year,
				month,
				mday;

	if (is_end && second == 0)
	{
		day--;
		second = SECONDS_PER_DAY;
	}
	days_to_date(day, &year, &month, &mday);
	return psprintf("%d年%d月%d日 %02d:%02d:%02d",
					year, month, mday, second / 3600, second / 60 % 60, second % 60);
}

static void
draw_frame(StringInfo out)
{
	appendStringInfo(out,
					 "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
					 "<g fill=\"none\" stroke=\"" ACCENT "\">"
					 "<rect x=\"90\" y=\"90\" width=\"1920\" height=\"2790\" stroke-width=\"6\"/>"
					 "<rect x=\"106\" y=\"106\" width=\"1888\" height=\"2758\" stroke-width=\"2\"/>"
					 "</g>", PAGE_WIDTH, PAGE_HEIGHT);
}

/* A band of waves, for the eye only: what counts is the code. */
static void
draw_waves(StringInfo out, int y)
{
	int			i;

	appendStringInfoString(out, "<g fill=\"none\" stroke=\"" ACCENT "\" stroke-width=\"1.5\""
						   " opacity=\".55\">");
	for (i = 0; i < 6; i++)
	{
		int			height = 8 + 7 * i;
		int			x;

		appendStringInfo(out, "<path d=\"M%d %dq43 -%d 86 0", LEFT, y, height);
		for (x = LEFT + 86; x < RIGHT; x += 86)
			appendStringInfoString(out, "t86 0");
		appendStringInfo(out, "M%d %dq43 %d 86 0", LEFT, y, height);
		for (x = LEFT + 86; x < RIGHT; x += 86)
			appendStringInfoString(out, "t86 0");
		appendStringInfoString(out, "\"/>");
	}
	appendStringInfoString(out, "</g>");
}

static void
draw_heading(StringInfo out)
{
	append_label(out, CENTRE, 320, 112, "middle bold accent", "双证关联核验结果");
	append_label(out, CENTRE, 408, 46, "middle hant", "雙證關聯核驗結果");
	append_label(out, CENTRE, 466, 36, "middle faint", "Dual-Document Linkage Result");
	draw_waves(out, 540);
	append_label(out, CENTRE, 668, 50, "middle bold", "经核验，下列两份证件的持有人为同一人。");
	append_label(out, CENTRE, 726, 34, "middle faint hant",
				 "經核驗，下列兩份證件的持有人為同一人。　The two documents below belong to the same person.");
}

static void
draw_number(StringInfo out, const LinkageCertificate *certificate)
{
	appendStringInfo(out,
					 "<rect x=\"%d\" y=\"780\" width=\"%d\" height=\"210\" rx=\"14\""
					 " fill=\"" TINT "\"/>", LEFT, RIGHT - LEFT);
	append_label(out, CENTRE, 838, 34, "middle faint", "结果编号　Result number");
	append_label(out, CENTRE, 942, 96, "middle bold mono accent", certificate->credential_no);
}

static void
draw_document(StringInfo out, int x, const char *title, const char *name, const char *number,
			  const char *remark)
{
	appendStringInfo(out,
					 "<rect x=\"%d\" y=\"1040\" width=\"%d\" height=\"330\" rx=\"14\" fill=\"#fff\""
					 " stroke=\"" LINE "\" stroke-width=\"4\"/>", x, DOCUMENT_WIDTH);
	append_label(out, x + 44, 1104, 32, "faint", title);
	append_text(out, x + 44, 1172, 48, DOCUMENT_WIDTH - 88, "bold", name);
	append_label(out, x + 44, 1262, 62, "mono", number);
	append_label(out, x + 44, 1332, 34, "faint", remark);
}

static void
draw_documents(StringInfo out, const LinkageCertificate *certificate)
{
	int			i;

	draw_document(out, LEFT, "证件一　Travel permit", travel_document_names[certificate->travel_kind],
				  certificate->travel_permit_no, region_names[certificate->region]);
	draw_document(out, RIGHT - DOCUMENT_WIDTH, "证件二　Residence permit",
				  residence_document_names[certificate->region],
				  certificate->residence_permit_no, region_names[certificate->region]);

	/* Two links of a chain, over the gap: first in white and wider, to cut through the boxes. */
	for (i = 0; i < 2; i++)
		appendStringInfo(out,
						 "<g fill=\"none\" stroke=\"%s\" stroke-width=\"%d\">"
						 "<rect x=\"%d\" y=\"1180\" width=\"84\" height=\"50\" rx=\"25\"/>"
						 "<rect x=\"%d\" y=\"1180\" width=\"84\" height=\"50\" rx=\"25\"/></g>",
						 i == 0 ? "#fff" : ACCENT, i == 0 ? 36 : 13, CENTRE - 72, CENTRE - 12);
}

/* Label and value, with a rule below; right is where the row ends. */
static void
draw_row(StringInfo out, int y, int right, const char *label, const char *english,
		 const char *class, const char *value)
{
	append_label(out, LEFT, y, 38, "", label);
	append_label(out, LEFT, y + 36, 24, "faint", english);
	append_text(out, LEFT + 330, y + 14, 44, right - LEFT - 330, class, value);
	append_rule(out, right, y + 62);
}

static void
draw_details(StringInfo out, const LinkageCertificate *certificate)
{
	int			right = RIGHT;

	draw_row(out, 1446, RIGHT, "有效期", "Valid (Beijing time)", "bold",
			 psprintf("%s 至 %s（北京时间）", chinese_instant(certificate->valid_from, false),
					  chinese_instant(certificate->valid_until, true)));

	if (certificate->office != NULL)
	{
		/* Room for a seal of 42 mm. */
		right = RIGHT - 490;
		appendStringInfo(out,
						 "<circle cx=\"%d\" cy=\"1730\" r=\"210\" fill=\"none\" stroke=\"" LINE "\""
						 " stroke-width=\"3\" stroke-dasharray=\"12 10\"/>", RIGHT - 225);
		append_label(out, RIGHT - 225, 1742, 34, "middle faint", "盖章处");
	}

	draw_row(out, 1556, right, "签发时间", "Issued", "",
			 chinese_instant(certificate->issued_at, false));
	if (certificate->office == NULL)
	{
		draw_row(out, 1666, right, "办理方式", "Channel", "", "网上办理　Online");
		draw_row(out, 1776, right, "效力", "Force", "", "与窗口办理的结果相同　As issued at a counter");
	}
	else
	{
		draw_row(out, 1666, right, "受理单位", "Office", "", certificate->office);
		draw_row(out, 1776, right, "经办人", "Officer", "",
				 certificate->officer ? certificate->officer : "—");
	}
}

static void
draw_qr(StringInfo out, const LinkageCertificate *certificate)
{
	StringInfoData path;
	int			side;

	initStringInfo(&path);
	side = qr_svg_path(&path, certificate->token, strlen(certificate->token));
	appendStringInfo(out,
					 "<svg x=\"%d\" y=\"1910\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
					 " shape-rendering=\"crispEdges\">"
					 "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><path d=\"",
					 LEFT - 20, QR_SIDE, QR_SIDE, side, side, side, side);
	appendBinaryStringInfo(out, path.data, path.len);
	appendStringInfoString(out, "\"/></svg>");
	pfree(path.data);
}

static void
draw_guide(StringInfo out)
{
	static const struct
	{
		const char *zh;
		const char *en;
	}			steps[] = {
		{"请接受方以核验系统扫描左侧二维码；无法扫描时，输入结果编号。",
		"The receiving party scans the code, or types the result number."},
		{"同时输入两份证件上的完整号码，并与持证人出示的原件核对。",
		"It enters the full numbers of both documents and sees the originals."},
		{"以系统返回“有效”为准。结果可能被撤销，不可只凭本页采信。",
		"Only the system's answer counts: a result may have been revoked."}
	};
	int			x = LEFT + QR_SIDE + 50;
	int			width = RIGHT - x - 50;
	int			i;

	append_label(out, x, 1966, 46, "bold accent", "如何核验");
	append_label(out, x + 210, 1966, 30, "faint", "How to verify");
	for (i = 0; i < (int) lengthof(steps); i++)
	{
		int			y = 2056 + 162 * i;

		append_label(out, x, y, 44, "bold accent", psprintf("%d", i + 1));
		append_text(out, x + 50, y, 36, width, "", steps[i].zh);
		append_text(out, x + 50, y + 46, 28, width, "faint", steps[i].en);
	}
}

static void
draw_notes(StringInfo out, const LinkageCertificate *certificate)
{
	static const char *const notes[] = {
		"本页不载姓名和出生日期，证件号码部分隐去，以保护持证人的个人信息。",
		"本结果不是旅行证件，不能用于乘车、登机或出入境。逾期自动失效，可重新申请。如有疑问，请致电 12367。",
		"Numbers are masked to protect the holder. This is not a travel document. Questions: 12367."
	};
	size_t		i;

	append_rule(out, RIGHT, 2596);
	for (i = 0; i < lengthof(notes); i++)
		append_text(out, LEFT, 2652 + 48 * (int) i, 30, RIGHT - LEFT, "faint", notes[i]);
	append_label(out, LEFT, 2826, 26, "faint mono", certificate->credential_no);
	append_label(out, RIGHT, 2826, 26, "end faint", "共 1 页，第 1 页");
}

static text *
draw(const LinkageCertificate *certificate)
{
	StringInfoData out;
	text	   *result;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\""
					 " viewBox=\"0 0 %d %d\" xml:lang=\"zh-Hans\"><title>双证关联核验结果</title>%s",
					 PAGE_WIDTH, PAGE_HEIGHT, styles);
	draw_frame(&out);
	draw_heading(&out);
	draw_number(&out, certificate);
	draw_documents(&out, certificate);
	draw_details(&out, certificate);
	draw_qr(&out, certificate);
	draw_guide(&out);
	draw_notes(&out, certificate);
	appendStringInfoString(&out, "</svg>");

	result = cstring_to_text_with_len(out.data, out.len);
	pfree(out.data);
	return result;
}

/*
 * draw_linkage_certificate(token, office text, officer text) → text
 *		22023: the token is no linkage result.
 */
Datum
epermit_draw_linkage_certificate(PG_FUNCTION_ARGS)
{
	LinkageCertificate certificate;
	CredentialClaims claims;
	DecodedToken token;
	char		number[CREDENTIAL_NO_TEXT + 1];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	token_from_datum(PG_GETARG_DATUM(0), &token);
	if (!credential_claims(CREDENTIAL_LINKAGE, &token, &claims))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the credential is no linkage result")));

	credential_no_format(&claims.no, number);
	certificate.credential_no = number;
	certificate.travel_kind = claims.u.linkage.travel_kind;
	certificate.region = (Region) claims.u.linkage.residence_kind;
	certificate.travel_permit_no = slice_to_string(claims.u.linkage.travel_masked);
	certificate.residence_permit_no = slice_to_string(claims.u.linkage.residence_masked);
	certificate.issued_at = claims.iat;
	certificate.valid_from = claims.nbf;
	certificate.valid_until = claims.exp;
	certificate.office = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	certificate.officer = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	certificate.token = token_to_text(PG_GETARG_DATUM(0));
	PG_RETURN_TEXT_P(draw(&certificate));
}
