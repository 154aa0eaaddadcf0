"""Mark one submission: mend it, run it in sandboxes, judge the answers outside.

What comes out of a sandbox is plain data and is judged here, with numbers that the grader drew
itself. A process that gives the right answers without the learner's function having computed them
has to know them: that is the most that code in a sandbox can win, and it wins it for itself alone.
"""

import re
import time

from grading.repair import Step, Unreadable, repair
from grading.sandbox import Closed, Sandbox
from pointwise.exercises import probe
from pointwise.exercises.core import namespace

CELL_SECONDS = 10.0  # for one cell
TOTAL_SECONDS = 45.0  # for one submission, all its cells and new starts together
RESTARTS = 4  # cells that may end their process; each is left out, and the rest runs again
KEEP = 3_000  # characters of output and of source in the feedback

INNER = re.compile(r"pointwise\.exercises|exercises\.(core|chapter)|\._(chapter|variant)\b")

STATUSES = ("graded", "partial", "needs manual grading", "could not run")


def mark(handed, release, chapter, variant, trials, trust=False, cell_seconds=CELL_SECONDS):
    """Mark a submission.

    Parameters
    ----------
    handed : grading.collect.Handed
    release : bytes
        The notebook that this student was given.
    chapter : pointwise.exercises.Chapter
    variant, trials : dict
        Drawn by the grader from the secret.
    trust : bool
        Run without a sandbox.
    cell_seconds : float

    Returns
    -------
    dict
        JSON-able: student, status (of STATUSES), why, notes, exercises, cells.
    """
    if handed.data is None:
        return unrun(handed.student, chapter, handed.why, handed.notes)
    try:
        mended = repair(handed.data, release, chapter.exercises)
    except Unreadable as error:
        return unrun(handed.student, chapter, str(error), handed.notes)
    ran = Run(mended.steps, chapter, trials, trust, cell_seconds)
    ran.go()
    if ran.broken:
        return unrun(handed.student, chapter, ran.broken, (*handed.notes, *mended.notes))
    rows = [row(e, variant, trials, mended, ran) for e in chapter.exercises]
    notes = [*handed.notes, *mended.notes, *ran.notes]
    if any(INNER.search(source) for source in mended.sources):
        notes.append("its code reaches into pointwise.exercises, where the solutions are: read it")
    reasons = ran.reasons or [r["message"] for r in rows if r["status"] == "not judged"]
    return {
        "student": handed.student,
        "status": status(rows),
        "why": "; ".join(dict.fromkeys(reasons)),
        "notes": notes,
        "exercises": rows,
        "cells": ran.shown(),
    }


def unrun(student, chapter, why, notes=()):
    """The result of a submission that could not be judged: no marks, which is not zero marks."""
    rows = [blank(exercise) | {"status": "not judged"} for exercise in chapter.exercises]
    found = {"student": student, "status": "could not run", "why": why, "notes": list(notes)}
    return {**found, "exercises": rows, "cells": []}


def blank(exercise):
    return {
        "name": exercise.name,
        "title": exercise.title,
        "kind": exercise.kind,
        "points": exercise.points,
        "earned": None,
        "status": "",
        "message": "",
    }


def status(rows):
    """One of STATUSES: the first that fits."""
    if all(row["status"] == "not judged" for row in rows if row["kind"] != "text"):
        return "could not run"
    if any(row["status"] == "not judged" for row in rows):
        return "partial"
    if any(row["status"] == "manual" for row in rows):
        return "needs manual grading"
    return "graded"


def row(exercise, variant, trials, mended, ran):
    """What one exercise earned."""
    found = blank(exercise)
    if exercise.kind == "text":
        text = mended.texts.get(exercise.name)
        outcome = {"kind": "text", "text": text} if text else {"kind": "missing", "why": ""}
        found["text"] = text or ""
        found["model"] = exercise.model(namespace(variant[exercise.name]))
    else:
        outcome = ran.outcomes.get(exercise.name)
        if outcome is None:
            return found | {"status": "not judged", "message": ran.unjudged(exercise.name)}
        outcome = probe.with_source(outcome, mended.sources)
    try:
        params = variant[exercise.name]
        verdict = exercise.judge(params, outcome, trials.get(exercise.name))
        points = max(0.0, min(1.0, float(verdict.score))) * exercise.points
    except Exception as error:
        message = f"The judge itself failed: {type(error).__name__}: {error}"[:300]
        return found | {"status": "not judged", "message": message}
    found |= {"status": verdict.status, "earned": round(points, 4), "message": verdict.message}
    if verdict.status == "manual":
        found["earned"] = None
    elif verdict.status == "not attempted":
        if why := ran.stopped.get(exercise.name) or ran.stopped.get(""):
            return found | {"status": "not judged", "earned": None, "message": f"Your code: {why}."}
        if error := ran.errors.get(exercise.name):
            found |= {"status": "error", "message": f"Your cell ended with {error}"}
    return found


