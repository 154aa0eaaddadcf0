"""What Binder installs is what the notebooks need."""

import ast
import os
import re
import sys

import pytest
from pip._vendor.packaging.requirements import Requirement
from run_notebooks import ROOT, find_notebooks, read

# A module's name where it is not that of its package.
PACKAGES = {"skimage": "scikit-image", "sklearn": "scikit-learn", "PIL": "pillow"}


def requirements(file):
    """Package name → version range of one requirements file."""
    lines = [line.split(" #")[0].strip() for line in file.read_text().splitlines()]
    found = [Requirement(line) for line in lines if re.match(r"[a-z]", line)]
    return {requirement.name: str(requirement.specifier) for requirement in found}


BINDER = requirements(ROOT / "binder/requirements.txt")


def imported_by(source):
    source = re.sub(r"^[%!](?!=).*$", "", source, flags=re.MULTILINE)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_every_import_of_a_notebook_is_installed():
    modules = {
        module
        for path in find_notebooks()
        for cell in read(path).cells
        if cell.cell_type == "code"
        for module in imported_by(cell.source)
    }
    for source in (ROOT / "src/pointwise").rglob("*.py"):  # what the package imports beside NumPy
        modules |= set(imported_by(source.read_text(encoding="utf-8")))
    there = {*sys.stdlib_module_names, "pointwise", "IPython"}  # a kernel runs on IPython
    needed = {PACKAGES.get(m, m) for m in modules - there}
    assert needed
    assert needed <= set(BINDER)


def test_the_imports_of_a_cell_are_found():
    source = "%matplotlib inline\nimport a.b as c, d\nfrom e.f import g\nif 1:\n    import h"
    assert set(imported_by(source)) == {"a", "d", "e", "h"}


@pytest.mark.parametrize("name", BINDER)
def test_version_ranges_are_those_of_the_book(name):
    assert BINDER[name] == requirements(ROOT / "requirements.txt")[name]


def test_the_package_itself_and_the_cpu_build_of_torch():
    text = (ROOT / "binder/requirements.txt").read_text()
    assert re.search(r"^-e \.(?:\s|$)", text, re.MULTILINE)
    assert re.search(r"^--extra-index-url https://download.pytorch.org/whl/cpu$", text, re.M)


def test_a_python_that_the_book_is_tested_with():
    version = re.fullmatch(r"python-3\.(\d+)\n", (ROOT / "binder/runtime.txt").read_text())
    assert 11 <= int(version[1]) <= 13


def test_one_thread():
    start = ROOT / "binder/start"
    assert os.access(start, os.X_OK)
    assert "export OMP_NUM_THREADS=1\n" in start.read_text()
    assert start.read_text().endswith('exec "$@"\n')
