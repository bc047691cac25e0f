/*
 * calendar.c
 *		Gregorian dates and Beijing time by arithmetic alone.
 *
 * Beijing has kept UTC+8 without summer time since 1992 and the product does
 * not look back further, so no time zone database is asked: a month or a last
 * day means the same on every server and in every session.
 */
#include "calendar.h"

#define DAYS_PER_CYCLE 146097	/* 400 Gregorian years */
#define EPOCH_MARCH 719468		/* 1970-01-01, counted from 0000-03-01 */
#define EPOCH_MONTH_YEAR 2000

/* Division that rounds down, so that instants before 1970 fall into the right day. */
static int64_t
floor_div(int64_t n, int64_t d)
{
	int64_t		q = n / d;

	return n % d < 0 ? q - 1 : q;
}

static bool
is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool
date_is_real(int year, int month, int day)
{
	static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			last;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	last = month_days[month - 1];
	if (month == 2 && is_leap_year(year))
		last = 29;
	return day <= last;
}

/*
 * Years are taken to begin on 1 March, so that the leap day is a year's last day
 * and the days before a month follow one line: (153 m + 2) / 5.
 */
int32_t
date_to_days(int year, int month, int day)
{
	int64_t		y = month <= 2 ? (int64_t) year - 1 : year;
	int			m = month <= 2 ? month + 9 : month - 3;
	int64_t		cycle = floor_div(y, 400);
	int64_t		year_of_cycle = y - cycle * 400;
	int64_t		day_of_year = (153 * m + 2) / 5 + day - 1;
	int64_t		day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 +
		day_of_year;

	return (int32_t) (cycle * DAYS_PER_CYCLE + day_of_cycle - EPOCH_MARCH);
}

void
days_to_date(int32_t days, int *year, int *month, int *day)
{
	int64_t		n = (int64_t) days + EPOCH_MARCH;
	int64_t		cycle = floor_div(n, DAYS_PER_CYCLE);
	int			day_of_cycle = (int) (n - cycle * DAYS_PER_CYCLE);
	int			year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 -
								 day_of_cycle / 146096) / 365;
	int			day_of_year = day_of_cycle -
		(365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
	int			m = (5 * day_of_year + 2) / 153;

	*day = day_of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int) (cycle * 400) + year_of_cycle + (*month <= 2 ? 1 : 0);
}

bool
date_parse(const char *yyyymmdd, int *year, int *month, int *day)
{
	int			n = 0;
	int			i;

	for (i = 0; i < 8; i++)
	{
		if (yyyymmdd[i] < '0' || yyyymmdd[i] > '9')
			return false;
		n = n * 10 + (yyyymmdd[i] - '0');
	}
	*year = n / 10000;
	*month = n / 100 % 100;
	*day = n % 100;
	return date_is_real(*year, *month, *day);
}

int32_t
beijing_day(int64_t instant)
{
	return (int32_t) floor_div(instant + BEIJING_OFFSET, SECONDS_PER_DAY);
}

int64_t
beijing_midnight(int32_t day)
{
	return (int64_t) day * SECONDS_PER_DAY - BEIJING_OFFSET;
}

int
beijing_month(int64_t instant)
{
	int			year,
				month,
				day;

	days_to_date(beijing_day(instant), &year, &month, &day);
	return (year - EPOCH_MONTH_YEAR) * 12 + month - 1;
}

int32_t
month_first_day(int month)
{
	int			year = (int) floor_div(month, 12);

	return date_to_days(EPOCH_MONTH_YEAR + year, month - year * 12 + 1, 1);
}

int64_t
month_opens(int month)
{
	return beijing_midnight(month_first_day(month));
}

int64_t
validity_end(ValidityRule rule, int64_t issued, int days)
{
	switch (rule)
	{
		case VALIDITY_EXACT:
			break;
		case VALIDITY_END_OF_DAY:
			return beijing_midnight(beijing_day(issued) + days + 1);
		case VALIDITY_INCLUSIVE:
			return beijing_midnight(beijing_day(issued) + days);
	}
	return issued + (int64_t) days * SECONDS_PER_DAY;
}
