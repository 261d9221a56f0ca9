# The tiers of tests. Each ends with one line: N passed, N failed.
.PHONY: test test-full soak bench fuzz test-packages test-products

test-packages:
	@bin/trestle-packages test

test-products: test-packages
	@$(MAKE) --no-print-directory BUILD=release modules tools test-modules
	@$(MAKE) --no-print-directory BUILD=asan unit-tests fuzz-replays

# What CI runs; under 15 minutes on 2 cores.
test: test-products
	@tests/run test

# Three MPMs, everything under AddressSanitizer and UndefinedBehaviorSanitizer, kills.
test-full: test-products
	@$(MAKE) --no-print-directory BUILD=release unit-tests fuzz-replays
	@$(MAKE) --no-print-directory BUILD=asan modules test-modules
	@tests/run full

# Long loads: memory, connections, nothing lost.
soak: test-products
	@tests/run soak

# Ratios against baselines on this machine.
bench: test-products
	@tests/bench/run

# Coverage-guided fuzzing with libFuzzer: make fuzz FUZZ=jwt SECONDS=600
fuzz: test-packages
	@tests/fuzz/run $(or $(FUZZ),all) $(or $(SECONDS),60)
