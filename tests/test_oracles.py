"""Loops = shifted matmuls = einsum = torch, on random configurations.

The draws are the same on every run (`derandomize`), and every test counts the configurations that
it has compared: together well over 2,000.
"""

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from pointwise.conv import conv1x1, conv2d, conv2d_loops, depthwise_conv2d
from pointwise.pool import avg_pool2d, global_avg_pool, max_pool2d

torch.set_num_threads(1)
small = st.integers
LAYOUTS = {
    "plain": lambda a: a,
    "fortran": np.asfortranarray,
    "reversed": lambda a: a[::-1, ..., ::-1].copy()[::-1, ..., ::-1],
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "swapped": lambda a: np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2),
    "foreign": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


def run(examples, **strategies):
    """Run the decorated check on that many drawn configurations and assert that it did."""

    def decorate(check):
        def test():
            count = 0

            @settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(**strategies)
            def counted(**drawn):
                nonlocal count
                check(**drawn)
                count += 1

            counted()
            assert count >= examples

        test.__doc__ = check.__doc__
        return test

    return decorate


def draw(rng, shape, dtype, layout="plain"):
    if np.dtype(dtype).kind == "f":
        array = rng.standard_normal(shape).astype(dtype)
    else:
        array = rng.integers(-99, 100, shape).astype(dtype)
    return LAYOUTS[layout](array)


def exact(array):
    """Copy to float64 or int64, in which the small numbers drawn here are exact."""
    return None if array is None else array.astype("f8" if array.dtype.kind == "f" else "i8")


def einsum_conv(x, w, b, stride, padding, groups):
    """Convolve by gathering every window and summing with einsum, group by group."""
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    parts = [
        np.einsum("nchwij,ocij->nohw", one, kernels)
        for one, kernels in zip(np.split(windows, groups, axis=1), np.split(w, groups), strict=True)
    ]
    out = np.concatenate(parts, axis=1)
    return out if b is None else out + b[:, None, None]


def torch_conv(x, w, b, stride, padding, groups):
    # torch takes neither negative strides nor foreign byte order.
    x, w, b = (
        None if a is None else torch.from_numpy(np.array(a, a.dtype.newbyteorder("="), order="C"))
        for a in (x, w, b)
    )
    return F.conv2d(x, w, b, stride=stride, padding=padding, groups=groups).numpy()


def assert_close(got, wanted, magnitude, K):
    """Compare sums of K products, whatever the order in which they were added.

    Any order of summation errs by at most K·u·Σ|w·x| to first order, u being half the machine
    epsilon (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1); `magnitude`
    is that Σ|w·x| + |b|. For K = 9 and values around 1 that is 5e-6 in float32 and 1e-14 in
    float64. K + 2 allows for the bias and for the reference's own error. float16 is computed in
    float32 and rounded once, hence its own epsilon, and only once. Integers must agree exactly.
    """
    assert got.shape == wanted.shape
    if got.dtype.kind != "f":
        assert np.array_equal(got, wanted)
        return
    work = np.finfo(np.float32 if got.dtype == np.float16 else got.dtype).eps / 2
    bound = (K + 2) * work * magnitude
    if got.dtype == np.float16:
        half = np.finfo(np.float16)
        bound += half.eps / 2 * np.abs(wanted) + float(half.smallest_subnormal)
    error = np.abs(got.astype(np.float64) - wanted)
    assert (error <= bound).all(), f"off by {error.max()} where {bound.min()} is allowed"


def check_conv(kernels, x, w, b, w4, stride=1, padding=0, groups=1):
    """Compare every kernel with torch and einsum in float64 (or int64), bias included."""
    options = {"stride": stride, "padding": padding, "groups": groups}
    X, W, B = exact(x), exact(w4), exact(b)
    wanted = einsum_conv(X, W, B, **options)
    # PyTorch's own integer convolution exists on CPUs and is exact.
    by_torch = torch_conv(X, W, B, **options)
    magnitude = einsum_conv(np.abs(X), np.abs(W), None if B is None else np.abs(B), **options)
    K = w4[0].size
    assert_close(by_torch, wanted, magnitude, K)
    before = [None if a is None else a.tobytes() for a in (x, w, b)]
    for kernel in kernels:
        got = kernel(x, w, b)
        assert got.dtype == (x.dtype.newbyteorder("=") if x.dtype.kind == "f" else np.int64)
        assert_close(got, wanted, magnitude, K)
        assert not any(np.shares_memory(got, a) for a in (x, w, b) if a is not None)
    assert before == [None if a is None else a.tobytes() for a in (x, w, b)]


