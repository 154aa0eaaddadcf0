"""A class of submissions, right, wrong, broken and hostile, is graded in sandboxes.

Where there is no sandbox, the tests that need one are skipped, and say so.
"""

import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")

import assignment
import exercises as masters
from grading import grade as grading
from grading import gradebook, mark, report, sandbox
from grading.collect import Handed
from grading.repair import Unreadable, read

from pointwise import exercises
from pointwise.exercises.plain import plain

SLUG, COHORT, SECRET = "channels", "2026-test", b"the secret of a class in a test"
CHAPTER = exercises.chapter(SLUG)
VARIANT = CHAPTER.variant(exercises.derive_seed(SECRET, SLUG, COHORT))
SOLUTIONS = masters.solutions_of(CHAPTER)
ALL = CHAPTER.points
CODE = sum(e.points for e in CHAPTER.exercises if e.kind != "text")
TEXT = next(e.name for e in CHAPTER.exercises if e.kind == "text")
HARD = "output-size"  # the exercise in whose place hostile code stands
REST = CODE - CHAPTER[HARD].points
SECONDS = 3  # for a cell: short, so that endless loops cost little here

try:
    sandbox.check()
    WHY_NOT = ""
except sandbox.Unavailable as error:
    WHY_NOT = str(error)
needs_sandbox = pytest.mark.skipif(bool(WHY_NOT), reason=f"no sandbox on this machine: {WHY_NOT}")


# --------------------------------------------------------------------------- making submissions


def released(folder):
    (path,) = assignment.write_release(SLUG, COHORT, SECRET, (), folder)
    return json.loads(path.read_text())


