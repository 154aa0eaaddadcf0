"""Check that the notebooks keep the book's rules.

    python tools/check_notebooks.py              all notebooks under chapters/, and _toc.yml
    python tools/check_notebooks.py PATH …       these notebooks

Prints each finding as `file: cell n: what is wrong`; cells are counted from 1, text cells included.
The rules are the functions below, one each; prose_numbers.py holds the rule on numbers.
"""

import json
import os
import re
import statistics
import sys
from pathlib import Path

import yaml
from prose_numbers import text_of, uncomputed_numbers
from run_notebooks import ROOT, find_notebooks, normalise, read, to_text

MAX_LINES, MAX_MEDIAN_LINES = 15, 6
MAX_OUTPUT_BYTES = 300_000
MIN_DESCRIPTION = 30
TAGS = {
    "nbval-ignore-output",  # the output is not compared: training, timing
    "hide-input",  # the site folds the code
    "hide-output",  # the site folds the output
    "remove-input",  # the site leaves the code out
}
# Markup that only the site understands; a notebook is read in JupyterLab and on GitHub too.
SITE_ONLY = re.compile(
    r"^\s*(?:`{3,}|~{3,}|:{3,})\s*\{|^:{3,}|\{[\w:.+-]+\}`[^`\s]|^\([\w-]+\)=\s*$|^\+\+\+",
    re.MULTILINE,
)
MACHINE_PATH = re.compile(
    r"(?<![\w./:])/(?:home|Users|root|tmp|work|usr|opt|var|srv|mnt|private)/|\b[A-Z]:\\\\?\w"
)
LEFTOVERS = {
    r"\bnp\.(?:float|int|uint|bool|str)\d*_?\(": "the repr of a NumPy scalar; use int() or float()",
    r" at 0x[0-9a-fA-F]+": "a memory address, which changes from run to run",
}
LESSON_PARTS = {
    r"After this chapter you can\b.*\n+\s*[-*] ": 'a list under "After this chapter you can"',
    r"^> \*\*Predict": 'a "> **Predict" line',
    r"^> \*\*Common misreading": 'a "> **Common misreading" box',
    r"You can now\b.*\n+\s*[-*] ": 'a list under "You can now"',
}


# What each question of a page of exercises begins with, as tools/exercises.py writes it.
QUESTION = re.compile(r"## \d+\. \S.*\n\n\*\d+ points?, \d+ minutes\. Tests: .+\.\*\n\n\S")
OF_A_MASTER = re.compile(r"(?:BEGIN|END) SOLUTION|nbgrader")


def cells_of(notebook, kind):
    return [(i, cell) for i, cell in enumerate(notebook.cells, 1) if cell.cell_type == kind]


def check_execution(notebook):
    """Cells were run once, from top to bottom. nbval passes a notebook without outputs."""
    for count, (i, cell) in enumerate(cells_of(notebook, "code"), 1):
        if not cell.source.strip():
            yield i, "empty"
        elif cell.execution_count != count:
            yield i, f"execution count {cell.execution_count} where {count} is due; make notebooks"


def check_outputs(notebook):
    """Outputs are clean, small and the same on every machine."""
    size = 0
    for i, cell in cells_of(notebook, "code"):
        for output in cell.outputs:
            size += len(json.dumps(output, ensure_ascii=False))
            if output.output_type == "error":
                yield i, "an error; catch it and print it, so that it is compared"
            elif output.get("name") == "stderr":
                yield i, f"a message on stderr: {output.text.strip()[:80]}"
            elif "image/svg+xml" in output.get("data", {}):
                yield i, "an SVG picture; a PNG is smaller and the same everywhere"
        for text in text_of(cell.outputs):
            if path := MACHINE_PATH.search(text):
                yield i, f"the output shows a path of one machine: {path[0]}"
            for pattern, what in LEFTOVERS.items():
                if re.search(pattern, text):
                    yield i, f"the output shows {what}"
    if size > MAX_OUTPUT_BYTES:
        yield None, f"{size // 1000} kB of outputs; at most {MAX_OUTPUT_BYTES // 1000}"


def check_cell_lengths(notebook):
    """Short cells: what is longer moves to the package."""
    lengths = []
    for i, cell in cells_of(notebook, "code"):
        lengths.append(len(cell.source.splitlines()))
        if lengths[-1] > MAX_LINES:
            yield i, f"{lengths[-1]} lines; at most {MAX_LINES}, the rest belongs into the package"
    if lengths and statistics.median(lengths) > MAX_MEDIAN_LINES:
        yield (
            None,
            f"the median cell has {statistics.median(lengths)} lines; at most {MAX_MEDIAN_LINES}",
        )


def check_descriptions(notebook):
    """Every figure has a written description."""
    for i, cell in cells_of(notebook, "code"):
        if not any(k.startswith("image/") for o in cell.outputs for k in o.get("data", {})):
            continue
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt.strip()) < MIN_DESCRIPTION or re.search(r"\.(png|jpe?g|svg|gif)$", alt.strip()):
            where = '{"mystnb": {"image": {"alt": "…"}}}'
            yield (
                i,
                f"its figure has no description of {MIN_DESCRIPTION} characters: metadata {where}",
            )


