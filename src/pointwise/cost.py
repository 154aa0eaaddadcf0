"""Parameters and multiply-accumulates of layers, chains and branching modules.

**The convention, here and in the whole book.** The cost of a layer is its number of
multiply-accumulates (MACs) on one image: one MAC is one multiplication and the addition that takes
up its product. Only weights multiply: convolutions and dense layers have MACs. Adding a bias,
activations, normalisation, pooling, dropout, resizing, concatenation and the sum of two branches
are 0 MACs. A product with a padded zero counts like any other. Parameters are weights plus biases;
`bias=False` leaves the biases of a layer out. Many papers say "FLOPs" or "mult-adds" and mean MACs;
two FLOPs to the MAC is the other habit.

**Layers** are small frozen records with the argument order of PyTorch: `Conv`, `Depthwise`,
`Dense`, `Pool`, `GlobalPool`. A chain is a plain list of layers, and chains nest. `Branches` runs
several chains on the same input and joins their outputs. Activations are not written down: they
cost nothing and keep the shape.

**Shapes** are `(C, H, W)`, or `(C,)` for a vector: no batch axis, because costs are per image.

**Errors.** A layer that cannot be, or that does not fit what it is given, raises a `ValueError`
that names the layer and both shapes.
"""

import copy
import html
import math
import re
from collections import Counter
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, fields
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from pointwise.shapes import integer, out_size

# ---------------------------------------------------------------------------------------- layers


class Layer:
    """What the layers share: a text that names them and the check of their numbers."""

    def __repr__(self):
        return self.text()

    def text(self, leave_out=()):
        """Write the layer as it is constructed, arguments that have their default left out."""
        given = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in leave_out and repr(value) != repr(field.default):
                given.append(f"{field.name}={value!r}" if field.kw_only else repr(value))
        return f"{type(self).__name__}({', '.join(given)})"

    def label(self):
        text = self.text(leave_out=["name"])
        return text if self.name is None else f'layer "{self.name}", {text}'

    def check(self, **least):
        """Turn the named fields into ints of at least the given sizes; check name and flags."""
        if not (self.name is None or (isinstance(self.name, str) and self.name)):
            raise ValueError(f"{self.text()}: name must be a string, got {self.name!r}")
        for flag in ("bias", "ceil"):
            if not isinstance(getattr(self, flag, False), bool):
                raise ValueError(
                    f"{self.label()}: {flag} must be True or False, got {getattr(self, flag)!r}"
                )
        for field, smallest in least.items():
            try:
                number = integer(field, getattr(self, field), smallest)
            except ValueError as error:
                raise ValueError(f"{self.label()}: {error}") from None
            object.__setattr__(self, field, number)


@dataclass(frozen=True, repr=False)
class Conv(Layer):
    """A k×k convolution; `Conv(c_in, c_out)` is the pointwise one.

    Parameters
    ----------
    c_in, c_out : int
    k : int
        Height and width of the kernel, in pixels.
    stride : int
    padding : int or "same"
        Pixels of zeros on all four sides. "same" keeps the size of the map, with one pixel more
        below and to the right where k is even, and wants stride 1, as in PyTorch.
    groups : int
        Divides `c_in` and `c_out`; each kernel reads `c_in / groups` channels.
    bias : bool
    name : str, optional

    Raises
    ------
    ValueError
        A number is no integer or too small, or `groups` does not divide the channels.

    Examples
    --------
    >>> table([Conv(256, 64), Conv(64, 256, 4, padding="same")], (256, 14, 14)).weights
    278528
    """

    c_in: int
    c_out: int
    k: int = 1
    _: KW_ONLY
    stride: int = 1
    padding: int | str = 0
    groups: int = 1
    bias: bool = True
    name: str | None = None

    def __post_init__(self):
        same = isinstance(self.padding, str) and self.padding == "same"
        self.check(c_in=1, c_out=1, k=1, stride=1, groups=1, **({} if same else {"padding": 0}))
        if same and self.stride != 1:
            raise ValueError(
                f'{self.label()}: padding="same" wants stride = 1, got stride = {self.stride}'
            )
        if self.c_in % self.groups or self.c_out % self.groups:
            raise ValueError(
                f"{self.label()}: {self.c_in} channels in and {self.c_out} out do not both split "
                f"into groups = {self.groups}"
            )

    @property
    def kind(self):
        return conv_kind(self.c_in, (self.k, self.k), self.groups)

    def measure(self, shape):
        """Give (out_shape, weights, biases, MACs) for an input of `shape`."""
        C, H, W = as_map(shape)
        if self.c_in != C:
            raise ValueError(
                f"reads {self.c_in} channels, but gets {C} from a map of shape {shape}"
            )
        if self.padding != "same":
            H, W = windows(shape, self.k, self.stride, self.padding)
        weights = self.c_in // self.groups * self.k**2 * self.c_out
        return (self.c_out, H, W), weights, self.c_out * self.bias, weights * H * W