def at(notebook, grade_id):
    """The place of a cell."""
    return next(
        i
        for i, cell in enumerate(notebook["cells"])
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def solved(release, **answers):
    """The release with the right answers, but for the given ones (`-` written as `_`)."""
    notebook = copy.deepcopy(release)
    for name, source in {
        **SOLUTIONS,
        **{k.replace("_", "-"): v for k, v in answers.items()},
    }.items():
        whole = name if name == TEXT else f"{name}-answer"
        notebook["cells"][at(notebook, whole)]["source"] = source
    return notebook


def code_cell(source, **others):
    return {"cell_type": "code", "execution_count": None, "id": "added", "metadata": {},
            "outputs": [], "source": source, **others}  # fmt: skip


# What stands in the answer's cell and must not change what the others earn. Each is followed by the
# right answer where it can be, so that full marks show that the attempt came to nothing.
RIGHT = SOLUTIONS[HARD]
INSTEAD = "output_size = (0, 0)"

HOSTILE = {
    # name: (code, status, points, words in the reasons or messages)
    "loop": ("while True: pass", "partial", REST, "stopped after"),
    "loop-that-swallows": (
        "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n"
        "        pass", "partial", REST, "did not stop"),
    "sys-exit": ("import sys\nsys.exit()", "graded", REST, "SystemExit"),
    "quit": (f"{RIGHT}\nquit()", "graded", CODE, ""),
    "os-exit": ("import os\nos._exit(0)", "partial", REST, "process ended"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "partial", REST, "process ended"),
    "kill-all": ("import os\ntry:\n    os.kill(-1, 9)\nfinally:\n    os.kill(os.getpid(), 9)",
        "partial", REST, "ended"),
    "fork-bomb": ("import os\nwhile True:\n    os.fork()", "partial", REST, "processes"),
    "threads": (
        "import threading, time\nfor _ in range(200):\n"
        "    threading.Thread(target=time.sleep, args=(9,)).start()", "graded", REST, "thread"),
    "50-gigabytes": ("import numpy\nx = numpy.ones(50 * 2**27)", "graded", REST, "MemoryError"),
    "memory-bit-by-bit": (
        "x = []\nwhile True:\n    x.append(bytearray(10**8))", "partial", REST, ""),
    "writes-outside": (
        "import os\nfor place in ['/', '/usr', os.path.expanduser('~/..'), {root!r}, {course!r}]:\n"
        "    try:\n        open(os.path.join(place, 'was-here'), 'w').write('x')\n"
        f"    except OSError:\n        pass\n{RIGHT}", "graded", CODE, ""),
    "hides-memory": (
        "import os\nheld = []\ntry:\n    while len(held) < 100:\n"
        "        held.append(os.memfd_create('x'))\n        os.write(held[-1], bytes(6 * 10**7))\n"
        f"    {INSTEAD}\nexcept PermissionError:\n    " + RIGHT.replace("\n", "\n    "),
        "graded", CODE, ""),
    "fills-the-disk": (
        "for n in range(2):\n    try:\n        for place in '/tmp', '/dev/shm', '.':\n"
        "            open(f'{{place}}/{{n}}', 'wb').write(bytes(10**8))\n    except OSError:\n"
        f"        pass\n{RIGHT}", "graded", CODE, ""),
    "reads-solutions": (
        "import os\nplaces = ['/' + top for top in os.listdir('/') if top not in ('usr', 'proc')]\n"
        "found = [f for place in places for d, _, files in os.walk(place) for f in files\n"
        "         if f.endswith(('.ipynb', 'gradebook.db', '-marking.csv'))\n"
        "         and 'site-packages' not in d]\n"
        f"{RIGHT}\noutput_size = output_size if not found else found", "graded", CODE, ""),
    "reads-the-secret": (
        "import glob, os\ntext = str(dict(os.environ))\n"
        "for name in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):\n"
        "    try:\n        text += open(name).read()\n    except OSError:\n        pass\n"
        f"{RIGHT}\noutput_size = output_size if 'SECRET' not in text.upper() else 'leak'",
        "graded", CODE, ""),
    "opens-a-socket": (
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', {port}), 1)\n"
        f"    {INSTEAD}\nexcept OSError:\n    "
        + RIGHT.replace("\n", "\n    "), "graded", CODE, ""),
    "deletes-its-files": (
        "import os, shutil\n"
        "for place in '/grader', os.getcwd(), '/tmp', os.path.dirname(os.__file__):\n"
        f"    shutil.rmtree(place, ignore_errors=True)\n{RIGHT}", "graded", CODE, ""),
    "prints-gigabytes": (
        f"big = 'x' * 10**7\nfor _ in range(1000):\n    print(big)\n{RIGHT}", "graded", CODE, ""),
    "writes-gigabytes": (
        "import os\nbig = b'x' * 10**7\nfor _ in range(1000):\n    os.write(1, big)\n" + RIGHT,
        "graded", CODE, ""),
    "patches-numpy": (
        "import numpy as np\nfor name in 'isclose', 'array_equal', 'allclose':\n"
        f"    setattr(np, name, lambda *a, **k: True)\n{INSTEAD}", "graded", REST, "Not right"),
    "patches-the-checks": (
        "from pointwise.exercises import core, sheet as s\n"
        "good = core.Verdict('right', 1.0, 'Right.')\n"
        "for kind in core.Value, core.Function, core.Text:\n"
        "    kind.judge = lambda *a, **k: good\n"
        f"core.difference = lambda *a, **k: None\n{INSTEAD}", "graded", REST, "Not right"),
    "patches-display": (
        "import IPython.display\nIPython.display.display = lambda *a, **k: None", "partial", 4,
        "could not be read out"),
    "patches-builtins": (
        "import builtins\nbuiltins.isinstance = builtins.len = None", "partial", None, ""),
    "redefines-names": (
        f"{RIGHT}\nint = float = print = open = len = sheet = np_array = json = None",
        "graded", CODE, ""),
    "replaces-stdout": (f"import sys\nsys.stdout = sys.stderr = None\n{RIGHT}", "graded", CODE, ""),
    "closes-everything": ("import os\nos.closerange(0, 100)", "partial", REST, "process ended"),
    "forges-replies": (
        "import json, os\nfrom pointwise.exercises import probe\n"
        "lie = {{'kind': 'value', 'value': {{'type': 'tuple', 'data': [\n"
        "    {{'type': 'int', 'data': 1}}] * 2}}}}\n"
        "reply = {{'outputs': [{{'output_type': 'display_data', 'metadata': {{}},\n"
        "    'data': {{probe.MIME: lie}}}}], 'error': None, 'status': 'right', 'score': 1}}\n"
        "for n in range(3, 30):\n    try:\n"
        "        os.write(n, (json.dumps(reply) + chr(10)).encode() * 3)\n"
        "    except OSError:\n        pass", None, None, ""),
    "sends-a-json-bomb": (
        "import os\nfor n in range(3, 30):\n    try:\n"
        "        os.write(n, b'[' * 60_000 + bytes([10]))\n    except OSError:\n        pass",
        "partial", REST, "no reply"),
    "sends-gigabytes": (
        "import os\nfor n in range(3, 30):\n    try:\n"
        "        while True:\n            os.write(n, b'x' * 10**6)\n    except OSError:\n"
        "        pass", "partial", REST, "too much"),
    "equals-anything": (
        "class Yes(tuple):\n    def __eq__(self, other):\n        return True\n"
        "    __hash__ = None\noutput_size = Yes((0, 0))", "graded", REST, "object of class Yes"),
    "lies-about-its-class": (
        "class Meta(type):\n    def __getattribute__(cls, name):\n        raise SystemExit\n"
        "class Bad(metaclass=Meta):\n    pass\noutput_size = Bad()", "graded", REST, ""),
    "calls-the-solver": (
        "output_size = sheet._chapter['output-size'].solve(q3)", "graded", CODE, "read it"),
    "swaps-the-numbers": (
        "sheet = __import__('pointwise.exercises').exercises.begin('channels')\n"
        f"q3 = sheet.show('output-size')\n{RIGHT}", "graded", REST, "Not right"),
}  # fmt: skip

# Functions that answer by-matrices.
FUNCTION = "by-matrices"
FUNCTIONS = {
    "endless-function": ("def by_matrices(*a, **k):\n    while True: pass", 0, "TimeoutError"),
    "exiting-function": ("def by_matrices(*a, **k):\n    raise SystemExit", 0, "SystemExit"),
    "borrowed-function": (
        "from pointwise import conv2d\ndef by_matrices(x, w, b=0):\n    return conv2d(x, w)",
        0, ""),
    "function-that-reads-its-caller": (
        "import sys\ndef by_matrices(x, w, b=0):\n"
        "    sys._getframe(1).f_locals['results'].append({'value': 1, 'changed': False})\n"
        "    return 1", 0, ""),
}  # fmt: skip


def broken(release):
    """Files that hold nothing that can be judged: (bytes, words in the reason)."""
    whole = json.dumps(solved(release)).encode()
    return {
        "empty": (b"", "empty"),
        "spaces": (b" \n ", "empty"),
        "cut-off": (whole[: len(whole) // 2], "damaged"),
        "flipped-bytes": (whole[:500] + b"\xff\xfe\x00" + whole[500:], "not text"),
        "web-page": (b"<!DOCTYPE html><title>Log in</title>", "web page"),
        "zip": (b"PK\x03\x04rest", "zip"),
        "python": (b"output_size = (3, 4)\n", "damaged"),
        "a-list": (b"[1, 2]", "no notebook"),
        "no-cells": (b'{"metadata": {}}', "no cells"),
        "json-bomb": (b'{"cells": ' + b"[" * 200_000, "damaged"),
        "another-notebook": (json.dumps({"cells": [code_cell("print(1)")]}).encode(), "none of"),
        "cells-of-nonsense": (b'{"cells": [1, null, {"cell_type": 3, "source": {}}]}', "none of"),
        "too-large": (b" " * 20_000_001 + b"{}", "bytes"),
    }


def mangled(release):
    """Right answers in notebooks that have suffered: (notebook, words in the notes)."""
    made = {}
    made["doubled"] = notebook = solved(release)
    place = at(notebook, f"{HARD}-answer")
    unchanged = copy.deepcopy(release["cells"][at(release, f"{HARD}-answer")])
    notebook["cells"].insert(place + 1, unchanged)
    notebook["cells"].append(copy.deepcopy(notebook["cells"][place]))
    made["doubled"] = (notebook, "more than once")

    notebook = solved(release)
    gone = [HARD, f"{HARD}-numbers", "setup", "title", "summary"]
    notebook["cells"] = [notebook["cells"][i] for i in range(len(notebook["cells"]))
                         if i not in [at(notebook, name) for name in gone]]  # fmt: skip
    made["deleted"] = (notebook, "gone")

    notebook = solved(release)
    cell = notebook["cells"][at(notebook, f"{HARD}-answer")]
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]
    notebook["cells"][at(notebook, "one-number-answer")]["cell_type"] = "raw"
    made["retyped"] = (notebook, "had become markdown")

    notebook = solved(release)
    notebook["cells"] = notebook["cells"][::-1]
    made["reversed"] = (notebook, "another order")

    notebook = solved(release)
    notebook["metadata"] = {"kernelspec": {"name": "julia-1.9", "language": "julia"}}
    made["wrong-kernel"] = (notebook, "julia")

    notebook = solved(release)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    made["no-metadata"] = (notebook, "mark was gone")

    notebook = solved(release)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    made["no-metadata-no-ids"] = (notebook, "mark was gone")

    notebook = solved(release)
    for cell in notebook["cells"]:
        cell["id"] = "same"
    made["same-ids"] = (notebook, "")

    notebook = solved(release)
    notebook["cells"][at(notebook, HARD)]["source"] = "print('full marks')\nraise SystemExit"
    notebook["cells"][at(notebook, f"{HARD}-numbers")]["source"] = "q3 = None"
    made["changed-checks"] = (notebook, "had been changed")

    notebook = solved(release, **{HARD.replace("-", "_"): "helper()"})
    notebook["cells"][at(notebook, f"{HARD}-answer")]["source"] = "output_size = helper()"
    inner = "def helper():\n    " + RIGHT.replace("\n", "\n    ") + "\n    return output_size"
    notebook["cells"].insert(at(notebook, f"{HARD}-answer"), code_cell(inner))
    made["own-cells"] = (notebook, "")

    notebook = solved(release)
    notebook = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [
        {("input" if c["cell_type"] == "code" and k == "source" else k): v for k, v in c.items()}
        for c in notebook["cells"]]}]}  # fmt: skip
    made["format-3"] = (notebook, "")

    notebook = solved(release)
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).replace("\n", "\r\n")
        cell["source"] = source.splitlines(keepends=True)
    made["windows-lines"] = (notebook, "")
    return made


