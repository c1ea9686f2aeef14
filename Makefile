PYTHON ?= python3
.DEFAULT_GOAL := run
.PHONY: run test lint notebook notebook-run

run: ## set up and start the web app
	@$(PYTHON) tools/dev.py run

test: ## set up and run every check; ARGS="-k name" goes to pytest
	@$(PYTHON) tools/dev.py test -- $(ARGS)

lint: ## the checks without the tests
	@$(PYTHON) tools/dev.py lint

notebook: ## set up and open the notebook
	@$(PYTHON) tools/dev.py notebook

notebook-run: ## run the notebook from top to bottom and keep what it shows
	@$(PYTHON) tools/dev.py notebook-run
