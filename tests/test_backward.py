"""The way back through conv1x1, against autograd and differences; and channel_shuffle.

The drawn configurations and the bounds on rounding are those of test_oracles.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from test_oracles import assert_close, draw, dtypes, exact, layouts, run, seeds, small

from pointwise import channel_shuffle, conv1x1, conv1x1_backward

f2, f4, f8 = (np.dtype(t) for t in ("f2", "f4", "f8"))
u1, i2, i8, boolean = (np.dtype(t) for t in ("u1", "i2", "i8", "?"))


def A(*shape, dtype=np.float64):
    return np.ones(shape, dtype)


def ints(shape, seed=0):
    return np.random.default_rng(seed).integers(-9, 10, shape)


def autograd(x, w, dy):
    """Let torch find the three gradients, in float64."""
    x, w, b, dy = (
        torch.from_numpy(np.array(a, "f8", order="C")) for a in (x, w, np.zeros(len(w)), dy)
    )
    for leaf in (x, w, b):
        leaf.requires_grad_()
    F.conv2d(x, w[:, :, None, None], b).backward(dy)
    return [leaf.grad.numpy() for leaf in (x, w, b)]


def loss(x, w, b, dy):
    """A loss whose gradient by the output is `dy`."""
    return (conv1x1(x, w, b) * dy).sum()


def differences(f, a, h):
    """Take central differences of f, one entry of the array at a time."""
    slopes = np.empty(a.shape)
    for at in np.ndindex(a.shape):
        step = np.zeros_like(a)
        step[at] = h
        slopes[at] = (f(a + step) - f(a - step)) / (2 * h)
    return slopes


# What it computes


def test_by_hand():
    x = [[[[1, 2]], [[3, 4]], [[5, 6]]]]
    w = [[1, 2, 3], [1, 0, -1]]
    dy = [[[[1, 10]], [[2, -1]]]]
    dx, dw, db = conv1x1_backward(x, w, dy)
    # Left pixel: 1·(1, 2, 3) + 2·(1, 0, −1); right pixel: 10·(1, 2, 3) − 1·(1, 0, −1).
    assert dx.tolist() == [[[[3, 9]], [[2, 20]], [[1, 31]]]]
    # Row 1: 1·(1, 3, 5) + 10·(2, 4, 6); row 2: 2·(1, 3, 5) − 1·(2, 4, 6).
    assert dw.tolist() == [[21, 43, 65], [0, 2, 4]]
    assert db.tolist() == [11, 1]
    assert dx.dtype == dw.dtype == db.dtype == np.int64


def test_by_hand_two_images():
    x = [[[[1], [2]]], [[[3], [4]]]]
    dx, dw, db = conv1x1_backward(
        x, [[5], [6]], [[[[1], [1]], [[0], [1]]], [[[2], [0]], [[1], [3]]]]
    )
    assert dx.tolist() == [[[[5], [11]]], [[[16], [18]]]]
    assert dw.tolist() == [[1 + 2 + 6], [2 + 3 + 12]]
    assert db.tolist() == [4, 5]


@run(
    500,
    N=small(0, 4),
    c=small(1, 24),
    o=small(1, 24),
    size=st.tuples(small(1, 9), small(1, 9)),
    dtype=dtypes,
    layout=layouts,
    w_layout=layouts,
    dy_layout=layouts,
    seed=seeds,
)
def test_autograd(N, c, o, size, dtype, layout, w_layout, dy_layout, seed):
    """Each gradient is a sum of K products, and errs by at most what `assert_close` derives.

    K is C_out for dx and N·H·W for dw and db. For K = 100 and values around 1 that is 6e-4 in
    float32 at worst, and integers must agree exactly.
    """
    rng = np.random.default_rng(seed)
    x = draw(rng, (N, c, *size), dtype, layout)
    w = draw(rng, (o, c), dtype, w_layout)
    dy = draw(rng, (N, o, *size), dtype, dy_layout)
    inputs = (x, w, dy)
    before = [a.tobytes() for a in inputs]
    got = conv1x1_backward(*inputs)
    assert before == [a.tobytes() for a in inputs]
    # The numbers drawn are exact in float64, and so are sums of products of the integers.
    wanted = autograd(*inputs)
    magnitudes = autograd(*(np.abs(exact(a)) for a in inputs))
    pixels = N * size[0] * size[1]
    assert isinstance(got, tuple)
    assert len(got) == 3
    for one, want, magnitude, K in zip(got, wanted, magnitudes, (o, pixels, pixels), strict=True):
        assert one.dtype == (x.dtype.newbyteorder("=") if x.dtype.kind == "f" else np.int64)
        assert_close(one, want, magnitude, K)
        if x.dtype.itemsize == 8:
            assert np.abs(one - want).max(initial=0) <= 1e-12
        assert not any(np.shares_memory(one, a) for a in inputs)


@run(
    300,
    N=small(1, 2),
    c=small(1, 3),
    o=small(1, 3),
    size=st.tuples(small(1, 3), small(1, 3)),
    seed=seeds,
)
def test_differences_of_integers(N, c, o, size, seed):
    """The loss is linear in each argument by itself: steps of one whole unit give it exactly."""
    rng = np.random.default_rng(seed)
    x, w, b, dy = (rng.integers(-9, 10, s) for s in [(N, c, *size), (o, c), o, (N, o, *size)])
    dx, dw, db = conv1x1_backward(x, w, dy)
    assert np.array_equal(dx, differences(lambda a: loss(a, w, b, dy), x, 1))
    assert np.array_equal(dw, differences(lambda a: loss(x, a, b, dy), w, 1))
    assert np.array_equal(db, differences(lambda a: loss(x, w, a, dy), b, 1))


@run(
    100,
    N=small(1, 2),
    c=small(1, 3),
    o=small(1, 3),
    size=st.tuples(small(1, 3), small(1, 3)),
    seed=seeds,
)
def test_differences_through_a_curved_loss(N, c, o, size, seed):
    """L = Σ tanh y, so dy = 1 − tanh² y.

    A step of h = 1e-5 leaves out h²/6·|L'''|. At most 18 pixels of at most 2 meet a weight, and
    |tanh'''| ≤ 2: |L'''| ≤ 18·2³·2 = 288, under 5e-9. Rounding L, which is at most 54, adds about
    54·eps / h = 1e-9.
    """
    rng = np.random.default_rng(seed)
    x, w, b = (rng.uniform(-2, 2, shape) for shape in [(N, c, *size), (o, c), o])

    def curved(x, w, b):
        return np.tanh(conv1x1(x, w, b)).sum()

    gradients = conv1x1_backward(x, w, 1 - np.tanh(conv1x1(x, w, b)) ** 2)
    slopes = (
        differences(lambda a: curved(a, w, b), x, 1e-5),
        differences(lambda a: curved(x, a, b), w, 1e-5),
        differences(lambda a: curved(x, w, a), b, 1e-5),
    )
    for gradient, slope in zip(gradients, slopes, strict=True):
        assert np.abs(gradient - slope).max() <= 1e-8


# What follows from the formulas


def test_the_way_back_is_a_pointwise_convolution():
    x, w, dy = ints((2, 3, 4, 5)), ints((6, 3), 1), ints((2, 6, 4, 5), 2)
    assert np.array_equal(conv1x1_backward(x, w, dy)[0], conv1x1(dy, w.T))


def test_forward_and_back_have_the_same_inner_product():
    x, w, dy = ints((2, 3, 4, 5)), ints((6, 3), 1), ints((2, 6, 4, 5), 2)
    dx, dw, _ = conv1x1_backward(x, w, dy)
    assert (dx * x).sum() == (dw * w).sum() == (dy * conv1x1(x, w)).sum()


def test_images_of_a_batch_add_up():
    x, w, dy = ints((3, 2, 4, 5)), ints((6, 2), 1), ints((3, 6, 4, 5), 2)
    dx, dw, db = conv1x1_backward(x, w, dy)
    one_by_one = [conv1x1_backward(x[n : n + 1], w, dy[n : n + 1]) for n in range(3)]
    assert np.array_equal(dx, np.concatenate([one[0] for one in one_by_one]))
    assert np.array_equal(dw, sum(one[1] for one in one_by_one))
    assert np.array_equal(db, sum(one[2] for one in one_by_one))


def test_chain_of_two_layers():
    x, w, v, dz = ints((2, 3, 4, 5)), ints((6, 3), 1), ints((2, 6), 2), ints((2, 2, 4, 5), 3)
    dy, _, _ = conv1x1_backward(conv1x1(x, w), v, dz)
    dx, dw, _ = conv1x1_backward(x, w, dy)
    both_dx, both_dw, _ = conv1x1_backward(x, v @ w, dz)
    assert np.array_equal(dx, both_dx)
    assert np.array_equal(dw, v.T @ both_dw)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_bad_number(value):
    """It reaches the sums that it belongs to and no other."""
    x, w, dy = A(2, 3, 4, 5), A(6, 3), A(2, 6, 4, 5)
    bad = dy.copy()
    bad[1, 4, 2, 3] = value
    dx, dw, db = (~np.isfinite(a) for a in conv1x1_backward(x, w, bad))
    assert np.argwhere(dx).tolist() == [[1, c, 2, 3] for c in range(3)]
    assert np.argwhere(dw).tolist() == [[4, c] for c in range(3)]
    assert np.argwhere(db).tolist() == [[4]]
    bad = x.copy()
    bad[0, 1, 2, 3] = value
    dx, dw, db = (~np.isfinite(a) for a in conv1x1_backward(bad, w, dy))
    assert not dx.any()
    assert np.argwhere(dw).tolist() == [[o, 1] for o in range(6)]
    assert not db.any()
    bad = w.copy()
    bad[4, 1] = value
    dx, dw, db = (~np.isfinite(a) for a in conv1x1_backward(x, bad, dy))
    assert dx[:, 1].all()
    assert not dx[:, ::2].any()
    assert not dw.any()
    assert not db.any()


# Dtypes


@pytest.mark.parametrize(
    ("x", "w", "dy", "result"),
    [
        (f4, f4, f4, f4),
        (f8, f8, f8, f8),
        (f2, f2, f2, f2),
        (f4, f8, f8, f4),  # the image decides
        (f8, f4, f2, f8),
        (f2, f4, f8, f2),
        (f4, i8, i8, f4),
        (u1, f4, f8, f4),  # then the weights
        (i8, f2, i8, f2),
        (u1, i2, f4, f4),  # then the gradient
        (boolean, boolean, f8, f8),
        (u1, u1, u1, i8),
        (boolean, boolean, boolean, i8),
        (np.dtype(">f4"), f8, np.dtype(">f8"), f4),
        (np.dtype(">i2"), i8, np.dtype(">f8"), f8),
    ],
)
def test_dtype_of_the_results(x, w, dy, result):
    dx, dw, db = conv1x1_backward(A(2, 4, 3, 3, dtype=x), A(6, 4, dtype=w), A(2, 6, 3, 3, dtype=dy))
    for out, value in ((dx, 6), (dw, 18), (db, 18)):
        assert out.dtype == result
        assert out.dtype.isnative
        assert (out == value).all()


def test_8_bit_arrays_do_not_overflow():
    x, w = np.full((1, 2, 3, 3), 255, np.uint8), np.full((3, 2), 200, np.uint8)
    dx, dw, db = conv1x1_backward(x, w, np.full((1, 3, 3, 3), 250, np.uint8))
    assert (dx == 3 * 200 * 250).all()
    assert (dw == 9 * 255 * 250).all()
    assert (db == 9 * 250).all()


def test_64_bit_integers_stay_exact():
    big = 2**60 + 1  # float64 would drop the 1
    dx, dw, db = conv1x1_backward([[[[big]], [[0]]]], [[1, 2]], [[[[3]]]])
    assert (dx.ravel().tolist(), dw.tolist(), db.tolist()) == ([3, 6], [[3 * big, 0]], [3])
    dx, dw, db = conv1x1_backward([[[[2, 0]]]], [[3]], [[[[big, 1]]]])
    assert (dx.ravel().tolist(), dw.tolist(), db.tolist()) == ([3 * big, 3], [[2 * big]], [big + 1])


def test_float16_is_rounded_once():
    rng = np.random.default_rng(0)
    shapes = [(2, 4, 5, 5), (6, 4), (2, 6, 5, 5)]
    inputs = [rng.standard_normal(shape).astype(f2) for shape in shapes]
    half = conv1x1_backward(*inputs)
    single = conv1x1_backward(*(a.astype(f4) for a in inputs))
    for h, s in zip(half, single, strict=True):
        assert np.array_equal(h, s.astype(f2))
    # The sum of the first two is infinite in float16.
    dy = np.array([65504, 65504, -65504], f2).reshape(1, 1, 1, 3)
    _, dw, db = conv1x1_backward(np.ones_like(dy), [[1]], dy)
    assert (dw.tolist(), db.tolist()) == ([[65504]], [65504])
    # The others are rounded to the image's type before they are used: 1 + 2⁻¹³ is 1 in float16.
    for kind in (f4, f8):
        nearly = np.array([1 + 2.0**-13, -1], kind)
        dx, _, _ = conv1x1_backward(A(1, 1, 1, 1, dtype=f2), nearly[:, None], A(1, 2, 1, 1))
        assert dx.tolist() == [[[[0]]]]
        _, dw, db = conv1x1_backward(A(1, 1, 1, 2, dtype=f2), A(1, 1), nearly.reshape(1, 1, 1, 2))
        assert (dw.tolist(), db.tolist()) == ([[0]], [0])


# Layout and memory


@pytest.mark.parametrize("dtype", [f2, f4, f8, u1, i8])
def test_empty_batch(dtype):
    x, w, dy = A(0, 4, 5, 6, dtype=dtype), A(3, 4, dtype=dtype), A(0, 3, 5, 6, dtype=dtype)
    dx, dw, db = conv1x1_backward(x, w, dy)
    assert dx.shape == (0, 4, 5, 6)
    assert np.array_equal(dw, np.zeros((3, 4)))
    assert np.array_equal(db, np.zeros(3))
    assert {a.dtype for a in (dx, dw, db)} == {dtype if dtype.kind == "f" else i8}


VIEWS = {
    "flipped": lambda a: a[..., ::-1, ::-1],
    "every second": lambda a: np.repeat(np.repeat(a, 2, axis=0), 2, axis=-1)[::2, ..., 1::2],
    "channels last": lambda a: np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1),
    "fortran": np.asfortranarray,
    "broadcast": lambda a: np.broadcast_to(a[:1, :1], a.shape),
    "one column repeated": lambda a: np.broadcast_to(a[..., :1], a.shape),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("batch", [1, 2])
def test_views_and_read_only(batch, view):
    plain = [ints((batch, 4, 5, 6)), ints((3, 4), 1), ints((batch, 3, 5, 6), 2)]
    views = [VIEWS[view](a) for a in plain]
    wanted = conv1x1_backward(*(a.copy() for a in views))
    for a in views:
        a.flags.writeable = False
    for got, want in zip(conv1x1_backward(*views), wanted, strict=True):
        assert np.array_equal(got, want)
        assert got.flags.c_contiguous
        assert got.flags.writeable


@pytest.mark.parametrize("dtype", [f2, f4, f8, u1, i8])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 4, 4), (3, 1, 1, 1), (2, 3, 4, 5)])
def test_results_share_no_memory_with_inputs_or_each_other(shape, dtype):
    x, w = A(*shape, dtype=dtype), np.eye(shape[1], dtype=dtype)
    dy = A(*shape, dtype=dtype)  # dx equals dy, the matrix being the identity
    inputs = [x, w, dy]
    before = [a.copy() for a in inputs]
    dx, dw, db = conv1x1_backward(*inputs)
    assert np.array_equal(dx, dy)
    for k, out in enumerate([dx, dw, db]):
        assert not any(np.shares_memory(out, a) for a in [*inputs, *[dx, dw, db][:k]])
        out[...] = 7
    assert all(np.array_equal(a, b) for a, b in zip(inputs, before, strict=True))


def test_the_same_array_twice():
    x, w = ints((2, 3, 4, 5)), ints((3, 3), 1)
    got = conv1x1_backward(x, w, x)
    for g, e in zip(got, conv1x1_backward(x, w, x.copy()), strict=True):
        assert np.array_equal(g, e)


# Refused

X = A(2, 4, 5, 6)
M = A(3, 4)
DY = A(2, 3, 5, 6)
REFUSED = [
    # rank
    ((A(4, 5, 6), M, DY), ValueError, ["x must have 4 axes (N, C, H, W)", "(4, 5, 6)"]),
    ((X, A(3, 4, 1, 1), DY), ValueError, ["w must have 2 axes (C_out, C_in)", "(3, 4, 1, 1)"]),
    ((X, A(4), DY), ValueError, ["w must have 2 axes", "(4,)"]),
    ((X, M, A(3, 5, 6)), ValueError, ["dy must have 4 axes (N, C, H, W)", "(3, 5, 6)"]),
    ((X, M, 1.0), ValueError, ["dy must have 4 axes", "()"]),
    # shapes that disagree
    ((X, A(3, 5), DY), ValueError, ["(2, 4, 5, 6)", "(3, 5)", "reads 5", "offers 4"]),
    ((X, M.T, DY), ValueError, ["(2, 4, 5, 6)", "(4, 3)", "reads 3", "offers 4"]),
    ((X, M, X), ValueError, ["dy has shape (2, 4, 5, 6)", "w has shape (3, 4)", "(2, 3, 5, 6)"]),
    ((X, M, A(1, 3, 5, 6)), ValueError, ["x has shape (2, 4, 5, 6)", "(1, 3, 5, 6)"]),
    ((X, M, A(0, 3, 5, 6)), ValueError, ["x has shape (2, 4, 5, 6)", "(0, 3, 5, 6)"]),
    ((A(0, 4, 5, 6), M, DY), ValueError, ["x has shape (0, 4, 5, 6)", "(2, 3, 5, 6)"]),
    ((X, M, A(2, 3, 6, 5)), ValueError, ["x has shape (2, 4, 5, 6)", "(2, 3, 6, 5)"]),
    ((X, M, A(2, 3, 5, 1)), ValueError, ["w has shape (3, 4)", "(2, 3, 5, 1)", "(2, 3, 5, 6)"]),
    ((X, M, A(2, 3, 1, 6)), ValueError, ["w has shape (3, 4)", "(2, 3, 1, 6)", "(2, 3, 5, 6)"]),
    ((X, M, A(2, 1, 5, 6)), ValueError, ["w has shape (3, 4)", "(2, 1, 5, 6)", "(2, 3, 5, 6)"]),
    # the same count of numbers in another shape
    ((X, M, A(2, 3, 30, 1)), ValueError, ["dy has shape (2, 3, 30, 1)", "(2, 3, 5, 6)"]),
    # empty axes
    ((A(1, 0, 5, 6), M, DY), ValueError, ["x has shape (1, 0, 5, 6)", "its C axis"]),
    ((X, A(0, 4), DY), ValueError, ["w has shape (0, 4)", "its C_out axis"]),
    ((X, M, A(2, 3, 0, 6)), ValueError, ["dy has shape (2, 3, 0, 6)", "its H axis"]),
    # not real numbers
    ((X.astype(complex), M, DY), TypeError, ["x must", "complex128", "(2, 4, 5, 6)"]),
    ((X, M.astype(complex), DY), TypeError, ["w must", "complex128", "(3, 4)"]),
    ((X, M, DY.astype("c8")), TypeError, ["dy must", "complex64", "(2, 3, 5, 6)"]),
    ((X, M, DY.astype(str)), TypeError, ["dy must", "<U", "(2, 3, 5, 6)"]),
    ((X, M, None), TypeError, ["dy must", "object"]),
]


def label(case):
    return "-".join(str(getattr(a, "shape", a)) for a in case[0])


@pytest.mark.parametrize("case", REFUSED, ids=map(label, REFUSED))
def test_refused(case):
    args, exception, fragments = case
    with pytest.raises(exception) as caught:
        conv1x1_backward(*args)
    assert type(caught.value) is exception
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_whole_message():
    with pytest.raises(ValueError, match="dy has") as caught:
        conv1x1_backward(X, M, X)
    assert str(caught.value) == (
        "x has shape (2, 4, 5, 6), w has shape (3, 4) and dy has shape (2, 4, 5, 6): "
        "dy needs the shape of the output, (2, 3, 5, 6)"
    )


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="inhomogeneous"):
        conv1x1_backward([[[[1, 2]]]], [[1]], [[[[1, 2], [3]]]])


# channel_shuffle


def test_shuffle_by_hand():
    x = np.array([1, 2, 3, 10, 20, 30]).reshape(1, 6, 1, 1)
    assert channel_shuffle(x, 2).ravel().tolist() == [1, 10, 2, 20, 3, 30]
    assert channel_shuffle(x, 3).ravel().tolist() == [1, 3, 20, 2, 10, 30]


@run(
    300,
    N=small(0, 3),
    groups=small(1, 6),
    n=small(1, 6),
    size=st.tuples(small(1, 4), small(1, 4)),
    dtype=dtypes,
    layout=layouts,
    seed=seeds,
)
def test_shuffle(N, groups, n, size, dtype, layout, seed):
    """Torch deals the same way, n groups undo it, and channel g·n + j goes to j·groups + g."""
    x = draw(np.random.default_rng(seed), (N, groups * n, *size), dtype, layout)
    before = x.tobytes()
    out = channel_shuffle(x, groups)
    if N:  # torch refuses to shuffle an empty batch
        by_torch = F.channel_shuffle(torch.from_numpy(exact(x).copy(order="C")), groups)
        assert np.array_equal(out, by_torch.numpy())
    assert (out.shape, out.dtype) == (x.shape, x.dtype.newbyteorder("="))
    assert np.array_equal(channel_shuffle(out, n), x)
    for g in range(groups):
        assert np.array_equal(out[:, g::groups], x[:, g * n : (g + 1) * n])
    assert x.tobytes() == before
    assert not np.shares_memory(out, x)
    assert out.flags.c_contiguous
    assert out.flags.writeable


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("groups", range(1, 9))
def test_every_group_reads_from_all_groups_where_it_has_as_many_channels(groups, n):
    came_from = np.repeat(np.arange(groups), n).reshape(1, -1, 1, 1)
    dealt = channel_shuffle(came_from, groups).reshape(groups, n)
    assert [len(set(group)) for group in dealt.tolist()] == [min(n, groups)] * groups


def test_shuffle_keeps_every_number_as_it_is():
    x = np.array([np.nan, np.inf, -0.0, 1]).reshape(1, 4, 1, 1)
    assert channel_shuffle(x, 2).tobytes() == x[:, [0, 2, 1, 3]].tobytes()
    flags = np.array([True, True, False, False]).reshape(1, 4, 1, 1)
    assert channel_shuffle(flags, 2).ravel().tolist() == [True, False, True, False]
    assert channel_shuffle([[[[1]], [[2]]]], 1).tolist() == [[[[1]], [[2]]]]
    for groups in (1, 4):  # nothing moves, and still the result is a copy
        assert not np.shares_memory(channel_shuffle(x, groups), x)


def test_shuffle_does_not_divide():
    for C in range(1, 13):
        for groups in range(1, 15):
            if C % groups:
                with pytest.raises(ValueError, match="do not split") as caught:
                    channel_shuffle(A(2, C, 1, 3), groups)
                assert str(caught.value) == (
                    f"x has shape (2, {C}, 1, 3): {C} channels do not split into groups = {groups}"
                )


@pytest.mark.parametrize(
    ("x", "groups", "exception", "fragments"),
    [
        (A(4, 5, 6), 2, ValueError, ["x must have 4 axes (N, C, H, W)", "(4, 5, 6)"]),
        (A(1, 0, 5, 6), 1, ValueError, ["x has shape (1, 0, 5, 6)", "its C axis"]),
        (X, 0, ValueError, ["groups", "at least 1", "0"]),
        (X, -2, ValueError, ["groups", "-2"]),
        (X, 2.0, ValueError, ["groups must be an integer", "2.0"]),
        (X, True, ValueError, ["groups must be an integer", "True"]),
        (X, None, ValueError, ["groups must be an integer", "None"]),
        (X, 8, ValueError, ["(2, 4, 5, 6)", "4 channels", "groups = 8"]),
        (A(0, 4, 1, 1), 3, ValueError, ["(0, 4, 1, 1)", "groups = 3"]),
        (X.astype(complex), 2, TypeError, ["x must", "complex128", "(2, 4, 5, 6)"]),
        (None, 2, TypeError, ["x must", "object"]),
    ],
)
def test_shuffle_refuses(x, groups, exception, fragments):
    with pytest.raises(exception) as caught:
        channel_shuffle(x, groups)
    assert type(caught.value) is exception
    for fragment in fragments:
        assert fragment in str(caught.value)
