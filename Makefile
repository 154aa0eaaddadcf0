# One by One. Every target makes .venv first when it has to, or mends it.
#
#   make book         build the website, every warning an error
#   make serve        build it and show it on this machine (PORT=8000)
#   make lab          open the chapters in JupyterLab
#   make notebooks    execute all notebooks in place; one of them: NB=chapters/channels/lesson.ipynb
#   make exercises    write the practice and solutions pages anew from their masters
#   make assignment   draw an assignment for a class: CHAPTER=channels COHORT=2026a SECRET_FILE=…
#   make grade        grade what came back: CHAPTER, COHORT, SECRET_FILE, SUBMISSIONS=folder or zip
#   make test         lint, hygiene, strict build, unit tests, and every notebook executed and compared
#   make site-check   the tests of the built site alone, in Chromium where it is installed
#   make clean        remove what was built; .venv stays
#
# PYTHON=python3.12     the interpreter that .venv is made with (3.11 or newer)
# SOLUTIONS=no          build the book without the solutions
# STUDENTS=ann,bob      other numbers for each student of an assignment; or a CSV file
# REPOSITORY=https://…  the repository that the site's buttons open, if not the one in _config.yml

# Recipes run one after the other even under -j: they share .venv and _build.
.NOTPARALLEL:
.PHONY: help book serve lab notebooks exercises assignment grade test site-check clean \
    site-tools all-tools instructor-tools always

PY := .venv/bin/python
PORT ?= 8000
export PYTHON REPOSITORY SOLUTIONS CHAPTER COHORT STUDENTS SUBMISSIONS TRUST
# Empty is not the same as not there: the secret may also be in the environment.
ifdef SECRET_FILE
export SECRET_FILE
endif

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

instructor-tools:
	@python=$$(tools/find-python) && "$$python" tools/install.py instructor

# What the pages are made of; folders stand for the files that leave them.
SOURCES := $(shell find chapters _ext _static _extra _templates -not -name '.*' -not -name __pycache__ \
             -not -path '*/.ipynb_checkpoints/*' -not -path '*/__pycache__/*')

book: site-tools _build/html/.complete
	@echo "The site: $(CURDIR)/_build/html/index.html"

_build/html/.complete: $(SOURCES) _config.yml _toc.yml _terms.yml CITATION.cff requirements-site.txt \
    tools/build_book.py $(if $(REPOSITORY)$(SOLUTIONS),always)
	@$(PY) tools/build_book.py

serve: book
	@echo "The book: http://127.0.0.1:$(PORT)/  (Ctrl-C stops it)"
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: all-tools
	@$(PY) -m jupyterlab chapters $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: all-tools
	@$(PY) tools/run_notebooks.py $(NB)

exercises: instructor-tools
	@$(PY) tools/exercises.py $(CHAPTER)

assignment: instructor-tools
	@$(PY) tools/assignment.py

grade: instructor-tools
	@PYTHONPATH=assignments $(PY) -m grading

test: instructor-tools
	@$(PY) tools/run_tests.py

site-check: instructor-tools _build/html/.complete
	@$(PY) -m pytest -q -rs -m site tests

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
