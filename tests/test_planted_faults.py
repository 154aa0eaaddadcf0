"""The guards guard: plant one fault in a copy of the book, and a step of `make test` refuses it.

The copy has one small chapter; the commands are the very ones that `make test` runs.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from run_notebooks import ROOT, normalise, read, to_text
from run_tests import STEPS

RULES, BUILD, COMPARE = (
    STEPS[name]
    for name in [
        "notebook rules",
        "strict build of the site",
        "every notebook executed and compared",
    ]
)
LESSON = "chapters/tiny/lesson.ipynb"
ALT = {"mystnb": {"image": {"alt": "Six grey squares in two rows, from dark to bright."}}}
TEXT = """# A tiny lesson

After this chapter you can

- add six numbers, $x_1$ to $x_6$.

See [the start](../index.md).

> **Predict.** What is the sum?"""
MISREADING = """> **Common misreading.** *"The sum is 16."*

The sum is 15, the pooled map has 4 numbers.

You can now

- add six numbers."""
CELLS = [
    new_markdown_cell(TEXT),
    new_code_cell(
        "import matplotlib.pyplot as plt\nimport numpy as np\nfrom pointwise import max_pool2d"
    ),
    new_code_cell("x = np.arange(6).reshape(2, 3)\nassert x.sum() != 16\nprint(x.sum())"),
    new_markdown_cell(MISREADING),
    new_code_cell(
        "pooled = max_pool2d(np.arange(16).reshape(1, 1, 4, 4), 2)\nprint(pooled.tolist())"
    ),
    new_code_cell("plt.imshow(x, cmap='gray')\nplt.show()", metadata=ALT),
]


def step(command, book):
    """Run a step of `make test` in the copy."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(book / "src")
    environment["PYTEST_XDIST_AUTO_NUM_WORKERS"] = "0"  # one notebook: workers would only cost time
    return subprocess.run(
        [
            part.replace(str(ROOT), str(book)) if part != sys.executable else part
            for part in command
        ],
        cwd=book,
        env=environment,
        capture_output=True,
        text=True,
    )


def refused(command, book, *words):
    """The step fails, and says these words."""
    done = step(command, book)
    said = done.stdout + done.stderr
    return done.returncode != 0 and all(word in said for word in words)


def edit(path, old, new):
    """Replace one place in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def rewrite(path, change):
    """Let `change` alter the notebook; it stays in its normal form."""
    notebook = read(path)
    change(notebook)
    path.write_text(to_text(normalise(notebook)), encoding="utf-8")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A copy of the book with one small chapter, executed."""
    book = tmp_path_factory.mktemp("sound") / "book"
    book.mkdir()
    for name in ["_config.yml", "pyproject.toml"]:
        shutil.copy(ROOT / name, book)
    for name in ["_ext", "_extra", "_static", "src", "tools"]:
        shutil.copytree(ROOT / name, book / name, ignore=shutil.ignore_patterns("__pycache__"))
    (book / LESSON).parent.mkdir(parents=True)
    (book / "chapters/index.md").write_text("# Start\n\n[The lesson](tiny/lesson.ipynb).\n")
    (book / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n- file: chapters/tiny/lesson\n"
    )
    nbformat.write(new_notebook(cells=CELLS), book / LESSON)
    done = step([sys.executable, "tools/run_notebooks.py"], book)
    assert done.returncode == 0, done.stdout + done.stderr
    return book


@pytest.fixture
def book(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "book"))


@pytest.mark.parametrize("command", [RULES, BUILD, COMPARE], ids=["rules", "build", "compare"])
def test_without_a_fault_every_step_passes(command, sound):
    done = step(command, sound)
    assert done.returncode == 0, done.stdout + done.stderr


def test_wrong_digit_in_a_stored_output(book):
    edit(book / LESSON, '"15\\n"', '"14\\n"')
    assert refused(COMPARE, book, "14", "15", "1 failed")


def test_stripped_notebook(book):
    def strip(notebook):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None

    rewrite(book / LESSON, strip)
    assert refused(RULES, book, f"{LESSON}: cell 2: execution count None where 1 is due")


def test_cells_executed_out_of_order(book):
    def swap(notebook):
        first, second = notebook.cells[2], notebook.cells[4]
        first.execution_count, second.execution_count = 3, 2

    rewrite(book / LESSON, swap)
    assert refused(RULES, book, f"{LESSON}: cell 3: execution count 3 where 2 is due")


def test_notebook_missing_from_the_table_of_contents(book):
    edit(book / "_toc.yml", "chapters:\n- file: chapters/tiny/lesson\n", "")
    assert refused(RULES, book, f"{LESSON}: not in _toc.yml")


