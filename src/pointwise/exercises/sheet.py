"""What a notebook of exercises calls: `begin`, and a sheet that shows and checks."""

import os
import textwrap

import numpy as np

from pointwise.exercises import core, probe
from pointwise.exercises.grids import Grids
from pointwise.exercises.plain import plain, readable, unplain
from pointwise.exercises.seeds import fingerprint, unpack

WIDTH = 80  # letters in a line of output that a page shows without scrolling


class Question:
    """The drawn numbers of one question, as Markdown or plain text."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def _repr_markdown_(self):
        return self.text


def _display(thing):
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(repr(thing))
    else:
        display(thing) if get_ipython() else print(repr(thing))


def _cells():
    """The sources of the cells run so far, where there are cells."""
    try:
        from IPython import get_ipython

        return list(get_ipython().user_ns["In"])
    except (ImportError, AttributeError, KeyError, TypeError):
        return []


def _repeat(name, answer):
    """Show a right answer: an array as grids, all else in a line or a few."""
    if isinstance(answer, np.ndarray) and answer.ndim > 1:
        _display(Grids([(name, answer)]))
    else:
        print(textwrap.fill(readable(answer), WIDTH, subsequent_indent=" "))


class Sheet:
    """The exercises of a chapter with their numbers.

    Parameters
    ----------
    chapter : Chapter
    variant : dict
        Parameters by the name of the exercise.
    """

    def __init__(self, chapter, variant):
        if missing := {exercise.name for exercise in chapter.exercises} - variant.keys():
            raise ValueError(
                f"this sheet lacks the numbers of {', '.join(sorted(missing))}: it was made for "
                "another version of the book"
            )
        self._chapter, self._variant = chapter, variant
        self._verdicts = {}

    def __repr__(self):
        lines = [
            f"{number:2}. {e.name:20} {e.points:2} points, {e.minutes:2} minutes"
            for number, e in enumerate(self._chapter.exercises, 1)
        ]
        minutes = sum(e.minutes for e in self._chapter.exercises)
        total = f"    {'together':20} {self._chapter.points:2} points, {minutes:2} minutes"
        return "\n".join([*lines, total, f"Numbers: {self.fingerprint}"])

    @property
    def fingerprint(self):
        return fingerprint(self._variant)

    def show(self, name):
        """Display the numbers of a question, and return them under their names.

        Parameters
        ----------
        name : str
            Of the exercise.

        Returns
        -------
        types.SimpleNamespace
        """
        exercise = self._chapter[name]
        p = core.namespace(self._variant[name])
        if text := exercise.prompt(p):
            _display(Question(self._chapter.written(name, text)))
        if arrays := exercise.grids(p):
            _display(Grids([(self._chapter.written(name, t), a) for t, a in arrays]))
        return p

    def verdict(self, name, answer):
        """Judge an answer without a word: a `Verdict`."""
        exercise, params = self._chapter[name], self._variant[name]
        if exercise.kind == "text":
            outcome = {"kind": "text", "text": answer if type(answer) is str else ""}
        elif exercise.kind == "value":
            outcome = {"kind": "value", "value": plain(answer)}
        else:
            found = probe.call(answer, exercise.trials(params, "check"))
            outcome = probe.with_source(found, _cells())
        return exercise.judge(params, outcome)

    def check(self, name, answer):
        """Print what an answer is worth, or which mistake it looks like; repeat a right value.

        Parameters
        ----------
        name : str
            Of the exercise.
        answer : object
            Anything; `None` and `...` are no attempt.

        Returns
        -------
        None or float
            The points, when nbgrader is the one who runs the notebook and counts them.
        """
        exercise = self._chapter[name]
        verdict = self._verdicts[name] = self.verdict(name, answer)
        print(verdict.message)
        if verdict.status == "right" and exercise.kind == "value":
            _repeat(exercise.answer, unplain(plain(answer)))
        if os.environ.get("NBGRADER_EXECUTION"):
            return exercise.points * verdict.score
        return None

    def summary(self):
        """Print the points of the answers checked so far."""
        read = [exercise for exercise in self._chapter.exercises if exercise.kind == "text"]
        points = earned = 0
        for exercise in self._chapter.exercises:
            if exercise.kind != "text":
                points += exercise.points
                verdict = self._verdicts.get(exercise.name, core.NOT_ATTEMPTED)
                earned += exercise.points * verdict.score
                print(f"{exercise.name:22} {verdict.status}")
        print(f"{earned:g} of {points} points", end="")
        print(f"; {sum(e.points for e in read)} more for what a person reads" if read else "")


def begin(slug, variant=None):
    """Open the sheet of a chapter's exercises.

    Parameters
    ----------
    slug : str
        The chapter.
    variant : str, optional
        The numbers of an assignment, as `make assignment` wrote them; without it, for practice.

    Returns
    -------
    Sheet

    Raises
    ------
    ValueError
        The chapter has no exercises, or the text of the variant is damaged.

    Examples
    --------
    >>> begin("channels").check("output-size", None)
    Not attempted yet.
    """
    chapter = core.chapter(slug)
    return Sheet(chapter, chapter.variant() if variant is None else unpack(variant))
