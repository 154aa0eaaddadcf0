"""Every exercise of every chapter: its draws, its right answers, its wrong ones, and the tricks."""

import ast
import builtins
import contextlib
import doctest
import io
import json
import keyword
import re
import subprocess
import sys
from functools import cache

import exercises as tool
import numpy as np
import pytest
from run_notebooks import ROOT, read

from pointwise import exercises
from pointwise.exercises import core, plain, probe, seeds, sheet
from pointwise.exercises.core import namespace
from pointwise.exercises.plain import readable

SEEDS = 200
SECRET = b"only for the tests: 0123456789"
CHAPTERS = exercises.chapters()
ALL = [(chapter, exercise) for chapter in CHAPTERS for exercise in chapter.exercises]
# Over the automatic points of a chapter, averaged: what answers for other numbers may still earn.
BORROWED = 0.25


def each(*kinds):
    """Parametrise over the exercises of these kinds."""
    chosen = [(c, e) for c, e in ALL if e.kind in kinds]
    ids = [f"{c.slug}/{e.name}" for c, e in chosen]
    return pytest.mark.parametrize(("chapter", "exercise"), chosen, ids=ids)


each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[c.slug for c in CHAPTERS])


def seed(k):
    return exercises.derive_seed(SECRET, "tests", f"cohort-{k}")


@cache
def variants(chapter):
    return [chapter.variant(seed(k)) for k in range(SEEDS)]


def judged(exercise, params, answer, trials=None):
    """The verdict on an answer as the grader reaches it: through JSON."""
    if exercise.kind == "value":
        outcome = {"kind": "value", "value": plain(answer)}
    else:
        trials = exercise.trials(params, "tests") if trials is None else trials
        outcome = probe.call(answer, trials)
    verdict = exercise.judge(params, json.loads(json.dumps(outcome)), trials)
    assert verdict.status in core.STATUSES
    assert 0 <= verdict.score <= 1
    assert (verdict.status == "right") == (verdict.score == 1)
    return verdict


@cache
def solutions(chapter):
    return tool.solutions_of(chapter)


def solved(chapter, exercise, params):
    """What the master's solution gives for these numbers."""
    names = {"np": np, f"q{chapter.number(exercise.name)}": namespace(params)}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(solutions(chapter)[exercise.name], names)
    return names[exercise.answer]


# ---------------------------------------------------------------------------- the chapters


@each_chapter
def test_a_chapter_of_exercises(chapter):
    assert 6 <= len(chapter.exercises) <= 10
    names = [exercise.name for exercise in chapter.exercises]
    answers = [exercise.answer for exercise in chapter.exercises if exercise.kind != "text"]
    assert len(set(names)) == len(names)
    assert len(set(answers)) == len(answers)
    kinds = {exercise.kind for exercise in chapter.exercises}
    assert kinds == {"value", "function", "text"}
    for answer in answers:
        assert answer.isidentifier()
        assert not keyword.iskeyword(answer)
        assert not hasattr(builtins, answer)
        assert not re.fullmatch(r"q\d+|sheet|np", answer)


@each_chapter
def test_every_objective_is_covered(chapter):
    covered = {k for exercise in chapter.exercises for k in exercise.objectives}
    assert covered == set(range(len(chapter.objectives))), "\n".join(tool.matrix(chapter))


@each_chapter
def test_the_objectives_are_those_of_the_lesson(chapter):
    lesson = read(ROOT / "chapters" / chapter.slug / "lesson.ipynb")
    assert lesson.cells[0].source.startswith(f"# {chapter.title}\n")
    listed = lesson.cells[0].source.split("After this chapter you can")[1]
    assert tuple(re.findall(r"^- (.*)$", listed, re.MULTILINE)) == chapter.objectives


@each("value", "function", "text")
def test_what_an_exercise_says_of_itself(chapter, exercise):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", exercise.name)
    assert exercise.title
    assert exercise.text
    assert exercise.tests
    assert not exercise.tests.endswith(".")
    assert 1 <= exercise.points <= 10
    assert 2 <= exercise.minutes <= 30
    assert exercise.objectives
    assert exercise.kind in ("value", "function", "text")  # not hidden by a method


# -------------------------------------------------------------------------------- the draws


@each_chapter
def test_the_variants_of_200_classes_differ(chapter):
    assert len({exercises.fingerprint(variant) for variant in variants(chapter)}) == SEEDS


@each("value", "function", "text")
def test_200_draws(chapter, exercise):
    """Valid, in bounds, plain JSON; values with many different right answers."""
    drawn, right = set(), set()
    for variant in variants(chapter):
        params = variant[exercise.name]
        assert json.loads(json.dumps(params)) == params
        assert exercise.sound(params)
        p = namespace(params)
        least, most = exercise.effort_range or (0, 0)
        assert least <= exercise.effort(p) <= most
        assert isinstance(exercise.prompt(p), str)
        exercise.grids(p)
        assert exercise.stub(p)
        drawn.add(json.dumps(params, sort_keys=True))
        if exercise.kind == "value":
            right.add(json.dumps(plain(exercise.solve(p))))
    assert len(drawn) >= 2
    if exercise.kind == "value":
        assert len(drawn) >= 0.4 * SEEDS
        assert len(right) >= 10


