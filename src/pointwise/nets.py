"""The book's networks as `torch.nn.Module`s, built from the data in `pointwise.architectures`.

Seeds and initialisation are the caller's: `torch.manual_seed` before building, as for any module.
"""

import torch
from torch import nn

from pointwise import architectures
from pointwise.architectures import INCEPTION, Widths


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
