"""Bad input is refused with an error that names the offending shapes or values.

Odd but legal input gives the documented answer.
"""

import numpy as np
import pytest

from pointwise.conv import conv1x1, conv2d, conv2d_loops, depthwise_conv2d
from pointwise.pool import avg_pool2d, global_avg_pool, max_pool2d
from pointwise.shapes import out_size, same_padding


def A(*shape, dtype=np.float64):
    return np.ones(shape, dtype)


X = A(2, 4, 5, 6)  # images
W = A(6, 4, 3, 3)  # kernels
M = A(6, 4)  # a mixing matrix
D = A(8, 1, 3, 3)  # two kernels for each channel
TEXT = np.array([[[["a"]]]])
OBJECT = np.array([[[[None]]]])

# kernel, arguments, options, exception, what its message must contain
REFUSED = [
    # rank
    (conv1x1, (A(4, 5, 6), M), {}, ValueError, ["x", "4 axes (N, C, H, W)", "(4, 5, 6)"]),
    (conv1x1, (A(4), M), {}, ValueError, ["x", "(4,)"]),
    (conv1x1, (X, A(6, 4, 1, 1)), {}, ValueError, ["w", "(C_out, C_in)", "(6, 4, 1, 1)"]),
    (conv1x1, (X, A(4)), {}, ValueError, ["w", "2 axes", "(4,)"]),
    (conv2d, (A(5, 6), W), {}, ValueError, ["x", "(5, 6)"]),
    (conv2d, (A(1, 2, 4, 5, 6), W), {}, ValueError, ["x", "(1, 2, 4, 5, 6)"]),
    (conv2d, (X, M), {}, ValueError, ["w", "4 axes (C_out, C_in, kh, kw)", "(6, 4)"]),
    (conv2d, (X, W, A(6, 1)), {}, ValueError, ["b", "1 axes (C_out)", "(6, 1)"]),
    (conv2d, (X, W, 1.0), {}, ValueError, ["b", "()"]),
    (depthwise_conv2d, (A(4, 5, 6), D), {}, ValueError, ["x", "(4, 5, 6)"]),
    (depthwise_conv2d, (X, A(8, 3, 3)), {}, ValueError, ["w", "(8, 3, 3)"]),
    (max_pool2d, (A(5, 6), 2), {}, ValueError, ["x", "(5, 6)"]),
    (avg_pool2d, (A(4, 5, 6), 2), {}, ValueError, ["x", "(4, 5, 6)"]),
    (global_avg_pool, (A(4, 5, 6),), {}, ValueError, ["x", "(4, 5, 6)"]),
    # channels and bias
    (conv1x1, (X, A(6, 3)), {}, ValueError, ["(2, 4, 5, 6)", "(6, 3)", "reads 3", "offers 4"]),
    (conv1x1, (X, M.T), {}, ValueError, ["(2, 4, 5, 6)", "(4, 6)", "reads 6"]),
    (conv2d, (X, A(6, 5, 3, 3)), {}, ValueError, ["(2, 4, 5, 6)", "(6, 5, 3, 3)", "reads 5"]),
    (conv2d, (X, W), {"groups": 2}, ValueError, ["(6, 4, 3, 3)", "offers 2 in each of groups = 2"]),
    (conv1x1, (X, M, A(5)), {}, ValueError, ["w has shape (6, 4)", "b has shape (5,)", "the 6"]),
    (conv2d, (X, W, A(7)), {}, ValueError, ["(6, 4, 3, 3)", "b has shape (7,)", "the 6"]),
    (depthwise_conv2d, (X, D, A(4)), {}, ValueError, ["(8, 1, 3, 3)", "(4,)", "the 8"]),
    (depthwise_conv2d, (X, A(6, 1, 3, 3)), {}, ValueError, ["(6, 1, 3, 3)", "4 channels in and 6"]),
    (depthwise_conv2d, (X, A(8, 2, 3, 3)), {}, ValueError, ["(8, 2, 3, 3)", "reads 2", "offers 1"]),
    # groups
    (conv2d, (X, A(6, 1, 3, 3)), {"groups": 3}, ValueError, ["4 channels in", "groups = 3"]),
    (conv2d, (X, A(5, 2, 3, 3)), {"groups": 2}, ValueError, ["5 out", "groups = 2"]),
    (conv2d, (X, W), {"groups": 0}, ValueError, ["groups", "at least 1", "0"]),
    (conv2d, (X, W), {"groups": -1}, ValueError, ["groups", "-1"]),
    (conv2d, (X, W), {"groups": 1.0}, ValueError, ["groups", "an integer", "1.0"]),
    # kernels and windows that do not fit
    (conv2d, (X, A(6, 4, 6, 3)), {}, ValueError, ["(2, 4, 5, 6)", "(6, 4, 6, 3)", "6×3", "5×6"]),
    (conv2d, (X, A(6, 4, 3, 9)), {"padding": 1}, ValueError, ["3×9", "5×6", "padding = 1"]),
    (conv2d, (X, A(6, 4, 8, 3)), {"padding": 1}, ValueError, ["8×3 kernel", "5×6 pixels"]),
    (depthwise_conv2d, (X, A(4, 1, 7, 7)), {}, ValueError, ["(4, 1, 7, 7)", "7×7", "5×6"]),
    (max_pool2d, (X, 6), {}, ValueError, ["(2, 4, 5, 6)", "size = 6", "5×6", "padding = 0"]),
    (avg_pool2d, (A(1, 1, 2, 9), 5), {"padding": 1}, ValueError, ["size = 5", "2×9"]),
    (avg_pool2d, (A(1, 1, 9, 2), 5), {"padding": 1}, ValueError, ["size = 5", "9×2"]),
    # stride, padding, size
    (conv2d, (X, W), {"stride": 0}, ValueError, ["stride", "at least 1", "0"]),
    (conv2d, (X, W), {"stride": -2}, ValueError, ["stride", "-2"]),
    (conv2d, (X, W), {"stride": 1.5}, ValueError, ["stride", "an integer", "1.5"]),
    (conv2d, (X, W), {"stride": True}, ValueError, ["stride", "True"]),
    (conv2d, (X, W), {"stride": np.True_}, ValueError, ["stride", "True"]),
    (conv2d, (X, W), {"stride": (1, 1)}, ValueError, ["stride", "(1, 1)"]),
    (conv2d, (X, W), {"stride": None}, ValueError, ["stride", "None"]),
    (conv2d, (X, W), {"padding": -1}, ValueError, ["padding", "at least 0", "-1"]),
    (conv2d, (X, W), {"padding": "same"}, ValueError, ["padding", "'same'"]),
    (depthwise_conv2d, (X, D), {"stride": 0}, ValueError, ["stride", "0"]),
    (depthwise_conv2d, (X, D), {"padding": 0.0}, ValueError, ["padding", "0.0"]),
    (max_pool2d, (X, 0), {}, ValueError, ["size", "at least 1", "0"]),
    (max_pool2d, (X, 2.0), {}, ValueError, ["size", "2.0"]),
    (max_pool2d, (X, True), {}, ValueError, ["size", "True"]),
    (max_pool2d, (X, 2), {"stride": 0}, ValueError, ["stride", "0"]),
    (max_pool2d, (X, 3), {"padding": 2}, ValueError, ["padding = 2", "size = 3"]),
    (avg_pool2d, (X, 2), {"padding": -1}, ValueError, ["padding", "-1"]),
    (avg_pool2d, (X, 2), {"stride": 1.0}, ValueError, ["stride", "1.0"]),
    # empty axes
    (conv1x1, (A(1, 0, 5, 6), A(6, 0)), {}, ValueError, ["x", "(1, 0, 5, 6)", "its C axis"]),
    (conv1x1, (X, A(0, 4)), {}, ValueError, ["w", "(0, 4)", "its C_out axis"]),
    (conv2d, (A(1, 4, 0, 6), W), {"padding": 2}, ValueError, ["(1, 4, 0, 6)", "its H axis"]),
    (conv2d, (A(1, 4, 5, 0), W), {}, ValueError, ["(1, 4, 5, 0)", "its W axis"]),
    (conv2d, (X, A(6, 4, 0, 3)), {}, ValueError, ["(6, 4, 0, 3)", "its kh axis"]),
    (depthwise_conv2d, (A(1, 0, 5, 5), D), {}, ValueError, ["(1, 0, 5, 5)", "its C axis"]),
    (max_pool2d, (A(1, 1, 0, 4), 1), {}, ValueError, ["(1, 1, 0, 4)", "its H axis"]),
    (global_avg_pool, (A(1, 1, 4, 0),), {}, ValueError, ["(1, 1, 4, 0)", "its W axis"]),
    # not real numbers
    (conv1x1, (X.astype(complex), M), {}, TypeError, ["x", "complex128", "(2, 4, 5, 6)"]),
    (conv1x1, (X, M.astype(complex)), {}, TypeError, ["w", "complex128", "(6, 4)"]),
    (conv1x1, (X, M, A(6, dtype="c8")), {}, TypeError, ["b", "complex64"]),
    (conv2d, (OBJECT, W), {}, TypeError, ["x", "object"]),
    (conv2d, (TEXT, W), {}, TypeError, ["x", "<U1"]),
    (conv2d, (None, W), {}, TypeError, ["x", "object"]),
    (conv2d, (X, None), {}, TypeError, ["w", "object"]),
    (conv2d, (X, "kernel"), {}, TypeError, ["w", "<U6"]),
    (conv2d, (X.astype("m8[s]"), W), {}, TypeError, ["x", "timedelta64"]),
    (depthwise_conv2d, (None, D), {}, TypeError, ["x", "object"]),
    (max_pool2d, (TEXT, 1), {}, TypeError, ["x", "<U1"]),
    (avg_pool2d, (A(1, 1, 2, 2, dtype=complex), 2), {}, TypeError, ["x", "complex128"]),
    (global_avg_pool, (OBJECT,), {}, TypeError, ["x", "object"]),
    # sizes of shapes
    (out_size, (3, 5), {}, ValueError, ["f = 5", "n = 3", "padding = 0", "3 + 2·0 = 3 < 5"]),
    (out_size, (3, 8, 1, 2), {}, ValueError, ["f = 8", "n = 3", "padding = 2", "7 < 8"]),
    (out_size, (0, 1), {"padding": 1}, ValueError, ["n ", "at least 1", "0"]),
    (out_size, (5, 0), {}, ValueError, ["f ", "at least 1", "0"]),
    (out_size, (5, 2, 0), {}, ValueError, ["stride", "0"]),
    (out_size, (5, 2, 1, -1), {}, ValueError, ["padding", "-1"]),
    (out_size, (5.0, 2), {}, ValueError, ["n must be an integer", "5.0"]),
    (out_size, (5, "2"), {}, ValueError, ["f must be an integer", "'2'"]),
    (out_size, (5, True), {}, ValueError, ["f must be an integer", "True"]),
    (same_padding, (0,), {}, ValueError, ["f ", "at least 1", "0"]),
    (same_padding, (3.0,), {}, ValueError, ["f ", "3.0"]),
    (same_padding, (2,), {}, ValueError, ["f = 2", "odd"]),
]