@each("value")
def test_no_mistake_is_right_and_no_two_are_the_same(chapter, exercise):
    for variant in variants(chapter):
        p = namespace(variant[exercise.name])
        hints = exercise.hints(p)
        assert len(hints) >= 3
        for k, (wrong, hint) in enumerate(hints):
            assert hint
            assert exercise._differ(exercise.solve(p), wrong)
            for other, _ in hints[:k]:
                assert type(wrong) is not type(other) or exercise._differ(other, wrong)


@each_chapter
def test_the_trials_come_from_the_seed_and_not_from_the_variant(chapter):
    variant = variants(chapter)[0]
    texts = {
        json.dumps(core.encode(chapter.trials(s, variant)), sort_keys=True)
        for s in (seed(0), seed(1), b"practice")
    }
    assert len(texts) == 3


# ------------------------------------------------------------------------ the right answers


@each("value", "function")
def test_the_solution_is_right_for_200_classes(chapter, exercise):
    for k, variant in enumerate(variants(chapter)):
        params = variant[exercise.name]
        trials = None
        if exercise.kind == "function":
            trials = exercise.trials(params, seed(k), chapter.slug)
        verdict = judged(exercise, params, solved(chapter, exercise, params), trials)
        assert verdict.status == "right", (k, params, verdict)


def styles(right):
    """The same answer as different people write it."""
    if isinstance(right, np.ndarray):
        yield right.astype(np.float64)
        yield right.astype(np.float32)
        yield np.asfortranarray(right)
        yield right[::-1][::-1]
        if (right == right.round()).all():
            yield right.astype(np.int32)
    elif isinstance(right, (bool, np.bool_)):
        yield from (bool(right), np.bool_(right))
    elif isinstance(right, (int, np.integer)):
        yield from (int(right), float(right), np.int64(right), np.float64(right), np.array(right))
    elif isinstance(right, float):
        yield from (right, np.float64(right), np.float32(right), np.array(right))
    elif isinstance(right, str):
        yield from (right, right.upper(), f" {right} ")
    else:
        yield from (list(right), tuple(right), [next(iter(styles(r))) for r in right])
        if all(isinstance(r, (int, float)) for r in right):
            yield np.array(right)
            yield [np.int64(r) if isinstance(r, int) else r for r in right]


@each("value")
def test_the_right_answer_in_every_style(chapter, exercise):
    params = variants(chapter)[1][exercise.name]
    right = exercise.solve(namespace(params))
    found = list(styles(right))
    assert len(found) >= 3
    for answer in found:
        assert judged(exercise, params, answer).status == "right", answer


@each("function")
def test_a_right_function_in_every_style(chapter, exercise):
    for variant in variants(chapter)[:20]:
        params = variant[exercise.name]
        function = solved(chapter, exercise, params)

        class Callable:
            def __call__(self, *args, function=function):
                return np.asfortranarray(function(*args))

        for answer in (lambda *args: function(*args).astype(float), Callable()):  # noqa: B023
            assert judged(exercise, params, answer).status == "right"


@each("function")
def test_a_right_function_that_spoils_its_input(chapter, exercise):
    params = variants(chapter)[0][exercise.name]
    function = solved(chapter, exercise, params)

    def spoils(*args):
        result = np.array(function(*args))
        args[0][...] = 7
        return result

    verdict = judged(exercise, params, spoils)
    assert (verdict.status, verdict.score) == ("partial", 0.5)
    assert "changes its input" in verdict.message


# ------------------------------------------------------------------------- the wrong answers


def near_misses(right):
    """Wrong answers that need no thought."""
    if isinstance(right, (tuple, list)):
        yield right[:-1]
        yield (*right, right[-1] if right else 0)
        for k, item in enumerate(right):
            yield from ((*right[:k], wrong, *right[k + 1 :]) for wrong in near_misses(item))
    elif isinstance(right, np.ndarray):
        yield from (right + 1, -right - 1, right[None], np.zeros((*right.shape, 1)))
        yield from (right * np.nan, right.astype(str), right.astype(complex), right.tolist())
    elif isinstance(right, bool):
        yield from (not right, int(right), "yes")
    elif isinstance(right, str):
        yield from ("", right + "x", 0)
    else:
        yield from (right + 1, right - 1, -right - 1, right + 0.5, float("nan"), str(right))
        yield from (float("inf"), [right], True, 10**400, complex(right))


@each("value")
def test_wrong_values_are_refused_and_mistakes_named(chapter, exercise):
    for variant in variants(chapter)[:20]:
        params = variant[exercise.name]
        p = namespace(params)
        wrong = list(near_misses(exercise.solve(p)))
        hints = exercise.hints(p)
        assert len(wrong) + len(hints) >= 6
        for answer in wrong:
            verdict = judged(exercise, params, answer)
            assert verdict.status in ("wrong", "partial"), answer
            assert verdict.message
        for answer, hint in hints:
            verdict = judged(exercise, params, answer)
            assert verdict.status in ("wrong", "partial")
            assert hint in verdict.message