def test_figure_without_a_description(book):
    rewrite(book / LESSON, lambda notebook: notebook.cells[-1].metadata.clear())
    assert refused(RULES, book, f"{LESSON}: cell 6: its figure has no description")


def test_number_in_the_prose_that_no_output_shows(book):
    edit(book / LESSON, "The sum is 15,", "The sum is 17,")
    assert refused(RULES, book, f"{LESSON}: cell 4: 17 stands in the prose and in no output")


def test_cell_over_fifteen_lines(book):
    edit(book / LESSON, '"print(x.sum())"', '"print(x.sum())' + "\\n" * 14 + '#"')
    assert refused(RULES, book, f"{LESSON}: cell 3: 17 lines; at most 15")


def test_broken_internal_link(book):
    edit(book / LESSON, "(../index.md)", "(../indexx.md)")
    assert refused(BUILD, book, "'../indexx.md'", "The site has faults")
    # Sphinx warns only of what it reads anew: an incremental build must not forget the fault.
    incremental = [part for part in BUILD if part != "--fresh"]
    assert refused(incremental, book, "'../indexx.md'", "The site has faults")


def test_a_book_without_solutions_keeps_nothing_of_them(book, monkeypatch):
    def answered(notebook):
        notebook.cells[0].source = "# Solutions\n\nThe hidden word is xylophone."

    shutil.copy(book / LESSON, book / "chapters/tiny/solutions.ipynb")
    rewrite(book / "chapters/tiny/solutions.ipynb", answered)
    toc = "- chapters:\n  - file: chapters/tiny/lesson\n"
    toc += "- caption: S\n  chapters:\n  - file: chapters/tiny/solutions\n"
    (book / "_toc.yml").write_text(f"format: jb-book\nroot: chapters/index\nparts:\n{toc}")
    incremental = [part for part in BUILD if part != "--fresh"]
    site = book / "_build/html"
    for choice, there in [("yes", True), ("no", False), ("no", False), ("", True)]:
        monkeypatch.setenv("SOLUTIONS", choice)
        done = step(incremental, book)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (site / "chapters/tiny/lesson.html").exists()
        files = [path for path in site.rglob("*") if path.is_file()]
        assert any("solutions" in path.name for path in files) is there
        assert any(b"xylophone" in path.read_bytes() for path in files) is there
        assert (site / ".complete").exists() is there


def test_formula_that_cannot_be_drawn(book):
    edit(book / LESSON, "$x_6$", r"$\\undefined_6$")
    assert refused(BUILD, book, r"\undefined", "lesson", "The site has faults")


def test_raising_cell(book):
    edit(book / LESSON, '"print(x.sum())"', '"print(x.sum())\\n", "raise SystemError(\'planted\')"')
    assert refused(COMPARE, book, "planted", "1 failed")
    before = (book / LESSON).read_bytes()
    assert refused([sys.executable, "tools/run_notebooks.py"], book, "planted", "1 of 1 notebooks")
    assert (book / LESSON).read_bytes() == before


def test_edit_of_the_package_that_changes_an_output(book):
    module = book / "src/pointwise/pool.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(
        text + "\n\n_honest = max_pool2d\n\n\ndef max_pool2d(*args, **kwargs):\n"
        "    return _honest(*args, **kwargs) + 1\n",
        encoding="utf-8",
    )
    assert refused(COMPARE, book, "1 failed")


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*/lesson.ipynb")), ids=str)
def test_a_wrong_number_in_a_real_lesson(path, tmp_path):
    """Put a digit more into the first long number of the prose."""
    from check_notebooks import check_notebook

    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, changed = re.subn(
                r"(?<= )(\d{2,})(?= )(?! minutes)", r"\g<1>7", cell.source, count=1
            )
            if changed:
                break
    else:
        pytest.skip("no long number in its prose")
    copy = tmp_path / path.name
    copy.write_text(to_text(normalise(notebook)), encoding="utf-8")
    assert any("stands in the prose" in finding for finding in check_notebook(copy))


def test_a_changed_style_sheet_reaches_a_site_that_was_built_before(book):
    rebuild = [sys.executable, "tools/build_book.py"]
    assert step(rebuild, book).returncode == 0
    style = book / "_static/book.css"
    style.write_text(style.read_text("utf-8") + "/* new */\n", encoding="utf-8")
    assert step(rebuild, book).returncode == 0
    assert "/* new */" in (book / "_build/html/_static/book.css").read_text("utf-8")
