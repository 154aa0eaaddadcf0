"""Exercises for "Claims on trial"."""

import numpy as np

from pointwise.claims import LEDGER, OPEN, RIGHT, RIGHT_IF, WRONG
from pointwise.exercises.channels import rows
from pointwise.exercises.core import Chapter, Function, Text, Value, namespace
from pointwise.shapes import out_size

# What a sentence of `GiveVerdicts` says, and whether it holds in a case.
TRIALS = {
    "channels": (
        "As many channels come out of a 1×1 layer as go in.",
        "{0} channels in, {1} filters",
        lambda c, f: c == f,
    ),
    "size": (
        "The side of the output is (n − f + 1)/stride; nothing is padded.",
        "n = {0}, f = {1}, stride {2}",
        lambda n, f, s: (n - f + 1) % s == 0 and (n - f + 1) // s == out_size(n, f, s),
    ),
    "saving": (
        "To go through r channels by a 1×1 takes fewer weights than the k×k layer alone.",
        "{0} → {1} channels, k = {2}, r = {3}, no biases",
        lambda c, d, k, r: c * r + k * k * r * d < k * k * c * d,
    ),
    "25th": (
        "A 1×1 layer in the place of a 5×5 has 1/25 of its parameters.",
        "{0} → {1} channels, {2}",
        lambda c, d, bias: bias == "no biases",
    ),
    "shape": (
        "A 1×1 layer keeps height and width.",
        "{0}×{0} pixels, stride {1}, padding {2}",
        lambda n, s, pad: out_size(n, 1, s, pad) == n,
    ),
}
NOTHING = {  # sentences that nothing within reach decides
    "The network on the photograph of this page had about {0} active features.": (100, 900),
    "With the reduction, says a slide whose number our copy has lost, it is {0} million.": (3, 90),
    "On the machine of the answer's author the layer took {0} ms.": (2, 60),
}


class GiveVerdicts(Value):
    name = "verdicts"
    title = "Give the verdicts"
    points, minutes = 4, 8
    tests = "trying a sentence in two cases, and letting the verdict follow"
    objectives = (0, 1)
    text = """Each sentence is tried in two cases. Compute whether it holds: in both it is
`"right"`, in the first alone `"right if"`, in neither `"wrong"`; where there is nothing to compute
it is `"cannot be known"`. Judge by these cases alone, whatever others may show."""
    answer, form = "verdicts", "four words, in the order of the list"
    parts = True

    def case(self, dice, kind, holds):
        """Throw one case in which a sentence holds, or one in which it does not."""
        while True:
            c, d = dice.sample([16, 24, 32, 48, 64, 96, 128], 2)
            case = {
                "channels": [c, c if holds else d],
                "size": [dice.integer(14, 40), dice.choice([3, 5]), dice.choice([2, 3])],
                "saving": [c, d, dice.choice([3, 4, 5]), dice.integer(8, c)],
                "25th": [c, d, "no biases" if holds else "biases in both"],
                "shape": [dice.integer(14, 40), 1, 0] if holds
                else [dice.integer(14, 40), *dice.choice([(2, 0), (1, 1), (3, 0)])],
            }[kind]  # fmt: skip
            if TRIALS[kind][2](*case) == holds:
                return case

    def draw(self, dice):
        found = []
        words = [*dice.sample([RIGHT, RIGHT_IF, WRONG], 3), dice.choice([RIGHT_IF, WRONG, OPEN])]
        kinds = dice.sample(TRIALS, 4)
        for kind, word in zip(kinds, dice.sample(words, 4), strict=True):
            if word == OPEN:
                says = dice.choice(sorted(NOTHING))
                found.append(["", says.format(dice.integer(*NOTHING[says]))])
                continue
            holds = {RIGHT: (True, True), RIGHT_IF: (True, False), WRONG: (False, False)}[word]
            found.append([kind, *(self.case(dice, kind, h) for h in holds)])
        return {"trials": found}

    def prompt(self, p):
        lines = ["| | sentence | first case | second case |", "|---|---|---|---|"]
        for number, (kind, *cases) in enumerate(p.trials):
            if kind:
                says, form, _ = TRIALS[kind]
                shown = [form.format(*case) for case in cases]
            else:
                says, shown = cases[0], ["none at hand", "none at hand"]
            lines.append(f"| {number} | {says} | {shown[0]} | {shown[1]} |")
        return "\n".join(lines)

    def held(self, p):
        return [
            [TRIALS[kind][2](*case) for case in cases] if kind else None
            for kind, *cases in p.trials
        ]

    def words(self, held):
        return tuple(OPEN if pair is None else (WRONG, RIGHT_IF, RIGHT)[sum(pair)] for pair in held)

    def solve(self, p):
        return self.words(self.held(p))

    def mistakes(self, p):
        right = self.solve(p)

        def told(**change):
            return tuple(change.get(word.replace(" ", "_"), word) for word in right)

        found = {
            "A sentence that holds in one of two cases is right under a condition.": told(
                right_if=WRONG),
            "One good case does not make a sentence right: look at the ordinary one.": told(
                right_if=RIGHT),
            "A sentence that fails in both cases has no condition that saves it here.": told(
                wrong=RIGHT_IF),
            "A sentence that holds in both cases needs no condition.": told(right=RIGHT_IF),
            "Right and wrong have changed places.": told(right=WRONG, wrong=RIGHT),
        }  # fmt: skip
        if OPEN in right:
            found["Where nothing decides, nobody knows: that is neither right nor wrong."] = told(
                cannot_be_known=WRONG
            )
        return found


