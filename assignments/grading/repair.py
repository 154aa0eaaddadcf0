"""Read what was handed in, and mend it against the release.

A submission is a file of unknown origin: it is parsed as JSON and matched cell by cell, never run
here. What the release says comes from the release; from the submission come the answers, and the
cells that the learner added. Everything that had to be mended is said.
"""

import json
import re
from dataclasses import dataclass, field

MAX_BYTES = 20_000_000
MAX_CELLS = 1_000
MAX_SOURCE = 200_000  # characters of one cell

VARIANT = re.compile(r"""begin\(\s*["']([\w-]+)["']\s*,\s*variant\s*=\s*["']([\w=+/-]*)["']""")


class Unreadable(Exception):
    """The file is no notebook of this assignment; the message says why."""


@dataclass
class Step:
    """One code cell to run."""

    role: str  # "given": the release's own; "answer"; "added": by the learner; "probe"
    name: str  # of the exercise; "" where it belongs to none
    code: str


@dataclass
class Repaired:
    """What is left of a submission once it is mended.

    `steps` are the cells to run, in order. `texts` are the answers in words, by exercise; an
    exercise whose cell is untouched or gone has none. `sources` are the learner's code cells.
    """

    steps: list = field(default_factory=list)
    texts: dict = field(default_factory=dict)
    sources: list = field(default_factory=list)
    notes: list = field(default_factory=list)


@dataclass
class Cell:
    """One cell of a notebook, whatever state it was in."""

    kind: str  # "code", "markdown", or anything else
    source: str
    grade_id: str  # "" without
    id: str
    tagged: bool  # it has nbgrader's metadata


def source_of(cell):
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return ""
    # A lone surrogate cannot be stored again.
    return source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")


def same(one, other):
    """The same text, but for white space at the ends of lines."""
    return [a.rstrip() for a in one.strip().split("\n")] == [
        b.rstrip() for b in other.strip().split("\n")
    ]


def read(data):
    """Parse the bytes of a submission: (cells, kernel name); Unreadable where they are none."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"the file has more than {MAX_BYTES:,} bytes")
    if not data.strip():
        raise Unreadable("the file is empty")
    if data[:2] == b"PK":
        raise Unreadable("the file is a zip archive, not a notebook")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("the file is not text") from error
    if text.lstrip()[:1] == "<":
        raise Unreadable("the file is a web page, not a notebook")
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"the file is damaged: it is no JSON{where}") from error
    if not isinstance(notebook, dict):
        raise Unreadable("the file is JSON, but no notebook")
    cells = notebook.get("cells")
    sheets = notebook.get("worksheets")  # notebooks of format 3, from before 2015
    if cells is None and isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):
        cells = sheets[0].get("cells")
    if not isinstance(cells, list):
        raise Unreadable("the file is JSON, but no notebook: it has no cells")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"the notebook has {len(cells)} cells; {MAX_CELLS} are the most")
    read = [cell_of(cell) for cell in cells if isinstance(cell, dict)]
    if long := [len(cell.source) for cell in read if len(cell.source) > MAX_SOURCE]:
        raise Unreadable(f"a cell has {max(long):,} characters; {MAX_SOURCE:,} are the most")
    return read, kernel_of(notebook)


def cell_of(cell):
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
    kind, name = cell.get("cell_type"), cell.get("id")
    return Cell(
        kind if isinstance(kind, str) else "",
        source_of(cell),
        grade_id if isinstance(grade_id, str) else "",
        name if isinstance(name, str) else "",
        isinstance(mark, dict),
    )


def kernel_of(notebook):
    metadata = notebook.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    found = [part.get("language") for part in (spec,) if isinstance(part, dict)]
    found += [part.get("name") for part in (spec, language) if isinstance(part, dict)]
    return " ".join(part for part in found if isinstance(part, str)).lower()


def repair(data, release, exercises):
    """Mend a submission.

    Parameters
    ----------
    data : bytes
        Of the submitted file.
    release : bytes
        Of the notebook that was given out: trusted.
    exercises : sequence of Exercise

    Returns
    -------
    Repaired

    Raises
    ------
    Unreadable
        Nothing of the assignment can be found in it.
    """
    cells, kernel = read(data)
    given, _ = read(release)
    done = Repaired()
    note = done.notes.append
    if kernel and "python" not in kernel:
        note(f"the notebook asks for the kernel {kernel.split()[0][:40]!r}; it was run with Python")

    assigned = assign(cells, given, note)
    parts = ("", "-question", "-numbers", "-answer")
    own = {e.name + part for e in exercises for part in parts}
    if not own & set(assigned):
        raise Unreadable("none of the assignment's cells is in it; is it another notebook?")
    master = {cell.grade_id: cell for cell in given if cell.grade_id}
    order = [cell.grade_id for cell in given if cell.grade_id]
    compare(cells, assigned, master, order, exercises, note)
    done.texts = texts(cells, assigned, master, exercises, note)
    done.steps = steps(cells, assigned, master, exercises, note)
    done.sources = [step.code for step in done.steps if step.role != "given"]
    return done


def assign(cells, given, note):
    """Say which cell of the release each submitted cell is: grade_ids, "" for added ones."""
    known = {cell.grade_id for cell in given if cell.grade_id}
    by_id = {cell.id: cell.grade_id for cell in given if cell.id and cell.grade_id}
    by_source = {}
    for cell in given:
        if cell.grade_id and cell.source.strip():
            by_source.setdefault(cell.source.strip(), []).append(cell.grade_id)
    assigned, lost = [], 0
    for cell in cells:
        found = cell.grade_id if cell.grade_id in known else ""
        if not found and not cell.tagged:
            alike = by_source.get(cell.source.strip(), [])
            found = by_id.get(cell.id) or (alike[0] if len(alike) == 1 else "")
            lost += bool(found)
        assigned.append(found)
    if lost:
        note(f"nbgrader's mark was gone from {lost} cells; they were found by their place or text")
    return assigned


def compare(cells, assigned, master, order, exercises, note):
    """Say which of the release's cells are gone, doubled, moved or changed."""
    answers = {f"{e.name}-answer" for e in exercises}
    answers |= {e.name for e in exercises if e.kind == "text"}
    changed = [
        name
        for name in order
        if name not in answers
        and any(
            found == name and not same(cell.source, master[name].source)
            for cell, found in zip(cells, assigned, strict=True)
        )
    ]
    for name in changed:
        note(f"the cell {name!r} had been changed; the release's own was used")
    if VARIANT.search(master["setup"].source) if "setup" in master else None:
        right = VARIANT.search(master["setup"].source).groups()
        for cell in cells:
            found = VARIANT.search(cell.source)
            if found and found.groups() != right:
                note("it holds the numbers of another release: somebody else's, or an older one")
                break
    if gone := [name for name in order if name not in assigned]:
        note(f"cells that are gone: {', '.join(gone)}")
    if twice := [name for name in order if assigned.count(name) > 1]:
        note(f"cells that are there more than once: {', '.join(twice)}")
    places = [order.index(name) for name in dict.fromkeys(filter(None, assigned))]
    if places != sorted(places):
        note("the cells are in another order; they were run in the order of the submission")