def wrong():
    """Known mistakes: {student: (exercise, code, hint, points earned in all)}."""
    made = {}
    for exercise in CHAPTER.exercises:
        if exercise.kind != "value":
            continue
        p = masters.namespace(VARIANT[exercise.name])
        for n, (value, hint) in enumerate(list(exercise.hints(p))[:2]):
            source = f"{exercise.answer} = {literal(value)}"
            outcome = {"kind": "value", "value": plain(eval(literal(value)))}
            score = exercise.judge(VARIANT[exercise.name], outcome).score
            lost = exercise.points * (1 - score)
            made[f"wrong-{exercise.name}-{n}"] = (exercise.name, source, hint, CODE - lost)
    return made


def literal(value):
    if hasattr(value, "tolist"):
        return f"__import__('numpy').array({value.tolist()})"
    return repr(value)


@pytest.fixture(scope="module")
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory, listener):
    """The whole class, graded: (expected, results by student, the folder, release)."""
    folder = tmp_path_factory.mktemp("assignments")
    release = released(folder)
    submitted = folder / COHORT / "submitted"
    expected = {}

    def hand_in(student, data, *what, name="exercises.ipynb"):
        place = submitted / student / SLUG
        place.mkdir(parents=True)
        (place / name).write_bytes(data if type(data) is bytes else json.dumps(data).encode())
        expected[student] = what

    hand_in("right", solved(release), "graded", CODE, "")
    hand_in("right-in-words-too", solved(release, **{TEXT: "=SUM(A1) <script>alert(1)</script>"}),
            "needs manual grading", CODE, "")  # fmt: skip
    hand_in("untouched", release, "graded", 0, "")
    hand_in("half", solved(release, **{HARD.replace("-", "_"): "output_size = undefined_name"}),
            "graded", REST, "NameError")  # fmt: skip
    hand_in("renamed", solved(release), "graded", CODE, "was named", name="My Exercises (1).ipynb")
    for student, (name, source, hint, points) in wrong().items():
        notebook = solved(release, **{name.replace("-", "_"): source})
        hand_in(student, notebook, "graded", points, hint)
    for student, (source, points, words) in FUNCTIONS.items():
        notebook = solved(release, **{FUNCTION.replace("-", "_"): source})
        points += CODE - CHAPTER[FUNCTION].points
        hand_in(student, notebook, "graded", points, words)
    for student, (notebook, words) in mangled(release).items():
        hand_in(student, notebook, "graded", CODE, words)
    for student, (data, words) in broken(release).items():
        hand_in(student, data, "could not run", None, words)
    (submitted / "a-link" / SLUG).mkdir(parents=True)
    (submitted / "a-link" / SLUG / "exercises.ipynb").symlink_to("/etc/hostname")
    expected["a-link"] = ("could not run", None, "not a plain file")
    (submitted / "nothing" / SLUG).mkdir(parents=True)
    expected["nothing"] = ("could not run", None, "no notebook")
    places = {"root": str(sandbox.ROOT), "course": str(folder)}
    places["port"] = listener.getsockname()[1]
    for student, (source, *what) in HOSTILE.items():
        source = source.replace("{root!r}", repr(places["root"]))
        source = source.replace("{course!r}", repr(places["course"]))
        source = source.replace("{port}", str(places["port"]))
        source = source.replace("{{", "{").replace("}}", "}")
        hand_in(f"hostile-{student}", solved(release, output_size=source), *what)
    _, results = run(folder)
    return expected, {result["student"]: result for result in results}, folder, release


