# The template's own commands. They need git, make and Python 3.11 or later only: the project's install
# script makes .venv, with the packages of `make demo` or with all.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
READY := $(VENV)/.ready
# The full set of tools includes the packages that generate a project.
READY_TO_GENERATE := $(or $(wildcard $(READY)),$(VENV)/.demo)
DEMO := demo/my_service
INSTALL := '{{cookiecutter.project_slug}}/scripts/install.sh'
# uv from the PATH, or the one that $(INSTALL) put into .venv, which also installs the demo.
UV = $$(command -v uv || ls "$$PWD/$(VENV)/bin/uv" 2>/dev/null)
LOCK = "$(UV)" pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --python-version 3.11
# Files in the order of tests/conftest.py, the longest first.
TWO_AT_A_TIME := $(VENV)/bin/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 10
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help:  ## List the commands.
	@sed -n 's/^\([a-z-]*\):.*##/  make \1\t/p' Makefile

.PHONY: test
test: $(READY)  ## Run the template's tests but for the long ones, two files at a time.
	$(TWO_AT_A_TIME) -m 'not long'

.PHONY: test-all
test-all: test  ## Run the long ones, too: containers, a pooler, faults and migrations under load.
	$(TWO_AT_A_TIME) -m 'long and not alone'
	$(VENV)/bin/pytest -m 'long and alone' --durations 10

.PHONY: demo
demo: $(DEMO)/Makefile  ## Generate a project with the defaults into demo/ once, and start it.
	@echo 'The project is $(DEMO): its own commands run there.'
	@UV="$(UV)" $(MAKE) --no-print-directory -C $(DEMO) run

# Generated in another folder and moved, so that an interrupted run leaves no incomplete project.
$(DEMO)/Makefile: | $(READY_TO_GENERATE)
	@test ! -e $(DEMO) || { echo '$(DEMO) is not a whole project: look into it, then remove it.' >&2; exit 1; }
	@rm -rf demo/.new && mkdir -p demo/.new
	@$(VENV)/bin/cookiecutter --no-input --default-config --output-dir demo/.new . >demo/.new/log 2>&1 \
		|| { cat demo/.new/log >&2; exit 1; }
	@mv demo/.new/my_service $(DEMO) && rm -rf demo/.new

.PHONY: openapi
openapi: $(READY) $(DEMO)/Makefile  ## Write the template's openapi.json anew, with the demo's environment.
	@$(MAKE) --no-print-directory -C $(DEMO) .venv/.ready
	@$(VENV)/bin/python -m proofs.conformance.committed --python $(DEMO)/.venv/bin/python

.PHONY: security
security: $(READY)  ## Write the security requirements that the chassis's tests show into the template.
	$(VENV)/bin/python -m proofs.chassis --security $(if $(PROJECT),--project '$(PROJECT)')

.PHONY: rehearse
rehearse: $(READY)  ## Prove on a generated project that migrations under load lose nothing.
	$(VENV)/bin/python -m proofs.rehearsal

.PHONY: refusals
refusals: $(READY)  ## Measure how long 61 migrations block clients on PostgreSQL 15, 17 and 18; RESUME=1 continues. An hour.
	$(VENV)/bin/python -m proofs.refusals $(if $(RESUME),--resume)

.PHONY: strangers-objects
strangers-objects: $(READY)  ## Prove on 200 random databases that nothing of others is dropped or called drift.
	$(VENV)/bin/python -m proofs.strangers_objects

.PHONY: chaos
chaos: $(READY)  ## Make faults under load on a generated project; needs root, redis-server and nginx.
	$(VENV)/bin/python -m proofs.chaos

.PHONY: dump
dump: $(READY)  ## Prove that a pg_dump under load restores with every acknowledged write.
	$(VENV)/bin/python -m proofs.dump

.PHONY: jobs
jobs: $(READY)  ## Kill processes of background jobs, 50 times, and count the effects; needs RabbitMQ's image, or Debian's.
	$(VENV)/bin/python -m proofs.jobs

.PHONY: conformance
conformance: $(READY)  ## Prove on a generated project that every endpoint is right under any input.
	$(VENV)/bin/python -m proofs.conformance

