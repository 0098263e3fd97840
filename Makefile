# Everything a person types: `make demo` and `make test`. The rest is for developers.
.PHONY: help demo test proof bench offline lock check-lock format
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
SEED ?= 1

help: ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## set up, make an invented force with known truth, evaluate it, say where the report is
	@scripts/setup.sh base
	@$(BIN)/placeproof rehearse $(DEMO) --seed $(SEED) --size small --replace
	@$(BIN)/placeproof run $(DEMO)
	@$(BIN)/placeproof truth $(DEMO)

test: ## set up, check style and types, run every test with reduced counts
	@scripts/setup.sh test
	@$(BIN)/ruff check src tests proofs benchmarks scripts
	@$(BIN)/ruff format --check -q src tests proofs benchmarks scripts
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

proof: ## simulations at full counts; results are kept in proofs/
	@scripts/setup.sh test
	@for script in proofs/*/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

bench: ## speed and memory as ratios taken side by side in one run; results are kept in benchmarks/
	@scripts/setup.sh test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

offline: ## one folder of wheels from which a computer with no internet installs
	@scripts/setup.sh test
	@$(BIN)/python scripts/offline.py

lock: ## pin the dependencies anew (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		pyproject.toml -o requirements/base.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		-c requirements/base.txt --group test pyproject.toml -o requirements/test.txt

format: ## put the code into its standard form
	@$(BIN)/ruff check --fix -q src tests proofs benchmarks scripts
	@$(BIN)/ruff format -q src tests proofs benchmarks scripts