def check_precision(got, x, w, b, **options):
    """Compare with torch in the same floating dtype."""
    if x.dtype.kind == "f" and x.dtype.itemsize > 2 and x.size:
        same = torch_conv(x, w, b, **options)
        scale = max(1, np.abs(same).max())
        # Both err, and each may add its products in any order: sums of √K numbers around 1.
        tolerance = (2e-6 if same.dtype == np.float32 else 4e-15) * w[0].size ** 0.5
        assert np.abs(got - same).max() <= tolerance * scale


dtypes = st.sampled_from(["f4", "f8", "f4", "f8", "f2", "i2", "i8"])
layouts = st.sampled_from(sorted(LAYOUTS))
seeds = small(0, 2**32 - 1)


@run(
    900,
    N=small(0, 2),
    groups=small(1, 3),
    c=small(1, 3),
    o=small(1, 3),
    size=st.tuples(small(1, 7), small(1, 7)),
    kernel=st.tuples(small(1, 5), small(1, 5)),
    stride=small(1, 3),
    padding=small(0, 3),
    bias=st.booleans(),
    dtype=dtypes,
    layout=layouts,
    w_layout=layouts,
    seed=seeds,
)
def test_conv2d(
    N, groups, c, o, size, kernel, stride, padding, bias, dtype, layout, w_layout, seed
):
    rng = np.random.default_rng(seed)
    kernel = tuple(min(k, n + 2 * padding) for k, n in zip(kernel, size, strict=True))
    x = draw(rng, (N, groups * c, *size), dtype, layout)
    w = draw(rng, (groups * o, c, *kernel), dtype, w_layout)
    b = draw(rng, groups * o, dtype) if bias else None
    options = {"stride": stride, "padding": padding, "groups": groups}
    kernels = [lambda *a, f=f: f(*a, **options) for f in (conv2d, conv2d_loops)]
    check_conv(kernels, x, w, b, w, **options)
    check_precision(conv2d(x, w, b, **options), x, w, b, **options)


@run(
    500,
    N=small(0, 4),
    c=small(1, 40),
    o=small(1, 40),
    size=st.tuples(small(1, 9), small(1, 9)),
    bias=st.booleans(),
    dtype=dtypes,
    layout=layouts,
    w_layout=layouts,
    seed=seeds,
)
def test_conv1x1(N, c, o, size, bias, dtype, layout, w_layout, seed):
    rng = np.random.default_rng(seed)
    x = draw(rng, (N, c, *size), dtype, layout)
    w = draw(rng, (o, c), dtype, w_layout)
    b = draw(rng, o, dtype) if bias else None
    w4 = w[:, :, None, None]
    check_conv([conv1x1, lambda x, w, b: conv2d(x, w[:, :, None, None], b)], x, w, b, w4)
    check_precision(conv1x1(x, w, b), x, w4, b, stride=1, padding=0, groups=1)


