# mlpd: everything is built, tested and shown from here. `make help` lists the targets.
#
# MODE=release|asan|tsan|f64|cover picks flags and a folder, build/$(MODE), so that all of them coexist.

MODE ?= release
B := build/$(MODE)

ifeq ($(origin CC),default)
CC := gcc
endif
PKGS := libmicrohttpd libcjson sqlite3 nettle
BLAS ?= $(shell pkg-config --exists openblas && echo openblas || echo blas)
ifneq ($(filter-out deps demo check asan tsan help clean layers style format,$(or $(MAKECMDGOALS),all)),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(BLAS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) $(BLAS) 2>/dev/null)
endif
CHECK_LIBS = $(shell pkg-config --libs check) $(shell pkg-config --libs libcurl)

WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat-security -Werror=format-security
ifdef CI
WARN += -Werror
endif

# Vector loops need no errno and no trapping comparisons, but they keep NaN and infinity: no -ffast-math.
FLAGS_release := -O3 -g -DNDEBUG
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DMLPD_CHECKED -DMLPD_SANITIZED
FLAGS_tsan := -O1 -g -fsanitize=thread -DMLPD_CHECKED -DMLPD_SANITIZED
FLAGS_f64 := -O2 -g -DMLPD_F64 -DMLPD_CHECKED
FLAGS_mutant := -O1 -DMLPD_CHECKED
FLAGS_fuzz := $(FLAGS_asan) -fsanitize-coverage=trace-pc
FLAGS_cover := -O0 -g --coverage -DMLPD_CHECKED
MATH := -fno-math-errno -fno-trapping-math -ffp-contract=fast

# What makes a wrong access to memory end the process instead of serving whoever provoked it; tests/binary.sh looks at
# the result. The checked calls of libc need an optimizer, and would hide accesses from the sanitizers. On x86
# the linker drops the marks for the processor because Debian's startup files carry none; they only call and return,
# so the shadow stack can be claimed all the same, but they have no landing pads for indirect jumps.
CPU := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
HARDEN_x86_64 := -fcf-protection
HARDEN_aarch64 := -mbranch-protection=standard
MARK_x86_64 := ,-z,shstk
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection $(HARDEN_$(CPU))
# Not every compiler clears variables that nothing was written to (clang from 16 on).
CLEAR := -ftrivial-auto-var-init=zero
FLAGS_release += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 $(shell $(CC) $(CLEAR) -fsyntax-only -x c /dev/null 2>/dev/null && echo $(CLEAR))

CFLAGS += -std=c17 -D_GNU_SOURCE $(WARN) $(FLAGS_$(MODE)) $(MATH) $(HARDEN)
CPPFLAGS += -iquote . $(PKG_CFLAGS)
LDLIBS = $(PKG_LIBS) -lpthread -lm -lmvec
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code$(MARK_$(CPU)) $(filter -fsanitize% --coverage,$(FLAGS_$(MODE)))