NAMES = {"x", "w", "b", "n", "f", "stride", "padding", "groups", "size"}


def label(case):
    kernel, args, options, *_ = case
    shown = [str(getattr(a, "shape", a)) for a in args] + [f"{k}={v}" for k, v in options.items()]
    return f"{kernel.__name__}-{'-'.join(shown)}"


@pytest.mark.parametrize("case", REFUSED, ids=map(label, REFUSED))
def test_refused(case):
    kernel, args, options, exception, fragments = case
    kernels = [conv2d, conv2d_loops] if kernel is conv2d else [kernel]
    for one in kernels:
        with pytest.raises(exception) as caught:
            one(*args, **options)
        assert type(caught.value) is exception
        message = str(caught.value)
        if fragments[0].strip() in NAMES:
            assert message.startswith(fragments[0].strip() + " ")
        for fragment in fragments:
            assert fragment in message


def test_a_whole_message():
    with pytest.raises(ValueError, match="x has") as caught:
        conv1x1(X, A(6, 3))
    assert str(caught.value) == (
        "x has shape (2, 4, 5, 6) and w has shape (6, 3): "
        "each kernel of w reads 3 channels, but x offers 4"
    )
    with pytest.raises(ValueError, match="x has") as caught:
        conv2d(X, W, groups=2)
    assert str(caught.value) == (
        "x has shape (2, 4, 5, 6) and w has shape (6, 4, 3, 3): "
        "each kernel of w reads 4 channels, but x offers 2 in each of groups = 2"
    )


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="inhomogeneous"):
        conv1x1([[[[1, 2], [3]]]], [[1]])


