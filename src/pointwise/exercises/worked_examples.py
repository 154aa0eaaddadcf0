"""Exercises for "Worked examples: by hand, then by machine"."""

import math
from fractions import Fraction

import numpy as np

from pointwise.cost import break_even, widest_saving
from pointwise.exercises.core import KERNELS, Chapter, Function, Text, Value, namespace
from pointwise.shapes import out_size


def grid(rows):
    """Nested numbers as text, a question mark for what cannot be read: [[1, ?], [3, 4]]."""
    if isinstance(rows, tuple):
        return f"[{', '.join(grid(row) for row in rows)}]"
    return "?" if rows is None else str(rows).replace("-", "−")


class SmudgedSlide(Value):
    name = "smudged-slide"
    title = "A slide with three smudges"
    points, minutes = 2, 6
    tests = "a 1×1 convolution on paper, forwards and backwards, with its biases"
    objectives = (0,)
    text = """A slide shows a 1×1 layer from three channels to two, with its matrix, its biases,
an input and the output that belongs to it. Coffee has made three numbers unreadable: a weight, a
bias and a number of the output. Restore them on paper."""
    answer, form = "restored", "(weight, bias, output number)"
    parts = True

    def draw(self, dice):
        x, w, b = dice.integers(1, 6, 3, 2, 2), dice.nonzero(4, 2, 3), dice.nonzero(6, 2)
        y = (np.einsum("oc,chw->ohw", w, x) + np.array(b)[:, None, None]).tolist()
        clean = dice.integer(0, 1)  # the output channel whose weights can all be read
        w[1 - clean][dice.integer(0, 2)] = None
        b[clean] = None
        y[1 - clean][dice.integer(0, 1)][dice.integer(0, 1)] = None
        return {"x": x, "w": w, "b": b, "y": y}

    def prompt(self, p):
        channels = "\n".join(f"| channel {c} | {grid(x)} |" for c, x in enumerate(p.x))
        outputs = "\n".join(f"| channel {o} | {grid(y)} |" for o, y in enumerate(p.y))
        return (
            "A question mark is a smudge.\n\n"
            f"| input | 2×2 pixels |\n|---|---|\n{channels}\n\n"
            f"| output | 2×2 pixels |\n|---|---|\n{outputs}\n\n"
            "| filter | weights | bias |\n|---|---|---|\n"
            + "\n".join(f"| {o} | {grid(p.w[o])} | {grid(p.b[o])} |" for o in range(2))
        )

    def places(self, p):
        """The filter with the lost weight, its channel, the lost pixel and one that is not."""
        o = p.b.index(next(b for b in p.b if b is not None))
        pixels = [(i, j) for i in range(2) for j in range(2)]
        lost = next((i, j) for i, j in pixels if p.y[o][i][j] is None)
        return o, p.w[o].index(None), lost, next(at for at in pixels if at != lost)

    def restore(self, p, with_bias=True):
        o, c, (i, j), (u, v) = self.places(p)
        x, b = np.array(p.x), p.b[o]
        known = np.array([0 if weight is None else weight for weight in p.w[o]])
        rest = p.y[o][u][v] - int(known @ x[:, u, v]) - (b if with_bias else 0)
        weight = Fraction(rest, int(x[c, u, v]))
        weight = int(weight) if weight.denominator == 1 else float(weight)
        bias = p.y[1 - o][0][0] - int(np.array(p.w[1 - o]) @ x[:, 0, 0])
        right = int(known @ x[:, i, j]) + weight * int(x[c, i, j]) + b
        return weight, bias, right

    def solve(self, p):
        return self.restore(p)

    def mistakes(self, p):
        weight, bias, number = self.solve(p)
        b = p.b[self.places(p)[0]]
        no_bias = self.restore(p, with_bias=False)
        return {
            "You forgot the bias on the way back to the weight.": (no_bias[0], bias, number),
            "You forgot the bias in the output number.": (weight, bias, number - b),
            "The bias is added to the sum: its sign is turned.": (weight, -bias, number),
            "You forgot the bias on the way back to the weight, and the output number went wrong "
            "with it.": no_bias,
            "The order is: weight, bias, output number.": (bias, weight, number),
        }


