"""Published networks as data: layer lists for `pointwise.cost`, and tables as printed.

Widths and tables are typed from the papers and sources named beside them. All else is computed.
"""

import math
from itertools import pairwise
from typing import NamedTuple

from pointwise.cost import Branches, Conv, Dense, Depthwise, GlobalPool, Pool, table

# ------------------------------------------------------------------------------------- GoogLeNet


class Widths(NamedTuple):
    """The numbers of one Inception module.

    `c_in` channels come in on a map of `size` × `size` pixels. The rest are channels out: of the
    1×1 branch, of the reduction before the 3×3 and the 3×3 itself, the same for the 5×5, and of the
    1×1 after the pooling.
    """

    c_in: int
    size: int
    n1x1: int
    r3x3: int
    n3x3: int
    r5x5: int
    n5x5: int
    pool: int

    @property
    def c_out(self):
        """Channels of the four branches together."""
        return self.n1x1 + self.n3x3 + self.n5x5 + self.pool

    @property
    def input_shape(self):
        return (self.c_in, self.size, self.size)


class PrintedRow(NamedTuple):
    """A row of Table 1 as printed; None where the table is blank."""

    type: str
    patch: str | None
    output: str
    depth: int
    n1x1: int | None = None
    r3x3: int | None = None
    n3x3: int | None = None
    r5x5: int | None = None
    n5x5: int | None = None
    pool: int | None = None
    params: str | None = None
    ops: str | None = None


# Szegedy et al. 2014, "Going Deeper with Convolutions", arXiv 1409.4842, Table 1.
# The paper writes its shapes H×W×C.
GOOGLENET_TABLE = [
    PrintedRow("convolution", "7×7/2", "112×112×64", 1, params="2.7K", ops="34M"),
    PrintedRow("max pool", "3×3/2", "56×56×64", 0),
    PrintedRow(
        "convolution", "3×3/1", "56×56×192", 2, r3x3=64, n3x3=192, params="112K", ops="360M"
    ),
    PrintedRow("max pool", "3×3/2", "28×28×192", 0),
    PrintedRow("inception (3a)", None, "28×28×256", 2, 64, 96, 128, 16, 32, 32, "159K", "128M"),
    PrintedRow("inception (3b)", None, "28×28×480", 2, 128, 128, 192, 32, 96, 64, "380K", "304M"),
    PrintedRow("max pool", "3×3/2", "14×14×480", 0),
    PrintedRow("inception (4a)", None, "14×14×512", 2, 192, 96, 208, 16, 48, 64, "364K", "73M"),
    PrintedRow("inception (4b)", None, "14×14×512", 2, 160, 112, 224, 24, 64, 64, "437K", "88M"),
    PrintedRow("inception (4c)", None, "14×14×512", 2, 128, 128, 256, 24, 64, 64, "463K", "100M"),
    PrintedRow("inception (4d)", None, "14×14×528", 2, 112, 144, 288, 32, 64, 64, "580K", "119M"),
    PrintedRow("inception (4e)", None, "14×14×832", 2, 256, 160, 320, 32, 128, 128, "840K", "170M"),
    PrintedRow("max pool", "3×3/2", "7×7×832", 0),
    PrintedRow("inception (5a)", None, "7×7×832", 2, 256, 160, 320, 32, 128, 128, "1072K", "54M"),
    PrintedRow("inception (5b)", None, "7×7×1024", 2, 384, 192, 384, 48, 128, 128, "1388K", "71M"),
    PrintedRow("avg pool", "7×7/1", "1×1×1024", 0),
    PrintedRow("dropout (40%)", None, "1×1×1024", 0),
    PrintedRow("linear", None, "1×1×1000", 1, params="1000K", ops="1M"),
    PrintedRow("softmax", None, "1×1×1000", 0),
]


def printed_shape(row):
    """Turn the printed output size of a row, H×W×C, into (C, H, W).

    Examples
    --------
    >>> printed_shape(GOOGLENET_TABLE[0])
    (64, 112, 112)
    """
    height, width, channels = map(int, row.output.split("×"))
    return channels, height, width


