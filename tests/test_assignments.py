"""Masters, the pages made from them, and assignments: as nbgrader and a kernel see them."""

import ast
import base64
import copy
import json
import os
import subprocess
import sys

import assignment
import check_notebooks
import exercises as tool
import nbformat
import pytest
from build_book import without_solutions as shorter_toc
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator
from run_notebooks import ROOT, find_notebooks, read

from pointwise import exercises
from pointwise.exercises import probe

SECRET = b"only for the tests: 0123456789"
CHAPTERS = exercises.chapters()
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[c.slug for c in CHAPTERS])


def seed(chapter, student=None):
    return exercises.derive_seed(SECRET, chapter.slug, "2026", student)


def run(notebook):
    """Execute a copy as `nbgrader autograde` would."""
    notebook = copy.deepcopy(notebook)
    environ = os.environ | {"NBGRADER_EXECUTION": "autograde", "OMP_NUM_THREADS": "1"}
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True).execute(
        env=environ
    )
    return notebook


def graded(notebook, chapter, variant, trials):
    """What our grader and nbgrader's own find: {name: verdict}, automatic points of nbgrader."""
    probes = {
        f"{exercise.name}-answer": probe.cell(exercise, trials.get(exercise.name))
        for exercise in chapter.exercises
        if exercise.kind != "text"
    }
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in probes:
            cells.append(new_code_cell(probes[name], metadata={"probe": name}))
    done = run(nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata))
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    verdicts, points = {}, 0
    for cell in done.cells:
        assert not any(output.output_type == "error" for output in cell.get("outputs", [])), cell
        if "probe" in cell.metadata:
            exercise = chapter[cell.metadata["probe"].removesuffix("-answer")]
            outcome = probe.with_source(probe.read(cell.outputs), sources)
            verdicts[exercise.name] = exercise.judge(
                variant[exercise.name], outcome, trials.get(exercise.name)
            )
        elif utils.is_grade(cell):
            name = cell.metadata.nbgrader.grade_id
            if chapter[name].kind == "text":
                outcome = {"kind": "text", "text": cell.source}
                verdicts[name] = chapter[name].judge(variant[name], outcome)
            else:
                points += utils.determine_grade(cell)[0]
    return verdicts, points


# ------------------------------------------------------------------------------ in a kernel


@each_chapter
def test_an_untouched_release_scores_nothing(chapter):
    variant = chapter.variant(seed(chapter))
    notebook = assignment.release(chapter, variant)
    trials = chapter.trials(seed(chapter), variant)
    verdicts, points = graded(notebook, chapter, variant, trials)
    assert len(verdicts) == len(chapter.exercises)
    assert {verdict.status for verdict in verdicts.values()} == {"not attempted"}
    assert points == 0


@each_chapter
def test_a_master_gets_full_marks(chapter):
    """With the numbers of a student, whom it has never seen."""
    variant = chapter.variant(seed(chapter, "ann"))
    notebook = tool.master(chapter, tool.solutions_of(chapter), variant)
    trials = chapter.trials(seed(chapter, "ann"), variant)
    verdicts, points = graded(notebook, chapter, variant, trials)
    for exercise in chapter.exercises:
        expected = "manual" if exercise.kind == "text" else "right"
        assert verdicts[exercise.name].status == expected, verdicts[exercise.name]
    assert points == sum(e.points for e in chapter.exercises if e.kind != "text")


# ----------------------------------------------------------------------- masters and pages


def test_there_is_a_master_for_every_chapter_of_exercises():
    masters = {path.parent.name for path in (ROOT / "assignments/source").glob("*/*.ipynb")}
    pages = {path.parent.name for path in find_notebooks() if path.name == "exercises.ipynb"}
    solved = {path.parent.name for path in find_notebooks() if path.name == "solutions.ipynb"}
    assert masters == pages == solved == set(exercises.slugs())


@each_chapter
def test_pages_are_what_their_master_gives(chapter):
    assert tool.drift(chapter) == []


def edited(path, change):
    notebook = read(path)
    change(notebook)
    path.write_text(tool.to_text(notebook), encoding="utf-8")


@pytest.mark.parametrize("part", ["master", "exercises.ipynb", "solutions.ipynb"])
def test_drift_is_noticed(part, tmp_path):
    chapter = CHAPTERS[0]
    for path in tool.files_of(chapter):
        copied = tmp_path / path.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert tool.drift(chapter, tmp_path) == []
    pages = tmp_path / "chapters" / chapter.slug
    path = tool.master_path(chapter.slug, tmp_path) if part == "master" else pages / part

    def change(notebook):
        notebook.cells[2].source += " And more."

    edited(path, change)
    assert tool.drift(chapter, tmp_path) == [path]


