"""Exercises for "After Inception: where pointwise layers went"."""

from math import prod

import numpy as np

from pointwise.exercises.core import Chapter, Function, Text, Value, namespace
from pointwise.field import receptive_field


class Bottleneck(Value):
    name = "bottleneck"
    title = "One block, two places for a stride"
    points, minutes = 3, 6
    tests = "a bottleneck taken apart, and what the place of its stride changes"
    objectives = (0,)
    text = """A bottleneck is a 1×1 that reduces, a 3×3, and a 1×1 that expands; no biases, and
the shortcut is not counted. The 3×3 pads by one. Give its weights, its MACs with the stride in
the **first 1×1**, and its MACs with the stride in the **3×3**."""
    answer, form = "bottleneck", "(weights, MACs stride in 1×1, MACs stride in 3×3)"
    parts = True

    def draw(self, dice):
        inner = dice.choice([16, 24, 32, 40, 48, 64, 80, 96, 128])
        return {
            "outer": inner * dice.choice([2, 3, 4]), "inner": inner,
            "out": inner * dice.choice([4, 5, 6, 8]), "side": 2 * dice.integer(5, 28),
        }  # fmt: skip

    def sound(self, params):
        return params["outer"] != params["out"] and super().sound(params)

    def prompt(self, p):
        return (
            f"The block reads a map of shape {(p.outer, p.side, p.side)}, reduces to {p.inner} "
            f"channels, and writes {p.out} channels; its stride is 2."
        )

    def count(self, p, first=1, second=1, third=1, middle=None):
        """MACs where the three layers write a map of these many parts of the pixels."""
        pixels = p.side**2
        middle = p.inner * p.inner if middle is None else middle
        return (
            pixels // first * p.outer * p.inner
            + pixels // second * 9 * middle
            + pixels // third * p.inner * p.out
        )

    def weights(self, p, middle=None):
        return self.count(p, middle=middle) // p.side**2

    def solve(self, p):
        return (self.weights(p), self.count(p, 4, 4, 4), self.count(p, 1, 4, 4))

    def mistakes(self, p):
        weights, in_one, in_three = self.solve(p)
        wide = p.outer * p.outer
        expand, pixels = p.inner * p.out, p.side**2
        return {
            "You took one place of the stride for the other: behind it all maps are small.": (
                weights, in_three, in_one),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": (
                weights, 2 * in_one, 2 * in_three),
            "You left out the stride: it leaves a quarter of the positions.": (
                weights, self.count(p), self.count(p)),
            "A stride of 2 leaves a quarter of the positions, not half.": (
                weights, self.count(p, 2, 2, 2), self.count(p, 1, 2, 2)),
            "The 3×3 works on the reduced channels, not on the outer ones.": (
                self.weights(p, wide), self.count(p, 4, 4, 4, wide), self.count(p, 1, 4, 4, wide)),
            "You forgot the 1×1 that expands again.": (
                weights - expand, in_one - pixels // 4 * expand, in_three - pixels // 4 * expand),
        }  # fmt: skip


class Inverted(Value):
    name = "inverted"
    title = "Wide inside"
    points, minutes = 3, 6
    tests = "what an inverted residual does with channels, and what it costs"
    objectives = (1,)
    text = """An inverted residual block expands by a 1×1, looks around with a depthwise layer
(which pads so that stride 1 keeps the size, and holds the block's stride), and projects by a
1×1. No biases. Give its weights, its MACs, and how many numbers the largest map inside it
holds."""
    answer, form = "inverted", "(weights, MACs, numbers in the largest map)"
    parts = True

    def draw(self, dice):
        c_in, c_out = dice.sample([8, 12, 16, 20, 24, 32, 40, 48, 64], 2)
        return {
            "c_in": c_in, "c_out": c_out, "times": dice.choice([3, 4, 6]), "k": dice.choice([3, 5]),
            "side": 2 * dice.integer(4, 14), "stride": dice.choice([1, 2]),
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"The block reads a map of shape {(p.c_in, p.side, p.side)}, expands its channels "
            f"{p.times} times, has a {p.k}×{p.k} depthwise layer with stride {p.stride}, and "
            f"projects to {p.c_out} channels."
        )

    def costs(self, p, wide=None, early=1, stride=None, spatial=None):
        wide = p.times * p.c_in if wide is None else wide
        before = p.side**2 // early
        after = p.side**2 // (stride or p.stride) ** 2
        spatial = p.k**2 * wide if spatial is None else spatial
        expand, project = p.c_in * wide, wide * p.c_out
        weights = expand + spatial + project
        return (weights, before * expand + after * (spatial + project), before * wide)

    def solve(self, p):
        return self.costs(p)

    def mistakes(self, p):
        weights, macs, largest = self.costs(p)
        wide = p.times * p.c_in
        found = {
            "The depthwise layer has one slice for each channel, and mixes none.": self.costs(
                p, spatial=p.k**2 * wide * wide),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": (
                weights, 2 * macs, largest),
            "That block does not expand: its inside is wider than its ends.": self.costs(
                p, wide=p.c_in),
            "You left out the depthwise layer.": self.costs(p, spatial=0),
            "The largest map stands behind the expansion.": (weights, macs, p.c_in * p.side**2),
        }  # fmt: skip
        if p.stride > 1:
            found["The stride stands in the depthwise layer: the expansion sees all pixels."] = (
                self.costs(p, early=4)
            )
            found["You left out the stride."] = self.costs(p, stride=1)
        return found


