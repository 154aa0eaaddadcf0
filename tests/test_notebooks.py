"""The rules on notebooks, each with an example that keeps it and one that breaks it."""

import base64
import io
import json

import check_notebooks as rules
import nbformat
import pytest
import run_notebooks
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)
from PIL import Image
from prose_numbers import uncomputed_numbers


def code(source="1", outputs=(), count=1, **metadata):
    return new_code_cell(
        source, outputs=list(outputs), execution_count=count, metadata=dict(metadata)
    )


def shown(text, kind="text/plain"):
    return new_output("execute_result", {kind: text}, execution_count=1)


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def found(check, *cells):
    """What a check finds in a notebook of these cells."""
    return [what for _, what in check(new_notebook(cells=list(cells)))]


# ---------------------------------------------------------------- numbers in the prose


def missing(prose, *, out="", source="x = 1", kind="text/plain"):
    cells = [code(source, [shown(out, kind)]), new_markdown_cell(prose)]
    return [number for _, number in uncomputed_numbers(new_notebook(cells=cells))]


@pytest.mark.parametrize(
    ("prose", "out"),
    [
        # spelling
        ("207,360 weights", "207360"),
        ("207360 weights", "207,360 weights"),
        ("207\u2009360 weights", "207360"),
        ("$207{,}360$ and $207\\,360$ weights", "207360"),
        ("it is −12", "-12"),
        ("it is $-12$", "[-12, 3]"),
        ("12.50 of them", "12.5"),
        ("12.5 of them", "12.50"),
        ("shape (64, 28, 28)", "(64, 28, 28)"),
        ("one hundred and $12^{2}$", "12 2"),
        ("30–40", "30 40"),
        ("a row of 64s", "64"),
        # rounding
        ("0.87 of it", "0.8659"),
        ("about 90 of them", "89.7"),
        ("$\\approx 90$", "89.7"),
        # percentages and scales
        ("89.3 % of it", "89.3"),
        ("89.3% of it", "0.89312"),
        ("$89.3\\,\\%$ of it", "0.89312"),
        ("90 percent", "89.7"),
        ("1.3 million weights", "1312000"),
        # formats
        ("64 and 128", "<td>64</td><td>128</td>"),
        ("28×28×192", "28x28x192"),
        ("1.5e-06", "1.5e-06"),
        ("234 of them", "[1,234]"),
        ("1,234 of them", "[1,234]"),
    ],
)
def test_a_number_that_an_output_shows_is_found(prose, out):
    kind = "text/html" if "<" in out else "text/plain"
    assert missing(prose, out=out, kind=kind) == []


@pytest.mark.parametrize(
    ("prose", "out", "expected"),
    [
        ("207,361 weights", "207360", ["207,361"]),
        ("it is 12", "-12", ["12"]),
        ("it is −12", "12", ["-12"]),
        ("0.86 of it", "0.8659", ["0.86"]),
        ("90 of them", "89.7", ["90"]),
        ("0.8659 of it", "0.87", ["0.8659"]),
        ("64 of them", "640", ["64"]),
        ("360 of them", "207,360", ["360"]),
        ("64 of them", "float64", ["64"]),
        ("`x.sum()` is 25", "", ["25"]),
        ("`reshape(1, 36)`", "", ["36"]),
        ("```\n25\n```", "", ["25"]),
        ("28×28 pixels", "", ["28", "28"]),
        ("64×3×3", "3 3", ["64"]),
        ("| 16:9 |", "9", ["16"]),
        ("12x faster", "", ["12"]),
        ("in 2013", "", ["2013"]),
        ("(2013 of them)", "", ["2013"]),
        ("after 40 seconds", "", ["40"]),
        ("it holds 12. Then", "", ["12"]),
        ("## Further reading\n\n1995\n\n## More\n\n1996", "", ["1996"]),
        ("1.3 million weights", "1212000", ["1.3"]),
    ],
)
def test_a_number_that_nothing_shows_is_reported(prose, out, expected):
    assert missing(prose, out=out) == expected


