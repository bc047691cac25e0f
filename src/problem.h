/*
 * problem.h
 *		What is wrong with an application: every problem, by field and code.
 */
#ifndef EPERMIT_PROBLEM_H
#define EPERMIT_PROBLEM_H

#include "compat.h"

#include "nodes/pg_list.h"

typedef struct Problem
{
	const char *field;			/* name in the application */
	const char *code;			/* of problem_catalog */
	const char *arg;			/* replaces %s in message and hint; NULL: none */
	bool		hidden;			/* audited, not shown: identity.not_matched stands for it */
} Problem;

typedef struct ProblemList
{
	List	   *problems;		/* of Problem *, in the order found */
} ProblemList;

/*
 * field and code are copied, arg too.  An instant is given as "2026-12-01 00:00": the texts
 * themselves say that it is Beijing time, each in its language.
 */
extern void problem_add(ProblemList *list, const char *field, const char *code, const char *arg);
extern void problem_add_hidden(ProblemList *list, const char *field, const char *code);

/*
 * epermit.problem[] of those that are shown, messages in lang: zh-Hant, zh-Hans or en; NULL or
 * another: Traditional Chinese and English, one line each.  Opens its own SPI connection.
 * The caller adds identity.not_matched where it hid problems.
 */
extern Datum problems_array(const ProblemList *list, const char *lang);

/* text[] of all codes, hidden ones too, for the audit log. */
extern Datum problems_codes(const ProblemList *list);

#endif							/* EPERMIT_PROBLEM_H */
