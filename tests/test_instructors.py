"""The pages for instructors say what the exercises, the chapters and the programs say."""

import re

import exercises as tool
import instructors
import pytest
import yaml
from check_notebooks import toc_entries
from nbformat.v4 import new_markdown_cell
from prose_numbers import uncomputed_numbers
from run_notebooks import ROOT, read

from pointwise import exercises

PAGES = ROOT / "chapters/instructors"
HANDOUTS = sorted((ROOT / "chapters/handouts").glob("*.md"))
CHAPTERS = {chapter.slug: chapter for chapter in exercises.chapters()}


def text_of(name):
    return (PAGES / name).read_text(encoding="utf-8")


# ----------------------------------------------------------------------------- what is written


def test_the_pages_are_what_the_exercises_give():
    assert instructors.drift() == []


def copy_of_the_sources(folder):
    for pattern in ("_toc.yml", "chapters/instructors/*", "chapters/*/lesson.ipynb",
                    "assignments/source/*/notes.yml"):  # fmt: skip
        for path in ROOT.glob(pattern):
            copied = folder / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(("name", "old", "new"), [
    ("exercises.md", "| 5 | 2 |", "| 6 | 2 |"),
    ("index.md", "| 40 |", "| 41 |"),
    ("index.md", "**90**", "**91**"),
])  # fmt: skip
def test_drift_is_noticed(name, old, new, tmp_path):
    root = copy_of_the_sources(tmp_path)
    assert instructors.drift(root) == []
    path = root / "chapters/instructors" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert instructors.drift(root) == [path]


def test_check_fails_on_drift(monkeypatch):
    monkeypatch.setattr(tool, "drift", lambda chapter: [])
    monkeypatch.setattr(instructors, "drift", lambda: [PAGES / "exercises.md"])
    with pytest.raises(SystemExit, match=r"make exercises: .*instructors/exercises\.md"):
        tool.main(["--check", "channels"])


# ----------------------------------------------------------------------------------- the notes


def test_a_chapter_without_notes_is_refused(tmp_path, monkeypatch):
    chapter = CHAPTERS["channels"]
    with pytest.raises(ValueError, match=r"channels has exercises and no .*channels/notes\.yml"):
        instructors.notes_of(chapter, tmp_path)
    right = instructors.notes_of
    monkeypatch.setattr(tool, "drift", lambda chapter: [])
    monkeypatch.setattr(instructors, "notes_of", lambda each, root: right(each, tmp_path))
    with pytest.raises(SystemExit, match=r"cannot be written: channels has exercises and no "):
        tool.main(["--check", "channels"])