@dataclass(frozen=True, repr=False)
class Depthwise(Layer):
    """A k×k convolution of every channel with its own `multiplier` kernels; no channels mix.

    Parameters
    ----------
    c : int
        Channels in; `c · multiplier` come out.
    k : int
        Height and width of the kernels, in pixels.
    multiplier, stride : int
    padding : int or "same"
        As in `Conv`.
    bias : bool
    name : str, optional

    Raises
    ------
    ValueError
        A number is no integer or too small.

    References
    ----------
    Howard et al. 2017, "MobileNets", arXiv 1704.04861, section 3.1.

    Examples
    --------
    >>> table(Depthwise(3, 7, multiplier=8, stride=2, padding=3, bias=False), (3, 224, 224)).weights
    1176
    """

    c: int
    k: int
    _: KW_ONLY
    multiplier: int = 1
    stride: int = 1
    padding: int | str = 0
    bias: bool = True
    name: str | None = None

    def __post_init__(self):
        same = isinstance(self.padding, str) and self.padding == "same"
        self.check(c=1, k=1, multiplier=1, stride=1, **({} if same else {"padding": 0}))
        if same and self.stride != 1:
            raise ValueError(
                f'{self.label()}: padding="same" wants stride = 1, got stride = {self.stride}'
            )

    @property
    def kind(self):
        return f"depthwise {self.k}×{self.k}"

    def measure(self, shape):
        """Give (out_shape, weights, biases, MACs) for an input of `shape`."""
        return Conv(
            self.c, self.c * self.multiplier, self.k,
            stride=self.stride, padding=self.padding, groups=self.c, bias=self.bias,
        ).measure(shape)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """A fully connected layer on a vector, or on a whole map read as one vector.

    Parameters
    ----------
    c_in : int
        Entries in: C of a vector, C·H·W of a map.
    c_out : int
    bias : bool
    name : str, optional

    Raises
    ------
    ValueError
        A number is no integer or too small.

    Examples
    --------
    >>> table(Dense(1024 * 7 * 7, 1000), (1024, 7, 7)).parameters
    50177000
    """

    c_in: int
    c_out: int
    _: KW_ONLY
    bias: bool = True
    name: str | None = None

    kind = "dense"

    def __post_init__(self):
        self.check(c_in=1, c_out=1)

    def measure(self, shape):
        """Give (out_shape, weights, biases, MACs) for an input of `shape`."""
        if math.prod(shape) != self.c_in:
            raise ValueError(
                f"reads {self.c_in} entries, but an input of shape {shape} has {math.prod(shape)}"
            )
        weights = self.c_in * self.c_out
        return (self.c_out,), weights, self.c_out * self.bias, weights


