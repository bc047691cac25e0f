/*
 * qr.c
 *		QR symbols (ISO/IEC 18004) as terminal text, SVG and PNG.
 *
 * A token is base45, which a symbol's alphanumeric mode holds in 5.5 bits a character.
 * Error correction is level M; text so long that only level L holds it gets that,
 * so that whatever may be presented (WIRE_MAX_TEXT characters) can also be shown.
 *
 * libqrencode hands out malloc'ed memory: it is copied and freed before anything here can raise
 * an error.  libpng allocates with palloc, so its errors are plain PostgreSQL
 * errors and leave nothing behind.
 *
 * The SQL functions of 60_qr.sql and certificate.c are the callers.
 */
#include "compat.h"

#include <errno.h>
#include <png.h>
#include <qrencode.h>

#include "core/wire.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "qr.h"
#include "utils/builtins.h"

#define QUIET_ZONE 4			/* modules of light around a symbol, as the standard asks */
#define MAX_WIDTH 177			/* modules, version 40 */
#define MAX_MODULE_PX 64

typedef struct Symbol
{
	int			width;			/* modules a side, without quiet zones */
	uint8		modules[MAX_WIDTH * MAX_WIDTH]; /* row by row; lowest bit set: dark */
} Symbol;

/* Outside the symbol all is light. */
static bool
is_dark(const Symbol *symbol, int x, int y)
{
	if (x < 0 || y < 0 || x >= symbol->width || y >= symbol->width)
		return false;
	return symbol->modules[y * symbol->width + x] & 1;
}

/* Is it all in the set of alphanumeric mode, which is base45's? */
static bool
is_alphanumeric(const char *text, size_t len)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (memchr(set, text[i], sizeof(set) - 1) == NULL)
			return false;
	}
	return true;
}

/* Returns 0 or an errno; ERANGE where text is too long for this level. */
static int
encode_at(Symbol *symbol, const char *text, size_t len, QRecLevel level)
{
	QRencodeMode mode = is_alphanumeric(text, len) ? QR_MODE_AN : QR_MODE_8;
	QRinput    *input = QRinput_new2(0, level);
	QRcode	   *code = NULL;
	int			error = 0;

	if (input == NULL)
		return errno;
	if (QRinput_append(input, mode, (int) len, (const unsigned char *) text) == 0)
		code = QRcode_encodeInput(input);
	if (code == NULL)
		error = errno;
	else
	{
		symbol->width = code->width;
		memcpy(symbol->modules, code->data, (size_t) code->width * code->width);
		QRcode_free(code);
	}
	QRinput_free(input);
	return error;
}

