"""Networks after Inception, and their forebears, as layer lists for `pointwise.cost`.

Widths and tables are typed from the papers and sources named beside them. All else is computed.

A convolution that batch normalisation follows has no bias, as in most released code: the shift of
the normalisation does its work. The normalisation itself is no layer here; `norm_parameters` counts
its two numbers a channel.
"""

from typing import NamedTuple

from pointwise.architectures import GOOGLENET_INPUT, NIN_INPUT, googlenet, nin
from pointwise.cost import Branches, Conv, Dense, Depthwise, GlobalPool, Pool, table

IMAGENET_INPUT = (3, 224, 224)


def norm_parameters(t):
    """Count the parameters of the batch normalisations that a table leaves out.

    Two numbers, scale and shift, for each channel out of each convolution without a bias. True of
    `resnet50`, `mobilenet_v1`, `mobilenet_v2` and `shufflenet`, where a normalisation follows every
    such convolution; the other networks of the book have none of it.

    Parameters
    ----------
    t : cost.Table

    Returns
    -------
    int

    References
    ----------
    Ioffe and Szegedy 2015, "Batch Normalization", arXiv 1502.03167, section 3.2.

    Examples
    --------
    >>> t = table(resnet50(), IMAGENET_INPUT)
    >>> t.parameters, norm_parameters(t), t.parameters + norm_parameters(t)
    (25503912, 53120, 25557032)
    """
    return 2 * sum(row.out_shape[0] for row in t.rows if row.weights and not row.biases)


# ---------------------------------------------------------------------------------------- ResNet


def bottleneck(c_in, width, c_out, *, stride=1, stride_in="3x3", name=None):
    """Lay out a bottleneck: 1×1 down to `width`, 3×3, 1×1 up, and the input added on.

    Where the input does not fit the output, by its channels or by the stride, a 1×1 projects it:
    the "projection shortcut", option B of the paper.

    Parameters
    ----------
    c_in, width, c_out : int
        Channels in, of the 3×3, and out.
    stride : int
    stride_in : "3x3" or "1x1"
        The layer that has the stride. The paper puts it in the first 1×1; most code today in the
        3×3, which keeps all pixels in play and costs more.
    name : str, optional
        Goes before the names of the rows: "conv2_1/reduce".

    Returns
    -------
    Branches
        "residual", with rows "reduce", "3x3" and "expand", and "shortcut", with "project" or
        nothing.

    Raises
    ------
    ValueError
        `stride_in` is none of the two.

    References
    ----------
    He et al. 2015, "Deep Residual Learning for Image Recognition", arXiv 1512.03385, figure 5 and
    section 4.1.

    Examples
    --------
    >>> t = table(bottleneck(256, 64, 256), (256, 56, 56))
    >>> t.weights, t.macs
    (69632, 218365952)
    """
    if stride_in not in ("3x3", "1x1"):
        raise ValueError(f'stride_in must be "3x3" or "1x1", got {stride_in!r}')
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    project = Conv(c_in, c_out, stride=stride, bias=False, name="project")
    return Branches(
        {
            "residual": [
                Conv(c_in, width, stride=first, bias=False, name="reduce"),
                Conv(width, width, 3, stride=second, padding=1, bias=False, name="3x3"),
                Conv(width, c_out, bias=False, name="expand"),
            ],
            "shortcut": [] if (c_in, stride) == (c_out, 1) else [project],
        },
        join="add",
        name=name,
    )


# (width, channels out, stride of the first block, blocks) of conv2_x to conv5_x, Table 1.
RESNET50 = [(64, 256, 1, 3), (128, 512, 2, 4), (256, 1024, 2, 6), (512, 2048, 2, 3)]