@dataclass(frozen=True, repr=False)
class Pool(Layer):
    """Pooling over k×k windows, maximum or mean: it costs nothing and changes the size.

    Parameters
    ----------
    k : int
        Height and width of the window, in pixels.
    stride : int, optional
        `k` if not given.
    padding : int
        At most k / 2, PyTorch's rule.
    ceil : bool
        Round sizes up, so that a last window may hang over the edge: `ceil_mode` of PyTorch. Such a
        window must start on the map or its padding before it. The first window lies inside.
    name : str, optional

    Raises
    ------
    ValueError
        A number is no integer or out of range.

    Examples
    --------
    >>> table(Pool(3, stride=2, ceil=True), (64, 112, 112)).out_shape
    (64, 56, 56)
    """

    k: int
    _: KW_ONLY
    stride: int | None = None
    padding: int = 0
    ceil: bool = False
    name: str | None = None

    kind = "pool"

    def __post_init__(self):
        self.check(k=1, padding=0, **({} if self.stride is None else {"stride": 1}))
        if self.padding > self.k // 2:
            raise ValueError(
                f"{self.label()}: padding = {self.padding} is more than half of k = {self.k}: "
                f"a window could lie in the padding alone"
            )

    def measure(self, shape):
        """Give (out_shape, weights, biases, MACs) for an input of `shape`."""
        stride = self.stride or self.k
        sizes = windows(shape, self.k, stride, self.padding)
        if self.ceil:
            sizes = [
                size + (self.overhangs(n, stride) and size * stride < n + self.padding)
                for n, size in zip(as_map(shape)[1:], sizes, strict=True)
            ]
        return (shape[0], *sizes), 0, 0, 0

    def overhangs(self, n, stride):
        return (n + 2 * self.padding - self.k) % stride != 0


@dataclass(frozen=True, repr=False)
class GlobalPool(Layer):
    """The mean or maximum of every channel over the whole map: (C, H, W) becomes (C,).

    Examples
    --------
    >>> table([Conv(192, 10), GlobalPool()], (192, 8, 8)).out_shape
    (10,)
    """

    name: str | None = None

    kind = "global pool"

    def __post_init__(self):
        self.check()

    def measure(self, shape):
        """Give (out_shape, weights, biases, MACs) for an input of `shape`."""
        return as_map(shape)[:1], 0, 0, 0


@dataclass(frozen=True, repr=False)
class Branches(Layer):
    """Several chains on the same input, joined at the end.

    Parameters
    ----------
    branches : dict of str to list of layers
        An empty list is the identity: the input itself is joined in.
    join : "concat" or "add"
        Stack the channels, or sum maps of one shape.
    name : str, optional

    Raises
    ------
    ValueError
        There is no branch, a name is no string, or `join` is none of the two.

    Examples
    --------
    >>> shrink = [Conv(256, 64), Conv(64, 64, 3, padding=1), Conv(64, 256)]
    >>> table(Branches({"residual": shrink, "identity": []}, join="add"), (256, 56, 56)).weights
    69632
    """

    branches: dict
    _: KW_ONLY
    join: str = "concat"
    name: str | None = None

    kind = "branches"

    def __post_init__(self):
        self.check()
        if not isinstance(self.branches, dict) or not self.branches:
            raise ValueError(f"{self.label()}: needs a dict of at least one branch")
        for name, chain in self.branches.items():
            if not isinstance(name, str) or not name:
                raise ValueError(f"{self.label()}: a branch is named by a string, got {name!r}")
            if not isinstance(chain, (list, tuple, Layer)):
                raise ValueError(
                    f'{self.label()}: branch "{name}" must be a list of layers, got {chain!r}'
                )
        if self.join not in ("concat", "add"):
            raise ValueError(f'{self.label()}: join must be "concat" or "add", got {self.join!r}')
        chains = {
            name: [chain] if isinstance(chain, Layer) else list(chain)
            for name, chain in self.branches.items()
        }
        object.__setattr__(self, "branches", chains)

    def text(self, leave_out=()):
        if isinstance(self.branches, dict):
            inside = "{" + ", ".join(f"{name!r}: …" for name in self.branches) + "}"
        else:
            inside = repr(self.branches)
        join = "" if self.join == "concat" else f", join={self.join!r}"
        name = "" if self.name is None or "name" in leave_out else f", name={self.name!r}"
        return f"Branches({inside}{join}{name})"

    def joined(self, shapes):
        """Give the shape of the joined output; `shapes` holds one per branch."""
        said = ", ".join(f'"{name}" gives {shape}' for name, shape in shapes.items())
        first, *others = shapes.values()
        if any(shape[1:] != first[1:] for shape in others):
            raise ValueError(f"the branches must agree in H×W: {said}")
        if self.join == "concat":
            return (sum(shape[0] for shape in shapes.values()), *first[1:])
        if any(shape != first for shape in others):
            raise ValueError(f'join="add" wants branches of one shape: {said}')
        return first


