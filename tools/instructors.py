"""The pages for instructors: what is written into them from the exercises and the chapters.

In chapters/instructors/, `make exercises` writes exercises.md whole, and in index.md what stands
between `% begin …` and `% end`. Where it comes from:

    pointwise.exercises                         titles, tests, minutes, points, objectives
    assignments/source/<slug>/notes.yml         needs, mistake, say of each exercise; remarks
    chapters/<slug>/lesson.ipynb                title, minutes and prerequisites
    chapters/instructors/schedules.yml          which chapter is when
"""

import re
import string

import yaml
from run_notebooks import ROOT, read

from pointwise import exercises

FIELDS = ("needs", "mistake", "say")
HEAD = """---
description: What each exercise of One by One tests, how long it takes, what it is worth, what a \
student needs for it, the usual mistake, and a question to ask back.
html_theme.sidebar_secondary.remove: true
---

# What each exercise asks

*For looking things up.* A page of exercises belongs to a chapter. The practice numbers are in the
book, and [a class gets numbers of its own](assigning.md). The letters are the chapter's objectives.
**Say** is a question to ask back: it points at the place, and leaves the work where it belongs.
"""


def notes_of(chapter, root=ROOT):
    """What an instructor wrote down on each exercise of a chapter.

    Returns
    -------
    dict
        "exercises": {name: {"needs", "mistake", "say"}}, and "remarks": list of str.

    Raises
    ------
    ValueError
        There is no notes.yml, or it does not fit the exercises of the chapter.
    """
    path = root / "assignments/source" / chapter.slug / "notes.yml"
    name = path.relative_to(root)
    if not path.exists():
        raise ValueError(
            f"{chapter.slug} has exercises and no {name}: write needs, mistake and say of each"
        )
    notes = yaml.safe_load(path.read_text(encoding="utf-8"))
    noted, names = notes["exercises"], [e.name for e in chapter.exercises]
    if missing := [each for each in names if each not in noted]:
        raise ValueError(f"{name} says nothing on {', '.join(missing)}")
    if gone := [each for each in noted if each not in names]:
        raise ValueError(f"{name} speaks of {', '.join(gone)}: no such exercise")
    for each, said in noted.items():
        if empty := [field for field in FIELDS if not str(said.get(field) or "").strip()]:
            raise ValueError(f"{name}: {each} has no {' and no '.join(empty)}")
    return {"exercises": noted, "remarks": notes.get("remarks", [])}


def row(*cells):
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"


def table(head, rows):
    return "\n".join([row(*head), "|" + "---|" * len(head), *(row(*cells) for cells in rows)])


def exercise_table(chapter, root=ROOT):
    """The section of a chapter: its objectives, and a row for each exercise."""
    notes, letters = notes_of(chapter, root), string.ascii_lowercase
    rows = [
        (
            f"{number}. {e.title}", f"{e.tests}", e.minutes, e.points,
            ", ".join(letters[k] for k in e.objectives),
            *(notes["exercises"][e.name][field] for field in FIELDS),
        )
        for number, e in enumerate(chapter.exercises, 1)
    ]  # fmt: skip
    points, minutes = chapter.points, minutes_at_home(chapter)
    head = ("exercise", "tests", "min", "pts", "obj.", "needs", "common mistake", "say")
    goals = [f"- **{letters[k]}** {text}" for k, text in enumerate(chapter.objectives)]
    return "\n\n".join(
        [
            f"## {chapter.title}",
            f"*{points} points, {minutes} minutes.* [Chapter](../{chapter.slug}/lesson.ipynb) · "
            f"[exercises](../{chapter.slug}/exercises.ipynb) · "
            f"[handout](../handouts/{chapter.slug}.md)",
            "\n".join(goals),
            table(head, rows),
            *notes["remarks"],
        ]
    )


def minutes_at_home(chapter):
    return sum(e.minutes for e in chapter.exercises)


def lesson(slug, root=ROOT):
    """Title, minutes and prerequisites of a chapter, as its first cell says them."""
    source = read(root / "chapters" / slug / "lesson.ipynb").cells[0].source
    title = re.match(r"# (.+)", source)[1]
    # "and to know what …" reads on from a list; the rest is taken word for word.
    minutes, needs = re.search(r"^\*(\d+) minutes.*?You need: (.+?)\.?\*$", source, re.M).groups()
    return title, int(minutes), needs


