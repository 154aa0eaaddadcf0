"""What an exercise is, what a chapter of them is, and how an answer is judged.

An answer is judged as plain data (see `plain`), never as the object that the learner made, so the
same lines judge in the learner's notebook, for a hint, and in the grader's process, for marks.
"""

import ast
import functools
import importlib
import re
import symtable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from pointwise.exercises.plain import Foreign, TooLarge, plain, unplain
from pointwise.exercises.seeds import Dice

STATUSES = ("not attempted", "right", "partial", "wrong", "manual")
ATTEMPTS = 200  # draws until one keeps the bounds; a draw that needs more has bounds too narrow

# Slugs in reading order; each has a module here, its slug with underscores, and a master.
SLUGS = (
    "channels",
    "channel-collapse",
    "worked-examples",
    "network-in-network",
    "learned-mixing",
    "inception-reductions",
    "after-inception",
    "arithmetic-and-time",
    "claims",
)

# What a function under test may not lean on, wherever it comes from.
KERNELS = frozenset({
    "conv1x1", "conv2d", "conv2d_loops", "depthwise_conv2d", "conv1x1_backward",
    "channel_shuffle", "avg_pool2d", "max_pool2d", "global_avg_pool",
})  # fmt: skip
OTHER_PEOPLES = frozenset(["torch", "scipy", "skimage", "cv2", "tensorflow", "jax", "keras"])


@dataclass(frozen=True)
class Verdict:
    """What was found: a status, a score from 0 to 1, and a sentence for the learner."""

    status: str
    score: float
    message: str


UNREADABLE = "The answer could not be taken out of the notebook; a person has to look at it."
NOT_ATTEMPTED = Verdict("not attempted", 0.0, "Not attempted yet.")


# ------------------------------------------------------------------ parameters as JSON and back


def encode(value):
    """Parameters as JSON: arrays keep their dtype, tuples and lists become lists."""
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": value.dtype.name}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"not a parameter: {value!r}")


def decode(value):
    """What `encode` wrote, with arrays as arrays and lists as tuples."""
    if isinstance(value, dict):
        if value.keys() == {"array", "dtype"}:
            return np.array(value["array"], dtype=value["dtype"])
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    return value


def namespace(params):
    """The parameters under their names: `p.n`, `p.x`."""
    return SimpleNamespace(**decode(params))


# ------------------------------------------------------------------------------- comparing


def difference(right, given, tolerance=0.0, dtype=None):
    """Say in what `given` differs from the right answer; None where it does not.

    Parameters
    ----------
    right : bool, int, float, str, tuple or ndarray
        Its type decides what is accepted: a whole number may be written 4 or 4.0, a tuple as a
        list, words in any case; an array must be an array.
    given : object
        From `unplain`.
    tolerance : float
        Absolute, for floating-point answers; besides it, one part in a million is forgiven.
    dtype : str, optional
        The dtype that an array must have; else any numeric dtype that holds the same numbers.
    """
    if isinstance(given, TooLarge):
        return f"it is far too large: shape {given.shape}"
    if isinstance(given, Foreign):
        return f"it is an object of class {given.name}"
    if isinstance(right, np.ndarray):
        return _array_difference(right, given, tolerance, dtype)
    if isinstance(right, bool):
        if not isinstance(given, (bool, np.bool_)):
            return f"it is {_kind(given)}; True or False is asked for"
        return None if bool(given) == right else "it is not right"
    if isinstance(right, (int, float)):
        return _number_difference(right, given, tolerance)
    if isinstance(right, str):
        if not isinstance(given, str):
            return f"it is {_kind(given)}; text in quotes is asked for"
        return None if _words(given) == _words(right) else "it is not right"
    if isinstance(given, np.ndarray) and given.ndim == 1:
        given = tuple(given)
    if not isinstance(given, (tuple, list)):
        return f"it is {_kind(given)}; {len(right)} values in brackets are asked for"
    if len(given) != len(right):
        return f"it has {len(given)} entries; {len(right)} are asked for"
    found = [difference(r, g, tolerance, dtype) for r, g in zip(right, given, strict=True)]
    for place, what in enumerate(found):
        if what:
            good = found.count(None)
            tail = f" ({good} of {len(right)} entries are right)" if good else ""
            return f"entry {place}, counted from 0: {what}{tail}"
    return None


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    names = {"NoneType": "None", "str": "text", "bool": "True or False", "list": "a list"}
    names |= {"frozenset": "a set"}
    names |= {"tuple": "a tuple", "ellipsis": "...", "int": "a number", "float": "a number"}
    return names.get(type(value).__name__, f"a value of type {type(value).__name__}")