def run(folder, **others):
    others = {"cell_seconds": SECONDS, "jobs": 2, **others}
    return grading.grade(SLUG, COHORT, SECRET, folder=folder, **others)


def said(result):
    return "\n".join(
        [result["why"], *result["notes"], *(row["message"] for row in result["exercises"])]
    )


@needs_sandbox
def test_each_submission_gets_its_status_and_marks(graded_class):
    expected, results, _, _ = graded_class
    assert results.keys() == expected.keys()
    assert len(expected) >= 70
    surprises = []
    for student, (status, points, words) in expected.items():
        result = results[student]
        total = report.total(result)
        same = points is None or (total is not None and abs(total - points) < 0.01)
        if status not in (None, result["status"]) or not same or words not in said(result):
            surprises.append((student, result["status"], total, said(result)[:300], points))
    assert not surprises


@needs_sandbox
def test_exactly_one_status_and_no_silent_zero(graded_class):
    _, results, _, _ = graded_class
    for student, result in results.items():
        assert result["status"] in mark.STATUSES
        unjudged = [row for row in result["exercises"] if row["status"] == "not judged"]
        assert all(row["earned"] is None for row in unjudged)
        assert bool(unjudged) == (result["status"] in ("partial", "could not run")), student
        if result["status"] == "could not run":
            assert report.total(result) is None
            assert result["why"]


