"""Convolutions: the definition in plain loops, and the same sums as matrix multiplies.

What the kernels accept, which dtype they return and how they treat NaN is said once, in
`pointwise.shapes`. As in every deep-learning library, "convolution" here means cross-correlation:
the kernel is not flipped.
"""

import numpy as np

from pointwise.shapes import (
    IMAGES,
    MATRIX,
    check_conv,
    integer,
    numbers,
    out_size,
    pad,
    window,
)


def conv2d_loops(x, w, b=None, *, stride=1, padding=0, groups=1):
    """Convolve by the definition: each output is a sum over channels, kernel rows and columns.

        out[n, o, row, col] =
            b[o] + Σ_c Σ_i Σ_j  w[o, c, i, j] · padded[n, c, row·stride + i, col·stride + j]

    With `groups` the channels are split into that many equal groups, in order, and an output
    channel sums over the input channels of its own group. Slow on purpose: read it, do not run it
    on photographs.

    Parameters
    ----------
    x : ndarray of shape (N, C_in, H, W)
    w : ndarray of shape (C_out, C_in / groups, kh, kw)
    b : ndarray of shape (C_out,), optional
    stride : int
        Pixels from one window to the next.
    padding : int
        Pixels of zeros added on all four sides.
    groups : int

    Returns
    -------
    ndarray of shape (N, C_out, H_out, W_out)
        Sizes from `out_size`; dtype of `x` if floating (the rule is in `pointwise.shapes`).

    Raises
    ------
    ValueError
        Shapes disagree, the kernel is larger than the padded image, or an option is no valid int.
    TypeError
        An array does not hold real numbers.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 9.1 (cross-correlation);
    groups: Krizhevsky, Sutskever and Hinton 2012, section 3.2.

    Examples
    --------
    >>> conv2d_loops([[[[1, 2], [3, 4]]]], [[[[1, 0], [0, 10]]]]).tolist()
    [[[[41]]]]
    """
    x, w, b, dtype = check_conv(x, w, b, padding=padding, groups=groups)
    N, _, H, W = x.shape
    C_out, C_group, kh, kw = w.shape
    H_out, W_out = out_size(H, kh, stride, padding), out_size(W, kw, stride, padding)
    padded = pad(x, padding)
    out = np.empty((N, C_out, H_out, W_out), x.dtype)
    for n in range(N):
        for o in range(C_out):
            group = o // (C_out // groups)
            first = group * C_group  # the first input channel of this output channel's group
            for row in range(H_out):
                for col in range(W_out):
                    total = out.dtype.type(0) if b is None else b[o]
                    for c in range(C_group):
                        for i in range(kh):
                            for j in range(kw):
                                pixel = padded[n, first + c, row * stride + i, col * stride + j]
                                total = total + w[o, c, i, j] * pixel
                    out[n, o, row, col] = total
    return out.astype(dtype, copy=False)


def conv1x1(x, w, b=None):
    """Mix the channels of every pixel p with one matrix.

        out[n, o, p] = b[o] + Σ_c w[o, c] · x[n, c, p]

    One call of `matmul` for the whole batch; no pixel sees another, so the image keeps its size.

    Parameters
    ----------
    x : ndarray of shape (N, C_in, H, W)
    w : ndarray of shape (C_out, C_in)
    b : ndarray of shape (C_out,), optional

    Returns
    -------
    ndarray of shape (N, C_out, H, W)
        Dtype of `x` if floating (the rule is in `pointwise.shapes`).

    Raises
    ------
    ValueError
        Shapes disagree.
    TypeError
        An array does not hold real numbers.

    References
    ----------
    Lin, Chen and Yan 2013, "Network In Network", arXiv 1312.4400, section 3.1: cross-channel
    parametric pooling is a convolution with a 1×1 kernel.

    Examples
    --------
    >>> conv1x1([[[[1, 2]], [[30, 40]]]], [[1, 1], [0, 2]]).tolist()
    [[[[31, 42]], [[60, 80]]]]
    """
    x, w, b, dtype = check_conv(x, w, b, axes=MATRIX)
    N, C_in, H, W = x.shape
    out = w @ x.reshape(N, C_in, H * W)
    if b is not None:
        out += b[:, None]
    return out.reshape(N, len(w), H, W).astype(dtype, copy=False)