def lessons(root=ROOT):
    """Slugs of the chapters in reading order."""
    return re.findall(
        r"chapters/([\w-]+)/lesson\b", (root / "_toc.yml").read_text(encoding="utf-8")
    )


def chapter_table(root=ROOT):
    with_exercises = {chapter.slug: chapter for chapter in exercises.chapters()}
    rows = []
    for number, slug in enumerate(lessons(root), 1):
        title, minutes, needs = lesson(slug, root)
        work = "–"
        if chapter := with_exercises.get(slug):
            work = (
                f"[{len(chapter.exercises)} exercises](../{slug}/exercises.ipynb), "
                f"{minutes_at_home(chapter)} minutes, {chapter.points} points"
            )
        rows.append(
            (number, f"[{title}](../{slug}/lesson.ipynb)", minutes, needs, work,
             f"[page](../handouts/{slug}.md)")
        )  # fmt: skip
    return table(("", "chapter", "minutes", "you need", "exercises", "handout"), rows)


def schedule_table(sessions, root=ROOT):
    """One schedule: what is done in class, what at home, and the sums of the minutes."""
    homework = {chapter.slug: minutes_at_home(chapter) for chapter in exercises.chapters()}
    rows, in_class, at_home = [], 0, 0
    for session in sessions:
        taught = [(slug, *lesson(slug, root)[:2]) for slug in session["class"]]
        done = [(slug, homework[slug]) for slug in session.get("home", ()) if slug in homework]
        taught_minutes, home_minutes = sum(each[2] for each in taught), sum(m for _, m in done)
        questions = session.get("fill", taught_minutes) - taught_minutes
        if questions < 0:
            raise ValueError(
                f"schedules.yml, {session['when']}: {taught_minutes} minutes do not fit into "
                f"{session['fill']}"
            )
        parts = [f"[{title}](../{slug}/lesson.ipynb) {m}" for slug, title, m in taught]
        parts += [f"questions {questions}"] if questions else []
        tasks = [f"[exercises](../{s}/exercises.ipynb) of “{lesson(s, root)[0]}” {m}"
                 for s, m in done]  # fmt: skip
        rows.append(
            (session["when"], "; ".join(parts), taught_minutes + questions,
             "; ".join(tasks) or "–", home_minutes)
        )  # fmt: skip
        in_class, at_home = in_class + taught_minutes + questions, at_home + home_minutes
    rows.append(("**together**", "", f"**{in_class}**", "", f"**{at_home}**"))
    return table(("when", "in class", "minutes", "at home", "minutes"), rows)


def fill(text, parts):
    """The text with each `% begin NAME` … `% end` filled with parts[NAME].

    Raises
    ------
    ValueError
        The names in the text are not those of the parts.
    """
    begun = re.findall(r"^% begin (.+)$", text, re.M)
    if sorted(begun) != sorted(parts):
        raise ValueError(f"index.md has places for {begun}; there are {list(parts)}")
    return re.sub(
        r"^(% begin (.+)\n)[\s\S]*?^(% end)$",
        lambda place: f"{place[1]}\n{parts[place[2]]}\n\n{place[3]}",
        text,
        flags=re.M,
    )


def pages(root=ROOT):
    """The instructors' pages that are written, as they should be: {path: text}.

    Raises
    ------
    ValueError
        A chapter has no notes, or they do not fit; a schedule does not.
    """
    folder = root / "chapters/instructors"
    sections = [exercise_table(chapter, root) for chapter in exercises.chapters()]
    schedules = yaml.safe_load((folder / "schedules.yml").read_text(encoding="utf-8"))
    parts = {"chapters": chapter_table(root)}
    parts |= {name: schedule_table(sessions, root) for name, sessions in schedules.items()}
    index = folder / "index.md"
    return {
        folder / "exercises.md": "\n\n".join([HEAD.rstrip(), *sections]) + "\n",
        index: fill(index.read_text(encoding="utf-8"), parts),
    }


def drift(root=ROOT):
    """Name the instructors' pages that are not what would be written now."""
    return [
        path
        for path, text in pages(root).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