CONDITIONS = {
    "It collapses all channels of a pixel into a single number.": "there is one filter",
    "At stride 1, 3×3 windows without padding turn 28×28×8 into 26×26×8.": (
        "the layer has 8 filters"
    ),
    "The kernel is a v×v matrix.": "the input has one channel",
    "It maps each input pixel to one output pixel.": "the stride is 1 and nothing is padded",
    "At stride 2, the output size is (n − f + 1)/2 without padding.": "that is a whole number",
    "1×1 instead of 5×5 leaves 1/25 of the parameters.": "biases are left out",
    "The cost of computation is proportional to the number of weights.": "all maps have one size",
    "A 1×1 in front of a layer lowers the number of parameters.": (
        "the middle is narrower than the break-even"
    ),
    "What comes out of a filter is never negative.": "a ReLU stands behind it",
    "Training makes the outputs hold as much variance as they can.": (
        "the loss asks for reconstruction"
    ),
    "The 1×1 does most of the multiplications of a separable 3×3 layer.": (
        "there are clearly more than nine channels"
    ),
}


class NameTheCondition(Value):
    name = "conditions"
    title = "Right if"
    points, minutes = 3, 5
    tests = "naming the condition behind a sentence that is right only sometimes"
    objectives = (1,)
    text = """Each sentence is right under one of the conditions below it; one condition is left
over. Which condition belongs to which sentence? Give the numbers of the conditions, in the order
of the sentences."""
    answer, form = "conditions", "four numbers, such as (2, 0, 4, 1)"
    parts = True

    def draw(self, dice):
        chosen = dice.sample(CONDITIONS, 5)
        return {
            "sentences": chosen[:4],
            "conditions": dice.sample([CONDITIONS[says] for says in chosen], 5),
        }

    def sound(self, params):
        """A few filters are a narrow middle, too: that must not be what is left over."""
        needed = {CONDITIONS[says] for says in params["sentences"]}
        left = next(what for what in params["conditions"] if what not in needed)
        narrow = any("in front" in says for says in params["sentences"])
        return not (narrow and "filter" in left) and super().sound(params)

    def prompt(self, p):
        sentences = "\n".join(f"- *{says}*" for says in p.sentences)
        conditions = "\n".join(f"- ({k}) if {what}" for k, what in enumerate(p.conditions))
        return f"{sentences}\n\nThe conditions:\n\n{conditions}"

    def solve(self, p):
        return tuple(p.conditions.index(CONDITIONS[says]) for says in p.sentences)

    def mistakes(self, p):
        right = self.solve(p)
        left = next(k for k in range(5) if k not in right)
        found = {
            "They are counted from zero.": tuple(k + 1 for k in right),
            "That tells which sentence each condition belongs to; it is asked the other way.": (
                tuple(right.index(k) if k in right else 4 for k in range(4))),
        }  # fmt: skip
        for place, says in enumerate(p.sentences):
            wrong = (*right[:place], left, *right[place + 1 :])
            found[f"One does not help its sentence: “{says}” fails without another."] = wrong
        # The other way round may come to the same, and then it is no mistake.
        return {hint: value for hint, value in found.items() if value != right}


