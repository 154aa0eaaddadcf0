"""Exercises for "Network in Network"."""

import math
from itertools import combinations

import numpy as np

from pointwise.exercises.channels import rows
from pointwise.exercises.core import Chapter, Function, Text, Value


def relu(a):
    return np.maximum(a, 0)


class OneColumn(Value):
    name = "one-column"
    title = "A small network at one pixel"
    points, minutes = 3, 6
    tests = "an mlpconv block at one pixel, on paper"
    objectives = (0,)
    text = """A k×k layer has left the answers `q.x` at one pixel, already rectified. Send them
through the rest of an mlpconv block: a 1×1 layer with the matrix `q.w1` and the bias `q.b1`, a
second one with `q.w2` and no bias, and a rectifier after each. What comes out?"""
    answer, form = "column", "(…, …, …), one number for each output"
    effort_range = (12, 12)

    def draw(self, dice):
        return {
            "x": dice.array(0, 4, 3), "w1": rows(dice.nonzero(2, 2, 3)),
            "b1": rows(dice.nonzero(4, 2)), "w2": rows(dice.nonzero(3, 3, 2)),
        }  # fmt: skip

    def effort(self, p):
        return p.w1.size + p.w2.size

    def grids(self, p):
        return [("q.w1", p.w1), ("q.x", p.x[:, None]), ("q.b1", p.b1[:, None]), ("q.w2", p.w2)]

    def sound(self, params):
        w1, b1, x = (np.array(params[name]["array"]) for name in ("w1", "b1", "x"))
        return (w1 @ x + b1 > 0).sum() == 1 and super().sound(params)

    def solve(self, p):
        return tuple(relu(p.w2 @ relu(p.w1 @ p.x + p.b1)).tolist())

    def mistakes(self, p):
        hidden = p.w1 @ p.x + p.b1
        return {
            "A rectifier stands between the two layers as well.": tuple(
                relu(p.w2 @ hidden).tolist()),
            "The second layer has its rectifier too.": tuple((p.w2 @ relu(hidden)).tolist()),
            "You forgot the bias.": tuple(relu(p.w2 @ relu(p.w1 @ p.x)).tolist()),
            "That is what the first 1×1 gives; the second follows.": tuple(relu(hidden).tolist()),
            "Without rectifiers it is one layer, not a network.": tuple((p.w2 @ hidden).tolist()),
        }  # fmt: skip


class OnWholeMaps(Function):
    name = "on-whole-maps"
    title = "The same on a whole map"
    points, minutes = 4, 10
    tests = "an mlpconv block's two 1×1 layers in code, in a given layout"
    objectives = (0,)
    text = """Write the two 1×1 layers of an mlpconv block, with a rectifier after each, for a
batch of maps. Use NumPy, and try it without a loop over pixels. The book's kernels and torch are
out of bounds."""
    answer = "two_layers"

    def arguments(self, p):
        return "x, w1, b1, w2, b2"

    def draw(self, dice):
        return {"last": dice.coin(), "turned": dice.coin()}

    def prompt(self, p):
        axes = "(N, H, W, C)" if p.last else "(N, C, H, W)"
        matrix = "(C_in, C_out)" if p.turned else "(C_out, C_in)"
        return (
            f"`x` and the result have the axes {axes}. Both matrices have the axes {matrix}; a "
            "bias has one number for each output."
        )

    def throw(self, p, dice):
        calls = []
        for n, c, middle, out in [(1, 3, 4, 2), (2, 4, 4, 4), (3, 2, 5, 3)]:
            high, wide = (c, c) if c == middle else (dice.integer(2, 6), dice.integer(2, 6))
            shape = (n, high, wide, c) if p.last else (n, c, high, wide)
            sizes = [(c, middle), (middle, out)]
            w1, w2 = (rows(dice.nonzero(3, *(size if p.turned else size[::-1]))) for size in sizes)
            b1, b2 = rows(dice.nonzero(5, middle)), rows(dice.nonzero(5, out))
            calls.append((dice.array(-4, 4, *shape), w1, b1, w2, b2))
        return calls

    def layer(self, p, x, w, b):
        w = w.T if p.turned else w
        if p.last:
            return x @ w.T + b
        return np.einsum("oc,nchw->nohw", w, x) + b[:, None, None]

    def solve(self, p, x, w1, b1, w2, b2):
        return relu(self.layer(p, relu(self.layer(p, x, w1, b1)), w2, b2))

    def mistakes(self, p):
        def without(first, last):
            def block(x, w1, b1, w2, b2):
                hidden = self.layer(p, x, w1, b1)
                y = self.layer(p, relu(hidden) if first else hidden, w2, b2)
                return relu(y) if last else y

            return block

        return {
            "A rectifier stands between the two layers as well.": without(False, True),
            "The second layer has its rectifier too.": without(True, False),
            "There is no rectifier at all.": without(False, False),
            "You forgot the biases.": lambda x, w1, b1, w2, b2: self.solve(
                p, x, w1, 0 * b1, w2, 0 * b2),
        }  # fmt: skip