def resnet50(stride_in="3x3"):
    """Lay out ResNet-50: 16 bottlenecks behind a 7×7, and a linear layer on the global mean.

    Parameters
    ----------
    stride_in : "3x3" or "1x1"
        As in `bottleneck`: "1x1" is the paper's network, "3x3" today's.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT`.

    References
    ----------
    He et al. 2015, arXiv 1512.03385, Table 1.

    Examples
    --------
    >>> [table(resnet50(stride_in), IMAGENET_INPUT).macs for stride_in in ("1x1", "3x3")]
    [3857973248, 4089184256]
    """
    layers = [
        Conv(3, 64, 7, stride=2, padding=3, bias=False, name="conv1"),
        Pool(3, stride=2, padding=1, name="pool1"),
    ]
    channels = 64
    for stage, (width, c_out, stride, blocks) in enumerate(RESNET50, 2):
        for block in range(blocks):
            step, name = 1 if block else stride, f"conv{stage}_{block + 1}"
            layers.append(
                bottleneck(channels, width, c_out, stride=step, stride_in=stride_in, name=name)
            )
            channels = c_out
    return [*layers, GlobalPool(name="global mean"), Dense(channels, 1000, name="fc")]


# ------------------------------------------------------------------------------------ SqueezeNet


def fire(c_in, squeeze, expand1, expand3, *, name=None):
    """Lay out a fire module: 1×1 down to `squeeze`, then a 1×1 and a 3×3 side by side.

    Parameters
    ----------
    c_in, squeeze, expand1, expand3 : int
        Channels in, of the squeeze, and out of the two expanding layers; their sum comes out.
    name : str, optional
        Goes before the names of the rows: "fire2/squeeze 1x1".

    Returns
    -------
    list of layers

    References
    ----------
    Iandola et al. 2016, "SqueezeNet", arXiv 1602.07360, section 3.2 and figure 1.

    Examples
    --------
    >>> table(fire(96, 16, 64, 64), (96, 55, 55)).parameters
    11920
    """
    before = "" if name is None else f"{name}/"
    return [
        Conv(c_in, squeeze, name=f"{before}squeeze 1x1"),
        Branches(
            {
                "1x1": [Conv(squeeze, expand1, name="expand 1x1")],
                "3x3": [Conv(squeeze, expand3, 3, padding=1, name="expand 3x3")],
            },
            name=name,
        ),
    ]


# (squeeze, expand 1×1, expand 3×3) of fire2 to fire9, Table 1.
SQUEEZENET = {
    **{"fire2": (16, 64, 64), "fire3": (16, 64, 64), "fire4": (32, 128, 128)},
    **{"fire5": (32, 128, 128), "fire6": (48, 192, 192), "fire7": (48, 192, 192)},
    **{"fire8": (64, 256, 256), "fire9": (64, 256, 256)},
}
SQUEEZENET_RELEASE_INPUT = (3, 227, 227)


def squeezenet():
    """Lay out SqueezeNet 1.0, with the biases of its release; there is no dense layer.

    The paper's Table 1 says 224 pixels in and 111 after the first layer, which do not go together
    without padding: 224 give 109, and the release reads crops of 227, which give 111. Both sizes
    fit this list. The release pads its last layer, a 1×1, by one pixel; Table 1 and this list do
    not.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT` or `SQUEEZENET_RELEASE_INPUT`.

    References
    ----------
    Iandola et al. 2016, arXiv 1602.07360, Table 1; github.com/forresti/SqueezeNet, SqueezeNet_v1.0.

    Examples
    --------
    >>> table(squeezenet(), IMAGENET_INPUT).parameters
    1248424
    """
    layers, channels = [Conv(3, 96, 7, stride=2, name="conv1")], 96
    for name, widths in SQUEEZENET.items():
        if name in ("fire2", "fire5", "fire9"):
            layers.append(Pool(3, stride=2, ceil=True, name=f"pool before {name}"))
        layers += fire(channels, *widths, name=name)
        channels = widths[1] + widths[2]
    return [*layers, Conv(channels, 1000, name="conv10"), GlobalPool(name="global mean")]


# ------------------------------------------------------------------------------------- MobileNet


def separable(c_in, c_out, *, stride=1, name=None):
    """Lay out a depthwise-separable layer: a 3×3 on every channel alone, then a 1×1.

    Parameters
    ----------
    c_in, c_out : int
    stride : int
        Of the depthwise half.
    name : str, optional
        Goes before the names of the rows: "block 1/depthwise".

    Returns
    -------
    list of layers

    References
    ----------
    Howard et al. 2017, "MobileNets", arXiv 1704.04861, section 3.1.

    Examples
    --------
    >>> table(separable(512, 512), (512, 14, 14)).macs
    52283392
    """
    before = "" if name is None else f"{name}/"
    return [
        Depthwise(c_in, 3, stride=stride, padding=1, bias=False, name=f"{before}depthwise"),
        Conv(c_in, c_out, bias=False, name=f"{before}pointwise"),
    ]