static Symbol *
encode(const char *text, size_t len)
{
	Symbol	   *symbol = palloc(sizeof(Symbol));
	int			error = ERANGE;

	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no text for a QR code")));
	if (pg_mbstrlen_with_len(text, (int) len) <= WIRE_MAX_TEXT)
	{
		error = encode_at(symbol, text, len, QR_ECLEVEL_M);
		if (error == ERANGE)
			error = encode_at(symbol, text, len, QR_ECLEVEL_L);
	}
	if (error == ERANGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("text is too long for a QR code"),
				 errdetail("A QR code holds up to 4,296 characters of the digits, capital letters, spaces and $%%*+-./: that a token consists of, or 2,953 bytes of other text.")));
	if (error != 0)
	{
		errno = error;
		ereport(ERROR,
				(errcode(error == ENOMEM ?
						 ERRCODE_OUT_OF_MEMORY : ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not make a QR code: %m")));
	}
	return symbol;
}

static Symbol *
encode_text(text *t)
{
	return encode(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

static int
module_px_arg(int px)
{
	if (px < 1 || px > MAX_MODULE_PX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("module_px is out of range"),
				 errdetail("A module is 1 to %d pixels wide, not %d.", MAX_MODULE_PX, px)));
	return px;
}

/* ---------------------------------------------------------------- terminal */

PG_FUNCTION_INFO_V1(epermit_qr_text);
PGDLLEXPORT Datum epermit_qr_text(PG_FUNCTION_ARGS);

/*
 * Two rows of modules a line, light modules as blocks: on a terminal that writes light on dark
 * the symbol is dark on light, as readers expect.
 */
Datum
epermit_qr_text(PG_FUNCTION_ARGS)
{
	/* by (upper is light) + 2 * (lower is light) */
	static const char *const blocks[] = {" ", "\xE2\x96\x80", "\xE2\x96\x84", "\xE2\x96\x88"};
	Symbol	   *symbol = encode_text(PG_GETARG_TEXT_PP(0));
	int			end = symbol->width + QUIET_ZONE;
	StringInfoData out;
	int			x;
	int			y;

	initStringInfo(&out);
	for (y = -QUIET_ZONE; y < end; y += 2)
	{
		if (y > -QUIET_ZONE)
			appendStringInfoChar(&out, '\n');
		for (x = -QUIET_ZONE; x < end; x++)
		{
			int			upper = !is_dark(symbol, x, y);

			/* The number of rows is odd, so the last line has an upper half only. */
			int			lower = y + 1 < end && !is_dark(symbol, x, y + 1);

			appendStringInfoString(&out, blocks[upper + 2 * lower]);
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* ---------------------------------------------------------------- SVG */

/* Every run of dark modules in a row is one rectangle. */
static void
append_path(StringInfo out, const Symbol *symbol)
{
	int			x;
	int			y;

	for (y = 0; y < symbol->width; y++)
	{
		for (x = 0; x < symbol->width; x++)
		{
			int			start = x;

			while (is_dark(symbol, x, y))
				x++;
			if (x > start)
				appendStringInfo(out, "M%d %dh%dv1h-%dz",
								 start + QUIET_ZONE, y + QUIET_ZONE, x - start, x - start);
		}
	}
}

int
qr_svg_path(StringInfo out, const char *text, size_t len)
{
	Symbol	   *symbol = encode(text, len);

	append_path(out, symbol);
	return symbol->width + 2 * QUIET_ZONE;
}

PG_FUNCTION_INFO_V1(epermit_qr_svg);
PGDLLEXPORT Datum epermit_qr_svg(PG_FUNCTION_ARGS);

Datum
epermit_qr_svg(PG_FUNCTION_ARGS)
{
	int			module_px = module_px_arg(PG_GETARG_INT32(1));
	Symbol	   *symbol = encode_text(PG_GETARG_TEXT_PP(0));
	int			side = symbol->width + 2 * QUIET_ZONE;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
					 " viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
					 "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><path d=\"",
					 side * module_px, side * module_px, side, side, side, side);
	append_path(&out, symbol);
	appendStringInfoString(&out, "\"/></svg>");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* ---------------------------------------------------------------- PNG */

static void
png_failed(png_structp png, png_const_charp message)
{
	(void) png;
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("could not write a PNG image: %s", message)));
}

static void
png_warned(png_structp png, png_const_charp message)
{
	(void) png;
	elog(DEBUG1, "libpng: %s", message);
}

static png_voidp
png_palloc(png_structp png, png_alloc_size_t size)
{
	(void) png;
	return palloc(size);
}

static void
png_pfree(png_structp png, png_voidp pointer)
{
	(void) png;
	pfree(pointer);
}

static void
png_append(png_structp png, png_bytep bytes, png_size_t len)
{
	appendBinaryStringInfo(png_get_io_ptr(png), (const char *) bytes, (int) len);
}

static void
png_flushed(png_structp png)
{
	(void) png;
}

/* One row of modules as a row of one-bit pixels, white set. */
static void
fill_row(png_bytep row, const Symbol *symbol, int y, int module_px)
{
	int			side = (symbol->width + 2 * QUIET_ZONE) * module_px;
	int			i;

	memset(row, 0, (side + 7) / 8);
	for (i = 0; i < side; i++)
	{
		if (!is_dark(symbol, i / module_px - QUIET_ZONE, y))
			row[i / 8] |= 0x80 >> (i % 8);
	}
}

PG_FUNCTION_INFO_V1(epermit_qr_png);
PGDLLEXPORT Datum epermit_qr_png(PG_FUNCTION_ARGS);

Datum
epermit_qr_png(PG_FUNCTION_ARGS)
{
	int			module_px = module_px_arg(PG_GETARG_INT32(1));
	Symbol	   *symbol = encode_text(PG_GETARG_TEXT_PP(0));
	int			side = (symbol->width + 2 * QUIET_ZONE) * module_px;
	png_bytep	row = palloc((side + 7) / 8);
	StringInfoData out;
	png_structp png;
	png_infop	info;
	int			y;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);

	png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, png_failed, png_warned,
									NULL, png_palloc, png_pfree);
	info = png_create_info_struct(png);
	png_set_write_fn(png, &out, png_append, png_flushed);
	png_set_IHDR(png, info, side, side, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
				 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (y = -QUIET_ZONE; y < symbol->width + QUIET_ZONE; y++)
	{
		int			i;

		CHECK_FOR_INTERRUPTS();
		fill_row(row, symbol, y, module_px);
		for (i = 0; i < module_px; i++)
			png_write_row(png, row);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);

	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P(out.data);
}