class Run:
    """The steps of a submission with probes between them, run in one sandbox after another.

    A cell that ends its process, or does not stop when interrupted, is left out, and the rest
    starts anew. After `go`: `outcomes` by exercise; `stopped` and `errors` say what befell its own
    cell, by exercise, and under "" the cells that the learner added; `reasons` say why the
    submission was not run as a whole; `broken`, why not at all.
    """

    def __init__(self, steps, chapter, trials, trust, cell_seconds):
        self.trust, self.cell_seconds = trust, cell_seconds
        self.steps = self.probed(steps, chapter, trials)
        self.records = [None] * len(self.steps)
        self.skipped = {}
        self.outcomes, self.stopped, self.errors = {}, {}, {}
        self.reasons, self.notes, self.broken, self.late = [], [], "", ""

    def probed(self, steps, chapter, trials):
        """Each probe stands behind the last answer to its exercise; without one, at the end."""
        steps = list(steps)
        for exercise in chapter.exercises:
            if exercise.kind == "text":
                continue
            code = probe.cell(exercise, trials.get(exercise.name))
            places = [
                i for i, s in enumerate(steps) if s.role == "answer" and s.name == exercise.name
            ]
            place = places[-1] + 1 if places else len(steps)
            steps.insert(place, Step("probe", exercise.name, code))
        return steps

    def go(self):
        deadline = time.monotonic() + TOTAL_SECONDS
        for _ in range(RESTARTS + 1):
            if self.attempt(deadline) or self.broken:
                return
        self.reasons.append(f"more than {RESTARTS} of its cells ended their process")

    def attempt(self, deadline):
        """Run all steps that are left; True when the end was reached, or the time was."""
        with Sandbox(self.trust) as sandbox:
            for i, step in enumerate(self.steps):
                if i in self.skipped:
                    continue
                if (left := deadline - time.monotonic()) < 1:
                    self.late = f"the {TOTAL_SECONDS:g} seconds of this submission were up"
                    self.reasons.append(self.late)
                    return True
                seconds = self.cell_seconds
                if step.role == "probe":  # it has its own clock for the learner's function
                    seconds = max(seconds, probe.SECONDS + 2)
                try:
                    reply = sandbox.run(step.code, min(seconds, left))
                except Closed as closed:
                    self.skipped[i] = str(closed)
                    self.befell(step, str(closed))
                    return False
                self.took(i, step, reply)
                if self.broken:
                    return True
        return True

    def befell(self, step, why):
        whose = f"the cell for {step.name!r}" if step.name else "an added cell"
        if step.role == "probe":
            whose = f"calling the answer to {step.name!r}"
        self.reasons.append(f"{whose}: {why}")
        self.stopped[step.name] = why

    def took(self, i, step, reply):
        """Note what a cell did."""
        self.records[i] = reply
        if reply["stopped"]:
            why = f"it was stopped after {self.cell_seconds:g} seconds"
            self.skipped[i] = why  # another start need not wait for it again
            self.befell(step, why)
        elif step.role == "probe":
            outcome = probe.read(reply["outputs"])
            if outcome["kind"] != "lost":
                self.outcomes[step.name] = outcome
        elif step.role == "given" and reply["error"]:
            if all(s.role == "given" for s in self.steps[:i]):
                self.broken = f"the release's own cell failed: {reply['error']}"
            else:
                note = f"after the learner's cells, a cell of the release failed: {reply['error']}"
                self.notes.append(note)
        elif step.role == "answer":
            self.errors.pop(step.name, None)
            if reply["error"]:
                self.errors[step.name] = reply["error"]

    def unjudged(self, name):
        if name in self.stopped:
            return f"Your code: {self.stopped[name]}."
        return f"Not run: {self.late}." if self.late else "The answer could not be read out."

    def shown(self):
        """The learner's cells for the feedback: source, text output, error."""
        found = []
        for i, step in enumerate(self.steps):
            if step.role not in ("answer", "added"):
                continue
            record = self.records[i] or {"outputs": [], "error": None}
            text = "".join(
                str(o.get("text", "")) for o in record["outputs"]
                if like(o) and o.get("output_type") == "stream"
            )  # fmt: skip
            error = self.skipped.get(i) or record["error"] or ""
            cell = {"role": step.role, "name": step.name, "code": step.code, "text": text}
            found.append({k: cut(v) for k, v in (cell | {"error": error}).items()})
        return found


def like(output):
    return isinstance(output, dict) and isinstance(output.get("data", {}), dict)


def cut(text):
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= KEEP else f"{text[:KEEP]}\n… ({len(text):,} characters in all)"