def _words(text):
    return " ".join(text.casefold().split())


def _number_difference(right, given, tolerance):
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given[()]
    if isinstance(given, (bool, np.bool_)) or not isinstance(given, (int, float, np.number)):
        return f"it is {_kind(given)}; a number is asked for"
    if not isinstance(given, int) and not np.isfinite(given):
        return f"it is {float(given)}, not a finite number"
    if isinstance(right, int) and not tolerance:
        return None if given == right else "the number is not right"
    close = abs(float(given) - right) <= max(tolerance, 1e-6 * abs(right))
    return None if close else "the number is not right"


def _array_difference(right, given, tolerance, dtype):
    if isinstance(given, (list, tuple)):
        return f"it is {_kind(given)}, not an array; np.array(…) makes one of it"
    if not isinstance(given, np.ndarray):
        return f"it is {_kind(given)}; an array of shape {right.shape} is asked for"
    if given.dtype.kind == "b" and right.dtype.kind != "b":
        return "its dtype is bool; numbers are asked for"
    if given.shape != right.shape:
        return f"its shape is {given.shape} where {right.shape} is due"
    if dtype and given.dtype.name != dtype:
        return f"its dtype is {given.dtype.name} where {dtype} is due"
    if given.dtype.kind == "f" and np.isnan(given).any() and not np.isnan(right).any():
        return f"{int(np.isnan(given).sum())} of its {given.size} entries are NaN"
    # float32 sums differ from float64 ones in the seventh digit.
    close = 1e-6 if right.dtype.kind in "biu" and given.dtype.kind in "iu" else 1e-4
    same = np.isclose(
        given.astype(float), right.astype(float), rtol=close, atol=max(tolerance, close)
    )
    if same.all():
        return None
    return f"{int((~same).sum())} of its {same.size} entries are not right"


# ------------------------------------------------------------------------------- exercises


class Exercise:
    """One exercise; `Value`, `Function` and `Text` say what its answer is.

    A chapter's module derives a class from one of them and fills in:

    name : str
        Unique in the chapter, with hyphens; it names the cells as well.
    title, text : str
        Heading, and the question in Markdown: the words that are the same for every draw.
    points, minutes : int
    tests : str
        What it tests, to follow "Tests: ".
    objectives : tuple of int
        Which lines of the chapter's "After this chapter you can", counted from 0.
    """

    name = title = text = tests = ""
    points = minutes = 0
    objectives = ()
    kind = answer = form = ""
    effort_range = None  # (least, most) of effort(p): draws outside are thrown away

    def stub(self, p):
        """Write what stands in the answer's cell before the learner comes."""
        raise NotImplementedError

    def draw(self, dice):
        """Throw the numbers: a dict of ints, floats, strings, tuples and arrays."""
        return {}

    def effort(self, p):
        """Count what makes a draw hard, such as the multiplications to do by hand."""
        return 0

    def prompt(self, p):
        """Write the drawn numbers as a sentence in Markdown; "" where there are none."""
        return ""

    def grids(self, p):
        """List arrays to show as pictures: (title, array of 1 to 3 axes)."""
        return []

    def sound(self, params):
        """Does a draw keep the bounds?"""
        if self.effort_range is None:
            return True
        least, most = self.effort_range
        return least <= self.effort(namespace(params)) <= most

    def sample(self, *seed):
        """Draw until the bounds are kept; the parameters as JSON."""
        for attempt in range(ATTEMPTS):
            params = encode(self.draw(Dice(*seed, self.name, str(attempt))))
            if self.sound(params):
                return params
        raise RuntimeError(f"{self.name}: {ATTEMPTS} draws, and none keeps the bounds")

    def judge(self, params, outcome, trials=None):
        """Judge an outcome.

        Parameters
        ----------
        params : dict
            The drawn numbers, from `Chapter.variant`.
        outcome : dict
            Plain data; `pointwise.exercises.probe` lists its forms.
        trials : list of (args, kwargs), optional
            For a function: the calls that were made; without them, those of the notebook's check.

        Returns
        -------
        Verdict
        """
        if outcome.get("kind") == "lost":
            return Verdict("manual", 0.0, UNREADABLE)
        if outcome.get("kind") != self.kind:
            return NOT_ATTEMPTED
        return self.judge_answer(params, outcome, trials)

    def judge_answer(self, params, outcome, trials):
        raise NotImplementedError


