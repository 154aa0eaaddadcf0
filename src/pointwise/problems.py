"""Small problems to solve on paper, drawn from a seed and answered by the kernels and the costs."""

import html

import numpy as np

from pointwise import cost
from pointwise.conv import conv1x1, conv2d
from pointwise.cost import Conv
from pointwise.shapes import out_size


class Sheet:
    """Problems with their answers; a notebook shows each answer behind a fold."""

    def __init__(self, problems):
        self.problems = list(problems)  # (question, answer) pairs of strings

    def __repr__(self):
        return "\n".join(f"{k}. {q}\n   Answer: {a}" for k, (q, a) in enumerate(self.problems, 1))

    def _repr_html_(self):
        items = "".join(
            f"<li><p>{html.escape(q)}</p>"
            f"<details><summary>Answer</summary><p>{html.escape(a)}</p></details></li>"
            for q, a in self.problems
        )
        return f"<ol>{items}</ol>"


def draw_problems(seed):
    """Draw ten problems on 1×1 convolutions, shapes and costs.

    Parameters
    ----------
    seed : int
        The same seed gives the same ten problems.

    Returns
    -------
    Sheet

    Raises
    ------
    ValueError
        If the seed is not a whole number of at least 0.

    Examples
    --------
    >>> len(draw_problems(1).problems)
    10
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"the seed must be a whole number of at least 0, got {seed!r}")
    random = np.random.default_rng(seed)
    kinds = (
        one_filter, two_filters, hidden_layer, frame, output_side, output_shape, layer_parameters,
        direct_macs, reduced_ratio, does_it_save,
    )  # fmt: skip
    return Sheet(kind(random) for kind in kinds)


def one_filter(random):
    x = random.integers(0, 6, (1, 2, 2, 2))
    w = nonzero(random, (1, 2))
    b = random.integers(-2, 3, 1)
    y = conv1x1(x, w, b)[0, 0]
    return (
        f"Two channels, {x[0, 0].tolist()} and {x[0, 1].tolist()}, meet one 1×1 filter with the "
        f"weights {w[0].tolist()} and the bias {b[0]}. What is the output?",
        f"{y.tolist()}",
    )


def two_filters(random):
    pixel = random.integers(0, 6, 3)
    w = nonzero(random, (2, 3))
    y = conv1x1(pixel.reshape(1, 3, 1, 1), w).ravel()
    return (
        f"A pixel has the channels {pixel.tolist()}. A 1×1 layer has the matrix {w.tolist()} and "
        "no bias. Which two numbers come out?",
        f"{y.tolist()}",
    )


def hidden_layer(random):
    w, b = nonzero(random, (1, 1)), random.integers(-3, 4, 1)
    x = random.choice(9, size=3, replace=False).reshape(1, 1, 1, 3)
    y = conv1x1(x, w, b)
    return (
        f"A 1×1 layer on one channel turns {x.ravel().tolist()} into {y.ravel().tolist()}. "
        "What are its weight and its bias?",
        f"weight {w[0, 0]}, bias {b[0]}",
    )


def frame(random):
    side, b = int(random.integers(3, 8)), int(random.integers(1, 10))
    y = conv2d(np.ones((1, 1, side, side), int), [[[[2]]]], [b], padding=1)
    inner = int((y == 2 + b).sum())
    return (
        f"A {side}×{side} map of ones goes through a 1×1 layer with weight 2, bias {b} and, by "
        "mistake, padding 1. How many output numbers are there, and what stands in the frame?",
        f"{y.size} numbers ({side + 2}×{side + 2}); the {y.size - inner} in the frame are {b}, "
        f"the bias",
    )


def output_side(random):
    f, s, p = int(random.choice([3, 5])), int(random.choice([2, 3])), int(random.choice([0, 1]))
    n = int(random.integers(12, 40))
    while (n + 2 * p - f) % s == 0:  # only sizes where the floor matters
        n += 1
    return (
        f"A map of {n}×{n}, a {f}×{f} window, stride {s}, padding {p}. How long is a side of the "
        "output?",
        f"⌊({n} + {2 * p} − {f}) / {s}⌋ + 1 = {out_size(n, f, s, p)}",
    )


def output_shape(random):
    c_in, filters = (int(8 * v) for v in random.integers(2, 17, 2))
    n = int(random.integers(13, 30))
    s = int(random.choice([1, 2]))
    y = conv2d(np.zeros((1, c_in, n, n)), np.zeros((filters, c_in, 1, 1)), stride=s)
    return (
        f"{c_in} channels of {n}×{n} go through a 1×1 layer with {filters} filters, stride {s}, no "
        "padding. What is the output shape, without the batch axis?",
        f"{y.shape[1:]}",
    )


def layer_parameters(random):
    c_in, c_out = (int(16 * v) for v in random.integers(2, 9, 2))
    t = cost.table([Conv(c_in, c_out)], (c_in, 1, 1))
    return (
        f"A 1×1 layer from {c_in} to {c_out} channels, with biases. How many parameters?",
        f"{c_in}·{c_out} + {c_out} = {t.parameters:,}",
    )


def direct_macs(random):
    c_in, c_out = (int(v) for v in random.choice([8, 16, 32], 2))
    n, k = int(random.choice([7, 14])), int(random.choice([3, 5]))
    t = cost.table([Conv(c_in, c_out, k, padding="same")], (c_in, n, n))
    return (
        f"A {k}×{k} layer from {c_in} to {c_out} channels on a {n}×{n} map, same padding. How many "
        "multiply-accumulates?",
        f"{n}·{n}·{c_out}·{k}·{k}·{c_in} = {t.macs:,}",
    )


def reduced_ratio(random):
    c_in, c_out, r = int(64 * random.integers(2, 5)), int(32 * random.integers(1, 4)), 16
    direct = cost.table([Conv(c_in, c_out, 5, padding=2)], (c_in, 14, 14))
    through = cost.table([Conv(c_in, r), Conv(r, c_out, 5, padding=2)], (c_in, 14, 14))
    return (
        f"A 5×5 layer from {c_in} to {c_out} channels, same padding, against the same through {r} "
        "channels. By what factor do the MACs fall? (First cancel what both have in common.)",
        f"25·{c_in}·{c_out} / ({r}·({c_in} + 25·{c_out})) = {direct.macs / through.macs:.2f}",
    )


def does_it_save(random):
    while True:
        c_in, c_out = (int(32 * v) for v in random.integers(2, 9, 2))
        widest = cost.widest_saving(3, c_in, c_out)
        r = widest + int(random.choice([-6, -3, 3, 6]))
        if r < c_in:  # else it would be no reduction
            break
    verdict = "Yes" if r <= widest else "No"
    return (
        f"In front of a 3×3 layer from {c_in} to {c_out} channels you put a 1×1 reduction to {r} "
        "channels. Does it save weights?",
        f"{verdict}: break-even is at {float(cost.break_even(3, c_in, c_out)):.2f} channels",
    )


def nonzero(random, shape):
    """Draw whole numbers from −3 to 3 without 0."""
    return random.choice([-3, -2, -1, 1, 2, 3], size=shape)