@needs_sandbox
def test_forged_replies_win_nothing(graded_class):
    _, results, _, _ = graded_class
    forged = {row["name"]: row for row in results["hostile-forges-replies"]["exercises"]}
    assert not forged[HARD]["earned"]
    assert report.total(results["hostile-forges-replies"]) <= REST


@needs_sandbox
def test_nothing_was_left_outside(graded_class):
    _, _, folder, _ = graded_class
    places = [Path("/"), Path("/usr"), Path.home().parent, Path.home(), sandbox.ROOT, folder]
    assert not [place for place in places if (place / "was-here").exists()]


@needs_sandbox
def test_hostile_submissions_change_nobody_elses_marks(graded_class, tmp_path):
    expected, results, folder, _ = graded_class
    good = [student for student in expected if student.startswith(("right", "half", "wrong-"))]
    released(tmp_path)
    for student in good:
        place = Path(COHORT, "submitted", student)
        shutil.copytree(folder / place, tmp_path / place)
    _, alone = run(tmp_path)
    assert len(alone) == len(good) >= 12
    for result in alone:
        beside = results[result["student"]]
        assert result["exercises"] == beside["exercises"]
        assert result["status"] == beside["status"]
        assert report.feedback(result, CHAPTER) == report.feedback(beside, CHAPTER)