@pytest.mark.parametrize(
    "prose",
    [
        "two channels",
        "a 5×5 kernel, $11 \\times 11$, `5x5`",
        "RGB8, float32, C4W2, ResNet-50, BT.601, conv2d, $x_{12}$, $x_12$",
        "16-bit, 2D, 33rd, version 2.13.0, arXiv:1312.4400",
        "(Lin et al., 2013), Szegedy (2015), [Lin 2013](https://x.org/13), (Lin 2013; He 2016)",
        "[here](https://example.org/p/77) <https://example.org/78> https://example.org/79",
        '<img width="300">',
        "40 minutes, a 40-minute walk, 15–20 minutes",
        "11. eleventh item\n12. twelfth item",
        "## Further reading\n\nPages 200 to 300.",
    ],
)
def test_what_is_no_number_of_the_lesson_is_left_alone(prose):
    assert missing(prose) == []


def test_small_whole_numbers_may_come_from_the_code():
    assert missing("3 rows, or −3", source="x = rows(3)") == []
    assert missing("3 rows", source="x = rows(4)") == ["3"]
    assert missing("30 rows", source="x = rows(30)") == ["30"]


def test_an_assertion_is_a_source():
    assert missing("30 rows", source="if x:\n    assert rows(x) == (\n        30\n    )") == []


def test_the_repr_of_a_figure_is_no_source():
    figure = new_output("display_data", {"image/png": "", "text/plain": "<Figure size 640x480>"})
    cells = [code(outputs=[figure]), new_markdown_cell("640 pixels")]
    assert list(uncomputed_numbers(new_notebook(cells=cells))) == [(2, "640")]


def test_further_reading_may_span_cells():
    texts = ["## Further reading", "1995", "## Next\n\n1996"]
    cells = [new_markdown_cell(text) for text in texts]
    assert list(uncomputed_numbers(new_notebook(cells=cells))) == [(3, "1996")]


# ---------------------------------------------------------------- the other rules


def test_execution_counts():
    assert found(rules.check_execution, code(count=1), code(count=2)) == []
    assert found(rules.check_execution, code(count=1), code(count=3))
    assert found(rules.check_execution, code(count=None))
    assert found(rules.check_execution, code("", count=None)) == ["empty"]


@pytest.mark.parametrize(
    "output",
    [
        printed("warning", "stderr"),
        new_output("error", ename="E", evalue="", traceback=[]),
        new_output("display_data", {"image/svg+xml": "<svg/>"}),
        printed("/home/ann/book/src\n"),
        printed(r"C:\Users\ann"),
        shown("np.float64(6.0)"),
        shown("<function f at 0x7f5c>"),
        shown("7" * 300_001),
    ],
)
def test_unclean_outputs(output):
    assert found(rules.check_outputs, code(outputs=[output]))


@pytest.mark.parametrize("text", ["3/4", "a / b", "https://example.org/home/x", "np.int", "H/W/C"])
def test_clean_outputs(text):
    assert found(rules.check_outputs, code(outputs=[printed(text)])) == []


def test_cell_lengths():
    assert found(rules.check_cell_lengths, code("x\n" * 15), code(), code()) == []
    assert found(rules.check_cell_lengths, code("x\n" * 16), code(), code())
    assert found(rules.check_cell_lengths, code("x\n" * 7))  # the median


def test_descriptions():
    figure = [new_output("display_data", {"image/png": ""})]

    def described(alt):
        return code(outputs=figure, mystnb={"image": {"alt": alt}})

    good = "Two channels as grey squares, one number in each."
    assert found(rules.check_descriptions, code(), described(good)) == []
    for bad in ["", "a figure", "1234567890123456789012345678901234567890.png"]:
        assert found(rules.check_descriptions, described(bad))
    assert found(rules.check_descriptions, code(outputs=figure))


@pytest.mark.parametrize(
    "text",
    ["```{note}\nx\n```", ":::{note}\nx\n:::", "see {ref}`x`", "(label)=\n# T", "+++"],
)
def test_markup_of_the_site_alone(text):
    assert found(rules.check_markup, new_markdown_cell(text))


@pytest.mark.parametrize(
    "text",
    ["```python\nx = {1}\n```", "`{x}`", "$\\{x\\}$", "a: b", "(a) = b", "<details>x</details>"],
)
def test_markup_that_any_reader_shows(text):
    assert found(rules.check_markup, new_markdown_cell(text)) == []


def test_tags():
    ignored = {"tags": ["nbval-ignore-output"]}
    assert found(rules.check_tags, code("assert x", **ignored), code(tags=["hide-input"])) == []
    assert found(rules.check_tags, code("x", **ignored))
    assert found(rules.check_tags, code(tags=["raises-exception"]))
    assert found(rules.check_tags, code("# NBVAL_IGNORE_OUTPUT\nx"))