def conv_kind(c_in, kernel, groups):
    """Name a convolution: "pointwise", "3×3", with "grouped" or "depthwise" before it."""
    size = "×".join(map(str, kernel)) if len(kernel) > 1 else f"{kernel[0]}-tap"
    if groups == c_in > 1:
        return f"depthwise {size}"
    if set(kernel) == {1}:
        size = "pointwise"
    return size if groups == 1 else f"grouped {size}"


def as_map(shape):
    """Return `shape`, or raise a ValueError where it is not (C, H, W)."""
    if len(shape) != 3:
        raise ValueError(f"wants a map of shape (C, H, W), but gets a vector of shape {shape}")
    return shape


def windows(shape, k, stride, padding):
    """Give the numbers of window positions down and across a map."""
    _, H, W = as_map(shape)
    if k > min(H, W) + 2 * padding:
        raise ValueError(
            f"a {k}×{k} window does not fit a map of shape {shape} with padding = {padding}"
        )
    return out_size(H, k, stride, padding), out_size(W, k, stride, padding)


# --------------------------------------------------------------------------------------- a table


class Row(NamedTuple):
    """One layer of a `Table`: plain data."""

    name: str
    kind: str
    in_shape: tuple
    out_shape: tuple
    weights: int
    biases: int
    macs: int

    @property
    def parameters(self):
        """Weights plus biases."""
        return self.weights + self.biases


class Table:
    """What every layer of a network costs on one image.

    Attributes
    ----------
    rows : list of Row
        (name, kind, in_shape, out_shape, weights, biases, macs), in the order of execution.
    in_shape, out_shape : tuple of int
        Of the whole network, without the batch axis.
    unknown : tuple of str
        What the table does not cover, by name; only `from_torch` puts something here.
    weights, biases, parameters, macs : int
        Totals over the rows.

    `table["3a/5x5"]` is the row of that name. `table.only("pointwise")` is the table of the rows of
    that kind; a function of the row, true or false, selects as well.

    Examples
    --------
    >>> t = table([Conv(480, 16), Conv(16, 48, 5, padding=2, name="5x5")], (480, 14, 14))
    >>> t.macs, t["5x5"].macs, t.only("pointwise").macs
    (5268480, 3763200, 1505280)
    """

    def __init__(self, rows, in_shape, out_shape, unknown=()):
        self.rows = list(rows)
        self.in_shape = in_shape
        self.out_shape = out_shape
        self.unknown = tuple(unknown)

    weights = property(lambda self: sum(row.weights for row in self.rows))
    biases = property(lambda self: sum(row.biases for row in self.rows))
    parameters = property(lambda self: self.weights + self.biases)
    macs = property(lambda self: sum(row.macs for row in self.rows))

    def only(self, kind):
        """Keep the rows of one kind, or those of which a function says true."""
        keep = kind if callable(kind) else lambda row: row.kind == kind
        rows = [row for row in self.rows if keep(row)]
        return Table(rows, self.in_shape, self.out_shape, self.unknown)

    def __getitem__(self, name):
        for row in self.rows:
            if name in (row.name, shown(row.name)):
                return row
        raise KeyError(f"no row {name!r}; there are: {', '.join(row.name for row in self.rows)}")

    def __repr__(self):
        body = [HEAD, *map(cells, self.rows)]
        total = self.total()
        widths = [max(map(len, column)) for column in zip(*body, total, strict=True)]

        def line(texts):
            padded = [
                text.rjust(width) if i >= 4 else text.ljust(width)
                for i, (text, width) in enumerate(zip(texts, widths, strict=True))
            ]
            return "  ".join(padded).rstrip()

        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [line(HEAD), rule, *map(line, body[1:]), rule, line(total)]
        return "\n".join(lines + self.not_counted())

    def not_counted(self, most=8):
        """Say in lines of text what the table does not cover."""
        lines = [f"not counted: {item}" for item in self.unknown[:most]]
        rest = len(self.unknown) - most
        return [*lines, f"not counted: {rest} more, all in .unknown"] if rest > 0 else lines

    def _repr_html_(self):
        left, right = (f' style="text-align: {side}"' for side in ("left", "right"))
        sides = [left] * 4 + [right] * 3

        def tr(texts):
            name, *others = (html.escape(text) for text in texts)
            tds = [f"<td{side}>{text}</td>" for side, text in zip(sides[1:], others, strict=True)]
            return f'<tr><th scope="row"{left}>{name}</th>{"".join(tds)}</tr>'

        head = [
            f'<th scope="col"{side}>{text}</th>' for side, text in zip(sides, HEAD, strict=True)
        ]
        notes = [
            f'<tr><td colspan="{len(HEAD)}"{left}>{html.escape(text)}</td></tr>'
            for text in self.not_counted()
        ]
        axes = " (channels × height × width)" * (len(self.in_shape) == 3)
        lines = [
            "<table>",
            f"<caption>Cost of one input of {spell(self.in_shape)}{axes}</caption>",
            f"<thead><tr>{''.join(head)}</tr></thead>",
            "<tbody>",
            *(tr(cells(row)) for row in self.rows),
            "</tbody>",
            "<tfoot>",
            tr(self.total()),
            *notes,
            "</tfoot>",
            "</table>",
        ]
        return "\n".join(lines)

    def total(self):
        counts = (f"{count:,}" for count in (self.weights, self.biases, self.macs))
        return ("total", "", "", "", *counts)


