"""Marks into nbgrader's gradebook, for those who go on with nbgrader.

It goes one way: the gradebook says what the results and the marking table say. Only the grading
program itself writes here, after all sandboxes have ended.
"""

import os
import sys
import warnings
from pathlib import Path

NOTEBOOK = "exercises"


def sync(path, chapter, results):
    """Write the results into the gradebook at `path`.

    Parameters
    ----------
    path : Path
        SQLite file; it is made where there is none.
    chapter : pointwise.exercises.Chapter
    results : list of dict
        With a person's marks settled.
    """
    from nbgrader.api import Gradebook

    # To make a new file, nbgrader calls the program alembic, which lies beside Python.
    beside = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    slug = chapter.slug
    if not path.exists():
        # nbgrader cannot open a file whose making was cut short: make it under another name.
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        Gradebook(f"sqlite:///{partial}").close()
        partial.replace(path)
    with warnings.catch_warnings(), Gradebook(f"sqlite:///{path}") as book:
        warnings.filterwarnings("ignore", "Object of type .* not in session")  # nbgrader's own
        book.update_or_create_assignment(slug)
        book.update_or_create_notebook(NOTEBOOK, slug)
        for exercise in chapter.exercises:
            kind = "markdown" if exercise.kind == "text" else "code"
            book.update_or_create_grade_cell(
                exercise.name, NOTEBOOK, slug, max_score=exercise.points, cell_type=kind
            )
        for result in results:
            book.update_or_create_student(result["student"])
            submission = book.update_or_create_submission(slug, result["student"])
            rows = {row["name"]: row for row in result["exercises"]}
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if row := rows.get(grade.cell.name):
                        fill(grade, row)
            book.db.commit()


def fill(grade, row):
    """One grade from one row: a machine's mark, a person's, or none yet."""
    by_hand = row["status"] == "marked"
    grade.auto_score = None if by_hand else row["earned"]
    grade.manual_score = row["earned"] if by_hand else None
    grade.needs_manual_grade = row["earned"] is None