class TheMean(Value):
    name = "the-mean"
    title = "What the mean saves"
    points, minutes = 3, 5
    tests = "global average pooling against a dense layer, in parameters"
    objectives = (2,)
    text = """Two ways from the last maps to the class scores: a dense layer on the flattened
maps, or a 1×1 to one map for each class and the mean of each map. Give the parameters of each,
biases included, and the parameters that the mean itself has."""
    answer, form = "parameters", "(dense, 1×1, mean)"
    parts = True

    def draw(self, dice):
        return {
            "c": 16 * dice.integer(4, 16), "side": dice.integer(5, 9),
            "classes": dice.choice([10, 20, 21, 43, 100]),
        }  # fmt: skip

    def prompt(self, p):
        shape = (p.c, p.side, p.side)
        return f"The last maps have the shape {shape}; there are {p.classes} classes."

    def solve(self, p):
        one = p.c * p.classes + p.classes
        return (p.c * p.side**2 * p.classes + p.classes, one, 0)

    def mistakes(self, p):
        dense, one, _ = self.solve(p)
        return {
            "You forgot the biases: one for each class.": (dense - p.classes, one - p.classes, 0),
            "A dense layer reads every number of the maps, pixels too.": (one, one, 0),
            "The 1×1 has the same weights at every pixel: count them once.": (dense, dense, 0),
            "A mean has nothing to learn.": (dense, one, p.classes),
            "You took the side of the map for the number of its pixels.": (
                p.c * p.side * p.classes + p.classes, one, 0),
            "One bias for each class, not one for each channel.": (
                dense - p.classes + p.c, one - p.classes + p.c, 0),
        }  # fmt: skip


class ReadTheMaps(Value):
    name = "read-the-maps"
    title = "Read the class maps"
    points, minutes = 2, 5
    tests = "scores from class maps, by hand"
    objectives = (2,)
    text = """The last layer has put out one map for each class, `q.maps`. Which class does the
network choose, counted from zero, and what is its score?"""
    answer, form = "choice", "(class, score)"
    tolerance = 0.01

    def draw(self, dice):
        return {"maps": dice.array(-4, 6, 3, 2, 2)}

    def grids(self, p):
        return [("q.maps", p.maps)]

    def solve(self, p):
        means = p.maps.mean(axis=(1, 2))
        return (int(means.argmax()), float(means.max()))

    def sound(self, params):
        maps = np.array(params["maps"]["array"])
        means, tops = maps.mean(axis=(1, 2)), maps.max(axis=(1, 2))
        ranked, peaks = np.sort(means), np.sort(tops)
        clear = ranked[-1] > ranked[-2] and peaks[-1] > peaks[-2] and ranked[-1] > 0
        return clear and means.argmax() != tops.argmax() and super().sound(params)

    def mistakes(self, p):
        winner, score = self.solve(p)
        tops = p.maps.max(axis=(1, 2))
        return {
            "That is the largest number of all maps; the mean decides.": (
                int(tops.argmax()), float(tops.max())),
            "Right class, and its largest number; the score is its mean.": (
                winner, float(tops[winner])),
            "That is the sum; a mean divides by the number of pixels.": (winner, 4.0 * score),
            "Classes are counted from zero.": (winner + 1, score),
            "The class comes first, then its score.": (score, winner),
        }  # fmt: skip