def check_markup(notebook):
    """The text reads well where MyST is not rendered."""
    for i, cell in cells_of(notebook, "markdown"):
        if found := SITE_ONLY.search(cell.source):
            yield i, f"markup that only the site understands: {found[0].strip()}"


def check_tags(notebook):
    """Few tags, and none that switches the comparison off without an assert in its place."""
    for i, cell in enumerate(notebook.cells, 1):
        tags = set(cell.metadata.get("tags", []))
        if unknown := tags - TAGS:
            yield i, f"unknown tag {', '.join(sorted(unknown))}; known: {', '.join(sorted(TAGS))}"
        if "nbval-ignore-output" in tags and not re.search(r"^\s*assert\b", cell.source, re.M):
            yield i, "nbval-ignore-output without an assert: nothing here would be checked"
        if cell.cell_type == "code" and re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source):
            yield i, "a control comment, which readers see; use a tag"


def check_normal_form(notebook, text):
    """The file is what `make notebooks` writes, so that a diff shows only what changed."""
    if text != to_text(normalise(notebook)):
        yield None, "metadata or layout is not in the normal form; make notebooks"


def check_headings(notebook):
    """One title, at the top."""
    titles = []
    for i, cell in cells_of(notebook, "markdown"):
        text = re.sub(r"^(`{3,}|~{3,})[\s\S]*?^\1", "", cell.source, flags=re.MULTILINE)
        titles += [i] * len(re.findall(r"^# ", text, re.MULTILINE))
    if titles != [1]:
        yield None, f"{len(titles)} titles (# …); exactly one, in the first cell"


def check_lesson_parts(notebook):
    text = "\n\n".join(cell.source for _, cell in cells_of(notebook, "markdown"))
    for pattern, what in LESSON_PARTS.items():
        if not re.search(pattern, text, re.MULTILINE):
            yield None, f"a lesson needs {what}"


def check_exercises(notebook):
    """A page of exercises: each question says what it is worth; nothing tells of a solution."""
    questions = 0
    for i, cell in enumerate(notebook.cells, 1):
        if found := OF_A_MASTER.search(json.dumps(cell)):
            yield i, f"{found[0]}: this belongs into the master"
        if cell.cell_type == "markdown" and re.match(r"## \d", cell.source):
            questions += 1
            if not QUESTION.match(cell.source):
                yield i, "a question needs its points, its minutes and what it tests"
    if not 6 <= questions <= 10:
        yield None, f"{questions} questions; 6 to 10"
    checks = [cell for _, cell in cells_of(notebook, "code") if "sheet.check(" in cell.source]
    shown = [text.strip() for cell in checks for text in text_of(cell.outputs)]
    if not shown or set(shown) != {"Not attempted yet."}:
        yield None, "a check says something else than “Not attempted yet.”"


def check_prose_numbers(notebook):
    for i, number in uncomputed_numbers(notebook):
        yield i, f"{number} stands in the prose and in no output"


def check_notebook(path):
    """All findings in one notebook, as printed."""
    notebook = read(path)
    findings = [
        *check_execution(notebook),
        *check_outputs(notebook),
        *check_cell_lengths(notebook),
        *check_descriptions(notebook),
        *check_markup(notebook),
        *check_tags(notebook),
        *check_normal_form(notebook, path.read_text(encoding="utf-8")),
        *check_headings(notebook),
        *(check_lesson_parts(notebook) if path.name == "lesson.ipynb" else []),
        *(check_exercises(notebook) if path.name == "exercises.ipynb" else []),
        *check_prose_numbers(notebook),
    ]
    name = os.path.relpath(path)
    return [f"{name}: {f'cell {i}: ' if i else ''}{what}" for i, what in findings]


def toc_entries(node):
    """Every file named in a table of contents."""
    if isinstance(node, list):
        return [entry for item in node for entry in toc_entries(item)]
    if isinstance(node, dict):
        own = [node[key] for key in ("root", "file") if key in node]
        return own + [entry for value in node.values() for entry in toc_entries(value)]
    return []


def check_toc(root=ROOT):
    """_toc.yml and chapters/ name the same notebooks, each once."""
    entries = toc_entries(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    listed = [re.sub(r"\.(ipynb|md)$", "", entry) for entry in entries]
    findings = [f"_toc.yml: {entry} twice" for entry in {e for e in listed if listed.count(e) > 1}]
    for entry in listed:
        if not any((root / f"{entry}{suffix}").is_file() for suffix in (".ipynb", ".md")):
            findings.append(f"_toc.yml: there is no {entry}")
    for path in find_notebooks(root):
        name = path.relative_to(root).as_posix()
        if name.removesuffix(".ipynb") not in listed:
            findings.append(f"{name}: not in _toc.yml")
    return findings


def main(names):
    paths = [Path(name) for name in names] or find_notebooks()
    findings = [] if names else check_toc()
    for path in paths:
        findings += check_notebook(path)
    if findings:
        print("\n".join(findings))
        sys.exit(f"{len(findings)} findings in {len(paths)} notebooks.")
    print(f"{len(paths)} notebooks keep the rules.")


if __name__ == "__main__":
    main(sys.argv[1:])
