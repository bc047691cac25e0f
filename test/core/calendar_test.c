/*
 * calendar_test.c
 *		Promises of core/calendar.
 */
#include "core/calendar.h"
#include "tap.h"

/* Beijing wall time to an instant, by the textbook. */
static int64_t
beijing(int year, int month, int day, int hour, int minute, int second)
{
	return (int64_t) date_to_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
		8 * 3600;
}

static int
month_of(int year, int month)
{
	return (year - 2000) * 12 + month - 1;
}

static void
real_dates(void)
{
	int			month;

	for (month = 1; month <= 12; month++)
		CHECK(!date_is_real(2026, month, 32));
	CHECK(date_is_real(1, 1, 1));
	CHECK(date_is_real(9999, 12, 31));
	CHECK(date_is_real(2026, 4, 30));
	CHECK(date_is_real(2024, 2, 29));
	CHECK(date_is_real(2000, 2, 29));	/* a multiple of 400 */

	CHECK(!date_is_real(0, 1, 1));
	CHECK(!date_is_real(10000, 1, 1));
	CHECK(!date_is_real(2026, 0, 1));
	CHECK(!date_is_real(2026, 13, 1));
	CHECK(!date_is_real(2026, 1, 0));
	CHECK(!date_is_real(2026, 1, 32));
	CHECK(!date_is_real(2026, 4, 31));
	CHECK(!date_is_real(1978, 2, 29));
	CHECK(!date_is_real(1900, 2, 29));	/* a multiple of 100 only */
	CHECK(!date_is_real(2024, 2, 30));
}

static void
day_numbers(void)
{
	CHECK(date_to_days(1970, 1, 1) == 0);
	CHECK(date_to_days(1969, 12, 31) == -1);
	CHECK(date_to_days(2000, 1, 1) == 10957);
	CHECK(date_to_days(2000, 3, 1) - date_to_days(2000, 2, 28) == 2);
	CHECK(date_to_days(1900, 3, 1) - date_to_days(1900, 2, 28) == 1);
	CHECK(date_to_days(1, 1, 1) == -719162);
	CHECK(date_to_days(9999, 12, 31) == 2932896);
}

/* Walk every day of the calendar, counting by hand. */
static void
every_day(void)
{
	int32_t		days = date_to_days(1, 1, 1);
	int			year,
				month,
				day;
	bool		same = true;

	for (year = 1; year <= 9999; year++)
		for (month = 1; month <= 12; month++)
			for (day = 1; day <= 31 && date_is_real(year, month, day); day++, days++)
			{
				int			y,
							m,
							d;

				days_to_date(days, &y, &m, &d);
				if (y != year || m != month || d != day || date_to_days(y, m, d) != days)
					same = false;
			}
	CHECK(same);
	CHECK(days == date_to_days(9999, 12, 31) + 1);
}

static void
date_literals(void)
{
	int			y,
				m,
				d;

	CHECK(date_parse("19850617", &y, &m, &d) && y == 1985 && m == 6 && d == 17);
	CHECK(date_parse("20240229", &y, &m, &d));
	CHECK(date_parse("20240229trailing", &y, &m, &d));	/* looks at eight characters only */
	CHECK(!date_parse("19780229", &y, &m, &d));
	CHECK(!date_parse("00000101", &y, &m, &d));
	CHECK(!date_parse("1985-6-1", &y, &m, &d));
	CHECK(!date_parse("1985 617", &y, &m, &d));
	CHECK(!date_parse("1985", &y, &m, &d));
	CHECK(!date_parse("", &y, &m, &d));
}

static void
beijing_days(void)
{
	/* 2026-01-31 16:00 UTC is midnight in Beijing, whatever the server's zone. */
	CHECK(beijing(2026, 2, 1, 0, 0, 0) == INT64_C(1769875200));
	CHECK(beijing_day(INT64_C(1769875199)) == date_to_days(2026, 1, 31));
	CHECK(beijing_day(INT64_C(1769875200)) == date_to_days(2026, 2, 1));
	CHECK(beijing_midnight(date_to_days(2026, 2, 1)) == INT64_C(1769875200));

	/* Before 1970 too, where C's division rounds the other way. */
	CHECK(beijing_day(0) == 0);
	CHECK(beijing_day(-8 * 3600) == 0);
	CHECK(beijing_day(-8 * 3600 - 1) == -1);
	CHECK(beijing_day(beijing(1931, 7, 4, 23, 59, 59)) == date_to_days(1931, 7, 4));
}