def texts(cells, assigned, master, exercises, note):
    """The answers in words."""
    found = {}
    for exercise in exercises:
        if exercise.kind != "text":
            continue
        name = exercise.name
        places = [i for i, grade_id in enumerate(assigned) if grade_id == name]
        if not places and f"{name}-question" in assigned:
            # Its mark is gone: the Markdown between the question and the next known cell.
            start = assigned.index(f"{name}-question") + 1
            for i in range(start, len(cells)):
                if assigned[i]:
                    break
                if cells[i].kind == "markdown":
                    places.append(i)
        written = []
        for i in places:
            if not same(cells[i].source, master[name].source) and cells[i].source.strip():
                written.append(cells[i].source.strip())
                if cells[i].kind != "markdown":
                    note(f"the answer {name!r} is in a {cells[i].kind or 'nameless'} cell")
        if written:
            found[name] = "\n\n".join(dict.fromkeys(written))
    return found


def steps(cells, assigned, master, exercises, note):
    """The code to run, in order: given cells from the release, answers and added cells."""
    coded = {e.name: e for e in exercises if e.kind != "text"}
    own = {e.name for e in exercises} | {"summary"}  # checks: judged elsewhere
    found, shown = [], set()

    def give(grade_id, name=""):
        if grade_id in master and grade_id not in shown:
            shown.add(grade_id)
            code = master[grade_id].source
            if grade_id != "setup" and "setup" in master:
                # Again, in case a learner's cell has used one of its names for something else.
                code = f"{master['setup'].source}\n{code}"
            found.append(Step("given", name, code))

    give("setup")
    answers = {name: [] for name in coded}
    for i, grade_id in enumerate(assigned):
        name = grade_id.removesuffix("-answer")
        if grade_id.endswith("-answer") and name in coded:
            answers[name].append(i)
    for name, places in answers.items():
        # A copy that was left as it came would undo the answer above it.
        worked = [i for i in places if not same(cells[i].source, master[f"{name}-answer"].source)]
        kept = worked or places[:1]
        if len(worked) > 1:
            note(f"{len(worked)} cells answer {name!r}; they were run in order")
        answers[name] = kept

    for i, (cell, grade_id) in enumerate(zip(cells, assigned, strict=True)):
        name = grade_id.removesuffix("-answer")
        if not grade_id:
            if cell.kind == "code" and cell.source.strip():
                found.append(Step("added", "", cell.source))
        elif grade_id.endswith("-numbers"):
            give(grade_id, grade_id.removesuffix("-numbers"))
        elif grade_id.endswith("-answer") and name in coded and i in answers[name]:
            give(f"{name}-numbers", name)
            if cell.kind != "code":
                kind = cell.kind or "of no type"
                note(f"the cell {grade_id!r} had become {kind}; it was run as code")
            found.append(Step("answer", name, cell.source))
        elif grade_id not in own and master[grade_id].kind == "code":
            give(grade_id)
    return found
