"""Exercises for "The channel collapse"."""

import numpy as np

from pointwise.conv import conv1x1
from pointwise.exercises.channels import rows
from pointwise.exercises.core import Chapter, Function, Text, Value


class OnePixel(Value):
    name = "one-pixel"
    title = "One pixel, many filters"
    points, minutes = 2, 5
    tests = "a 1×1 convolution by hand: one dot product for each filter, and its bias"
    objectives = (0,)
    text = """A 1×1 layer has the matrix `q.w`, one row for each filter, and the bias `q.b`.
What does it make of a pixel with the channels `q.pixel`? Work it out on paper."""
    answer, form = "new_pixel", "(…, …), one number for each filter"
    effort_range = (6, 12)

    def draw(self, dice):
        filters, channels = dice.choice([(2, 3), (2, 4), (3, 3), (2, 5), (3, 4), (2, 6)])
        bias = dice.nonzero(5, filters) if dice.coin() else [0] * filters
        return {
            "pixel": dice.array(0, 6, channels),
            "w": rows(dice.nonzero(4, filters, channels)),
            "b": rows(bias),
        }

    def effort(self, p):
        return p.w.size

    def grids(self, p):
        return [("q.w", p.w), ("q.pixel", p.pixel[:, None]), ("q.b", p.b[:, None])]

    def solve(self, p):
        return tuple((p.w @ p.pixel + p.b).tolist())

    def mistakes(self, p):
        dots = p.w @ p.pixel
        found = {
            "That is one number for all filters: each filter gives its own.": int(
                (dots + p.b).sum()),
            "Nothing was summed: a filter's products collapse to one number.": tuple(
                (p.w[0] * p.pixel).tolist()),
            "That is the average over the channels; the sum is asked for.": tuple(
                (dots / p.pixel.size + p.b).tolist()),
        }  # fmt: skip
        if p.b.any():
            found["You forgot the bias."] = tuple(dots.tolist())
        if p.w.shape[0] == p.w.shape[1]:
            found["You swapped C_in and C_out: a filter is a row of the matrix."] = tuple(
                (p.w.T @ p.pixel + p.b).tolist()
            )
        return found


class Costs(Value):
    name = "costs"
    title = "What a layer costs"
    points, minutes = 3, 5
    tests = "output shape, parameters and multiply-accumulates of a 1×1 layer"
    objectives = (0,)
    text = """Give three numbers: how many numbers the layer's output holds, how many parameters
the layer has, and how many multiply-accumulates (MACs) it takes. Adding the bias counts
nothing."""
    answer, form = "costs", "(numbers in the output, parameters, MACs)"
    parts = True

    def draw(self, dice):
        c_in, c_out = dice.sample([16, 24, 32, 48, 64, 96, 128, 192], 2)
        return {
            "c_in": c_in, "c_out": c_out, "side": 2 * dice.integer(4, 14), "bias": dice.coin(),
            "stride": dice.choice([1, 2]), "last": dice.coin(),
        }  # fmt: skip

    def prompt(self, p):
        shape = (p.side, p.side, p.c_in) if p.last else (p.c_in, p.side, p.side)
        order = "(H, W, C)" if p.last else "(C, H, W)"
        bias = "a bias for each filter" if p.bias else "no bias"
        return (
            f"One image of shape {shape}, axes {order}, goes through a 1×1 layer with {p.c_out} "
            f"filters, {bias}, stride {p.stride}, no padding."
        )

    def costs(self, p, side=None, filters=None, bias=None, macs=1):
        side = p.side // p.stride if side is None else side
        bias = p.bias if bias is None else bias
        weights, positions = p.c_in * p.c_out, side * side
        out = positions * (filters or p.c_out)
        return (out, weights + (p.c_out if bias else 0), macs * weights * positions)

    def solve(self, p):
        return self.costs(p)

    def sound(self, params):
        return params["side"] not in (params["c_in"], params["c_out"]) and super().sound(params)

    def mistakes(self, p):
        out, parameters, macs = self.costs(p)
        found = {
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": self.costs(
                p, macs=2),
            "The output has a channel for each filter, not for each input channel.": self.costs(
                p, filters=p.c_in),
            "You took a spatial axis for the channel axis.": (
                out, p.side * p.c_out + (p.c_out if p.bias else 0),
                macs // p.c_in * p.side),
            "You counted the weights once for every position: they are shared.": (
                out, macs, macs),
        }  # fmt: skip
        if p.bias:
            found["You forgot the bias."] = self.costs(p, bias=False)
            found["One bias for each filter, not one for each input."] = (
                out,
                parameters - p.c_out + p.c_in,
                macs,
            )
        else:
            found["This layer has no bias."] = self.costs(p, bias=True)
        if p.stride > 1:
            found["You left out the stride: it leaves a quarter of the positions."] = self.costs(
                p, side=p.side
            )
        return found


