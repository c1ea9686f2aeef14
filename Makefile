PYTHON ?= python3
.DEFAULT_GOAL := run
.PHONY: run test test-long lint notebook notebook-run

run: ## set up and start the web app
	@$(PYTHON) tools/dev.py run

test: ## set up and run every check but the long tests; ARGS="-k name" goes to pytest
	@$(PYTHON) tools/dev.py test -- $(ARGS)

test-long: ## the long tests, which `make test` leaves out; ARGS="tests/live" goes to pytest
	@$(PYTHON) tools/dev.py test-long -- $(ARGS)

lint: ## the checks without the tests
	@$(PYTHON) tools/dev.py lint

notebook: ## set up and open the notebook
	@$(PYTHON) tools/dev.py notebook

notebook-run: ## run the notebook from top to bottom and keep what it shows
	@$(PYTHON) tools/dev.py notebook-run