# (channels out, stride) of the 13 separable layers, Table 1. The table prints a stride of 2 in the
# last; its own output of 7×7 wants 1.
MOBILENET_V1 = [
    *[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)],
    *[(512, 1)] * 5,
    *[(1024, 2), (1024, 1)],
]


def narrowed(channels, alpha):
    """Give the channels that the width multiplier leaves of a layer, rounded down."""
    if int(alpha * channels) < 1:
        raise ValueError(f"alpha = {alpha!r} leaves no channel of {channels}")
    return int(alpha * channels)


def mobilenet_v1(alpha=1.0, *, separated=True):
    """Lay out MobileNetV1: a 3×3, 13 separable layers, and a linear layer on the global mean.

    The resolution multiplier ρ of the paper is the size of the input: 224, 192, 160 or 128 pixels.

    Parameters
    ----------
    alpha : float
        The width multiplier: every layer has `int(alpha · channels)`.
    separated : bool
        False puts a full 3×3 in the place of every separable layer: the "Conv MobileNet" of the
        paper's Table 4.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT`, or smaller.

    Raises
    ------
    ValueError
        `alpha` leaves a layer without channels.

    References
    ----------
    Howard et al. 2017, arXiv 1704.04861, Table 1 and section 3.3.

    Examples
    --------
    >>> t = table(mobilenet_v1(), IMAGENET_INPUT)
    >>> t.macs, t.only("pointwise").weights
    (568740352, 3139584)
    """
    channels = narrowed(32, alpha)
    layers = [Conv(3, channels, 3, stride=2, padding=1, bias=False, name="conv1")]
    for number, (full, stride) in enumerate(MOBILENET_V1, 1):
        c_out, name = narrowed(full, alpha), f"block {number}"
        if separated:
            layers += separable(channels, c_out, stride=stride, name=name)
        else:
            layers.append(Conv(channels, c_out, 3, stride=stride, padding=1, bias=False, name=name))
        channels = c_out
    return [*layers, GlobalPool(name="global mean"), Dense(channels, 1000, name="fc")]


class PrintedShare(NamedTuple):
    """A row of MobileNet's Table 2 as printed; `kind` is its name in a `cost.Table`."""

    type: str
    macs: str
    parameters: str
    kind: str


# Howard et al. 2017, arXiv 1704.04861, Table 2, "Resource Per Layer Type".
MOBILENET_TABLE_2 = [
    PrintedShare("Conv 1 × 1", "94.86%", "74.59%", "pointwise"),
    PrintedShare("Conv DW 3 × 3", "3.06%", "1.06%", "depthwise 3×3"),
    PrintedShare("Conv 3 × 3", "1.19%", "0.02%", "3×3"),
    PrintedShare("Fully Connected", "0.18%", "24.33%", "dense"),
]


class PrintedCost(NamedTuple):
    """A row of MobileNet's Tables 3 and 4 as printed: millions of mult-adds and of parameters.

    `layers` are counted on an input of `input_shape`.
    """

    name: str
    macs: str
    parameters: str
    layers: list
    input_shape: tuple


# Table 3: one inner layer, 512 channels in and out, 14×14 pixels; each row keeps the change above.
MOBILENET_TABLE_3 = [
    PrintedCost(
        "Convolution", "462", "2.36", [Conv(512, 512, 3, padding=1, bias=False)], (512, 14, 14)
    ),
    PrintedCost("Depthwise Separable Conv", "52.3", "0.27", separable(512, 512), (512, 14, 14)),
    PrintedCost("α = 0.75", "29.6", "0.15", separable(384, 384), (384, 14, 14)),
    PrintedCost("ρ = 0.714", "15.1", "0.15", separable(384, 384), (384, 10, 10)),
]
# Table 4: the whole network.
MOBILENET_TABLE_4 = [
    PrintedCost("Conv MobileNet", "4866", "29.3", mobilenet_v1(separated=False), IMAGENET_INPUT),
    PrintedCost("MobileNet", "569", "4.2", mobilenet_v1(), IMAGENET_INPUT),
]