def test_headings():
    title, second = new_markdown_cell("# T\n\ntext"), new_markdown_cell("# U")
    section = new_markdown_cell("## S")
    fence = new_markdown_cell("```\n# a comment\n```")
    assert found(rules.check_headings, title, section, fence) == []
    assert found(rules.check_headings, title, second)
    assert found(rules.check_headings, section, title)
    assert found(rules.check_headings, section)


def test_lesson_parts():
    texts = [
        "# T\n\n**After this chapter you can**\n\n- add",
        "> **Predict.** What?",
        "> **Common misreading.** No.",
        "## You can now\n\n- add",
    ]
    cells = [new_markdown_cell(text) for text in texts]
    assert found(rules.check_lesson_parts, *cells) == []
    for i in range(4):
        assert len(found(rules.check_lesson_parts, *cells[:i], *cells[i + 1 :])) == 1


def test_table_of_contents(tmp_path):
    def write(toc, *files):
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).touch()
        (tmp_path / "_toc.yml").write_text(json.dumps(toc))
        return rules.check_toc(tmp_path)

    toc = {"root": "chapters/index", "chapters": [{"file": "chapters/a/lesson"}]}
    assert write(toc, "chapters/index.md", "chapters/a/lesson.ipynb") == []
    (tmp_path / "chapters/.ipynb_checkpoints").mkdir()
    assert write(toc, "chapters/.ipynb_checkpoints/lesson.ipynb") == []
    assert write(toc, "chapters/b/lesson.ipynb") == ["chapters/b/lesson.ipynb: not in _toc.yml"]
    toc["chapters"] += [{"file": "chapters/b/lesson", "sections": [{"file": "chapters/c"}]}]
    assert write(toc) == ["_toc.yml: there is no chapters/c"]
    toc["chapters"] += [{"file": "chapters/a/lesson"}]
    assert write(toc, "chapters/c.md") == ["_toc.yml: chapters/a/lesson twice"]


# ---------------------------------------------------------------- the normal form


def messy():
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# T\n", metadata={"collapsed": True}),
            code("x\n", [printed("é\n")], tags=[], execution={"iopub.execute_input": "now"}),
            code("y", tags=["hide-input"], mystnb={"image": {"alt": "A"}}, vscode={"x": 1}),
        ],
        metadata={
            "kernelspec": {"name": "venv", "display_name": "my venv"},
            "language_info": {"name": "python", "version": "3.11.7"},
            "widgets": {"state": {}},
        },
    )
    for cell in notebook.cells[1:]:
        del cell["id"]
    return notebook


def test_the_normal_form_holds_nothing_of_the_machine():
    normal = run_notebooks.normalise(messy())
    nbformat.validate(normal)
    assert normal.metadata == run_notebooks.METADATA
    assert [dict(cell.metadata) for cell in normal.cells] == [
        {},
        {},
        {"tags": ["hide-input"], "mystnb": {"image": {"alt": "A"}}},
    ]
    assert len({cell.id for cell in normal.cells}) == 3
    text = run_notebooks.to_text(normal)
    assert text.endswith("}\n")
    assert "é" in text


def test_the_normal_form_is_stable():
    once = run_notebooks.normalise(messy())
    assert run_notebooks.normalise(once) == once
    # Ids that are missing come from place and content, not from chance.
    again = run_notebooks.normalise(messy())
    assert [cell.id for cell in again.cells[1:]] == [cell.id for cell in once.cells[1:]]


def test_pictures_keep_their_pixels_and_take_fewer_bytes():
    picture = Image.radial_gradient("L").convert("RGBA")
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    large = base64.b64encode(file.getvalue()).decode()
    small = run_notebooks.smaller_png(large)
    again = Image.open(io.BytesIO(base64.b64decode(small))).convert("RGBA")
    assert again.tobytes() == picture.tobytes()
    assert len(small) < len(large)
    assert run_notebooks.smaller_png(small) == small


def test_running_twice_writes_the_same_bytes(tmp_path):
    path = tmp_path / "lesson.ipynb"
    cells = [code("import os\nprint(os.getcwd() != '')", []), code("import sys\nprint(1)", [])]
    nbformat.write(new_notebook(cells=cells), path)
    run_notebooks.run(path)
    first = path.read_bytes(), path.stat().st_mtime_ns
    run_notebooks.run(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == first
