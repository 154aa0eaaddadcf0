"""Exercises for "Inception and its reductions"."""

import numpy as np

from pointwise.conv import conv1x1
from pointwise.exercises.channels import rows
from pointwise.exercises.core import Chapter, Function, Text, Value, namespace
from pointwise.pool import max_pool2d


class NaiveWidth(Value):
    name = "naive-width"
    title = "How wide naive modules grow"
    points, minutes = 2, 5
    tests = "what a naive module hands on, and what the projection changes"
    objectives = (0,)
    text = """Three naive modules stand one behind the other. The table gives what their
convolution branches put out. How many channels leave each of the three? And how many leave the
third one if all three modules have their 1×1 projections behind the pooling?"""
    answer, form = "channels_out", "(first, second, third, third with projections)"
    parts = True

    def draw(self, dice):
        modules = [
            [8 * dice.integer(4, 16), 8 * dice.integer(6, 24), 8 * dice.integer(1, 6),
             8 * dice.integer(2, 8)] for _ in range(3)
        ]  # fmt: skip
        return {"c_in": 16 * dice.integer(4, 14), "modules": modules}

    def prompt(self, p):
        lines = [
            f"{p.c_in} channels enter the first module.\n",
            "| module | 1×1 | 3×3 | 5×5 | projection |", "|---|---|---|---|---|",
        ]  # fmt: skip
        for k, widths in enumerate(p.modules, 1):
            lines.append(f"| {k} | " + " | ".join(map(str, widths)) + " |")
        return "\n".join(lines)

    def grown(self, p, pooled=None):
        """Channels behind each naive module; `pooled` overrides what the pooling hands on."""
        found, channels = [], p.c_in
        for one, three, five, _ in p.modules:
            channels = one + three + five + (channels if pooled is None else pooled)
            found.append(channels)
        return tuple(found)

    def solve(self, p):
        return (*self.grown(p), sum(p.modules[-1]))

    def mistakes(self, p):
        first, second, third, lean = self.solve(p)
        alone = self.grown(p, pooled=0)
        return {
            "You left out the pooling: it hands on every channel that it gets.": (*alone, lean),
            "Each module pools what the one before it puts out, not the first input again.": (
                *self.grown(p, pooled=p.c_in), lean),
            "Behind a projection the pooling branch has the projection's channels alone.":
                (first, second, third, third + p.modules[-1][3]),
            "The projection's own channels are part of what leaves.": (
                first, second, third, alone[-1]),
        }  # fmt: skip


