"""Grade a class.

    make grade CHAPTER=channels COHORT=2026-autumn SECRET_FILE=~/secret.txt
    make grade … SUBMISSIONS=~/class.zip     or a folder: <student>/<chapter>/exercises.ipynb

Without SUBMISSIONS it takes _assignments/<cohort>/submitted/. It writes, beside that:

    results/<chapter>/<student>.json               what was found, one file each
    feedback/<student>/<chapter>/exercises.html    to give back
    <chapter>.csv, <chapter>-lms.csv               everything; what is final, for an import
    <chapter>-marking.csv                          answers that a person reads: fill in, run again
    gradebook.db                                   nbgrader's

It can be stopped at any moment and started again: what has been graded stays graded until the file,
the release, the secret or the program changes.
"""

import argparse
import fcntl
import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import platform
import signal
import sys
import time
from pathlib import Path

import numpy as np

from grading import gradebook, report
from grading.collect import from_folder, from_zip, store
from grading.mark import CELL_SECONDS, STATUSES, TOTAL_SECONDS, mark, unrun
from grading.repair import VARIANT, read
from grading.sandbox import ROOT, Unavailable, check
from pointwise import exercises

ASSIGNMENTS = ROOT / "_assignments"


class Assignment:
    """A release as `make assignment` wrote it, and the numbers that the secret gives.

    Raises
    ------
    ValueError
        There is no such release, or it was made with another secret.
    """

    def __init__(self, slug, cohort, secret, folder=ASSIGNMENTS):
        self.chapter, self.cohort, self.secret = exercises.chapter(slug), cohort, secret
        self.slug, self.folder = slug, Path(folder) / cohort
        about = self.folder / "release" / f"{slug}.json"
        if not about.exists():
            raise ValueError(
                f"There is no release of {slug!r} for {cohort!r}: {relative(about)} is missing. "
                "make assignment writes it."
            )
        self.about = json.loads(about.read_text())
        self.per_student = self.about["per_student"]
        for student, fingerprint in self.about["fingerprints"].items():
            seed = self.seed(student)
            if exercises.fingerprint(self.chapter.variant(seed)) != fingerprint:
                raise ValueError(
                    "The secret does not give the numbers of this release. Is it the file that "
                    f"make assignment was called with, for CHAPTER={slug} COHORT={cohort}? Or has "
                    "the book been updated since?"
                )

    @property
    def students(self):
        """Those that a release was made for; nobody in particular where the class shares one."""
        return sorted(filter(None, self.about["fingerprints"]))

    def seed(self, student):
        whose = student if self.per_student else None
        return exercises.derive_seed(self.secret, self.slug, self.cohort, whose)

    def release(self, student):
        """The notebook that was given to a student: bytes."""
        whose = student if self.per_student else ""
        path = self.folder / "release" / self.slug / whose / "exercises.ipynb"
        data = path.read_bytes()
        cells, _ = read(data)
        found = [VARIANT.search(cell.source) for cell in cells]
        packed = [match.group(2) for match in found if match]
        right = self.chapter.variant(self.seed(student))
        if not packed or exercises.fingerprint(exercises.unpack(packed[0])) != (
            exercises.fingerprint(right)
        ):
            raise ValueError(f"{path} does not hold the numbers that the secret gives")
        return data


def engine():
    """Names the program: graded with another one, a result is stale."""
    names = hashlib.sha256(f"{sys.version_info[:2]}{np.__version__}{platform.machine()}".encode())
    files = sorted((ROOT / "src" / "pointwise").rglob("*.py"))
    files += sorted(Path(__file__).parent.glob("*.py"))
    for path in files:
        names.update(path.name.encode() + path.read_bytes())
    return names.hexdigest()


def key_of(handed, assignment, version, settings):
    """Names all that a result depends on."""
    known = hashlib.sha256(f"{version}{settings}{handed.student}{handed.why}".encode())
    known.update(repr(handed.notes).encode())
    known.update(hashlib.sha256(handed.data or b"").digest())
    if not assignment.per_student or handed.student in assignment.students:
        known.update(assignment.seed(handed.student))
        known.update(hashlib.sha256(assignment.release(handed.student)).digest())
    return known.hexdigest()


def grade_one(handed, assignment, settings):
    """One submission, in a process of its own: the result."""
    chapter = assignment.chapter
    if assignment.per_student and handed.student not in assignment.students:
        why = f"no release was made for a student {handed.student!r}"
        return unrun(handed.student, chapter, why, handed.notes)
    seed = assignment.seed(handed.student)
    variant = chapter.variant(seed)
    trials = chapter.trials(seed, variant)
    return mark(handed, assignment.release(handed.student), chapter, variant, trials, **settings)