def conv1x1_backward(x, w, dy):
    """Carry the gradient of a loss back through `conv1x1`, to its image, its matrix and its bias.

    Write the pixels of all images as the columns of one matrix, X (C_in, N·H·W) and likewise
    dY (C_out, N·H·W). Then Y = W·X + b, and for any loss L with dY = ∂L/∂Y

        dX = Wᵀ·dY,   dW = dY·Xᵀ,   db = Σ dY over the pixels.

    The way back is a pointwise convolution too: `dx` is `conv1x1(dy, w.T)`.

    Parameters
    ----------
    x : ndarray of shape (N, C_in, H, W)
        The image batch that `conv1x1` was given.
    w : ndarray of shape (C_out, C_in)
    dy : ndarray of shape (N, C_out, H, W)
        ∂L/∂Y: how the loss changes with each output of `conv1x1`.

    Returns
    -------
    dx : ndarray of shape (N, C_in, H, W)
    dw : ndarray of shape (C_out, C_in)
    db : ndarray of shape (C_out,)
        Dtype of `x` if floating, for all three (the rule is in `pointwise.shapes`, with `dy` in
        the place of `b`). An empty batch gives zeros for `dw` and `db`.

    Raises
    ------
    ValueError
        Shapes disagree.
    TypeError
        An array does not hold real numbers.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.5.6: the gradients of a
    matrix product.

    Examples
    --------
    >>> dx, dw, db = conv1x1_backward([[[[1, 2]], [[3, 4]]]], [[1, 10]], [[[[5, 1]]]])
    >>> dx.tolist(), dw.tolist(), db.tolist()
    ([[[[5, 1]], [[50, 10]]]], [[7, 19]], [6])
    """
    x, w, dy = numbers("x", x, IMAGES), numbers("w", w, MATRIX), numbers("dy", dy, IMAGES)
    # Nothing is added here: a bias of dy's dtype stands in for dy where the dtype is chosen.
    x, w, _, dtype = check_conv(x, w, np.zeros(len(w), dy.dtype), axes=MATRIX)
    N, C_in, H, W = x.shape
    if dy.shape != (N, len(w), H, W):
        raise ValueError(
            f"x has shape {x.shape}, w has shape {w.shape} and dy has shape {dy.shape}: "
            f"dy needs the shape of the output, {(N, len(w), H, W)}"
        )
    dy = dy.astype(dtype, copy=False).astype(x.dtype, copy=False)
    X, dY = pixels_as_columns(x), pixels_as_columns(dy)
    dX = w.T @ dY
    dw = dY @ X.T
    db = dY.sum(axis=1)
    dx = dX.reshape(C_in, N, H, W).swapaxes(0, 1).astype(dtype, order="C", copy=False)
    return dx, dw.astype(dtype, copy=False), db.astype(dtype, copy=False)


