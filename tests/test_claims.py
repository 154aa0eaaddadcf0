"""The rule, the ledger, and the chapter: a changed constant changes a verdict."""

import ast
import contextlib
import copy
import io
import os
import re

import numpy as np
import pytest
from run_notebooks import ROOT, read

from pointwise import claims, plots
from pointwise.claims import LEDGER, OPEN, RIGHT, RIGHT_IF, WRONG, Trial, verdict

CHAPTER = ROOT / "chapters/claims/lesson.ipynb"
EVIDENCE = {"holds", "holds_with", "holds_without"}


# ---------------------------------------------------------------------------------- the rule


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        ({"holds": True}, RIGHT),
        ({"holds": False}, WRONG),
        ({"holds": np.bool_(True)}, RIGHT),
        ({"holds_with": True, "holds_without": True}, RIGHT),
        ({"holds_with": True, "holds_without": False}, RIGHT_IF),
        ({"holds_with": False, "holds_without": False}, WRONG),
    ],
)
def test_evidence_gives_the_verdict(evidence, word):
    assert verdict(**evidence) == word


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"holds_with": True},
        {"holds_without": True},
        {"holds": True, "holds_with": True, "holds_without": False},
        {"holds": True, "holds_without": False},
        {"holds": 1},
        {"holds": "right"},
        {"holds": np.array([True, True])},
        {"holds_with": True, "holds_without": 0.0},
    ],
)
def test_half_a_trial_is_none(evidence):
    with pytest.raises(TypeError):
        verdict(**evidence)


def test_a_condition_that_only_hurts_is_refused():
    with pytest.raises(ValueError, match="not its condition"):
        verdict(holds_with=False, holds_without=True)


# --------------------------------------------------------------------------------- the ledger


def test_the_ledger_holds_every_claim_once():
    numbers = [number for entry in LEDGER for number in entry.numbers]
    assert sorted(numbers) == list(range(1, 88))
    for entry in LEDGER:
        assert len(entry.sources) == len(entry.numbers), entry
        assert set(entry.sources) <= set(claims.SOURCES), entry
        assert entry.group in claims.GROUPS, entry
        assert entry.written_for in claims.MARKS, entry
        assert all(map(len, [entry.taught, entry.says.strip(), entry.why.strip()])), entry
        for place in entry.taught:
            assert place.partition("#")[0] in claims.CHAPTERS, entry
        # Codes of the collection that the claims come from are nobody's business here.
        assert not re.search(r"\b[AS]\d+\b|\|", entry.says + entry.why), entry


def test_sources_come_in_the_order_of_the_numbers():
    kinds = {number: source for number, source, *_ in Trial().claims()}
    assert {n for n, kind in kinds.items() if kind == claims.NOTES} == set(range(1, 12))
    assert {n for n, kind in kinds.items() if kind == claims.SLIDES} == set(range(12, 29))


# ---------------------------------------------------------------------------------- the trial


def test_a_trial_starts_with_nothing():
    trial = Trial()
    assert trial.untried() == list(range(1, 88))
    assert set(trial.totals().values()) == {0}
    assert trial.verdict_of(1) == "not tried"
    assert "not tried" in trial.table("history")._repr_markdown_()


def test_claims_that_say_the_same_are_decided_together():
    trial = Trial()
    trial.judge(55, holds=False, ones=6, layers=9, share=0.165)
    assert trial.verdict_of(1) == trial.verdict_of(55) == WRONG
    assert {1, 55}.isdisjoint(trial.untried())
    assert trial.totals()[WRONG] == 2


def test_another_verdict_is_not_explained_with_the_old_reason():
    trial = Trial()
    trial.judge(14, holds_with=True, holds_without=True)
    assert trial.surprises() == [14]
    text = trial.table("cost: saving")._repr_markdown_()
    row = next(line for line in text.splitlines() if "#claim-14" in line)
    assert "✓" in row
    assert 'written for "right if"' in row
    assert "break-even" not in row


def test_a_figure_that_the_reason_needs_is_asked_for():
    with pytest.raises(KeyError, match="limit"):
        Trial().judge(14, holds_with=True, holds_without=False)


def test_unknown_claims_and_groups():
    with pytest.raises(ValueError, match="no claim 88"):
        Trial().judge(88, holds=True)
    with pytest.raises(ValueError, match="no group 'shape'"):
        Trial().table("shape")


