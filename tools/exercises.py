"""Masters and what is made of them: practice pages and solutions pages.

    python tools/exercises.py            refresh the masters, write the pages of all chapters
    python tools/exercises.py SLUG …     of these chapters
    python tools/exercises.py --check    write nothing; fail where a file is not what it would be
    python tools/exercises.py --matrix   which exercise covers which objective

A master, assignments/source/<slug>/exercises.ipynb, is a notebook in nbgrader's format. Its
questions, points and checks come from the chapter's module in pointwise.exercises; its solutions
are written in the notebook, between ### BEGIN SOLUTION and ### END SOLUTION, and stay when it is
refreshed. The pages for instructors are written with them: see tools/instructors.py.
"""

import copy
import os
import re
import sys

import instructors
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from run_notebooks import (
    METADATA,
    ROOT,
    execute,
    normalise,
    read,
    shrink_pictures,
    to_text,
    write_whole,
)

from pointwise import exercises
from pointwise.exercises.core import namespace

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
UNSOLVED = f"{BEGIN}\nraise NotImplementedError\n{END}"


def master_path(slug, root=ROOT):
    return root / "assignments/source" / slug / "exercises.ipynb"


# ------------------------------------------------------------------------------- the master


def cell(kind, grade_id, source, *, points=None, solution=False, locked=True):
    """A cell with nbgrader's metadata; its id is its grade id."""
    nbgrader = {
        "schema_version": 3, "grade_id": grade_id, "grade": points is not None,
        "solution": solution, "locked": locked, "task": False,
    }  # fmt: skip
    if points is not None:
        nbgrader["points"] = points
    new = new_code_cell if kind == "code" else new_markdown_cell
    return new(source, id=grade_id, metadata={"nbgrader": nbgrader})


def question(chapter, exercise):
    """The heading, what the exercise is worth, what it tests, and the question."""
    number = chapter.number(exercise.name)
    points = f"{exercise.points} point{'s' if exercise.points > 1 else ''}"
    text = " ".join(chapter.written(exercise.name, exercise.text).split("\n"))
    return (
        f"## {number}. {exercise.title}\n\n"
        f"*{points}, {exercise.minutes} minutes. Tests: {exercise.tests}.*\n\n{text}"
    )


TITLE = """# Exercises: {title}

*About {minutes} minutes. You need: {chapter}, pencil and paper.*

Write your answer into the cell below a question, run that cell and the next one: it says *right*, \
or which mistake your answer looks like. Try on paper first where a question says so. What the \
checks know is public, in `pointwise.exercises`; they are there to help you."""


def master(chapter, solutions, variant=None):
    """Build a master: the questions of the chapter with these solutions.

    Parameters
    ----------
    chapter : pointwise.exercises.Chapter
    solutions : dict
        Source of the answer's cell by the name of the exercise.
    variant : dict, optional
        Other numbers than those for practice; they are written into the first code cell.
    """
    minutes = sum(exercise.minutes for exercise in chapter.exercises)
    known = "[the chapter](lesson.ipynb)" if variant is None else "the chapter of this name"
    numbers = "" if variant is None else f', variant="{exercises.pack(variant)}"'
    setup = (
        "import numpy as np\n\nfrom pointwise.exercises import begin\n\n"
        f'sheet = begin("{chapter.slug}"{numbers})\nsheet'
    )
    title = TITLE.format(title=chapter.title, minutes=minutes, chapter=known)
    cells = [cell("markdown", "title", title), cell("code", "setup", setup)]
    drawn = chapter.variant() if variant is None else variant
    for number, exercise in enumerate(chapter.exercises, 1):
        name = exercise.name
        cells += [
            cell("markdown", f"{name}-question", question(chapter, exercise)),
            cell("code", f"{name}-numbers", f'q{number} = sheet.show("{name}")'),
        ]
        if exercise.kind == "text":
            p = namespace(drawn[name])
            cells.append(
                cell("markdown", name, exercise.model(p), points=exercise.points, solution=True,
                     locked=False)
            )  # fmt: skip
            continue
        check = f'sheet.check("{name}", {exercise.answer})'
        cells += [
            cell("code", f"{name}-answer", solutions.get(name, UNSOLVED), solution=True,
                 locked=False),
            cell("code", name, check, points=exercise.points),
        ]  # fmt: skip
    cells += [
        cell("markdown", "summary-title", "## How far you are"),
        cell("code", "summary", "sheet.summary()"),
    ]
    notebook = new_notebook(cells=cells, metadata=copy.deepcopy(METADATA))
    notebook.nbformat_minor = 5
    return notebook


def solutions_in(notebook):
    """Source of the answers' cells of a master, by the name of the exercise."""
    return {
        found.metadata.nbgrader.grade_id.removesuffix("-answer"): found.source
        for found in notebook.cells
        if found.metadata.get("nbgrader", {}).get("solution") and found.cell_type == "code"
    }


def solutions_of(chapter, root=ROOT):
    path = master_path(chapter.slug, root)
    return solutions_in(read(path)) if path.exists() else {}


# ------------------------------------------------------------------- what is made of a master


def preprocess(notebook, preprocessors):
    """Send a copy through nbgrader's (or nbconvert's) preprocessors."""
    notebook, resources = copy.deepcopy(notebook), {}
    for preprocessor in preprocessors:
        notebook, resources = preprocessor.preprocess(notebook, resources)
    return notebook