class Value(Exercise):
    """The answer is a value under the name `answer`.

    answer : str
        Name of the variable.
    form : str
        What to write, as a comment behind it: "a whole number".
    tolerance : float
        What rounding is allowed in floating-point answers.
    dtype : str or None
        The dtype that an array must have, where that is part of the question.
    parts : bool
        Each right entry of a tuple earns its share.
    unordered : bool
        The right answer is a tuple of whole numbers in rising order; theirs may stand in any order,
        or in a set. How many there are, and how many are right, is not told.
    """

    kind = "value"
    tolerance = 0.0
    dtype = None
    parts = unordered = False

    def stub(self, p):
        return f"{self.answer} = None  # {self.form}"

    def solve(self, p):
        """Give the right answer."""
        raise NotImplementedError

    def mistakes(self, p):
        """Map hints to the wrong answers that they explain."""
        return {}

    def sound(self, params):
        p = namespace(params)
        right = self.solve(p)
        wrong = self.mistakes(p).values()
        return super().sound(params) and all(self._differ(right, value) for value in wrong)

    def _differ(self, right, given):
        return self._difference(right, unplain(plain(given))) is not None

    def _difference(self, right, given):
        if not self.unordered:
            return difference(right, given, self.tolerance, self.dtype)
        if isinstance(given, (Foreign, TooLarge)):
            return difference(right, given)
        if isinstance(given, np.ndarray) and given.ndim == 1:
            given = tuple(given)
        if not isinstance(given, (tuple, list, frozenset)):
            return f"it is {_kind(given)}; numbers in brackets are asked for"
        for item in given:
            if isinstance(item, (bool, np.bool_)) or not isinstance(item, (int, float, np.number)):
                return f"one of its entries is {_kind(item)}; numbers are asked for"
        same = difference(right, tuple(sorted(given))) is None
        return None if same else "these are not the numbers"

    def hints(self, p):
        """The mistakes as (value, hint); one entry where several give the same value."""
        found = []
        for hint, value in self.mistakes(p).items():
            for k, (known, hints) in enumerate(found):
                if type(known) is type(value) and not self._differ(known, value):
                    found[k] = (known, f"{hints} Or: {hint}")
                    break
            else:
                found.append((value, hint))
        return found

    def judge_answer(self, params, outcome, trials):
        try:
            given = unplain(outcome.get("value"))
        except ValueError:
            return Verdict("wrong", 0.0, "The answer could not be read.")
        if given is None or given is Ellipsis:
            return NOT_ATTEMPTED
        p = namespace(params)
        right = self.solve(p)
        what = self._difference(right, given)
        if what is None:
            return Verdict("right", 1.0, "Right.")
        message = f"Not right: {what}."
        for value, hint in self.hints(p):
            if self._difference(value, given) is None:
                message = f"Not right. {hint}"
                break
        score = self._share(right, given) if self.parts else 0.0
        return Verdict("partial" if score else "wrong", score, message)

    def _share(self, right, given):
        if not isinstance(given, (list, tuple)) or len(given) != len(right):
            return 0.0
        good = [difference(r, g, self.tolerance) is None for r, g in zip(right, given, strict=True)]
        return sum(good) / len(good)