class Shuffled(Function):
    name = "shuffled"
    title = "Deal the channels out"
    points, minutes = 3, 8
    tests = "what a shuffle does with channels, in a given layout"
    objectives = (1,)
    text = """Between two grouped 1×1 layers the channels change places, so that groups hear of
each other. Write the function below with NumPy. It returns a new array and leaves `x` as it
is. The book's kernels and torch are out of bounds."""
    answer = "shuffled"

    def arguments(self, p):
        return "x, groups"

    def draw(self, dice):
        return {"last": dice.coin(), "back": dice.coin()}

    def prompt(self, p):
        axes = "(N, H, W, C)" if p.last else "(N, C, H, W)"
        forward = (
            "The channels lie group behind group. Deal them out: the first of each group, then "
            "the second of each group, and so on; six channels in two groups come out as 0, 3, 1, "
            "4, 2, 5."
        )
        backward = (
            "The channels were dealt out: the first of each group, then the second of each group, "
            "and so on; six channels in two groups lie as 0, 3, 1, 4, 2, 5. Undo it, so that they "
            "lie group behind group again."
        )
        return (
            f"Write `shuffled(x, groups)`. `x` has the axes {axes}, and `groups` divides C. "
            f"{backward if p.back else forward}"
        )

    def throw(self, p, dice):
        calls = []
        for n, c, groups in [(1, 6, 2), (2, 6, 3), (1, 8, 2), (1, 12, 3), (2, 8, 4)]:
            high, wide = (c, c) if n == 1 and c == 6 else (dice.integer(2, 4), dice.integer(2, 4))
            shape = (n, high, wide, c) if p.last else (n, c, high, wide)
            calls.append((dice.array(-50, 50, *shape), groups))
        return calls

    def order(self, channels, groups, back):
        order = np.arange(channels).reshape(groups, -1).T.ravel()
        return np.argsort(order) if back else order

    def solve(self, p, x, groups, back=None, axis=None):
        axis = (3 if p.last else 1) if axis is None else axis
        order = self.order(x.shape[axis], groups, p.back if back is None else back)
        return np.take(x, order, axis=axis)

    def mistakes(self, p):
        return {
            "That is the way back: the two axes of your reshape stand the other way round.": (
                lambda x, groups: self.solve(p, x, groups, back=not p.back)),
            "You took a spatial axis for the channel axis.": lambda x, groups: self.solve(
                p, x, groups, axis=1 if p.last else 3),
            "Nothing has moved: between two reshapes the axes must change places.": (
                lambda x, groups: x.copy()),
            "You turned the order of the channels round; they are to be dealt out.": (
                lambda x, groups: np.flip(x, 3 if p.last else 1)),
        }  # fmt: skip


