# make demo, make test: nothing else is needed beside Python >= 3.11 and make.
VENV := .venv
PY := $(VENV)/bin/python
# the set-up is good for this lock, these entry points and this place
HASH := $(shell { cat requirements.lock pyproject.toml; pwd; } | cksum | tr -d ' ')
STAMP := $(VENV)/.setup-$(HASH)
# an environment whose interpreter has gone is no set-up
ifeq ($(wildcard $(PY)),)
STAMP_NEEDS := FORCE
endif

# every one of them takes --check
GENERATORS := lotstream.runtime.settings_page lotstream.runtime.metrics_page lotstream.deploy.notices lotstream.cli.contracts lotstream.deploy.core_lock lotstream.deploy.dashboard
UV := uv==0.13.9

.PHONY: help setup demo example-erp test bench bench-alerts soak chaos chaos-compare faults worlds recall-worlds bench-recall check lint types imports generated generated-check lock clean FORCE

help:
	@echo 'make demo      set up, then tell the whole story and answer a recall   (ARGS=--keep leaves it running)'
	@echo 'make example-erp  set up, then import the files of an ERP without any RFID and answer from them (examples/erp)'
	@echo 'make test      set up, then run the tests                              (ARGS="tests/unit -k name")'
	@echo 'make bench     set up, then measure; writes build/bench.json'
	@echo 'make bench-alerts  how soon held goods that are read raise an alert, at half load  (ARGS="--seconds 60")'
	@echo 'make soak      an hour of steady load: memory, descriptors, latency; build/soak.json (REPORT=page.md)'
	@echo 'make chaos     kill, freeze and move everything under load, and count  (KILLS=12 SEED=7 MINUTES=3 STORE=rocksdb)'
	@echo 'make chaos-compare  the same blows for an app of stock Faust and one on the engine  (KILLS=6 SEED=3)'
	@echo 'make faults    named faults, one after the other: what was done, lost, healed (ARGS="--only NAME", REPORT=page.md)'
	@echo 'make worlds    worlds made by chance, through the stages in disorder, against an oracle  (N=2000 SEED=1 REPORT=page.md)'
	@echo 'make recall-worlds  worlds of goods made by chance, into the real engine; every recall against an oracle  (N=500 SEED=1)'
	@echo 'make bench-recall   how fast a recall answers; build/bench-recall.json  (MOVEMENTS=2000000 DATA=folder REPORT=page.md)'
	@echo 'make check     lint, types, import rules, generated files'
	@echo 'make generated write the generated files anew'
	@echo 'make setup     the virtual environment alone                           (PYTHON=python3.12)'
	@echo 'make lock      pin and hash the newest packages that pyproject.toml allows'
	@echo 'make clean     remove what was made: environment, caches, build'

$(STAMP): $(STAMP_NEEDS)
	@PYTHON='$(PYTHON)' deploy/setup.sh $(VENV) $@

setup: $(STAMP)

demo: $(STAMP)
	@$(VENV)/bin/lotstream demo $(ARGS)

example-erp: $(STAMP)
	@$(PY) examples/erp/play.py

test: $(STAMP)
	@$(PY) -m $(if $(ARGS),pytest $(ARGS),tests)

bench: $(STAMP)
	@$(PY) -m bench $(ARGS)

bench-alerts: $(STAMP)
	@$(PY) -m bench.alerts $(ARGS)

soak: $(STAMP)
	@$(PY) -m bench.soak $(ARGS); told=$$?; $(if $(REPORT),$(PY) -m bench.soak_page build/soak.json $(REPORT);) exit $$told

chaos: $(STAMP)
	@$(PY) -m tests.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(STORE),--store $(STORE)) $(ARGS)

chaos-compare: $(STAMP)
	@$(PY) -m tests.chaos.compare $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

faults: $(STAMP)
	@$(PY) -m tests.faults $(if $(REPORT),--report $(REPORT)) $(ARGS)

worlds: $(STAMP)
	@$(PY) -m tests.worlds $(if $(N),--worlds $(N)) $(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report $(REPORT)) $(ARGS)

recall-worlds: $(STAMP)
	@$(PY) -m tests.recall_worlds $(if $(N),--worlds $(N)) $(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report $(REPORT)) $(ARGS)

bench-recall: $(STAMP)
	@$(PY) -m bench.recall $(if $(MOVEMENTS),--movements $(MOVEMENTS)) $(if $(DATA),--data $(DATA)) $(if $(REPORT),--report $(REPORT)) $(ARGS)

check: lint types imports generated-check

lint: $(STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(STAMP)
	@$(PY) -m mypy --strict -p lotstream

imports: $(STAMP)
	@$(VENV)/bin/lint-imports

generated: $(STAMP)
	@for module in $(GENERATORS); do $(PY) -m $$module || exit 1; done

generated-check: $(STAMP)
	@failed=0; for module in $(GENERATORS); do $(PY) -m $$module --check || failed=1; done; exit $$failed

# what builds the checkout is pinned beside the rest, so that nothing unpinned is ever fetched
lock:
	@test -x build/lock/bin/uv || { python3 -m venv build/lock && build/lock/bin/python -m pip install -q $(UV); }
	@printf 'hatchling>=1.27\neditables>=0.5\n' | build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --all-extras \
	  pyproject.toml - --output-file requirements.lock
	@echo "requirements.lock: $$(grep -c '==' requirements.lock) packages; then: make setup generated test"

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

FORCE:
