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
