/*
 * audit.h
 *		One row per event, written in the transaction of the event.
 */
#ifndef EPERMIT_AUDIT_H
#define EPERMIT_AUDIT_H

#include "compat.h"

#include "core/credential_no.h"
#include "utils/uuid.h"

typedef struct AuditEvent
{
	const char *event;			/* a constant of audit_log's comment */
	const char *department;		/* NULL: none; so for every pointer here */
	int64		holder_id;		/* -1: none */
	const CredentialNo *credential_no;
	const char *purpose;
	const char *verdict;
	Datum		codes;			/* text[]; 0: none */
	bool		attempt;
	const pg_uuid_t *request_id;
	Datum		detail;			/* jsonb; 0: none */
} AuditEvent;

/*
 * Write the event and return its id.  The actor is read here: session user and
 * outer user.  On a standby: TP009, or one JSON line in the server log where
 * epermit.audit_sink is "log" (then the id is 0).  Opens its own SPI connection.
 */
extern int64 audit_write(const AuditEvent *event);

extern void audit_define_settings(void);

#endif							/* EPERMIT_AUDIT_H */