def test_routes_are_kept_apart():
    trial = Trial()
    trial.judge(24, holds=False, slip=26, true=4)
    trial.read(37, holds=True)
    trial.leave_open(48)
    assert [trial.ruling_of(n).how for n in (24, 37, 48)] == ["computed", "read", "not decided"]
    assert trial.verdict_of(48) == OPEN
    assert trial.by_route().rows[-1][-1] == "3"


def test_printed_beside_recomputed():
    rows = [("here", "weights, K", "463K", 497.5, ".1f")]
    assert claims.comparison(rows).rows == [["here", "weights, K", "463K", "497.5", "−6.9 %"]]


def test_board():
    marks = {"yes": "✓", "no": "✗"}
    drawing = plots.board({"all": [(str(n), "yes") for n in range(20)], "none": []}, marks)
    assert repr(drawing) == "<drawing: all: 20; none: 0>"
    assert drawing._repr_png_()
    with pytest.raises(ValueError, match="7 in 'all' is 'perhaps'"):
        plots.board({"all": [("7", "perhaps")]}, marks)
    with pytest.raises(ValueError, match="at most 4 kinds"):
        plots.board({}, dict.fromkeys("abcde", "x"))


# -------------------------------------------------------------------------------- the chapter


def trials_in(source):
    """The calls of a trial in a code cell: (method, number, keywords)."""
    for node in ast.walk(ast.parse(source)):
        method = getattr(getattr(node, "func", None), "attr", None)
        if method in ("judge", "read", "leave_open"):
            yield method, node.args[0].value, node.keywords


@pytest.fixture(scope="module")
def cells():
    return [cell for cell in read(CHAPTER).cells if cell.cell_type == "code"]


def test_no_verdict_is_typed(cells):
    """Evidence is an expression that reads something, not True or False."""
    tried = []
    for cell in cells:
        for method, number, keywords in trials_in(cell.source):
            tried.append(number)
            given = [keyword for keyword in keywords if keyword.arg in EVIDENCE]
            assert given or method == "leave_open", number
            for keyword in given:
                parts = list(ast.walk(keyword.value))
                assert any(isinstance(p, (ast.Compare, ast.Call, ast.Name)) for p in parts), number
                assert not any(isinstance(p, ast.Constant) and p.value is True for p in parts)
                assert not any(isinstance(p, ast.Constant) and p.value is False for p in parts)
    assert sorted(tried) == sorted(entry.numbers[0] for entry in LEDGER)


def test_folded_cells_say_which_claims_they_try(cells):
    for cell in cells:
        firsts = [number for _, number, _ in trials_in(cell.source)]
        if firsts and "hide-input" in cell.metadata.get("tags", []):
            said = cell.metadata["mystnb"]["code_prompt_show"]
            expected = {n for entry in LEDGER for n in entry.numbers if entry.numbers[0] in firsts}
            assert {int(n) for n in re.findall(r"\d+", said)} == expected


class Run:
    """The chapter, executed once; `again` executes a stretch of it with one place changed."""

    def __init__(self, sources):
        self.sources, self.before, names = sources, [], {}
        with contextlib.redirect_stdout(io.StringIO()):
            for source in sources:
                self.before.append(dict(names))
                exec(source, names)
        self.trial = names["trial"]
        self.place = {
            number: k for k, source in enumerate(sources) for _, number, _ in trials_in(source)
        }

    def again(self, number, old, new):
        """The verdict on a claim after a change in its cell or in the nearest cell before it."""
        last = self.place[number]
        start = next(k for k in range(last, -1, -1) if old in self.sources[k])
        assert self.sources[start].count(old) == 1, (number, old)
        names = dict(self.before[start])
        names["trial"] = names.get("trial") and copy.deepcopy(names["trial"])
        names["rng"] = copy.deepcopy(names.get("rng"))
        with contextlib.redirect_stdout(io.StringIO()):
            for k in range(start, last + 1):
                source = self.sources[k]
                exec(source.replace(old, new) if k == start else source, names)
        return names["trial"].verdict_of(number)


@pytest.fixture(scope="module")
def run(cells):
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return Run([cell.source for cell in cells])


def test_the_chapter_decides_every_claim_as_its_text_says(run):
    assert run.trial.untried() == []
    assert run.trial.surprises() == []
    assert sum(run.trial.totals().values()) == 87