def pixels_as_columns(x):
    """Return `x` (N, C, H, W) as a matrix (C, N·H·W): one row per channel, one column per pixel."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1)


def conv2d(x, w, b=None, *, stride=1, padding=0, groups=1):
    """Convolve as kh·kw pointwise convolutions, shifted and summed.

    Entry (i, j) of every kernel meets the image shifted by (i, j). All such entries together are
    one matrix, `w[:, :, i, j]`, and mix the channels of the shifted image:

        out = b + Σ_i Σ_j  conv1x1(shifted by (i, j), w[:, :, i, j])

    Same arguments and result as `conv2d_loops`.

    Parameters
    ----------
    x : ndarray of shape (N, C_in, H, W)
    w : ndarray of shape (C_out, C_in / groups, kh, kw)
    b : ndarray of shape (C_out,), optional
    stride : int
        Pixels from one window to the next.
    padding : int
        Pixels of zeros added on all four sides.
    groups : int

    Returns
    -------
    ndarray of shape (N, C_out, H_out, W_out)
        Sizes from `out_size`; dtype of `x` if floating (the rule is in `pointwise.shapes`).

    Raises
    ------
    ValueError
        Shapes disagree, the kernel is larger than the padded image, or an option is no valid int.
    TypeError
        An array does not hold real numbers.

    References
    ----------
    Vasudevan, Anderson and Gregg 2017, "Parallel Multi Channel Convolution using General Matrix
    Multiplication", arXiv 1704.04428 (kn2row).

    Examples
    --------
    >>> conv2d([[[[1, 2], [3, 4]]]], [[[[1, 0], [0, 10]]]]).tolist()
    [[[[41]]]]
    """
    x, w, b, dtype = check_conv(x, w, b, padding=padding, groups=groups)
    N, _, H, W = x.shape
    C_out, C_group, kh, kw = w.shape
    H_out, W_out = out_size(H, kh, stride, padding), out_size(W, kw, stride, padding)
    # Channels last: the numbers of one kernel row then lie side by side.
    w = np.ascontiguousarray(w.transpose(0, 2, 3, 1))
    w = w.reshape(groups, C_out // groups, kh, kw, C_group)
    b = np.zeros(C_out, x.dtype) if b is None else b
    out = np.empty((N, C_out, H_out, W_out), x.dtype)
    images = max(1, COLUMNS // (H_out * W_out))
    for n in range(0, N, images):
        shift_and_sum(x[n : n + images], w, b, stride, padding, out[n : n + images])
    return out.astype(dtype, copy=False)


COLUMNS = 784  # small images share a matrix multiply, until it is about this many pixels wide


def shift_and_sum(x, w, b, stride, padding, out):
    """Fill `out` with a few convolved images: for each kernel row, shift, mix the channels, add.

    The kw shifts that one kernel row needs are stacked as if they were channels, so that a single
    matrix multiply mixes them all. `w` is (groups, C_out / groups, kh, kw, C_in / groups).
    """
    groups, C_out, kh, kw, _ = w.shape
    B, _, H_out, W_out = out.shape
    shape = (groups, C_out, H_out * B * W_out)
    total = out.reshape(shape)  # the same memory, in the order in which the sums come
    total[...] = b.reshape(groups, C_out, 1)
    width = shifts_at_once(x, padding, out)
    for left in range(0, kw, width):
        kernel = w[:, :, :, left : left + width].reshape(groups, C_out, kh, -1)
        stack = stack_shifts(x, range(kw)[left : left + width], W_out, stride, padding, groups)
        for i in range(kh):
            shifted = stack[:, :, window(i, H_out, stride)]
            total += kernel[:, :, i] @ shifted.reshape(groups, -1, shape[-1])
        del stack, shifted  # before the next stack is built: one is large enough
    if B > 1:  # back to one image after another; NumPy sees the overlap and copies
        out[...] = total.reshape(-1, H_out, B, W_out).transpose(2, 0, 1, 3)


def stack_shifts(x, shifts, W_out, stride, padding, groups):
    """Stack copies of the images, shifted along the columns: (groups, channels, rows, pixels).

    A row holds the pixels of all images, so that the next row down is one step along that axis.
    """
    padded = pad(x, padding)
    B, C, H, W = padded.shape
    padded = padded.reshape(B, groups, C // groups, H, W).transpose(1, 2, 3, 0, 4)
    stack = np.empty((groups, len(shifts), C // groups, H, B, W_out), x.dtype)
    for k, j in enumerate(shifts):
        stack[:, k] = padded[..., window(j, W_out, stride)]
    return stack.reshape(groups, -1, H, B * W_out)


def shifts_at_once(x, padding, out):
    """Count the shifts to stack so that all scratch stays below 3 × (input + output), if it can."""
    B, C, H, W = x.shape
    one = B * C * (H + 2 * padding) * out.shape[3]
    padded = B * C * (H + 2 * padding) * (W + 2 * padding)
    return max(1, (3 * (x.size + out.size) - max(padded, out.size)) // one)


def depthwise_conv2d(x, w, b=None, *, stride=1, padding=0):
    """Convolve every channel with its own m kernels and mix no channels.

    Output channel c·m + k comes from input channel c alone. It equals `conv2d` with `groups = C`.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    w : ndarray of shape (C·m, 1, kh, kw)
        m kernels for each channel, as in PyTorch; m is the channel multiplier.
    b : ndarray of shape (C·m,), optional
    stride : int
        Pixels from one window to the next.
    padding : int
        Pixels of zeros added on all four sides.

    Returns
    -------
    ndarray of shape (N, C·m, H_out, W_out)
        Sizes from `out_size`; dtype of `x` if floating (the rule is in `pointwise.shapes`).

    Raises
    ------
    ValueError
        Shapes disagree, the kernel is larger than the padded image, or an option is no valid int.
    TypeError
        An array does not hold real numbers.

    References
    ----------
    Howard et al. 2017, "MobileNets", arXiv 1704.04861, section 3.1.

    Examples
    --------
    >>> depthwise_conv2d([[[[1, 2]], [[3, 4]]]], [[[[1, 1]]], [[[10, 1]]]]).tolist()
    [[[[3]], [[34]]]]
    """
    x = numbers("x", x, IMAGES)
    N, C, H, W = x.shape
    x, w, b, dtype = check_conv(x, w, b, padding=padding, groups=C)
    C_out, _, kh, kw = w.shape
    H_out, W_out = out_size(H, kh, stride, padding), out_size(W, kw, stride, padding)
    padded = pad(x, padding)[:, :, None]
    w = w.reshape(C, C_out // C, kh, kw, 1, 1)
    out = np.zeros((N, C, C_out // C, H_out, W_out), x.dtype)
    for i in range(kh):
        for j in range(kw):
            shifted = padded[..., window(i, H_out, stride), window(j, W_out, stride)]
            out += w[:, :, i, j] * shifted
    out = out.reshape(N, C_out, H_out, W_out)
    if b is not None:
        out += b[:, None, None]
    return out.astype(dtype, copy=False)


def channel_shuffle(x, groups):
    """Deal the channels out in turns: the first of every group, then the second of every group, …

    The channel axis is written as a table, one row of n = C / groups channels for each group,
    transposed, and flattened again: channel j of group g moves to place j·groups + g. Each group of
    the next convolution then reads from several groups of the last, from all where n ≥ groups.
    Shuffling once more, with n in the place of `groups`, undoes it.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    groups : int
        Groups that the channels come in; divides C.

    Returns
    -------
    ndarray of shape (N, C, H, W)
        The dtype of `x`.

    Raises
    ------
    ValueError
        `x` has not four axes, or `groups` is no valid int or does not divide C.
    TypeError
        `x` does not hold real numbers.

    References
    ----------
    Zhang et al. 2017, "ShuffleNet", arXiv 1707.01083, section 3.1.

    Examples
    --------
    >>> channel_shuffle([[[[1]], [[2]], [[3]], [[10]], [[20]], [[30]]]], 2).tolist()
    [[[[1]], [[10]], [[2]], [[20]], [[3]], [[30]]]]
    """
    x, groups = numbers("x", x, IMAGES), integer("groups", groups, 1)
    N, C, H, W = x.shape
    if C % groups:
        raise ValueError(f"x has shape {x.shape}: {C} channels do not split into groups = {groups}")
    table = x.reshape(N, groups, C // groups, H, W)
    return table.swapaxes(1, 2).copy().reshape(N, C, H, W)
