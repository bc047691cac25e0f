# epermit: temporary electronic travel permits, issued and verified in SQL.
#
#   make            build            make test     the whole suite, in throw-away clusters
#   make install    install          make demo     a story with real output
#
# The version stands in epermit.control and nowhere else.

EXTENSION = epermit
VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" epermit.control)

MODULE_big = epermit
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/core/*.c)))

MODULES_SQL = $(sort $(wildcard sql/modules/*.sql))
DATA_built = sql/epermit--$(VERSION).sql
DATA = $(wildcard sql/epermit--*--*.sql)

# As a system directory, so that -Wextra speaks of our code only.
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -fvisibility=hidden
SHLIB_LINK = -lsodium -lqrencode -lpng -lz -licui18n -licuuc

PG_CONFIG = pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Headers change rarely and are small: any change rebuilds all.
$(OBJS): $(wildcard src/*.h src/core/*.h)

sql/epermit--$(VERSION).sql: $(MODULES_SQL) epermit.control
	cat $(MODULES_SQL) > $@