PLANTED = [
    (2, "+ b[o] for", "+ b[o] + 1 for", WRONG),
    (4, "conv1x1(spoiled, w)", "conv2d(spoiled, np.ones((5, 8, 3, 3)), padding=1)", WRONG),
    (5, "nn.Linear(32 * 36, 5 * 36)", "nn.Linear(32 * 1, 5 * 1)", RIGHT),
    (6, "in (1, 64)", "in (1, 1)", RIGHT),
    (7, "[(1, 0), (2, 0), (1, 1)]", "[(1, 0), (1, 0), (1, 0)]", RIGHT),
    (9, 'modules["5b"], modules["3b"]', 'modules["4e"], modules["4a"]', RIGHT),
    (10, "pair(4, 256, 64, 256, side=28)", "pair(4, 256, 250, 256, side=28)", WRONG),
    (11, "= 0, np.nan", "= 0, 1", RIGHT),
    (12, "1992", "2015", RIGHT),
    (13, "nn.Conv2d(256, 1, 1)", "nn.Conv2d(1, 1, 1)", RIGHT),
    (14, "holds_without=extra(250)", "holds_without=extra(240)", RIGHT),
    (17, "                   for k in (5, 1)", "                   for k in (3, 1)", WRONG),
    (20, "112.9", "112.8", WRONG),
    (23, "for s in range(1, 8)", "for s in range(1, 2)", RIGHT),
    (24, "holds=rule(28, 3, 1)", "holds=rule(6, 3, 1)", RIGHT),
    (25, "holds_without=three_rows(20)", "holds_without=three_rows(8)", RIGHT),
    (28, "rule(27, 1, 2) == layer(27, 2)", "rule(28, 1, 2) == layer(28, 2)", RIGHT),
    (33, "images.BT601", "np.full((1, 3), 1 / 3)", RIGHT),
    (35, "holds_without=padded(1)", "holds_without=padded(0)", RIGHT),
    (38, "[architectures.inception(w)]", "[Conv(w.c_in, 8, stride=2)]", WRONG),
    (59, "conv3_1/project", "conv2_1/project", RIGHT),
    (39, "[w.r5x5 for", "[w.r5x5 // w.r5x5 for", RIGHT),
    (41, '"Network in Network": 2013', '"Network in Network": 2015', RIGHT),
    (43, "side=8, padding=0", "side=56, padding=0", RIGHT),
    (45, "side=14, padding=0", 'side=14, padding="same"', RIGHT),
    (46, "== 64 * 265", "== 64 * 256", RIGHT),
    (47, "round(256 / 17, 1)", "round(63 / 17, 1)", RIGHT),
    (49, "nn.Conv2d(k, m, 5)", "nn.Conv2d(k, m, 5, groups=k)", WRONG),
    (50, "w3[[o]]", "w3[[0]]", WRONG),
    (58, "pair(5, 192, 160, 32", "pair(5, 192, 16, 32", RIGHT),
    (65, "images.SEPIA", "np.eye(3)", RIGHT),
    (69, "holds_without=channels_out(5, 3)", "holds_without=channels_out(2, 3)", RIGHT),
    (70, "(3, 250, 250))\nbare", "(3, 500, 500))\nbare", WRONG),
    (72, "side = 250", "side = 1000", WRONG),
    (73, "side = 250", "side = 1000", RIGHT),
    (76, "Conv(4096, 2048, 3, padding=1)", "Conv(4096, 2048)", RIGHT),
    (79, "nn.Conv2d(c, 1, v)", "nn.Conv2d(c, 2, v)", WRONG),
    (80, "range(4000)", "range(4)", WRONG),
    (81, "[[1.5, -0.8]]", "[[1.5, 0.0]]", RIGHT),
    (82, "== (3, 6)", "== (3, 5)", WRONG),
    (85, "np.linspace(-2, 2, 10)", "np.linspace(0.5, 2, 10)", RIGHT),
    (86, 'if name != "GoogLeNet"', 'if name != "ResNet-50"', RIGHT),
    (87, "conv1x1(deep_x, down @ up)", "conv1x1(deep_x, up.T @ up)", WRONG),
]


@pytest.mark.parametrize(("number", "old", "new", "word"), PLANTED, ids=lambda v: str(v)[:30])
def test_a_changed_constant_changes_the_verdict(run, number, old, new, word):
    assert run.trial.verdict_of(number) != word
    try:
        found = run.again(number, old, new)
    except KeyError as error:
        pytest.fail(f"the cell cannot show another verdict: {error}")
    assert found == word
