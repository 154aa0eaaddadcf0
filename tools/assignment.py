"""Write an assignment: the exercises of a chapter with numbers that only this class has.

    make assignment CHAPTER=channels COHORT=2026-autumn SECRET_FILE=~/secret.txt
    make assignment … STUDENTS=ann,bob           other numbers for each student
    make assignment … STUDENTS=students.csv      their names in the first column

What it writes is nbgrader's own: under _assignments/<cohort>/, which git ignores,

    release/<chapter>/exercises.ipynb              to hand out; with STUDENTS:
    release/<chapter>/<student>/exercises.ipynb    one each
    release/<chapter>.json                         which numbers these are, without the numbers
    source/<chapter>/exercises.ipynb               the same with solutions, for you

The numbers come from the secret, the chapter, the cohort and the student's name; whoever grades
needs the same four. Neither the secret nor a seed is in what is written.
"""

import csv
import json
import os
import sys
from pathlib import Path

from exercises import master, preprocess, solutions_of, without_solutions
from run_notebooks import ROOT, to_text, write_whole

from pointwise import exercises

ASSIGNMENTS = ROOT / "_assignments"


def read_students(given):
    """Read names from "ann,bob" or from the first column of a file; [] where nothing is given.

    Raises
    ------
    ValueError
        A name is empty or comes twice, or the file cannot be read.
    """
    if not given:
        return []
    if Path(given).suffix in (".csv", ".txt") or Path(given).is_file():
        try:
            with open(given, newline="", encoding="utf-8-sig") as file:
                names = [row[0].strip() for row in csv.reader(file) if row and row[0].strip()]
        except OSError as error:
            raise ValueError(f"STUDENTS={given} cannot be read: {error.strerror}") from error
        names = names[1:] if names and names[0].lower() in ("id", "name", "student") else names
    else:
        names = [name.strip() for name in given.split(",")]
    if not names or "" in names:
        raise ValueError(f"STUDENTS={given} names nobody, or has an empty name")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"STUDENTS={given}: {', '.join(twice)} comes more than once")
    return names


def release(chapter, variant):
    """The notebook to hand out, as nbgrader prepares it: stubs, locked cells, checksums."""
    from nbgrader.preprocessors import CheckCellMetadata, ComputeChecksums, LockCells

    notebook = without_solutions(master(chapter, solutions_of(chapter), variant), chapter, variant)
    return preprocess(notebook, [LockCells(), ComputeChecksums(), CheckCellMetadata()])


def write_release(slug, cohort, secret, students=(), folder=ASSIGNMENTS):
    """Write an assignment for a class, or for each of the students.

    Parameters
    ----------
    slug : str
        Chapter.
    cohort : str
    secret : bytes
    students : list of str
        Without names, the class shares its numbers.
    folder : Path

    Returns
    -------
    list of Path
        The notebooks to hand out.

    Raises
    ------
    ValueError
        Unknown chapter, a name that cannot be a file's, or a weak secret.
    """
    chapter = exercises.chapter(slug)
    variants = {
        student or "": chapter.variant(exercises.derive_seed(secret, slug, cohort, student))
        for student in students or [None]
    }
    place = folder / cohort / "release"
    place.mkdir(parents=True, exist_ok=True)
    note(place / f"{slug}.json", slug, cohort, variants)
    written = []
    for student, variant in variants.items():
        path = place / slug / student / "exercises.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, to_text(release(chapter, variant)))
        written.append(path)
    if not students:
        source = folder / cohort / "source" / slug / "exercises.ipynb"
        source.parent.mkdir(parents=True, exist_ok=True)
        solved = master(chapter, solutions_of(chapter), variants[""])
        write_whole(source, to_text(solved))
    return written


def note(path, slug, cohort, variants):
    """Note which numbers were given out; who joins later is added to those of before."""
    about = {"chapter": slug, "cohort": cohort, "per_student": "" not in variants}
    prints = {who: exercises.fingerprint(variant) for who, variant in variants.items()}
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["per_student"] != about["per_student"]:
            had = "a sheet for each student" if before["per_student"] else "one sheet for all"
            raise ValueError(
                f"{cohort} already has {slug}, {had}: take another COHORT, or delete "
                f"{os.path.relpath(path)}"
            )
        prints = before["fingerprints"] | prints
    about["fingerprints"] = prints
    write_whole(path, json.dumps(about, indent=1, sort_keys=True) + "\n")


def main(environ):
    try:
        names = {name: environ.get(name, "").strip() for name in ("CHAPTER", "COHORT")}
        for name, value in names.items():
            if not value:
                known = ", ".join(exercises.slugs())
                raise ValueError(
                    f"{name}=… is missing. CHAPTER is one of: {known}; COHORT is any name"
                )
        secret = exercises.read_secret(environ)
        file = environ.get("SECRET_FILE")
        if file and ROOT in Path(file).expanduser().resolve().parents:
            raise ValueError(
                f"SECRET_FILE={file} lies in the repository, from where it is easily published: "
                "keep it elsewhere"
            )
        students = read_students(environ.get("STUDENTS", "").strip())
        written = write_release(names["CHAPTER"], names["COHORT"], secret, students)
    except ValueError as error:
        sys.exit(f"No assignment was written. {error}")
    for path in written:
        print(os.path.relpath(path))
    print(f"{len(written)} to hand out. Keep the secret: grading needs it.")


if __name__ == "__main__":
    main(os.environ)