class FillTheTable(Value):
    name = "fill-the-table"
    title = "Fill in the shape table"
    points, minutes = 3, 6
    tests = "size and depth through a chain with stride, padding, pooling and 1×1 layers"
    objectives = (1,)
    text = """Four layers stand one behind the other: each reads what the one before it wrote.
Give the shape of each output, in the order of axes in which the input's shape is written.
*Valid* means no padding; *same* at stride 1 means padding that keeps the size."""
    answer, form = "shapes", "((…, …, …), (…, …, …), (…, …, …), (…, …, …))"
    parts = True

    def draw(self, dice):
        filters = dice.sample([6, 10, 12, 16, 20, 24, 40], 4)
        conv = [dice.choice([3, 5]), filters[0], dice.choice([2, 3]), "valid"]
        layers = [
            ["conv", *conv],
            ["conv", 1, filters[1], 2, "valid"],
            ["pool", dice.choice([2, 3]), 0, 2, "valid"],
            dice.choice([
                ["conv", 1, filters[2], 1, "1"], ["conv", 3, filters[2], 1, "same"],
                ["conv", 5, filters[2], 1, "same"],
            ]),
        ]  # fmt: skip
        if dice.coin():  # the 1×1 and the pooling change places
            layers[1], layers[2] = layers[2], layers[1]
        return {
            "side": dice.integer(60, 120), "c": dice.choice([3, 4, 8]), "layers": layers,
            "last": dice.coin(),
        }  # fmt: skip

    def sound(self, params):
        """The first layer's stride must not divide: there the popular formula fails."""
        n, (_, f, _, stride, _) = params["side"], params["layers"][0]
        return (n - f) % stride != 0 and super().sound(params)

    def shape(self, last, channels, side):
        return (side, side, channels) if last else (channels, side, side)

    def prompt(self, p):
        lines = [
            f"The input has the shape {self.shape(p.last, p.c, p.side)}, its axes being "
            f"{'(H, W, C)' if p.last else '(C, H, W)'}.\n",
            "| layer | window | filters | stride | padding |", "|---|---|---|---|---|",
        ]  # fmt: skip
        for kind, f, filters, stride, padding in p.layers:
            word, number = ("convolution", filters) if kind == "conv" else ("max pooling", "—")
            lines.append(f"| {word} | {f}×{f} | {number} | {stride} | {padding} |")
        return "\n".join(lines)

    def chain(self, p, rule=out_size, *, depth=None, pooled=None, last=None, unpadded=()):
        """The shapes, by another rule for a side, or with other depths or axes or less padding."""
        shapes, side, channels = [], p.side, p.c
        for kind, f, filters, stride, padding in p.layers:
            pad = {"valid": 0, "same": f // 2, "1": 1}[padding]
            side = rule(side, f, stride, 0 if padding in unpadded else pad)
            channels = filters if kind == "conv" else pooled or channels
            shapes.append(self.shape(p.last if last is None else last, depth or channels, side))
        return tuple(shapes)

    def solve(self, p):
        return self.chain(p)

    def mistakes(self, p):
        def rounded_up(n, f, stride, padding):
            return -(-(n + 2 * padding - f) // stride) + 1

        found = {
            "You rounded up: a window that hangs over the end does not count.": self.chain(
                p, rounded_up),
            "Pooling keeps the channels that it gets.": self.chain(p, pooled=1),
            "The axes stand in the other order.": self.chain(p, last=not p.last),
            "The depth is the number of filters, not that of the input.": self.chain(p, depth=p.c),
            "You left out the strides.": self.chain(p, lambda n, f, _, pad: out_size(n, f, 1, pad)),
        }  # fmt: skip
        if p.layers[-1][-1] == "1":
            found["Padding makes a 1×1 layer's map grow by 2, its frame being the bias."] = (
                self.chain(p, unpadded=("1",))
            )
        else:
            found["You took “same” padding for “valid” in the last layer."] = self.chain(
                p, unpadded=("same",)
            )
        return found


class AuditTable(Function):
    name = "audit-table"
    title = "Write a checker for shape tables"
    points, minutes = 5, 12
    tests = "the rules for size and depth as code that finds the errors in a printed table"
    objectives = (1,)
    text = """Write a function that finds the errors in tables of convolution layers. It gets an
array of whole numbers with one row for each layer, and returns an array with one whole number for
each row: 0 where side and depth are right, 1 where the side is wrong, 2 where the depth is wrong, 3
where both are. Write the rules yourself; the book's shape functions are out of bounds."""
    answer = "audit"
    forbidden = KERNELS | {"out_size", "table"}
    COLUMNS = ("n", "c_in", "f", "filters", "stride", "padding")

    def arguments(self, p):
        return "table"

    def draw(self, dice):
        return {"order": dice.sample(self.COLUMNS, len(self.COLUMNS))}

    def prompt(self, p):
        meaning = {
            "n": "side of the input", "c_in": "channels of the input", "f": "side of the window",
            "filters": "filters", "stride": "stride", "padding": "padding on every side",
        }  # fmt: skip
        columns = [meaning[name] for name in p.order] + ["printed side", "printed depth"]
        return "The columns:\n\n" + "\n".join(f"- {k}: {what}" for k, what in enumerate(columns))

    def throw(self, p, dice):
        calls = []
        for count in (1, 3, 5, 8):
            table = []
            for k in range(count):
                row = {
                    "n": dice.integer(12, 40), "c_in": dice.integer(1, 9),
                    "f": dice.choice([1, 2, 3, 5]), "filters": dice.integer(10, 40),
                    "stride": dice.integer(1, 3), "padding": dice.integer(0, 2),
                }  # fmt: skip
                fault = dice.integer(1, 3) if k == 0 else dice.integer(0, 3)
                side = out_size(row["n"], row["f"], row["stride"], row["padding"])
                depth = row["c_in"] if fault & 2 else row["filters"]
                side += dice.choice([-1, 1]) if fault & 1 else 0
                table.append([row[name] for name in p.order] + [side, depth])
            calls.append((np.array(table, dtype=np.int64),))
        return calls

    def audit(self, p, table, rule=None, codes=(1, 2), depth="filters"):
        """Codes of the rows: `rule` gives the side that is due."""
        n, c_in, f, filters, stride, pad = (table[:, p.order.index(c)] for c in self.COLUMNS)
        due = rule(n, f, stride, pad) if rule else (n + 2 * pad - f) // stride + 1
        deep = filters if depth == "filters" else c_in
        return codes[0] * (table[:, -2] != due) + codes[1] * (table[:, -1] != deep)

    def solve(self, p, table):
        return self.audit(p, table)

    def mistakes(self, p):
        return {
            "You rounded up, as the formula (n − f + 1)/s invites to.": lambda table: self.audit(
                p, table, lambda n, f, s, pad: -(-(n + 2 * pad - f) // s) + 1),
            "You forgot the padding.": lambda table: self.audit(
                p, table, lambda n, f, s, pad: (n - f) // s + 1),
            "The padding stands on both sides.": lambda table: self.audit(
                p, table, lambda n, f, s, pad: (n + pad - f) // s + 1),
            "You forgot the first place: + 1.": lambda table: self.audit(
                p, table, lambda n, f, s, pad: (n + 2 * pad - f) // s),
            "You compared the depth with the input's: it is the number of filters.": (
                lambda table: self.audit(p, table, depth="c_in")),
            "The codes are the other way round: 1 for the side, 2 for the depth.": (
                lambda table: self.audit(p, table, codes=(2, 1))),
        }  # fmt: skip


class FromTheCounts(Value):
    name = "from-the-counts"
    title = "Which layer is it?"
    points, minutes = 3, 6
    tests = "weights, biases and multiply-accumulates, kept apart"
    objectives = (2,)
    text = """A printout gives the counts of one convolution layer, but not the layer. It has one
bias for each output channel and pads so that, at stride 1, the size is kept. Give its channels in,
its channels out and the side of its square **input** map."""
    answer, form = "layer", "(C_in, C_out, side)"
    parts = True

    def draw(self, dice):
        c_in, c_out = dice.sample([16, 24, 32, 40, 48, 64, 80, 96], 2)
        k, stride, unit = dice.choice([1, 3, 5]), dice.choice([1, 2]), dice.choice([1, 2])
        side, weights = 2 * dice.integer(5, 16), k * k * c_in * c_out
        return {
            "k": k, "stride": stride, "weights": weights, "parameters": weights + c_out,
            "count": unit * weights * (side // stride) ** 2, "unit": ["", "MACs", "FLOPs"][unit],
        }  # fmt: skip

    def prompt(self, p):
        unit = "multiply-accumulates" if p.unit == "MACs" else "FLOPs (× and + counted apart)"
        stride = "" if p.stride == 1 else ", which halves the even side of its input"
        return (
            f"The window is {p.k}×{p.k}, the stride {p.stride}{stride}. Printed: {p.weights:,} "
            f"weights, {p.parameters:,} parameters, {p.count:,} {unit}."
        )

    def found(self, p, count=None):
        c_out = p.parameters - p.weights
        per_map = (p.count if p.unit == "MACs" else p.count // 2) if count is None else count
        positions = per_map // p.weights
        return p.weights // (p.k**2 * c_out), c_out, math.isqrt(positions) * p.stride

    def solve(self, p):
        return self.found(p)

    def mistakes(self, p):
        c_in, c_out, side = self.solve(p)
        found = {
            "You swapped C_in and C_out: there are as many biases as outputs.": (c_out, c_in, side),
            "That is the number of positions; its square root is the side.": (
                c_in, c_out, (side // p.stride) ** 2),
            "You divided by all parameters: a bias is no multiplication.": (
                c_in, c_out, math.sqrt(p.count / p.parameters) * p.stride),
        }  # fmt: skip
        if p.k > 1:
            found["You forgot the window: k² weights for each pair of channels."] = (
                c_in * p.k**2, c_out, side)  # fmt: skip
        if p.stride > 1:
            found["That is the side of the output: the stride has halved it."] = (
                c_in, c_out, side // p.stride)  # fmt: skip
        if p.unit == "FLOPs":
            found["You took FLOPs for MACs: halve them first."] = (
                c_in, c_out, math.sqrt(p.count / p.weights) * p.stride)  # fmt: skip
        return found


def through(k, c_in, r, c_out):
    """Weights of the 1×1 and of the k×k behind it; without a reduction of the k×k alone."""
    return c_in * r, k * k * r * c_out


class ThreeRatios(Value):
    name = "three-ratios"
    title = "One question, three answers"
    points, minutes = 3, 8
    tests = "what a reduction saves: in weights, in parameters, and in MACs without padding"
    objectives = (3, 4)
    text = """How many times more does the direct layer need than the pair with the reduction?
Give three ratios, direct over pair, to three decimals: of the weights; of the parameters, with one
bias for each output channel of every layer; and of the MACs, where **no** layer pads."""
    answer, form = "ratios", "(weights, parameters, MACs), three decimals each"
    parts = True
    tolerance = 0.0006

    def draw(self, dice):
        c_in, c_out = dice.choice([24, 32, 40, 48, 64]), dice.choice([24, 32, 40, 48, 64])
        return {
            "k": dice.choice([3, 4, 5]), "c_in": c_in, "c_out": c_out,
            "r": dice.choice([4, 6, 8, 12]), "side": dice.integer(9, 16),
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"Direct: a {p.k}×{p.k} layer from {p.c_in} channels to {p.c_out}. The pair: a 1×1 "
            f"layer to {p.r} channels, then the {p.k}×{p.k} to {p.c_out}. The input map is "
            f"{p.side}×{p.side}."
        )

    def solve(self, p):
        direct, (narrow, wide) = p.k**2 * p.c_in * p.c_out, through(p.k, p.c_in, p.r, p.c_out)
        small, full = (p.side - p.k + 1) ** 2, p.side**2
        return (
            direct / (narrow + wide),
            (direct + p.c_out) / (narrow + wide + p.r + p.c_out),
            small * direct / (full * narrow + small * wide),
        )

    def sound(self, params):
        """The three must be apart, else one could be guessed from another; and it must save."""
        a, b, c = self.solve(namespace(params))
        return min(a - b, abs(b - c), a - c) > 0.01 and c > 1.2 and super().sound(params)

    def mistakes(self, p):
        a, b, c = self.solve(p)
        direct, (narrow, wide) = p.k**2 * p.c_in * p.c_out, through(p.k, p.c_in, p.r, p.c_out)
        naive = p.c_in / p.r
        return {
            "The naive ratio C_in/r: the 1×1 layer itself costs too.": (naive, naive, naive),
            "You forgot what the 1×1 layer costs.": (
                direct / wide, (direct + p.c_out) / (wide + p.c_out), direct / wide),
            "They are upside down: direct over pair.": (1 / a, 1 / b, 1 / c),
            "You forgot the biases.": (a, a, c),
            "The 1×1 layer has biases too, one for each of its outputs.": (
                a, (direct + p.c_out) / (narrow + wide + p.c_out), c),
            "Without padding the k×k works at fewer positions than the 1×1.": (a, b, a),
        }  # fmt: skip


class Budget(Value):
    name = "budget"
    title = "A budget for a reduction"
    points, minutes = 3, 6
    tests = "choosing the width of a reduction, and where it stops saving"
    objectives = (3,)
    text = """You put a 1×1 reduction to r channels in front of a convolution with “same” padding.
Two questions: what is the widest r for which the pair stays within the budget, and what is the
widest r for which the pair needs fewer MACs than the layer alone? Biases count nothing."""
    answer, form = "widths", "(widest in the budget, widest that saves)"
    parts = True

    def draw(self, dice):
        k, side = dice.choice([3, 5]), dice.choice([7, 14, 28])
        c_in, c_out = (8 * dice.integer(8, 32) for _ in range(2))
        full = k * k * c_in * c_out * side * side
        share = dice.integer(15, 45)
        return {
            "k": k, "side": side, "c_in": c_in, "c_out": c_out,
            "budget": round(full * share / 100 / 1e5) / 10,
        }  # fmt: skip

    def sound(self, params):
        """Neither answer sits on the edge, and both differ from what the usual slips give."""
        p = namespace(params)
        exact = p.budget * 1e6 / self.price(p)
        limit = break_even(p.k, p.c_in, p.c_out)
        clear = 0.1 < exact % 1 < 0.9 and limit.denominator > 1
        return clear and self.solve(p)[1] < p.c_in and super().sound(params)

    def price(self, p):
        """MACs for each channel of the reduction."""
        return p.side**2 * (p.c_in + p.k**2 * p.c_out)

    def prompt(self, p):
        return (
            f"The layer is {p.k}×{p.k}, from {p.c_in} channels to {p.c_out}, on a "
            f"{p.side}×{p.side} map. The budget is {p.budget} million MACs."
        )

    def solve(self, p):
        return int(p.budget * 1e6 // self.price(p)), widest_saving(p.k, p.c_in, p.c_out)

    def mistakes(self, p):
        fits, saves = self.solve(p)
        bare = int(p.budget * 1e6 // (p.side**2 * p.k**2 * p.c_out))
        found = {
            "You forgot what the 1×1 layer costs.": (bare, p.c_in),
            "You rounded up: that width is over the limit.": (fits + 1, saves + 1),
            "A width is a whole number of channels: round down.": (
                p.budget * 1e6 / self.price(p), float(break_even(p.k, p.c_in, p.c_out))),
            "You counted FLOPs: a multiply-accumulate is both.": (
                int(p.budget * 1e6 // (2 * self.price(p))), saves),
            "You left out the map: MACs are weights times positions.": (
                int(p.budget * 1e6 // (p.c_in + p.k**2 * p.c_out)), saves),
        }  # fmt: skip
        if p.c_in != p.c_out:
            turned = namespace(vars(p) | {"c_in": p.c_out, "c_out": p.c_in})
            found["You swapped C_in and C_out."] = self.solve(turned)
        return found


class FindTheSlips(Value):
    name = "find-the-slips"
    title = "Find the two slips"
    points, minutes = 3, 7
    tests = "checking, line by line, a derivation like that of the best-known ratio"
    objectives = (2, 4)
    text = """A comment under a well-known answer derives, line by line, what a reduction saves.
In this one, made after its pattern, two lines are wrong. Judge each line by itself: a line that
uses an earlier result uses the right one. Give the numbers of the two wrong lines in rising order,
and behind them the right ratio of the weights, direct over pair, to two decimals."""
    answer, form = "slips", "(line, line, ratio)"
    parts = True
    tolerance = 0.006
    LINES = ("direct", "narrow", "wide", "sum", "ratio", "flops")

    def draw(self, dice):
        c, r = dice.choice([128, 160, 192, 256, 320]), dice.choice([16, 24, 32, 48, 64])
        k, side = dice.choice([3, 4, 5]), dice.choice([14, 28])
        typo, wrong = c + dice.choice([9, -9, 90, -18]), dice.sample(self.LINES, 2)
        lines = self.written(c, r, k, side, wrong, typo)  # which are wrong is not given away
        return {"c": c, "r": r, "k": k, "side": side, "lines": lines}

    def written(self, c, r, k, side, wrong=(), typo=0):
        """The lines of the derivation, those in `wrong` with their slip."""
        direct, narrow, wide = c * c * k * k, c * r, r * c * k * k
        fine = {
            "direct": f"Direct: {c}·{c}·{k}·{k} = {direct:,} weights.",
            "narrow": f"The 1×1 in front: {c}·{r} = {narrow:,} weights.",
            "wide": f"The {k}×{k} behind it: {r}·{c}·{k}·{k} = {wide:,} weights.",
            "sum": f"Together: {c}·{r}·(1 + {k * k}) = {narrow + wide:,} weights.",
            "ratio": f"Ratio: {c}·{k * k}/({r}·{1 + k * k}).",
            "flops": f"On a {side}×{side} map, padded, the FLOPs fall by the same ratio as the "
            "weights.",
        }  # fmt: skip
        slip = {
            "direct": f"Direct: {c}·{typo}·{k}·{k} = {c * typo * k * k:,} weights.",
            "narrow": f"The 1×1 in front: {c}·{c} = {c * c:,} weights.",
            "wide": f"The {k}×{k} behind it: {r}·{typo}·{k}·{k} = {r * typo * k * k:,} weights.",
            "sum": f"Together: {c}·{r}·{k * k} = {c * r * k * k:,} weights.",
            "ratio": f"Ratio: {c}/{1 + k * k}.",
            "flops": f"On a {side}×{side} map, padded, the FLOPs fall by twice the ratio of the "
            "weights.",
        }  # fmt: skip
        return [(slip if name in wrong else fine)[name] for name in self.LINES]

    def prompt(self, p):
        lines = "\n".join(f"- ({k}) {line}" for k, line in enumerate(p.lines))
        return (
            f"A {p.k}×{p.k} layer from {p.c} channels to {p.c}, against the same through "
            f"{p.r} channels.\n\n{lines}"
        )

    def solve(self, p):
        fine = self.written(p.c, p.r, p.k, p.side)
        wrong = [k for k, (a, b) in enumerate(zip(p.lines, fine, strict=True)) if a != b]
        return (*wrong, p.c * p.k**2 / (p.r * (1 + p.k**2)))

    def mistakes(self, p):
        first, second, ratio = self.solve(p)
        return {
            "That is the comment's slip: c/(1 + k²) leaves out k² and r.": (
                first, second, p.c / (1 + p.k**2)),
            "The naive ratio: the 1×1 layer itself costs too.": (first, second, p.c / p.r),
            "The ratio is upside down: direct over pair.": (first, second, 1 / ratio),
            "The lines are counted from zero.": (first + 1, second + 1, ratio),
        }  # fmt: skip


class WhatWasCounted(Value):
    name = "what-was-counted"
    title = "What was counted?"
    points, minutes = 3, 8
    tests = "telling from a ratio what was counted"
    objectives = (2, 4)
    text = """Four people give a ratio for a pair of alternatives and do not say what they counted.
Find out: weights, parameters (with one bias for each output channel of every layer), or MACs
where **no** layer pads. Each ratio is the first alternative over the second."""
    answer, form = "counted", 'four of "weights", "parameters", "MACs", in order'
    COUNTS = ("weights", "parameters", "MACs")

    def draw(self, dice):
        pairs = []
        for reduced in dice.sample([0, 0, 1, 1], 4):
            k, side = dice.choice([3, 5]), dice.integer(8, 28)
            c_in, c_out = dice.sample([4, 6, 8, 12, 16, 20, 24], 2)
            r = dice.choice([2, 3, 4]) if reduced else 0
            pair = [k, c_in, r, c_out, side]
            pairs.append([*pair, f"{self.ratios(*pair)[dice.integer(0, 2)]:.3f}"])
        return {"pairs": pairs}

    def ratios(self, k, c_in, r, c_out, side):
        """The ratios of weights, of parameters and of MACs; r = 0: against a 1×1 alone."""
        direct, inner = k * k * c_in * c_out, (side - k + 1) ** 2
        narrow, wide = through(k, c_in, r, c_out) if r else (c_in * c_out, 0)
        biases = (r + c_out) if r else c_out
        return (
            direct / (narrow + wide),
            (direct + c_out) / (narrow + wide + biases),
            inner * direct / (side**2 * narrow + inner * wide),
        )

    def prompt(self, p):
        lines = []
        for k, c_in, r, c_out, side, ratio in p.pairs:
            other = f"a 1×1 to {r}, then the {k}×{k} to {c_out}" if r else f"a 1×1 to {c_out}"
            lines.append(
                f"| {side}×{side}×{c_in} | {k}×{k} to {c_out} channels | {other} | {ratio} |"
            )
        return "| input | first | second | ratio |\n|---|---|---|---|\n" + "\n".join(lines)

    def solve(self, p):
        found = []
        for *pair, ratio in p.pairs:
            far = [abs(value - float(ratio)) for value in self.ratios(*pair)]
            found.append(self.COUNTS[far.index(min(far))])
        return tuple(found)

    def sound(self, params):
        p = namespace(params)
        gaps = []
        for *pair, _ in p.pairs:
            a, b, c = self.ratios(*pair)
            gaps.append(min(abs(a - b), abs(b - c), abs(a - c)))
        return min(gaps) > 0.01 and len(set(self.solve(p))) > 1 and super().sound(params)

    def mistakes(self, p):
        right = self.solve(p)
        turn = {
            "You took weights for MACs and MACs for weights: the maps shrink without padding.": (
                "MACs", "parameters", "weights"),
            "You mixed up weights and parameters: parameters include the biases.": (
                "parameters", "weights", "MACs"),
            "You mixed up parameters and MACs: a bias is no multiplication.": (
                "weights", "MACs", "parameters"),
        }  # fmt: skip
        found = {}
        for hint, names in turn.items():
            other = tuple(names[self.COUNTS.index(name)] for name in right)
            if other != right:
                found[hint] = other
        found["Not all four counted the same thing."] = (right[0],) * 4
        return found


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "saying in words what was counted, and when a reduction saves"
    objectives = (2, 3, 4)
    text = """Slides and answers say the sentence below, in other words. Explain in three or four
sentences what is wrong with it. One point each for: the right count under its right name; two
numbers of the table that show it; when the sentence is true."""

    def draw(self, dice):
        k, c_in, c_out = dice.choice([3, 5]), *(16 * dice.integer(4, 16) for _ in range(2))
        saves = widest_saving(k, c_in, c_out)
        return {
            "claim": dice.choice(["reduces", "heading", "proportional", "instead"]),
            "k": k, "c_in": c_in, "c_out": c_out, "side": dice.choice([14, 28]),
            "widths": [8 * dice.integer(1, 4), (saves + c_in) // 2 + 1],
        }  # fmt: skip

    def sound(self, params):
        """The second width is a reduction, and needs more than the layer alone."""
        p = namespace(params)
        return break_even(p.k, p.c_in, p.c_out) < p.widths[1] < p.c_in and super().sound(params)

    def counts(self, p):
        """Weights, parameters, MACs with padding and without, of the four alternatives."""
        inner, full, k = (p.side - p.k + 1) ** 2, p.side**2, p.k
        direct = k * k * p.c_in * p.c_out
        rows = [(direct, direct + p.c_out, full * direct, inner * direct)]
        for r in p.widths:
            narrow, wide = through(k, p.c_in, r, p.c_out)
            both = narrow + wide
            rows.append((both, both + r + p.c_out, full * both, full * narrow + inner * wide))
        alone = p.c_in * p.c_out
        return [*rows, (alone, alone + p.c_out, full * alone, full * alone)]

    def claim(self, p):
        direct = self.counts(p)[0]
        return {
            "reduces": "A 1×1 convolution reduces the number of parameters, so one more in front "
            "of a layer cannot hurt.",
            "heading": "How to reduce the number of parameters: this layer alone has "
            f"{p.side}·{p.side}·{p.c_out} times {p.k}·{p.k}·{p.c_in}, that is {direct[2]:,} of "
            "them.",
            "proportional": "What a convolution costs is proportional to its number of weights, "
            "so weights are all that one has to count.",
            "instead": f"A 1×1 instead of a {p.k}×{p.k} has 1/{p.k**2} of the parameters and does "
            "the same job.",
        }[p.claim]

    def prompt(self, p):
        pairs = [f"1×1 to {r}, {p.k}×{p.k} to {p.c_out}" for r in p.widths]
        names = [f"{p.k}×{p.k} to {p.c_out}", *pairs, f"1×1 to {p.c_out}"]
        lines = [
            f"| {name} | " + " | ".join(f"{count:,}" for count in counts) + " |"
            for name, counts in zip(names, self.counts(p), strict=True)
        ]
        return (
            f"> *“{self.claim(p)}”*\n\nThe layer reads {p.c_in} channels on a {p.side}×{p.side} "
            "map. Every output channel of every layer has a bias. *Same*: every layer is padded to "
            "keep the size; *valid*: none is.\n\n"
            "| layers | weights | parameters | MACs, same | MACs, valid |\n"
            "|---|---|---|---|---|\n" + "\n".join(lines)
        )

    def model(self, p):
        direct, narrow, wide, alone = self.counts(p)
        return {
            "reduces": "By itself a 1×1 layer **adds** weights, C_in·r of them. The pair has fewer "
            "only because the layer behind reads r channels instead of C_in. With "
            f"r = {p.widths[0]} the weights fall from {direct[0]:,} to {narrow[0]:,}; with "
            f"r = {p.widths[1]}, a reduction too, they **rise** to {wide[0]:,}. The sentence is "
            "true below the break-even width r* = k²·C_in·C_out/(C_in + k²·C_out).",
            "heading": f"{direct[2]:,} is the number of **multiply-accumulates**. Each weight is "
            f"used at all {p.side}·{p.side} output positions; the weights are {direct[0]:,}, the "
            f"parameters {direct[1]:,}. Where all maps have one size, weights and MACs "
            "fall by the same ratio, and nobody notices the wrong word. As a count of parameters "
            "the figure would be right on a map of a single pixel.",
            "proportional": "MACs are weights **times output positions**. Among layers whose "
            "outputs have one size, the sentence is true: with same padding weights and MACs have "
            f"the same ratio. Without padding the {p.k}×{p.k} works at fewer positions than the "
            f"1×1 in front: {direct[3]:,} against {narrow[3]:,} MACs is another ratio than "
            f"{direct[0]:,} against {narrow[0]:,} weights. Biases are parameters and no MACs, and "
            "neither count is time.",
            "instead": f"1/{p.k**2} of the **weights**: {alone[0]:,} of {direct[0]:,}. A bias "
            f"costs the same in both, so of the parameters it is a little more: {alone[1]:,} of "
            f"{direct[1]:,}. Without biases, and with the same channels, the ratio is exact. It is "
            "not the same job: a 1×1 layer sees no neighbours. What saves computation "
            f"is a 1×1 in **front** of the {p.k}×{p.k}, and that ratio is another one.",
        }[p.claim]


class DownAndUp(Value):
    name = "down-and-up"
    title = "Stretch: down and up again"
    points, minutes = 4, 12
    tests = "a break-even of one's own, for a pair of 1×1 layers around a k×k"
    objectives = (3,)
    text = """The formula for r* is about one reduction. Later networks put a 1×1 layer on **both**
sides: down from C channels to r, a k×k from r to r, and up from r to C. Against a k×k from C to C,
biases left out and all maps of one size: what is the widest r that saves weights, and by what
factor do the weights fall, to two decimals, at the width given below? Set the two costs equal, as
the chapter does; this time r stands in the equation twice."""
    answer, form = "down_and_up", "(widest r that saves, factor)"
    parts = True
    tolerance = 0.006

    def draw(self, dice):
        k, part = dice.choice([3, 5, 7]), dice.choice([2, 4, 8])
        c = 8 * dice.integer(8, 64)
        return {"c": c, "k": k, "r": c // part}

    def prompt(self, p):
        return f"C = {p.c}, k = {p.k}. The width for the factor: r = {p.r}."

    def weights(self, p, r):
        return 2 * p.c * r + p.k**2 * r * r

    def solve(self, p):
        direct = p.k**2 * p.c**2
        widest = max(r for r in range(1, p.c + 1) if self.weights(p, r) < direct)
        return widest, direct / self.weights(p, p.r)

    def mistakes(self, p):
        widest, factor = self.solve(p)
        direct = p.k**2 * p.c**2
        one = math.sqrt(p.c**2 / 4 + p.k**2 * direct)
        return {
            "That is r* of the chapter, for one reduction without the way up.": (
                widest_saving(p.k, p.c, p.c), direct / (p.c * p.r + p.k**2 * p.r * p.c)),
            "You forgot the layer that leads up again.": (
                int((one - p.c / 2) / p.k**2), direct / (p.c * p.r + p.k**2 * p.r**2)),
            "You forgot both 1×1 layers.": (p.c - 1, direct / (p.k**2 * p.r**2)),
            "The factor is upside down.": (widest, 1 / factor),
            "You rounded up: that width costs more.": (widest + 1, factor),
            "The naive ratio: the weights do not fall by C/r.": (widest, p.c / p.r),
        }  # fmt: skip

    def sound(self, params):
        p = namespace(params)
        widest, _ = self.solve(p)
        alone = widest_saving(p.k, p.c, p.c)
        return alone != widest and p.c - 1 > widest and super().sound(params)


CHAPTER = Chapter(
    "worked-examples",
    "Worked examples: by hand, then by machine",
    (
        "carry out a 1×1 convolution on paper, for any number of channels in and out;",
        "fill in a shape table, with stride, padding and depth, and find the errors in a printed "
        "one;",
        "count weights, biases and multiply-accumulates of a layer, and keep the three apart;",
        "compute what a reduction saves, and say when it saves nothing;",
        "tell where the ratios 3.7, 9.7, 21.4 and 1/25 come from.",
    ),
    (
        SmudgedSlide(),
        FillTheTable(),
        AuditTable(),
        FromTheCounts(),
        ThreeRatios(),
        Budget(),
        FindTheSlips(),
        WhatWasCounted(),
        Explain(),
        DownAndUp(),
    ),
)