class WhichDenseLayer(Value):
    name = "which-dense-layer"
    title = "Which dense layer it is"
    points, minutes = 2, 4
    tests = "one small dense layer for all positions, against the one on the flattened map"
    objectives = (1,)
    text = """Leave biases out. How many weights has the 1×1 layer; how many the dense layer
that joins every number of the flattened input to every number of the flattened output; and how
many times as many are these?"""
    answer, form = "weights", "(1×1, dense, how many times)"

    def draw(self, dice):
        c_in, c_out = dice.sample([3, 4, 5, 6, 8, 10, 12, 16, 20], 2)
        high, wide = dice.sample(range(4, 12), 2)
        return {"c_in": c_in, "c_out": c_out, "h": high, "w": wide}

    def prompt(self, p):
        return f"A 1×1 layer from {p.c_in} channels to {p.c_out}, on a map of {p.h}×{p.w} pixels."

    def solve(self, p):
        shared, positions = p.c_in * p.c_out, p.h * p.w
        return (shared, shared * positions**2, positions**2)

    def mistakes(self, p):
        shared, positions = p.c_in * p.c_out, p.h * p.w
        return {
            "The naive ratio: each of all inputs meets each of all outputs, so H·W comes twice.": (
                shared, shared * positions, positions),
            "You joined each position to itself only, as the 1×1 layer does.": (
                shared, shared, 1),
            "The weights of the 1×1 layer are shared: count them once.": (
                shared * positions, shared * positions**2, positions),
            "The ratio is upside down: dense over 1×1.": (
                shared, shared * positions**2, 1 / positions**2),
            "You counted inputs and outputs; the weights are their product.": (
                p.c_in + p.c_out, (p.c_in + p.c_out) * positions, positions),
        }  # fmt: skip


JOBS = {  # a row of the matrix for (red, green, blue)
    "is the red channel": (1, 0, 0),
    "is the green channel": (0, 1, 0),
    "is the blue channel": (0, 0, 1),
    "is the average of red, green and blue": (1 / 3, 1 / 3, 1 / 3),
    "is red minus the average of green and blue": (1, -1 / 2, -1 / 2),
    "is twice blue minus green": (0, -1, 2),
    "is half of red plus half of blue": (1 / 2, 0, 1 / 2),
    "is green minus red": (-1, 1, 0),
    "is the negative of blue": (0, 0, -1),
    "is three quarters of green": (0, 3 / 4, 0),
}


class ChooseTheMatrix(Value):
    name = "choose-the-matrix"
    title = "Choose the matrix"
    points, minutes = 3, 5
    tests = "writing down the matrix that does a known job on a photograph"
    objectives = (0, 2)
    text = """Write the matrix of a 1×1 layer that does the job below to a colour photograph:
one row for each output, one column for each input channel. No bias."""
    answer, form = "matrix", "an array of shape (3, 3)"

    def draw(self, dice):
        return {"jobs": dice.sample(JOBS, 3), "order": dice.choice(["RGB", "BGR"])}

    def prompt(self, p):
        names = {"R": "red", "G": "green", "B": "blue"}
        order = ", ".join(names[c] for c in p.order)
        jobs = "\n".join(f"- Output channel {k} {job}." for k, job in enumerate(p.jobs))
        return f"The input channels are {order}, in this order.\n\n{jobs}"

    def solve(self, p):
        matrix = np.array([JOBS[job] for job in p.jobs], dtype=float)
        return matrix if p.order == "RGB" else matrix[:, ::-1]

    def mistakes(self, p):
        right = self.solve(p)
        found = {
            "It is transposed: one row for each output.": right.T,
            "The input channels come in another order.": right[:, ::-1],
            "The rows are in the wrong order.": right[::-1],
            "The signs are turned round.": -right,
        }
        sums = np.where(np.isclose(right, 1 / 3), 1.0, right)
        if (sums != right).any():
            found["That is the sum; the average divides by the number of channels."] = sums
        return found