def without_solutions(notebook, chapter, variant=None):
    """The notebook that a learner gets: nbgrader puts a stub in the place of each solution."""
    from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ClearSolutions

    drawn = chapter.variant() if variant is None else variant
    stubs = {e.name: e.stub(namespace(drawn[e.name])) for e in chapter.exercises}

    class ClearEach(ClearSolutions):
        """Each answer has its own stub: a name to fill in, or the head of a function."""

        def preprocess_cell(self, cell, resources, index):
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("-answer")
            self.code_stub = {"python": stubs.get(name, "")}
            return super().preprocess_cell(cell, resources, index)

    return preprocess(notebook, [ClearEach(), ClearOutput(), CheckCellMetadata()])


def as_page(notebook):
    """The notebook in the book's normal form, nbgrader's metadata removed."""
    for each in notebook.cells:
        each.metadata.pop("nbgrader", None)
    return normalise(notebook)


def practice_page(chapter, notebook):
    return as_page(without_solutions(notebook, chapter))


def solutions_page(chapter, notebook):
    """The master's solutions, without the marks around them."""
    page = copy.deepcopy(notebook)
    page.cells[0].source = (
        f"# Solutions: {chapter.title}\n\n"
        "For the numbers of [the practice page](exercises.ipynb). There are other ways; the check "
        "behind each answer takes them too."
    )
    for each in page.cells:
        each.source = re.sub(rf"^{BEGIN}\n|\n?{END}$", "", each.source, flags=re.MULTILINE)
    return as_page(page)


def files_of(chapter, root=ROOT):
    """The master and the pages of a chapter, as they should be, not executed: {path: notebook}."""
    notebook = normalise(master(chapter, solutions_of(chapter, root)))
    folder = root / "chapters" / chapter.slug
    return {
        master_path(chapter.slug, root): notebook,
        folder / "exercises.ipynb": practice_page(chapter, notebook),
        folder / "solutions.ipynb": solutions_page(chapter, notebook),
    }


def unsolved(chapter, root=ROOT):
    """Name the exercises that the master has no solution for."""
    solutions = solutions_of(chapter, root)
    return [
        e.name
        for e in chapter.exercises
        if e.kind != "text" and solutions.get(e.name, UNSOLVED) == UNSOLVED
    ]


def drift(chapter, root=ROOT):
    """Name the files of a chapter that are not what would be written now.

    All but the outputs is compared; whether those still come out, nbval says of every page.
    """
    return [
        path
        for path, notebook in files_of(chapter, root).items()
        if not path.exists() or to_text(without_outputs(read(path))) != to_text(notebook)
    ]


def without_outputs(notebook):
    for each in notebook.cells:
        if each.cell_type == "code":
            each.outputs, each.execution_count = [], None
    return notebook


def write(chapter, root=ROOT):
    """Refresh the master of a chapter, and write its pages anew; name the files."""
    gone = solutions_of(chapter, root).keys() - {e.name for e in chapter.exercises}
    if gone:
        sys.exit(
            f"The master of {chapter.slug} solves {', '.join(sorted(gone))}: no such exercise."
        )
    for path, notebook in files_of(chapter, root).items():
        if "chapters" in path.relative_to(root).parts:
            execute(notebook, root)
            notebook = normalise(notebook)
            shrink_pictures(notebook)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, to_text(notebook))
        yield path
        if missing := unsolved(chapter, root):
            sys.exit(
                f"Now write the solutions of {', '.join(missing)} into {os.path.relpath(path)}"
            )


# --------------------------------------------------------------------------- the objectives


def matrix(chapter):
    """Text lines: the exercises that cover each objective, then each exercise in a line."""
    yield chapter.title
    for k, objective in enumerate(chapter.objectives):
        covering = [e.name for e in chapter.exercises if k in e.objectives]
        yield f"  {objective}\n      {', '.join(covering) or 'NOT COVERED'}"
    for e in chapter.exercises:
        bounds = (
            f"; effort from {e.effort_range[0]} to {e.effort_range[1]}" if e.effort_range else ""
        )
        yield f"  {e.name}: {e.kind}, {e.points} points, {e.minutes} minutes{bounds}. {e.tests}"


def main(arguments):
    os.environ["OMP_NUM_THREADS"] = "1"
    slugs = [a for a in arguments if not a.startswith("--")] or exercises.slugs()
    chapters = [exercises.chapter(slug) for slug in slugs]
    if "--matrix" in arguments:
        for chapter in chapters:
            print("\n".join(matrix(chapter)))
        return
    if "--check" in arguments:
        stale = [os.path.relpath(path) for chapter in chapters for path in drift(chapter)]
        stale += [os.path.relpath(path) for path in written_for_instructors(instructors.drift)]
        if stale:
            sys.exit("Not what the masters give; make exercises: " + ", ".join(stale))
        print(f"The pages of {len(chapters)} chapters are what their masters give.")
        return
    for chapter in chapters:
        for path in write(chapter):
            print(os.path.relpath(path))
    for path, text in written_for_instructors(instructors.pages).items():
        write_whole(path, text)
        print(os.path.relpath(path))


def written_for_instructors(ask):
    try:
        return ask()
    except ValueError as error:
        sys.exit(f"The pages for instructors cannot be written: {error}.")


if __name__ == "__main__":
    main(sys.argv[1:])
