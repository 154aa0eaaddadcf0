"""Exercises for "What a convolution does with channels"."""

import numpy as np

from pointwise.conv import conv2d
from pointwise.exercises.core import Chapter, Function, Text, Value, namespace
from pointwise.shapes import out_size


def rows(array):
    return np.array(array, dtype=np.int64)


class OneNumber(Value):
    name = "one-number"
    title = "One number, by hand"
    points, minutes = 2, 5
    tests = "the sum over the window and over the channels, and the bias"
    objectives = (0,)
    text = """The input `q.x` has the axes (C, H, W), the filter `q.w` the axes (C, kh, kw). No
padding. Work out **one** number of the output on paper: the one in the row and the column named
below, both counted from zero."""
    answer, form = "one_number", "a whole number"
    effort_range = (6, 12)

    def draw(self, dice):
        channels, high, wide = dice.choice([(2, 2, 2), (3, 2, 2), (2, 1, 3), (2, 3, 2), (3, 1, 2)])
        stride = dice.choice([1, 2])
        return {
            "x": dice.array(0, 5, channels, 6, 6),
            "w": rows(dice.nonzero(3, channels, high, wide)),
            "b": dice.choice([0, *dice.nonzero(5, 3)]),
            "stride": stride,
            "row": 1,
            "col": dice.choice([0, 2]) if stride == 1 else 0,
        }

    def effort(self, p):
        return p.w.size

    def prompt(self, p):
        return f"Stride {p.stride}, bias {p.b}. The number in row {p.row}, column {p.col}."

    def grids(self, p):
        return [("q.w", p.w), ("q.x", p.x)]

    def output(self, x, w, stride=1):
        return conv2d(x[None], w[None], stride=stride)[0, 0]

    def solve(self, p):
        return int(self.output(p.x, p.w, p.stride)[p.row, p.col]) + p.b

    def mistakes(self, p):
        def at(x, w, stride=p.stride, place=(p.row, p.col), b=p.b):
            return int(self.output(x, w, stride)[place]) + b

        found = {
            "That is the sum over channel 0 only: sum over all channels.": at(p.x[:1], p.w[:1]),
            "You flipped the filter; a layer lays it down as it is.": at(p.x, p.w[:, ::-1, ::-1]),
            "Row and column are swapped.": at(p.x, p.w, place=(p.col, p.row)),
        }
        if p.b:
            found["You forgot the bias."] = at(p.x, p.w, b=0)
        if p.stride > 1:
            found["With a stride, the window moves by that many pixels a step."] = at(p.x, p.w, 1)
        return found


class WeightShape(Value):
    name = "weight-shape"
    title = "The shape of a weight"
    points, minutes = 2, 3
    tests = "the order of the axes of a weight, and its slices"
    objectives = (1,)
    text = """Give the shape of the layer's weight in this book's order, and behind it the
number of slices in it: five numbers."""
    answer, form = "weight_shape", "(…, …, …, …, slices)"

    def draw(self, dice):
        c_in, c_out = dice.sample([3, 8, 12, 16, 20, 24, 32, 48], 2)
        high, wide = dice.choice([(3, 3), (5, 5), (3, 5), (5, 3), (1, 7), (7, 1), (1, 3), (3, 1)])
        return {
            "c_in": c_in, "c_out": c_out, "kh": high, "kw": wide,
            "order": dice.choice(["(N, C, H, W)", "(N, H, W, C)"]), "side": dice.integer(14, 40),
        }  # fmt: skip

    def prompt(self, p):
        shape = (8, p.c_in, p.side, p.side) if "C, H" in p.order else (8, p.side, p.side, p.c_in)
        return (
            f"A layer reads a batch of shape {shape}, its axes being {p.order}. It has "
            f"{p.c_out} filters; a window is {p.kh} pixels high and {p.kw} wide."
        )

    def solve(self, p):
        return (p.c_out, p.c_in, p.kh, p.kw, p.c_out * p.c_in)

    def mistakes(self, p):
        slices = p.c_out * p.c_in
        found = {
            "You swapped C_in and C_out: one row of slices for each output.": (
                p.c_in, p.c_out, p.kh, p.kw, slices),
            "A slice for each pair of input and output: the filters alone are C_out.": (
                p.c_out, p.c_in, p.kh, p.kw, p.c_out),
            "You took a spatial axis for the channel axis.": (
                p.c_out, p.side, p.kh, p.kw, p.c_out * p.side),
            "That is TensorFlow's order; this book has the window last.": (
                p.kh, p.kw, p.c_in, p.c_out, slices),
        }  # fmt: skip
        if p.kh != p.kw:
            found["Height comes before width."] = (p.c_out, p.c_in, p.kw, p.kh, slices)
        return found

    def sound(self, params):
        return params["side"] not in (params["c_in"], params["c_out"]) and super().sound(params)