class TwoLayers(Value):
    name = "two-layers"
    title = "Two layers in one"
    points, minutes = 3, 7
    tests = "that 1×1 layers with nothing between them are one, and what happens to the bias"
    objectives = (0, 3)
    text = """Two 1×1 layers follow each other with **no** nonlinearity between them: first
`q.w1` with the bias `q.b1`, then `q.w2` with the bias `q.b2`. Give the matrix and the bias of
the one 1×1 layer that does the same."""
    answer, form = "one_layer", "(matrix, bias), two arrays"
    parts = True
    effort_range = (8, 12)

    def draw(self, dice):
        c_in, middle, c_out = dice.choice([(2, 2, 2), (3, 2, 1), (2, 3, 1), (2, 2, 1), (4, 2, 1)])
        return {
            "w1": rows(dice.nonzero(3, middle, c_in)), "b1": rows(dice.nonzero(4, middle)),
            "w2": rows(dice.nonzero(3, c_out, middle)), "b2": rows(dice.nonzero(4, c_out)),
        }  # fmt: skip

    def effort(self, p):
        return p.w2.size * p.w1.shape[1] + p.w2.size  # for the matrix, and for the bias

    def grids(self, p):
        return [(f"q.{n}", getattr(p, n)) for n in ("w1", "w2")] + [
            (f"q.{n}", getattr(p, n)[:, None]) for n in ("b1", "b2")
        ]

    def prompt(self, p):
        return f"The shapes: `q.w1` {p.w1.shape}, `q.w2` {p.w2.shape}; a bias for each row."

    def solve(self, p):
        return (p.w2 @ p.w1, p.w2 @ p.b1 + p.b2)

    def mistakes(self, p):
        matrix, bias = self.solve(p)
        found = {
            "The second layer multiplies the first bias too: W₂·b₁ + b₂.": (matrix, p.b2),
            "You forgot the bias of the second layer.": (matrix, p.w2 @ p.b1),
            "The bias comes behind the matrix: give both.": (matrix,),
            "You swapped C_in and C_out: the matrix is transposed.": (matrix.T, bias),
        }
        if len(p.b1) == len(p.b2):
            found["The biases do not simply add: W₂·b₁ + b₂."] = (matrix, p.b1 + p.b2)
        if p.w1.shape == p.w2.shape:
            found["The first layer stands on the right of the product: W₂·W₁."] = (
                p.w1 @ p.w2,
                p.w1 @ p.b2 + p.b1,
            )
        return found