.PHONY: matrix
matrix: $(READY)  ## Prove each combination of answers; RESUME=1 goes on where a run ended.
	$(VENV)/bin/python -m proofs.matrix $(if $(RESUME),--resume)

.PHONY: updates
updates: $(READY)  ## Prove updates from each earlier state, of fifty projects, and of the chassis as a wheel.
	$(VENV)/bin/python -m proofs.updates
	$(VENV)/bin/python -m proofs.fleet
	$(VENV)/bin/python -m proofs.wheel

.PHONY: generator
generator: $(READY)  ## Prove generate and destroy on random models; needs an hour.
	$(VENV)/bin/python -m proofs.generator

.PHONY: examples
examples: $(READY)  ## Rebuild and test the examples, and run their pages; or NAME="one another"; INTO=path builds them there.
	$(VENV)/bin/python -m proofs.examples $(if $(INTO),--build --into '$(INTO)') $(NAME)

.PHONY: column-split
column-split: $(READY)  ## Split a column of 50,000 rows over three releases of the order desk under load.
	$(VENV)/bin/python -m proofs.column_split

.PHONY: bench
bench: $(READY)  ## Measure a generated project beside other stacks; needs wrk and taskset.
	$(VENV)/bin/python -m benchmarks.run

.PHONY: bench-check
bench-check: $(READY)  ## Fail where a request costs more than benchmarks/budget.toml allows; two minutes.
	$(VENV)/bin/python -m benchmarks.guard

.PHONY: bench-since
bench-since: $(READY)  ## Compare what a request costs with REVISION=commit, in one run; five minutes.
	$(VENV)/bin/python -m benchmarks.since $(REVISION)

.PHONY: test-chassis
test-chassis: $(READY)  ## Run the tests of the chassis on a generated project, PROJECT=path, or on a new one.
	$(VENV)/bin/python -m proofs.chassis $(if $(PROJECT),--project '$(PROJECT)')

.PHONY: test-chassis-ordinary
test-chassis-ordinary: $(READY)  ## Run these tests without the chassis's shortcuts: the libraries do all.
	$(VENV)/bin/python -m proofs.chassis --ordinary $(if $(PROJECT),--project '$(PROJECT)')

.PHONY: coverage-chassis
coverage-chassis: $(READY)  ## Run these tests and measure coverage: below 95 % of the chassis's branches, it fails.
	$(VENV)/bin/python -m proofs.chassis --coverage $(if $(PROJECT),--project '$(PROJECT)')

.PHONY: house
house: $(READY)  ## Count the sizes of a generated project: at 1.0.0, now, and the limits.
	$(VENV)/bin/python -m proofs.house

.PHONY: check
check: $(READY)  ## Lint, format check and types of the hooks, the tests and the proofs.
	$(VENV)/bin/ruff check benchmarks hooks proofs tests updates
	$(VENV)/bin/ruff format --check benchmarks hooks proofs tests updates
	$(VENV)/bin/mypy

.PHONY: lock
lock: $(READY)  ## Lock the newest versions of the template's tools.
	@command -v uv >/dev/null || $(INSTALL) $(VENV) '{{cookiecutter.project_slug}}/requirements/uv.txt'
	$(LOCK) --upgrade --group dev --output-file requirements.txt
	$(LOCK) --group demo --constraint requirements.txt --output-file requirements-demo.txt
	$(LOCK) --upgrade --group conformance --output-file requirements-conformance.txt
	$(LOCK) --upgrade --group django --output-file requirements-django.txt

.PHONY: clean
clean:  ## Remove what the tools made; the demo and its data stay.
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
	rm -rf $(addprefix '{{cookiecutter.project_slug}}'/,.venv .mypy_cache .ruff_cache)
	find hooks proofs tests '{{cookiecutter.project_slug}}' -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.demo: requirements-demo.txt
	@[ -e $(READY) ] || rm -rf $(VENV)
	@[ -e $(READY) ] || $(INSTALL) $(VENV) requirements-demo.txt
	@touch $@

$(READY): requirements.txt
	@if [ -e $@ ] || [ ! -e $(VENV)/.demo ]; then rm -rf $(VENV); fi
	@$(INSTALL) $(VENV) requirements.txt
	@touch $@