@needs_sandbox
def test_a_second_run_grades_nothing_again_and_a_changed_file_alone(graded_class):
    _, before, folder, release = graded_class
    places = folder / COHORT / "results" / SLUG
    written = {path.name: path.stat().st_mtime_ns for path in places.iterdir()}
    file = folder / COHORT / "submitted" / "half" / SLUG / "exercises.ipynb"
    kept = file.read_bytes()
    file.write_text(json.dumps(solved(release)))
    start = time.monotonic()
    _, results = run(folder)
    took = time.monotonic() - start
    again = {
        path.name for path in places.iterdir() if path.stat().st_mtime_ns != written[path.name]
    }
    file.write_bytes(kept)
    assert again == {"half.json"}
    assert took < 10
    results = {result["student"]: result for result in results}
    assert report.total(results.pop("half")) == CODE
    assert all(result == before[student] for student, result in results.items())


@needs_sandbox
def test_feedback_and_tables_carry_no_script_and_no_formula(graded_class):
    _, _, folder, _ = graded_class
    page = (folder / COHORT / "feedback/right-in-words-too" / SLUG / "exercises.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    table = (folder / COHORT / f"{SLUG}-marking.csv").read_text("utf-8-sig")
    assert ",'=SUM(A1)" in table
    everything = [p.read_bytes() for p in (folder / COHORT).rglob("*") if p.is_file()]
    assert not [1 for data in everything if SECRET in data]


@needs_sandbox
def test_a_persons_marks_are_taken_and_kept(graded_class):
    from nbgrader.api import Gradebook

    _, _, folder, _ = graded_class
    path = folder / COHORT / f"{SLUG}-marking.csv"
    rows = path.read_text("utf-8-sig").splitlines()
    place = next(i for i, row in enumerate(rows) if row.startswith("right-in-words-too,"))
    assert rows[place].startswith(f"right-in-words-too,{TEXT},3,,,")
    rows[place] = rows[place].replace(f"{TEXT},3,,,", f"{TEXT},3,2.5,Which example?,")
    path.write_text("\n".join(rows), "utf-8")
    _, results = run(folder)
    result = next(r for r in results if r["student"] == "right-in-words-too")
    assert (result["status"], report.total(result)) == ("graded", CODE + 2.5)
    page = folder / COHORT / "feedback/right-in-words-too" / SLUG / "exercises.html"
    assert "Which example?" in page.read_text()
    assert ",2.5,Which example?," in path.read_text("utf-8-sig")
    final = (folder / COHORT / f"{SLUG}-lms.csv").read_text("utf-8-sig").splitlines()
    assert f"right-in-words-too,{CODE + 2.5:g},{ALL},{100 * (CODE + 2.5) / ALL:.1f}" in final
    assert not [row for row in final if row.startswith(("hostile-loop,", "empty,"))]
    with Gradebook(f"sqlite:///{folder / COHORT / 'gradebook.db'}") as book:
        assert book.find_submission(SLUG, "right-in-words-too").score == CODE + 2.5
        assert book.find_submission(SLUG, "hostile-loop").needs_manual_grade
        assert book.find_submission(SLUG, "right").score == CODE
        assert not book.find_submission(SLUG, "right").needs_manual_grade

    # A new answer takes the mark away; it is not lost without a word.
    file = folder / COHORT / "submitted" / "right-in-words-too" / SLUG / "exercises.ipynb"
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b"=SUM(A1)", b"=SUM(B2)"))
    _, results = run(folder)
    result = next(r for r in results if r["student"] == "right-in-words-too")
    assert result["status"] == "needs manual grading"
    assert ",2.5,Which example?," in path.with_suffix(".before.csv").read_text("utf-8-sig")
    file.write_bytes(kept)
    path.unlink()
    run(folder)


# ------------------------------------------------------------------------ a kill, and no sandbox


def command(folder, *options):
    """Run `make grade`'s program on its own in a folder of assignments."""
    call = "from pathlib import Path; from grading import grade; "
    call += f"grade.grade.__kwdefaults__['folder'] = Path({str(folder)!r}); grade.main()"
    environment = {
        **os.environ,
        "CHAPTER": SLUG,
        "COHORT": COHORT,
        "ASSIGNMENT_SECRET": SECRET.decode(),
    }
    environment.pop("SECRET_FILE", None)
    places = [sandbox.ROOT / "assignments", sandbox.ROOT / "src"]
    environment["PYTHONPATH"] = os.pathsep.join(map(str, places))
    return [sys.executable, "-c", call, *options], environment


@needs_sandbox
def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path):
    release = released(tmp_path)
    for n in range(12):
        place = tmp_path / COHORT / "submitted" / f"student-{n:02}" / SLUG
        place.mkdir(parents=True)
        (place / "exercises.ipynb").write_text(json.dumps(solved(release)))
    arguments, environment = command(tmp_path, "--jobs=1")
    places = tmp_path / COHORT / "results" / SLUG
    first = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(places.glob("*.json"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(1)  # a worker that was under way may end
    done = {path: path.stat().st_mtime_ns for path in places.glob("student-*.json")}
    assert 4 <= len(done) < 12
    assert all(json.loads(path.read_text())["key"] for path in done)
    second = subprocess.run(arguments, env=environment, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert "12 submissions" in second.stdout
    assert "12 graded" in second.stdout
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in done.items())
    assert len(list(places.glob("student-*.json"))) == 12


def test_without_bubblewrap_nothing_runs_unless_trusted(tmp_path, monkeypatch, capsys):
    release = released(tmp_path)
    place = tmp_path / COHORT / "submitted" / "ann" / SLUG
    place.mkdir(parents=True)
    touched = tmp_path / "touched"
    source = f"open({str(touched)!r}, 'w').close()\n{RIGHT}"
    (place / "exercises.ipynb").write_text(json.dumps(solved(release, output_size=source)))
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setitem(grading.grade.__kwdefaults__, "folder", tmp_path)
    environ = {"CHAPTER": SLUG, "COHORT": COHORT, "ASSIGNMENT_SECRET": SECRET.decode()}
    with pytest.raises(SystemExit, match=r"(?s)bubblewrap is not installed.*TRUST=1") as refused:
        grading.main([], environ)
    assert "Nothing was graded" in str(refused.value)
    assert not touched.exists()
    grading.main(["--trust"], environ)
    assert touched.exists()
    assert "1 graded" in capsys.readouterr().out


def test_the_wrong_secret_is_told_before_anything_runs(tmp_path):
    released(tmp_path)
    with pytest.raises(ValueError, match="does not give the numbers of this release"):
        grading.grade(SLUG, COHORT, b"another secret of another class", folder=tmp_path)
    with pytest.raises(ValueError, match="no release of 'channels' for '1999'"):
        grading.grade(SLUG, "1999", SECRET, folder=tmp_path)
    with pytest.raises(ValueError, match="submitted does not exist"):
        grading.grade(SLUG, COHORT, SECRET, folder=tmp_path)


@needs_sandbox
def test_each_student_is_judged_by_their_own_numbers(tmp_path):
    paths = assignment.write_release(SLUG, COHORT, SECRET, ["ann", "bob"], tmp_path)
    sheets = {path.parent.name: json.loads(path.read_text()) for path in paths}
    theirs = CHAPTER.variant(exercises.derive_seed(SECRET, SLUG, COHORT, "ann"))
    p = masters.namespace(theirs[HARD])
    copied = solved(sheets["bob"], output_size=f"output_size = {CHAPTER[HARD].solve(p)!r}")
    handed = {"ann": solved(sheets["ann"]), "bob": copied, "eve": solved(sheets["ann"])}
    for student, notebook in handed.items():
        place = tmp_path / COHORT / "submitted" / student / SLUG
        place.mkdir(parents=True)
        (place / "exercises.ipynb").write_text(json.dumps(notebook))
    _, results = run(tmp_path)
    ann, bob, eve = results
    assert report.total(ann) == CODE
    assert report.total(bob) == REST
    assert eve["status"] == "could not run"
    assert "no release was made for a student 'eve'" in eve["why"]
    place.joinpath("exercises.ipynb").unlink()
    file = tmp_path / COHORT / "submitted" / "bob" / SLUG / "exercises.ipynb"
    file.write_text(json.dumps(handed["ann"]))  # all of ann's sheet, under bob's name
    _, results = run(tmp_path)
    assert "somebody else's" in said(results[1])


def test_a_marking_table_with_a_bad_mark_stops_before_the_work(tmp_path):
    path = tmp_path / "marking.csv"
    head = ",".join(report.MARKING)
    for mark_ in ("4", "-1", "nan", "three"):
        path.write_text(f"{head}\nann,explain,3,{mark_},,,text,,abc\n")
        with pytest.raises(ValueError, match=r"line 2.*ann.*0 to 3"):
            report.read_marks(path)
    path.write_text(
        f"{head}\nann,explain,3,'2,5,,,text,,abc\n".replace(",", ";").replace("2;5", "2,5")
    )
    assert report.read_marks(path)["ann", "explain", "abc"]["mark"] == "2,5"


@pytest.mark.parametrize("data", [b"\xff\xfe{\x00}\x00", "\ufeff{}".encode(), b"{}"])
def test_a_byte_order_mark_does_not_make_a_file_unreadable(data):
    with pytest.raises(Unreadable, match="no cells"):
        read(data)


def test_a_person_can_settle_what_could_not_be_judged(tmp_path):
    handed = Handed("ann", b"no notebook")
    result = mark.mark(handed, b"", CHAPTER, VARIANT, {})
    assert result["status"] == "could not run"
    path = tmp_path / "marking.csv"
    report.write_marking(path, [report.settle(result, {})], {})
    rows = path.read_text("utf-8-sig").splitlines()
    assert len(rows) == 1 + len(CHAPTER.exercises)
    first, *others = rows[1:]
    for filled, status, total in [
        ([first.replace(",,", ",1,", 1), *others], "could not run", None),
        ([row.replace(",,", ",1,", 1) for row in [first, *others]], "graded", len(rows) - 1),
    ]:
        path.write_text("\n".join([rows[0], *filled]), "utf-8")
        settled = report.settle(result, report.read_marks(path))
        assert (settled["status"], report.total(settled)) == (status, total)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("bwrap: Unknown option --disable-userns", "0.8 or newer"),
        ("bwrap: No permissions to create new namespace", "No permissions"),
    ],
)
def test_a_bubblewrap_that_cannot_is_refused_with_its_own_words(tmp_path, monkeypatch, says, words):
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(fake))
    with pytest.raises(sandbox.Unavailable, match=words):
        sandbox.check()


@needs_sandbox
def test_a_sandbox_that_leaks_is_found_out(monkeypatch):
    """Each wall taken away is noticed before anything is graded."""
    whole = sandbox.bubblewrap

    def with_course(command):
        tests = str(sandbox.ROOT / "tests")
        return insert(whole(command), "--ro-bind", tests, tests)

    def with_network(command):
        return [part for part in whole(command) if part != "--unshare-net"]

    def insert(line, *options):
        place = line.index("--remount-ro")
        return [*line[:place], *options, *line[place:]]

    for holed, words in [(with_course, "course can be"), (with_network, "network can be")]:
        monkeypatch.setattr(sandbox, "bubblewrap", holed)
        with pytest.raises(sandbox.Unavailable, match=words):
            sandbox.check()
    monkeypatch.setattr(sandbox, "bubblewrap", whole)
    monkeypatch.setattr(sandbox, "environment", lambda: {"GRADING_CANARY": "x", "HOME": "/sandbox"})
    with pytest.raises(sandbox.Unavailable, match="environment variable"):
        sandbox.check()


def test_a_gradebook_whose_making_was_killed_is_made_anew(tmp_path):
    from nbgrader.api import Gradebook

    (tmp_path / "gradebook.partial").write_bytes(b"half a file")
    result = mark.mark(Handed("ann", b""), b"", CHAPTER, VARIANT, {})
    for _ in range(2):
        gradebook.sync(tmp_path / "gradebook.db", CHAPTER, [report.settle(result, {})])
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        submission = book.find_submission(SLUG, "ann")
        assert submission.needs_manual_grade
        assert submission.max_score == ALL