def inverted_residual(c_in, c_out, *, expansion=6, stride=1, name=None):
    """Lay out an inverted residual: 1×1 up, a depthwise 3×3, and a linear 1×1 down.

    The input is added on where it has the shape of the output. "Linear" says that no rectifier
    follows the last 1×1; the list shows none of them.

    Parameters
    ----------
    c_in, c_out : int
    expansion : int
        The depthwise layer has `expansion · c_in` channels; at 1 the first 1×1 is left out.
    stride : int
        Of the depthwise layer.
    name : str, optional
        Goes before the names of the rows: "block 2/expand".

    Returns
    -------
    Branches
        "residual", with rows "expand", "depthwise" and "project"; and "identity" where it is added.

    References
    ----------
    Sandler et al. 2018, "MobileNetV2", arXiv 1801.04381, Table 1 and section 3.3.

    Examples
    --------
    >>> table(inverted_residual(24, 24), (24, 56, 56)).weights
    8208
    """
    wide = expansion * c_in
    expand = Conv(c_in, wide, bias=False, name="expand")
    branches = {
        "residual": [
            *([] if expansion == 1 else [expand]),
            Depthwise(wide, 3, stride=stride, padding=1, bias=False, name="depthwise"),
            Conv(wide, c_out, bias=False, name="project"),
        ]
    }
    if (c_in, stride) == (c_out, 1):
        branches["identity"] = []
    return Branches(branches, join="add", name=name)


# (expansion, channels out, blocks, stride of the first), Table 2.
MOBILENET_V2 = [
    *[(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)],
    *[(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)],
]


def mobilenet_v2():
    """Lay out MobileNetV2 at width 1: a 3×3, 17 inverted residuals, a 1×1 and a linear layer.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT`.

    References
    ----------
    Sandler et al. 2018, arXiv 1801.04381, Table 2.

    Examples
    --------
    >>> t = table(mobilenet_v2(), IMAGENET_INPUT)
    >>> t.macs, t.parameters + norm_parameters(t)
    (300774272, 3504872)
    """
    layers = [Conv(3, 32, 3, stride=2, padding=1, bias=False, name="conv1")]
    channels, number = 32, 0
    for expansion, c_out, blocks, stride in MOBILENET_V2:
        for block in range(blocks):
            number += 1
            step, name = 1 if block else stride, f"block {number}"
            layers.append(
                inverted_residual(channels, c_out, expansion=expansion, stride=step, name=name)
            )
            channels = c_out
    return [
        *layers,
        Conv(channels, 1280, bias=False, name="conv2"),
        GlobalPool(name="global mean"),
        Dense(1280, 1000, name="fc"),
    ]


# ------------------------------------------------------------------------------------ ShuffleNet


def shuffle_unit(c_in, c_out, *, groups, stride=1, first_groups=None, name=None):
    """Lay out a ShuffleNet unit: grouped 1×1, shuffle, depthwise 3×3, grouped 1×1.

    The two 1×1 are a bottleneck of `c_out / 4` channels. At stride 1 the input is added on. At
    stride 2 a mean over 3×3 pixels of it is stacked on, and the branch makes the channels that are
    still missing. The shuffle costs nothing and is not written down.

    Parameters
    ----------
    c_in, c_out, groups : int
    stride : 1 or 2
    first_groups : int, optional
        Groups of the first 1×1, where they differ: 1 in the first unit of the network, whose input
        is narrow.
    name : str, optional
        Goes before the names of the rows: "2_1/reduce".

    Returns
    -------
    Branches
        "shortcut", and "residual", with rows "reduce", "depthwise" and "expand".

    Raises
    ------
    ValueError
        The channels and the stride do not go together, or do not split into groups.

    References
    ----------
    Zhang et al. 2017, "ShuffleNet", arXiv 1707.01083, section 3.2 and figure 2.

    Examples
    --------
    >>> table(shuffle_unit(240, 240, groups=3), (240, 28, 28)).weights
    10140
    """
    if stride not in (1, 2):
        raise ValueError(f"stride must be 1 or 2, got {stride!r}")
    if stride == 1 and c_in != c_out:
        raise ValueError(f"at stride 1 the input is added: {c_in} channels in, {c_out} out")
    if stride == 2 and c_in >= c_out:
        raise ValueError(f"at stride 2 the input is stacked on: {c_in} channels in, {c_out} out")
    if c_out % 4:
        raise ValueError(f"the bottleneck is a quarter of the output, got c_out = {c_out}")
    width = c_out // 4
    made = c_out - c_in if stride == 2 else c_out
    first = groups if first_groups is None else first_groups
    return Branches(
        {
            "shortcut": [Pool(3, stride=2, padding=1, name="mean")] if stride == 2 else [],
            "residual": [
                Conv(c_in, width, groups=first, bias=False, name="reduce"),
                Depthwise(width, 3, stride=stride, padding=1, bias=False, name="depthwise"),
                Conv(width, made, groups=groups, bias=False, name="expand"),
            ],
        },
        join="concat" if stride == 2 else "add",
        name=name,
    )