class Counterexamples(Value):
    name = "counterexamples"
    title = "The smallest counterexamples"
    points, minutes = 4, 9
    tests = "finding the case in which a sentence fails"
    objectives = (0, 2)
    text = """Four sentences, each with a number left open. Give for each the **smallest** number
for which the sentence fails, under the bound that stands there."""
    answer, form = "smallest", "four whole numbers"
    parts = True

    def draw(self, dice):
        c, d = dice.sample([32, 48, 64, 96, 128, 160, 192, 256], 2)
        stride = dice.choice([3, 4])
        f = dice.choice([3, 5, 7])
        return {
            "c": c, "d": d, "k": dice.choice([3, 4, 5]), "f": f, "stride": stride,
            # the first side is one that divides
            "n": f - 1 + stride * dice.integer(4, 12), "m": dice.choice([12, 20, 24, 36, 40, 56]),
            "seen": dice.integer(60, 220),
        }  # fmt: skip

    def sound(self, params):
        return params["m"] not in (params["c"], params["d"]) and super().sound(params)

    def prompt(self, p):
        return (
            f"- (0) *For a window of {p.f} and stride {p.stride}, without padding, the output size "
            f"is (n − {p.f} + 1)/{p.stride}.* The side n is at least {p.n}.\n"
            f"- (1) *From {p.c} to {p.d} channels, it takes fewer weights to go through r "
            f"channels by a 1×1 than to apply the {p.k}×{p.k} layer alone.* No biases; r is at "
            "least 1.\n"
            f"- (2) *A 1×1 layer on {p.m} channels with F filters lowers the number of channels.* "
            "F is at least 1.\n"
            f"- (3) *The corner neuron sees more than a quarter of the picture.* It sees "
            f"{p.seen}×{p.seen} pixels of a square picture, whose side is at least {p.seen}."
        )

    def solve(self, p):
        n = p.n
        while (n - p.f + 1) % p.stride == 0:
            n += 1
        r = 1
        while p.c * r + p.k**2 * r * p.d < p.k**2 * p.c * p.d:
            r += 1
        return (n, r, p.m, 2 * p.seen)

    def mistakes(self, p):
        n, r, filters, side = self.solve(p)
        return {
            "At the first side the rule gives a whole number, and it is the right one.": (
                n - 1, r, filters, side),
            "There the pair still saves; one channel more, and it does not.": (
                n, r - 1, filters, side),
            "You compared the k×k layers alone: the 1×1 has weights, too.": (
                n, p.c, filters, side),
            "You swapped C_in and C_out in the break-even.": (
                n, -(-p.k**2 * p.c * p.d // (p.d + p.k**2 * p.c)), filters, side),
            "As many out as in is no fewer: F = C is the smallest that fails.": (
                n, r, filters + 1, side),
            "A quarter of the picture is half of each side.": (n, r, filters, 4 * p.seen),
            "At twice the side it sees exactly a quarter, and that is not more.": (
                n, r, filters, side + 1),
        }  # fmt: skip


class CouldItBe(Function):
    name = "could-it-be"
    title = "Decide a claim by a function"
    points, minutes = 5, 12
    tests = "trying the sentence “a 1×1 layer made this” on given numbers"
    objectives = (0, 2)
    text = """Somebody claims: *each of these output channels comes from a 1×1 layer.* Write the
function below with NumPy. It returns an array with one number for each output channel: 1 where
some weights, the same at every pixel, give the channel exactly; 0 where no weights do. There are
more pixels than input channels. `np.linalg.lstsq` finds the best weights; rounding errors are
smaller than a millionth."""
    answer = "could_it_be"

    def arguments(self, p):
        return "x, y"

    def draw(self, dice):
        return {"last": dice.coin(), "bias": dice.coin()}

    def prompt(self, p):
        axes = ("(H, W, C)", "(H, W, F)") if p.last else ("(C, H, W)", "(F, H, W)")
        bias = "and a bias for each channel" if p.bias else "and no bias"
        return (
            f"Write `could_it_be(x, y)`. The input `x` has the axes {axes[0]}, the output `y` the "
            f"axes {axes[1]}. The layer has stride 1, no padding, nothing behind it, {bias}."
        )

    def throw(self, p, dice):
        calls = []
        for c in (2, 3, 3, 2, 4):
            high, wide = dice.integer(4, 6), dice.integer(4, 6)
            x = dice.array(-6, 6, c, high, wide)
            mix = np.einsum("fc,chw->fhw", rows(dice.nonzero(4, 4, c)), x)
            mean = x.sum(axis=0)
            kinds = [
                mix[0], mix[1] + dice.integer(2, 9), mean, 2 * x[0], np.maximum(mix[2], 0),
                np.roll(mix[3], 1, axis=1), x.max(axis=0), x[0] * x[1], np.flip(mix[0], 0),
            ]  # fmt: skip
            y = np.stack([kinds[0], kinds[1], *dice.sample(kinds[2:], 4)])
            y = y[dice.sample(range(len(y)), len(y))]
            if p.last:
                x, y = x.transpose(1, 2, 0), y.transpose(1, 2, 0)
            calls.append((np.ascontiguousarray(x), np.ascontiguousarray(y)))
        return calls

    def fits(self, p, x, y, bias=None):
        """Which columns of y are linear in the columns of x?"""
        x = np.c_[x, np.ones(len(x))] if (p.bias if bias is None else bias) else x
        best = np.linalg.lstsq(x.astype(float), y.astype(float))[0]
        return (abs(x @ best - y).max(axis=0) < 1e-6).astype(np.int64)

    def columns(self, p, x):
        """One row for each pixel, one column for each channel."""
        return (x if p.last else x.transpose(1, 2, 0)).reshape(-1, x.shape[2 if p.last else 0])

    def solve(self, p, x, y):
        return self.fits(p, self.columns(p, x), self.columns(p, y))

    def mistakes(self, p):
        def single(x, y):
            x, y = self.columns(p, x), self.columns(p, y)
            found = [self.fits(p, x[:, [k]], y) for k in range(x.shape[1])]
            return np.max(found, axis=0)

        def average(x, y):
            return self.fits(p, self.columns(p, x).sum(axis=1)[:, None], self.columns(p, y))

        def other(x, y):
            return self.fits(p, self.columns(p, x), self.columns(p, y), bias=not p.bias)

        bias = "You forgot the bias." if p.bias else "This layer has no bias."
        return {
            bias: other,
            "You took one input channel at a time: a 1×1 layer mixes them.": single,
            "A 1×1 layer is any weighted sum, not the average alone.": average,
            "It is turned round: 1 where weights are found.": lambda x, y: 1 - self.solve(p, x, y),
        }


class Printed(Value):
    name = "printed"
    title = "How far off is it?"
    points, minutes = 3, 8
    tests = "recomputing a printed figure, and saying how far it is off"
    objectives = (3,)
    text = """Recompute each figure, and give by how many per cent the **printed** one is off: with
its sign, to one decimal, as in the chapter's table. A minus says that too little is printed.
Weights are counted without biases; K is the unit that stands in the line."""
    answer, form = "off_by", "three numbers, such as (-6.9, 5.3, 0.4)"
    parts, tolerance = True, 0.06

    def draw(self, dice):
        found = []
        for unit in dice.sample(["K = 1024", "K = 1000", "million MACs"], 3):
            c, d = dice.sample([48, 64, 96, 112, 128, 160, 192, 256], 2)
            line = [unit, dice.choice([1, 3, 5, 7]), c, d, dice.choice([14, 28, 56])]
            percent = dice.choice([-1, 1]) * dice.integer(20, 600)
            figure = self.count(line) * (1000 + percent) / 1000
            found.append([*line, f"{figure:.0f}" if figure > 40 else f"{figure:.1f}"])
        return {"lines": found}

    def count(self, line):
        unit, k, c, d, side = line[:5]
        weights = k * k * c * d
        if unit == "million MACs":
            return weights * side * side / 1e6
        return weights / int(unit.split("= ")[1])

    def prompt(self, p):
        lines = ["| | layer | what | printed |", "|---|---|---|---|"]
        for number, (unit, k, c, d, side, printed) in enumerate(p.lines):
            what = unit if unit == "million MACs" else f"weights, {unit}"
            layer = f"{k}×{k}, {c} → {d}, output {side}×{side}"
            lines.append(f"| {number} | {layer} | {what} | {printed} |")
        return "\n".join(lines)

    def off(self, p, factor=lambda line: 1):
        return tuple(
            100 * (float(line[5]) / (self.count(line) * factor(line)) - 1) for line in p.lines
        )

    def sound(self, params):
        found = self.off(namespace(params))
        return min(abs(value) for value in found) > 0.3 and super().sound(params)

    def solve(self, p):
        return self.off(p)

    def mistakes(self, p):
        right = self.off(p)

        def kilo(line):
            return {"K = 1024": 1.024, "K = 1000": 1 / 1.024}.get(line[0], 1)

        return {
            "The sign is turned round: a minus says that too little is printed.": tuple(
                -value for value in right),
            "You divided by the printed figure; the counted one is the measure.": tuple(
                100 * (1 - self.count(line) / float(line[5])) for line in p.lines),
            "That is the ratio in per cent; subtract 100.": tuple(value + 100 for value in right),
            "You gave parts, not per cent.": tuple(value / 100 for value in right),
            "You took one K for the other.": self.off(p, kilo),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": self.off(
                p, lambda line: 2 if line[0] == "million MACs" else 1),
            "You left out the window: k·k weights for each pair of channels.": self.off(
                p, lambda line: 1 / line[1] if line[1] > 1 else 2),
            "You gave the difference itself; per cent of the counted figure are asked for.": tuple(
                float(line[5]) - self.count(line) for line in p.lines),
        }  # fmt: skip


LOOKED_UP = {entry.says: entry for entry in LEDGER if len(entry.numbers) == 1}


class LookItUp(Value):
    name = "look-it-up"
    title = "Look it up"
    points, minutes = 2, 5
    tests = "finding a claim, its verdict and its address"
    objectives = (4,)
    text = """Find the two claims below on the chapter's page; the table of its group has each.
Give their numbers and their verdicts, and for the **second** the end of the address that you would
send to somebody: the part from the sign `#` on, as your browser shows it when you follow the
number."""
    answer, form = "found", '(number, "verdict", number, "verdict", "#…")'

    def draw(self, dice):
        return {"says": dice.sample(sorted(LOOKED_UP), 2)}

    def prompt(self, p):
        return "\n\n".join(f"> *“{says}”*" for says in p.says)

    def solve(self, p):
        first, second = (LOOKED_UP[says] for says in p.says)
        number = second.numbers[0]
        return (
            first.numbers[0], first.written_for, number, second.written_for, f"#claim-{number}",
        )  # fmt: skip

    def mistakes(self, p):
        one, first, two, second, address = self.solve(p)

        def other(word):
            return RIGHT if word in (RIGHT_IF, OPEN) else RIGHT_IF

        return {
            "The numbers are right; read the first verdict once more.": (
                one, other(first), two, second, address),
            "The numbers are right; read the second verdict once more.": (
                one, first, two, other(second), address),
            "The address needs the word before the number: #claim-…": (
                one, first, two, second, f"#{two}"),
            "The address begins with the sign #.": (one, first, two, second, f"claim-{two}"),
            "The two have changed places.": (two, second, one, first, f"#claim-{one}"),
            "The address is asked for the second claim.": (
                one, first, two, second, f"#claim-{one}"),
        }  # fmt: skip


FRIENDS = {  # a sentence, and what to answer
    "It is used to reduce the number of parameters.": (
        "Right **if** the middle is narrow enough. A 1×1 adds weights of its own, C·r, and makes "
        "the next layer cheaper; the pair saves only below the break-even. In front of a wide "
        "4×4 layer it holds through a quarter of the channels, and fails through all but one of "
        "them. An honest sentence: a 1×1 to few channels, in front of an expensive layer, lowers "
        "the number of parameters. Without a layer behind it there is nothing to save."
    ),
    "The output size is (n − f + 1)/stride.": (
        "Right **if** that is a whole number and nothing is padded. It holds for side 28, window 3 "
        "and stride 1 or 2; it fails for side 27, window 3 and stride 2, where it gives a fraction "
        "of a pixel. That it came out in three examples shows that it can hold, not that it does. "
        "An honest sentence: ⌊(n − f)/stride⌋ + 1, the number of places where the window can "
        "start."
    ),
    "At bottom, it averages the channels.": (
        "**Wrong**. It forms a weighted sum, and the weights are free: they may be negative, add "
        "up to anything, or pick one channel. One pixel with the channels (2, 5) and the weights "
        "(1, −1) shows it: −3 is no average of 2 and 5. All weights 1/C is one choice among all; "
        "a case invented to save the sentence does not count, and no condition that people have in "
        "mind makes it right."
    ),
    "It handles each channel of each pixel by itself.": (
        "**Wrong**, and half of it is right: each *pixel* is handled by itself. Move one input "
        "channel and every output with a weight for it follows; spoil a neighbouring pixel and "
        "nothing does. What handles each channel by itself is the depthwise layer. No ordinary "
        "1×1 layer meets a condition that would save the sentence, except one with a diagonal "
        "matrix, which nobody means."
    ),
}


class Explain(Text):
    name = "explain"
    title = "Answer a friend"
    points, minutes = 3, 8
    tests = "verdict, condition and counterexample in words"
    objectives = (0, 1, 2)
    text = """A friend who learns from a good source sends you the sentence below. Answer in four or
five sentences: your verdict, a case in which the sentence holds or the reason why there is none,
a case in which it fails, and a sentence that you would put in its place. (One point for the
verdict, one for the cases, one for the better sentence or the reason.)"""

    def draw(self, dice):
        return {"says": dice.choice(sorted(FRIENDS))}

    def prompt(self, p):
        return f"> *“{p.says}”*"

    def model(self, p):
        return FRIENDS[p.says]


PLACES = {
    "in a tutorial or a blog post": "on the number of channels, such as “it reduces depth”",
    "in the documentation of a library": "on shapes or groups, such as a rule for sizes",
    "in the abstract or the introduction of a paper": "on cost, such as “negligible overhead”",
    "on the slides of a course": "on what a layer learns or on what it is for",
}


class YourOwn(Text):
    name = "your-own"
    title = "Stretch: a claim of your own"
    points, minutes = 5, 20
    tests = "a trial from beginning to end, on a sentence that nobody has tried for you"
    objectives = (0, 1, 2, 3)
    text = """Find a sentence or a printed figure on 1×1 convolutions that is not among those of the
chapter, in the place named below. Say where it stands, tell it in your words, and try it: say in
which setting it speaks, compute one case in which it must hold and one ordinary case in which it
may fail, and give the verdict by the rule. Which case is an ordinary one is your judgement: defend
it. (One point each: source, setting, first case, second case, verdict.)"""

    def draw(self, dice):
        return {"place": dice.choice(sorted(PLACES))}

    def prompt(self, p):
        return f"Look {p.place}."

    def model(self, p):
        return (
            f"There are many; {p.place} one often finds a sentence {PLACES[p.place]}. A full "
            "answer has five things: an address or a page that a reader can open; the sentence in "
            "other words, with the kind of layer and network that it speaks of; a case in which it "
            "must hold, with numbers that were computed; an ordinary case, with numbers, that the "
            "writer would accept as one; and the word that follows from the two, *right*, *right "
            "if* with the condition named, *wrong*, or *cannot be known* with the reason. A "
            "verdict that was there before the cases earns no point for itself."
        )


CHAPTER = Chapter(
    "claims",
    "Claims on trial",
    (
        "try a sentence yourself: one case in which it must hold, one in which it may fail;",
        "tell *right* from *right if*, and name the condition;",
        "give a counterexample to each of the wrong ones;",
        "recompute the figures of papers and courses, and say how far off a printed one is;",
        "look up one claim, and send somebody a link to it.",
    ),
    (
        GiveVerdicts(),
        NameTheCondition(),
        Counterexamples(),
        CouldItBe(),
        Printed(),
        LookItUp(),
        Explain(),
        YourOwn(),
    ),
)
