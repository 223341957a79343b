# One command a job. On Windows, or without make, see "Without make" in CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
DEMO_VENV := .venv-demo
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check install --quiet -c constraints.txt

# The demonstration installs a copy of the package, so it is installed anew when a file of the package changes.
PACKAGE_FILES := $(shell find src/omni_iml -type f ! -name '*.pyc' ! -name '*.safetensors')

# The review page's library beside a newer Pillow than it asks for: docs/decisions/0001-dependencies.md.
GRADIO := gradio gradio_client groovy hf-gradio httpx httpcore orjson pandas python-dateutil pydub python-multipart pytz \
  safehttpx semantic-version starlette tomlkit uvicorn fastapi brotli opentelemetry-api

.DEFAULT_GOAL := help
.PHONY: help demo test quick-tests test-all lint bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(DEMO_VENV)/.installed: pyproject.toml constraints.txt $(PACKAGE_FILES)
	@echo "Installing omni-iml without torch into $(DEMO_VENV) ..."
	@test -x $(DEMO_VENV)/bin/python || $(PYTHON) -m venv $(DEMO_VENV)
	@$(DEMO_VENV)/bin/python $(PIP) .
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing omni-iml with its laboratory into $(VENV) (torch is large; this takes minutes once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) -e '.[train,eval,openvino,heic,c2pa,annotate,mllm,dev]'
	@$(BIN)/python $(PIP) --no-deps $(GRADIO)
	@touch $@

demo: $(DEMO_VENV)/.installed ## Install without torch, analyse examples/, print verdicts beside the truth
	@rm -rf demo-out
	$(DEMO_VENV)/bin/omni-iml detect examples/ --out demo-out
	@$(DEMO_VENV)/bin/python scripts/demo_table.py demo-out examples/truth.json examples-truth

lint: $(VENV)/.installed ## Style, formatting, types and the contracts between layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: $(VENV)/.installed ## Everything above and, beside it, the tests that take seconds
	@$(MAKE) --no-print-directory --jobs 2 lint quick-tests

quick-tests: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/pytest -m 'not slow' --numprocesses auto --maxprocesses 4 --dist loadfile

test-all: lint ## The same with the slow tests
	$(BIN)/pytest

bench: $(VENV)/.installed ## Time file to mask, and where the time goes
	$(BIN)/pytest benchmarks --benchmark-only

clean: ## Remove the environments, caches and what the demonstration wrote
	rm -rf $(VENV) $(DEMO_VENV) demo-out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache \
	  .hypothesis .benchmarks
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