class CountABlock(Value):
    name = "count-a-block"
    title = "Count a block"
    points, minutes = 3, 7
    tests = "parameters and multiply-accumulates of an mlpconv block, and of its 1×1 layers alone"
    objectives = (3,)
    text = """Count the mlpconv block below: all its parameters, biases included; its
multiply-accumulates (MACs) on the map given, which padding keeps at its size; and how many of these
MACs belong to the two 1×1 layers."""
    answer, form = "counts", "(parameters, MACs, MACs of the 1×1 layers)"
    parts = True

    def draw(self, dice):
        a, b, c, d = (16 * n for n in dice.sample(range(2, 13), 4))
        return {"k": dice.choice([3, 5]), "widths": [a, b, c, d], "side": dice.choice([14, 16, 28])}

    def prompt(self, p):
        a, b, c, d = p.widths
        return (
            f"A {p.k}×{p.k} from {a} to {b} channels, a 1×1 to {c}, a 1×1 to {d}, on a map of "
            f"{p.side}×{p.side} pixels."
        )

    def counts(self, p, *, k=None, bias=1, area=None, flops=1):
        a, b, c, d = p.widths
        k, area = k or p.k**2, p.side**2 if area is None else area
        spatial, ones = k * a * b, b * c + c * d
        return (
            spatial + ones + bias * (b + c + d), flops * (spatial + ones) * area,
            flops * ones * area,
        )  # fmt: skip

    def solve(self, p):
        return self.counts(p)

    def mistakes(self, p):
        parameters, macs, ones = self.counts(p)
        _, _, c, d = p.widths
        bare = self.counts(p, area=1)
        return {
            "You counted FLOPs: half as many MACs.": self.counts(p, flops=2),
            "You forgot the biases: one for each output channel of each layer.": self.counts(
                p, bias=0),
            "A k×k window has k² weights for each pair of channels.": self.counts(p, k=p.k),
            "MACs are weights times all pixels of the map.": self.counts(p, area=p.side),
            "MACs are done anew at every pixel: multiply by the pixels of the map.": (
                parameters, bare[1], bare[2]),
            "The first layer is a k×k, not a third 1×1: its window has k² weights.": self.counts(
                p, k=1),
            "There are two 1×1 layers: count the MACs of both.": (
                parameters, macs, c * d * p.side**2),
            "Padding keeps the map at its size: no pixels are lost at the border.": self.counts(
                p, area=(p.side - p.k + 1) ** 2),
            "The k×k layer is not a 1×1 layer: leave it out of the last number.": (
                parameters, macs, macs),
            "Adding a bias is no multiplication.": (
                parameters, parameters * p.side**2, ones + (c + d) * p.side**2),
        }  # fmt: skip


class StuckAt(Value):
    name = "stuck-at"
    title = "The loss that does not move"
    points, minutes = 3, 5
    tests = "the loss of a network that says the same of every image, and where it went numb"
    objectives = (5,)
    text = """A network for the classes below, all equally frequent, is stuck: its loss does not
move. The table gives, for each rectifier from the first to the last, the share of its outputs above
zero and how much an output differs from image to image. Give the loss to four digits behind the
point, and the number of the first rectifier, counted from zero, behind which all images look
alike."""
    answer, form = "diagnosis", "(loss, number)"
    tolerance = 0.0002

    def draw(self, dice):
        depth = dice.integer(5, 8)
        numb = dice.integer(1, depth - 3)
        shares = [dice.integer(25, 75) for _ in range(depth)]
        dead = dice.integer(numb + 2, depth - 1)  # numb + 1 is what counting from one gives
        shares[dead] = 0
        spread = [dice.integer(11, 90) / 100 if k < numb else 0.0 for k in range(depth)]
        return {"classes": dice.integer(3, 60), "shares": shares, "spread": spread}

    def prompt(self, p):
        lines = ["| rectifier | share above zero | differs by |", "|---|---|---|"]
        for k, (share, spread) in enumerate(zip(p.shares, p.spread, strict=True)):
            lines.append(f"| {k} | {share}% | {spread:.2f} |")
        return f"There are {p.classes} classes.\n\n" + "\n".join(lines)

    def sound(self, params):
        return params["classes"] != 10 and super().sound(params)

    def solve(self, p):
        return (round(math.log(p.classes), 4), p.spread.index(0.0))

    def mistakes(self, p):
        loss, numb = self.solve(p)
        return {
            "The loss uses the natural logarithm, not that to base 2.": (
                round(math.log2(p.classes), 4), numb),
            "The loss uses the natural logarithm, not that to base 10.": (
                round(math.log10(p.classes), 4), numb),
            "2.3026 is ln 10; this network has other classes.": (2.3026, numb),
            "A rectifier may be dead because all is numb before it: look at the differences.": (
                loss, p.shares.index(0)),
            "Rectifiers are counted from zero, as in the table.": (loss, numb + 1),
            "That is the last rectifier at which the images still differ.": (loss, numb - 1),
            "That is the chance of a right guess, not the loss.": (
                round(1 / p.classes, 4), numb),
        }  # fmt: skip


