"""The labelled data sets: shapes, seeds, and what makes them easy or hard."""

import doctest
import subprocess
import sys

import numpy as np
import pytest

from pointwise import datasets


def test_contrasts_are_arrays_that_torch_takes():
    x, y = datasets.contrasts(5, side=9)
    assert (x.shape, x.dtype) == ((5, 4, 9, 9), np.float32)
    assert (y.shape, y.dtype) == ((5, 9, 9), np.int64)
    assert set(np.unique(y)) == {0, 1}


def test_the_label_of_contrasts_is_whether_the_two_signs_agree():
    x, y = datasets.contrasts(50)
    agree = (x[:, 0] > x[:, 1]) == (x[:, 2] > x[:, 3])
    # the noise of a difference has a deviation of 0.42, its mean is 2 away from 0
    assert (agree == (y == 1)).mean() > 0.999


def test_no_weighted_sum_of_channels_tells_the_labels_of_contrasts_apart():
    """The best linear filter over a 3×3 window, by least squares, on 200 images."""
    x, y = datasets.contrasts(200, seed=3)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    rows = np.moveaxis(windows, 1, 3).reshape(-1, 36)
    rows = np.column_stack([rows, np.ones(len(rows))])
    target = 2 * y[:, 1:-1, 1:-1].reshape(-1) - 1
    half = len(rows) // 2
    w = np.linalg.lstsq(rows[:half], target[:half], rcond=None)[0]
    assert abs(((rows[half:] @ w > 0) == (target[half:] > 0)).mean() - 0.5) < 0.05


def test_a_product_of_differences_does():
    x, y = datasets.contrasts(50)
    product = (x[:, 0] - x[:, 1]) * (x[:, 2] - x[:, 3])
    assert ((product > 0) == (y == 1)).mean() > 0.999


def test_labels_of_contrasts_are_balanced_blotches():
    _, y = datasets.contrasts(200)
    assert abs(y.mean() - 0.5) < 0.05
    assert (y[:, :, 1:] == y[:, :, :-1]).mean() > 0.6  # a neighbour is more often the same


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_gives_the_same_data_twice_and_another_seed_others(seed):
    for make in (lambda s: datasets.contrasts(4, seed=s), lambda s: datasets.digits(40, seed=s)[0]):
        (x, y), (again, labels), (other, _) = make(seed), make(seed), make(seed + 1)
        assert np.array_equal(x, again)
        assert np.array_equal(y, labels)
        assert not np.array_equal(x, other)


def test_digits_are_split_without_loss_or_overlap():
    (x, y), (x_test, y_test) = datasets.digits(1000)
    assert (x.shape, x.dtype, y.dtype) == ((1000, 1, 8, 8), np.float32, np.int64)
    assert len(y) + len(y_test) == 1797
    everything = np.concatenate([x, x_test]).reshape(1797, -1)
    images = datasets.all_digits().images.reshape(1797, -1) / 16
    key = lambda rows: sorted(map(bytes, rows.astype(np.float32)))  # noqa: E731
    assert key(everything) == key(images)
    assert everything.min() == 0
    assert everything.max() == 1
    assert np.bincount(y).min() > 70  # every class in both parts
    assert np.bincount(y_test).min() > 50


def test_images_keep_their_labels():
    (x, y), (x_test, y_test) = datasets.digits(900, seed=5)
    known = {bytes(i.astype(np.float32) / 16): t for i, t in zip(
        datasets.all_digits().images, datasets.all_digits().target, strict=True)}  # fmt: skip
    for image, label in [*zip(x, y, strict=True), *zip(x_test, y_test, strict=True)]:
        assert known[bytes(image[0])] == label


@pytest.mark.parametrize("train", [0, -1, 1797, 2.0, True, "400", None])
def test_digits_refuse_a_split_that_is_none(train):
    with pytest.raises(ValueError, match="train must be"):
        datasets.digits(train)


@pytest.mark.parametrize(("n", "side", "name"), [(0, 8, "n"), (2.5, 8, "n"), (3, 0, "side")])
def test_contrasts_refuse_sizes_that_are_none(n, side, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        datasets.contrasts(n, side=side)


def test_a_board_holds_its_digits_and_nothing_else():
    (x, _), _ = datasets.digits(400)
    for seed in range(20):
        board, corners = datasets.digit_board(x[seed:], seed=seed)
        assert (board.shape, board.dtype, len(corners)) == ((1, 1, 28, 64), np.float32, 8)
        for image, (i, j) in zip(x[seed:], corners, strict=False):
            assert i % 2 == j % 2 == 0
            assert (board[0, 0, i : i + 8, j : j + 8] == image[0]).all()
            board[0, 0, i : i + 8, j : j + 8] = 0  # so that an overlap shows
        assert not board.any()


def test_crops_of_the_eleventh_class_miss_every_digit():
    (x, y), _ = datasets.digits(400)
    crops, classes = datasets.digit_crops(x, y)
    assert (crops.shape, crops.dtype, classes.dtype) == ((800, 1, 8, 8), np.float32, np.int64)
    assert (crops[:400] == x).all()
    assert (classes[:400] == y).all()
    assert (classes[400:] == 10).all()
    known = {bytes(image) for image in x}
    assert not any(bytes(crop) in known for crop in crops[400:])
    assert len({bytes(crop) for crop in crops[400:]}) > 200  # not the same one again and again


@pytest.mark.parametrize("shape", [(7, 1, 8, 8), (9, 8, 8), (9, 1, 8, 9), (0,)])
def test_a_board_refuses_images_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"at least eight images, \(n, 1, 8, 8\), got \("):
        datasets.digit_board(np.zeros(shape))


def test_importing_needs_numpy_alone():
    code = "import sys, pointwise.datasets; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_docstring_examples():
    result = doctest.testmod(datasets)
    assert result.attempted >= 4
    assert not result.failed