def inception_widths():
    """Read the nine modules off Table 1; each takes in what the row above it puts out."""
    modules = {}
    for above, row in pairwise(GOOGLENET_TABLE):
        if row.type.startswith("inception"):
            channels, size, _ = printed_shape(above)
            name = row.type.removeprefix("inception (").removesuffix(")")
            modules[name] = Widths(
                channels, size, row.n1x1, row.r3x3, row.n3x3, row.r5x5, row.n5x5, row.pool
            )
    return modules


INCEPTION = inception_widths()  # "3a" … "5b" → Widths


def verdict(value, printed):
    """Say how a computed value agrees with a printed one, such as "2.7K" or "73M".

    Parameters
    ----------
    value : float
        In the unit of the printed figure.
    printed : str
        Digits, perhaps with a decimal point, and a one-letter unit.

    Returns
    -------
    str
        "rounds to it"; "cut off" if the printed figure lacks the digits that follow; or "differs".

    Examples
    --------
    >>> verdict(73.61, "73M"), verdict(74.2, "74M"), verdict(9.19, "2.7K")
    ('cut off', 'rounds to it', 'differs')
    """
    figure = printed[:-1]
    digits = len(figure.partition(".")[2])
    if f"{value:.{digits}f}" == figure:
        return "rounds to it"
    cut = math.floor(value * 10**digits) / 10**digits
    return "cut off" if f"{cut:.{digits}f}" == figure else "differs"


def single_changes(widths, printed, most=4096):
    """Find every module that differs in one width and agrees with both printed counts.

    Parameters
    ----------
    widths : Widths
    printed : PrintedRow
        With figures for parameters, in units of 1024 weights, and for operations, in million MACs.
    most : int
        Each width is tried from 1 to this value.

    Returns
    -------
    list of Widths

    Examples
    --------
    >>> found = single_changes(INCEPTION["5a"], GOOGLENET_TABLE[13])
    >>> [w.r3x3 for w in found if (w.c_in, w.c_out) == (832, 832)]
    [175]
    """
    found = []
    for field in widths._fields:
        if field == "size":
            continue
        # Both counts are straight lines in any one width: two tables give all the others.
        at_1, at_2 = (widths._replace(**{field: value}) for value in (1, 2))
        first, second = (table([inception(w)], w.input_shape) for w in (at_1, at_2))
        for value in range(1, most + 1):
            weights = first.weights + (value - 1) * (second.weights - first.weights)
            macs = first.macs + (value - 1) * (second.macs - first.macs)
            params = verdict(weights / 1024, printed.params)
            ops = verdict(macs / 1e6, printed.ops)
            w = widths._replace(**{field: value})
            if "differs" not in (params, ops) and w != widths:
                found.append(w)
    return found


def inception(widths, *, bias=True, name=None):
    """Lay out an Inception module: 1×1 reductions before the 3×3 and 5×5, a 1×1 after the pooling.

    Parameters
    ----------
    widths : Widths
        Such as `INCEPTION["3a"]`.
    bias : bool
    name : str, optional
        Goes before the names of the rows: "3a/5x5 reduce".

    Returns
    -------
    Branches
        Branches "1x1", "3x3", "5x5" and "pool", in the order of their channels in the output.

    References
    ----------
    Szegedy et al. 2014, arXiv 1409.4842, section 4 and figure 2(b).

    Examples
    --------
    >>> from pointwise import cost
    >>> w = INCEPTION["3a"]
    >>> cost.table(inception(w), w.input_shape).macs
    128049152
    """
    w = Widths(*widths)
    return Branches(
        {
            "1x1": [Conv(w.c_in, w.n1x1, bias=bias, name="1x1")],
            "3x3": [
                Conv(w.c_in, w.r3x3, bias=bias, name="3x3 reduce"),
                Conv(w.r3x3, w.n3x3, 3, padding=1, bias=bias, name="3x3"),
            ],
            "5x5": [
                Conv(w.c_in, w.r5x5, bias=bias, name="5x5 reduce"),
                Conv(w.r5x5, w.n5x5, 5, padding=2, bias=bias, name="5x5"),
            ],
            "pool": [
                Pool(3, stride=1, padding=1, name="pool"),
                Conv(w.c_in, w.pool, bias=bias, name="pool proj"),
            ],
        },
        name=name,
    )