SENTENCES = {
    # what is said: is it right, and why or why not
    "An mlpconv block is a small dense network, the same at every pixel.": (
        True, "the same weights take the numbers of each pixel's window through all its layers"),
    "The second and the third layer of an mlpconv block see no neighbours.": (
        True, "a 1×1 layer takes the channels of one pixel"),
    "Global average pooling has no parameters.": (
        True, "a mean has nothing to learn"),
    "No single linear filter can label a pixel by whether two signs agree.": (
        True, "the four cases lie crosswise, and no straight line parts them"),
    "Extra 1×1 layers help only where the data hold something for them to find.": (
        True, "they did on the chapter's signs, and showed no gain on its digits"),
    "A published NiN ends in the mean of one map for each class.": (
        True, "the mean of each class map is the score of its class"),
    "Network in Network is another name for a 1×1 convolution.": (
        False, "a 1×1 convolution is a layer, and Network in Network a whole network"),
    "The paper of 2013 was the first to slide a dense layer over a picture.": (
        False, "that was done before, in 1992 for example"),
    "Extra 1×1 layers always raise the accuracy.": (
        False, "on the digits, networks with and without them differ by less than runs of one"),
    "1×1 layers reduce over-fitting, because they save parameters.": (
        False, "in the runs with equal parameters the gap was wider with them"),
    "A rectifier on the class scores cannot stop a network from learning.": (
        False, "where it holds a score at zero, no gradient comes through"),
    "The network that popular courses call NiN is the one in the paper.": (
        False, "the paper's has other blocks and widths, and smaller images"),
}  # fmt: skip


def is_right(sentence):
    return SENTENCES[sentence][0]


class WrongSentences(Value):
    name = "wrong-sentences"
    title = "Which sentences are wrong?"
    points, minutes = 3, 5
    tests = "what Network in Network is, who did what, and what the runs showed"
    objectives = (1, 3, 4)
    text = """The sentences below are what people say. Which are wrong, or go further than the
chapter's runs allow? Give their numbers, in any order."""
    answer, form = "wrong", "such as (0, 3)"
    unordered = True

    def draw(self, dice):
        return {"sentences": dice.sample(list(SENTENCES), 6)}

    def sound(self, params):
        wrong = [not is_right(s) for s in params["sentences"]]
        return 2 <= sum(wrong) <= 4 and super().sound(params)

    def prompt(self, p):
        return "\n".join(f"- **{k}.** {sentence}" for k, sentence in enumerate(p.sentences))

    def solve(self, p):
        return tuple(k for k, sentence in enumerate(p.sentences) if not is_right(sentence))

    def mistakes(self, p):
        return {
            "Those are the sentences that are right.": tuple(
                k for k, sentence in enumerate(p.sentences) if is_right(sentence)),
            "Sentences are counted from zero.": tuple(k + 1 for k in self.solve(p)),
        }  # fmt: skip

    def hints(self, p):
        """Add one for every other choice: why a sentence in it is right, or that some are missing.

        None of them says how many are wrong.
        """
        wrong, found = self.solve(p), dict.fromkeys([()], "Some of them are wrong.")
        places = range(len(p.sentences))
        for chosen in (c for size in places for c in combinations(places, size + 1)):
            right = next((k for k in chosen if k not in wrong), None)
            if right is not None:
                found[chosen] = f"Sentence {right} is right: {SENTENCES[p.sentences[right]][1]}."
            elif chosen != wrong:
                found[chosen] = "What you found is wrong indeed. It is not all that is wrong."
        for hint, chosen in self.mistakes(p).items():
            found[chosen] = f"{hint} Or: {found[chosen]}" if chosen in found else hint
        return list(found.items())


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "answering in words what people say about Network in Network"
    objectives = (1, 4, 5)
    text = """Somebody says the sentence below. Explain in three or four sentences what is wrong
with it. One point each for: what is really so; a number or an example that shows it (from the
chapter or your own); what is true in the sentence, or when it would be true."""

    def draw(self, dice):
        return {
            "claim": dice.choice(["name", "better", "stuck"]),
            "classes": dice.choice([5, 7, 20, 26]),
        }

    def claim(self, p):
        return {
            "name": "A 1×1 convolution, also known as Network in Network, was invented in 2013.",
            "better": "Put two 1×1 layers behind each k×k layer: the network gets better.",
            "stuck": f"My network for {p.classes} classes stays at a loss of "
            f"{math.log(p.classes):.4f}, so my learning rate is too small.",
        }[p.claim]

    def prompt(self, p):
        return f"> *“{self.claim(p)}”*"

    def model(self, p):
        return {
            "name": "A 1×1 convolution is a layer. Network in Network is a whole network: blocks "
            "of a k×k and two 1×1 layers, and the mean of the class maps at the end. Dense layers "
            "were slid over larger pictures before, in 1992 for example, and a slid dense layer is "
            "a 1×1 convolution. What is true: the paper made the layer known, and used it in a new "
            "place.",
            "better": "It depends on what there is to find. On the chapter's pixels, labelled by "
            "whether two signs agree, a linear filter stays at chance and the block gets all "
            "right. On the small digits, networks with 0, 1 and 2 extra layers differ by less than "
            "the runs of one network. So it is true where the label asks for a nonlinear relation "
            "of channels at a pixel.",
            "stuck": f"{math.log(p.classes):.4f} is ln {p.classes}, the loss of a network that "
            "gives all classes the same score for every image. The number alone does not say why: "
            "look at what every rectifier lets through, and how much it differs from image to "
            "image. If all images look alike behind some layer, start with larger weights (He) or "
            "with batch normalisation; and put no rectifier on the scores. What is true: the rate "
            "can be the cause. In the chapter, though, it was a rate too large, 0.1 for 0.02, that "
            "left two of five seeds at chance. And Adam, which scales each step, got the network "
            "with the small weights going.",
        }[p.claim]


