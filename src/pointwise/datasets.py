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


def digit_board(images, *, seed=0):
    """Scatter eight digits over a dark board, two rows of four, each at an even row and column.

    Parameters
    ----------
    images : ndarray of shape (n, 1, 8, 8)
        Such as `digits` gives; the first eight are used.
    seed : int
        Of the places.

    Returns
    -------
    board : ndarray of shape (1, 1, 28, 64)
        float32. Where no digit lies it is 0.
    corners : list of (int, int)
        Row and column of the top left pixel of each digit, in the order of the images.

    Raises
    ------
    ValueError
        There are fewer than eight images, or they are not of shape (1, 8, 8).

    Examples
    --------
    >>> (x, _), _ = digits(400)
    >>> board, corners = digit_board(x)
    >>> i, j = corners[0]
    >>> bool((board[0, 0, i : i + 8, j : j + 8] == x[0, 0]).all())
    True
    """
    images = np.asarray(images)
    if images.shape[1:] != (1, 8, 8) or len(images) < 8:
        raise ValueError(f"expected at least eight images, (n, 1, 8, 8), got {images.shape}")
    random = np.random.default_rng(seed)
    board = np.zeros((1, 1, 28, 64), np.float32)
    corners = []
    for k, image in enumerate(images[:8]):
        row, column = divmod(k, 4)
        i = 14 * row + 2 * int(random.integers(4))
        j = 16 * column + 2 * int(random.integers(5))
        board[0, 0, i : i + 8, j : j + 8] = image[0]
        corners.append((i, j))
    return board, corners


def digit_crops(images, labels, *, seed=0):
    """Give the digits themselves, and as many crops of boards that no digit fills: class 10.

    Parameters
    ----------
    images : ndarray of shape (n, 1, 8, 8)
        At least eight.
    labels : ndarray of shape (n,)
    seed : int
        Of the boards and of the places that are cut out.

    Returns
    -------
    x : ndarray of shape (2n, 1, 8, 8)
        float32: the images, then the crops. A crop misses every digit of its board by at least two
        pixels, so it holds a part of one, parts of two, or nothing.
    y : ndarray of shape (2n,)
        int64: the labels, then 10s.

    Examples
    --------
    >>> (x, y), _ = digits(400)
    >>> crops, classes = digit_crops(x, y)
    >>> crops.shape, int((classes == 10).sum())
    ((800, 1, 8, 8), 400)
    """
    random = np.random.default_rng(seed)
    crops = []
    while len(crops) < len(images):
        chosen = images[random.integers(len(images), size=8)]
        board, corners = digit_board(chosen, seed=int(random.integers(2**32)))
        for i, j in 2 * random.integers((11, 29), size=(8, 2)):
            if all(max(abs(i - a), abs(j - b)) >= 2 for a, b in corners):
                crops.append(board[0, :, i : i + 8, j : j + 8])
    x = np.concatenate([images, crops[: len(images)]]).astype(np.float32)
    return x, np.concatenate([labels, np.full(len(images), 10)]).astype(np.int64)


@cache
def all_digits():
    from sklearn.datasets import load_digits  # here, so that the module imports without it

    return load_digits()
