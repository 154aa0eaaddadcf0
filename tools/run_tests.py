"""Everything that `make test` proves, one step after the other; stops at the first that fails.

The last line is the count: "312 passed, 0 failed in 95 s".
"""

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter

from run_notebooks import CELL_TIMEOUT, ROOT, find_notebooks, read

PYTHON = sys.executable
NBVAL_REPORT = ROOT / "_build" / "nbval.xml"
# One worker runs the cells of a notebook in their order: any other way to deal them out scrambles.
PYTEST = [PYTHON, "-m", "pytest", "-q", "-rs", "-n", "auto", "--dist", "loadfile"]
STEPS = {
    "lint": [PYTHON, "-m", "ruff", "check", "."],
    "notebook rules": [PYTHON, "tools/check_notebooks.py"],
    "strict build of the site": [PYTHON, "tools/build_book.py", "--fresh"],
    "unit tests": [*PYTEST, "tests"],
    "every notebook executed and compared": [
        *[*PYTEST, "--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"],
        *["-p", "no:cacheprovider", f"--junitxml={NBVAL_REPORT}", "chapters"],
    ],
}


def run(command):
    """Run a step and pass its output on; return its exit status and the counts of pytest."""
    counts = Counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        errors="replace",
    ) as step:  # fmt: skip
        for line in step.stdout:
            print(line, end="", flush=True)
            if re.search(r"\b\d+ (?:passed|failed|error).* in [\d.:]+", line):
                counts = Counter(
                    {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", line)}
                )
    return step.returncode, counts


def say_times():
    """What each notebook took; its first cell includes the start of the kernel."""
    times = Counter()
    for case in ET.parse(NBVAL_REPORT).iter("testcase"):
        times[case.get("classname")] += float(case.get("time"))
    for name, seconds in sorted(times.items()):
        print(f"  {name:50} {seconds:5.1f} s")


def cells_to_compare():
    return sum(cell.cell_type == "code" for path in find_notebooks() for cell in read(path).cells)


def main():
    start = time.monotonic()
    passed = 0
    for number, (name, command) in enumerate(STEPS.items(), 1):
        print(f"\n[{number}/{len(STEPS)}] {name}", flush=True)
        begin = time.monotonic()
        status, counts = run(command)
        passed += counts["passed"]
        if "--nbval" in command:
            say_times()
            if status == 0 and counts["passed"] != cells_to_compare():
                print(f"{counts['passed']} cells compared; there are {cells_to_compare()}.")
                status = 1
        print(f"[{number}/{len(STEPS)}] {name}: {time.monotonic() - begin:.0f} s", flush=True)
        if status:
            failed = counts["failed"] + counts["error"] or 1
            print(f"\nStopped: {name} failed.\n{passed} passed, {failed} failed", flush=True)
            sys.exit(1)
    print(f"\n{passed} passed, 0 failed in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