class PlanARun(Text):
    name = "plan-a-run"
    title = "Plan an experiment (stretch)"
    points, minutes = 3, 12
    tests = "planning runs that could show whether the extra layers help"
    objectives = (4,)
    text = """Plan an experiment for the question below; you need not run it. One point each for:
what is compared with what, and what both have in common; how many runs, and what result would count
as an answer; what the result could not tell."""

    def draw(self, dice):
        return {
            "data": dice.choice(["satellite pictures with six bands", "grey X-ray pictures",
                                 "colour photographs of leaves", "sound as a spectrogram"]),
            "classes": dice.integer(4, 30),
            "extra": dice.choice([1, 2, 3]),
        }  # fmt: skip

    def prompt(self, p):
        layers = "layer" if p.extra == 1 else "layers"
        return (
            f"Do {p.extra} extra 1×1 {layers} behind every 3×3 help to tell {p.classes} classes of "
            f"{p.data} apart?"
        )

    def model(self, p):
        return (
            f"Compare a network with {p.extra} extra 1×1 behind each 3×3 with one that has none, "
            "at the same number of parameters, so that a wider plain network is the rival. Same "
            "images, split, epochs and optimiser; at least five seeds of each, test accuracy of "
            "every run shown. It counts as an answer if the two groups of runs do not overlap, or "
            "if the means lie further apart than the runs of one network spread. The result holds "
            f"for these {p.data}, this size and this training; it cannot tell whether longer "
            "training, other data or a larger network would turn it round."
        )


CHAPTER = Chapter(
    "network-in-network",
    "Network in Network",
    (
        "build an mlpconv block as a small dense network at one pixel, and as convolutions on a "
        "whole map, with equal outputs;",
        "say what Network in Network is and what a 1×1 convolution is, and who did what;",
        "replace a dense layer by global average pooling, count what that saves, and read a class "
        "map;",
        "recompute the published networks, and tell them from the one in popular courses;",
        "say when the extra layers help, from runs that you can repeat;",
        "diagnose and mend a network whose loss stays at ln 10.",
    ),
    (
        OneColumn(),
        OnWholeMaps(),
        TheMean(),
        ReadTheMaps(),
        CountABlock(),
        StuckAt(),
        WrongSentences(),
        Explain(),
        PlanARun(),
    ),
)
