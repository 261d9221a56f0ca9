# Compiles every module as apxs would (its flags, its include directory), incrementally and out of the source tree.
#   BUILD=release (default)   what is run and installed
#   BUILD=asan                AddressSanitizer and UndefinedBehaviorSanitizer, for tests
# Products: var/build/$(BUILD)/modules/mod_<name>.so and libtrestle.a (everything but the faces, for unit tests).
#   BUILD=libfuzzer           the cores for coverage-guided fuzzing (tests/fuzz/run)
#   Q=                        shows the commands
BUILD ?= release
Q     ?= @
B     := var/build/$(BUILD)
APXS  ?= apxs

include apxs/modules.mk

WARNINGS  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror=implicit-function-declaration
INCLUDES  := -Imodules/include -Imodules/common -I$(shell $(APXS) -q INCLUDEDIR 2>/dev/null) \
             $(shell apr-1-config --includes 2>/dev/null) -I/usr/include/postgresql
CFLAGS    = $(shell $(APXS) -q CFLAGS 2>/dev/null) $(OPTIMIZE_$(BUILD)) -std=gnu11 -fPIC -pthread $(WARNINGS)
CPPFLAGS  = $(shell apr-1-config --cppflags 2>/dev/null) $(INCLUDES) -MMD -MP
OPTIMIZE_release := -O2
OPTIMIZE_asan    := -O1 -U_FORTIFY_SOURCE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPTIMIZE_libfuzzer := $(OPTIMIZE_asan) -fsanitize=fuzzer-no-link
LDFLAGS_release  := -Wl,-z,relro,-z,now
LDFLAGS_asan     := -fsanitize=address,undefined

CFLAGS   := $(CFLAGS)
CPPFLAGS := $(CPPFLAGS)

COMMON_OBJECTS := $(patsubst %.c,$B/%.o,$(wildcard modules/common/*.c))
CORE_OBJECTS   := $(COMMON_OBJECTS)

# $(1): module name. Only the module record is exported: modules are loaded RTLD_GLOBAL, and equal names would merge.
define module_rules
OBJECTS_$(1) := $$(patsubst %.c,$$B/%.o,$$(wildcard modules/$(1)/*.c))
CORE_OBJECTS += $$(filter-out %/mod_$(1).o,$$(OBJECTS_$(1)))
$$B/modules/mod_$(1).so: $$(OBJECTS_$(1)) $$B/libcommon.a apxs/modules.mk
	@mkdir -p $$(@D)
	@printf '{ global: $(1)_module; local: *; };\n' > $$B/modules/$(1).map
	@echo "LINK $$@"
	$$(Q)$$(CC) -shared -pthread $$(LDFLAGS_$$(BUILD)) -Wl,--version-script=$$B/modules/$(1).map -o $$@ $$(OBJECTS_$(1)) $$B/libcommon.a $$(LIBS_$(1))
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$(m))))

MODULE_FILES := $(foreach m,$(MODULES),$B/modules/mod_$(m).so)


# An archive, so that a module takes only the common files it uses, and their libraries with them.
$B/libcommon.a: $(COMMON_OBJECTS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$B/libtrestle.a: $(CORE_OBJECTS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# What commands under bin/ need in C.
TOOLS := $B/tools/trestle-password-hash

$B/tools/%: bin/src/%.c $B/libtrestle.a
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -Imodules -MF $@.d $(CFLAGS) $(LDFLAGS_$(BUILD)) -o $@ $< $B/libtrestle.a -lsodium \
	    $(shell apr-1-config --link-ld 2>/dev/null)

# Tests in C. A unit test links with every core of the suite; a test module is a module that only tests load; a fuzz
# target is run over its kept corpus by tests/fuzz/replay.c, or by libFuzzer (make fuzz).
TEST_LIBRARIES := $(sort $(foreach m,$(MODULES),$(LIBS_$(m)))) -ljwt -ljansson $(shell apr-1-config --link-ld 2>/dev/null) \
                  $(shell apu-1-config --link-ld 2>/dev/null)
UNIT_TESTS     := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
TEST_MODULES   := $(patsubst tests/modules/%.c,$B/tests/%.so,$(wildcard tests/modules/mod_*.c))
BENCHES        := $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/bench_*.c))
FUZZ_REPLAYS   := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$B/unit/%: tests/unit/%.c $B/libtrestle.a
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -Imodules -MF $@.d $(CFLAGS) $(LDFLAGS_$(BUILD)) -o $@ $< $B/libtrestle.a -lcmocka $(TEST_LIBRARIES)

$B/tests/%.so: tests/modules/%.c $B/libcommon.a
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -Imodules -MF $@.d $(CFLAGS) -shared $(LDFLAGS_$(BUILD)) -o $@ $< $B/libcommon.a

$B/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $B/libtrestle.a
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -Imodules -MF $@.d $(CFLAGS) $(LDFLAGS_$(BUILD)) -o $@ $< tests/fuzz/replay.c $B/libtrestle.a $(TEST_LIBRARIES)

$B/bench/%: tests/bench/%.c $B/libtrestle.a
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -Imodules -MF $@.d $(CFLAGS) $(LDFLAGS_$(BUILD)) -o $@ $< $B/libtrestle.a $(TEST_LIBRARIES)

.PHONY: modules tools unit-tests test-modules fuzz-replays benches
benches: $(BENCHES)
unit-tests: $(UNIT_TESTS)
test-modules: $(TEST_MODULES)
fuzz-replays: $(FUZZ_REPLAYS)
modules: $(MODULE_FILES)
tools: $(TOOLS)

-include $(wildcard $B/modules/*/*.d $B/tools/*.d $B/unit/*.d $B/tests/*.d $B/fuzz/*.d $B/bench/*.d)
