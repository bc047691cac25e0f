/*
 * calendar.h
 *		Beijing time (fixed UTC+8), Gregorian dates and the three validity rules.
 *
 * Instants are seconds since 1970-01-01 00:00 UTC; days are counted from
 * 1970-01-01 in Beijing; months from 2000-01.  Nothing here reads the clock or
 * the session's time zone.
 */
#ifndef EPERMIT_CALENDAR_H
#define EPERMIT_CALENDAR_H

#include "slice.h"

#define SECONDS_PER_DAY 86400
#define BEIJING_OFFSET (8 * 3600)

typedef enum ValidityRule
{
	VALIDITY_EXACT = 0,			/* N x 24 h from the second of issue */
	VALIDITY_END_OF_DAY,		/* 24:00 of issue day + N (first day excluded) */
	VALIDITY_INCLUSIVE			/* 24:00 of issue day + N - 1 (card faces) */
} ValidityRule;

extern bool date_is_real(int year, int month, int day);	/* proleptic Gregorian, year 1..9999 */
extern int32_t date_to_days(int year, int month, int day);
extern void days_to_date(int32_t days, int *year, int *month, int *day);
extern bool date_parse(const char *yyyymmdd, int *year, int *month, int *day);	/* 8 digits */

extern int32_t beijing_day(int64_t instant);
extern int64_t beijing_midnight(int32_t day);	/* 00:00, the first instant of that day */
extern int	beijing_month(int64_t instant);
extern int64_t month_opens(int month);			/* first instant of a month */
extern int32_t month_first_day(int month);

/* The exclusive instant at which something of that many days ends. */
extern int64_t validity_end(ValidityRule rule, int64_t issued, int days);

#endif							/* EPERMIT_CALENDAR_H */
