"""The sheet of fresh problems: the same seed gives the same sheet, and the answers are right."""

import re

import numpy as np
import pytest

from pointwise.problems import draw_problems

SEEDS = range(100)


def whole(text):
    return [int(n) for n in re.findall(r"-?\d+", text.replace(",", "").replace("−", "-"))]


def problem(seed, k):
    return draw_problems(seed).problems[k]


def test_a_seed_gives_one_sheet_and_another_seed_another():
    assert draw_problems(3).problems == draw_problems(3).problems
    assert len({tuple(draw_problems(seed).problems) for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answers_by_plain_arithmetic(seed):
    questions, answers = zip(*draw_problems(seed).problems, strict=True)

    *x, w0, w1, b = whole(questions[0].replace("1×1", ""))
    assert whole(answers[0]) == [w0 * p + w1 * q + b for p, q in zip(x[:4], x[4:], strict=True)]

    numbers = whole(questions[1].replace("1×1", ""))
    pixel, w = np.array(numbers[:3]), np.array(numbers[3:]).reshape(2, 3)
    assert whole(answers[1]) == (w @ pixel).tolist()

    pairs = whole(questions[2].replace("1×1", ""))
    w, b = whole(answers[2])
    assert [w * x + b for x in pairs[:3]] == pairs[3:]

    n, _, _, _, _, b, _ = whole(questions[3])
    side = n + 2
    assert whole(answers[3]) == [side**2, side, side, side**2 - n**2, b]

    n, _, f, _, s, p = whole(questions[4])
    assert whole(answers[4])[-1] == len(range(-p, n + p - f + 1, s))

    _, n, _, _, _, filters, s = whole(questions[5])
    assert whole(answers[5]) == [filters, len(range(0, n, s)), len(range(0, n, s))]

    _, _, c_in, c_out = whole(questions[6])
    assert whole(answers[6])[-1] == c_in * c_out + c_out

    k, _, c_in, c_out, n, _ = whole(questions[7])
    assert whole(answers[7])[-1] == n * n * c_out * k * k * c_in

    _, _, c_in, c_out, r = whole(questions[8])
    direct, through = 25 * c_in * c_out * 196, 196 * r * (c_in + 25 * c_out)
    assert answers[8].endswith(f"{direct / through:.2f}")

    _, _, c_in, c_out, _, _, r = whole(questions[9])
    assert r < c_in
    saves = c_in * r + 9 * r * c_out < 9 * c_in * c_out
    assert answers[9].startswith("Yes" if saves else "No")


def test_both_verdicts_come_up():
    assert {problem(seed, 9)[1].split(":")[0] for seed in SEEDS} == {"Yes", "No"}


def test_answers_stand_behind_folds_and_text_is_escaped():
    sheet = draw_problems(1)
    page = sheet._repr_html_()
    assert page.count("<details>") == page.count("</details>") == 10
    assert all(f"Answer: {answer}" in repr(sheet) for _, answer in sheet.problems)
    sheet.problems = [("is 1 < 2?", "yes & no")]
    assert "1 &lt; 2" in sheet._repr_html_()


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1", None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed must be a whole number"):
        draw_problems(seed)
