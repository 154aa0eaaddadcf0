"""Output sizes, and the checks that every kernel makes at its door.

**Arguments.** An image batch is `(N, C, H, W)`, a weight array `(C_out, C_in, kh, kw)`, a bias
`(C_out,)`. Anything that `numpy.asarray` turns into such an array of numbers is accepted, nested
lists included. A batch of no images is fine and gives an empty result; every other axis needs at
least one entry. Sizes, strides, paddings and groups are integers, and `True` is not one.

**Dtypes.** The result has the dtype of `x` where that is floating. Where `x` holds integers or
booleans, it has the dtype of `w` if that is floating, else of `b`; where all three hold integers,
it is int64, and so is the arithmetic: 8-bit images cannot overflow. The other arguments are cast
to the result's dtype first. float16 is computed in float32 and rounded once, at the end.

**Promises.** Views, negative strides, Fortran order, foreign byte order and read-only arrays work.
Inputs are never modified and results never share their memory. A NaN or an infinity in `x` reaches
exactly the outputs whose window covers it. A padded zero is a number like any other: an infinite
weight on it gives NaN.
"""

import operator

import numpy as np


def out_size(n, f, stride=1, padding=0):
    """Count the positions of a window along one axis: ⌊(n + 2·padding − f) / stride⌋ + 1.

    Parameters
    ----------
    n : int
        Entries along the axis, in pixels.
    f : int
        Width of the window, in pixels.
    stride : int
        Pixels from one position to the next.
    padding : int
        Pixels added at each of the two ends.

    Returns
    -------
    int
        Number of outputs along the axis.

    Raises
    ------
    ValueError
        A value is not an integer or is too small, or the window is wider than the padded axis.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning",
    arXiv 1603.07285, section 2, relationship 6.

    Examples
    --------
    >>> out_size(224, 7, stride=2, padding=3)
    112
    """
    n, f = integer("n", n, 1), integer("f", f, 1)
    stride, padding = integer("stride", stride, 1), integer("padding", padding, 0)
    if f > n + 2 * padding:
        raise ValueError(
            f"a window of f = {f} does not fit n = {n} with padding = {padding} at each end: "
            f"{n} + 2·{padding} = {n + 2 * padding} < {f}"
        )
    return (n + 2 * padding - f) // stride + 1


def same_padding(f):
    """Give the padding that keeps the size of an axis at stride 1: (f − 1) / 2, for odd f.

    Parameters
    ----------
    f : int
        Width of the window, in pixels; odd.

    Returns
    -------
    int
        Pixels to add at each of the two ends.

    Raises
    ------
    ValueError
        `f` is not a positive integer, or is even.

    References
    ----------
    Dumoulin and Visin 2016, arXiv 1603.07285, section 2, relationship 3 ("half padding").

    Examples
    --------
    >>> same_padding(5)
    2
    """
    f = integer("f", f, 1)
    if f % 2 == 0:
        raise ValueError(
            f"no equal padding at both ends keeps the size with an even window: f = {f} needs "
            f"f − 1 = {f - 1} pixels in all, an odd number; pad the two ends differently"
        )
    return (f - 1) // 2


def integer(name, value, least):
    """Return `value` as an int of at least `least`, or raise a ValueError that shows it."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def numbers(name, value, axes):
    """Return `value` as an array of numbers with the named axes, such as ("N", "C", "H", "W")."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must hold real numbers, got dtype {array.dtype} and shape {array.shape}"
        )
    if array.ndim != len(axes):
        raise ValueError(
            f"{name} must have {len(axes)} axes ({', '.join(axes)}), got shape {array.shape}"
        )
    if 0 in array.shape:
        for axis, length in zip(axes, array.shape, strict=True):
            if length == 0 and axis != "N":
                raise ValueError(f"{name} has shape {array.shape}: its {axis} axis is empty")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


IMAGES = ("N", "C", "H", "W")
KERNELS = ("C_out", "C_in", "kh", "kw")
MATRIX = ("C_out", "C_in")


def result_dtype(x, w, b):
    """Return the result's dtype: that of the first floating array among x, w and b, else int64."""
    for array in (x, w, b):
        if array is not None and array.dtype.kind == "f":
            return array.dtype
    return np.dtype(np.int64)


def check_conv(x, w, b, *, axes=KERNELS, padding=0, groups=1):
    """Check the arguments of a convolution, w having the named axes; `out_size` checks the stride.

    Returns
    -------
    x, w, b : ndarray
        The arrays in the dtype to compute in; `b` stays None where there is none.
    dtype : numpy.dtype
        The dtype of the result.
    """
    x, w = numbers("x", x, IMAGES), numbers("w", w, axes)
    b = None if b is None else numbers("b", b, ("C_out",))
    padding, groups = integer("padding", padding, 0), integer("groups", groups, 1)

    _, C, H, W = x.shape
    C_out, C_in, kh, kw = w.shape if w.ndim == 4 else (*w.shape, 1, 1)
    problem = None
    if C % groups or C_out % groups:
        problem = f"{C} channels in and {C_out} out do not both split into groups = {groups}"
    elif C_in * groups != C:
        problem = f"each kernel of w reads {C_in} channels, but x offers {C // groups}"
        problem += f" in each of groups = {groups}" if groups > 1 else ""
    elif kh > H + 2 * padding or kw > W + 2 * padding:
        problem = f"a {kh}×{kw} kernel does not fit {H}×{W} pixels with padding = {padding}"
    if problem:
        raise ValueError(f"x has shape {x.shape} and w has shape {w.shape}: {problem}")
    if b is not None and len(b) != C_out:
        raise ValueError(
            f"w has shape {w.shape} and b has shape {b.shape}: b needs one entry for each of "
            f"the {C_out} output channels"
        )

    dtype = result_dtype(x, w, b)
    work = np.dtype(np.float32) if dtype == np.float16 else dtype

    def cast(array):
        return array.astype(dtype, copy=False).astype(work, copy=False)

    return cast(x), cast(w), None if b is None else cast(b), dtype


def pad(x, padding, value=0):
    """Return `x` (N, C, H, W) with `padding` pixels of `value` on all four sides of every image."""
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * padding, W + 2 * padding), value, x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    return padded


def window(shift, n_out, stride):
    """Return the slice of the padded pixels that position `shift` of a moving window meets."""
    return slice(shift, shift + stride * (n_out - 1) + 1, stride)
