# epermit: temporary electronic travel permits, issued and verified in SQL.
#
#   make               build
#   make install       install
#   make deps          get what is missing, by Debian package name
#   make demo          a story with real output
#   make test          the whole suite; one of it: make test TEST=name
#   make test-ubsan    the same, with undefined behaviour in the extension fatal
#   make bench         what a call costs
#
# test, bench and demo run in throw-away clusters and install nothing but missing Debian packages.
# installcheck is PostgreSQL's own: it tests what is installed in the server at PGHOST.
#
# The version stands in epermit.control and nowhere else.

EXTENSION = epermit
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" epermit.control)

MODULE_big = epermit
OBJS := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/core/*.c)))

MODULES_SQL := $(sort $(wildcard sql/modules/*.sql))
DATA_built = sql/epermit--$(EXTVERSION).sql
DATA = $(wildcard sql/epermit--*--*.sql)

# The gate verifier: a program, but PGXS installs into bindir only what it calls scripts.
SCRIPTS_built = epermit-verify
CLI_OBJS := cli/epermit-verify.o $(patsubst %.c,%.o,$(sort $(wildcard src/core/*.c)))
CLI_LINK = -ljansson -lsodium -lz

# As a system directory, so that -Wextra speaks of our code only.
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -fvisibility=hidden
SHLIB_LINK = -lsodium -lqrencode -lpng -lz -licui18n -licuuc

REGRESS := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=epermit
ISOLATION := $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=epermit
TAP_TESTS := $(if $(wildcard test/t/*.pl),1)
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = build cli/epermit-verify.o

PG_CONFIG = pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)

# Headers change rarely and are small: any change rebuilds all.
$(OBJS) $(OBJS:.o=.bc) $(CLI_OBJS): $(wildcard src/*.h src/core/*.h) | check-deps

epermit-verify: $(CLI_OBJS)
	$(CC) $(CFLAGS) -o $@ $(CLI_OBJS) $(LDFLAGS) $(LDFLAGS_EX) $(CLI_LINK)

sql/epermit--$(EXTVERSION).sql: $(MODULES_SQL) epermit.control
	cat $(MODULES_SQL) > $@
else
# Without PostgreSQL's own makefiles nothing can be built: check-deps says what to get.
all install installcheck clean: check-deps
endif

TOOLS_ENV = PG_CONFIG='$(PG_CONFIG)'

.PHONY: check-deps deps demo test test-ubsan bench
check-deps:
	@$(TOOLS_ENV) CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' tools/deps check
deps:
	@$(TOOLS_ENV) tools/deps install
demo: deps
	@$(TOOLS_ENV) tools/with-postgres demo/demo.sh
test: deps
	@$(TOOLS_ENV) tools/with-postgres tools/test $(TEST)
test-ubsan: deps
	@$(TOOLS_ENV) COPT='-fsanitize=undefined -fno-sanitize-recover=undefined' \
		tools/with-postgres tools/test $(TEST)
bench: deps
	@$(TOOLS_ENV) tools/with-postgres test/bench/run