HEAD = ("layer", "kind", "in", "out", "weights", "biases", "MACs")


def shown(name):
    """A name as tables print it: "3x3 reduce" becomes "3×3 reduce"."""
    return re.sub(r"(?<=\d)x(?=\d)", "×", name)


def cells(row):
    """Write a row as texts."""
    counts = (f"{count:,}" for count in (row.weights, row.biases, row.macs))
    return (shown(row.name), row.kind, spell(row.in_shape), spell(row.out_shape), *counts)


def spell(shape):
    return "×".join(map(str, shape or ()))


def unique(name, taken, word=""):
    """Return `name`, with a number after it where it is taken, and mark it as taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({word}{number})"
    taken.add(free)
    return free


# ------------------------------------------------------------------------- from a list of layers


def table(layers, input_shape):
    """Count what every layer of a chain costs on one image.

    A row is called by the name of its layer, behind the names of the `Branches` around it:
    "3a/5x5 reduce". A layer without a name is called by its place in the chain, 1, 2, 3, behind the
    name of its branch: "left 2". A name that comes again gets a number.

    Parameters
    ----------
    layers : list of layers, or one layer
    input_shape : tuple of int
        (C, H, W) of one image, or (C,) of a vector.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        A layer does not fit the shape that it is given; the message names the layer and both.

    Examples
    --------
    >>> table([Conv(3, 2, name="mix")], (3, 4, 4))
    layer  kind       in     out    weights  biases  MACs
    ─────────────────────────────────────────────────────
    mix    pointwise  3×4×4  2×4×4        6       2    96
    ─────────────────────────────────────────────────────
    total                                 6       2    96
    """
    in_shape = check_shape(input_shape)
    layers = [layers] if isinstance(layers, Layer) else layers
    if not isinstance(layers, (list, tuple)):
        raise ValueError(f"a chain is a list of layers, got {layers!r}")
    rows, taken = [], set()

    def run(chain, shape, prefix, place):
        for position, layer in enumerate(flat(chain), 1):
            if not isinstance(layer, Layer):
                raise Misfit(f"layer {prefix}{place}{position} must be a layer, got {layer!r}")
            name = prefix + (layer.name or f"{place}{position}")
            try:
                if isinstance(layer, Branches):
                    inside = f"{name}/" if layer.name else prefix
                    shapes = {
                        branch: run(steps, shape, inside, f"{branch} ")
                        for branch, steps in layer.branches.items()
                    }
                    shape = layer.joined(shapes)
                else:
                    before, (shape, *counts) = shape, layer.measure(shape)
                    row = Row(unique(name, taken), layer.kind, before, shape, *counts)
                    rows.append(row)
            except Misfit:
                raise
            except ValueError as error:
                shown = f'"{name}"' if layer.name else name
                text = layer.text(leave_out=["name"])
                raise Misfit(f"layer {shown}, {text}: {error}") from None
        return shape

    return Table(rows, in_shape, run(layers, in_shape, "", ""))


class Misfit(ValueError):
    """The error of a layer in a chain, its name already in the text."""


def flat(chain):
    """Yield what a chain holds, with the chains inside it spread out."""
    for item in chain:
        if isinstance(item, (list, tuple)):
            yield from flat(item)
        else:
            yield item


def check_shape(shape):
    """Return the input shape as a tuple of ints."""
    if not isinstance(shape, (tuple, list)) or len(shape) not in (1, 3):
        raise ValueError(
            f"input_shape must be (C, H, W), or (C,) for a vector, without the batch axis, "
            f"got {shape!r}"
        )
    shape = tuple(shape)
    names = ("C", "H", "W")[: len(shape)]
    return tuple(
        integer(f"{name} of input_shape {shape}", size, 1)
        for name, size in zip(names, shape, strict=True)
    )


# ------------------------------------------------------------------------------------ break-even


def break_even(k, c_in, c_out):
    """Give the width r at which a reduction before a k×k convolution stops to save weights.

        c_in·r + k²·r·c_out = k²·c_in·c_out    ⟺    r = k²·c_in·c_out / (c_in + k²·c_out)

    Below r the pair costs less than the k×k alone, above it more. The same r holds for MACs where
    both layers work on maps of one size. Biases are left out.

    Parameters
    ----------
    k, c_in, c_out : int

    Returns
    -------
    fractions.Fraction
        Exact; `float()` of it is the familiar decimal.

    Raises
    ------
    ValueError
        A number is not an integer of at least 1.

    Examples
    --------
    >>> break_even(5, 480, 48)
    Fraction(2400, 7)
    """
    k, c_in, c_out = integer("k", k, 1), integer("c_in", c_in, 1), integer("c_out", c_out, 1)
    return Fraction(k**2 * c_in * c_out, c_in + k**2 * c_out)


def widest_saving(k, c_in, c_out):
    """Give the largest width r of a reduction that still saves weights; 0 where none does.

    The largest integer below `break_even`, in integer arithmetic.

    Parameters
    ----------
    k, c_in, c_out : int

    Returns
    -------
    int

    Raises
    ------
    ValueError
        A number is not an integer of at least 1.

    Examples
    --------
    >>> widest_saving(5, 480, 48)
    342
    """
    r = break_even(k, c_in, c_out)
    return (r.numerator - 1) // r.denominator


# ---------------------------------------------------------------------------- from a torch module


def from_torch(module, input_shape):
    """Count what every layer of a `torch.nn.Module` costs on one image.

    The module runs once, in eval mode, on an image of zeros, and hooks note every layer as it is
    called. What runs is a copy: the module keeps its weights, mode, device and hooks, and torch its
    random numbers. The copy lives on the meta device, which has shapes and no data. Where the
    module cannot run there (its forward looks at values, say), the copy runs on the module's own
    device instead.

    - Convolutions (1-d to 3-d, transposed too) and `Linear` have MACs. Normalisation, `PReLU` and
      `Embedding` get a row for their parameters, pooling a row for the change of size. The other
      known layers (activations, dropout, flatten, padding, resizing) cost nothing and get no row.
      Adaptive pooling to 1×1 is a "global pool"; its row has the shape that `GlobalPool` gives.
    - A layer that is called twice has two rows: MACs in both, parameters in the first. Weights that
      two layers share count once.
    - What is not known is named in `Table.unknown` and printed below the table as "not counted": a
      layer of an unknown class, parameters that no row holds, and matrix multiplies and
      convolutions that a `forward` does by itself (attention does), by operator and MACs. A
      `forward` that writes a product out in element-wise steps goes unseen.

    Parameters
    ----------
    module : torch.nn.Module
    input_shape : tuple of int
        Of one input without the batch axis, such as (3, 224, 224).

    Returns
    -------
    Table
        Rows are called by the path of the layer in the module.

    Raises
    ------
    ValueError
        The module does not run on that shape (the message names the layer that failed), cannot be
        copied, or has lazy parameters whose sizes are not yet known.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(480, 16, 1), torch.nn.ReLU())
    >>> from_torch(net, (480, 14, 14)).macs
    1505280
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, got {module!r}")
    if not isinstance(input_shape, (tuple, list)) or not input_shape:
        raise ValueError(f"input_shape must be a tuple without the batch axis, got {input_shape!r}")
    shape = tuple(integer(f"a size in input_shape {input_shape}", n, 1) for n in input_shape)
    for name, parameter in module.named_parameters():
        if torch.nn.parameter.is_lazy(parameter):
            raise ValueError(f"{name} is lazy: run the module once, so that its size is known")

    home = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    with suppress(Exception):
        return dry_run(module, shape, torch.device("meta"))
    return dry_run(module, shape, home)