class Function(Exercise):
    """The answer is a function, tried on arguments that nobody has seen before.

    answer : str
        Name of the function.
    forbidden : frozenset
        Names of the package that it may not call.
    tolerance, dtype
        As for a `Value`; `dtype` may be "same": that of the first argument.
    """

    kind = "function"
    forbidden = KERNELS
    tolerance = 0.0
    dtype = None

    def arguments(self, p):
        """Name the function's arguments: "x, w"."""
        raise NotImplementedError

    def stub(self, p):
        return f"def {self.answer}({self.arguments(p)}):\n    ...  # your code"

    def solve(self, p, *args, **kwargs):
        """Give the right result for these arguments."""
        raise NotImplementedError

    def mistakes(self, p):
        """Map hints to functions that make the mistake."""
        return {}

    def throw(self, p, dice):
        """Throw the arguments of some calls: a list of tuples."""
        raise NotImplementedError

    def trials(self, params, *seed):
        """Throw arguments on which every mistake shows: a list of (args, kwargs)."""
        p = namespace(params)
        for attempt in range(ATTEMPTS):
            dice = Dice(*seed, self.name, "trials", str(attempt))
            trials = [(tuple(args), {}) for args in self.throw(p, dice)]
            right = [self.solve(p, *args) for args, _ in trials]
            mistaken = [self._results(f, trials) for f in self.mistakes(p).values()]
            if not any(self._all_right(trials, right, results) for results in mistaken):
                return trials
        raise RuntimeError(f"{self.name}: {ATTEMPTS} throws, and a mistake shows in none")

    def _results(self, function, trials):
        results = []
        for args, kwargs in trials:
            try:
                results.append({"value": plain(function(*args, **kwargs))})
            except Exception as error:
                results.append({"error": f"{type(error).__name__}: {error}"})
        return results

    def _wrong(self, trial, right, result):
        """Say what is wrong with the result of one call; None where nothing is."""
        if "error" in result:
            return f"it raises {str(result['error'])[:200]}"
        try:
            given = unplain(result.get("value"))
        except ValueError:
            return "its result could not be read"
        if given is None or given is Ellipsis:
            return "it returns nothing"
        dtype = trial[0][0].dtype.name if self.dtype == "same" else self.dtype
        return difference(right, given, self.tolerance, dtype)

    def _all_right(self, trials, expected, results):
        return all(
            self._wrong(trial, right, result) is None
            for trial, right, result in zip(trials, expected, results, strict=True)
        )

    def _looks_like(self, function, trials, results):
        """Do these results come from a function with this mistake? It may raise where they do."""
        same = []
        for trial, theirs, result in zip(
            trials, self._results(function, trials), results, strict=True
        ):
            if "error" in theirs or "error" in result:
                if not ("error" in theirs and "error" in result):
                    return False
            else:
                same.append(self._wrong(trial, unplain(theirs["value"]), result) is None)
        return bool(same) and all(same)

    def judge_answer(self, params, outcome, trials):
        results = outcome.get("results")
        trials = self.trials(params, "check") if trials is None else trials
        if (
            not isinstance(results, list)
            or len(results) != len(trials)
            or not all(isinstance(result, dict) for result in results)
        ):
            return Verdict("wrong", 0.0, f"{self.answer} is not a function that could be called.")
        if all(_is_stub(result) for result in results):
            return NOT_ATTEMPTED
        if borrowed := borrowed_names(outcome.get("sources") or (), self.answer, self.forbidden):
            what = ", ".join(sorted(borrowed))
            return Verdict("wrong", 0.0, f"It calls {what}: write it yourself, with NumPy.")

        p = namespace(params)
        right = [self.solve(p, *args, **kwargs) for args, kwargs in trials]
        wrong = [
            self._wrong(trial, value, result)
            for trial, value, result in zip(trials, right, results, strict=True)
        ]
        passed = wrong.count(None)
        if passed == len(trials):
            if any(result.get("changed") for result in results):
                return Verdict("partial", 0.5, "The results are right, but it changes its input.")
            return Verdict("right", 1.0, "Right.")
        for hint, function in self.mistakes(p).items():
            if self._looks_like(function, trials, results):
                return self._partial(passed, len(trials), f"Not right. {hint}")
        first = next(k for k, what in enumerate(wrong) if what)
        message = f"Not right for {_call(self.answer, trials[first][0])}: {wrong[first]}."
        return self._partial(passed, len(trials), message)

    def _partial(self, passed, of, message):
        score = 4 * passed // of / 4
        if passed:
            message += f" {passed} of {of} calls gave the right result."
        return Verdict("partial" if score else "wrong", score, message)


def _is_stub(result):
    if str(result.get("error", "")).startswith("NotImplementedError"):
        return True
    return result.get("value") in ({"type": "NoneType"}, {"type": "ellipsis"})


def _call(name, args):
    """A call as text, arrays by their shapes: conv(array (1, 2, 3, 3), 2)."""
    shown = [
        f"array {a.shape}{'' if a.dtype == np.int64 else f' of {a.dtype}'}"
        if isinstance(a, np.ndarray)
        else repr(a)
        for a in args
    ]
    return f"{name}({', '.join(shown)})"


class Text(Exercise):
    """The answer is written in words, in a Markdown cell, and read by a person."""

    kind = "text"

    def stub(self, p):
        return TEXT_STUB

    def model(self, p):
        """Write a good answer, in Markdown: for the solutions page and whoever marks."""
        raise NotImplementedError

    def judge_answer(self, params, outcome, trials):
        text = str(outcome.get("text", "")).replace(TEXT_STUB, "")
        if not re.sub(r"\W", "", text):
            return NOT_ATTEMPTED
        return Verdict("manual", 0.0, "A person reads this one.")


TEXT_STUB = "YOUR ANSWER HERE"


# ------------------------------------------------------------------------- borrowed kernels


