# Which tweet is real?  `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# Four files of tests at a time on two cores: much of what they do is to wait for a page, a worker or a disk. In the order
# of their folders: by the number of tests, as is usual, the longest would come last and run alone.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder
# What pyproject.toml says of each mark is what test-fast leaves out: most of the web, and what runs for real.
QUICK := not long and not train and not browser and not postgres and not process and not server and not slow
# Compiled files are kept also where the environment says otherwise: the tests start hundreds of processes, and each would
# compile all that it imports.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
export PYTHON
ifdef PORT
export WHICHTWEET_PORT := $(PORT)
endif

.PHONY: help setup setup-train setup-test play class test test-fast test-long mutants check format bench bench-pages lock seed-large lecture site docs demo base model-card scale-page pictures fuzz clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z%-]*:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make .venv with the command whichtweet, enough to play
	@tools/venv.sh play

setup-train: setup  ## add what training needs (TensorFlow)
	@tools/venv.sh train

setup-test: setup  ## add what the tests need (Chromium and PostgreSQL too)
	@tools/venv.sh test
	@tools/browser.sh

play: setup  ## play at http://127.0.0.1:8000 (another port: make play PORT=8123)
	@exec $(BIN)/whichtweet play

class: setup  ## open a room for a class on the local network: QR code, ten rounds, train on the class
	@exec $(BIN)/whichtweet class

test: setup-test  ## run all the tests (up to ten minutes)
	$(PYTEST) -m "not long" --durations=20 $(PARALLEL)

test-fast: setup-test  ## run the rules alone, two tests in three, in half a minute: no server, process, TensorFlow, browser
	$(PYTEST) -q -m "$(QUICK)" -p no:schemathesis -n 2 --dist loadfile --no-loadscope-reorder --durations=3

test-long: setup-test  ## run the long forms of the tests
	$(PYTEST) -m long

mutants: setup-test  ## change the rules in one place at a time: which changes does no test notice? (ARGS=--again)
	@$(BIN)/python -m tools.mutants $(ARGS)

fuzz: setup-test  ## try a hundred thousand inputs on the API and on every importer
	FUZZ_EXAMPLES=$(or $(EXAMPLES),16000) $(PYTEST) -q tests/fuzz

check: setup-test  ## lint, format, types, and the floors and walks of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict app model bench tools
	$(BIN)/python -m pytest -q tests/test_floors.py tests/test_walks.py

format: setup-test  ## put the code into its format
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

bench: setup-test  ## run every bench, one after the other (hours)
	@for file in bench/[a-z]*.py; do echo "== $$file"; $(BIN)/python -m "bench.$$(basename $$file .py)"; done

bench-pages: setup-test  ## time every page of the dashboard on a large game (made up where it is not there; SCALE=0.1)
	$(BIN)/python -m bench.pages --scale $(or $(SCALE),1)

bench-%: setup-test  ## run one bench: bench-training, bench-sampling, bench-quality CONTESTANT=ours-30, …
	$(BIN)/python -m bench.$* $(if $(CONTESTANT),--contestant $(CONTESTANT))

lock: setup  ## pin what pyproject.toml asks for, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --extra train --extra test pyproject.toml -o requirements-test.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate -c requirements-test.lock --extra train pyproject.toml -o requirements-train.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate -c requirements-test.lock pyproject.toml -o requirements.lock

seed-large: setup  ## make up a large game in data-large/ (ten million guesses; SCALE=0.1 a tenth)
	$(BIN)/python -m bench.seed_large --scale $(or $(SCALE),1)

lecture: setup-test  ## run the code of the lecture in docs/rnn and draw its plots anew
	@$(BIN)/python -m tools.lecture

site: setup-test  ## build the docs as a site in build/site (what the code tells is made of it)
	@$(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

docs: setup-test  ## write the parts of the docs that the code tells
	@$(BIN)/python -m tools.docs

demo: setup  ## fill the demo's shelf anew from its checkpoint
	@$(BIN)/python -m tools.demo

base: setup-train  ## make the base that trainings begin from (over an hour; FOLDER=../shared MINUTES=70)
	@$(BIN)/python -m tools.base $(or $(FOLDER),../shared) --minutes $(or $(MINUTES),70)

model-card: setup-train  ## draw docs/model.md's tables and plots from bench/results
	@$(BIN)/python -m tools.model_card

scale-page: setup-test  ## draw docs/scale.md's tables and plots from bench/results
	@$(BIN)/python -m tools.scale_page

pictures: setup-test  ## take the docs' screenshots anew
	@$(BIN)/python -m tools.pictures

clean:  ## remove the environment and caches (your data/ stays)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