def test_unequal_options_are_keywords():
    with pytest.raises(TypeError, match="positional"):
        conv2d(X, W, None, 2)
    with pytest.raises(TypeError, match="positional"):
        max_pool2d(X, 2, 2)


CONVOLUTIONS = {
    "conv1x1": (conv1x1, (6, 4)),
    "conv2d": (conv2d, (6, 4, 3, 3)),
    "conv2d_loops": (conv2d_loops, (6, 4, 3, 3)),
    "depthwise_conv2d": (depthwise_conv2d, (8, 1, 3, 3)),
}
f2, f4, f8 = (np.dtype(t) for t in ("f2", "f4", "f8"))
u1, i2, i8, boolean = (np.dtype(t) for t in ("u1", "i2", "i8", "?"))


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize(
    ("x", "w", "b", "result"),
    [
        (f4, f4, f4, f4),
        (f8, f8, None, f8),
        (f2, f2, f2, f2),
        (f4, f8, f8, f4),  # the image decides
        (f8, f4, f2, f8),
        (f2, f4, f8, f2),
        (f4, i8, i8, f4),
        (u1, f4, f8, f4),  # then the weights
        (i8, f2, i8, f2),
        (boolean, f8, None, f8),
        (u1, i2, f4, f4),  # then the bias
        (u1, u1, u1, i8),
        (boolean, boolean, None, i8),
        (i2, boolean, u1, i8),
        (np.dtype(">f4"), f8, None, f4),
        (np.dtype(">i2"), np.dtype(">f8"), None, f8),
    ],
)
def test_dtype_of_the_result(name, x, w, b, result):
    kernel, shape = CONVOLUTIONS[name]
    out = kernel(A(1, 4, 3, 3, dtype=x), A(*shape, dtype=w), b and A(shape[0], dtype=b))
    assert out.dtype == result
    assert out.dtype.isnative
    assert (out == np.prod(shape[1:]) + (b is not None)).all()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_8_bit_images_do_not_overflow(name):
    kernel, shape = CONVOLUTIONS[name]
    x, w = np.full((1, 4, 3, 3), 255, np.uint8), np.full(shape, 200, np.uint8)
    assert (kernel(x, w) == 255 * 200 * np.prod(shape[1:])).all()
    assert (kernel(x, -w.astype(np.int8)) == -255 * 56 * -np.prod(shape[1:])).all()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_64_bit_integers_stay_exact(name):
    kernel, shape = CONVOLUTIONS[name]
    x, w = np.zeros((1, 4, 3, 3), np.int64), np.zeros(shape, np.int64)
    x[..., 1, 1] = 2**60 + 1  # float64 would drop the 1
    w[(slice(None), 0, 1, 1)[: w.ndim]] = 3
    out = kernel(x, w)
    assert int(out[0, 0, out.shape[2] // 2, out.shape[3] // 2]) == 3 * 2**60 + 3


def test_float16_is_summed_in_float32():
    x = np.array([65504, 0.001, -65504, 0], f2).reshape(1, 1, 2, 2)
    ones = np.ones((1, 1, 2, 2))
    for out in (conv2d_loops(x, ones), depthwise_conv2d(x, ones), avg_pool2d(x, 2)):
        assert out.tolist() == [[[[0.0]]]]  # float64 would keep the 0.001


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_float16_is_rounded_once(name):
    kernel, shape = CONVOLUTIONS[name]
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 4, 5, 5)), rng.standard_normal(shape)
    half = kernel(x.astype(f2), w.astype(f2))
    single = kernel(x.astype(f2).astype(f4), w.astype(f2).astype(f4))
    assert np.array_equal(half, single.astype(f2))
    assert np.array_equal(half, kernel(x.astype(f2), w.astype(f2).astype(f4)))
    # Weights are rounded to the image's type before they are used.
    assert np.array_equal(half, kernel(x.astype(f2), w.astype(f4).astype(f2).astype(f8)))
    fine = np.full(shape, 1 + 2.0**-13)  # 1 in float16
    assert np.array_equal(kernel(x.astype(f2), fine), kernel(x.astype(f2), np.ones(shape, f2)))


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_single_precision_weights_are_rounded_for_half_precision_images(name):
    kernel, shape = CONVOLUTIONS[name]
    x = np.full((1, 4, 3, 3), 64, f2)
    fine = np.full(shape, 1 + 2.0**-13, f4)
    assert np.array_equal(kernel(x, fine), kernel(x, np.ones(shape, f2)))


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_empty_batch(name):
    kernel, shape = CONVOLUTIONS[name]
    side = 5 if name == "conv1x1" else 3
    out = kernel(A(0, 4, 5, 5, dtype=f4), A(*shape))
    assert (out.shape, out.dtype) == ((0, shape[0], side, side), f4)


def test_empty_batch_of_pools():
    for pool in (max_pool2d, avg_pool2d):
        assert pool(A(0, 3, 5, 5), 2).shape == (0, 3, 2, 2)
    assert global_avg_pool(A(0, 3, 5, 5)).shape == (0, 3)


def test_lists_are_arrays():
    x, w, b = [[[[1, 2]], [[3, 4]]]], [[1, 1]], [0.5]
    assert conv1x1(x, w, b).tolist() == [[[[4.5, 6.5]]]]
    assert max_pool2d(x, 1).tolist() == x
    assert global_avg_pool(x).tolist() == [[1.5, 3.5]]


VIEWS = {
    "flipped": lambda x: x[:, :, ::-1, ::-1],
    "every second": lambda x: x[:, :, ::2, 1::2],
    "channels last": lambda x: x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2),
    "fortran": np.asfortranarray,
    "broadcast": lambda x: np.broadcast_to(x[:1, :1], x.shape),
    "one channel repeated": lambda x: np.broadcast_to(x[:, :1], x.shape),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_views_and_read_only(name, view):
    kernel, shape = CONVOLUTIONS[name]
    rng = np.random.default_rng(0)
    x = VIEWS[view](rng.integers(-9, 9, (2, 4, 8, 6)))
    w, b = rng.integers(-9, 9, shape), rng.integers(-9, 9, shape[0])
    plain = kernel(x.copy(), w, b)
    for array in (w, b):
        array.flags.writeable = False
    x.flags.writeable = False
    before = x.tobytes()
    assert np.array_equal(kernel(x, w, b), plain)
    assert x.tobytes() == before
    out = kernel(x, np.asfortranarray(w), np.repeat(b, 2)[::2])
    assert np.array_equal(out, plain)
    assert not np.shares_memory(out, x)
    assert out.flags.writeable


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_one_bad_pixel(name, value):
    kernel, shape = CONVOLUTIONS[name]
    x = A(2, 4, 7, 7)
    x[1, 2, 3, 3] = value
    out = kernel(x, A(*shape))
    bad = np.argwhere(~np.isfinite(out).all(axis=1)).tolist()
    reach = [3] if name == "conv1x1" else [1, 2, 3]
    assert bad == [[1, row, col] for row in reach for col in reach]
    assert np.array_equal(out[1, -3, 3, 3], value, equal_nan=True)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_weights_and_padding(value):
    """A padded zero is a number: times a bad weight it is NaN, in the loops and in conv2d."""
    x, w = A(1, 2, 4, 4), A(3, 2, 3, 3)
    w[1, 0, 0, 2] = value
    with np.errstate(invalid="ignore"):
        fast, slow = conv2d(x, w, padding=1), conv2d_loops(x, w, padding=1)
    assert np.array_equal(fast, slow, equal_nan=True)
    assert np.isfinite(fast[:, ::2]).all()
    assert np.isnan(fast[0, 1, 0]).all()