# groups → channels out of stage 2; stages 3 and 4 double them. Table 1, with its "Complexity".
SHUFFLENET = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
SHUFFLENET_PRINTED = {1: "143M", 2: "140M", 3: "137M", 4: "133M", 8: "137M"}


def shufflenet(groups=3):
    """Lay out ShuffleNet 1×: a 3×3, three stages of 4, 8 and 4 units, and a linear layer.

    Parameters
    ----------
    groups : 1, 2, 3, 4 or 8
        The more groups, the wider the network, at about the same cost.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT`.

    Raises
    ------
    ValueError
        The paper has no such network.

    References
    ----------
    Zhang et al. 2017, arXiv 1707.01083, Table 1.

    Examples
    --------
    >>> table(shufflenet(3), IMAGENET_INPUT).out_shape
    (1000,)
    """
    if groups not in SHUFFLENET:
        raise ValueError(f"groups must be one of {', '.join(map(str, SHUFFLENET))}; got {groups!r}")
    layers = [
        Conv(3, 24, 3, stride=2, padding=1, bias=False, name="conv1"),
        Pool(3, stride=2, padding=1, name="pool1"),
    ]
    channels = 24
    for stage, units in [(2, 4), (3, 8), (4, 4)]:
        c_out = SHUFFLENET[groups] * 2 ** (stage - 2)
        for unit in range(units):
            options = {"groups": groups, "stride": 1 if unit else 2, "name": f"{stage}_{unit + 1}"}
            if channels == 24:
                options["first_groups"] = 1
            layers.append(shuffle_unit(channels, c_out, **options))
            channels = c_out
    return [*layers, GlobalPool(name="global mean"), Dense(channels, 1000, name="fc")]


# ------------------------------------------------------------------------ ConvNeXt, transformers


def feed_forward(d=768, expansion=4, *, name=None):
    """Lay out the feed-forward half of a transformer block as two 1×1 convolutions.

    A linear layer on every token is a 1×1 convolution on a map whose pixels are the tokens:
    (d, 1, tokens). The input is added on.

    Parameters
    ----------
    d : int
        Numbers in a token.
    expansion : int
        The hidden layer has `expansion · d`.
    name : str, optional

    Returns
    -------
    Branches

    References
    ----------
    Vaswani et al. 2017, "Attention Is All You Need", arXiv 1706.03762, section 3.3, which says so
    itself: "two convolutions with kernel size 1".

    Examples
    --------
    >>> table(feed_forward(), (768, 1, 197)).parameters
    4722432
    """
    hidden = expansion * d
    return Branches(
        {
            "residual": [Conv(d, hidden, name="expand"), Conv(hidden, d, name="reduce")],
            "identity": [],
        },
        join="add",
        name=name,
    )


def convnext_block(c, *, name=None):
    """Lay out a ConvNeXt block: a depthwise 7×7, 1×1 up to 4c, 1×1 down, and the input added on.

    Parameters
    ----------
    c : int
    name : str, optional
        Goes before the names of the rows: "1_1/depthwise".

    Returns
    -------
    Branches
        Without the layer normalisation and the scale of every channel: 3c parameters more.

    References
    ----------
    Liu et al. 2022, "A ConvNet for the 2020s", arXiv 2201.03545, figure 4.

    Examples
    --------
    >>> table(convnext_block(96), (96, 56, 56)).weights
    78432
    """
    return Branches(
        {
            "residual": [
                Depthwise(c, 7, padding=3, name="depthwise"),
                Conv(c, 4 * c, name="expand"),
                Conv(4 * c, c, name="reduce"),
            ],
            "identity": [],
        },
        join="add",
        name=name,
    )