def borrowed_names(cells, function, forbidden):
    """Name the forbidden things that a function uses, itself or through what the cells define.

    Parameters
    ----------
    cells : list of str
        Sources of code cells, in order; those that are no Python are passed over.
    function : str
    forbidden : frozenset of str

    Returns
    -------
    set of str
        Such as {"conv2d", "torch"}.
    """
    defined, imported = {}, {}
    for cell in cells if isinstance(cells, (list, tuple)) else ():
        try:
            tree = ast.parse(re.sub(r"^\s*[%!].*$", "pass", str(cell), flags=re.MULTILINE))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined[node.name] = node
                imported.pop(node.name, None)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    for name in (n.id for n in ast.walk(target) if isinstance(n, ast.Name)):
                        defined[name] = node.value
                        imported.pop(name, None)
            for inner in ast.walk(node):
                imported |= _imports(inner)
    found, seen, waiting = set(), set(), [function]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in imported:
            found |= _forbidden(imported[name], forbidden)
            continue
        for node in ast.walk(defined[name]) if name in defined else ():
            local = _imports(node)
            for path in local.values():
                found |= _forbidden(path, forbidden)
            if isinstance(node, ast.Attribute) and node.attr in forbidden | {"_chapter"}:
                found.add(node.attr)
        if name in defined:
            waiting += _globals_of(defined[name])
    return found


def _globals_of(node):
    """Name what a definition takes from the notebook; its own variables are not among that.

    A parameter `x` is not the `x` of another cell. Where nobody can tell, a name is the notebook's.
    """
    try:
        waiting = [symtable.symtable(ast.unparse(node), "cell", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    found = set()
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        for symbol in table.get_symbols():
            # A class body looks a name up in the notebook until it has bound the name itself.
            outer = table.get_type() != "function" and symbol.is_referenced()
            if outer or symbol.is_global():
                found.add(symbol.get_name())
    return found


def _imports(node):
    """Local name → dotted path of what an import statement brings."""
    if isinstance(node, ast.Import):
        return {(a.asname or a.name.split(".")[0]): a.name for a in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    return {}


def _forbidden(path, forbidden):
    parts = path.split(".")
    if parts[0] in OTHER_PEOPLES:
        return {parts[0]}
    if parts[0] != "pointwise":
        return set()
    if parts[1:2] == ["exercises"] and parts[2:] != ["begin"]:  # where the answers come from
        return {"pointwise.exercises"}
    return {parts[-1]} & forbidden


# -------------------------------------------------------------------------------- chapters


class Chapter:
    """The exercises of one chapter.

    Parameters
    ----------
    slug, title : str
    objectives : tuple of str
        The lines under "After this chapter you can" of the lesson, word for word.
    exercises : tuple of Exercise
    """

    def __init__(self, slug, title, objectives, exercises):
        self.slug, self.title = slug, title
        self.objectives, self.exercises = tuple(objectives), tuple(exercises)

    def __repr__(self):
        return f"<{self.slug}: {len(self.exercises)} exercises, {self.points} points>"

    @property
    def points(self):
        return sum(exercise.points for exercise in self.exercises)

    def __getitem__(self, name):
        for exercise in self.exercises:
            if exercise.name == name:
                return exercise
        known = ", ".join(exercise.name for exercise in self.exercises)
        raise ValueError(f"{self.slug} has no exercise {name!r}; it has {known}")

    def number(self, name):
        """Count the exercise's place, from 1: in a notebook its numbers are `q1`, `q2` …"""
        return self.exercises.index(self[name]) + 1

    def written(self, name, text):
        """Put the exercise's number into a text that calls its numbers `q`."""
        return re.sub(r"\bq\.(?=\w)", f"q{self.number(name)}.", text)

    def variant(self, seed=None):
        """Draw the numbers of all exercises: {name: parameters}; without a seed, for practice."""
        seed = PRACTICE if seed is None else seed
        return {exercise.name: exercise.sample(seed, self.slug) for exercise in self.exercises}

    def trials(self, seed, variant):
        """Throw the calls that the functions are tried on: {name: [(args, kwargs), …]}.

        They come from the seed and not from the variant, so nobody knows them before.
        """
        return {
            exercise.name: exercise.trials(variant[exercise.name], seed, self.slug)
            for exercise in self.exercises
            if exercise.kind == "function"
        }


PRACTICE = b"practice"


@functools.cache
def chapter(slug):
    """Return a chapter's exercises; ValueError for a slug that has none."""
    if slug not in SLUGS:
        raise ValueError(f"there are no exercises for {slug!r}; there are for {', '.join(SLUGS)}")
    module = importlib.import_module(f"pointwise.exercises.{slug.replace('-', '_')}")
    return module.CHAPTER


def chapters():
    """Return all chapters that have exercises, in reading order."""
    return [chapter(slug) for slug in SLUGS]
