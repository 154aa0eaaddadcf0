"""The book's networks as `torch.nn.Module`s, built from `pointwise.architectures` and `.zoo`.

Seeds and initialisation are the caller's: `torch.manual_seed` before building, as for any module.
"""

import torch
from torch import nn

from pointwise import architectures, zoo
from pointwise.architectures import INCEPTION, Widths
from pointwise.shapes import integer


def conv(c_in, c_out, k=1, *, stride=1):
    """A k×k convolution that pads by k // 2, and its rectifier."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, k, stride=stride, padding=k // 2), nn.ReLU())


class Inception(nn.Module):
    """An Inception module: four branches on one input, their channels stacked.

    A rectifier follows every convolution, the reductions included. `branches` is the four branches
    by name, "1x1", "3x3", "5x5", "pool", in the order of their channels in the output.

    Parameters
    ----------
    widths : Widths
        Such as `INCEPTION["3a"]` of `pointwise.architectures`.

    References
    ----------
    Szegedy et al. 2014, "Going Deeper with Convolutions", arXiv 1409.4842, figure 2(b).

    Examples
    --------
    >>> Inception(INCEPTION["3a"])(torch.zeros(1, 192, 28, 28)).shape
    torch.Size([1, 256, 28, 28])
    """

    def __init__(self, widths):
        super().__init__()
        w = Widths(*widths)
        self.branches = nn.ModuleDict(
            {
                "1x1": conv(w.c_in, w.n1x1),
                "3x3": nn.Sequential(conv(w.c_in, w.r3x3), conv(w.r3x3, w.n3x3, 3)),
                "5x5": nn.Sequential(conv(w.c_in, w.r5x5), conv(w.r5x5, w.n5x5, 5)),
                "pool": nn.Sequential(nn.MaxPool2d(3, 1, padding=1), conv(w.c_in, w.pool)),
            }
        )

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches.values()], dim=1)


class NaiveInception(nn.Module):
    """The module without reductions: the pooling passes all its channels on.

    Parameters
    ----------
    widths : Widths
        Its reductions and its pool projection are not used.

    References
    ----------
    Szegedy et al. 2014, arXiv 1409.4842, figure 2(a).

    Examples
    --------
    >>> NaiveInception(INCEPTION["3a"])(torch.zeros(1, 192, 28, 28)).shape
    torch.Size([1, 416, 28, 28])
    """

    def __init__(self, widths):
        super().__init__()
        w = Widths(*widths)
        self.branches = nn.ModuleDict(
            {
                "1x1": conv(w.c_in, w.n1x1),
                "3x3": conv(w.c_in, w.n3x3, 3),
                "5x5": conv(w.c_in, w.n5x5, 5),
                "pool": nn.MaxPool2d(3, 1, padding=1),
            }
        )

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches.values()], dim=1)


class GoogLeNet(nn.Sequential):
    """GoogLeNet with the dense 7×7 stem, for images of (3, 224, 224); others fit too.

    The two side heads of the paper, used in training alone, are left out. Dropout is 40 %, as in
    Table 1. Local response normalisation stands where figure 3 has it; its constants are those of
    Krizhevsky et al. 2012 over five channels, as in Caffe's copy of the network, because the paper
    gives none. The output is class scores, before the softmax.

    Parameters
    ----------
    num_classes : int

    References
    ----------
    Szegedy et al. 2014, arXiv 1409.4842, Table 1 and figure 3.

    Examples
    --------
    >>> sum(p.numel() for p in GoogLeNet().parameters())
    6998552
    """

    def __init__(self, num_classes=1000):
        def shrink():
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        def norm():
            return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)

        def modules(*names):
            return {name: Inception(INCEPTION[name]) for name in names}

        super().__init__()
        steps = {
            "conv1": conv(3, 64, 7, stride=2),
            "pool1": shrink(),
            "norm1": norm(),
            "conv2": nn.Sequential(conv(64, 64), conv(64, 192, 3)),
            "norm2": norm(),
            "pool2": shrink(),
            **modules("3a", "3b"),
            "pool3": shrink(),
            **modules("4a", "4b", "4c", "4d", "4e"),
            "pool4": shrink(),
            **modules("5a", "5b"),
            "avg pool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "dropout": nn.Dropout(0.4),
            "linear": nn.Linear(INCEPTION["5b"].c_out, num_classes),
        }
        for name, step in steps.items():
            self.add_module(name, step)


class NIN(nn.Sequential):
    """A published Network in Network; the output is class scores, before the softmax.

    A rectifier follows every convolution, the last included, and dropout both poolings, as in the
    first author's layer files.

    Parameters
    ----------
    variant : "cifar10", "cifar100", "mnist" or "svhn"

    References
    ----------
    Lin, Chen and Yan 2013, "Network In Network", arXiv 1312.4400, sections 3 and 4.

    Examples
    --------
    >>> NIN("mnist")(torch.zeros(1, 1, 28, 28)).shape
    torch.Size([1, 10])
    """

    def __init__(self, variant):
        super().__init__()
        for layer in architectures.nin(variant):
            if isinstance(layer, architectures.Conv):
                self.add_module(layer.name, conv(layer.c_in, layer.c_out, layer.k))
            elif isinstance(layer, architectures.Pool):
                pool = nn.MaxPool2d(layer.k, layer.stride, ceil_mode=layer.ceil)
                self.add_module(layer.name, nn.Sequential(pool, nn.Dropout(0.5)))
            else:
                head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
                self.add_module(layer.name, head)


def small_nin(
    widths=(12, 24, 24),
    *,
    extra=2,
    channels=1,
    classes=10,
    pool=True,
    norm=False,
    dropout=0.0,
    relu_on_scores=False,
):
    """Build a Network in Network that trains in a second: blocks, then a global mean.

    A block is a 3×3 convolution and `extra` 1×1 layers, a rectifier after each. The last layer of
    the last block puts out one map for each class. The result is an `nn.Sequential`: its last step
    is the mean, and `net[:-1]` gives the class maps.

    Parameters
    ----------
    widths : tuple of int
        Channels of each block.
    extra : int
        1×1 layers after the 3×3 in each block; 0 gives a plain convolutional network.
    channels, classes : int
        Channels of the image, and maps of the last layer.
    pool : bool
        Halve the map between blocks, by the largest of 2×2.
    norm : bool
        Batch normalisation before every rectifier.
    dropout : float
        Share of activations that are dropped between blocks, in training.
    relu_on_scores : bool
        A rectifier on the class maps too, as the published networks have it.

    Returns
    -------
    nn.Sequential

    Examples
    --------
    >>> net = small_nin()
    >>> net(torch.zeros(2, 1, 8, 8)).shape, net[:-1](torch.zeros(2, 1, 8, 8)).shape
    (torch.Size([2, 10]), torch.Size([2, 10, 2, 2]))
    """
    net = nn.Sequential()
    for block, width in enumerate(widths, 1):
        last_block = block == len(widths)
        for layer in range(extra + 1):
            scores = last_block and layer == extra
            c_out, k = classes if scores else width, 1 if layer else 3
            step = conv(channels, c_out, k)
            if scores and not relu_on_scores:
                step = step[:1]
            elif norm and not scores:
                step.insert(1, nn.BatchNorm2d(c_out))
            name = f"block {block}, 1×1 number {layer}" if layer else f"block {block}, 3×3"
            net.add_module(name, step)
            channels = c_out
        if not last_block:
            between = [nn.MaxPool2d(2)] * pool + [nn.Dropout(dropout)] * (dropout > 0)
            net.add_module(f"after block {block}", nn.Sequential(*between))
    net.add_module("mean", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    return net


def initialise(net, std=None):
    """Draw all convolution weights anew from a normal distribution, and set their biases to zero.

    Parameters
    ----------
    net : nn.Module
        Changed in place.
    std : float, optional
        Standard deviation, the same for all layers. If not given, He's: √(2 / n) for a layer whose
        output adds n products, which keeps the size of the activations through the rectifiers.

    Returns
    -------
    nn.Module
        The same network.

    References
    ----------
    He et al. 2015, "Delving Deep into Rectifiers", arXiv 1502.01852, section 2.2.

    Examples
    --------
    >>> net = initialise(small_nin(), std=0.05)
    >>> bool(net[0][0].bias.any())
    False
    """
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            products = layer.weight[0].numel()
            nn.init.normal_(layer.weight, std=(2 / products) ** 0.5 if std is None else std)
            nn.init.zeros_(layer.bias)
    return net


# ------------------------------------------------------------------------------- after Inception


def conv_norm(c_in, c_out, k=1, *, stride=1, groups=1, activation=nn.ReLU):
    """A k×k convolution without bias that pads by k // 2, its normalisation, and its rectifier.

    `activation=None` leaves the rectifier out: the layer is linear.
    """
    shape = {"stride": stride, "padding": k // 2, "groups": groups}
    steps = [nn.Conv2d(c_in, c_out, k, bias=False, **shape), nn.BatchNorm2d(c_out)]
    return nn.Sequential(*steps, *([activation()] if activation else []))


class Bottleneck(nn.Module):
    """A bottleneck of ResNet: 1×1 down, 3×3, 1×1 up, and the input added on.

    Batch normalisation follows every convolution, a rectifier the first two and the sum. `residual`
    is the three convolutions; `shortcut` is a 1×1 projection where the input does not fit the
    output by its channels or by the stride, and else the identity.

    Parameters
    ----------
    c_in, width, c_out : int
        Channels in, of the 3×3, and out.
    stride : int
    stride_in : "3x3" or "1x1"
        The layer that has the stride; "1x1" is the paper's.

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
    >>> Bottleneck(256, 128, 512, stride=2)(torch.zeros(1, 256, 56, 56)).shape
    torch.Size([1, 512, 28, 28])
    """

    def __init__(self, c_in, width, c_out, *, stride=1, stride_in="3x3"):
        super().__init__()
        if stride_in not in ("3x3", "1x1"):
            raise ValueError(f'stride_in must be "3x3" or "1x1", got {stride_in!r}')
        first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
        self.residual = nn.Sequential(
            conv_norm(c_in, width, stride=first),
            conv_norm(width, width, 3, stride=second),
            conv_norm(width, c_out, activation=None),
        )
        if (c_in, stride) == (c_out, 1):
            self.shortcut = nn.Identity()
        else:
            self.shortcut = conv_norm(c_in, c_out, stride=stride, activation=None)

    def forward(self, x):
        return torch.relu(self.residual(x) + self.shortcut(x))


class ResNet50(nn.Sequential):
    """ResNet-50 for images of (3, 224, 224); others fit too. The output is class scores.

    Parameters
    ----------
    stride_in : "3x3" or "1x1"
        As in `Bottleneck`: "1x1" is the paper's network, "3x3" today's.
    num_classes : int

    References
    ----------
    He et al. 2015, arXiv 1512.03385, Table 1.

    Examples
    --------
    >>> sum(p.numel() for p in ResNet50().parameters())
    25557032
    """

    def __init__(self, stride_in="3x3", num_classes=1000):
        super().__init__()
        self.add_module("conv1", conv_norm(3, 64, 7, stride=2))
        self.add_module("pool1", nn.MaxPool2d(3, 2, padding=1))
        channels = 64
        for stage, (width, c_out, stride, blocks) in enumerate(zoo.RESNET50, 2):
            for block in range(blocks):
                step = 1 if block else stride
                unit = Bottleneck(channels, width, c_out, stride=step, stride_in=stride_in)
                self.add_module(f"conv{stage}_{block + 1}", unit)
                channels = c_out
        self.add_module("global mean", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        self.add_module("fc", nn.Linear(channels, num_classes))


class Fire(nn.Module):
    """A fire module of SqueezeNet: 1×1 down, then a 1×1 and a 3×3 side by side.

    A rectifier follows each of the three. `squeeze` comes first; the channels of `expand1` and
    `expand3` are stacked.

    Parameters
    ----------
    c_in, squeeze, expand1, expand3 : int
        Channels in, of the squeeze, and out of the two expanding layers.

    References
    ----------
    Iandola et al. 2016, "SqueezeNet", arXiv 1602.07360, section 3.2 and figure 1.

    Examples
    --------
    >>> Fire(96, 16, 64, 64)(torch.zeros(1, 96, 55, 55)).shape
    torch.Size([1, 128, 55, 55])
    """

    def __init__(self, c_in, squeeze, expand1, expand3):
        super().__init__()
        self.squeeze = conv(c_in, squeeze)
        self.expand1 = conv(squeeze, expand1)
        self.expand3 = conv(squeeze, expand3, 3)

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.expand1(x), self.expand3(x)], dim=1)


class Separable(nn.Sequential):
    """A depthwise-separable layer: a 3×3 on every channel alone, then a 1×1.

    `depthwise` and `pointwise` are its two steps.

    Parameters
    ----------
    c_in, c_out : int
    stride : int
        Of the depthwise half.
    norm : bool
        Batch normalisation and a rectifier after both halves, as in MobileNetV1. False leaves two
        bare convolutions without bias, which make one linear map.

    References
    ----------
    Howard et al. 2017, "MobileNets", arXiv 1704.04861, section 3.1 and figure 3.

    Examples
    --------
    >>> Separable(64, 128, stride=2)(torch.zeros(1, 64, 112, 112)).shape
    torch.Size([1, 128, 56, 56])
    """

    def __init__(self, c_in, c_out, *, stride=1, norm=True):
        super().__init__()
        halves = {
            "depthwise": conv_norm(c_in, c_in, 3, stride=stride, groups=c_in),
            "pointwise": conv_norm(c_in, c_out),
        }
        for name, half in halves.items():
            self.add_module(name, half if norm else half[0])


class MobileNetV1(nn.Sequential):
    """MobileNetV1 for images of (3, 224, 224); others fit too. The output is class scores.

    Parameters
    ----------
    alpha : float
        The width multiplier.
    num_classes : int

    References
    ----------
    Howard et al. 2017, arXiv 1704.04861, Table 1.

    Examples
    --------
    >>> sum(p.numel() for p in MobileNetV1().parameters())
    4231976
    """

    def __init__(self, alpha=1.0, num_classes=1000):
        super().__init__()
        channels = zoo.narrowed(32, alpha)
        self.add_module("conv1", conv_norm(3, channels, 3, stride=2))
        for number, (full, stride) in enumerate(zoo.MOBILENET_V1, 1):
            c_out = zoo.narrowed(full, alpha)
            self.add_module(f"block {number}", Separable(channels, c_out, stride=stride))
            channels = c_out
        self.add_module("global mean", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        self.add_module("fc", nn.Linear(channels, num_classes))


class InvertedResidual(nn.Module):
    """An inverted residual of MobileNetV2: 1×1 up, a depthwise 3×3, a linear 1×1 down.

    Batch normalisation follows all three, a rectifier that stops at 6 the first two alone. The
    input is added on where it has the shape of the output; `adds` says whether.

    Parameters
    ----------
    c_in, c_out : int
    expansion : int
        The depthwise layer has `expansion · c_in` channels; at 1 the first 1×1 is left out.
    stride : int
        Of the depthwise layer.

    References
    ----------
    Sandler et al. 2018, "MobileNetV2", arXiv 1801.04381, Table 1 and section 3.3.

    Examples
    --------
    >>> InvertedResidual(24, 32, stride=2)(torch.zeros(1, 24, 56, 56)).shape
    torch.Size([1, 32, 28, 28])
    """

    def __init__(self, c_in, c_out, *, expansion=6, stride=1):
        super().__init__()
        wide = expansion * c_in
        expand = conv_norm(c_in, wide, activation=nn.ReLU6)
        self.residual = nn.Sequential(
            *([] if expansion == 1 else [expand]),
            conv_norm(wide, wide, 3, stride=stride, groups=wide, activation=nn.ReLU6),
            conv_norm(wide, c_out, activation=None),
        )
        self.adds = (c_in, stride) == (c_out, 1)

    def forward(self, x):
        return x + self.residual(x) if self.adds else self.residual(x)


class ShuffleUnit(nn.Module):
    """A unit of ShuffleNet: grouped 1×1, shuffle, depthwise 3×3, grouped 1×1, and the input.

    Batch normalisation follows every convolution, a rectifier the first and the end. At stride 1
    the input is added; at stride 2 its mean over 3×3 pixels is stacked before the new channels;
    the paper does not say in which order.

    Parameters
    ----------
    c_in, c_out, groups : int
        The 1×1 are a bottleneck of `c_out / 4` channels.
    stride : 1 or 2
    first_groups : int, optional
        Groups of the first 1×1, where they differ.
    shuffle : bool
        False leaves the shuffle out, and the groups never meet: the paper's counter-example.

    Raises
    ------
    ValueError
        The channels and the stride do not go together, or do not split into groups.

    References
    ----------
    Zhang et al. 2017, "ShuffleNet", arXiv 1707.01083, section 3.2, figure 2, and Table 3.

    Examples
    --------
    >>> ShuffleUnit(24, 240, groups=3, stride=2)(torch.zeros(1, 24, 56, 56)).shape
    torch.Size([1, 240, 28, 28])
    """

    def __init__(self, c_in, c_out, *, groups, stride=1, first_groups=None, shuffle=True):
        super().__init__()
        options = {"groups": groups, "stride": stride, "first_groups": first_groups}
        plan = zoo.shuffle_unit(c_in, c_out, **options)
        reduce, depthwise, expand = plan.branches["residual"]
        width, made = reduce.c_out, expand.c_out
        self.stacks = plan.join == "concat"
        self.shortcut = nn.AvgPool2d(3, 2, padding=1) if self.stacks else nn.Identity()
        self.residual = nn.Sequential(
            conv_norm(c_in, width, groups=reduce.groups),
            nn.ChannelShuffle(groups) if shuffle else nn.Identity(),
            conv_norm(width, width, 3, stride=depthwise.stride, groups=width, activation=None),
            conv_norm(width, made, groups=expand.groups, activation=None),
        )

    def forward(self, x):
        kept, new = self.shortcut(x), self.residual(x)
        return torch.relu(torch.cat([kept, new], dim=1) if self.stacks else kept + new)


class ConvNeXtBlock(nn.Module):
    """A block of ConvNeXt: a depthwise 7×7, layer normalisation, 1×1 up, GELU, 1×1 down.

    The result is scaled channel by channel, and the input added on. `ffn` is the two 1×1 with the
    GELU between: the feed-forward part of a transformer block, with pixels in the place of tokens.

    Parameters
    ----------
    c : int
    scale : float
        Where the scale of every channel starts.

    References
    ----------
    Liu et al. 2022, "A ConvNet for the 2020s", arXiv 2201.03545, figure 4. Its released code writes
    the two 1×1 as `Linear` on channels-last; they are the same map.

    Examples
    --------
    >>> ConvNeXtBlock(96)(torch.zeros(1, 96, 56, 56)).shape
    torch.Size([1, 96, 56, 56])
    """

    def __init__(self, c, *, scale=1e-6):
        super().__init__()
        self.depthwise = nn.Conv2d(c, c, 7, padding=3, groups=c)
        self.norm = nn.LayerNorm(c, eps=1e-6)
        self.ffn = nn.Sequential(nn.Conv2d(c, 4 * c, 1), nn.GELU(), nn.Conv2d(4 * c, c, 1))
        self.scale = nn.Parameter(torch.full((c, 1, 1), scale))

    def forward(self, x):
        y = self.depthwise(x).permute(0, 2, 3, 1)  # LayerNorm wants its axis last
        y = self.norm(y).permute(0, 3, 1, 2)
        return x + self.scale * self.ffn(y)


def dense_as_conv(linear, c, h, w):
    """Turn a dense layer that reads a whole map into the convolution that it is.

    Parameters
    ----------
    linear : nn.Linear
        Reads a map of (c, h, w), flattened in this order: channels, rows, pixels.
    c, h, w : int
        Of 1×1 pixels, or of a vector, it becomes the pointwise convolution.

    Returns
    -------
    nn.Conv2d
        With a kernel of h×w, no padding, and a copy of the numbers. On a map of (c, h, w) it gives
        what `linear` gives, as a map of one pixel; on a larger one, what `linear` gives on every
        crop of h×w.

    Raises
    ------
    TypeError
        `linear` is no `nn.Linear`.
    ValueError
        A size is no positive integer, or c·h·w is not what `linear` reads.

    References
    ----------
    Long, Shelhamer and Darrell 2014, "Fully Convolutional Networks for Semantic Segmentation",
    arXiv 1411.4038, section 3.1.

    Examples
    --------
    >>> dense_as_conv(nn.Linear(512 * 7 * 7, 4096), 512, 7, 7).weight.shape
    torch.Size([4096, 512, 7, 7])
    """
    if not isinstance(linear, nn.Linear):
        raise TypeError(f"linear must be an nn.Linear, got {type(linear).__name__}")
    c, h, w = integer("c", c, 1), integer("h", h, 1), integer("w", w, 1)
    if c * h * w != linear.in_features:
        raise ValueError(
            f"linear reads {linear.in_features} entries, but a map of shape {(c, h, w)} has "
            f"{c * h * w}"
        )
    # On the meta device first: no random numbers are drawn for weights that are replaced.
    twin = nn.Conv2d(c, linear.out_features, (h, w), bias=linear.bias is not None, device="meta")
    twin.weight = nn.Parameter(linear.weight.detach().clone().reshape(-1, c, h, w))
    if linear.bias is not None:
        twin.bias = nn.Parameter(linear.bias.detach().clone())
    return twin
