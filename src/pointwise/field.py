"""Receptive fields: which pixels of the picture an output position can see."""

from typing import NamedTuple

from pointwise.cost import Branches, Conv, Depthwise, Layer, Pool
from pointwise.shapes import integer


class Field(NamedTuple):
    """The receptive field of an output map, along one axis, in pixels of the input.

    `size` is its width, `stride` the step from one output position to the next, `start` the first
    pixel of position 0: negative where it begins in the padding.
    """

    size: int
    stride: int
    start: int

    def pixels(self, i):
        """Give the range of pixels that output position `i` sees, padding included.

        Examples
        --------
        >>> Field(size=3, stride=1, start=-1).pixels(0)
        range(-1, 2)
        """
        first = self.start + i * self.stride
        return range(first, first + self.size)

    def seen(self, i, n):
        """Give the range of pixels that output position `i` sees of an axis of `n` pixels.

        Examples
        --------
        >>> Field(size=3, stride=1, start=-1).seen(0, 5)
        range(0, 2)
        """
        pixels = self.pixels(i)
        return range(max(pixels.start, 0), min(pixels.stop, n))


def receptive_field(layers):
    """Give the receptive field of the output of a chain, along one axis.

    A layer of width k, on a map whose positions are `stride` pixels apart, adds (k − 1)·stride
    pixels; its padding moves the start to the left. Of branches, the widest reach counts. Where a
    stride is larger than its window, the field has gaps: the ends are still right.

    Parameters
    ----------
    layers : list
        Layers of `pointwise.cost`, chains inside chains and branches too, or tuples
        `(k, stride, padding)`.

    Returns
    -------
    Field

    Raises
    ------
    ValueError
        A layer sees the whole map (global pooling, dense), a tuple has not three valid integers, or
        branches have different strides.

    References
    ----------
    Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill, doi 10.23915/distill.00021.

    Examples
    --------
    >>> receptive_field([(7, 2, 3), (3, 2, 1)])
    Field(size=11, stride=4, start=-5)
    >>> receptive_field([Conv(3, 8, 3, padding=1), Conv(8, 4)]).size
    3
    """
    stride, first, last = reach(layers, (1, 0, 0))
    return Field(last - first + 1, stride, first)


def reach(layers, state):
    """Carry (stride, first pixel, last pixel) of output position 0 through a chain."""
    for layer in layers:
        if isinstance(layer, list):
            state = reach(layer, state)
        elif isinstance(layer, Branches):
            ends = [reach(chain, state) for chain in layer.branches.values()]
            strides, firsts, lasts = zip(*ends, strict=True)
            if len(set(strides)) > 1:
                raise ValueError(f"{layer.label()}: its branches have strides {strides}")
            state = strides[0], min(firsts), max(lasts)
        else:
            k, step, padding = window_of(layer)
            stride, first, last = state
            state = stride * step, first - padding * stride, last + (k - 1 - padding) * stride
    return state


def window_of(layer):
    """Give (k, stride, padding before) of a layer or of a tuple of three."""
    if isinstance(layer, (Conv, Depthwise, Pool)):
        padding = (layer.k - 1) // 2 if layer.padding == "same" else layer.padding
        return layer.k, layer.stride or layer.k, padding
    if isinstance(layer, Layer):
        raise ValueError(
            f"{layer.label()} sees the whole map: it has no receptive field of its own"
        )
    if not isinstance(layer, tuple) or len(layer) != 3:
        raise ValueError(f"a layer is one of pointwise.cost or (k, stride, padding), got {layer!r}")
    k, stride, padding = layer
    return integer("k", k, 1), integer("stride", stride, 1), integer("padding", padding, 0)