def naive_inception(widths, *, bias=True, name=None):
    """Lay out the naive module: no reductions, and the pooling passes all its channels on.

    Parameters
    ----------
    widths : Widths
        Its reductions and its pool projection are not used.
    bias : bool
    name : str, optional

    Returns
    -------
    Branches

    References
    ----------
    Szegedy et al. 2014, arXiv 1409.4842, section 4 and figure 2(a).

    Examples
    --------
    >>> from pointwise import cost
    >>> w = INCEPTION["3a"]
    >>> cost.table(naive_inception(w), w.input_shape).out_shape
    (416, 28, 28)
    """
    w = Widths(*widths)
    return Branches(
        {
            "1x1": [Conv(w.c_in, w.n1x1, bias=bias, name="1x1")],
            "3x3": [Conv(w.c_in, w.n3x3, 3, padding=1, bias=bias, name="3x3")],
            "5x5": [Conv(w.c_in, w.n5x5, 5, padding=2, bias=bias, name="5x5")],
            "pool": [Pool(3, stride=1, padding=1, name="pool")],
        },
        name=name,
    )


GOOGLENET_INPUT = (3, 224, 224)


def googlenet_rows(stem="dense", bias=True):
    """Give the layers behind each row of GoogLeNet's Table 1.

    Parameters
    ----------
    stem : "dense" or "separable"
        The first convolution: 7×7 from 3 to 64 channels, as later implementations have it; or a
        depthwise 7×7 with 8 kernels per channel and a 1×1 from 24 to 64. The printed 2.7K and 34M
        fit the second alone.
    bias : bool
        Biases on all convolutions and on the linear layer, except the depthwise half of the
        separable stem: with no rectifier between the halves, the bias of the 1×1 does for both.

    Returns
    -------
    list of (PrintedRow, list of layers, tuple)
        One entry for each row of `GOOGLENET_TABLE`; the tuple is the (C, H, W) that goes in.

    Raises
    ------
    ValueError
        `stem` is none of the two.

    References
    ----------
    Szegedy et al. 2014, arXiv 1409.4842, Table 1. Separable stem: Chollet 2016, "Xception", arXiv
    1610.02357, section 2, on depthwise separable layers in Inception V1.

    Examples
    --------
    >>> from pointwise import cost
    >>> printed, layers, shape = googlenet_rows("separable", bias=False)[0]
    >>> printed.params, cost.table(layers, shape).parameters
    ('2.7K', 2712)
    """
    if stem == "dense":
        first = [Conv(3, 64, 7, stride=2, padding=3, bias=bias, name="conv1")]
    elif stem == "separable":
        first = [
            Depthwise(
                3, 7, multiplier=8, stride=2, padding=3, bias=False, name="conv1 depthwise"
            ),
            Conv(24, 64, bias=bias, name="conv1 pointwise"),
        ]
    else:
        raise ValueError(f'stem must be "dense" or "separable", got {stem!r}')

    second = [
        Conv(64, 64, bias=bias, name="conv2 reduce"),
        Conv(64, 192, 3, padding=1, bias=bias, name="conv2"),
    ]
    convolutions = iter([first, second])
    pools = iter(["pool1", "pool2", "pool3", "pool4"])
    modules = iter(INCEPTION.items())
    rows, shape = [], GOOGLENET_INPUT
    for row in GOOGLENET_TABLE:
        if row.type == "convolution":
            layers = next(convolutions)
        elif row.type == "max pool":
            layers = [Pool(3, stride=2, ceil=True, name=next(pools))]
        elif row.type.startswith("inception"):
            name, widths = next(modules)
            layers = [inception(widths, bias=bias, name=name)]
        elif row.type == "avg pool":
            layers = [GlobalPool(name="avg pool")]  # 7×7 covers the whole map
        elif row.type == "linear":
            layers = [Dense(1024, 1000, bias=bias, name="linear")]
        else:  # dropout and softmax
            layers = []
        rows.append((row, layers, shape))
        shape = printed_shape(row)
    return rows