class OneAtATime(Value):
    name = "one-at-a-time"
    title = "One reduction at a time"
    points, minutes = 4, 9
    tests = "what each reduction saves and costs, in this module and in the next"
    objectives = (0, 1)
    text = """A naive module gets its 1×1 layers one at a time. How many MACs does the reduction
before the 3×3 save; how many the one before the 5×5; how many does the projection behind the
pooling **cost**; and how many does the projection save in the **next** module? That module has its
reductions and its projection already, and works on a map of the same size. All is padded; biases
count nothing."""
    answer, form = "macs", "(saved at the 3×3, saved at the 5×5, cost, saved in the next)"
    parts = True

    def draw(self, dice):
        c_in = 16 * dice.integer(10, 24)
        return {
            "c_in": c_in, "side": dice.choice([7, 14, 28]),
            "three": [16 * dice.integer(3, 6), 16 * dice.integer(8, 14)],
            "five": [8 * dice.integer(2, 4), 16 * dice.integer(3, 6)],
            "projection": 16 * dice.integer(2, 4), "one": 16 * dice.integer(4, 10),
            "outputs": [16 * dice.integer(9, 16), 16 * dice.integer(3, 8)],
            "next": [16 * dice.integer(4, 10), 16 * dice.integer(4, 8), 8 * dice.integer(2, 4),
                     16 * dice.integer(2, 4)],
        }  # fmt: skip

    def prompt(self, p):
        one, three, five, pool = p.next
        return (
            f"The module reads {p.c_in} channels on a {p.side}×{p.side} map.\n\n"
            "| | 1×1 | before the 3×3 | 3×3 | before the 5×5 | 5×5 | projection |\n"
            "|---|---|---|---|---|---|---|\n"
            f"| this module | {p.one} | {p.three[0]} | {p.three[1]} | {p.five[0]} | {p.five[1]} | "
            f"{p.projection} |\n"
            f"| the next | {one} | {three} | {p.outputs[0]} | {five} | {p.outputs[1]} | {pool} |"
        )

    def saved(self, p, k, widths):
        r, c_out = widths
        return p.side**2 * (k * k * p.c_in * c_out - p.c_in * r - k * k * r * c_out)

    def solve(self, p):
        spared = p.side**2 * (p.c_in - p.projection) * sum(p.next)
        return (
            self.saved(p, 3, p.three), self.saved(p, 5, p.five),
            p.side**2 * p.c_in * p.projection, spared,
        )  # fmt: skip

    def mistakes(self, p):
        three, five, cost, spared = right = self.solve(p)
        positions = p.side**2
        return {
            "You counted weights: each works at every position of the map.": tuple(
                value // positions for value in right),
            "You counted FLOPs: a multiply-accumulate is both.": tuple(2 * v for v in right),
            "A reduction costs multiplications too: take off those of the 1×1.": (
                three + positions * p.c_in * p.three[0], five + positions * p.c_in * p.five[0],
                cost, spared),
            "That is what is left; what is saved is asked for.": (
                9 * positions * p.c_in * p.three[1] - three,
                25 * positions * p.c_in * p.five[1] - five, cost, spared),
            "The next module's 3×3 and 5×5 read their reductions, whatever comes in.": (
                three, five, cost, positions * (p.c_in - p.projection)
                * (p.next[0] + sum(p.outputs) + p.next[3])),
            "The next module still reads the projection's channels.": (
                three, five, cost, positions * p.c_in * sum(p.next)),
            "Without the projection the next module would read the c_in pooled channels.": (
                three, five, cost, positions * p.projection * sum(p.next)),
            "The next module's own projection reads fewer channels as well.": (
                three, five, cost, positions * (p.c_in - p.projection) * sum(p.next[:3])),
        }  # fmt: skip


class PoolBranch(Function):
    name = "pool-branch"
    title = "Write the pooling branch"
    points, minutes = 5, 15
    tests = "a branch of the module from NumPy alone: padding, pooling, projection, rectifier"
    objectives = (2,)
    text = """Write the fourth branch of the module with NumPy: 3×3 max pooling at stride one, which
keeps the size of the map, then the 1×1 projection with its bias, then the ReLU. Padding must not
change a maximum: take care with negative numbers. The book's kernels and torch are out of bounds,
and `x` stays as it is."""
    answer = "pool_branch"

    def arguments(self, p):
        return "x, w, b"

    def draw(self, dice):
        return {"last": dice.coin(), "turned": dice.coin()}

    def prompt(self, p):
        axes = ("(N, H, W, C_in)", "(N, H, W, C_out)") if p.last else (
            "(N, C_in, H, W)", "(N, C_out, H, W)")  # fmt: skip
        return (
            f"Write `pool_branch(x, w, b)`. `x` has the axes {axes[0]}, the matrix `w` "
            f"{'(C_in, C_out)' if p.turned else '(C_out, C_in)'}, `b` (C_out,). The result has the "
            f"axes {axes[1]}."
        )

    def throw(self, p, dice):
        calls = []
        for n, c_in, c_out in [(1, 1, 2), (1, 3, 3), (2, 4, 2), (2, 2, 5)]:
            high, wide = dice.integer(4, 8), dice.integer(4, 8)
            x = dice.array(-40, 12, n, c_in, high, wide) - 5
            w = rows(dice.nonzero(4, c_out, c_in))
            b = rows(dice.nonzero(30, c_out))
            x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if p.last else x
            calls.append((x, np.ascontiguousarray(w.T) if p.turned else w, b))
        # One that is negative all over: there a frame of zeros would win.
        x, w, b = calls[0]
        calls[0] = (-abs(x) - 1, abs(w), abs(b) + 200)
        return calls

    def branch(self, p, x, w, b, *, pool=True, low=None, relu=True, bias=True, first=False):
        """The branch; `low` frames the map with this number, `first` projects before pooling."""
        x, w = (x.transpose(0, 3, 1, 2) if p.last else x), (w.T if p.turned else w)
        b = b if bias else None

        def pooled(y):
            if low is None:
                return max_pool2d(y, 3, stride=1, padding=1)
            edges = ((0, 0), (0, 0), (1, 1), (1, 1))
            return max_pool2d(np.pad(y, edges, constant_values=low), 3, stride=1)

        y = pooled(conv1x1(x, w, b)) if first else conv1x1(pooled(x) if pool else x, w, b)
        y = np.maximum(y, 0) if relu else y
        return y.transpose(0, 2, 3, 1) if p.last else y

    def solve(self, p, x, w, b):
        return self.branch(p, x, w, b)

    def mistakes(self, p):
        def cropped(x, w, b):
            y = self.branch(p, x, w, b)
            return y[:, 1:-1, 1:-1] if p.last else y[:, :, 1:-1, 1:-1]

        return {
            "A frame of zeros wins wherever the map is negative: pad with −∞.": (
                lambda x, w, b: self.branch(p, x, w, b, low=0)),
            "You forgot the rectifier.": lambda x, w, b: self.branch(p, x, w, b, relu=False),
            "You forgot the bias.": lambda x, w, b: self.branch(p, x, w, b, bias=False),
            "You forgot the pooling.": lambda x, w, b: self.branch(p, x, w, b, pool=False),
            "The projection comes after the pooling.": (
                lambda x, w, b: self.branch(p, x, w, b, first=True)),
            "You pooled without padding: the branches could not be joined.": cropped,
        }  # fmt: skip


LINES = {  # a line of the module in PyTorch: as it should be, and what goes wrong with it
    "one": ("self.one = Conv2d({c}, {n1}, 1)", {
        "padding": "self.one = Conv2d({c}, {n1}, 1, padding=1)",
        "swapped": "self.one = Conv2d({n1}, {c}, 1)"}),
    "three_reduce": ("self.three_reduce = Conv2d({c}, {r3}, 1)", {
        "window": "self.three_reduce = Conv2d({c}, {r3}, 3, padding=1)"}),
    "three": ("self.three = Conv2d({r3}, {n3}, 3, padding=1)", {
        "wide": "self.three = Conv2d({c}, {n3}, 3, padding=1)",
        "unpadded": "self.three = Conv2d({r3}, {n3}, 3)"}),
    "five_reduce": ("self.five_reduce = Conv2d({c}, {r5}, 1)", {
        "chained": "self.five_reduce = Conv2d({n3}, {r5}, 1)"}),
    "five": ("self.five = Conv2d({r5}, {n5}, 5, padding=2)", {
        "window": "self.five = Conv2d({r5}, {n5}, 3, padding=1)",
        "unpadded": "self.five = Conv2d({r5}, {n5}, 5, padding=1)"}),
    "pool": ("self.pool = MaxPool2d(3, stride=1, padding=1)", {
        "stride": "self.pool = MaxPool2d(3, stride=2, padding=1)",
        "default": "self.pool = MaxPool2d(3, padding=1)"}),
    "project": ("self.project = Conv2d({c}, {np}, 1)", {
        "width": "self.project = Conv2d({n3}, {np}, 1)"}),
    "a": ("a = relu(self.one(x))", {"linear": "a = self.one(x)"}),
    "b": ("b = relu(self.three(relu(self.three_reduce(x))))", {
        "linear": "b = relu(self.three(self.three_reduce(x)))",
        "order": "b = relu(self.three_reduce(relu(self.three(x))))"}),
    "d": ("d = relu(self.five(relu(self.five_reduce(x))))", {
        "linear": "d = relu(self.five(self.five_reduce(x)))"}),
    "e": ("e = relu(self.project(self.pool(x)))", {
        "order": "e = relu(self.pool(self.project(x)))"}),
    "join": ("y = torch.cat([a, b, d, e], dim=1)", {
        "axis": "y = torch.cat([a, b, d, e], dim=2)", "sum": "y = a + b + d + e"}),
}  # fmt: skip
WHY = {
    "window": "the window is not the one that belongs there",
    "linear": "a rectifier follows every convolution",
    "padding": "a padded 1×1 layer makes its map larger than the others",
    "unpadded": "all four branches must keep the size",
    "wide": "the 3×3 reads what the reduction puts out",
    "chained": "each branch reads the module's input",
    "width": "the pooling branch reads all channels of the module's input",
    "swapped": "channels in come first, channels out second",
    "stride": "the pooling keeps the size, at stride 1",
    "default": "without a stride PyTorch's pooling takes that of its window",
    "order": "the layers stand in the wrong order",
    "axis": "the branches are joined along the channels",
    "sum": "the branches are joined, not added",
}


class FindTheBugs(Value):
    name = "find-the-bugs"
    title = "Find the bugs"
    points, minutes = 3, 7
    tests = "reading the module in PyTorch: widths, padding, order, rectifiers, joining"
    objectives = (2,)
    text = """Somebody has written an Inception module with the reductions of the paper. Three of
its lines differ from the module of this chapter: the listing would stop, or run and be
another network. Which? Give their numbers in rising order."""
    answer, form = "bugs", "such as (0, 3, 5)"

    def draw(self, dice):
        widths = dict(zip(
            ("c", "n1", "r3", "n3", "r5", "n5", "np"),
            [16 * dice.integer(20, 40), *(16 * k for k in dice.sample(range(4, 19), 3)),
             *(8 * k for k in dice.sample(range(2, 7), 1)),
             *(8 * k for k in dice.sample(range(7, 14), 2))], strict=True,
        ))  # fmt: skip
        wrong = dice.sample(LINES, 3)
        code = [
            (dice.choice(slips.values()) if name in wrong else fine).format(**widths)
            for name, (fine, slips) in LINES.items()
        ]
        return {"widths": widths, "code": code}

    def prompt(self, p):
        w = namespace(p.widths)
        code = "\n".join(f"{k:2}  {line}" for k, line in enumerate(p.code))
        return (
            f"{w.c} channels come in. The branches put out {w.n1}, {w.n3}, {w.n5} and {w.np} "
            f"channels; the reductions put out {w.r3} before the 3×3 and {w.r5} before the 5×5. "
            f"`Conv2d(channels in, channels out, window)` has stride 1 unless it says so; "
            f"`MaxPool2d(window)` moves by its window unless it says so; neither pads by itself."
            f"\n\n```\n{code}\n```"
        )

    def kinds(self, p):
        """For each line the name of its slip, None where it is fine."""
        found = []
        for (fine, slips), line in zip(LINES.values(), p.code, strict=True):
            texts = {text.format(**p.widths): kind for kind, text in slips.items()}
            found.append(None if line == fine.format(**p.widths) else texts[line])
        return found

    def solve(self, p):
        return tuple(k for k, kind in enumerate(self.kinds(p)) if kind)

    def mistakes(self, p):
        right = self.solve(p)
        found = {
            f"You let one pass: {WHY[self.kinds(p)[k]]}.": tuple(n for n in right if n != k)
            for k in right
        }
        found["The lines are counted from zero."] = tuple(k + 1 for k in right)
        found["Those are the lines that are right."] = tuple(
            k for k in range(len(p.code)) if k not in right
        )
        return found


class ReadTheTable(Value):
    name = "read-the-table"
    title = "Read a table"
    points, minutes = 4, 12
    tests = "finding a table's units from the rows that come out, and the row that does not"
    objectives = (3,)
    text = """A paper prints its layers in a table, and says nothing of its units. Find out how many
parameters its K stands for, whether it counts biases, and whether its operations are
multiply-accumulates or FLOPs. One row agrees with no reading: a printed figure in it does not
follow from its widths. Printed figures are rounded, not cut off. Let a cell compute what you
need."""
    answer, form = "reading", '(1000 or 1024, "biases" or "no biases", "MACs" or "FLOPs", row)'
    READINGS = tuple(
        (k, biases, unit)
        for k in (1000, 1024) for biases in ("biases", "no biases") for unit in ("MACs", "FLOPs")
    )  # fmt: skip

    def draw(self, dice):
        reading = dice.choice(self.READINGS)
        odd, layers = dice.integer(0, 4), []
        for number in range(5):
            f = dice.choice([1, 1, 3, 5])
            c_in, c_out = 8 * dice.integer(3, 20), 8 * dice.integer(3, 20)
            side = dice.choice([7, 14, 28])
            weights, macs = self.counts((f, c_in, c_out, side), reading)
            if number == odd:  # as if one of the widths had been another
                factor = dice.choice([80, 85, 90, 110, 115, 120]) / 100
                weights, macs = dice.choice([(weights * factor, macs), (weights, macs * factor)])
            layers.append([f, c_in, c_out, side, f"{weights:.1f}", f"{macs:.1f}"])
        return {"layers": layers}

    def counts(self, layer, reading):
        """Parameters in K and operations in M, of a square layer with same padding."""
        (f, c_in, c_out, side), (k, biases, unit) = layer, reading
        weights = f * f * c_in * c_out
        parameters = weights + (c_out if biases == "biases" else 0)
        return parameters / k, weights * side * side * (2 if unit == "FLOPs" else 1) / 1e6

    def fits(self, layer, reading):
        *layer, params, ops = layer
        a, b = self.counts(layer, reading)
        # Half a digit of the last place, and a hair for the binary fraction.
        return abs(a - float(params)) < 0.0501 and abs(b - float(ops)) < 0.0501

    def agreeing(self, p):
        """For each reading the rows that fit it."""
        return {
            reading: [n for n, layer in enumerate(p.layers) if self.fits(layer, reading)]
            for reading in self.READINGS
        }

    def prompt(self, p):
        lines = ["| row | window | from | to | map | parameters | operations |", "|" + "---|" * 7]
        for n, (f, c_in, c_out, side, params, ops) in enumerate(p.layers):
            lines.append(
                f"| {n} | {f}×{f} | {c_in} | {c_out} | {side}×{side} | {params} K | {ops} M |"
            )
        return "All layers have stride 1 and same padding.\n\n" + "\n".join(lines)

    def solve(self, p):
        agreeing = self.agreeing(p)
        reading = max(agreeing, key=lambda r: len(agreeing[r]))
        return (*reading, next(n for n in range(5) if n not in agreeing[reading]))

    def sound(self, params):
        """One reading fits four rows, every other at most two, and none the fifth."""
        found = self.agreeing(namespace(params)).values()
        counts = sorted(len(fitting) for fitting in found)
        clear = counts[-1] == 4 and counts[-2] <= 2 and len(set().union(*found)) == 4
        return clear and super().sound(params)

    def mistakes(self, p):
        k, biases, unit, row = self.solve(p)
        other = {1000: 1024, 1024: 1000, "biases": "no biases", "no biases": "biases"}
        other |= {"MACs": "FLOPs", "FLOPs": "MACs"}
        return {
            "The K is the other one: look at a row with many weights.": (
                other[k], biases, unit, row),
            "The biases are the other way round: look at a row with few weights for each output.": (
                k, other[biases], unit, row),
            "You took FLOPs for MACs, or MACs for FLOPs.": (k, biases, other[unit], row),
            "The rows are counted from zero.": (k, biases, unit, row + 1),
        }  # fmt: skip


class WhatIsKept(Value):
    name = "what-is-kept"
    title = "What a reduction keeps"
    points, minutes = 3, 7
    tests = "rank through a reduction, and the share of variance in the strongest directions"
    objectives = (4,)
    text = """A reduction to r channels stands in front of a k×k layer; both are linear, with
weights drawn at random. Merge the two into one k×k layer that reads all channels: each place in its
window has a matrix (C_out, C_in). What is that matrix's rank? What share of the variance can r
channels hold at most, as a number from 0 to 1? And how many channels would hold at least
nine tenths? `q.variances` are the variances of the input's channels along their principal
directions, in no order."""
    answer, form = "kept", "(rank, share to three decimals, channels)"
    parts = True
    tolerance = 0.0006

    def draw(self, dice):
        count = dice.integer(8, 10)
        variances = [dice.integer(1, 9) for _ in range(count - 4)]
        variances += [dice.integer(10, 40), dice.integer(10, 40), dice.integer(40, 90)]
        variances += [dice.integer(60, 160)]
        return {
            "variances": dice.sample(variances, count), "r": dice.integer(2, count - 4),
            "c_out": dice.choice([2, 3, 12, 16, 24]), "k": dice.choice([3, 5]),
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"{len(p.variances)} channels come in, r = {p.r}, and the {p.k}×{p.k} layer puts out "
            f"{p.c_out}. The variances: {', '.join(map(str, p.variances))}."
        )

    def held(self, values, r):
        values = sorted(values, reverse=True)
        shares = np.cumsum(values) / np.sum(values)
        return float(shares[r - 1]), int(np.argmax(shares > 0.9 - 1e-9)) + 1

    def solve(self, p):
        return (min(p.r, p.c_out), *self.held(p.variances, p.r))

    def mistakes(self, p):
        rank, share, needed = self.solve(p)
        roots = self.held(np.sqrt(p.variances), p.r)
        as_listed = np.cumsum(p.variances) / sum(p.variances)
        found = {
            "Every matrix is a product through r channels: its rank cannot be larger.": (
                min(len(p.variances), p.c_out), share, needed),
            "The rank is of one place's matrix, not of the whole window.": (
                p.k**2 * p.r, share, needed),
            "Take the strongest directions first: the variances stand in no order.": (
                rank, float(as_listed[p.r - 1]), int(np.argmax(as_listed > 0.9)) + 1),
            "Those are shares of standard deviations: do not take roots.": (rank, *roots),
            "That many channels hold a little less than nine tenths.": (rank, share, needed - 1),
            "Not every direction counts the same: weigh it by its variance.": (
                rank, p.r / len(p.variances), needed),
        }  # fmt: skip
        if p.c_out < p.r:
            found["A matrix with so few rows cannot have rank r."] = (p.r, share, needed)
        return found

    def sound(self, params):
        """No direction count hangs on a rounding."""
        p = namespace(params)
        shares = np.cumsum(sorted(p.variances, reverse=True)) / sum(p.variances)
        return abs(shares - 0.9).min() > 0.005 and super().sound(params)


class RectifierTest(Value):
    name = "rectifier-test"
    title = "The test that a rectifier fails"
    points, minutes = 3, 8
    tests = "showing by hand that a pair with a rectifier is no single layer"
    objectives = (4,)
    text = """A single layer with a bias obeys f(x) + f(−x) = the same number for every x. Put it
to the test at single pixels. The pair is a 1×1 reduction `q.w` (2, 3) without bias, a ReLU, and a
layer with the weights `q.v` and the bias below. Work out f(x) + f(−x) for the two pixels `q.x` and
`q.z`; and the same sum, which is then one number for all pixels, if the ReLU is left out."""
    answer, form = "sums", "(sum for x, sum for z, sum without ReLU)"
    parts = True

    def draw(self, dice):
        return {
            "w": rows(dice.nonzero(3, 2, 3)), "v": rows(dice.nonzero(4, 2)),
            "b": dice.choice([-5, -4, -3, -2, 2, 3, 4, 5]),
            "x": dice.array(-4, 5, 3), "z": dice.array(-4, 5, 3),
        }  # fmt: skip

    def prompt(self, p):
        return f"The bias of the second layer is {p.b}."

    def grids(self, p):
        columns = [("q.v", p.v[None]), ("q.x", p.x[:, None]), ("q.z", p.z[:, None])]
        return [("q.w", p.w), *columns]

    def pair(self, p, x, relu=True, b=None, outside=False):
        hidden = p.w @ x
        y = int(p.v @ (np.maximum(hidden, 0) if relu and not outside else hidden))
        y += p.b if b is None else b
        return max(y, 0) if outside else y

    def sums(self, p, **how):
        return tuple(self.pair(p, x, **how) + self.pair(p, -x, **how) for x in (p.x, p.z))

    def solve(self, p):
        return (*self.sums(p), 2 * p.b)

    def sound(self, params):
        """Three different sums, and no hidden number that the rectifier leaves in doubt."""
        p = namespace(params)
        clear = (p.w @ p.x).all() and (p.w @ p.z).all()
        return bool(clear) and len(set(self.solve(p))) == 3 and super().sound(params)

    def mistakes(self, p):
        first, second, _ = self.solve(p)
        once = tuple(value - p.b for value in (first, second))
        return {
            "You left the ReLU out everywhere.": (*self.sums(p, relu=False), 2 * p.b),
            "The ReLU stands between the two layers, not behind them.": (
                *self.sums(p, outside=True), 2 * p.b),
            "You forgot the bias.": (*self.sums(p, b=0), 0),
            "The bias comes in twice: once in f(x), once in f(−x).": (*once, p.b),
            "That is f(x) alone; add f(−x).": (
                self.pair(p, p.x), self.pair(p, p.z), 2 * p.b),
            "Without the ReLU the weights cancel, and twice the bias is left.": (
                first, second, 0),
        }  # fmt: skip


class ThreeVersions(Value):
    name = "three-versions"
    title = "One module, three counts"
    points, minutes = 3, 7
    tests = "why the same network is said to have different numbers of parameters"
    objectives = (1, 5)
    text = """Three people count the parameters of the same module. The first counts it as in
the paper's figure, with a bias for each output channel of every convolution. The second counts the
version that a library ships: its “5×5” branch holds a 3×3, and each convolution has, in place of
its biases, a batch norm with a scale and a shift for each channel. The third wants the figure for
the paper's table: weights alone, in the table's kind of K, rounded to a whole number. What do they
find?"""
    answer, form = "counts", "(paper, library, rounded K)"
    parts = True

    def draw(self, dice):
        return {
            "c_in": 16 * dice.integer(10, 40), "n1": 16 * dice.integer(4, 14),
            "r3": 16 * dice.integer(4, 10), "n3": 16 * dice.integer(11, 20),
            "r5": 8 * dice.integer(2, 5), "n5": 8 * dice.integer(6, 14),
            "pool": 16 * dice.integer(2, 8),
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"The module reads {p.c_in} channels. 1×1: {p.n1}. 3×3: {p.r3} before it, {p.n3} from "
            f"it. 5×5: {p.r5} before it, {p.n5} from it. Projection behind the pooling: {p.pool}."
        )

    def weights(self, p, five=25):
        first = p.c_in * (p.n1 + p.r3 + p.r5 + p.pool)
        return first + 9 * p.r3 * p.n3 + five * p.r5 * p.n5

    def channels(self, p):
        """Output channels of all convolutions, the reductions' among them."""
        return p.n1 + p.r3 + p.n3 + p.r5 + p.n5 + p.pool

    def solve(self, p):
        paper, small, channels = self.weights(p), self.weights(p, 9), self.channels(p)
        return (paper + channels, small + 2 * channels, round(paper / 1024))

    def sound(self, params):
        """Rounding is no matter of taste."""
        thousands = self.weights(namespace(params)) / 1024
        return abs(thousands % 1 - 0.5) > 0.02 and super().sound(params)

    def mistakes(self, p):
        first, second, third = self.solve(p)
        paper, small, channels = self.weights(p), self.weights(p, 9), self.channels(p)
        out = p.n1 + p.n3 + p.n5 + p.pool
        return {
            "The K of the table is not a thousand.": (first, second, round(paper / 1000)),
            "You forgot the biases.": (paper, second, third),
            "The table counts no biases.": (first, second, round(first / 1024)),
            "The reductions have biases, and batch norms, of their own.": (
                paper + out, small + 2 * out, third),
            "A batch norm learns two numbers for each channel.": (first, small + channels, third),
            "A batch norm replaces the biases: they do not come on top.": (
                first, small + 3 * channels, third),
            "The library's branch holds a 3×3, with fewer weights.": (
                first, paper + 2 * channels, third),
            "The pooling branch has a projection, with weights of its own.": (
                first - p.pool * (p.c_in + 1), second - p.pool * (p.c_in + 2),
                round((paper - p.pool * p.c_in) / 1024)),
        }  # fmt: skip


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "answering in words what people say about the module and its reductions"
    objectives = (1, 3, 4)
    text = """A reader of the paper says the sentence below, in other words. Explain in three or
four sentences what is wrong with it. One point each for: what is really so; a number or a small
computation that shows it; what is true in the sentence, or when it would be true."""

    def draw(self, dice):
        c_in, r, c_out = 32 * dice.integer(5, 20), 8 * dice.integer(2, 5), 16 * dice.integer(3, 8)
        side = dice.choice([7, 14, 28])
        return {
            "claim": dice.choice(["one-channel", "free", "negligible", "flops"]),
            "c_in": c_in, "r": r, "c_out": c_out, "side": side,
        }  # fmt: skip

    def counts(self, p):
        """MACs of the 5×5 alone, of the reduction, and of the 5×5 behind it."""
        positions = p.side**2
        return (
            25 * positions * p.c_in * p.c_out, positions * p.c_in * p.r,
            25 * positions * p.r * p.c_out,
        )  # fmt: skip

    def claim(self, p):
        direct = self.counts(p)[0]
        return {
            "one-channel": "Before the 5×5, the 1×1 convolution squeezes all channels into a "
            "single one; that is why the module is cheap.",
            "free": "The reduction is free: the 5×5 sees the same information as before, only "
            "cheaper.",
            "negligible": "A 1×1 convolution costs next to nothing, so one need not count it.",
            "flops": f"The table's operations are FLOPs, so the 5×5 alone takes {direct:,} FLOPs.",
        }[p.claim]

    def prompt(self, p):
        direct, narrow, wide = self.counts(p)
        return (
            f"> *“{self.claim(p)}”*\n\nA branch to show it on: {p.c_in} channels on a "
            f"{p.side}×{p.side} map go through a 1×1 reduction to {p.r} channels into a 5×5 with "
            f"{p.c_out} outputs. In MACs:\n\n"
            "| layer | MACs |\n|---|---|\n"
            f"| 5×5 alone | {direct:,} |\n| reduction | {narrow:,} |\n| 5×5 behind it | {wide:,} |"
        )

    def model(self, p):
        direct, narrow, wide = self.counts(p)
        return {
            "one-channel": "“One by one” counts rows and columns of the window and says nothing of "
            f"channels. The layer puts out as many channels as it has filters, here {p.r}, each "
            f"a weighted sum of all {p.c_in}. Reduction and 5×5 need "
            f"{narrow:,} + {wide:,} MACs instead of {direct:,}. With a single filter "
            "the sentence would be true, and the 5×5 would see one number at each pixel.",
            "free": f"Cheaper, yes: {narrow:,} and {wide:,} MACs instead of {direct:,}. But the "
            f"5×5 sees each pixel through {p.r} numbers instead of {p.c_in}. Without the rectifier "
            "the two layers are one 5×5 whose matrix at each place has at most rank "
            f"{min(p.r, p.c_out)}, where a free one can reach {min(p.c_in, p.c_out)}. Nothing is "
            f"lost only if the channels repeat each other so much that {p.r} directions hold them "
            "all.",
            "negligible": f"The reduction takes {narrow:,} of the pair's {narrow + wide:,} MACs: "
            f"count both. It reads all {p.c_in} channels of the input, while the 5×5 behind it "
            f"reads only {p.r}; so its share grows with the channels that come in. Beside the 5×5 "
            f"alone, with {direct:,} MACs, it is small. In the whole module all 1×1 layers "
            "together do a good part of what is left.",
            "flops": f"The table counts multiply-accumulates: {direct:,} is that number, one for "
            f"each weight at each position. Counted as FLOPs, × and + apart, it is {2 * direct:,}. "
            "Recomputed as MACs nearly all rows of the table come out; doubled, none does. The "
            "paper itself says multiply-adds. Where somebody writes FLOPs and means "
            "multiply-accumulates, the figure is right and its name is not.",
        }[p.claim]


class LostWidths(Value):
    name = "lost-widths"
    title = "Stretch: two widths are lost"
    points, minutes = 4, 14
    tests = "working back from a module's counts to its reductions, as the chapter does for 5a"
    objectives = (1, 3)
    text = """In a printed module the widths of both reductions cannot be read. Two exact counts
can: the weights, and the parameters with a bias for each output channel of every convolution.
Which widths have the reductions before the 3×3 and before the 5×5? Each count is an
equation."""
    answer, form = "reductions", "(before the 3×3, before the 5×5)"
    parts = True

    def draw(self, dice):
        c_in, n1, n3 = 16 * dice.integer(12, 40), 16 * dice.integer(4, 14), 16 * dice.integer(8, 20)
        n5, pool = 16 * dice.integer(2, 8), 16 * dice.integer(2, 8)
        r3, r5 = dice.integer(70, 160), dice.integer(13, 50)
        weights = c_in * (n1 + r3 + r5 + pool) + 9 * r3 * n3 + 25 * r5 * n5
        return {
            "c_in": c_in, "n1": n1, "n3": n3, "n5": n5, "pool": pool, "weights": weights,
            "parameters": weights + n1 + r3 + n3 + r5 + n5 + pool,
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"{p.c_in} channels come in. 1×1: {p.n1} channels out. 3×3: {p.n3}. 5×5: {p.n5}. "
            f"Projection: {p.pool}. {p.weights:,} weights, {p.parameters:,} parameters."
        )

    def widths(self, p, biased, three=9, five=25):
        """Solve r3 + r5 = biased − known, and (c_in + 9·n3)·r3 + (c_in + 25·n5)·r5 = rest."""
        together = p.parameters - p.weights - biased
        rest = p.weights - p.c_in * (p.n1 + p.pool)
        a, b = p.c_in + three * p.n3, p.c_in + five * p.n5
        r3 = (rest - b * together) / (a - b)
        return r3, together - r3

    def solve(self, p):
        r3, r5 = self.widths(p, p.n1 + p.n3 + p.n5 + p.pool)
        return round(r3), round(r5)

    def sound(self, params):
        p = namespace(params)
        return abs(9 * p.n3 - 25 * p.n5) > 200 and super().sound(params)

    def mistakes(self, p):
        r3, r5 = self.solve(p)
        known = p.n1 + p.n3 + p.n5 + p.pool
        found = {
            "You swapped the two.": (r5, r3),
            "The outputs of 1×1, 3×3, 5×5 and projection have biases too.": self.widths(p, 0),
            "The projection has biases too.": self.widths(p, known - p.pool),
        }
        if p.n3 != p.n5:
            found["You forgot the windows: 9 and 25 weights for each pair of channels."] = (
                self.widths(p, known, 1, 1)
            )
        return found


CHAPTER = Chapter(
    "inception-reductions",
    "Inception and its reductions",
    (
        "say what the naive module computes, and why its width and its cost explode;",
        "put the reductions in one at a time and count what each saves;",
        "build the module in PyTorch and from NumPy kernels, with equal outputs;",
        "read Table 1 of the paper: its units, its rows that come out, its rows that do not;",
        "say what a reduction loses, and why a rectifier follows it;",
        "explain why people quote 5, 6.6, 6.8 or 7 million parameters.",
    ),
    (
        NaiveWidth(),
        OneAtATime(),
        PoolBranch(),
        FindTheBugs(),
        ReadTheTable(),
        WhatIsKept(),
        RectifierTest(),
        ThreeVersions(),
        Explain(),
        LostWidths(),
    ),
)