@each("function")
def test_wrong_functions_are_refused_and_mistakes_named(chapter, exercise):
    named = set()
    for variant in variants(chapter)[:20]:
        params = variant[exercise.name]
        p = namespace(params)

        def right(*args, p=p):
            return np.asarray(exercise.solve(p, *args))

        wrong = [
            lambda *args: right(*args) + 1,
            lambda *args: np.zeros_like(right(*args)),
            lambda *args: right(*args).tolist(),
            lambda *args: right(*args)[None],
            lambda *args: right(*args).astype(str),
            lambda *args: args[0],
            lambda: 0,
            lambda *args: 1 / 0,
            lambda *args: sys.exit(),
        ]
        trials = exercise.trials(params, "tests")
        for function in wrong:
            with unlocked():
                assert judged(exercise, params, function, trials).status == "wrong"
        for hint, function in exercise.mistakes(p).items():
            with unlocked():
                verdict = judged(exercise, params, function, trials)
            assert verdict.status in ("wrong", "partial"), hint
            named.update({hint} if hint in verdict.message else ())
            assert verdict.message.startswith("Not right.")
    assert len(named) >= 3


@contextlib.contextmanager
def unlocked():
    """Leave the kernels on: the tests' own wrong functions are made from the right ones."""
    kept, probe.without_kernels = probe.without_kernels, contextlib.nullcontext
    try:
        yield
    finally:
        probe.without_kernels = kept


def hinted(slug, name):
    """Draws of one exercise, and what is said to an answer."""
    exercise = exercises.chapter(slug)[name]
    for variant in variants(exercises.chapter(slug)):
        params = variant[name]
        yield exercise, namespace(params), lambda answer, params=params: judged(
            exercise, params, answer).message  # fmt: skip


def test_hints_on_the_largest_learning_rate():
    for _, p, said in hinted("learned-mixing", "too-fast"):
        small, large = np.linalg.eigvalsh(p.X @ p.X.T / 4)
        half_forgotten = (1 / large, 1 - small / large)  # the slope is then 2λ: limit 1/λ
        assert "takes away the 2" in said(half_forgotten)
        assert "kills the error" not in said(half_forgotten)
        taken_for_the_limit = (1 / large, 1 - small / large / 2)
        assert "kills the error" in said(taken_for_the_limit)
        assert "takes away the 2" not in said(taken_for_the_limit)


def test_rows_of_eigenvectors_are_not_columns():
    for exercise, p, said in hinted("learned-mixing", "strongest-channel"):
        kept, mix, predicted = exercise.solve(p)
        values, vectors = np.linalg.eigh(p.C)
        t = np.array(p.t)
        asked = t @ p.C @ t
        right = (vectors[:, -1] @ p.C @ t) ** 2 / (values[-1] * asked)
        assert said((kept, mix, right)) == "Right."
        for signs in np.ndindex(2, 2, 2):  # whatever signs the machine's columns have
            row = (vectors * (1 - 2 * np.array(signs)))[-1]
            for share in ((row @ p.C @ t) ** 2 / (values[-1] * asked),
                          values[-1] * (row @ t) ** 2 / asked):  # fmt: skip
                assert said((kept, mix, share)).startswith("Not right. ")
        assert "as a column" in " ".join(hint for _, hint in exercise.hints(p))
        assert "no percentage" in said((100 * kept, 100 * mix, 100 * predicted))


def test_hints_on_a_stuck_network():
    for exercise, p, said in hinted("network-in-network", "stuck-at"):
        loss, numb = exercise.solve(p)
        from_one, dead = said((loss, numb + 1)), said((loss, p.shares.index(0)))
        assert "counted from zero" in from_one
        assert "may be dead" not in from_one
        assert "may be dead" in dead
        assert "counted from zero" not in dead