def googlenet(stem="dense", bias=True):
    """Lay out GoogLeNet from the image of 224×224 to the 1000 class scores, without side heads.

    Parameters
    ----------
    stem : "dense" or "separable"
    bias : bool
        Both as in `googlenet_rows`.

    Returns
    -------
    list of layers
        For an input of `GOOGLENET_INPUT`.

    References
    ----------
    Szegedy et al. 2014, arXiv 1409.4842, Table 1 and figure 3.

    Examples
    --------
    >>> from pointwise import cost
    >>> cost.table(googlenet(), GOOGLENET_INPUT).parameters
    6998552
    """
    return [layer for _, layers, _ in googlenet_rows(stem, bias) for layer in layers]


# ---------------------------------------------------------------------------- Network in Network


class NinWidths(NamedTuple):
    """A Network in Network: the input, and (k, convolution, 1×1, 1×1) for each of three blocks."""

    input_shape: tuple
    blocks: tuple


# Lin, Chen and Yan 2013, "Network In Network", arXiv 1312.4400, section 4; widths from the first
# author's own layer files, github.com/mavenlin/cuda-convnet at f78ec36, NIN/*_def.
NIN = {
    "cifar10": NinWidths((3, 32, 32), ((5, 192, 160, 96), (5, 192, 192, 192), (3, 192, 192, 10))),
    "cifar100": NinWidths((3, 32, 32), ((5, 192, 160, 96), (5, 192, 192, 192), (3, 192, 192, 100))),
    "mnist": NinWidths((1, 28, 28), ((5, 96, 64, 48), (5, 128, 96, 48), (5, 128, 96, 10))),
    "svhn": NinWidths((3, 32, 32), ((5, 128, 96, 64), (5, 320, 256, 128), (5, 384, 256, 10))),
}
NIN_INPUT = {variant: widths.input_shape for variant, widths in NIN.items()}


def nin(variant):
    """Lay out a published Network in Network: three blocks, pooling between, a global mean.

    A block is a k×k convolution and two 1×1, "cccp" in the source. A rectifier follows every one of
    them, the last included; dropout of one half follows both poolings.

    Parameters
    ----------
    variant : "cifar10", "cifar100", "mnist" or "svhn"

    Returns
    -------
    list of layers
        For an input of `NIN_INPUT[variant]`.

    Raises
    ------
    ValueError
        There is no such variant.

    References
    ----------
    Lin, Chen and Yan 2013, arXiv 1312.4400, sections 3 and 4.

    Examples
    --------
    >>> from pointwise import cost
    >>> cost.table(nin("cifar10"), NIN_INPUT["cifar10"]).parameters
    966986
    """
    if variant not in NIN:
        raise ValueError(f"variant must be one of {', '.join(NIN)}; got {variant!r}")
    (channels, _, _), blocks = NIN[variant]
    layers = []
    for block, (k, wide, middle, narrow) in enumerate(blocks, 1):
        layers += [
            Conv(channels, wide, k, padding=k // 2, name=f"conv{block}"),
            Conv(wide, middle, name=f"cccp{2 * block - 1}"),
            Conv(middle, narrow, name=f"cccp{2 * block}"),
        ]
        if block < len(blocks):
            layers.append(Pool(3, stride=2, ceil=True, name=f"pool{block}"))
        channels = narrow
    return [*layers, GlobalPool(name="global mean")]