class OutputSize(Value):
    name = "output-size"
    title = "Where the popular formula gives a fraction"
    points, minutes = 2, 4
    tests = "the floor rule for the output size"
    objectives = (3,)
    text = """How many rows and columns has the output? Count the places where the window can
start."""
    answer, form = "output_size", "(rows, columns)"

    def draw(self, dice):
        return {
            "h": dice.integer(17, 47), "w": dice.integer(17, 47), "f": dice.choice([3, 5, 7]),
            "stride": dice.choice([2, 3, 4]), "padding": dice.choice([1, 2, 3]),
        }  # fmt: skip

    def sound(self, params):
        """The rule is put to the test on both sides: neither divides."""
        h, w, f, s, p = (params[k] for k in ("h", "w", "f", "stride", "padding"))
        divides = any((n + 2 * p - f) % s == 0 for n in (h, w))
        return not divides and abs(h - w) > 5 and p < f and super().sound(params)

    def prompt(self, p):
        return (
            f"The input is {p.h} pixels high and {p.w} wide. The window is {p.f}×{p.f}, the stride "
            f"{p.stride}, and the padding {p.padding} on every side."
        )

    def solve(self, p):
        return tuple(out_size(n, p.f, p.stride, p.padding) for n in (p.h, p.w))

    def mistakes(self, p):
        def both(rule):
            return tuple(rule(n) for n in (p.h, p.w))

        f, s, pad = p.f, p.stride, p.padding
        return {
            "Rounded up: the last window would hang over the end.": both(
                lambda n: -(-(n + 2 * pad - f) // s) + 1),
            "You forgot the first place: + 1.": both(lambda n: (n + 2 * pad - f) // s),
            "You forgot the padding: that is the size of a “valid” layer.": both(
                lambda n: (n - f) // s + 1),
            "The padding stands on both sides: 2·padding.": both(lambda n: (n + pad - f) // s + 1),
            "You left out the stride.": both(lambda n: n + 2 * pad - f + 1),
            "That is the size with “same” padding, ⌈n/stride⌉; this padding is given.": both(
                lambda n: -(-n // s)) if pad != (f - 1) // 2 else (p.h, p.w),
            "Rows come first, then columns.": self.solve(p)[::-1],
            "A pixel and a half does not exist: round down.": both(
                lambda n: (n + 2 * pad - f) / s + 1),
        }  # fmt: skip


class ShapeTable(Value):
    name = "shape-table"
    title = "Find the mistakes in a table"
    points, minutes = 3, 5
    tests = "that the output has as many channels as the layer has filters, and the size rule"
    objectives = (3, 4)
    text = """Lecture slides show a table of convolution layers like this one. Some of its rows
are wrong. *Valid* means no padding; *same* at stride 1 means padding that keeps the size. Which
rows are wrong? Give their numbers in rising order."""
    answer, form = "wrong_rows", "such as (0, 3)"

    def draw(self, dice):
        kinds = dice.sample(["depth", "size", "right", "right", dice.choice(["same", "depth"])], 5)
        table = []
        for kind in kinds:
            n, f, c = dice.integer(20, 40), dice.choice([3, 5]), dice.choice([4, 8, 16])
            filters = dice.choice([k for k in (6, 10, 12, 20, 32) if k != c])
            stride = {"same": 1, "size": dice.choice([2, 3])}.get(kind, dice.choice([1, 2]))
            if kind == "size":  # one that does not divide
                n += 1 if (n - f) % stride == 0 else 0
            padding = "same" if kind == "same" or (kind == "right" and stride == 1) else "valid"
            size = n if padding == "same" else out_size(n, f, stride)
            shown = {
                "size": size + 1, "same": out_size(n, f), "depth": size, "right": size,
            }[kind]  # fmt: skip
            table.append(
                [n, c, f, filters, padding, stride, shown, c if kind == "depth" else filters]
            )
        return {"table": table, "last": dice.coin()}

    def fault(self, n, c, f, filters, padding, stride, side, depth):
        """What is wrong with a row of the table."""
        if depth != filters:
            return "depth"
        if padding == "same":
            return "right" if side == n else "same"
        return "right" if side == out_size(n, f, stride) else "size"

    def faults(self, p):
        return [self.fault(*row) for row in p.table]

    def shape(self, p, channels, side):
        return f"{side}×{side}×{channels}" if p.last else f"{channels}×{side}×{side}"

    def prompt(self, p):
        order = "channels last" if p.last else "channels first"
        lines = [
            f"Shapes are written with the {order}.\n",
            "| row | input | window | filters | padding | stride | output |",
            "|---|---|---|---|---|---|---|",
        ]
        for k, (n, c, f, filters, padding, stride, side, depth) in enumerate(p.table):
            shapes = self.shape(p, c, n), self.shape(p, depth, side)
            lines.append(
                f"| {k} | {shapes[0]} | {f}×{f} | {filters} | {padding} | {stride} | {shapes[1]} |"
            )
        return "\n".join(lines)

    def wrong(self, p, *overlooked):
        kinds = enumerate(self.faults(p))
        return tuple(k for k, kind in kinds if kind != "right" and kind not in overlooked)

    def solve(self, p):
        return self.wrong(p)

    def mistakes(self, p):
        found = {
            "You let a wrong depth pass: the output has one channel for each filter.": self.wrong(
                p, "depth"),
            "You let a wrong size pass: count the places where the window can start.": self.wrong(
                p, "size"),
            "Those are the rows that are right.": tuple(
                k for k, kind in enumerate(self.faults(p)) if kind == "right"),
            "Rows are counted from zero.": tuple(k + 1 for k in self.wrong(p)),
        }  # fmt: skip
        if "same" in self.faults(p):
            found["You took “same” padding for “valid” in one row."] = self.wrong(p, "same")
        return found


class OnePart(Value):
    name = "one-part"
    title = "One of k² parts"
    points, minutes = 3, 6
    tests = "taking a convolution apart into pointwise ones, shifted and summed"
    objectives = (2,)
    text = """The convolution of `q.x` (C_in, H, W) with `q.w` (C_out, C_in, kh, kw), no
padding, stride one, is a sum of pointwise convolutions, one for each place in the window. Give
the part that belongs to the place named below: an array of shape (C_out, H_out, W_out)."""
    answer, form = "part", "an array"

    def draw(self, dice):
        c_in, c_out = dice.choice([(2, 2), (2, 3), (3, 2)])
        high, wide = dice.choice([(2, 2), (2, 3), (3, 2), (3, 3)])
        u, v = dice.choice([(u, v) for u in range(high) for v in range(wide) if (u, v) != (0, 0)])
        return {
            "x": dice.array(0, 6, c_in, 4, 5),
            "w": rows(dice.nonzero(3, c_out, c_in, high, wide)),
            "u": u,
            "v": v,
        }

    def prompt(self, p):
        high, wide = p.w.shape[2:]
        place = f"({p.u}, {p.v}), row and column from zero"
        return f"The window is {high}×{wide}. The place is {place}."

    def grids(self, p):
        return [("q.w", p.w), ("q.x", p.x)]

    def part(self, x, w, u, v):
        high, wide = x.shape[1] - w.shape[2] + 1, x.shape[2] - w.shape[3] + 1
        return np.einsum("oc,chw->ohw", w[:, :, u, v], x[:, u : u + high, v : v + wide])

    def solve(self, p):
        return self.part(p.x, p.w, p.u, p.v)

    def mistakes(self, p):
        _, _, high, wide = p.w.shape
        h, w = p.x.shape[1] - high + 1, p.x.shape[2] - wide + 1
        x = p.x[:, p.u : p.u + h, p.v : p.v + w]
        matrix = p.w[:, :, p.u, p.v]
        found = {
            "You forgot the shift: the place (u, v) meets the input from row u, column v on.":
                np.einsum("oc,chw->ohw", matrix, p.x[:, :h, :w]),
            "That is the whole convolution; one part is asked for.":
                conv2d(p.x[None], p.w)[0],
            "You did not crop: the windows must stay inside the input.":
                np.einsum("oc,chw->ohw", matrix, p.x),
            "You flipped the window.":
                np.einsum("oc,chw->ohw", p.w[:, :, high - 1 - p.u, wide - 1 - p.v], x),
        }  # fmt: skip
        if len(p.w) == p.w.shape[1]:
            found["You swapped C_in and C_out: the matrix is transposed."] = np.einsum(
                "oc,chw->ohw", matrix.T, x
            )
        return found


class ByMatrices(Function):
    name = "by-matrices"
    title = "Write a convolution as matrix multiplies"
    points, minutes = 5, 15
    tests = "the whole construction in code, in a given layout"
    objectives = (1, 2)
    text = """Write the function below with NumPy: a loop over the places in the window, and in
it a matrix multiply over the channels (`@`, `np.einsum` or `np.tensordot`). No padding. Windows
need not be square. The book's kernels and torch are out of bounds here."""
    answer = "by_matrices"

    def arguments(self, p):
        return "x, w, b" if p.bias else "x, w"

    def draw(self, dice):
        return {"last": dice.coin(), "bias": dice.coin(), "stride": dice.choice([1, 2, 3])}

    def prompt(self, p):
        axes, out = ("(N, H, W, C_in)", "(N, H_out, W_out, C_out)")
        if not p.last:
            axes, out = "(N, C_in, H, W)", "(N, C_out, H_out, W_out)"
        bias = ", `b` the shape (C_out,)" if p.bias else ", and there is no bias"
        return (
            f"Write `by_matrices({self.arguments(p)})`. `x` has the axes {axes}, "
            f"`w` the axes (C_out, C_in, kh, kw){bias}. "
            f"The stride is {p.stride}. The result has the axes {out}."
        )

    def throw(self, p, dice):
        calls = []
        for n, c_in, c_out, high, wide in [
            (1, 2, 3, 2, 2), (2, 3, 3, 1, 1), (1, 3, 3, 3, 2), (2, 4, 2, 1, 3), (3, 2, 2, 3, 3),
        ]:  # fmt: skip
            h, w = dice.integer(4, 9), dice.integer(4, 9)
            x = dice.array(-5, 5, n, c_in, h, w)
            x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if p.last else x
            weight = rows(dice.nonzero(4, c_out, c_in, high, wide))
            bias = [rows(dice.nonzero(9, c_out))] if p.bias else []
            calls.append((x, weight, *bias))
        return calls

    def result(self, p, x, w, b=None, stride=None, axes=(0, 3, 1, 2)):
        x = x.transpose(axes) if p.last else x
        y = conv2d(x, w, b, stride=p.stride if stride is None else stride)
        return y.transpose(0, 2, 3, 1) if p.last else y

    def solve(self, p, x, w, b=None):
        return self.result(p, x, w, b)

    def mistakes(self, p):
        found = {
            "You flipped the window; a layer does not.": lambda x, w, b=None: self.result(
                p, x, w[:, :, ::-1, ::-1], b),
            "You swapped C_in and C_out in the matrix.": lambda x, w, b=None: self.result(
                p, x, w.swapaxes(0, 1), b),
        }  # fmt: skip
        if p.bias:
            found["You forgot the bias."] = lambda x, w, b: self.result(p, x, w)
        if p.stride > 1:
            found["You forgot the stride."] = lambda x, w, b=None: self.result(p, x, w, b, stride=1)
        if p.last:
            found["You swapped rows and columns on the way to channels first."] = (
                lambda x, w, b=None: self.result(p, x, w, b, axes=(0, 3, 2, 1))
            )
        return found


class WhoMoves(Value):
    name = "who-moves"
    title = "Which outputs move?"
    points, minutes = 3, 5
    tests = "what convolution, depthwise convolution, pooling and stride do to the channels"
    objectives = (4,)
    text = """One number of the input grows by a million: the channel and the pixel named below.
For each of the four layers: in how many output channels can any number change? No weight is
zero, and nothing is padded."""
    answer, form = "moved", "(…, …, …, …), in the order of the list"
    parts = True

    def draw(self, dice):
        c = dice.integer(4, 12)
        filters = dice.choice([k for k in range(5, 40) if k != c])
        layers = dice.sample(["conv", "depthwise", "max", "average", "global", "skipped"], 4)
        # An odd pixel away from the border: 1×1 windows at stride 2 step over it.
        place = [2 * dice.integer(1, 6) + 1, 2 * dice.integer(1, 6) + 1]
        return {
            "c": c, "filters": filters, "layers": layers, "place": place,
            "channel": dice.integer(0, c - 1), "f": dice.choice([3, 5]), "side": 17,
        }  # fmt: skip

    def sound(self, params):
        layers = params["layers"]
        return "conv" in layers and "depthwise" in layers and super().sound(params)

    def prompt(self, p):
        texts = {
            "conv": f"a {p.f}×{p.f} convolution with {p.filters} filters, stride 1",
            "depthwise": f"a {p.f}×{p.f} depthwise convolution, one filter a channel, stride 1",
            "max": "2×2 max pooling, stride 2",
            "average": "2×2 average pooling, stride 2",
            "global": "global average pooling",
            "skipped": f"a 1×1 convolution with {p.filters} filters, stride 2",
        }
        lines = [f"{k}. {texts[layer]}" for k, layer in enumerate(p.layers, 1)]
        return (
            f"The input has the shape {(1, p.c, p.side, p.side)}. What grows stands in channel "
            f"{p.channel}, row {p.place[0]}, column {p.place[1]}, all counted from zero.\n\n"
            + "\n".join(lines)
        )

    def count(self, p, **other):
        moved = {"conv": p.filters, "depthwise": 1, "max": 1, "average": 1, "global": 1}
        moved |= {"skipped": 0} | other
        return tuple(moved[layer] for layer in p.layers)

    def solve(self, p):
        return self.count(p)

    def mistakes(self, p):
        found = {
            "A convolution sums over the channels: each filter reads all of them.": self.count(
                p, conv=1),
            "Depthwise means: each channel by itself.": self.count(p, depthwise=p.c),
            "The outputs of a convolution are its filters, not the input's channels.": self.count(
                p, conv=p.c),
        }  # fmt: skip
        if "skipped" in p.layers:
            found["At stride 2 a 1×1 window steps over every odd row and column."] = self.count(
                p, skipped=p.filters
            )
        if set(p.layers) & {"max", "average", "global"}:
            found["Pooling stays inside one channel."] = self.count(
                p, max=p.c, average=p.c, **{"global": p.c}
            )
        return found


class AxisOrder(Value):
    name = "axis-order"
    title = "Move the axes"
    points, minutes = 2, 4
    tests = "three axis orders, and transpose against reshape"
    objectives = (4,)
    text = """Bring `q.x` into the order asked for, without changing which number belongs to
which pixel and channel."""
    answer, form = "moved_axes", "an array"

    def draw(self, dice):
        task = dice.choice(["HWC to NCHW", "CHW to NHWC", "NHWC to NCHW", "NCHW to NHWC"])
        source = task.split()[0]
        sizes = dict(zip("CHW", dice.sample([2, 3, 4], 3), strict=True)) | {"N": 1}
        return {"task": task, "x": dice.array(0, 99, *(sizes[axis] for axis in source))}

    def prompt(self, p):
        source, target = (", ".join(word) for word in p.task.split(" to "))
        return f"`q.x` has the axes ({source}) and the shape {p.x.shape}. Wanted: ({target})."

    def grids(self, p):
        return [("q.x", p.x)]

    def solve(self, p):
        source, target = p.task.split(" to ")
        x = p.x if "N" in source else p.x[None]
        source = source if "N" in source else "N" + source
        return x.transpose([source.index(axis) for axis in target])

    def mistakes(self, p):
        right = self.solve(p)
        swapped = right.swapaxes(2, 3) if p.task.endswith("NCHW") else right.swapaxes(1, 2)
        return {
            "You cut the numbers anew with reshape; transpose moves the axes.": p.x.reshape(
                right.shape),
            "Rows and columns are swapped.": swapped,
            "The batch axis N is missing.": right[0],
            "Nothing was moved.": p.x,
            "You took a spatial axis for the channel axis.": np.roll(right, 1, axis=-1).swapaxes(
                1, 3),
        }  # fmt: skip


CLAIMS = {  # what the notes say, and what to answer
    "filter": (
        "A 3×3 filter is a 3×3 matrix. It filters each channel of the image by itself, so three "
        "channels go in and three come out.",
        "A filter is a stack of matrices, one slice for each input channel, and the results of the "
        "slices are **summed**: one output channel for each filter. The smallest example is a 1×1 "
        "filter (1, 1) on a pixel with the channels (2, 5): one number comes out, 7, not two. What "
        "the sentence describes is depthwise convolution; it is true there.",
    ),
    "depth": (
        "A 3×3 layer without padding turns 28×28×8 into 26×26×8: the window takes two pixels from "
        "each axis of the picture and leaves the depth as it is.",
        "The size is right, the reason for the depth is not. Each filter reads all channels and "
        "writes **one** output channel, so the depth of the output is the number of filters. The "
        "smallest example is a layer with a single filter: 28×28×8 becomes 26×26×1. The sentence "
        "is true if the layer happens to have 8 filters, and for pooling or depthwise convolution, "
        "which keep the channels.",
    ),
    "padding": (
        "Padding adds nothing to the picture: the border is empty, so no output changes because "
        "of it.",
        "Padding is a frame of zeros, and zeros take part in the sum. The smallest example is a "
        "3×3 average over a picture of nines: the corner window covers four nines and five zeros, "
        "and the result is 4 instead of 9. Only outputs whose window does not reach the frame are "
        "as they would be without it. If every weight that meets the frame is zero, the sentence "
        "is true for the numbers; the output still is larger.",
    ),
}


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "saying in words what a layer does with channels"
    objectives = (1, 4)
    text = """Lecture notes say the sentence below. In three or four sentences, for a friend who
believes it: what does the layer really do, what is the smallest example that shows it, and
when, if ever, is the sentence true?"""

    def draw(self, dice):
        return {"claim": dice.choice(sorted(CLAIMS))}

    def prompt(self, p):
        return f"> *“{CLAIMS[p.claim][0]}”*"

    def model(self, p):
        return CLAIMS[p.claim][1]


class FindTheFilter(Value):
    name = "find-the-filter"
    title = "Stretch: find the filter"
    points, minutes = 4, 15
    tests = "turning the definition around: from input and output back to the weights"
    objectives = (0, 2)
    text = """A layer without bias, stride one, no padding, has turned `q.x` (C, H, W) into
`q.y` (H_out, W_out). Its one filter holds whole numbers. Which? Each number of the output is an
equation with the weights as unknowns."""
    answer, form = "filter_", "an array of shape (C, kh, kw)"

    def draw(self, dice):
        channels, high, wide = dice.choice([(2, 2, 2), (3, 2, 2), (2, 3, 2), (2, 2, 3)])
        x = dice.array(-4, 5, channels, 6, 7)
        w = rows(dice.nonzero(5, channels, high, wide))
        return {"x": x, "y": conv2d(x[None], w[None])[0, 0], "high": high, "wide": wide}

    def windows(self, p):
        """One row for each output: the numbers that its window covers."""
        view = np.lib.stride_tricks.sliding_window_view(p.x, (p.high, p.wide), axis=(1, 2))
        return view.transpose(1, 2, 0, 3, 4).reshape(p.y.size, -1)

    def sound(self, params):
        windows = self.windows(namespace(params))
        return np.linalg.matrix_rank(windows) == windows.shape[1] and super().sound(params)

    def prompt(self, p):
        return f"The filter has the shape {(len(p.x), p.high, p.wide)}."

    def grids(self, p):
        return [("q.x", p.x), ("q.y", p.y)]

    def solve(self, p):
        found = np.linalg.lstsq(self.windows(p).astype(float), p.y.ravel().astype(float))[0]
        return found.round().astype(np.int64).reshape(len(p.x), p.high, p.wide)

    def mistakes(self, p):
        right = self.solve(p)
        found = {
            "It is flipped: a layer does not turn its filter round.": right[:, ::-1, ::-1],
            "The slices are in the wrong order of channels.": right[::-1],
            "The filter needs its channel axis in front, and no axis before it.": right[None],
            "The filter is right, but not its shape.": right.ravel(),
        }
        if p.high == p.wide:
            found["Rows and columns of the filter are swapped."] = right.swapaxes(1, 2)
        return found


CHAPTER = Chapter(
    "channels",
    "What a convolution does with channels",
    (
        "compute one output number of a convolution over two channels by hand;",
        r"read a weight of shape $(C_\text{out}, C_\text{in}, k, k)$ as a matrix whose entries are "
        "small pictures;",
        "take a k×k convolution apart into k² pointwise convolutions, shifted and summed;",
        "predict the output size, also where the popular formula gives a fraction;",
        "say what padding, stride, flipping and pooling do to the channels (nothing), and tell "
        "three axis orders apart.",
    ),
    (
        OneNumber(),
        WeightShape(),
        OutputSize(),
        ShapeTable(),
        OnePart(),
        ByMatrices(),
        WhoMoves(),
        AxisOrder(),
        Explain(),
        FindTheFilter(),
    ),
)
