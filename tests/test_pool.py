"""Pooling: by hand, padding, and the identities it must satisfy."""

import numpy as np
import pytest

from pointwise.pool import avg_pool2d, global_avg_pool, max_pool2d

IMAGE = np.array([[[[1, 5, 2, 0], [3, 4, 8, 1], [7, 0, 6, 2], [9, 2, 3, 4]]]])


def test_by_hand():
    assert max_pool2d(IMAGE, 2).tolist() == [[[[5, 8], [9, 6]]]]
    assert max_pool2d(IMAGE, 2, stride=1).tolist() == [[[[5, 8, 8], [7, 8, 8], [9, 6, 6]]]]
    assert max_pool2d(IMAGE, 3, stride=2, padding=1).tolist() == [[[[5, 8], [9, 8]]]]
    assert avg_pool2d(IMAGE, 2).tolist() == [[[[3.25, 2.75], [4.5, 3.75]]]]
    assert avg_pool2d(IMAGE, 2, stride=2, padding=1).tolist() == [
        [[[0.25, 1.75, 0.0], [2.5, 4.5, 0.75], [2.25, 1.25, 1.0]]]
    ]
    assert global_avg_pool(IMAGE).tolist() == [[3.5625]] == [[57 / 16]]


def test_stride_is_the_size_unless_given():
    for pool in (max_pool2d, avg_pool2d):
        assert np.array_equal(pool(IMAGE, 2), pool(IMAGE, 2, stride=2))
        assert pool(IMAGE, 3).shape == (1, 1, 1, 1)


def test_max_padding_never_wins():
    for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64):
        x = np.full((1, 1, 4, 4), -100, dtype)
        assert (max_pool2d(x, 3, stride=1, padding=1) == -100).all()
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(dtype).min
        x = np.full((1, 1, 4, 4), lowest, dtype)
        assert (max_pool2d(x, 3, stride=1, padding=1) == lowest).all()


def test_average_counts_the_padding():
    x = np.ones((1, 1, 2, 2))
    assert (avg_pool2d(x, 2, stride=1, padding=1)[0, 0] * 4).tolist() == [
        [1, 2, 1],
        [2, 4, 2],
        [1, 2, 1],
    ]


def test_dtypes():
    for dtype in (np.bool_, np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64):
        x = np.ones((2, 3, 4, 4), dtype)
        mean = dtype if np.dtype(dtype).kind == "f" else np.float64
        assert max_pool2d(x, 3, padding=1).dtype == dtype
        assert avg_pool2d(x, 3, padding=1).dtype == mean
        assert global_avg_pool(x).dtype == mean


def test_booleans():
    x = np.zeros((1, 1, 4, 4), bool)
    x[0, 0, 0, 0] = True
    assert max_pool2d(x, 2).tolist() == [[[[True, False], [False, False]]]]
    assert avg_pool2d(x, 2).tolist() == [[[[0.25, 0.0], [0.0, 0.0]]]]
    assert not max_pool2d(np.zeros((1, 1, 4, 4), bool), 3, padding=1).any()


def test_small_types_do_not_overflow():
    assert avg_pool2d(np.full((1, 1, 4, 4), 255, np.uint8), 4).tolist() == [[[[255.0]]]]
    half = np.full((1, 1, 64, 64), 1000, np.float16)  # the sum exceeds float16's 65,504
    assert avg_pool2d(half, 64).tolist() == [[[[1000.0]]]]
    assert global_avg_pool(half).tolist() == [[1000.0]]


def test_global_is_the_whole_window():
    x = np.random.default_rng(0).integers(0, 9, (2, 3, 4, 4))
    assert np.array_equal(global_avg_pool(x), avg_pool2d(x, 4)[:, :, 0, 0])
    assert np.array_equal(global_avg_pool(x[:, :, :2]), x[:, :, :2].mean(axis=(2, 3)))


def test_each_channel_and_image_by_itself():
    x = np.random.default_rng(0).integers(0, 9, (3, 4, 6, 5))
    for pool in (max_pool2d, avg_pool2d):
        whole = pool(x, 3, stride=2, padding=1)
        for n in range(3):
            for c in range(4):
                one = x[n : n + 1, c : c + 1]
                assert np.array_equal(whole[n, c], pool(one, 3, stride=2, padding=1)[0, 0])


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_nan_reaches_the_windows_that_cover_it(pool):
    x = np.zeros((1, 1, 6, 6))
    x[0, 0, 1, 4] = np.nan
    covered = np.isnan(pool(x, 3, stride=2, padding=1))[0, 0]
    assert covered.tolist() == [[False, False, True], [False, False, True], [False] * 3]


def test_infinities():
    x = np.full((1, 1, 2, 2), -np.inf)
    assert max_pool2d(x, 2).tolist() == [[[[-np.inf]]]]
    x[0, 0, 1, 1] = np.inf
    assert max_pool2d(x, 2).tolist() == [[[[np.inf]]]]
    with np.errstate(invalid="ignore"):
        assert np.isnan(avg_pool2d(x, 2)).all()
        assert np.isnan(global_avg_pool(x)).all()
    x[0, 0] = [[np.inf, 1], [1, 1]]
    assert avg_pool2d(x, 2).tolist() == [[[[np.inf]]]]
