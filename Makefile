# One by One. Every target makes .venv first when it has to, or mends it.
#
#   make book         build the website, every warning an error
#   make serve        build it and show it on this machine (PORT=8000)
#   make lab          open the chapters in JupyterLab
#   make notebooks    execute all notebooks in place; one of them: NB=chapters/channels/lesson.ipynb
#   make test         lint, hygiene, strict build, unit tests, and every notebook executed and compared
#   make site-check   the tests of the built site alone, in Chromium where it is installed
#   make clean        remove what was built; .venv stays
#
# PYTHON=python3.12     the interpreter that .venv is made with (3.11 or newer)
# REPOSITORY=https://…  the repository that the site's buttons open, if not the one in _config.yml

# Recipes run one after the other even under -j: they share .venv and _build.
.NOTPARALLEL:
.PHONY: help book serve lab notebooks test site-check clean site-tools all-tools always

PY := .venv/bin/python
PORT ?= 8000
export PYTHON REPOSITORY

# The same results on every machine: one thread, and nobody's own matplotlib or IPython settings.
export OMP_NUM_THREADS := 1
export PYTHONUTF8 := 1
export MPLCONFIGDIR := $(CURDIR)/.venv/state/matplotlib
export IPYTHONDIR := $(CURDIR)/.venv/state/ipython
export JUPYTER_RUNTIME_DIR := $(CURDIR)/.venv/state/jupyter

help:
	@sed -n -e '/^#/!q' -e 's/^# \{0,1\}//p' Makefile

site-tools:
	@python=$$(tools/find-python) && "$$python" tools/install.py site

all-tools:
	@python=$$(tools/find-python) && "$$python" tools/install.py full

# What the pages are made of; folders stand for the files that leave them.
SOURCES := $(shell find chapters _ext _static _extra _templates -not -name '.*' -not -name __pycache__ \
             -not -path '*/.ipynb_checkpoints/*' -not -path '*/__pycache__/*')

book: site-tools _build/html/.complete
	@echo "The site: $(CURDIR)/_build/html/index.html"

_build/html/.complete: $(SOURCES) _config.yml _toc.yml _terms.yml CITATION.cff requirements-site.txt tools/build_book.py \
    $(if $(REPOSITORY),always)
	@$(PY) tools/build_book.py

serve: book
	@echo "The book: http://127.0.0.1:$(PORT)/  (Ctrl-C stops it)"
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: all-tools
	@$(PY) -m jupyterlab chapters $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: all-tools
	@$(PY) tools/run_notebooks.py $(NB)

test: all-tools
	@$(PY) tools/run_tests.py

site-check: all-tools _build/html/.complete
	@$(PY) -m pytest -q -rs -m site tests

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