class ByOneMatrix(Function):
    name = "by-one-matrix"
    title = "Write it as one matrix multiply"
    points, minutes = 4, 10
    tests = "the layer in code, in a given layout, with a given order of the weights"
    objectives = (1,)
    text = """Write the function below with NumPy and without a loop over pixels. Leave `x` as
it is. The book's kernels and torch are out of bounds."""
    answer = "by_one_matrix"

    def draw(self, dice):
        return {"last": dice.coin(), "bias": dice.coin(), "turned": dice.coin()}

    def arguments(self, p):
        return "x, w, b" if p.bias else "x, w"

    def prompt(self, p):
        axes = ("(N, H, W, C_in)", "(N, H, W, C_out)")
        if not p.last:
            axes = ("(N, C_in, H, W)", "(N, C_out, H, W)")
        bias = ", `b` the shape (C_out,)" if p.bias else "; there is no bias"
        return (
            f"Write `by_one_matrix({self.arguments(p)})`. `x` has the axes {axes[0]}, the matrix "
            f"`w` the axes {'(C_in, C_out)' if p.turned else '(C_out, C_in)'}{bias}. "
            f"The result has the axes {axes[1]}."
        )

    def throw(self, p, dice):
        calls = []
        for n, c_in, c_out in [(1, 3, 1), (2, 4, 4), (1, 2, 5), (3, 5, 2)]:
            side = c_in if c_in == c_out else dice.integer(2, 6)  # where a wrong axis would fit too
            shape = (n, side, side, c_in) if p.last else (n, c_in, side, side)
            w = rows(dice.nonzero(4, *((c_in, c_out) if p.turned else (c_out, c_in))))
            calls.append((dice.array(-6, 6, *shape), w, *([rows(dice.nonzero(9, c_out))] * p.bias)))
        return calls

    def solve(self, p, x, w, b=None):
        x, w = (x.transpose(0, 3, 1, 2) if p.last else x), (w.T if p.turned else w)
        y = conv1x1(x, w, b)
        return y.transpose(0, 2, 3, 1) if p.last else y

    def mistakes(self, p):
        def reshaped(x, w, b=None):
            w = w.T if p.turned else w
            y = x.reshape(-1, w.shape[1]) @ w.T if not p.last else None
            n, _, high, wide = x.shape
            y = y.reshape(n, len(w), high, wide)
            return y if b is None else y + b[:, None, None]

        def last_axis(x, w, b=None):
            y = self.solve(p, x.swapaxes(1, 3), w, b)
            return y.swapaxes(1, 3)

        found = {
            "You took a spatial axis for the channel axis.": last_axis,
            "You swapped C_in and C_out: the matrix is transposed.": lambda x, w, b=None: (
                self.solve(p, x, w.T, b)),
        }  # fmt: skip
        if p.bias:
            found["You forgot the bias."] = lambda x, w, b: self.solve(p, x, w)
        if not p.last:
            found["You cut the numbers anew with reshape: the channels must come last first."] = (
                reshaped
            )
        return found


ABILITIES = {
    "turns the photograph grey": "can",
    "swaps red and blue": "can",
    "makes every pixel half as bright": "can",
    "turns the photograph into its negative, with a bias": "bias",
    "makes six channels out of three": "can",
    "sets the green channel to zero": "can",
    "subtracts green from red": "can",
    "adds the same brightness to every pixel, with a bias": "bias",
    "blurs the photograph": "space",
    "moves the photograph one pixel to the left": "space",
    "finds upright edges": "space",
    "mirrors the photograph": "space",
    "averages blocks of 2×2 pixels": "space",
    "takes the largest of the three channels at each pixel": "curve",
    "squares every value": "curve",
    "sets values below one half to zero": "curve",
    "divides each channel by its largest value in this photograph": "curve",
}


class WhatItCanDo(Value):
    name = "what-it-can-do"
    title = "What it can do, and what it cannot"
    points, minutes = 3, 4
    tests = "telling what one matrix at every pixel can do from what it cannot"
    objectives = (2, 3)
    text = """Which of these can **one** 1×1 convolution do to every photograph, at stride one,
without padding and without anything after it? Give the numbers of those it can do, in rising
order."""
    answer, form = "possible", "such as (0, 3)"

    def draw(self, dice):
        kinds = {}
        for job, kind in ABILITIES.items():
            kinds.setdefault(kind, []).append(job)
        jobs = [*dice.sample(kinds["can"], dice.integer(1, 2)), *dice.sample(kinds["bias"], 1)]
        jobs += [*dice.sample(kinds["space"], 2), *dice.sample(kinds["curve"], dice.integer(1, 2))]
        return {"jobs": dice.sample(jobs, len(jobs))}

    def prompt(self, p):
        return "\n".join(f"- ({k}) It {job}." for k, job in enumerate(p.jobs))

    def chosen(self, p, *kinds):
        return tuple(k for k, job in enumerate(p.jobs) if ABILITIES[job] in kinds)

    def solve(self, p):
        return self.chosen(p, "can", "bias")

    def mistakes(self, p):
        return {
            "Those are the ones that it cannot do.": self.chosen(p, "space", "curve"),
            "A bias is part of the layer.": self.chosen(p, "can"),
            "One of them needs neighbours: a 1×1 layer sees one pixel.": self.chosen(
                p, "can", "bias", "space"),
            "One of them is no weighted sum: that takes a nonlinearity.": self.chosen(
                p, "can", "bias", "curve"),
            "They are counted from zero.": tuple(k + 1 for k in self.solve(p)),
        }  # fmt: skip