static void
beijing_months(void)
{
	int			month;

	CHECK(month_of(2000, 1) == 0);
	CHECK(beijing_month(beijing(2000, 1, 1, 0, 0, 0)) == 0);
	CHECK(beijing_month(beijing(2000, 1, 1, 0, 0, 0) - 1) == -1);
	CHECK(beijing_month(beijing(2026, 12, 31, 23, 59, 59)) == month_of(2026, 12));
	CHECK(beijing_month(beijing(2027, 1, 1, 0, 0, 0)) == month_of(2027, 1));

	/* 4,095 is the last that a credential number holds: March 2341. */
	for (month = -400; month <= 4096; month++)
	{
		int			y,
					m,
					d;

		days_to_date(month_first_day(month), &y, &m, &d);
		if (!CHECK(month_of(y, m) == month && d == 1) ||
			!CHECK(month_opens(month) == beijing(y, m, 1, 0, 0, 0)) ||
			!CHECK(beijing_month(month_opens(month)) == month) ||
			!CHECK(beijing_month(month_opens(month + 1) - 1) == month))
			break;
	}
}

static void
validity_exact(void)
{
	int64_t		issued = beijing(2026, 2, 25, 23, 59, 59);

	CHECK(validity_end(VALIDITY_EXACT, issued, 7) == beijing(2026, 3, 4, 23, 59, 59));
	CHECK(validity_end(VALIDITY_EXACT, issued, 30) == issued + 30 * 86400);
}

static void
validity_end_of_day(void)
{
	/* Issued on the 25th, first day excluded: seven full days, to 24:00 of 4 March. */
	int64_t		end = beijing(2026, 3, 5, 0, 0, 0);

	CHECK(validity_end(VALIDITY_END_OF_DAY, beijing(2026, 2, 25, 0, 0, 0), 7) == end);
	CHECK(validity_end(VALIDITY_END_OF_DAY, beijing(2026, 2, 25, 23, 59, 59), 7) == end);
	CHECK(validity_end(VALIDITY_END_OF_DAY, beijing(2026, 2, 26, 0, 0, 0), 7) == end + 86400);
	/* 07:30 in London on the 25th is the afternoon of the 25th in Beijing; 16:30 is the 26th. */
	CHECK(validity_end(VALIDITY_END_OF_DAY, INT64_C(1772004600), 7) == end);
	CHECK(validity_end(VALIDITY_END_OF_DAY, INT64_C(1772037000), 7) == end + 86400);
}

static void
validity_inclusive(void)
{
	/* The day of issue is the first of the seven: to 24:00 of 3 March. */
	int64_t		end = beijing(2026, 3, 4, 0, 0, 0);

	CHECK(validity_end(VALIDITY_INCLUSIVE, beijing(2026, 2, 25, 0, 0, 0), 7) == end);
	CHECK(validity_end(VALIDITY_INCLUSIVE, beijing(2026, 2, 25, 23, 59, 59), 7) == end);
	/* Across a leap day, a day that does exist. */
	CHECK(validity_end(VALIDITY_INCLUSIVE, beijing(2028, 2, 25, 12, 0, 0), 7) ==
		  beijing(2028, 3, 3, 0, 0, 0));
	/* One day ends with it. */
	CHECK(validity_end(VALIDITY_INCLUSIVE, beijing(2026, 12, 31, 9, 0, 0), 1) ==
		  beijing(2027, 1, 1, 0, 0, 0));
}

void
test_calendar(void)
{
	RUN("calendar: leap days and month ends follow the Gregorian rule", real_dates);
	RUN("calendar: days are counted from 1970", day_numbers);
	RUN("calendar: every date of 9,999 years becomes its day number and back", every_day);
	RUN("calendar: a date literal is eight digits of a real date", date_literals);
	RUN("calendar: a day begins at midnight in Beijing", beijing_days);
	RUN("calendar: a month is Beijing's, to the second", beijing_months);
	RUN("calendar: exact validity is N x 24 hours", validity_exact);
	RUN("calendar: end-of-day validity excludes the first day", validity_end_of_day);
	RUN("calendar: inclusive validity counts the day of issue", validity_inclusive);
}
