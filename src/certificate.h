/*
 * certificate.h
 *		The paper form of a linkage result.
 */
#ifndef EPERMIT_CERTIFICATE_H
#define EPERMIT_CERTIFICATE_H

#include "compat.h"

#include "core/number.h"

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

/* An SVG document: one A4 page. */
extern text *linkage_certificate_svg_draw(const LinkageCertificate *certificate);

#endif							/* EPERMIT_CERTIFICATE_H */
