"""Small labelled data sets for the training chapters. Nothing is downloaded."""

from functools import cache

import numpy as np

from pointwise.shapes import integer


def contrasts(n, *, side=16, seed=0):
    """Draw images whose pixels are labelled by a relation between channels that is not linear.

    Channels 0 and 1 differ by one sign, channels 2 and 3 by another. Both signs are blotches: they
    keep their value over a few pixels, and are independent of each other. A pixel's label is 1
    where the two signs agree, else 0. No channel, and no weighted sum of channels, has another mean
    where the label is 1 than where it is 0.

    Parameters
    ----------
    n : int
        Number of images.
    side : int
        Rows and columns of an image.
    seed : int

    Returns
    -------
    x : ndarray of shape (n, 4, side, side)
        float32.
    y : ndarray of shape (n, side, side)
        int64, 0 or 1.

    Raises
    ------
    ValueError
        `n` or `side` is not a whole number of at least 1.

    Examples
    --------
    >>> x, y = contrasts(3, side=8)
    >>> x.shape, y.shape
    ((3, 4, 8, 8), (3, 8, 8))
    """
    n, side = integer("n", n, 1), integer("side", side, 1)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, n, side + 4, side + 4))
    smooth = np.lib.stride_tricks.sliding_window_view(noise, (5, 5), axis=(2, 3)).mean((4, 5))
    first, second = np.where(smooth > 0, 1, -1)
    grey = rng.standard_normal((2, n, side, side))  # common to a pair of channels
    pairs = [grey[0] + first, grey[0] - first, grey[1] + second, grey[1] - second]
    x = np.stack(pairs, axis=1) + 0.3 * rng.standard_normal((n, 4, side, side))
    return x.astype(np.float32), (first == second).astype(np.int64)


def digits(train, *, seed=0):
    """Handwritten digits of 8×8 pixels, split at random into images to train on and to test on.

    Parameters
    ----------
    train : int
        How many of the 1,797 images come in the first part.
    seed : int
        Of the split.

    Returns
    -------
    (x, y), (x_test, y_test)
        Images of shape (n, 1, 8, 8), float32 from 0 to 1; labels of shape (n,), int64.

    Raises
    ------
    ValueError
        `train` is not a whole number from 1 to 1,796.

    References
    ----------
    E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, test part, as it ships in scikit-learn.

    Examples
    --------
    >>> (x, y), (x_test, y_test) = digits(400)
    >>> x.shape, y_test.shape
    ((400, 1, 8, 8), (1397,))
    """
    bunch = all_digits()
    x = (bunch.images[:, None] / 16).astype(np.float32)
    y = bunch.target.astype(np.int64)
    if not 1 <= integer("train", train, 1) < len(y):
        raise ValueError(f"train must be from 1 to {len(y) - 1}, got {train}")
    order = np.random.default_rng(seed).permutation(len(y))
    first, rest = order[:train], order[train:]
    return (x[first], y[first]), (x[rest], y[rest])


@cache
def all_digits():
    from sklearn.datasets import load_digits  # here, so that the module imports without it

    return load_digits()
