"""Pooling: the largest or the mean value of a window, channel by channel.

A window is square, `size` by `size`; it moves by `stride`, which is `size` unless given. Padding
is at most half the window, PyTorch's rule: every window then covers at least one real pixel. What
the kernels accept and how they treat NaN is said in `pointwise.shapes`.
"""

import numpy as np

from pointwise.shapes import IMAGES, integer, numbers, out_size, pad, window


def max_pool2d(x, size, *, stride=None, padding=0):
    """Keep the largest value of every window.

    The padding never wins: it counts as −∞, and as the smallest value of its type for integers.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    size : int
        Height and width of the window, in pixels.
    stride : int, optional
        Pixels from one window to the next; `size` if not given.
    padding : int
        Pixels added on all four sides, at most `size` / 2.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out)
        Sizes from `out_size`; the dtype of `x`. A window that covers a NaN gives NaN.

    Raises
    ------
    ValueError
        `x` has not four axes, the window does not fit, or an option is no valid int.
    TypeError
        `x` does not hold real numbers.

    References
    ----------
    Dumoulin and Visin 2016, arXiv 1603.07285, section 3.

    Examples
    --------
    >>> max_pool2d([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]], 2, stride=1).tolist()
    [[[[5, 6], [8, 9]]]]
    """
    x, size, stride, padding = check_pool(x, size, stride, padding)
    if x.dtype.kind == "f":
        lowest = -np.inf
    else:
        lowest = False if x.dtype.kind == "b" else np.iinfo(x.dtype).min
    windows = shifts(x, size, stride, padding, lowest)
    out = next(windows).copy()
    for shifted in windows:
        np.maximum(out, shifted, out=out)
    return out


def avg_pool2d(x, size, *, stride=None, padding=0):
    """Take the mean of every window.

    Padding counts as zeros, and the divisor is always `size`², padded pixels included: PyTorch's
    default (`count_include_pad=True`).

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    size : int
        Height and width of the window, in pixels.
    stride : int, optional
        Pixels from one window to the next; `size` if not given.
    padding : int
        Pixels of zeros added on all four sides, at most `size` / 2.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out)
        Sizes from `out_size`; the dtype of `x` if floating (float16 is summed in float32),
        float64 for integers and booleans.

    Raises
    ------
    ValueError
        `x` has not four axes, the window does not fit, or an option is no valid int.
    TypeError
        `x` does not hold real numbers.

    References
    ----------
    Dumoulin and Visin 2016, arXiv 1603.07285, section 3.

    Examples
    --------
    >>> avg_pool2d([[[[1, 2], [3, 6]]]], 2).astype(int).tolist()
    [[[[3]]]]
    """
    x, size, stride, padding = check_pool(x, size, stride, padding)
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    x = x.astype(np.float32 if dtype == np.float16 else dtype, copy=False)
    out = sum(shifts(x, size, stride, padding, 0))
    return (out / size**2).astype(dtype, copy=False)


def global_avg_pool(x):
    """Take the mean of every channel over the whole image: one number for each feature map.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)

    Returns
    -------
    ndarray of shape (N, C)
        The dtype of `x` if floating (float16 is summed in float32), float64 for integers and
        booleans.

    Raises
    ------
    ValueError
        `x` has not four axes.
    TypeError
        `x` does not hold real numbers.

    References
    ----------
    Lin, Chen and Yan 2013, "Network In Network", arXiv 1312.4400, section 3.2.

    Examples
    --------
    >>> global_avg_pool([[[[1, 2], [3, 6]], [[5, 5], [5, 5]]]]).astype(int).tolist()
    [[3, 5]]
    """
    return numbers("x", x, IMAGES).mean(axis=(2, 3))


def check_pool(x, size, stride, padding):
    """Check the arguments of a pooling kernel; return them with `stride` filled in."""
    x = numbers("x", x, IMAGES)
    size = integer("size", size, 1)
    stride = size if stride is None else integer("stride", stride, 1)
    padding = integer("padding", padding, 0)
    if padding > size // 2:
        raise ValueError(
            f"padding = {padding} is more than half of size = {size}: "
            f"a window could lie in the padding alone"
        )
    H, W = x.shape[2:]
    if size > min(H, W) + 2 * padding:
        raise ValueError(
            f"x has shape {x.shape}: a window of size = {size} does not fit "
            f"an image of {H}×{W} with padding = {padding}"
        )
    return x, size, stride, padding


def shifts(x, size, stride, padding, fill):
    """Yield the size² shifted and strided copies of the padded image, one per window position."""
    H_out, W_out = (out_size(n, size, stride, padding) for n in x.shape[2:])
    padded = pad(x, padding, fill)
    for i in range(size):
        for j in range(size):
            yield padded[:, :, window(i, H_out, stride), window(j, W_out, stride)]