@pytest.mark.parametrize(("change", "says"), [
    (lambda noted: noted.pop("one-number"), "says nothing on one-number"),
    (lambda noted: noted.update(another={}), "speaks of another: no such exercise"),
    (lambda noted: noted["one-number"].pop("say"), "one-number has no say"),
    (lambda noted: noted["one-number"].update(needs=" "), "one-number has no needs"),
])  # fmt: skip
def test_notes_fit_the_exercises(change, says, tmp_path):
    path = copy_of_the_sources(tmp_path) / "assignments/source/channels/notes.yml"
    notes = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(notes["exercises"])
    path.write_text(yaml.safe_dump(notes, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        instructors.notes_of(CHAPTERS["channels"], tmp_path)


@pytest.mark.parametrize("slug", CHAPTERS)
def test_each_exercise_has_a_row(slug):
    chapter = CHAPTERS[slug]
    section = text_of("exercises.md").split(f"\n## {chapter.title}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if re.match(r"\| \d+\. ", line)]
    assert len(rows) == len(chapter.exercises)
    for line, exercise in zip(rows, chapter.exercises, strict=True):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        assert len(cells) == 8, line
        assert all(cells), line
        assert cells[0].endswith(exercise.title)
        assert cells[2:4] == [str(exercise.minutes), str(exercise.points)]


# --------------------------------------------------------------------------------- the minutes


def minutes_of(link):
    """What a page itself says that it takes: a lesson at its head, exercises one by one."""
    slug, kind = re.fullmatch(r"\.\./([\w-]+)/(lesson|exercises)\.ipynb", link).groups()
    cells = read(ROOT / "chapters" / slug / f"{kind}.ipynb").cells
    if kind == "lesson":
        return int(re.search(r"^\*(\d+) minutes", cells[0].source, re.M)[1])
    said = [re.search(r"^\*\d+ points?, (\d+) minutes\.", c.source, re.M) for c in cells]
    return sum(int(found[1]) for found in said if found)


@pytest.mark.parametrize("title", ["One lecture", "One week", "Three weeks"])
def test_the_minutes_of_a_schedule_add_up(title):
    part = text_of("index.md").split(f"\n### {title}\n")[1].split("% end")[0]
    *rows, together = [line.split(" | ") for line in part.splitlines() if line.startswith("| ")][1:]
    sums = [0, 0]
    for _, in_class, taught, at_home, home in rows:
        for k, (cell, total) in enumerate([(in_class, taught), (at_home, home.rstrip("| "))]):
            named = re.findall(r"\]\(([^)]+)\)[^;]*? (\d+)(?:;|$)", cell)
            assert len(named) == cell.count("](")
            for link, minutes in named:
                assert int(minutes) == minutes_of(link), link
            extra = [int(m) for m in re.findall(r"(?:^|; )questions (\d+)$", cell)]
            assert sum(int(m) for _, m in named) + sum(extra) == int(total), cell
            sums[k] += int(total)
        assert int(taught) <= 90
    assert [int(n) for n in re.findall(r"\*\*(\d+)\*\*", " ".join(together))] == sums


def test_the_schedules_are_of_the_length_that_they_promise():
    said = yaml.safe_load(text_of("schedules.yml"))
    assert list(said) == ["one lecture", "one week", "three weeks"]
    assert [session["fill"] for session in said["one lecture"]] == [90]
    assert [slug for s in said["three weeks"] for slug in s["class"]] == instructors.lessons()
    assert {slug for s in said["three weeks"] for slug in s["home"]} >= set(CHAPTERS)


def test_a_session_that_is_too_full_is_refused():
    with pytest.raises(ValueError, match="45 minutes do not fit into 30"):
        instructors.schedule_table([{"when": "now", "class": ["channel-collapse"], "fill": 30}])


def test_a_place_that_nothing_fills_is_refused():
    with pytest.raises(ValueError, match="has places for"):
        instructors.fill("% begin nothing\n% end\n", {"chapters": ""})


# ------------------------------------------------------------------------------- the commands


def test_commands_and_variables_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.M))
    known = set(re.findall(r"\b[A-Z_]{4,}\b", makefile))
    pages = text_of("assigning.md") + text_of("index.md")
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", pages, re.M))
    variables = set(re.findall(r"\b([A-Z_]{4,})(?==|`)", pages))
    assert {"assignment", "grade", "lab", "book"} <= named <= targets
    assert {"CHAPTER", "COHORT", "SECRET_FILE", "STUDENTS", "SUBMISSIONS", "TRUST"} <= variables
    assert variables <= known


def test_the_limits_of_the_sandbox_are_those_of_the_program(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "assignments"))
    from grading import mark, sandbox

    said = " ".join(text_of("assigning.md").split())
    assert f"folder of {sandbox.DISK // sandbox.MB} MB" in said
    assert f"{sandbox.MEMORY // sandbox.MB} MB of memory, {sandbox.PROCESSES} processes" in said
    assert f"{mark.CELL_SECONDS:.0f} seconds for a cell and {mark.TOTAL_SECONDS:.0f}" in said
    for status in mark.STATUSES:
        assert f"\n| {status} | " in text_of("assigning.md")


def test_what_is_printed_is_what_the_programs_say():
    sources = [*(ROOT / "assignments/grading").glob("*.py"), ROOT / "tools/assignment.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    said = " ".join(text_of("assigning.md").split())
    for sentence in (
        "to hand out. Keep the secret: grading needs it.",
        "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)",
        "The secret does not give the numbers of this release.",
        "Marks that wait for a person: ",
    ):
        assert sentence in said
        assert sentence in code


# -------------------------------------------------------------------------------- the handouts


def test_each_chapter_has_a_handout_in_the_book():
    listed = toc_entries(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    slugs = {path.stem for path in HANDOUTS}
    assert slugs == set(instructors.lessons())
    for slug in slugs:
        assert f"chapters/handouts/{slug}" in listed
        assert f"(../handouts/{slug}.md)" in text_of("index.md")


def not_in_the_lesson(slug, markdown):
    """The numbers of a text that no cell of the lesson prints or asserts."""
    notebook = read(ROOT / "chapters" / slug / "lesson.ipynb")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [*code, new_markdown_cell(markdown)]
    return [written for _, written in uncomputed_numbers(notebook)]


@pytest.mark.parametrize("path", HANDOUTS, ids=lambda path: path.stem)
def test_numbers_of_a_handout_are_computed_in_its_chapter(path):
    text = path.read_text(encoding="utf-8").split("---\n", 2)[2]
    assert not_in_the_lesson(path.stem, text) == []
    assert not_in_the_lesson(path.stem, text + "\nThat makes 7,654,321.5 in all.\n") == [
        "7,654,321.5"
    ]


@pytest.mark.parametrize("path", HANDOUTS, ids=lambda path: path.stem)
def test_a_handout_has_its_parts(path):
    text = path.read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, re.M)
    assert [head.split(":")[0] for head in heads] == [
        "Five sentences", "Formulas", "One example", "Do not say",
    ]  # fmt: skip
    assert re.findall(r"^(\d)\. ", text, re.M) == list("12345")
    assert len(re.findall(r"^- ", text.split("## Do not say")[1], re.M)) >= 3


def test_a_handout_is_one_sheet(open_tab, site_url):
    tab = open_tab()
    for path in HANDOUTS:
        tab.goto(f"{site_url}chapters/handouts/{path.stem}.html", wait_until="load")
        sheet = tab.pdf(format="A4", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1, path.stem
