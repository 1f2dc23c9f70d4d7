# Everything from a fresh clone; needs CPython 3.11 or newer, Rust, and nothing else.
# Sets up .venv and target/ by itself; a second run finds them done.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
BUILT := $(or $(CARGO_TARGET_DIR),target)
PORT ?= 8000
STRESS_SECONDS ?= 300
SAY = @printf '\033[1m==> %s\033[0m\n'

# What the extension is made of.
CORE := Cargo.toml Cargo.lock pyproject.toml $(shell find src -name '*.rs')

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport CONDA_PREFIX
unexport PYTHONPATH
unexport PYTHONHOME

.PHONY: help run serve test sanitize stress test-rust test-loom test-python test-builders types arrows lint fmt fuzz clean bench bench-pytest instructions bless

help:
	@echo 'make run     the bookings example behind the gate: good and hostile requests, a table, a summary'
	@echo 'make serve   the same example, left running on port $(PORT) (PORT=...)'
	@echo 'make test    all tests: Rust, concurrency models, Python, public suites, README, types'
	@echo 'make test-builders   the part of it for the other two ways to make Python objects'
	@echo 'make stress  the limiter under stops and kills for STRESS_SECONDS=300'
	@echo 'make lint    rustfmt, clippy, ruff, mypy, basedpyright, import-linter, stubtest'
	@echo 'make bench   secval beside its peers, many minutes: ratios, results.json, docs/performance.md'
	@echo 'make bench-pytest   the same contests by pytest-benchmark: make bench-pytest BENCH="-k parse"'
	@echo 'make instructions   instruction counts against the baseline (needs valgrind); make bless: writes them down'
	@echo 'make sanitize   the tests of the builder of Python objects under AddressSanitizer'
	@echo 'make fmt     formats Rust and Python'
	@echo 'make fuzz    a fuzz target for some time: make fuzz TARGET=json SECONDS=300 (tests/fuzz/targets)'
	@echo 'make clean   removes what was built and set up'

# ---- set-up: each step leaves a stamp, and is not done twice ----

$(STAMPS)/venv:
	$(SAY) 'making a virtual environment in $(VENV) with $(PYTHON)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "secval needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@command -v cargo >/dev/null || { echo 'secval needs Rust: https://rustup.rs'; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@mkdir -p $(STAMPS)
	@touch $@

# `pip install --group` reads [dependency-groups] of pyproject.toml.
$(STAMPS)/run $(STAMPS)/test $(STAMPS)/lint $(STAMPS)/bench: $(STAMPS)/%: $(STAMPS)/venv pyproject.toml
	$(SAY) 'installing what `make $*` needs (pyproject.toml, dependency group `$*`)'
	@$(BIN)/python -m pip install --quiet --group $*
	@touch $@

$(STAMPS)/core: $(CORE) | $(STAMPS)/run
	$(SAY) 'compiling the core (release, link-time optimised: minutes the first time) and installing it in $(VENV)'
	@$(BIN)/maturin develop --release
	@touch $@

# ---- the example ----

run: $(STAMPS)/run $(STAMPS)/core
	$(SAY) 'the bookings example behind the gate'
	@$(BIN)/python examples/bookings/run.py

serve: $(STAMPS)/run $(STAMPS)/core
	@$(BIN)/python examples/bookings/run.py --serve --port $(PORT)

# ---- tests ----

test: test-rust test-loom test-python test-builders types arrows
	$(SAY) 'all tests passed'

test-rust:
	$(SAY) 'testing the core (no Python in it)'
	@mkdir -p $(BUILT)
	@cargo test 2>&1 | tee $(BUILT)/tests.log

# The same code, one access at a time: all orders of what a few threads do, in the smallest sets and rings that there are, and
# in those that ship.
CHECKED := RUSTFLAGS='--cfg loom --cfg secval_fixed_seed' cargo test --profile models --target-dir $(BUILT)/loom --test loom
test-loom:
	$(SAY) 'checking the limiter in all orders of its accesses'
	@mkdir -p $(BUILT)
	@$(CHECKED) 2>&1 | tee $(BUILT)/loom.log
	@$(CHECKED) --features whole 2>&1 | tee -a $(BUILT)/loom.log

# The long form of what `make test-rust` does for some seconds.
stress:
	$(SAY) 'stopping and killing processes that share a limiter, for $(STRESS_SECONDS) seconds'
	@SECVAL_STRESS_SECONDS=$(STRESS_SECONDS) cargo test --profile quick --test core limit_stress -- --nocapture

test-python: $(STAMPS)/test $(STAMPS)/core
	$(SAY) 'testing from Python: hypothesis, public suites, real servers, README'
	@$(BIN)/python -m pytest -q

types: $(STAMPS)/lint $(STAMPS)/core
	$(SAY) 'types: mypy, and the stub against the built extension'
	@$(BIN)/mypy
	@$(BIN)/stubtest secval._core --mypy-config-file pyproject.toml

arrows: $(STAMPS)/lint $(STAMPS)/core
	$(SAY) 'arrows between the Python modules'
	@$(BIN)/lint-imports --no-cache

# ---- lints ----

lint: types arrows
	$(SAY) 'formats'
	@cargo fmt --check
	@$(BIN)/ruff format --check
	$(SAY) 'lints'
	@$(BIN)/ruff check
	@cargo clippy --all-targets --all-features -- -D warnings
	$(SAY) 'types once more, as pyright reads them'
	@$(BIN)/basedpyright

# ---- figures: benches/README.md says what each means ----

bench: $(STAMPS)/bench $(STAMPS)/core
	$(SAY) 'secval beside its peers'
	@$(BIN)/python benches/run.py --page --out $(BUILT)/bench $(BENCH)

bench-pytest: $(STAMPS)/bench $(STAMPS)/core
	$(SAY) 'the same contests, by pytest-benchmark'
	@mkdir -p $(BUILT)/bench
	@$(BIN)/python -m pytest benches/python -q -o pythonpath=benches -o filterwarnings= --benchmark-only \
		--benchmark-columns=median,iqr,ops,rounds --benchmark-sort=mean --benchmark-warmup=on \
		--benchmark-json=$(BUILT)/bench/pytest.json $(BENCH)

instructions: $(STAMPS)/core
	$(SAY) 'counting instructions'
	@$(BIN)/python benches/instructions/count.py

bless: $(STAMPS)/core
	$(SAY) 'counting instructions, and writing them down'
	@$(BIN)/python benches/instructions/count.py --bless

fmt: $(STAMPS)/lint
	cargo fmt
	$(BIN)/ruff format
	$(BIN)/ruff check --fix-only

# ---- fuzzing: cargo-fuzz, on the stable toolchain. What is found stays in tests/fuzz/artifacts, what was learnt in
# tests/fuzz/corpus; neither is part of the repository ----

SECONDS ?= 60
SEEDS := $(wildcard $(or $(SECVAL_DATA),../shared/data)/json-test-suite/test_parsing)
ifeq ($(TARGET),policy)
SEEDS := examples/bookings tests/data/gate/api
endif

$(BUILT)/tools/bin/cargo-fuzz:
	$(SAY) 'installing cargo-fuzz in $(BUILT)/tools'
	@cargo install --quiet cargo-fuzz --root $(BUILT)/tools

fuzz: $(BUILT)/tools/bin/cargo-fuzz
	@test -f 'tests/fuzz/targets/$(TARGET).rs' || { echo 'make fuzz TARGET=...: one of' $(basename $(notdir $(wildcard tests/fuzz/targets/*.rs))); exit 1; }
	$(SAY) 'fuzzing $(TARGET) for $(SECONDS) seconds'
	@mkdir -p tests/fuzz/corpus/$(TARGET)
	@RUSTC_BOOTSTRAP=1 $< run --fuzz-dir tests/fuzz $(TARGET) tests/fuzz/corpus/$(TARGET) $(SEEDS) -- -max_total_time=$(SECONDS) -timeout=10

# ---- the other ways to make objects: where the layout of dicts is not what was expected, and by public API alone, as for versions
# of Python that are not tested ----

BUILDER_TESTS := $(addprefix tests/python/test_,objects.py loads.py schema.py values.py)

# The package, with an extension that was built apart: $(1)/python, from $(2)/libsecval.so.
package = rm -rf $(1)/python && mkdir -p $(1)/python && cp -r python/secval $(1)/python \
	&& rm -f $(1)/python/secval/_core*.so && cp $(2)/libsecval.so $(1)/python/secval/_core.so

test-builders: $(STAMPS)/test $(STAMPS)/core
	$(SAY) 'testing objects that are made by insertion'
	@SECVAL_TEMPLATES=0 $(BIN)/python -m pytest -q -p no:cacheprovider $(BUILDER_TESTS)
	$(SAY) 'testing objects that are made by public API alone'
	@SECVAL_PORTABLE=1 PYO3_BUILD_EXTENSION_MODULE=1 PYO3_PYTHON=$(abspath $(BIN))/python \
	  cargo build --quiet --lib --features python --profile quick --target-dir $(BUILT)/portable
	@$(call package,$(BUILT)/portable,$(BUILT)/portable/quick)
	@SECVAL_PORTABLE=1 PYTHONPATH=$(BUILT)/portable/python $(BIN)/python -m pytest -q -p no:cacheprovider $(BUILDER_TESTS)

# ---- AddressSanitizer, on the stable toolchain: what is unsafe lives in src/py/objects/cpython.rs. The sanitizer's own runtime must
# come before everything else that Python loads; gcc's is the one that a system has ----

SANITIZED := $(BUILT)/sanitize
ASAN ?= $(shell gcc -print-file-name=libasan.so)

sanitize: $(STAMPS)/test
	@test -f '$(ASAN)' || { echo 'make sanitize needs libasan.so of gcc, or ASAN=/path/to/libasan.so'; exit 1; }
	$(SAY) 'compiling with AddressSanitizer: minutes the first time'
	@RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address PYO3_BUILD_EXTENSION_MODULE=1 PYO3_PYTHON=$(abspath $(BIN))/python \
	  cargo build --lib --features python --target $$(rustc -vV | sed -n 's/^host: //p') --target-dir $(SANITIZED)
	@$(call package,$(SANITIZED),$(SANITIZED)/*/debug)
	$(SAY) 'testing what is unsafe'
	@LD_PRELOAD='$(ASAN)' ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$(SANITIZED)/python \
	  $(BIN)/python -m pytest -q -p no:cacheprovider $(BUILDER_TESTS)

clean:
	rm -rf $(BUILT) $(VENV) dist python/secval/_core*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python tests examples benches -name __pycache__ -type d -prune -exec rm -rf {} +
