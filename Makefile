# `make` lists the targets. Needs git, make and Python 3.11-3.13 (on Debian and Ubuntu with python3-venv).

VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-benchmark
SBOM := .venv-sbom
FUZZ := .venv-fuzz
RAY := .venv-ray
# The interpreter that creates .venv: the first suitable one, or the one given as PYTHON=...
PYTHON ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
INSTALL_CLIENT := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable client
UV_COMPILE := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--no-strip-extras --generate-hashes --custom-compile-command "make lock"

# What runs the networks: `make serve RUNTIME=openvino` installs and uses OpenVINO instead of TensorFlow.
RUNTIME := $(or $(DENOISER_RUNTIME),tensorflow)
PRESET ?= article
MINUTES ?= 1
ARGS ?=
# HOST=... and PORT=... count only on the command line: shells and hosts set variables of these names for other purposes.
given = $(if $(filter command,$(firstword $(origin $(1)))),$(2) $($(1)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use
.PHONY: serve
serve: $(VENV)/.$(if $(filter openvino,$(RUNTIME)),openvino,app)  ## start the service on port 8000 (HOST=... PORT=... RUNTIME=openvino ARGS=...)
	@export DENOISER_RUNTIME=$(RUNTIME); exec $(BIN)/python -m app serve $(call given,HOST,--host) $(call given,PORT,--port) $(ARGS)

.PHONY: train
train: $(VENV)/.training  ## train a network into model_store/ (PRESET=article ARGS="--epochs 1")
	@exec $(BIN)/python -m training train $(PRESET) $(ARGS)

##@ Develop
.PHONY: install
install: $(VENV)/.dev  ## create .venv with everything for development

.PHONY: test
test: $(VENV)/.dev  ## run the tests in two processes with branch coverage (ARGS="-k name": some, in one, without coverage)
	$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--cov --numprocesses 2 --dist loadfile)

.PHONY: test-browser
test-browser: $(VENV)/.dev  ## run only the tests in headless Chromium; without Chromium they are skipped
	$(BIN)/python -m pytest $(ARGS) tests/browser

# Ray's own code warns, so warnings are no errors here; by default, Ray drains each replica for 30 s.
.PHONY: test-ray
test-ray: $(RAY)/.ray  ## run the tests on a Ray cluster of three nodes on this machine; 7 minutes
	@RAY_SERVE_ENABLE_HA_PROXY=1 RAY_SERVE_THROUGHPUT_OPTIMIZED=1 RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S=5 \
		RAY_USAGE_STATS_ENABLED=0 PYTHONPATH=.:deploy/ray \
		$(RAY)/bin/python -m pytest -W ignore $(ARGS) tests/test_ray.py

.PHONY: fuzz
fuzz: $(VENV)/.dev $(FUZZ)/.fuzz  ## attack decoders, forms and the API with generated input (MINUTES=10 ARGS=api)
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(ARGS)

.PHONY: check
check: $(VENV)/.dev  ## check formatting, lint, types (of Python 3.11 and 3.13), import contracts and spelling
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.13
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

.PHONY: format
format: $(VENV)/.dev  ## format the code and apply the safe lint fixes
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: lock
lock: $(BIN)/python  ## write requirements/*.txt again (ARGS=--upgrade takes newer releases)
	@$(BIN)/python -c "import uv" 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV_COMPILE) $(ARGS) --output-file requirements/dev.txt requirements/dev.in
	$(UV_COMPILE) $(ARGS) --constraints requirements/dev.txt --output-file requirements/app.txt requirements/app.in
	$(UV_COMPILE) $(ARGS) --constraints requirements/dev.txt --output-file requirements/openvino.txt requirements/openvino.in
	$(UV_COMPILE) $(ARGS) --constraints requirements/dev.txt --output-file requirements/training.txt requirements/training.in
	$(UV_COMPILE) $(ARGS) --constraints requirements/dev.txt --output-file requirements/fuzz.txt requirements/fuzz.in
	$(UV_COMPILE) $(ARGS) --constraints requirements/dev.txt --output-file requirements/ray.txt requirements/ray.in
	$(UV_COMPILE) $(ARGS) --output-file requirements/benchmark.txt requirements/benchmark.in
	$(UV_COMPILE) $(ARGS) --output-file requirements/sbom.txt requirements/sbom.in

.PHONY: benchmark
benchmark: $(VENV)/.dev $(PEERS)/.benchmark  ## measure beside other servers into docs/benchmarks.md; 20 minutes (ARGS="overload")
	@command -v wrk >/dev/null || { echo "wrk is not installed: on Debian and Ubuntu run 'apt-get install wrk'" >&2; exit 1; }
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: sbom
sbom: $(VENV)/.app $(VENV)/.openvino $(SBOM)/.sbom  ## write what the service is made of with either runtime, and its licences, into sbom/
	@mkdir -p sbom
	@for lock in app openvino; do \
		$(SBOM)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
			--output-file sbom/$$lock.cdx.json requirements/$$lock.txt || exit 1; \
	done
	$(SBOM)/bin/pip-licenses --python $(BIN)/python --from mixed --with-urls --format markdown --packages \
		$$(sed -n 's/^\([a-z0-9._-]*\)==.*/\1/p' requirements/app.txt requirements/openvino.txt | sort -u) \
		--output-file sbom/licences.md

.PHONY: clean
clean:  ## remove every .venv and every cache
	rm -rf $(VENV) $(PEERS) $(SBOM) $(FUZZ) $(RAY) sbom .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage .coverage.* htmlcov
	find app client training tests deploy -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help:  ## list the targets
	@awk 'BEGIN { FS = ":.*##" } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*##/ { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# One stamp for each lock file: a second `make serve` starts at once, and a changed lock is installed again. The client is
# installed from this checkout; what it is built with and on is in the locks.
$(VENV)/.%: requirements/%.txt client/pyproject.toml | $(BIN)/python
	@echo "installing $< into $(VENV) ..."
	@$(PIP) --requirement $<
	@$(if $(filter training,$*),,$(INSTALL_CLIENT))
	@touch $@

# Environments of their own, each from one lock.
$(PEERS)/.benchmark: requirements/benchmark.txt
$(SBOM)/.sbom: requirements/sbom.txt
$(FUZZ)/.fuzz: requirements/fuzz.txt
$(RAY)/.ray: requirements/ray.txt
$(PEERS)/.benchmark $(SBOM)/.sbom $(FUZZ)/.fuzz $(RAY)/.ray: | $(BIN)/python
	@echo "installing $< into $(@D) ..."
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

# Each candidate reports its version; a python3 that is too old or too new is skipped.
$(BIN)/python:
	@for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); do \
		"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
			echo "$$python cannot make virtual environments: on Debian and Ubuntu run 'apt-get install python3-venv'" >&2; \
			exit 1; }; \
		"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }; \
		exit 0; \
	done; \
	echo "$(or $(PYTHON),python3) is not Python 3.11, 3.12 or 3.13$(if $(PYTHON),,: install one of these or name it with PYTHON=...)" >&2; \
	exit 1