obj = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)))
ENGINE := $(call obj,engine/*/*.c)
# Differences need double precision, so the engine is built a second time in double and linked with
# one function visible: gradcheck_run(). Clones for processors would clash with those of the engine proper.
ifneq ($(MODE),f64)
WIDE := $(ENGINE:$(B)/%=$(B)/wide/%)
ENGINE := $(filter-out $(B)/engine/model/gradcheck.o,$(ENGINE)) $(B)/wide.o
endif
API := $(call obj,api/*/*.c)
SERVER := $(call obj,server/*/*.c) $(B)/migrations.o
HARNESS := $(B)/tests/harness.o $(B)/tests/heap.o
ifeq ($(MODE),f64)
SUITES := engine
else
SUITES := engine api server e2e
endif

all: $(B)/mlpd $(B)/mlpd-cli

$(B)/mlpd: $(B)/server/main.o $(SERVER) $(API) $(ENGINE)
$(B)/mlpd-cli: $(call obj,clients/cli/*.c engine/table/csv.c engine/base/utf8.c engine/base/err.c)
$(B)/mlpd-cli: LDLIBS = $(shell pkg-config --libs libcurl libcjson) -lm
$(B)/test_engine: $(call obj,tests/engine/*.c tests/engine/*/*.c) $(HARNESS) $(ENGINE) $(if $(filter f64,$(MODE)),,$(B)/twin.o)
# The parameters of kinds of jobs are described in the daemon: api/schema/job_parts.h.
$(B)/test_api: $(call obj,tests/api/*/*.c) $(HARNESS) $(SERVER) $(API) $(ENGINE)
$(B)/test_server: $(call obj,tests/server/*.c tests/server/*/*.c) $(HARNESS) $(SERVER) $(API) $(ENGINE)
$(B)/test_e2e: $(call obj,tests/e2e/*.c) $(HARNESS)
$(B)/bench: $(call obj,tests/bench/*.c) $(SERVER) $(API) $(ENGINE)
$(B)/docs: $(call obj,tests/docs/*.c) $(SERVER) $(API) $(ENGINE)
$(B)/fuzz: $(call obj,tests/fuzz/*.c) $(SERVER) $(API) $(ENGINE)
$(B)/tests/fuzz/%.o: CFLAGS += -fno-sanitize-coverage=trace-pc
# It is called before a sanitizer is ready.
$(B)/tests/heap.o: CFLAGS += -fno-sanitize=all
TESTS := $(addprefix $(B)/test_,engine api server e2e)
$(TESTS): LDLIBS += $(CHECK_LIBS)
$(B)/test_e2e: | $(B)/mlpd

$(B)/mlpd $(B)/mlpd-cli $(B)/bench $(B)/docs $(B)/fuzz $(TESTS):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) -o $@ $(LDLIBS)

# Loops over numbers, tables, JSON and requests are made fast, the rest of api/ and server/ small.
SMALL := $(addprefix $(B)/,api/docs/%.o api/files/%.o api/schema/%.o api/views/%.o server/base/%.o \
server/handlers/%.o server/jobs/%.o server/store/%.o)
ifeq ($(MODE),release)
$(SMALL): CFLAGS += -Os
$(B)/api/views/predict_json.o: CFLAGS += -O3
# One number a row, or a few: nothing for vectors, of which -O3 makes five times the code.
$(addprefix $(B)/engine/nn/ops_loss_,regression.o margin.o ordinal.o): CFLAGS += -O2
endif

# Objects of other flags must not be linked with these, so the Makefile is an input of each.
$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# Small rather than fast, and only what the function needs.
ifeq ($(MODE),release)
WIDE_FLAGS := -Os -ffunction-sections -fdata-sections
endif
$(B)/wide/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DMLPD_F64 -DMLPD_WIDE -Doplab_eval=oplab_eval_double $(CFLAGS) $(WIDE_FLAGS) -MMD -MP -c $< -o $@
$(B)/wide.o: $(WIDE)
	$(LD) -r $(if $(WIDE_FLAGS),--gc-sections -e gradcheck_run) $^ -o $@
	objcopy --keep-global-symbol=gradcheck_run $@
# The ops in double once more, for the tests that compare float kernels with double ones.
TWIN := $(patsubst %.c,$(B)/wide/%.o,$(wildcard engine/nn/op.c engine/nn/*_table.c engine/nn/ops_*.c) engine/nn/blas.c tests/engine/nn/oplab.c)
$(B)/twin.o: $(TWIN)
	$(LD) -r $^ -o $@
	objcopy --keep-global-symbol=oplab_eval_double $@

# Every migrations/NNNN_name.sql becomes a string of the binary, in order.
$(B)/migrations.c: $(wildcard migrations/*.sql) Makefile
	@mkdir -p $(@D)
	@{ echo '#include "server/store/migrate.h"'; echo 'const char *const migration_sql[] = {'; \
	for f in $(sort $(wildcard migrations/*.sql)); do \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$$/\\n"/' $$f; echo '    ,'; done; \
	echo '};'; echo 'const int migration_count = sizeof migration_sql / sizeof *migration_sql;'; } > $@
$(B)/migrations.o: $(B)/migrations.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)

## all: the daemon and the command-line client, build/$(MODE)/mlpd and mlpd-cli (the default)
## deps: install what is missing to build and test, on Debian and Ubuntu
DEPS := gcc make pkg-config libmicrohttpd-dev libcjson-dev libopenblas-pthread-dev libsqlite3-dev \
nettle-dev check libcurl4-openssl-dev curl ca-certificates
deps:
	@sh tests/deps.sh $(DEPS)

## demo: install, build, train on real data and predict, in about a minute
demo: deps
	@$(MAKE) -s -j$(shell nproc) all
	@sh clients/demo.sh $(B)

PROGRAMS := $(SUITES:%=$(B)/test_%)
suites: $(PROGRAMS) $(if $(filter e2e,$(SUITES)),all $(B)/docs $(call obj,tests/fuzz/*.c))

## check: install what is missing, build, run every test
check: deps layers style
	@$(MAKE) --no-print-directory -s -j$(shell nproc) suites
	@$(MAKE) --no-print-directory -s -j$(shell nproc) MODE=f64 suites
	@sh tests/check.sh build/f64/test_engine $(PROGRAMS) "$(B)/docs check api/REFERENCE.md" \
	"tests/e2e/cli_test.sh $(B)" "tests/binary.sh $(B)" "tests/accuracy.sh $(B)/mlpd tests/data"

## accuracy: train on NAME_train.csv and score NAME_test.csv in DATA=folder, all defaults
DATA ?= tests/data
accuracy: $(B)/mlpd
	@sh tests/accuracy.sh $(B)/mlpd $(DATA)

## asan, tsan: every test under the sanitizers
asan tsan:
	@$(MAKE) --no-print-directory -s -j$(shell nproc) MODE=$@ suites
	@CK_FORK=no sh tests/check.sh $(SUITES:%=build/$@/test_%)

## fuzz: FUZZ mutated inputs (default 20000) drawn from SEED for each reader of foreign bytes
FUZZ ?= 20000
SEED ?= 1
fuzz:
	@$(MAKE) --no-print-directory -s MODE=fuzz build/fuzz/fuzz
	@FUZZ=$(FUZZ) SEED=$(SEED) build/fuzz/fuzz

## docs: write api/REFERENCE.md and api/openapi.json anew
docs: $(B)/docs $(B)/mlpd
	$(B)/docs write api/REFERENCE.md
	$(B)/mlpd --openapi > api/openapi.json

## bench: time training steps on THREADS threads (default 1), next to what this machine can do
THREADS ?= 1
bench: $(B)/bench
	$(B)/bench $(THREADS)

## bench-peers: the same steps by mlpd, PyTorch and scikit-learn (Debian's), in turns
PYTHON3 ?= /usr/bin/python3
bench-peers: $(B)/bench
	$(PYTHON3) tests/bench/peers.py $(B)/bench

## bench-load: how long /healthz and /predict wait while the daemon does its heaviest work
bench-load: $(B)/mlpd
	$(PYTHON3) tests/bench/load.py $(B)/mlpd

## mutate: make N=300 small changes to the sources, SEED=1, FILES=..., and see which the tests notice
mutate:
	@$(PYTHON3) tests/mutate.py --count $(or $(N),300) --seed $(or $(SEED),1) $(FILES)

## kill-loop: kill the daemon N=100 times while clients use it; SEED=... repeats what clients do
kill-loop: $(B)/mlpd
	@$(PYTHON3) tests/kill_loop.py $(B)/mlpd --rounds $(or $(N),100) $(SEED:%=--seed %)

## layers: fail when an include points the wrong way
layers:
	@sh tests/layers.sh

## style: fail on what a machine can see of how the sources are written
style:
	@sh tests/style.sh

## format: lay every C file out as .clang-format says
format:
	find engine api server clients tests -name '*.[ch]' | xargs clang-format -i

## install: copy mlpd and mlpd-cli to PREFIX/bin (default /usr/local); DESTDIR is put in front
PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(B)/mlpd $(B)/mlpd-cli $(DESTDIR)$(PREFIX)/bin

## clean: remove everything that was built
clean:
	rm -rf build

## help: list these targets; MODE=asan|tsan|f64|cover builds beside the release
help:
	@sed -n 's/^## \([^:]*\): /\1\t/p' Makefile | expand -t 14

.PHONY: all deps demo suites check accuracy asan tsan fuzz docs bench bench-peers bench-load mutate kill-loop layers style format install \
clean help
.DELETE_ON_ERROR:
.SECONDARY:
