/*
 * qr.h
 *		QR symbols as SVG path data, for what other files draw around them.
 */
#ifndef EPERMIT_QR_H
#define EPERMIT_QR_H

#include "compat.h"

#include "lib/stringinfo.h"

/*
 * Append the d attribute of an SVG path that draws the dark modules of text, each 1 x 1, with the
 * quiet zone left around them.  Returns the side of the whole in modules.
 */
extern int	qr_svg_path(StringInfo out, const char *text, size_t len);

#endif							/* EPERMIT_QR_H */