# (channels, blocks) of the four stages, section 2.1 and appendix.
CONVNEXT_TINY = [(96, 3), (192, 3), (384, 9), (768, 3)]


def convnext_tiny():
    """Lay out ConvNeXt-T: a 4×4 stem, four stages with a 2×2 between, and a linear layer.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT`.

    References
    ----------
    Liu et al. 2022, arXiv 2201.03545, Table 9.

    Examples
    --------
    >>> table(convnext_tiny(), IMAGENET_INPUT).macs
    4455531264
    """
    layers, channels = [], 3
    for stage, (c, blocks) in enumerate(CONVNEXT_TINY, 1):
        k, name = (2, f"downsample {stage}") if layers else (4, "stem")
        layers.append(Conv(channels, c, k, stride=k, name=name))
        layers += [convnext_block(c, name=f"{stage}_{block + 1}") for block in range(blocks)]
        channels = c
    return [*layers, GlobalPool(name="global mean"), Dense(channels, 1000, name="fc")]


# ----------------------------------------------------------------------------- AlexNet, VGG, FCN

ALEXNET_INPUT = (3, 227, 227)


def alexnet():
    """Lay out AlexNet, with the two groups that its two graphics cards made.

    The paper says 224 pixels; its 11×11 windows at stride 4 give its 55×55 only from 227.

    Returns
    -------
    list of layers
        For an input of `ALEXNET_INPUT`.

    References
    ----------
    Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional Neural
    Networks", NIPS 25, section 3.5.

    Examples
    --------
    >>> t = table(alexnet(), ALEXNET_INPUT)
    >>> t.parameters, t.macs
    (60965224, 724406816)
    """
    return [
        Conv(3, 96, 11, stride=4, name="conv1"),
        Pool(3, stride=2, name="pool1"),
        Conv(96, 256, 5, padding=2, groups=2, name="conv2"),
        Pool(3, stride=2, name="pool2"),
        Conv(256, 384, 3, padding=1, name="conv3"),
        Conv(384, 384, 3, padding=1, groups=2, name="conv4"),
        Conv(384, 256, 3, padding=1, groups=2, name="conv5"),
        Pool(3, stride=2, name="pool5"),
        Dense(256 * 6 * 6, 4096, name="fc6"),
        Dense(4096, 4096, name="fc7"),
        Dense(4096, 1000, name="fc8"),
    ]


