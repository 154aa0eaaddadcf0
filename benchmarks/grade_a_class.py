"""How long a class takes to grade: 50, 100 and 200 submissions, one in ten of them bad.

    PYTHONPATH=assignments:tools .venv/bin/python benchmarks/grade_a_class.py [JOBS]

The bad ones loop for ever, swallow interrupts, end their process, fork, eat memory, print without
end, or are no notebooks at all. JOBS is how many run at a time; without it, as many as there are
cores. Each size starts from nothing. What must hold: 200 in at most 6 minutes on 2 cores, and a
time that grows no faster than the class.
"""

import copy
import json
import sys
import tempfile
import time
from pathlib import Path

import assignment
import exercises as masters
from grading import grade as grading

from pointwise import exercises

SLUG, COHORT, SECRET = "channels", "benchmark", b"the secret of a benchmark's class"
SIZES = (50, 100, 200)
LIMIT = 360  # seconds for 200
BAD = [  # in the place of one answer
    "while True: pass",
    "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
    "import os\nos._exit(0)",
    "import os\nwhile True:\n    os.fork()",
    "x = []\nwhile True:\n    x.append(bytearray(10**8))",
    "while True: print('x' * 10**6)",
    "import os\nwhile True:\n    os.write(1, b'x' * 10**6)",
    "def by_matrices(*a, **k):\n    while True: pass\nwhile True: pass",
    "import numpy\nnumpy.ones(50 * 2**27)",
    None,  # half a file
]


def hand_in(folder, count):
    """Write a class: right answers, a few mistakes, and every tenth submission bad."""
    (path,) = assignment.write_release(SLUG, COHORT, SECRET, (), folder)
    solved = json.loads(path.read_text())
    solutions = masters.solutions_of(exercises.chapter(SLUG))
    cells = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in solved["cells"]}
    for name, source in solutions.items():
        cells[f"{name}-answer"]["source"] = source
    for n in range(count):
        notebook = copy.deepcopy(solved)
        answers = [c for c in notebook["cells"] if c["metadata"]["nbgrader"]["solution"]]
        answers[n % 5]["source"] = "1 / 0" if n % 3 == 0 else answers[n % 5]["source"]
        text = None
        if n % 10 == 0:
            bad = BAD[n // 10 % len(BAD)]
            answers[2]["source"] = bad or ""
            text = json.dumps(notebook)[:5000] if bad is None else None
        place = folder / COHORT / "submitted" / f"student-{n:03}" / SLUG
        place.mkdir(parents=True)
        (place / "exercises.ipynb").write_text(text or json.dumps(notebook))


def main():
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else None
    took = {}
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            hand_in(Path(folder), count)
            start = time.perf_counter()
            _, results = grading.grade(SLUG, COHORT, SECRET, folder=Path(folder), jobs=jobs)
            took[count] = time.perf_counter() - start
        partial = sum(result["status"] != "graded" for result in results)
        print(f"{count} submissions: {took[count]:.1f} s, {took[count] / count:.2f} s each; "
              f"{partial} not graded in full")  # fmt: skip
    small, large = SIZES[0], SIZES[-1]
    growth = (took[large] / took[small]) / (large / small)
    print(f"{large} take {growth:.2f} times what {small} would predict")
    assert took[large] <= LIMIT
    assert growth < 1.3


if __name__ == "__main__":
    main()
