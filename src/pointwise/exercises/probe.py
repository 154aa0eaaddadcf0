"""Take an answer out of the process that the learner's code runs in, as plain data.

The grader adds `cell(…)` to the notebook behind the learner's cell, runs the notebook in a sandbox,
and reads the outcome from that cell's outputs with `read`. An outcome is one of

    {"kind": "missing", "why": …}               the name is not defined: no attempt
    {"kind": "lost", "why": …}                  nothing was reported: a person has to look
    {"kind": "value", "value": plain data}
    {"kind": "function", "results": [{"value": plain data, "changed": bool} or {"error": text}],
     "sources": the submission's code cells}
    {"kind": "text", "text": …}                 from the Markdown cell, without any code

Whoever tampers with this module inside
the sandbox can put other plain data in the place of an answer, and nothing more: the data are
judged elsewhere.
"""

import contextlib
import copy
import importlib
import json
import signal
import sys
import threading
from types import FunctionType

from pointwise.exercises import core
from pointwise.exercises.plain import plain
from pointwise.exercises.seeds import pack, unpack

MIME = "application/vnd.pointwise.outcome+json"
MAX_OUTCOME = 8_000_000  # characters of JSON
SECONDS = 5  # for one call of a learner's function
TORCH = ("conv1d", "conv2d", "conv3d", "conv_transpose2d", "linear", "unfold", "bilinear")


def cell(exercise, trials=None):
    """Write the code cell that displays the answer to one exercise as an outcome.

    Parameters
    ----------
    exercise : Exercise
        Of kind "value" or "function".
    trials : list of (args, kwargs), optional
        For a function: from `Chapter.trials`.
    """
    packed = pack({"trials": core.encode([list(args) for args, _ in trials or ()])})
    arguments = f"{exercise.kind!r}, {exercise.answer!r}, {packed!r}"
    return f"from pointwise.exercises import probe as _probe\n_probe.report({arguments})"


def report(kind, name, packed):
    """Display the outcome; this runs beside the learner's code."""
    from IPython import get_ipython
    from IPython.display import display

    names = get_ipython().user_ns  # globals() may be a name of the learner's by now
    if name not in names:
        found = {"kind": "missing", "why": f"{name} is not defined"}
    elif kind == "value":
        found = {"kind": "value", "value": plain(names[name])}
    else:
        trials = [(args, {}) for args in core.decode(unpack(packed)["trials"])]
        found = call(names[name], trials)
    display({MIME: found, "text/plain": ""}, raw=True)


def call(function, trials):
    """Call the function with each trial's arguments, the kernels being out of reach."""
    if not callable(function):
        found = plain(function)
        if found["type"] in ("NoneType", "ellipsis"):
            return {"kind": "missing", "why": "nothing was written"}
        return {"kind": "function", "results": [], "sources": None}
    results = []
    with without_kernels():
        for args, kwargs in trials:
            args, before = copy.deepcopy(args), [plain(a) for a in args]
            try:
                with time_limit(SECONDS):
                    value = function(*args, **kwargs)
                changed = [plain(a) for a in args] != before
                results.append({"value": plain(value), "changed": changed})
            except BaseException as error:  # sys.exit() and an interrupt are failures as well
                results.append({"error": f"{_class_name(error)}: {_text(error)}"})
                if type(error) is TimeoutError:  # the others would not end either
                    return _all_failed(results[-1], trials)
    return {"kind": "function", "results": results, "sources": None}


def _all_failed(result, trials):
    return {"kind": "function", "results": [result] * len(trials), "sources": None}


def _class_name(error):
    return plain(error)["class"].removeprefix("builtins.").split(".")[-1]


def _text(error):
    try:
        return str(error)[:300].encode("utf-8", "replace").decode("utf-8")
    except BaseException:  # the learner's own exception class
        return ""


@contextlib.contextmanager
def time_limit(seconds):
    """Raise TimeoutError in the block after so many seconds, where the system can."""
    can = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not can:
        yield
        return

    def stop(number, frame):
        raise TimeoutError(f"no result after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _refuse(*args, **kwargs):
    raise RuntimeError("this exercise is to be solved without the book's kernels or torch's layers")


@contextlib.contextmanager
def without_kernels():
    """Switch off the reference kernels, under whatever name they are held, and torch's layers."""
    kept, patched = [], []
    for name in ("pointwise.conv", "pointwise.pool"):
        for kernel in vars(importlib.import_module(name)).values():
            if type(kernel) is FunctionType and kernel.__name__ in core.KERNELS:
                # The code inside the function: an alias made before is switched off too.
                kept.append((kernel, kernel.__code__))
                kernel.__code__ = _refuse.__code__
    places = [sys.modules.get("torch"), sys.modules.get("torch.nn.functional")]
    for place in places:
        for name in TORCH:
            if place is not None and hasattr(place, name):
                patched.append((place, name, getattr(place, name)))
                setattr(place, name, _refuse)
    try:
        yield
    finally:
        for kernel, code in kept:
            kernel.__code__ = code
        for place, name, function in patched:
            setattr(place, name, function)


# ------------------------------------------------------------------- the grader's own process


def read(outputs):
    """Find the outcome in the outputs of a cell that `cell` wrote.

    Parameters
    ----------
    outputs : list of dict
        As nbformat stores them; they may hold anything.

    Returns
    -------
    dict
        An outcome; {"kind": "lost", "why": …} where there is none of the right form: something
        broke, and the learner may well have answered. Judged, it goes to a person.
    """
    for output in reversed(list(outputs)):
        data = output.get("data") if isinstance(output, dict) else None
        if isinstance(data, dict) and MIME in data:
            return _checked(data[MIME])
    return {"kind": "lost", "why": "the answer was not reported"}


def _checked(found):
    lost = {"kind": "lost", "why": "what was reported is no answer"}
    try:
        if isinstance(found, str):
            found = json.loads(found) if len(found) < MAX_OUTCOME else None
        if len(json.dumps(found)) > MAX_OUTCOME:
            return {"kind": "lost", "why": "what was reported is too large"}
    except (TypeError, ValueError, RecursionError):
        return lost
    if not isinstance(found, dict):
        return lost
    if found.get("kind") == "missing":
        return {"kind": "missing", "why": str(found.get("why", ""))[:200]}
    if found.get("kind") == "value" and isinstance(found.get("value"), dict):
        return {"kind": "value", "value": found["value"]}
    if found.get("kind") == "function" and isinstance(found.get("results"), list):
        return {"kind": "function", "results": found["results"], "sources": None}
    return lost


def with_source(outcome, cells):
    """Add the sources of the submitted code cells: the judge looks up what the function calls."""
    if outcome.get("kind") == "function":
        return {**outcome, "sources": [str(source) for source in cells]}
    return outcome