# Channels of the 13 convolutions of VGG-16; "pool" between the five blocks and after them.
VGG16 = [
    *[64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool"],
    *[512, 512, 512, "pool", 512, 512, 512, "pool"],
]


def vgg16_features(padding=1):
    """Lay out the convolutions and poolings of VGG-16, down to 1/32 of the size.

    Parameters
    ----------
    padding : int
        Of the first layer; the others have 1.

    Returns
    -------
    list of layers

    References
    ----------
    Simonyan and Zisserman 2014, "Very Deep Convolutional Networks", arXiv 1409.1556, Table 1, D.

    Examples
    --------
    >>> table(vgg16_features(), IMAGENET_INPUT).out_shape
    (512, 7, 7)
    """
    layers, channels, block, place = [], 3, 1, 1
    for step in VGG16:
        if step == "pool":
            layers.append(Pool(2, ceil=True, name=f"pool{block}"))
            block, place = block + 1, 1
            continue
        first = padding if not layers else 1
        layers.append(Conv(channels, step, 3, padding=first, name=f"conv{block}_{place}"))
        channels, place = step, place + 1
    return layers


def vgg16():
    """Lay out VGG-16, its three dense layers at the end.

    Returns
    -------
    list of layers
        For an input of `IMAGENET_INPUT`.

    References
    ----------
    Simonyan and Zisserman 2014, arXiv 1409.1556, Table 1, column D.

    Examples
    --------
    >>> table(vgg16(), IMAGENET_INPUT).parameters
    138357544
    """
    return [
        *vgg16_features(),
        Dense(512 * 7 * 7, 4096, name="fc6"),
        Dense(4096, 4096, name="fc7"),
        Dense(4096, 1000, name="fc8"),
    ]


def fcn_vgg16(classes=21):
    """Lay out FCN-32s on VGG-16 down to its scores: the dense layers have become convolutions.

    fc6 is a 7×7, fc7 and the scores are 1×1. The first layer pads by 100 pixels, so that small
    pictures leave something for fc6 to read. The enlarging at the end is left out.

    Parameters
    ----------
    classes : int

    Returns
    -------
    list of layers
        For pictures of any size.

    References
    ----------
    Long, Shelhamer and Darrell 2014, "Fully Convolutional Networks for Semantic Segmentation",
    arXiv 1411.4038, section 4.1; github.com/shelhamer/fcn.berkeleyvision.org, voc-fcn32s.

    Examples
    --------
    >>> table(fcn_vgg16(), (3, 250, 250))["fc7"].out_shape
    (4096, 8, 8)
    """
    return [
        *vgg16_features(padding=100),
        Conv(512, 4096, 7, name="fc6"),
        Conv(4096, 4096, name="fc7"),
        Conv(4096, classes, name="score"),
    ]


# ----------------------------------------------------------------------- all networks of the book


class Share(NamedTuple):
    """Weights and MACs, as counts or as parts of a whole."""

    weights: float
    macs: float


def part_of(kind):
    """Say to which part of a network a kind of row belongs: see `split`; None for no weights."""
    if kind in ("pointwise", "grouped pointwise"):
        return "1×1"
    if kind.startswith("depthwise"):
        return "depthwise"
    if kind == "dense":
        return "dense"
    return None if "pool" in kind else "k×k"


def split(t):
    """Split the weights and the MACs of a network by what its layers do.

    Parameters
    ----------
    t : cost.Table
        Of a list of layers.

    Returns
    -------
    dict of str to Share
        "1×1" is every pointwise convolution, grouped ones too; "depthwise" and "k×k" are the other
        convolutions; "dense" is every dense layer, the classifier among them, though on a map of
        one pixel it does what a 1×1 does. Counts, without biases and normalisation.

    Examples
    --------
    >>> split(table(mobilenet_v1(), IMAGENET_INPUT))["1×1"]
    Share(weights=3139584, macs=539492352)
    """
    parts = {}
    for part in ("1×1", "depthwise", "k×k", "dense"):
        rows = t.only(lambda row, part=part: part_of(row.kind) == part)
        parts[part] = Share(rows.weights, rows.macs)
    return parts


def pointwise_share(t):
    """Give the part of a network's weights and MACs that its 1×1 convolutions have.

    Parameters
    ----------
    t : cost.Table
        Of a list of layers.

    Returns
    -------
    Share
        Two fractions from 0 to 1. Grouped 1×1 count; dense layers do not, but are in the whole.
        Biases and normalisation are left out of both.

    Examples
    --------
    >>> share = pointwise_share(table(mobilenet_v1(), IMAGENET_INPUT))
    >>> f"{share.weights:.2%}, {share.macs:.2%}"
    '74.59%, 94.86%'
    """
    ones = split(t)["1×1"]
    return Share(ones.weights / t.weights, ones.macs / t.macs)


class Network(NamedTuple):
    """A network of the book: the year of its first publication, its layers and its input."""

    year: int
    layers: list
    input_shape: tuple

    def table(self):
        """Count it."""
        return table(self.layers, self.input_shape)


# In the order of their first publication.
NETWORKS = {
    "AlexNet": Network(2012, alexnet(), ALEXNET_INPUT),
    "NiN (CIFAR-10)": Network(2013, nin("cifar10"), NIN_INPUT["cifar10"]),
    "VGG-16": Network(2014, vgg16(), IMAGENET_INPUT),
    "GoogLeNet": Network(2014, googlenet(), GOOGLENET_INPUT),
    "ResNet-50": Network(2015, resnet50(), IMAGENET_INPUT),
    "SqueezeNet": Network(2016, squeezenet(), IMAGENET_INPUT),
    "MobileNetV1": Network(2017, mobilenet_v1(), IMAGENET_INPUT),
    "ShuffleNet (g = 3)": Network(2017, shufflenet(3), IMAGENET_INPUT),
    "MobileNetV2": Network(2018, mobilenet_v2(), IMAGENET_INPUT),
    "ConvNeXt-T": Network(2022, convnext_tiny(), IMAGENET_INPUT),
}