def test_a_new_solution_reaches_its_page(tmp_path):
    chapter = CHAPTERS[0]
    path = tool.master_path(chapter.slug, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(tool.master_path(chapter.slug).read_text(encoding="utf-8"), encoding="utf-8")

    def change(notebook):
        cell = next(c for c in notebook.cells if c.id == f"{chapter.exercises[0].name}-answer")
        cell.source = f"{tool.BEGIN}\nanother = 1\n{tool.END}"

    edited(path, change)
    files = tool.files_of(chapter, tmp_path)
    assert "another = 1" in tool.to_text(files[path])
    assert "another = 1" in tool.to_text(
        files[path.parents[3] / f"chapters/{chapter.slug}/solutions.ipynb"]
    )
    assert "another" not in tool.to_text(
        files[path.parents[3] / f"chapters/{chapter.slug}/exercises.ipynb"]
    )


def test_a_new_master_waits_for_its_solutions(tmp_path):
    chapter = CHAPTERS[0]
    written = tool.write(chapter, tmp_path)
    path = next(written)
    assert path == tool.master_path(chapter.slug, tmp_path)
    MetadataValidator().validate_nb(read(path))
    with pytest.raises(SystemExit, match="Now write the solutions of one-number, "):
        next(written)
    assert not (tmp_path / "chapters").exists()


def test_a_solution_of_an_exercise_that_is_gone(tmp_path):
    chapter = CHAPTERS[0]
    fewer = exercises.Chapter(chapter.slug, "", (), chapter.exercises[1:])
    path = tool.master_path(chapter.slug, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(tool.master_path(chapter.slug).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SystemExit, match=f"solves {chapter.exercises[0].name}: no such"):
        next(tool.write(fewer, tmp_path))


@each_chapter
def test_masters_are_nbgraders(chapter):
    master = read(tool.master_path(chapter.slug))
    MetadataValidator().validate_nb(master)
    points = [cell.metadata.nbgrader.points for cell in master.cells if utils.is_grade(cell)]
    assert sum(points) == chapter.points
    for cell in master.cells:
        if utils.is_solution(cell) and cell.cell_type == "code":
            assert cell.source.startswith(tool.BEGIN + "\n")
            assert cell.source.endswith("\n" + tool.END)
            assert "NotImplementedError" not in cell.source


def secrets_of(chapter):
    """Lines of the solutions that a learner should not find, and the model answers."""
    for name, source in tool.solutions_of(chapter).items():
        stubs = {chapter[name].stub(tool.namespace(v[name])) for v in (chapter.variant(),)}
        for line in source.splitlines():
            line = line.strip()
            if len(line) > 12 and not line.startswith("###") and line not in "\n".join(stubs):
                yield line
    for exercise in chapter.exercises:
        if exercise.kind == "text":
            yield from exercise.model(tool.namespace(chapter.variant()[exercise.name])).split(". ")


@each_chapter
def test_a_practice_notebook_tells_nothing_of_a_solution(chapter):
    path = ROOT / "chapters" / chapter.slug / "exercises.ipynb"
    practice = path.read_text(encoding="utf-8")
    text = "\n".join(
        [practice, *(cell.source for cell in read(path).cells), json.dumps(json.loads(practice))]
    )
    found = [line for line in secrets_of(chapter) if line in text]
    found = [line for line in found if not line.startswith(("for ", "import ", "def "))]
    assert found == []
    assert "nbgrader" not in text
    assert "SOLUTION" not in text
    for cell in read(path).cells:
        if cell.id.endswith("-answer"):
            tree = ast.parse(cell.source)
            assert len(tree.body) == 1
            if isinstance(tree.body[0], ast.Assign):
                assert tree.body[0].value.value is None


def practice_page():
    return read(ROOT / "chapters" / CHAPTERS[0].slug / "exercises.ipynb")


def test_the_rules_for_a_page_of_exercises():
    assert list(check_notebooks.check_exercises(practice_page())) == []

    def without_minutes(page):
        page.cells[2].source = page.cells[2].source.replace("minutes", "hours")

    def solved(page):
        cell = next(c for c in page.cells if c.source.startswith("sheet.check"))
        cell.outputs[0].text = "Right.\n"

    def leaking(page):
        page.cells[4].metadata["nbgrader"] = {"solution": True}

    def too_short(page):
        page.cells = page.cells[:12]

    for change, words in [
        (without_minutes, "its minutes"),
        (solved, "something else"),
        (leaking, "nbgrader: this belongs into the master"),
        (too_short, "3 questions; 6 to 10"),
    ]:
        page = practice_page()
        change(page)
        assert any(words in what for _, what in check_notebooks.check_exercises(page))


def test_the_table_of_contents_without_solutions():
    toc = {
        "root": "a",
        "parts": [
            {
                "caption": "C",
                "chapters": [{"file": "b/lesson", "sections": [{"file": "b/exercises"}]}],
            },
            {"caption": "S", "chapters": [{"file": "b/solutions"}]},
        ],
    }
    assert shorter_toc(toc) == {"root": "a", "parts": toc["parts"][:1]}


# ----------------------------------------------------------------------------- assignments


def read_all(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


@each_chapter
def test_a_release_for_a_class(chapter, tmp_path):
    written = assignment.write_release(chapter.slug, "2026", SECRET, folder=tmp_path)
    files = read_all(tmp_path / "2026")
    assert set(files) == {
        f"release/{chapter.slug}/exercises.ipynb",
        f"release/{chapter.slug}.json",
        f"source/{chapter.slug}/exercises.ipynb",
    }
    (path,) = written
    notebook = read(path)
    MetadataValidator().validate_nb(notebook)
    for cell in notebook.cells:
        meta = cell.metadata.nbgrader
        assert cell.metadata.deletable is False
        assert cell.metadata.get("editable", True) is bool(meta.solution)
        if meta.locked or meta.grade:
            assert meta.checksum == utils.compute_checksum(cell)
    # The drawn numbers are in it; what they were drawn from is nowhere.
    setup = next(cell.source for cell in notebook.cells if cell.id == "setup")
    packed = setup.split('variant="')[1].split('"')[0]
    variant = chapter.variant(seed(chapter))
    assert exercises.unpack(packed) == variant != chapter.variant()
    for hidden in (SECRET, seed(chapter)):
        spelled = [hidden.hex(), base64.b64encode(hidden).decode(), repr(hidden)[2:-1]]
        spelled.append(base64.urlsafe_b64encode(hidden).decode())
        for text in [*files.values(), json.dumps(variant)]:
            assert not any(spelling in text for spelling in spelled)
    about = json.loads(files[f"release/{chapter.slug}.json"])
    assert about["fingerprints"] == {"": exercises.fingerprint(variant)}
    text = path.read_text(encoding="utf-8")
    assert not [line for line in secrets_of(chapter) if line in text and len(line) > 30]


def test_releases_for_students_and_late_comers(tmp_path):
    slug = CHAPTERS[0].slug
    first = assignment.write_release(slug, "2026", SECRET, ["ann", "bob"], tmp_path)
    assert [path.parent.name for path in first] == ["ann", "bob"]
    assert first[0].read_text() != first[1].read_text()
    before = first[0].read_text()
    assignment.write_release(slug, "2026", SECRET, ["zoe", "ann"], tmp_path)
    assert first[0].read_text() == before
    about = json.loads((tmp_path / f"2026/release/{slug}.json").read_text())
    assert set(about["fingerprints"]) == {"ann", "bob", "zoe"}
    assert len(set(about["fingerprints"].values())) == 3
    with pytest.raises(ValueError, match="already has"):
        assignment.write_release(slug, "2026", SECRET, folder=tmp_path)


def test_lists_of_students(tmp_path):
    file = tmp_path / "class.csv"
    file.write_text("id,name\nann,Ann A.\n\nbob,Bob\n")
    assert assignment.read_students(str(file)) == ["ann", "bob"]
    assert assignment.read_students("ann, bob") == ["ann", "bob"]
    assert assignment.read_students("") == []
    for wrong in ("ann,ann", "ann,,bob", ",", str(tmp_path / "none.csv")):
        with pytest.raises(ValueError, match="STUDENTS="):
            assignment.read_students(wrong)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"COHORT": "2026", "ASSIGNMENT_SECRET": "x1y2z3" * 5}, "CHAPTER=… is missing"),
        ({"CHAPTER": "channels", "ASSIGNMENT_SECRET": "x1y2z3" * 5}, "COHORT=… is missing"),
        ({"CHAPTER": "channels", "COHORT": "2026"}, "needs the class's secret"),
        ({"CHAPTER": "channels", "COHORT": "2026", "ASSIGNMENT_SECRET": "short"}, "at least 16"),
        ({"CHAPTER": "x", "COHORT": "2026", "ASSIGNMENT_SECRET": "x1y2z3" * 5}, "no exercises for"),
        ({"CHAPTER": "channels", "COHORT": "../x", "ASSIGNMENT_SECRET": "x1y2z3" * 5}, "letters"),
        ({"CHAPTER": "channels", "COHORT": "2026", "SECRET_FILE": str(ROOT / "pyproject.toml")},
         "lies in the repository"),
        ({"CHAPTER": "channels", "COHORT": "2026", "ASSIGNMENT_SECRET": "x1y2z3" * 5,
          "STUDENTS": "a/b"}, "letters"),
    ],
)  # fmt: skip
def test_what_make_assignment_refuses(environ, words, monkeypatch, tmp_path):
    monkeypatch.setattr(assignment, "ASSIGNMENTS", tmp_path)
    with pytest.raises(SystemExit) as stopped:
        assignment.main(environ)
    assert "No assignment was written." in str(stopped.value)
    assert words in str(stopped.value)
    assert list(tmp_path.iterdir()) == []


def test_what_an_assignment_leaves_is_ignored_by_git():
    done = subprocess.run(["git", "check-ignore", "-q", "_assignments/x"], cwd=ROOT)
    if done.returncode == 128:
        pytest.skip("not a git checkout")
    assert done.returncode == 0


def test_the_tools_say_what_covers_what():
    command = [sys.executable, "tools/exercises.py", "--matrix"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "NOT COVERED" not in done.stdout
    for chapter in CHAPTERS:
        assert chapter.title in done.stdout