class WrongSentences(Value):
    name = "wrong-sentences"
    title = "Find the wrong sentences"
    points, minutes = 3, 5
    tests = "popular sentences about 1×1 convolutions, checked with numbers"
    objectives = (3, 4)
    text = """Five sentences in the manner of lecture notes and popular answers, with numbers
put in; “it” is a 1×1 convolution. Which are wrong? Give their numbers in rising order."""
    answer, form = "wrong_sentences", "such as (0, 3)"

    def draw(self, dice):
        wrong = ["per-channel", "average", "relu", "pooling", "one-pixel", "one-channel", "fewer"]
        right = ["filters", "weights", "dot", "stride", "padding"]
        count = dice.integer(2, 3)
        kinds = [*dice.sample(wrong, count), *dice.sample(right, 5 - count)]
        c, f = dice.sample([16, 32, 48, 64, 96], 2)
        return {"kinds": dice.sample(kinds, 5), "c": c, "f": f, "side": 2 * dice.integer(5, 14)}

    def sentences(self, p):
        c, f, n = p.c, p.f, p.side
        return {
            "per-channel": f"It works on each of the {c} channels independently.",
            "average": f"What it does with {c} channels is basically to average them.",
            "relu": f"From {c} channels to {c} it does nothing but apply the ReLU that follows.",
            "pooling": f"2×2 max pooling turns {c}×{n}×{n} into {c // 2}×{n // 2}×{n // 2}.",
            "one-pixel": f"It collapses {c}×{n}×{n} to a single pixel with {c} channels.",
            "one-channel": f"With {f} filters it collapses {c}×{n}×{n} to 1×{n}×{n}.",
            "fewer": "In front of a layer it lowers the number of weights, whatever its width.",
            "filters": f"With {f} filters it turns {c}×{n}×{n} into {f}×{n}×{n}.",
            "weights": f"From {c} channels to {f} it has {c * f} weights and {f} biases.",
            "dot": f"Each number is a bias plus a dot product of {c} weights with a pixel.",
            "stride": f"At stride 2 it turns {n}×{n} pixels into {n // 2}×{n // 2}.",
            "padding": f"With padding 1 it turns {n}×{n} pixels into {n + 2}×{n + 2}.",
        }

    WRONG = frozenset(
        ["per-channel", "average", "relu", "pooling", "one-pixel", "one-channel", "fewer"]
    )

    def prompt(self, p):
        sentences = self.sentences(p)
        return "\n".join(f"- ({k}) {sentences[kind]}" for k, kind in enumerate(p.kinds))

    def solve(self, p):
        return tuple(k for k, kind in enumerate(p.kinds) if kind in self.WRONG)

    def mistakes(self, p):
        why = {
            "per-channel": "It is independent for each pixel, and mixes all channels.",
            "average": "Averaging is one choice of weights among all others.",
            "relu": "It mixes the channels first; ReLU is a separate choice.",
            "pooling": "Pooling keeps the channels.",
            "one-pixel": "The pixels stay; their channels collapse.",
            "one-channel": "It writes one channel for each filter.",
            "fewer": "It adds weights of its own: it saves only if its output is narrow enough.",
            "stride": "With a stride it does skip pixels: that sentence is right.",
            "padding": "Padding does make the map larger: that sentence is right.",
        }
        right = self.solve(p)
        found = {
            f"You let one pass: {why[p.kinds[k]][0].lower()}{why[p.kinds[k]][1:]}": tuple(
                other for other in right if other != k
            )
            for k in right
        }
        for k, kind in enumerate(p.kinds):
            if kind in ("stride", "padding"):
                found[why[kind]] = tuple(sorted((*right, k)))
        found["Those are the right ones."] = tuple(k for k in range(5) if k not in right)
        found["They are counted from zero."] = tuple(k + 1 for k in right)
        return found


