"""Predict how long a convolution takes on this machine, from two ceilings and a small calibration.

**The model.** Every layer would take, at best, as long as its multiply-accumulates at the rate of a
large matrix multiply, its maps at the rate of a large copy, and its weights at the same. The model
adds the three up, each times a factor, and a time for the call itself:

    seconds = a + b · MACs / multiply rate + (c · bytes of maps + d · bytes of weights) / copy rate

The four numbers a, b, c, d are fitted once for each kind of layer (pointwise, k×k, depthwise) to
the layers of `CALIBRATION`, so that the relative errors are small. They are not below zero: no work
takes less than no time. Read them: b = 1 is the speed of a large multiply, and c = 2 says that the
maps cost as much as copying them twice.

**What it cannot know.** Which algorithm the library chooses for a shape, which of the arrays are in
a cache, how the channels fill a vector register, what runs beside it. It reads the shape alone.
"""

from itertools import combinations
from math import prod
from typing import NamedTuple

import numpy as np

from pointwise.cost import Conv, Depthwise, table

KINDS = ("pointwise", "k×k", "depthwise")
BYTES = 4  # of a float32


class Ceilings(NamedTuple):
    """The two speeds of a machine: MACs per second of a large multiply, bytes per second copied."""

    macs: float
    bytes: float


def kind_of(row):
    """Name the kind of a row of a `cost.Table`; raise a ValueError for what is not modelled."""
    if row.kind == "pointwise" or row.kind.startswith("depthwise"):
        return row.kind.split()[0]
    if not row.macs or row.kind == "dense" or row.kind.startswith("grouped"):
        raise ValueError(f"layer {row.name} is {row.kind}; only {', '.join(KINDS)} are modelled")
    return "k×k"


def moved(row, batch=1):
    """Give the bytes that a layer must read and write at least: (of its maps, of its weights).

    Parameters
    ----------
    row : cost.Row
    batch : int

    Returns
    -------
    (int, int)

    Examples
    --------
    >>> moved(table(Conv(2, 3), (2, 2, 2)).rows[0])
    (80, 24)
    """
    return BYTES * batch * (prod(row.in_shape) + prod(row.out_shape)), BYTES * row.weights


def ideal(ceilings, row, batch=1):
    """Give a microsecond, and the seconds of MACs, of maps and of weights at the two ceilings."""
    maps, weights = moved(row, batch)
    macs = batch * row.macs / ceilings.macs
    return np.array([1e-6, macs, maps / ceilings.bytes, weights / ceilings.bytes])


class Model(NamedTuple):
    """A calibrated machine.

    Attributes
    ----------
    ceilings : Ceilings
    factors : dict
        `{kind: ndarray of shape (4,)}`: microseconds of a call, and the factors of MACs, maps and
        weights.
    """

    ceilings: Ceilings
    factors: dict

    def seconds(self, layers, shape, batch=1):
        """Predict the time of a chain of convolutions.

        Parameters
        ----------
        layers : Conv, Depthwise, or list of those
        shape : (C, H, W)
        batch : int

        Returns
        -------
        float

        Raises
        ------
        ValueError
            A layer is of a kind that was not calibrated, or does not fit its shape.

        Examples
        --------
        >>> model = Model(Ceilings(100e9, 20e9), {"pointwise": np.array([5.0, 1.0, 1.0, 1.0])})
        >>> round(1e6 * model.seconds(Conv(480, 16), (480, 14, 14)), 2)
        41.03
        """
        total = 0.0
        for row in table(layers, shape).rows:
            if (kind := kind_of(row)) not in self.factors:
                raise ValueError(f"layer {row.name} is {kind}, which was not calibrated")
            total += float(ideal(self.ceilings, row, batch) @ self.factors[kind])
        return total


def calibrate(ceilings, measured):
    """Fit the four numbers of each kind of layer to measured times.

    Parameters
    ----------
    ceilings : Ceilings
    measured : iterable of (layer, shape, seconds)
        At least one layer; of each kind that is to be predicted, better eight or more. Batch 1.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        A ceiling or a time is not positive, a layer is of none of the kinds, or nothing is given.
    """
    if min(ceilings) <= 0:
        raise ValueError(f"ceilings must be positive, got {tuple(ceilings)}")
    relative = {}
    for layer, shape, seconds in measured:
        if not seconds > 0:
            raise ValueError(f"{layer!r} on {shape} was measured to take {seconds} s")
        [row] = table(layer, shape).rows
        relative.setdefault(kind_of(row), []).append(ideal(ceilings, row) / seconds)
    if not relative:
        raise ValueError("nothing to calibrate with: no layer was measured")
    return Model(ceilings, {kind: fit(np.array(rows)) for kind, rows in relative.items()})


def fit(rows):
    """Find the factors, none below zero, whose sum over each row comes nearest to 1."""
    best, least = np.zeros(rows.shape[1]), np.inf
    for size in range(1, rows.shape[1] + 1):
        for chosen in map(list, combinations(range(rows.shape[1]), size)):
            found = np.linalg.lstsq(rows[:, chosen], np.ones(len(rows)), rcond=None)[0]
            error = np.linalg.norm(rows[:, chosen] @ found - 1)
            if (found >= 0).all() and error < least:
                best, least = np.zeros(rows.shape[1]), error
                best[chosen] = found
    return best


def _square(side, *layers):
    """Pair layers with an input of side × side pixels."""
    return [(layer, (getattr(layer, "c_in", None) or layer.c, side, side)) for layer in layers]


# Sizes made up beforehand, from few channels to many and from large maps to small. None of these
# layers is one of the networks that the chapter predicts.
CALIBRATION = [
    *_square(60, Conv(24, 200), Conv(200, 24)),
    *_square(40, Conv(72, 72)),
    *_square(20, Conv(200, 200), Conv(400, 72), Conv(72, 400)),
    *_square(10, Conv(640, 640), Conv(1000, 200), Conv(200, 1000)),
    *_square(15, Conv(400, 20)),
    *_square(7, Conv(1500, 1500)),
    *_square(60, Conv(24, 72, 3, padding=1)),
    *_square(40, Conv(72, 72, 3, padding=1), Conv(24, 72, 5, padding=2)),
    *_square(20, Conv(72, 200, 3, padding=1), Conv(200, 200, 3, padding=1)),
    *_square(20, Conv(24, 72, 5, padding=2), Conv(72, 200, 5, padding=2)),
    *_square(10, Conv(400, 400, 3, padding=1), Conv(24, 100, 5, padding=2)),
    *_square(7, Conv(200, 500, 3, padding=1)),
    *_square(30, Conv(40, 40, 4, padding=2)),
    *_square(120, Depthwise(24, 3, padding=1)),
    *_square(100, Depthwise(100, 3, stride=2, padding=1)),
    *_square(60, Depthwise(72, 3, padding=1), Depthwise(72, 5, padding=2)),
    *_square(30, Depthwise(200, 3, padding=1), Depthwise(400, 3, stride=2, padding=1)),
    *_square(15, Depthwise(640, 3, padding=1), Depthwise(640, 5, padding=2)),
    *_square(7, Depthwise(1000, 3, padding=1)),
]