def dry_run(module, shape, device):
    """Run a copy of the module once on `device` and return the Table of what was called."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    try:
        twin = copy_to(module, device).eval()
    except Exception as error:
        raise ValueError(f"{type(module).__name__} cannot be copied: {error}") from error
    names = {layer: name or type(layer).__name__ for name, layer in twin.named_modules()}
    rows, taken, held, unknown, inside = [], set(), set(), {}, []
    seen, before = Counter(), {}  # MACs that operators did inside known layers

    def operators():
        counts = counter.get_flop_counts().get("Global", {})
        return Counter({str(name): flops // 2 for name, flops in counts.items()})

    def enter(layer, args):
        inside.append(layer)
        before[layer] = operators()

    def leave(layer, args, kwargs, output):
        inside.pop()
        role = role_of(layer)
        if role == "unknown" and not any(layer.children()):
            unknown[layer] = "its arithmetic is not known"
        if role in ("unknown", "container"):
            return
        seen.update(operators() - before[layer])
        x = first_tensor((args, kwargs))
        y = first_tensor(output)
        own = {
            key: value.numel() * (value not in held)
            for key, value in layer._parameters.items()
            if value is not None
        }
        held.update(value for value in layer._parameters.values() if value is not None)
        kind, macs = kind_and_macs(layer, role, x, y)
        biases = own.pop("bias", 0)
        if macs or own or biases or "pool" in role:
            name = unique(names[layer], taken, "call ")
            out = plain(y.shape)[:1] if kind == "global pool" else plain(y.shape)
            rows.append(Row(name, kind, plain(x.shape), out, sum(own.values()), biases, macs))

    dtype = next((p.dtype for p in twin.parameters() if p.is_floating_point()), torch.float32)
    handles = []
    for layer in twin.modules():
        handles.append(layer.register_forward_pre_hook(enter))
        handles.append(layer.register_forward_hook(leave, with_kwargs=True))
    cuda = [device] if device.type == "cuda" else []
    fast = torch.backends.mha.get_fastpath_enabled()
    counter = FlopCounterMode(display=False, custom_mapping=vector_products())
    try:
        # Attention's fused shortcuts would hide its matrix multiplies from the operator count.
        torch.backends.mha.set_fastpath_enabled(False)
        with (
            torch.random.fork_rng(cuda),
            torch.no_grad(),
            torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
            counter,
        ):
            output = twin(torch.zeros(1, *shape, dtype=dtype, device=device))
    except Exception as error:
        where = names[inside[-1]] if inside else type(module).__name__
        last = f"{where} ({type(inside[-1] if inside else module).__name__})"
        raise ValueError(
            f"{type(module).__name__} does not run on an input of shape {shape}; "
            f"it fails in {last}: {error}"
        ) from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for handle in handles:
            handle.remove()

    said = []
    for layer, name in names.items():
        reasons = [unknown[layer]] if layer in unknown else []
        missing = [p for p in layer._parameters.values() if p is not None and p not in held]
        held.update(missing)
        if missing:
            reasons.insert(0, f"{sum(p.numel() for p in missing):,} parameters")
            if layer not in before:
                reasons.append("never called")
        if reasons:
            said.append(f"{name} ({type(layer).__name__}): {', '.join(reasons)}")
    for operator, macs in sorted((operators() - seen).items()):
        said.append(f"{operator} outside the known layers: {macs:,} MACs")
    y = first_tensor(output)
    return Table(rows, shape, None if y is None else plain(y.shape), said)


def copy_to(module, device):
    """Return a copy of the module with all its tensors on `device`; meta ones hold no data."""
    import torch

    memo = {}

    def twin_of(value):
        if device.type == "meta":
            copied = torch.empty_like(value, device=device)
        else:
            copied = value.detach().clone()
        if isinstance(value, torch.nn.Parameter):
            copied = torch.nn.Parameter(copied, requires_grad=value.requires_grad)
        return copied

    for layer in module.modules():
        tensors = [*layer._parameters.values(), *layer._buffers.values(), *vars(layer).values()]
        for value in tensors:
            if isinstance(value, torch.Tensor) and id(value) not in memo:
                memo[id(value)] = twin_of(value)
    return copy.deepcopy(module, memo)


@cache
def known_layers():
    """Pair each known class of torch.nn with its role."""
    from torch import nn
    from torch.nn import modules

    def public(*parts):
        return [getattr(part, name) for part in parts for name in part.__all__]

    activations = [c for c in public(modules.activation) if c is not nn.MultiheadAttention]
    pools = [c for c in public(modules.pooling) if "Unpool" not in c.__name__]
    nothing = [
        *public(modules.dropout, modules.flatten, modules.padding, modules.pixelshuffle),
        *public(modules.upsampling, modules.channelshuffle, modules.fold),
        *(nn.Identity, nn.MaxUnpool1d, nn.MaxUnpool2d, nn.MaxUnpool3d),
    ]
    norms = [c for c in public(modules.batchnorm, modules.instancenorm, modules.normalization)]
    roles = {
        "convolution": [nn.Conv1d, nn.Conv2d, nn.Conv3d],
        "transposed convolution": [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d],
        "dense": [nn.Linear],
        "norm": norms,
        "activation": activations,
        "embedding": [nn.Embedding],
        "pool": pools,
        "nothing": nothing,
        "container": [nn.Sequential, nn.ModuleList, nn.ModuleDict],
    }
    return [(known, role) for role, classes in roles.items() for known in classes]


def role_of(layer):
    """Find the role of a layer; a subclass has it only if it inherits its forward unchanged."""
    for known, role in known_layers():
        if isinstance(layer, known) and type(layer).forward is known.forward:
            return role
    return "unknown"


def kind_and_macs(layer, role, x, y):
    """Name the kind of a layer as the lists of layers do, and count its MACs from x to y."""
    if role == "dense":
        return "dense", y.numel() * layer.in_features
    if "convolution" in role:
        kind = conv_kind(layer.in_channels, layer.kernel_size, layer.groups)
        window = math.prod(layer.kernel_size)
        if role == "convolution":
            return kind, y.numel() * (layer.in_channels // layer.groups) * window
        # Transposed: every entry of x is spread over its windows in the maps of its group.
        return f"transposed {kind}", x.numel() * (layer.out_channels // layer.groups) * window
    if role == "pool" and "Adaptive" in type(layer).__name__ and set(y.shape[2:]) == {1}:
        return "global pool", 0
    return role, 0


def vector_products():
    """Give the operator count the products with vectors, which it leaves out by itself."""
    from torch import ops

    def of_matrix(matrix, *rest, out_shape=None, **options):
        return 2 * math.prod(matrix)

    def of_sum(total, matrix, *rest, out_shape=None, **options):
        return 2 * math.prod(matrix)

    aten = ops.aten
    return {aten.mv: of_matrix, aten.dot: of_matrix, aten.vdot: of_matrix, aten.addmv: of_sum}


def first_tensor(value):
    """Find the first tensor in nested tuples, lists and dicts."""
    if hasattr(value, "numel"):
        return value
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (tuple, list, dict)):
        return None
    return next((found for item in items if (found := first_tensor(item)) is not None), None)


def plain(shape):
    """Drop the batch axis of one image and return ints."""
    return tuple(map(int, shape[1:] if len(shape) > 1 and shape[0] == 1 else shape))