CLAIMS = {  # what the notes say, and what to answer
    "per-channel": (
        "A 1×1 convolution works on every pixel of every channel by itself.",
        "Every pixel by itself: yes. Every channel by itself: no. Each output is a weighted sum "
        "over **all** input channels of its pixel. One way to see it: change one input channel and "
        "watch all outputs with a weight for it move. Channel by channel would be a depthwise 1×1 "
        "layer, one factor for each channel; no grey picture could be made from a colour one then.",
    ),
    "dense": (
        "A 1×1 convolution is the same thing as a fully connected layer.",
        "It is **one small** dense layer, from the channels of a pixel to the new channels of that "
        "pixel, shared by all positions: C·F weights. The dense layer on the flattened map has "
        "(H·W)² times as many and joins every pixel with every other. On a map of a single pixel "
        "the two are the same, and there the sentence is true without more words.",
    ),
    "sharpen": (
        "With enough filters, a 1×1 convolution can learn to sharpen a picture.",
        "It never sees a neighbour, however many filters it has: shuffle the pixels, apply it, put "
        "them back, and the result is the same. In one line, W(XP) = (WX)P for every permutation P "
        "of the pixels. Sharpening fails this test, because it compares a pixel with those around "
        "it. Among other layers that look at neighbours, a 1×1 layer is of use; alone it is not.",
    ),
}


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "answering a popular sentence in words"
    objectives = (3, 4)
    text = """Somebody writes the sentence below. In three or four sentences: what is wrong with
it, how could you show that to the writer, and when, if ever, is it true?"""

    def draw(self, dice):
        return {"claim": dice.choice(sorted(CLAIMS))}

    def prompt(self, p):
        return f"> *“{CLAIMS[p.claim][0]}”*"

    def model(self, p):
        return CLAIMS[p.claim][1]


class AsOneDenseLayer(Function):
    name = "as-one-dense-layer"
    title = "Stretch: the layer as one big matrix"
    points, minutes = 4, 12
    tests = "seeing the 1×1 layer inside the dense layer on the flattened map"
    objectives = (1, 3)
    text = """Write a function that takes the matrix `w` (C_out, C_in) of a 1×1 layer and a
number of pixels, and returns the big matrix that does the same to the flattened map: `big @
x.ravel()` is the layer's output, flattened. Most of its entries are zero."""
    answer = "as_one_dense_layer"

    def arguments(self, p):
        return "w, pixels"

    def draw(self, dice):
        return {"last": dice.coin()}

    def prompt(self, p):
        if p.last:
            return "`x` has the axes (pixel, channel): the channels of a pixel stand together."
        return "`x` has the axes (channel, pixel): the pixels of a channel stand together."

    def throw(self, p, dice):
        shapes = [(2, 3, 4), (3, 3, 3), (1, 4, 2), (4, 2, 5)]
        return [(rows(dice.nonzero(9, f, c)), pixels) for f, c, pixels in shapes]

    def solve(self, p, w, pixels):
        same = np.eye(pixels, dtype=np.int64)
        return np.kron(same, w) if p.last else np.kron(w, same)

    def mistakes(self, p):
        def other(w, pixels):
            same = np.eye(pixels, dtype=np.int64)
            return np.kron(w, same) if p.last else np.kron(same, w)

        return {
            "That is the matrix for the other order of the axes.": other,
            "It is transposed: one row for each output.": lambda w, pixels: self.solve(
                p, w, pixels).T,
            "You joined every pixel with every other: a 1×1 layer sees one pixel.": (
                lambda w, pixels: np.kron(np.ones((pixels, pixels), dtype=np.int64), w)
                if p.last else np.kron(w, np.ones((pixels, pixels), dtype=np.int64))),
        }  # fmt: skip


CHAPTER = Chapter(
    "channel-collapse",
    "The channel collapse",
    (
        "compute a 1×1 convolution by hand, for one filter and for many, and give its weight as "
        r"an $F \times C$ matrix;",
        "write it in five ways that give the same numbers, and say which dense layer it is, and "
        "which it is not;",
        "choose the matrix that does a known job on a photograph;",
        "say what no 1×1 convolution can do, and prove it in one line;",
        "answer five popular sentences about it that are wrong.",
    ),
    (
        OnePixel(),
        Costs(),
        WhichDenseLayer(),
        ChooseTheMatrix(),
        TwoLayers(),
        ByOneMatrix(),
        WhatItCanDo(),
        WrongSentences(),
        Explain(),
        AsOneDenseLayer(),
    ),
)