class SplitBill(Value):
    name = "split-bill"
    title = "Who pays in a separable layer"
    points, minutes = 3, 6
    tests = "a convolution split into depthwise and pointwise, and the share of the 1×1"
    objectives = (2,)
    text = """A full convolution is replaced by a depthwise layer and a 1×1. Give, **for one
pixel** of the output: the MACs of the depthwise layer, the MACs of the 1×1, and how many times
cheaper the two are than the full layer (two decimals). Then, for the same window and as many
channels out as in: the smallest number of channels for which the 1×1 has at least the share
named below."""
    answer, form = "split_bill", "(depthwise, pointwise, times, channels)"
    parts, tolerance = True, 0.006

    def draw(self, dice):
        c_in, c_out = dice.sample([24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 256, 320], 2)
        return {
            "c_in": c_in, "c_out": c_out, "k": dice.choice([3, 5, 7]),
            "percent": dice.choice([70, 80, 85, 90, 95, 96]), "stride": dice.choice([1, 2]),
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"The window is {p.k}×{p.k}, the stride {p.stride}; {p.c_in} channels go in and "
            f"{p.c_out} come out. No biases. The share: {p.percent}%."
        )

    def channels(self, p):
        """C / (C + k²) is at least the share."""
        return -(-p.percent * p.k**2 // (100 - p.percent))

    def solve(self, p):
        window, mix = p.k**2 * p.c_in, p.c_in * p.c_out
        return (window, mix, round(p.k**2 * mix / (window + mix), 4), self.channels(p))

    def mistakes(self, p):
        window, mix, times, channels = self.solve(p)
        return {
            "The naive ratio: k² leaves out what the 1×1 costs.": (
                window, mix, p.k**2, channels),
            "The naive ratio: c_out leaves out what the depthwise layer costs.": (
                window, mix, p.c_out, channels),
            "You swapped C_in and C_out: the depthwise layer works on what comes in.": (
                p.k**2 * p.c_out, mix, p.k**2 * mix / (p.k**2 * p.c_out + mix), channels),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": (
                2 * window, 2 * mix, times, channels),
            "The ratio is upside down.": (window, mix, round(1 / times, 4), channels),
            "The depthwise layer mixes no channels: k² MACs for each channel that comes in.": (
                p.k**2 * mix, mix, times, channels),
            "That is one channel too few: C/(C + k²) has to reach the share.": (
                window, mix, times, channels - 1),
            "The share is that of the whole, C/(C + k²), not C over k².": (
                window, mix, times, -(-p.percent * p.k**2 // 100)),
        }  # fmt: skip


class FeedForward(Value):
    name = "feed-forward"
    title = "The 1×1 layers of a transformer"
    points, minutes = 3, 6
    tests = "the feed-forward part as two 1×1 layers, and its weight against the mixing of tokens"
    objectives = (3,)
    text = """A block has the four projections of attention, the mixing of tokens (two products:
the scores, and the sums of the values), and the feed-forward part. No biases. Give: the weights
of the two 1×1 layers that are the feed-forward part; the MACs of everything that is a 1×1 layer,
for all tokens; the MACs of the mixing, for all tokens; and the number of tokens for which the
two would be equal."""
    answer, form = "feed_forward", "(weights, MACs of 1×1, MACs of mixing, tokens)"
    parts = True

    def draw(self, dice):
        return {
            "tokens": dice.integer(40, 400), "d": 32 * dice.integer(2, 24),
            "times": dice.choice([2, 3, 4]), "as_map": dice.coin(),
        }  # fmt: skip

    def sound(self, params):
        return params["tokens"] != params["d"] and super().sound(params)

    def prompt(self, p):
        shape = (1, p.d, 1, p.tokens) if p.as_map else (1, p.tokens, p.d)
        axes = "(N, C, H, W)" if p.as_map else "(batch, tokens, channels)"
        return (
            f"The tokens come as an array of shape {shape}, axes {axes}. The feed-forward part "
            f"goes from {p.d} channels to {p.times * p.d} and back."
        )

    def solve(self, p):
        weights = 2 * p.times * p.d**2
        pointwise = p.tokens * (4 * p.d**2 + weights)
        return (weights, pointwise, 2 * p.tokens**2 * p.d, (2 + p.times) * p.d)

    def mistakes(self, p):
        weights, pointwise, mixing, equal = self.solve(p)
        other = namespace({"tokens": p.d, "d": p.tokens, "times": p.times})
        return {
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": (
                weights, 2 * pointwise, 2 * mixing, equal),
            "You gave weights for MACs: each weight is used once for every token.": (
                weights, pointwise // p.tokens, mixing, equal),
            "You left out the projections: they are 1×1 layers too.": (
                weights, p.tokens * weights, mixing, p.times * p.d),
            "The mixing has two products: the scores, and the sums of the values.": (
                weights, pointwise, mixing // 2, 2 * equal),
            "You left out the way back: the feed-forward part is two layers.": (
                weights // 2, pointwise - p.tokens * weights // 2, mixing,
                (4 + p.times) * p.d // 2),
            "You took the axis of the tokens for the channel axis.": self.solve(other),
            "The mixing compares every token with every other: tokens squared.": (
                weights, pointwise, mixing // p.tokens, equal),
        }  # fmt: skip


class SlideIt(Value):
    name = "slide-it"
    title = "A classifier, slid over a board"
    points, minutes = 3, 7
    tests = "a dense layer as a convolution, and the map of scores that it gives when slid"
    objectives = (4,)
    text = """A classifier for small crops: a convolution without padding, a ReLU, 2×2 max
pooling with stride 2, `Flatten`, a dense layer, a ReLU, a dense layer for the scores. Both dense
layers are turned into convolutions with the same weights, and the whole is slid over a larger
board. Give the shape of the **first** dense layer's weight as a convolution, and behind it the
rows and columns of the map of scores."""
    answer, form = "slid", "(C_out, C_in, kh, kw, rows, columns)"

    def draw(self, dice):
        k = dice.choice([3, 5])
        side = k - 1 + 2 * dice.integer(3, 6)
        high, wide = dice.sample(range(side // 2 + 8, 40), 2)
        return {
            "k": k, "side": side, "c": dice.choice([6, 8, 12, 16, 20]),
            "scores": dice.integer(5, 11),
            "hidden": dice.choice([24, 32, 48, 64]), "h": 2 * high, "w": 2 * wide,
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"The crops have {p.side}×{p.side} grey pixels. The convolution has {p.c} filters of "
            f"{p.k}×{p.k}, the first dense layer {p.hidden} outputs, the second {p.scores}. The "
            f"board is {p.h} pixels high and {p.w} wide."
        )

    def solve(self, p, step=2, one=1):
        window = (p.side - p.k + 1) // 2
        scores = ((n - p.side) // step + one for n in (p.h, p.w))
        return (p.hidden, p.c, window, window, *scores)

    def mistakes(self, p):
        right = self.solve(p)
        filters, channels, *_, high, wide = right
        pooled = ((n - p.k + 1) // 2 for n in (p.h, p.w))
        return {
            "Only the later dense layers become 1×1: this one sees a whole map.": (
                filters, channels, 1, 1, *pooled),
            "You swapped C_in and C_out.": (channels, filters, *right[2:]),
            "The window is as large as the map before Flatten, not as the crop.": (
                filters, channels, p.side, p.side, high, wide),
            "The pooling has stride 2: the map of scores steps by two pixels.": self.solve(
                p, step=1),
            "The crops overlap: they need not stand side by side.": (
                *right[:4], p.h // p.side, p.w // p.side),
            "You forgot the first place: + 1.": self.solve(p, one=0),
            "Rows come first, then columns.": (*right[:4], wide, high),
            "You forgot that the first layer does not pad: it takes a border away.": (
                filters, channels, p.side // 2, p.side // 2, high, wide),
        }  # fmt: skip


class WhatItSees(Value):
    name = "what-it-sees"
    title = "What the corner neuron sees"
    points, minutes = 3, 8
    tests = "a receptive field: its size, its step, and how much of the picture lies in it"
    objectives = (5,)
    text = """Along one axis (the other is the same): how many pixels does a neuron of the last
map see, padding included; how far apart are the fields of two neighbours; at which pixel does
the field of neuron 0 begin (negative in the padding); and how many pixels **of the picture** does
neuron 0 see?"""
    answer, form = "field", "(size, step, first pixel, pixels of the picture)"
    parts = True

    def draw(self, dice):
        k = dice.choice([5, 7])
        middle = dice.choice([3, 5])
        chain = [
            [k, dice.choice([1, 2]), dice.choice([k // 2, k - 1])],
            [2, 2, 0],
            [middle, dice.choice([1, 2]), middle // 2],
            [1, 1, 0],
            [3, dice.choice([1, 2]), 1],
        ]
        return {"chain": chain, "side": dice.integer(60, 130)}

    def prompt(self, p):
        lines = ["| layer | window | stride | padding |", "|---|---|---|---|"]
        lines += [f"| {i} | {k} | {s} | {pad} |" for i, (k, s, pad) in enumerate(p.chain, 1)]
        return f"The picture is {p.side} pixels long.\n\n" + "\n".join(lines)

    def measure(self, p, chain):
        field = receptive_field([tuple(layer) for layer in chain])
        return (field.size, field.stride, field.start, len(field.seen(0, p.side)))

    def sound(self, params):
        p = namespace(params)
        size, step, start, _ = self.measure(p, p.chain)
        return size + start < p.side and step >= 4 and super().sound(params)

    def solve(self, p):
        return self.measure(p, p.chain)

    def mistakes(self, p):
        size, step, start, seen = self.solve(p)
        flat = 1 + sum(k - 1 for k, _, _ in p.chain)
        summed = 1 + sum((k - 1) * prod(s for _, s, _ in p.chain[: i + 1])
                         for i, (k, _, _) in enumerate(p.chain))  # fmt: skip
        shift = sum(pad for _, _, pad in p.chain)
        unpadded = self.measure(p, [(k, s, 0) for k, s, _ in p.chain])
        return {
            "You left out the strides: behind one, a step is several pixels.": (
                flat, 1, -shift, flat - shift),
            "A layer's own stride counts from the next layer on.": (
                summed, step, start, summed + start),
            "You forgot the padding: the field of neuron 0 begins outside.": unpadded,
            "A 1×1 never widens the view: it adds (1 − 1) pixels.": (
                size + step, step, start, seen + step),
            "Part of the field lies in the padding, where there is no picture.": (
                size, step, start, size),
            "Behind a stride the padding counts for several pixels too.": (
                size, step, -shift, size - shift),
            "The map is not the picture: a neuron sees more than its own share.": (
                step, step, 0, step),
        }  # fmt: skip


WHY_WRONG = {  # what makes a sentence of the list below wrong
    "negligible": "At this width the 1×1 is most of the cost of a separable layer.",
    "relu": "The projection at the end of the block stays linear.",
    "half": "Every second one in every second row: three quarters are never read.",
    "fraction": "17 against 18 parts: at equal inner width nearly the same.",
    "widen": "A 1×1 never widens the view.",
    "any-order": "The order of the flattened map must be the one it was trained in.",
    "accounts": "Weights and MACs are two accounts: a weight is used at every position.",
    "no-shuffle": "Without a shuffle no group hears of another.",
    "reduce": "The inverted residual expands first, and the projection reduces.",
}


class WrongSentences(Value):
    name = "wrong-sentences"
    title = "Find the wrong sentences"
    points, minutes = 3, 6
    tests = "sentences on the networks after Inception, checked with numbers"
    objectives = (0, 1, 2, 4, 5)
    text = """Five sentences as one reads them, with numbers put in. Which are wrong? Give their
numbers in rising order."""
    answer, form = "wrong_sentences", "such as (0, 3)"

    def draw(self, dice):
        wrong = dice.sample(WHY_WRONG, dice.integer(2, 3))
        right = ["cap", "stride", "groups", "tokens", "picture", "padding", "sum"]
        kinds = [*wrong, *dice.sample(right, 5 - len(wrong))]
        return {
            "kinds": dice.sample(kinds, 5), "c": 24 * dice.integer(3, 16),
            "g": dice.choice([2, 3, 4, 8]), "side": 2 * dice.integer(7, 28),
        }  # fmt: skip

    def sentences(self, p):
        c, g, n = p.c, p.g, p.side
        return {
            "negligible": f"In a separable 3×3 layer from {c} channels to {c}, the 1×1 mixes the "
            "channels at a negligible cost.",
            "relu": f"In MobileNetV2's block on {c} channels a ReLU follows each of the three "
            "layers.",
            "half": f"A 1×1 layer with stride 2 leaves half of the {n}×{n} pixels unread.",
            "fraction": f"A bottleneck {4 * c} → {c} → {c} → {4 * c} has less than a third of the "
            f"MACs of two 3×3 layers on {c} channels, on maps of one size.",
            "widen": f"Two 1×1 layers behind a {n}×{n} map let each neuron see two pixels more.",
            "any-order": f"A dense layer on {c}×3×3 numbers becomes a 3×3 convolution by a "
            "reshape, whatever order the map was flattened in.",
            "accounts": f"Of two networks, the one with {g} times fewer weights has fewer MACs.",
            "no-shuffle": f"Behind two 1×1 layers in {g} groups, without a shuffle, each of {c} "
            "output channels can depend on all input channels.",
            "reduce": f"The first 1×1 of MobileNetV2's block on {c} channels reduces them.",
            "cap": f"A separable 3×3 layer on {c} channels is less than 9 times cheaper than the "
            "full one, and so it is for any width.",
            "stride": "In a ResNet block, a stride moved from the 1×1 to the 3×3 changes the MACs "
            f"on {n}×{n} pixels, and no weight.",
            "groups": f"In {g} groups, a 1×1 layer from {c} channels to {c} has {c * c // g} "
            "weights.",
            "tokens": f"The feed-forward part of a transformer on {c} channels can be written as "
            "two 1×1 convolutions.",
            "picture": "Depthwise first, then the 1×1: seen as one kernel, all slices for one "
            f"of the {c} input channels are one small picture in several strengths.",
            "padding": f"Slid over a board of {n}×{n} pixels, a classifier whose layers pad need "
            "not give the scores that it gives for the crops.",
            "sum": "Where a block halves the map and doubles the channels, $x + f(x)$ needs "
            f"another layer, such as a 1×1 from {c} channels to {2 * c} with stride 2.",
        }

    def prompt(self, p):
        sentences = self.sentences(p)
        return "\n".join(f"- ({k}) {sentences[kind]}" for k, kind in enumerate(p.kinds))

    def solve(self, p):
        return tuple(k for k, kind in enumerate(p.kinds) if kind in WHY_WRONG)

    def mistakes(self, p):
        right = self.solve(p)
        found = {
            f"You let one pass. {WHY_WRONG[p.kinds[k]]}": tuple(o for o in right if o != k)
            for k in right
        }
        for k, kind in enumerate(p.kinds):
            if kind == "cap":
                found["9C/(C + 9) stays below 9: that sentence is right."] = tuple(
                    sorted((*right, k))
                )
            if kind == "padding":
                found["Zeros around a crop are not its neighbours: that sentence is right."] = (
                    tuple(sorted((*right, k)))
                )
        found["Those are the right ones."] = tuple(k for k in range(5) if k not in right)
        found["They are counted from zero."] = tuple(k + 1 for k in right)
        return found


CLAIMS = {  # what one reads, and what to answer
    "negligible": (
        "In a depthwise separable convolution the 3×3 does the work; the 1×1 behind it adds the "
        "dependencies between channels at negligible cost.",
        "It is the other way round. On C channels, one pixel costs 9·C in the depthwise layer and "
        "C·C in the 1×1, so the 1×1 has the share C/(C + 9): half of the cost at 9 channels, and "
        "nearly all of it at the widths of real networks. What became cheap is the looking around. "
        "The sentence would be true for very few channels only.",
    ),
    "bottleneck": (
        "A bottleneck block is much cheaper than two 3×3 layers, because 1×1 convolutions cost "
        "next to nothing.",
        "Compared with which two? Against two 3×3 layers on the **inner** channels it saves next "
        "to nothing: with n inner and 4n outer channels it has 8n² + 9n² weights, they have 18n². "
        "Its two 1×1 layers are nearly half of it. What it buys is width: maps that are four times "
        "as wide at the same price. Against two 3×3 layers on the **outer** channels it is many "
        "times cheaper, and there the sentence is true, but because the 3×3 became narrow.",
    ),
    "order": (
        "To slide a dense classifier, reshape its first dense weight to the kernel; any order "
        "will do, as long as the number of weights fits.",
        "A reshape keeps the order in which the numbers lie, so it must be the order in which the "
        "map was flattened: channel by channel in PyTorch, pixel by pixel in TensorFlow. In the "
        "other order the shapes fit, nothing complains, and each weight meets another pixel and "
        "channel: rubble. One way to show it is to compare the scores on one crop, before and "
        "after. It is harmless if the map has a single pixel or a single channel, and for the "
        "later dense layers, which become 1×1. The layers before must not pad, either.",
    ),
}


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "answering a popular sentence in words, with a count"
    objectives = (0, 2, 4)
    text = """Somebody writes the sentence below. In three or four sentences: what is wrong with
it, which count or which small experiment shows that, and when, if ever, is it true? (One point
for each of the three.)"""

    def draw(self, dice):
        return {"claim": dice.choice(sorted(CLAIMS))}

    def prompt(self, p):
        return f"> *“{CLAIMS[p.claim][0]}”*"

    def model(self, p):
        return CLAIMS[p.claim][1]


class AsKernel(Function):
    name = "as-kernel"
    title = "Stretch: carry a dense layer over"
    points, minutes = 4, 12
    tests = "a dense weight as a kernel, in the order that it was trained in"
    objectives = (4,)
    text = """A dense layer has read a flattened map. Write the function that turns its weight
into the weight of the convolution that does the same, so that every number stands where it
belongs."""
    answer = "as_kernel"

    def arguments(self, p):
        return "w, shape"

    def draw(self, dice):
        return {
            "order": dice.choice(["CHW", "HWC"]), "turned": dice.coin(),
            "result": dice.choice(["FCHW", "HWCF"]),
        }  # fmt: skip

    def sound(self, params):
        """A plain reshape must not do."""
        plain = params["order"] + "F" if params["turned"] else "F" + params["order"]
        return plain != params["result"] and super().sound(params)

    def prompt(self, p):
        matrix = "(inputs, F)" if p.turned else "(F, inputs)"
        order = ", ".join(p.order)
        result = ", ".join(p.result)
        first = {"CHW": "all pixels of channel 0 first", "HWC": "all channels of pixel 0 first"}
        return (
            f"Write `as_kernel(w, shape)`. `w` has the axes {matrix}, F being the outputs. "
            f"`shape` is (C, H, W), the shape of the map; it was flattened in the order ({order}): "
            f"{first[p.order]}. The result has the axes ({result})."
        )

    def throw(self, p, dice):
        calls = []
        for f, c, high, wide in [(2, 3, 2, 2), (3, 2, 3, 1), (12, 3, 2, 2), (4, 2, 3, 2)]:
            shape = (c * high * wide, f) if p.turned else (f, c * high * wide)
            calls.append((dice.array(-99, 99, *shape), (c, high, wide)))
        return calls

    def carry(self, p, w, shape, order=None, turned=None):
        order, turned = order or p.order, p.turned if turned is None else turned
        sizes = dict(zip("CHW", shape, strict=True))
        w = w.T if turned else w
        w = w.reshape(-1, *(sizes[axis] for axis in order))
        return w.transpose([("F" + order).index(axis) for axis in p.result])

    def solve(self, p, w, shape):
        return self.carry(p, w, shape)

    def mistakes(self, p):
        def plain(w, shape):
            c, high, wide = shape
            sizes = {"C": c, "H": high, "W": wide, "F": w.size // (c * high * wide)}
            return w.reshape([sizes[axis] for axis in p.result])

        def swapped(w, shape):
            axes = (2, 3) if p.result == "FCHW" else (0, 1)
            return self.solve(p, w, shape).swapaxes(*axes)

        other = "HWC" if p.order == "CHW" else "CHW"
        return {
            "It was flattened in the other order: that is the trap.": lambda w, shape: self.carry(
                p, w, shape, order=other),
            "A reshape alone does not move the axes; it only cuts the numbers anew.": plain,
            "You swapped C_in and C_out: look at which axis of w holds the outputs.": (
                lambda w, shape: self.carry(p, w, shape, turned=not p.turned)),
            "Rows and columns of the window are swapped.": swapped,
        }  # fmt: skip


CHAPTER = Chapter(
    "after-inception",
    "After Inception: where pointwise layers went",
    (
        "take ResNet's bottleneck apart, and say why ResNet-50 is quoted at 3.8 and at 4.1 "
        "billion;",
        "say what a squeeze, an inverted residual and a shuffle do with channels, and what each "
        "costs;",
        "split a convolution into depthwise and pointwise, and predict the share of the 1×1;",
        "show that ConvNeXt's and the transformer's feed-forward layers are two 1×1 convolutions;",
        "turn a dense classifier into convolutions, slide it over a larger picture, and avoid two "
        "traps on the way;",
        "compute what a neuron of a deep layer sees.",
    ),
    (
        Bottleneck(),
        Inverted(),
        Shuffled(),
        SplitBill(),
        FeedForward(),
        SlideIt(),
        WhatItSees(),
        WrongSentences(),
        Explain(),
        AsKernel(),
    ),
)