def worker(handed, assignment, settings, key, path):
    """The life of one process: grade, write the result whole, end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    result = grade_one(handed, assignment, settings)
    report.write_whole(path, json.dumps(result | {"key": key}))


def known_result(path, key):
    """A result of an earlier run, if it is still good."""
    try:
        result = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return result if result.get("key") == key else None


def grade_all(handed, assignment, settings, jobs, say=lambda done, of: None):
    """Grade a class, several at a time; results in the order of `handed`.

    Each submission has its own process. When that dies, its submission could not be run, and no
    other notices.
    """
    places = assignment.folder / "results" / assignment.slug
    version = engine()
    keys = {one.student: key_of(one, assignment, version, settings) for one in handed}
    path = {one.student: places / f"{one.student}.json" for one in handed}
    results = {}
    for one in handed:
        if found := known_result(path[one.student], keys[one.student]):
            results[one.student] = found
    waiting = [one for one in handed if one.student not in results]
    fork = multiprocessing.get_context("fork")
    running = {}
    try:
        while waiting or running:
            say(len(results), len(handed))
            while waiting and len(running) < jobs:
                one = waiting.pop(0)
                arguments = (one, assignment, settings, keys[one.student], path[one.student])
                process = fork.Process(target=worker, args=arguments)
                process.start()
                running[process] = (one, time.monotonic() + 3 * TOTAL_SECONDS)
            multiprocessing.connection.wait([p.sentinel for p in running], timeout=1)
            for process, (one, deadline) in list(running.items()):
                if process.is_alive():
                    if time.monotonic() > deadline:
                        process.kill()
                    continue
                process.join()
                del running[process]
                found = known_result(path[one.student], keys[one.student])
                if found is None:
                    why = f"the grading process ended early (exit status {process.exitcode})"
                    found = unrun(one.student, assignment.chapter, why, one.notes)
                results[one.student] = found
    finally:
        for process in running:
            process.kill()
            process.join()
    say(len(results), len(handed))
    return [results[one.student] for one in handed]


def collect(assignment, submissions):
    """What was handed in: list of `Handed`, one for each student."""
    submitted = assignment.folder / "submitted"
    source = Path(submissions).expanduser() if submissions else submitted
    if source.is_file():
        handed, said = from_zip(source, assignment.slug, assignment.students)
        said += store(handed, submitted, assignment.slug)
        for sentence in said:
            print(f"  {report.visible(sentence)}")
        print(f"{len(handed)} submissions from {source.name}, now in {relative(submitted)}/")
        kept = {one.student for one in handed if one.data is None}
        others = [one for one in from_folder(submitted, assignment.slug) if one.student not in kept]
        return sorted([*others, *(h for h in handed if h.data is None)], key=lambda h: h.student)
    if not source.is_dir():
        raise ValueError(
            f"{relative(source)} does not exist. Put each submission at "
            f"{relative(submitted)}/<student>/{assignment.slug}/exercises.ipynb, or give "
            "SUBMISSIONS=a folder like that, or the zip from your learning-management system."
        )
    handed = from_folder(source, assignment.slug)
    if not handed:
        raise ValueError(
            f"No submission in {relative(source)}/: expected <student>/{assignment.slug}/"
            "exercises.ipynb in it"
        )
    return handed


def relative(path):
    return os.path.relpath(path) if Path(path).resolve().is_relative_to(Path.cwd()) else path


def finish(assignment, results):
    """Everything that is made of the results; a second time it makes the same."""
    folder, slug, chapter = assignment.folder, assignment.slug, assignment.chapter
    marking = folder / f"{slug}-marking.csv"
    marks = report.read_marks(marking)
    results = [report.settle(result, marks) for result in results]
    for result in results:
        report.write_feedback(folder / "feedback", slug, chapter, result)
    report.write_marking(marking, results, marks)
    report.write_tables(folder, slug, chapter, results)
    gradebook.sync(folder / "gradebook.db", chapter, results)
    return results


def table(assignment, results):
    """The summary that ends a run."""
    width = max([len("student"), *(len(report.visible(r["student"])) for r in results)])
    lines = [f"{'student':{width}}  {'points':>7}  status"]
    for result in results:
        points = report.number(report.total(result)) or "–"
        line = f"{report.visible(result['student']):{width}}  {points:>7}  {result['status']}"
        why = result["why"] if result["status"] in ("partial", "could not run") else ""
        line += f": {report.visible(why)}" if why else ""
        if count := len(result["notes"]):
            line += f"  [{count} note{'s' if count > 1 else ''}]"
        lines.append(line)
    counts = [f"{sum(r['status'] == s for r in results)} {s}" for s in STATUSES]
    of = f"{len(results)} submissions, {assignment.chapter.points} points"
    lines += ["", f"{of}: {', '.join(counts)}"]
    if missing := sorted(set(assignment.students) - {result["student"] for result in results}):
        lines.append(f"Nothing from: {', '.join(missing)}")
    if waiting := sum(len(report.open_rows(result)) for result in results):
        path = relative(assignment.folder / f"{assignment.slug}-marking.csv")
        lines.append(
            f"Marks that wait for a person: {waiting}. Write them into the column mark of {path} "
            "and run this again."
        )
    return "\n".join(lines)


def cores():
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Bar:
    """A progress bar on a terminal; a line now and then elsewhere."""

    def __init__(self):
        self.start, self.said = time.monotonic(), -1

    def __call__(self, done, of):
        if done == self.said:
            return
        if sys.stderr.isatty():
            filled = 30 * done // max(of, 1)
            seconds = time.monotonic() - self.start
            bar = "█" * filled + "·" * (30 - filled)
            print(f"\r{bar} {done} of {of}, {seconds:.0f} s", end="", file=sys.stderr, flush=True)
            if done == of:
                print(file=sys.stderr)
        elif done == of or done // 20 != self.said // 20:
            print(f"{done} of {of}", file=sys.stderr, flush=True)
        self.said = done


def grade(slug, cohort, secret, submissions=None, *, trust=False, jobs=None,
          cell_seconds=CELL_SECONDS, folder=ASSIGNMENTS):  # fmt: skip
    """Grade what a class handed in; the settled results.

    Raises
    ------
    ValueError
        No release, no submissions, the wrong secret, a bad marking table, or another run goes on.
    Unavailable
        There is no sandbox that holds, and `trust` was not given.
    """
    assignment = Assignment(slug, cohort, secret, folder)
    report.read_marks(assignment.folder / f"{slug}-marking.csv")  # before the work, not after it
    with (assignment.folder / ".grading").open("w") as lock:
        try:
            # A lock of this process alone: the workers that it forks do not hold it after its end.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"{relative(assignment.folder)} is being graded already") from error
        handed = collect(assignment, submissions)
        if trust:
            print("WITHOUT a sandbox: what was handed in runs as you, with your files in reach.")
        else:
            check()
        settings = {"trust": trust, "cell_seconds": cell_seconds}
        jobs = jobs or cores()
        results = grade_all(handed, assignment, settings, jobs, Bar())
        return assignment, finish(assignment, results)


def main(arguments=None, environ=os.environ):
    parser = argparse.ArgumentParser(
        prog="make grade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chapter", default=environ.get("CHAPTER", ""))
    parser.add_argument("--cohort", default=environ.get("COHORT", ""))
    parser.add_argument("--submissions", default=environ.get("SUBMISSIONS", ""))
    parser.add_argument("--jobs", type=int, help="submissions at a time (one a core)")
    parser.add_argument("--cell-seconds", type=float, default=CELL_SECONDS, help="for one cell")
    parser.add_argument(
        "--trust",
        action="store_true",
        default=environ.get("TRUST", "") not in ("", "0"),
        help="run the submissions WITHOUT a sandbox, as you, with your files in reach",
    )
    given = parser.parse_args(arguments)
    try:
        for name in ("chapter", "cohort"):
            if not getattr(given, name):
                known = ", ".join(exercises.slugs())
                raise ValueError(f"{name.upper()}=… is missing. CHAPTER is one of: {known}")
        secret = exercises.read_secret(environ)
        started = time.monotonic()
        assignment, results = grade(
            given.chapter, given.cohort, secret, given.submissions or None, trust=given.trust,
            jobs=given.jobs, cell_seconds=given.cell_seconds,
        )  # fmt: skip
    except ValueError as error:
        sys.exit(f"Nothing was graded. {error}")
    except Unavailable as error:
        sys.exit(
            f"Nothing was graded: {error}.\n"
            "Submissions are programs that nobody has read: they run in a sandbox or not at all.\n"
            "If you have read them all, TRUST=1 runs them without one, as you, with your files in "
            "reach."
        )
    print(table(assignment, results))
    place = relative(assignment.folder)
    print(f"Took {time.monotonic() - started:.0f} s. In {place}/:")
    print(f"  {assignment.slug}.csv          every mark, and what was noted on the way")
    print(f"  {assignment.slug}-lms.csv      the marks that are final, for an import")
    print(f"  feedback/<student>/{assignment.slug}/exercises.html, gradebook.db")


if __name__ == "__main__":
    main()