def test_hints_on_counting_a_block():
    for exercise, p, said in hinted("network-in-network", "count-a-block"):
        parameters, macs, ones = exercise.solve(p)
        a, b, c, d = p.widths
        area, inner = p.side**2, (p.side - p.k + 1) ** 2
        assert "at every pixel" in said((parameters, macs // area, ones // area))
        assert "not a third 1×1" in said(
            (a * b + b * c + c * d + b + c + d, (a * b + b * c + c * d) * area, ones)
        )
        assert "the MACs of both" in said((parameters, macs, c * d * area))
        assert "Padding keeps" in said((parameters, macs // area * inner, ones // area * inner))


def test_why_a_sentence_on_network_in_network_is_right():
    for exercise, p, said in hinted("network-in-network", "wrong-sentences"):
        wrong = exercise.solve(p)
        right = [k for k in range(6) if k not in wrong]
        for k in right:
            why = said((*wrong, k))
            assert f"Sentence {k} is right: " in why
            assert said({*wrong, k}) == why
        assert "not all" in said(wrong[:1])
        assert "not all" in said(wrong[1:])
        assert "counted from zero" in said([k + 1 for k in wrong])
        assert "the sentences that are right" in said(right)
        for _, hint in exercise.hints(p):
            assert not re.search(r"\b(two|three|four|2|3|4) (of|are|sentences|wrong)", hint)


@pytest.mark.parametrize("slug", ["network-in-network", "learned-mixing"])
def test_the_solution_gives_a_reason_for_every_wrong_sentence(slug):
    chapter = exercises.chapter(slug)
    number = chapter.number("wrong-sentences")
    for variant in variants(chapter):
        p = namespace(variant["wrong-sentences"])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            names = {"np": np, f"q{number}": p}
            exec(solutions(chapter)["wrong-sentences"], names)
        reasons = printed.getvalue().splitlines()
        wrong = chapter["wrong-sentences"].solve(p)
        assert names[chapter["wrong-sentences"].answer] == wrong
        assert [reason.split(":")[0] for reason in reasons] == [str(k) for k in wrong]
        assert all(len(reason) > 25 for reason in reasons)


# ------------------------------------------------------------------------------- the tricks


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None

    def __call__(self, *args):
        return self

    def __array__(self, *args, **kwargs):
        raise RuntimeError("never called")

    def __float__(self):
        raise RuntimeError("never called")

    __int__ = __index__ = __len__ = __iter__ = __bool__ = __repr__ = __float__
    shape, dtype, ndim = (), np.dtype(int), 0


class EqualToAllTypes(type):
    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Disguised(metaclass=EqualToAllTypes):
    __module__ = "numpy"

    def item(self):
        raise RuntimeError("never called")


class EqualInt(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class EqualArray(np.ndarray):
    def __eq__(self, other):
        return True

    __hash__ = None


class EqualText(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def array_of(thing):
    array = np.empty(1, dtype=object)
    array[0] = thing
    return array


def tricks():
    nested = []
    for _ in range(100):
        nested = [nested]
    loop = []
    loop.append(loop)
    yield from (AlwaysEqual(), AlwaysEqual, Disguised(), EqualInt(3), EqualText("x"), object())
    yield from (np.zeros((2, 2)).view(EqualArray), np.ma.masked_all(3), np.zeros((), dtype=object))
    yield from (
        array_of(AlwaysEqual()),
        np.zeros(3, dtype="M8[s]"),
        np.zeros(1, dtype=[("a", int)]),
    )
    yield from (
        np.zeros((4000, 400)),
        np.broadcast_to(1, (10**6, 10**6)),
        list(range(10**6)),
        nested,
    )
    yield from (
        loop,
        {"a": 1},
        {98, 99},
        {1, "2"},
        (k for k in range(3)),
        b"bytes",
        1j,
        "text",
        "\ud800",
        math_nan,
    )
    yield from (
        [AlwaysEqual()] * 3,
        (AlwaysEqual(),) * 2,
        [[], []],
        (),
        [],
        "",
        10**5000,
        np.longdouble(1),
    )
    yield from (NotImplemented, Exception("x"), sys, range(3), memoryview(b"x"), lambda: 0)


math_nan = float("nan")


def test_only_the_very_types_are_read():
    for disguised in (EqualInt(3), EqualText("x"), np.zeros((2, 2)).view(EqualArray), Disguised()):
        assert plain(disguised)["type"] == "object"
    assert plain(np.ma.masked_all(3)) == {"type": "object", "class": "numpy.ma.MaskedArray"}
    for value in (True, 3, 2.5, float("-inf"), "é", None, ..., (1, [2.0, "x"]), np.float32(0.1)):
        again = exercises.unplain(json.loads(json.dumps(plain(value))))
        assert type(again) is type(value)
        assert again == value
    for array in (np.arange(6).reshape(2, 3), np.zeros((0, 3)), np.array(2.5, np.float16)):
        again = exercises.unplain(json.loads(json.dumps(plain(array))))
        assert (again.dtype, again.shape) == (array.dtype, array.shape)
        assert (again == array).all()
    for shape in ([-1], [3], [True], [1.0], "1", [1] * 33):
        with pytest.raises(ValueError, match="not the record"):
            exercises.unplain({"type": "ndarray", "dtype": "int64", "shape": shape, "data": [1]})


def test_sets_of_whole_numbers_are_read_and_no_others():
    for value in ({3, 1}, frozenset([np.int64(3), 1]), {1, np.uint8(3)}):
        written = plain(value)
        assert written == {"type": "set", "data": [1, 3]}
        assert exercises.unplain(json.loads(json.dumps(written))) == {1, 3}
    assert exercises.unplain(plain(set())) == frozenset()
    for value in ({True}, {1.0}, {"a"}, {None}, {EqualInt(3)}, {(1, 2)}, {...}, set(range(10**4))):
        assert plain(value)["type"] == "object"
    assert plain([{1}, {"a"}])["data"][1] == {"type": "object", "class": "builtins.set"}
    for data in (None, 3, ["1"], [1.0], [True], [[1]], {"a": 1}):
        with pytest.raises(ValueError, match="not the record"):
            exercises.unplain({"type": "set", "data": data})


UNORDERED = [(c, e) for c, e in ALL if e.kind == "value" and e.unordered]


@pytest.mark.parametrize(("chapter", "exercise"), UNORDERED, ids=[c.slug for c, _ in UNORDERED])
def test_numbers_in_any_order_and_in_a_set(chapter, exercise):
    for variant in variants(chapter)[:40]:
        params = variant[exercise.name]
        right = exercise.solve(namespace(params))
        assert right == tuple(sorted(set(right)))
        back = right[::-1]
        for answer in (back, list(back), np.array(back), set(right), frozenset(right),
                       [np.int64(k) for k in back], [float(k) for k in back]):  # fmt: skip
            assert judged(exercise, params, answer).status == "right", answer
        for answer in (right[1:], set(right[1:]), (*right, right[0]), {*right, 99}, set(), 3, {0.5},
                       (*right, None), (*right, "1"), (*right, True), (*right, math_nan),
                       [right], np.array([right]), {str(k) for k in right}):  # fmt: skip
            verdict = judged(exercise, params, answer)
            assert verdict.status == "wrong", answer
            # Nothing in the words says how many there are.
            assert not re.search(r"entries are right|are asked for \(|\d+ (values|are)|entry \d",
                                 verdict.message)  # fmt: skip


@each("value")
def test_tricks_are_no_answers(chapter, exercise):
    params = variants(chapter)[2][exercise.name]
    right = exercise.solve(namespace(params))
    size = len(right) if isinstance(right, tuple) else 1
    for trick in (*tricks(), [AlwaysEqual()] * size, (EqualInt(0),) * size):
        verdict = judged(exercise, params, trick)
        assert verdict.status == "wrong", type(trick)
        assert verdict.score == 0
        assert len(verdict.message) < 400
    assert "AlwaysEqual" in judged(exercise, params, AlwaysEqual()).message


@each("value")
def test_a_list_for_an_array_and_the_wrong_dtype_are_named(chapter, exercise):
    params = variants(chapter)[3][exercise.name]
    right = exercise.solve(namespace(params))
    if isinstance(right, np.ndarray):
        assert "a list, not an array" in judged(exercise, params, right.tolist()).message
        assert "dtype" in judged(exercise, params, right.astype(object)).message
        assert "dtype" in judged(exercise, params, right.astype(bool)).message
        assert "dtype" in judged(exercise, params, right.astype(str)).message
        assert "NaN" in judged(exercise, params, right * np.nan).message
    elif isinstance(right, int):
        assert "text" in judged(exercise, params, str(right)).message


@each("function")
def test_functions_that_return_tricks(chapter, exercise):
    params = variants(chapter)[2][exercise.name]
    trials = exercise.trials(params, "tests")
    for trick in tricks():
        verdict = judged(exercise, params, lambda *args, trick=trick: trick, trials)
        assert (verdict.status, verdict.score) == ("wrong", 0), type(trick)
        if not callable(trick):
            assert judged(exercise, params, trick, trials).status == "wrong", type(trick)


@each("value", "function")
def test_nothing_is_no_attempt(chapter, exercise):
    params = variants(chapter)[0][exercise.name]
    for answer in (None, ...):
        assert judged(exercise, params, answer) == core.NOT_ATTEMPTED
    if exercise.kind == "function":

        def stub(*args):
            raise NotImplementedError

        for function in (stub, lambda *args: None, lambda *args: ...):
            assert judged(exercise, params, function) == core.NOT_ATTEMPTED


@each("value", "function", "text")
def test_outcomes_that_are_none(chapter, exercise):
    """What comes out of a sandbox may be anything."""
    params = variants(chapter)[0][exercise.name]
    garbage = [
        None, 1, "x", [], {}, {"type": "int"}, {"type": "int", "data": "3"}, {"type": "list"},
        {"type": "ndarray", "dtype": "O", "shape": [1], "data": [1]},
        {"type": "ndarray", "dtype": "int64", "shape": [-1], "data": [1]},
        {"type": "ndarray", "dtype": "int64", "shape": [10**9, 10**9], "data": [1]},
        {"type": "ndarray", "dtype": "float64", "shape": [1], "data": ["x"]},
        {"type": "numpy", "dtype": "int8", "data": 1000}, {"type": "float", "data": 10**400},
        {"type": "too large", "shape": "x"}, {"type": "object", "class": 3},
    ]  # fmt: skip
    for junk in garbage:
        for outcome in (
            {"kind": "value", "value": junk},
            {"kind": "function", "results": junk},
            {"kind": "function", "results": [junk] * 4},
            {"kind": "function", "results": [{"value": junk, "changed": junk}] * 5},
            {"kind": "text", "text": junk},
            {"kind": junk},
        ):
            verdict = exercise.judge(params, outcome)
            assert verdict.status in ("wrong", "not attempted", "manual")
            assert verdict.score == 0


@each("text")
def test_words_are_for_a_person(chapter, exercise):
    params = variants(chapter)[0][exercise.name]
    for text in ("", "  \n", core.TEXT_STUB, f"\n{core.TEXT_STUB}\n"):
        assert exercise.judge(params, {"kind": "text", "text": text}) == core.NOT_ATTEMPTED
    assert exercise.judge(params, {"kind": "text", "text": "It sums."}).status == "manual"
    for variant in variants(chapter):
        assert len(exercise.model(namespace(variant[exercise.name]))) > 150


# ------------------------------------------------------------------------ borrowed kernels


@each("function")
def test_calling_the_reference_is_refused(chapter, exercise):
    """In the source of the submission, or hidden from it."""
    name = exercise.answer
    for cells in (
        [f"from pointwise import conv2d\ndef {name}(*a):\n    return conv2d(*a)"],
        [f"from pointwise.conv import conv1x1 as c\ndef {name}(*a):\n    return c(*a)"],
        [f"import pointwise as pw\ndef {name}(*a):\n    return pw.conv2d_loops(*a)"],
        ["import pointwise", "k = pointwise.conv2d", f"def {name}(*a):\n    return k(*a)"],
        [
            "import torch",
            "%timeit 1",
            f"def h(x):\n    return torch.relu(x)\n{name} = lambda *a: h(a)",
        ],
        [f"def {name}(*a):\n    from scipy.signal import correlate2d\n    return correlate2d(*a)"],
        [f"def {name}(*a):\n    import torch.nn.functional as F\n    return F.conv2d(*a)"],
        [f"from pointwise.exercises.core import chapter\ndef {name}(*a):\n    return chapter('x')"],
        ["import functools, pointwise", f"{name} = functools.partial(pointwise.conv2d, stride=2)"],
        [f"def {name}(*a):\n    return sheet._chapter['x'].solve(*a)"],
    ):
        params = variants(chapter)[0][exercise.name]
        trials = exercise.trials(params, "tests")
        right = [{"value": plain(exercise.solve(namespace(params), *a)), "changed": False}
                 for a, _ in trials]  # fmt: skip
        outcome = probe.with_source({"kind": "function", "results": right}, cells)
        verdict = exercise.judge(params, outcome, trials)
        assert verdict.status == "wrong", cells
        assert "write it yourself" in verdict.message
        honest = probe.with_source(outcome, [f"import pointwise\ndef {name}(x): return x @ x"])
        assert exercise.judge(params, honest, trials).status == "right"


def test_what_is_not_borrowed():
    for cells in (
        ["from pointwise import conv2d", "def f(x):\n    return x @ x", "conv2d(1)"],
        ["def conv2d(x):\n    return x", "def f(x):\n    return conv2d(x)"],
        ["from pointwise.exercises import begin", "sheet = begin('a')", "q1 = sheet.show('b')",
         "def f(x):\n    return x * q1.stride"],
        ["this is no Python", "def f(x):\n    return x"],
        ["\0"], [], None, 3, [None], ["(" * 10_000],
    ):  # fmt: skip
        assert core.borrowed_names(cells, "f", core.KERNELS) == set()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("function", "check"),
    [
        ("def f(x, w, dy):\n    dw = dy @ x\n    dx = dy @ w\n    return dw + dx",
         "dx, dw, db = conv1x1_backward(x, w, dy)"),
        ("def f(x):\n    return x * 2", "x = torch.tensor([1.0])"),
        ("def f(x, *h, **k):\n    return x * 2, h, k", "h, k = conv2d(1), torch.tensor(1)"),
        ("def f(x):\n    h = np.maximum(x, 0)\n    return h @ h", "h = np.maximum(conv1x1(x), 0)"),
        ("def f(x):\n    for h in x:\n        pass\n    return h", "h = conv2d(1)"),
        ("def f(x):\n    with x as h:\n        return h", "h = conv2d(1)"),
        ("def f(x):\n    return (h := x) + h", "h = conv2d(1)"),
        ("def f(x):\n    return [h + 1 for h in x], {k: h for k, h in x}", "k = h = conv2d(1)"),
        ("def f(x):\n    def h(y):\n        return y\n    return h(x)", "h = conv2d"),
        ("def f(x):\n    h = 1\n    def g(y):\n        nonlocal h\n        h += y\n    return g(x)",
         "h = conv2d(1)"),
        ("def f(x):\n    try:\n        x()\n    except OSError as h:\n        raise h",
         "h = torch"),
        ("def f(x):\n    h, (k, *l) = x\n    h += 1\n    return h, k, l", "h = k = l = conv2d(1)"),
        ("def f(x):\n    import math as h\n    return h.pi * x", "h = conv2d"),
        ("f = lambda h: h + 1", "h = conv2d(1)"),
        ("def g(h):\n    return h\ndef f(x):\n    return g(x)", "h = torch.tensor(1)"),
    ],
)  # fmt: skip
def test_a_name_of_the_functions_own_is_not_the_one_of_another_cell(function, check, first):
    """A learner checks the function against the book's: that is what the book asks for."""
    imports = "import torch\nfrom pointwise import conv1x1, conv1x1_backward, conv2d"
    cells = [imports, check, function] if first else [imports, function, check]
    assert core.borrowed_names(cells, "f", core.KERNELS) == set()


@pytest.mark.parametrize(
    "cells",
    [
        ["h = conv1x1", "def f(x):\n    return h(x)"],
        ["def f(x):\n    return h(x)", "h = conv1x1"],
        ["def f(x, h=conv1x1):\n    return h(x)"],
        ["def f(x, *, h=conv1x1):\n    return h(x)"],
        ["def f(x):\n    def g(y, h=conv1x1):\n        return h(y)\n    return g(x)"],
        ["def f(x):\n    h = conv1x1\n    return h(x)"],
        ["h = conv1x1", "def f(x):\n    g = h\n    return g(x)"],
        ["h = conv1x1", "def f(x):\n    global h\n    h = h\n    return h(x)"],
        ["h = conv1x1", "def f(x):\n    def g(h):\n        return h\n    return g(h(x))"],
        ["h = conv1x1", "def f(x):\n    def g():\n        return h(x)\n    return g()"],
        ["h = conv1x1", "def f(x):\n    y = [h for h in x]\n    return h(y)"],
        ["h = conv1x1", "def f(x):\n    return [h(a) for a in x]"],
        ["h = conv1x1", "def f(x):\n    for a in [h]:\n        return a(x)"],
        ["h = conv1x1", "f = lambda x: (lambda a: a(x))(h)"],
        ["h = conv1x1", "class f:\n    h = h\n    def __new__(cls, x):\n        return cls.h(x)"],
        ["h = conv1x1", "class A:\n    def g(self, x):\n        return h(x)", "f = A().g"],
        ["@conv1x1\ndef f(x):\n    return x"],
        ["h = {}", "h['a'] = conv1x1", "def f(x):\n    return h['a'](x)"],
    ],
)
def test_what_a_function_does_take_from_another_cell_is_refused(cells):
    cells = ["from pointwise import conv1x1", *cells]
    assert core.borrowed_names(cells, "f", core.KERNELS) == {"conv1x1"}


def test_a_deep_expression_is_followed_name_by_name():
    """Where the compiler gives up, any name counts."""
    node = ast.parse("def f(x):\n    return h(x)").body[0]
    node.body[0].value.func.id = "not a name("  # cannot be written back as Python
    assert core._globals_of(node) == {"not a name(", "x"}


def test_the_kernels_are_switched_off_under_every_name(monkeypatch):
    torch = pytest.importorskip("torch")
    import pointwise
    from pointwise import conv1x1 as alias

    x, w = np.ones((1, 2, 3, 3)), np.ones((1, 2))
    tx, tw = torch.ones(1, 2, 3, 3), torch.ones(1, 2, 1, 1)
    calls = [
        lambda: alias(x, w),
        lambda: getattr(pointwise, "con" + "v2d")(x, w[:, :, None, None]),
        lambda: pointwise.conv.depthwise_conv2d(x, np.ones((2, 1, 1, 1))),
        lambda: torch.nn.functional.conv2d(tx, tw),
        lambda: torch.nn.Conv2d(2, 1, 1)(tx),
        lambda: torch.nn.Linear(3, 1)(tx),
    ]
    for call in calls:
        found = probe.call(call, [((), {})])
        assert "to be solved without" in found["results"][0]["error"]
        call()  # and on again afterwards


# -------------------------------------------------------------------- answers of other seeds


@each_chapter
def test_the_answers_of_one_seed_fail_on_another(chapter):
    """Every answer of one class, handed in by the next: what is still earned, on average."""
    automatic = [e for e in chapter.exercises if e.kind != "text"]
    total = sum(e.points for e in automatic)
    shares = []
    for k in range(40):
        mine, other = variants(chapter)[k], variants(chapter)[k + 1]
        earned = 0
        for exercise in automatic:
            params = other[exercise.name]
            trials = None
            if exercise.kind == "function":
                trials = exercise.trials(params, seed(k + 1), chapter.slug)
            answer = solved(chapter, exercise, mine[exercise.name])
            earned += exercise.points * judged(exercise, params, answer, trials).score
        shares.append(earned / total)
    print(f"{chapter.slug}: {np.mean(shares):.2f} on average, {max(shares):.2f} at most")
    assert np.mean(shares) <= BORROWED
    assert max(shares) < 0.6


# --------------------------------------------------------------------------------- the dice


def test_throws_are_the_same_for_ever():
    dice = exercises.Dice("a", b"b")
    assert [dice.integer(0, 99) for _ in range(8)] == [3, 14, 48, 12, 15, 19, 27, 73]
    assert exercises.Dice("ab").integer(0, 10**9) != exercises.Dice("a", "b").integer(0, 10**9)


def test_throws_are_even():
    dice = exercises.Dice("even")
    counts = np.bincount([dice.integer(0, 5) for _ in range(6000)], minlength=6)
    assert counts.min() > 850
    assert sorted(dice.sample(range(5), 5)) == list(range(5))
    assert {dice.choice("ab") for _ in range(50)} == {"a", "b"}
    assert {dice.coin() for _ in range(50)} == {True, False}
    assert 0 not in np.ravel(dice.nonzero(3, 9, 9))
    assert dice.array(0, 9, 2, 3).shape == (2, 3)
    with pytest.raises(ValueError, match="no integer from 2 to 1"):
        dice.integer(2, 1)


def test_the_seed_is_an_hmac():
    found = exercises.derive_seed(b"0123456789abcdef", "channels", "2026", "ann")
    command = "printf channels/2026/ann | openssl dgst -sha256 -hmac 0123456789abcdef -r"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no openssl")
    assert done.stdout.split()[0] == found.hex()
    assert found != exercises.derive_seed(b"0123456789abcdef", "channels", "2026")


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a b", "-a", "a\n", None, "é", "a" * 81])
def test_names_that_could_be_paths_are_refused(name):
    with pytest.raises(ValueError, match="letter"):
        exercises.derive_seed(SECRET, "channels", name)


def test_secrets(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(b" 0123456789abcdef0123\n")
    assert exercises.read_secret({"SECRET_FILE": str(file)}) == b"0123456789abcdef0123"
    assert exercises.read_secret({"ASSIGNMENT_SECRET": "0123456789abcdef"}) == b"0123456789abcdef"
    for environ, words in [
        ({}, "needs the class's secret"),
        ({"SECRET_FILE": "", "ASSIGNMENT_SECRET": ""}, "needs the class's secret"),
        ({"ASSIGNMENT_SECRET": "0123456789abcde"}, "15 bytes; at least 16"),
        ({"ASSIGNMENT_SECRET": "ab" * 20}, "2 different characters"),
        ({"SECRET_FILE": str(tmp_path / "none")}, "cannot be read"),
        ({"SECRET_FILE": str(tmp_path)}, "cannot be read"),
    ]:
        with pytest.raises(ValueError, match=words):
            exercises.read_secret(environ)


def test_a_variant_travels_as_one_word():
    variant = CHAPTERS[0].variant()
    text = exercises.pack(variant)
    assert exercises.unpack(text) == variant
    packed = [seeds.zlib.compress(data) for data in (b"[" * 10**6, b'{"a": "%b"}' % (b"x" * 10**6))]
    deep, bomb = (seeds.base64.urlsafe_b64encode(data).decode() for data in packed)
    for damaged in (text[:-9], text[5:], "", "x", "é", None, 3, deep, bomb, exercises.pack([1])):
        with pytest.raises(ValueError, match="damaged"):
            exercises.unpack(damaged)


# ------------------------------------------------------------------------ in the notebook


@each_chapter
def test_a_sheet_says_what_it_thinks(chapter, capsys):
    opened = exercises.begin(chapter.slug)
    exercise = next(e for e in chapter.exercises if e.kind == "value")
    q = opened.show(exercise.name)
    assert f"{chapter.points} points" in repr(opened)
    capsys.readouterr()
    for answer in (None, *tricks()):
        assert opened.check(exercise.name, answer) is None
    said = capsys.readouterr().out
    assert said.startswith("Not attempted yet.\n")
    opened.check(exercise.name, exercise.solve(q))
    opened.summary()
    said = capsys.readouterr().out
    assert said.startswith("Right.\n")
    assert f"\n{exercise.points} of " in said
    with pytest.raises(ValueError, match="has no exercise 'x'"):
        opened.check("x", 1)


def test_a_right_value_is_repeated_and_a_wrong_one_is_not(capsys):
    opened = exercises.begin("channels")
    opened.check("output-size", [np.int64(12), 8.0])
    assert capsys.readouterr().out == "Right.\n[12, 8]\n"
    opened.check("output-size", (13, 8))
    assert "13" not in capsys.readouterr().out
    q = core.namespace(opened._variant["one-part"])
    opened.check("one-part", core.chapter("channels")["one-part"].solve(q))
    assert capsys.readouterr().out.startswith("Right.\npart[0]\n ")  # a grid for each channel


def test_an_answer_in_words():
    words = (np.float32(0.1), -0.0, True, "ReLU", np.array([[1.5, 2]]), [], (3,), frozenset({2, 1}))
    said = readable(exercises.unplain(plain(words)))
    assert said == "(0.1, 0, True, 'ReLU', [[1.5, 2]], [], (3,), {1, 2})"
    assert readable(exercises.unplain(plain([None, ..., object(), float("nan")]))) == (
        "[None, Ellipsis, <object of class builtins.object>, nan]"
    )


def test_points_when_nbgrader_counts(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    chapter = CHAPTERS[0]
    opened = exercises.begin(chapter.slug)
    exercise = next(e for e in chapter.exercises if e.kind == "value")
    right = exercise.solve(namespace(chapter.variant()[exercise.name]))
    assert opened.check(exercise.name, None) == 0
    assert opened.check(exercise.name, right) == exercise.points


def test_unknown_chapters_and_strange_variants():
    with pytest.raises(ValueError, match="there are no exercises for 'x'; there are for channels"):
        exercises.begin("x")
    with pytest.raises(ValueError, match="another version"):
        exercises.begin(CHAPTERS[0].slug, exercises.pack({}))


def test_a_learners_function_that_never_returns(monkeypatch):
    monkeypatch.setattr(probe, "SECONDS", 0.2)

    def slow():
        while True:
            pass

    found = probe.call(slow, [((), {}), ((), {})])
    assert all(r["error"].startswith("TimeoutError") for r in found["results"])


def test_a_function_that_changes_its_input_is_noticed():
    def spoils(x):
        x += 1
        return x

    x = np.zeros(2)
    assert probe.call(spoils, [((x,), {})])["results"][0]["changed"] is True
    assert (x == 0).all()


@pytest.mark.parametrize(
    "outputs",
    [[], [None], [{}], [{"data": []}], [{"data": {probe.MIME: None}}],
     [{"data": {probe.MIME: {"kind": "value"}}}], [{"data": {probe.MIME: "{"}}],
     [{"data": {probe.MIME: {"kind": "value", "value": {"x": "y" * 9_000_000}}}}],
     [{"data": {probe.MIME: "x" * 9_000_000}}]],
)  # fmt: skip
def test_reports_that_are_none(outputs):
    """Then something broke: that is for a person, and never a silent nothing."""
    outcome = probe.read(outputs)
    assert outcome["kind"] == "lost"
    verdict = CHAPTERS[0].exercises[0].judge(CHAPTERS[0].variant()["one-number"], outcome)
    assert verdict == core.Verdict("manual", 0.0, core.UNREADABLE)


def test_examples_in_docstrings():
    for module in (core, plain.__globals__, seeds, sheet, probe):
        module = sys.modules["pointwise.exercises.plain"] if isinstance(module, dict) else module
        assert doctest.testmod(module).failed == 0


def test_numpy_alone_is_imported():
    program = (
        "import sys; sys.modules.update(torch=None, matplotlib=None, skimage=None, IPython=None);"
        "from pointwise import exercises; exercises.begin('channels').show('one-number')"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0