@run(
    300,
    N=small(0, 2),
    c=small(1, 4),
    m=small(1, 3),
    size=st.tuples(small(1, 7), small(1, 7)),
    kernel=st.tuples(small(1, 4), small(1, 4)),
    stride=small(1, 3),
    padding=small(0, 2),
    bias=st.booleans(),
    dtype=dtypes,
    layout=layouts,
    seed=seeds,
)
def test_depthwise(N, c, m, size, kernel, stride, padding, bias, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    kernel = tuple(min(k, n + 2 * padding) for k, n in zip(kernel, size, strict=True))
    x = draw(rng, (N, c, *size), dtype, layout)
    w = draw(rng, (c * m, 1, *kernel), dtype)
    b = draw(rng, c * m, dtype) if bias else None
    options = {"stride": stride, "padding": padding}
    check_conv(
        [
            lambda *a: depthwise_conv2d(*a, **options),
            lambda *a: conv2d_loops(*a, groups=c, **options),
        ],
        x, w, b, w, groups=c, **options,
    )  # fmt: skip


@run(
    200,
    N=small(1, 3),
    c=small(1, 70),
    o=small(1, 70),
    size=st.tuples(small(1, 24), small(1, 24)),
    k=st.sampled_from([1, 2, 3, 5]),
    stride=small(1, 2),
    seed=seeds,
)
def test_larger_layers(N, c, o, size, k, stride, seed):
    """Layers too large for the loops: sizes at which matrix multiplies change their algorithm."""
    rng = np.random.default_rng(seed)
    x, w, b = (draw(rng, shape, "f4") for shape in [(N, c, *size), (o, c, k, k), o])
    options = {"stride": stride, "padding": k // 2, "groups": 1}
    check_precision(conv2d(x, w, b, **options), x, w, b, **options)
    X, W, B = (np.rint(9 * exact(a)) for a in (x, w, b))  # whole numbers: every order is exact
    assert np.array_equal(conv2d(X, W, B, **options), torch_conv(X, W, B, **options))


@run(
    200,
    N=small(1, 3),
    groups=small(1, 2),
    c=small(1, 2),
    o=small(1, 2),
    size=st.tuples(small(2, 7), small(2, 7)),
    kernel=st.tuples(small(1, 3), small(1, 3)),
    stride=small(1, 3),
    padding=small(0, 2),
    value=st.sampled_from([np.nan, np.inf, -np.inf]),
    weight=st.sampled_from([0.0, 1.0, -2.0]),
    seed=seeds,
)
def test_nan_and_infinity(N, groups, c, o, size, kernel, stride, padding, value, weight, seed):
    """A NaN reaches the outputs whose window covers it and no other; so does an infinity."""
    rng = np.random.default_rng(seed)
    kernel = tuple(min(k, n) for k, n in zip(kernel, size, strict=True))
    x = draw(rng, (N, groups * c, *size), "f8")
    w = draw(rng, (groups * o, c, *kernel), "f8")
    w[rng.integers(len(w))] = weight
    at = tuple(int(rng.integers(n)) for n in x.shape)
    x[at] = value
    options = {"stride": stride, "padding": padding, "groups": groups}
    mark = np.zeros(x.shape)
    mark[at] = 1
    covered = einsum_conv(mark, np.ones_like(w), None, **options) > 0
    # 0 · ∞ and ∞ − ∞ are NaN by definition, and NumPy warns of them.
    with np.errstate(invalid="ignore"):
        fast, slow = (f(x, w, None, **options) for f in (conv2d, conv2d_loops))
        one = conv1x1(x, w[:, :, 0, 0]) if groups == 1 else None
    assert np.array_equal(~np.isfinite(fast), covered)
    assert np.array_equal(~np.isfinite(slow), covered)
    assert np.array_equal(np.isnan(fast), np.isnan(slow))
    assert np.array_equal(np.sign(fast[covered]), np.sign(slow[covered]), equal_nan=True)
    if one is not None:
        assert np.array_equal(~np.isfinite(one).all(axis=1), mark.any(axis=1))


@run(
    400,
    N=small(0, 2),
    c=small(1, 3),
    extent=st.tuples(small(1, 8), small(1, 8)),
    size=small(1, 4),
    stride=st.none() | small(1, 4),
    padding=small(0, 2),
    dtype=st.sampled_from(["f4", "f8", "f2", "i2", "i8", "u1"]),
    layout=layouts,
    seed=seeds,
)
def test_pools(N, c, extent, size, stride, padding, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    padding = min(padding, size // 2)
    size = min(size, *(n + 2 * padding for n in extent))
    padding = min(padding, size // 2)
    x = draw(rng, (N, c, *extent), dtype, layout)
    X = torch.from_numpy(x.astype("f8", order="C"))
    before = x.tobytes()
    largest = max_pool2d(x, size, stride=stride, padding=padding)
    mean = avg_pool2d(x, size, stride=stride, padding=padding)
    overall = global_avg_pool(x)
    assert before == x.tobytes()
    assert not any(np.shares_memory(x, out) for out in (largest, mean, overall))
    mean_dtype = x.dtype.newbyteorder("=") if x.dtype.kind == "f" else np.float64
    assert (largest.dtype, mean.dtype, overall.dtype) == (
        x.dtype.newbyteorder("="), mean_dtype, mean_dtype
    )  # fmt: skip
    if N:  # torch refuses to pool an empty batch
        assert np.array_equal(largest, F.max_pool2d(X, size, stride, padding).numpy())
        wanted = F.avg_pool2d(X, size, stride, padding).numpy()
        magnitude = F.avg_pool2d(X.abs(), size, stride, padding).numpy()
        assert_close(mean, wanted, magnitude, size**2)
        wanted = X.mean(dim=(2, 3)).numpy()
        assert_close(overall, wanted, X.abs().mean(dim=(2, 3)).numpy(), extent[0] * extent[1])
    else:
        assert (largest.size, mean.size, overall.shape) == (0, 0, (0, c))
        assert largest.shape == mean.shape
