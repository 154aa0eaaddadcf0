"""What convolutions have to satisfy, beyond agreeing with each other (see test_oracles)."""

import tracemalloc

import numpy as np
import pytest

from pointwise.conv import conv1x1, conv2d, conv2d_loops, depthwise_conv2d, shifts_at_once


def ints(shape, seed=0):
    return np.random.default_rng(seed).integers(-9, 10, shape)


@pytest.mark.parametrize("kernel", [conv2d, conv2d_loops])
def test_by_hand(kernel):
    x = [[[[1, 2, 0], [0, 1, 3], [2, 0, 1]]]]
    w = [[[[1, 2], [3, 4]]]]
    assert kernel(x, w).tolist() == [[[[9, 17], [8, 11]]]]
    assert kernel(x, w, [100]).tolist() == [[[[109, 117], [108, 111]]]]
    assert kernel(x, w, stride=2, padding=1).tolist() == [[[[4, 6], [8, 11]]]]


def test_by_hand_pointwise():
    x = [[[[1, 2]], [[3, 4]], [[5, 6]]]]
    w = [[1, 1, 1], [1, 0, -1]]
    assert conv1x1(x, w).tolist() == [[[[9, 12]], [[-4, -4]]]]
    assert conv1x1(x, w, [10, 20]).tolist() == [[[[19, 22]], [[16, 16]]]]


def test_by_hand_depthwise_multiplier():
    x = [[[[1, 2]], [[3, 4]]]]
    w = [[[[1, 0]]], [[[0, 1]]], [[[1, 1]]], [[[1, -1]]]]
    assert depthwise_conv2d(x, w).tolist() == [[[[1]], [[2]], [[7]], [[-1]]]]


def test_the_kernel_is_not_flipped():
    image = np.zeros((1, 1, 5, 5), int)
    image[0, 0, 2, 2] = 1
    w = ints((1, 1, 3, 3))
    # Around a single 1, cross-correlation leaves the kernel turned by half a turn.
    assert np.array_equal(conv2d(image, w)[0, 0], w[0, 0, ::-1, ::-1])


def test_shifted_and_summed():
    x, w = ints((2, 3, 6, 7)), ints((4, 3, 3, 2), 1)
    total = sum(
        conv1x1(x[:, :, i : i + 4, j : j + 6], w[:, :, i, j]) for i in range(3) for j in range(2)
    )
    assert np.array_equal(conv2d(x, w), total)


def test_linear_in_image_and_in_weights():
    x, y = ints((2, 3, 5, 6), 1), ints((2, 3, 5, 6), 2)
    w, v = ints((4, 3, 3, 2), 3), ints((4, 3, 3, 2), 4)
    assert np.array_equal(
        conv2d(5 * x - 2 * y, w, padding=1),
        5 * conv2d(x, w, padding=1) - 2 * conv2d(y, w, padding=1),
    )
    assert np.array_equal(conv2d(x, 3 * w + v), 3 * conv2d(x, w) + conv2d(x, v))


def test_shifted_image_gives_shifted_result():
    x, w = ints((1, 2, 9, 8)), ints((3, 2, 3, 3), 1)
    moved = np.zeros_like(x)
    moved[:, :, 2:, 1:] = x[:, :, :-2, :-1]
    assert np.array_equal(conv2d(moved, w)[:, :, 2:, 1:], conv2d(x, w)[:, :, :-2, :-1])


def test_stride_keeps_every_sth_output():
    x, w = ints((2, 2, 9, 8)), ints((3, 2, 2, 3), 1)
    everything = conv2d(x, w, padding=2)
    for s in (2, 3, 4):
        assert np.array_equal(conv2d(x, w, stride=s, padding=2), everything[:, :, ::s, ::s])


def test_pointwise_sees_one_pixel():
    x, w = ints((2, 3, 4, 5)), ints((6, 3), 1)
    before = conv1x1(x, w)
    x[1, 2, 3, 0] += 1
    changed = (conv1x1(x, w) != before).any(axis=1)
    assert np.argwhere(changed).tolist() == [[1, 3, 0]]


def test_pointwise_is_a_kernel_of_size_one():
    x, w, b = ints((2, 3, 4, 5)), ints((6, 3), 1), ints(6, 2)
    assert np.array_equal(conv1x1(x, w, b), conv2d(x, w[:, :, None, None], b))


def test_two_pointwise_layers_are_one():
    x, w, v = ints((2, 3, 4, 5)), ints((6, 3), 1), ints((2, 6), 2)
    assert np.array_equal(conv1x1(conv1x1(x, w), v), conv1x1(x, v @ w))


def test_depthwise_then_pointwise_is_one_full_convolution():
    x, d, p = ints((2, 3, 5, 5)), ints((3, 1, 3, 3), 1), ints((4, 3), 2)
    full = p[:, :, None, None] * d[:, 0]
    assert np.array_equal(conv1x1(depthwise_conv2d(x, d), p), conv2d(x, full))


def test_groups_are_separate_convolutions():
    x, w = ints((2, 6, 5, 5)), ints((4, 3, 3, 3), 1)
    halves = [conv2d(x[:, :3], w[:2]), conv2d(x[:, 3:], w[2:])]
    assert np.array_equal(conv2d(x, w, groups=2), np.concatenate(halves, axis=1))


def test_as_many_groups_as_channels_is_depthwise():
    x, w, b = ints((2, 3, 6, 5)), ints((6, 1, 3, 2), 1), ints(6, 2)
    options = {"stride": 2, "padding": 1}
    assert np.array_equal(
        conv2d(x, w, b, groups=3, **options), depthwise_conv2d(x, w, b, **options)
    )


def test_shifts_at_once_counts_what_fits():
    def count(x, padding, out):
        return shifts_at_once(np.empty(x), padding, np.empty(out))

    # Input and output of 200 numbers each leave 1,200; the sums of one row take 200 of them.
    assert count((1, 2, 10, 10), 0, (1, 2, 10, 10)) == 1000 // 200
    # Padded by 1, the image (288) is larger than the sums, and a shift is 2 × 12 × 10.
    assert count((1, 2, 10, 10), 1, (1, 2, 10, 10)) == (1200 - 288) // 240
    assert count((1, 2, 10, 10), 3, (1, 2, 10, 10)) == (1200 - 512) // 320
    assert count((1, 2, 4, 40), 2, (1, 2, 4, 40)) == (1920 - 704) // 640
    assert count((1, 2, 40, 4), 3, (1, 2, 40, 4)) == (1920 - 920) // 368
    # Twice as many channels out: more room. Twice as many images: twice of everything.
    assert count((1, 2, 10, 10), 0, (1, 4, 10, 10)) == (1800 - 400) // 200
    assert count((2, 2, 10, 10), 0, (2, 4, 10, 10)) == (1800 - 400) // 200
    # One shift at least.
    assert count((1, 2, 2, 2), 9, (1, 1, 18, 18)) == 1


LAYERS = {  # C_in, C_out, height and width, kernel, groups
    "GoogLeNet conv2": (64, 192, 56, 3, 1),
    "GoogLeNet 3a 5×5": (16, 32, 28, 5, 1),
    "GoogLeNet 5b 3×3": (192, 384, 7, 3, 1),
    "as many out as in": (64, 64, 28, 5, 1),
    "few out": (128, 8, 28, 3, 1),
    "wide kernel": (16, 16, 32, 7, 1),
    "groups": (64, 64, 28, 3, 4),
    "depthwise": (64, 64, 28, 3, 64),
}


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("layer", LAYERS)
def test_extra_memory_stays_within_three_times_input_and_output(layer, batch):
    C_in, C_out, n, k, groups = LAYERS[layer]
    x = np.ones((batch, C_in, n, n), np.float32)
    w = np.ones((C_out, C_in // groups, k, k), np.float32)
    b = np.ones(C_out, np.float32)
    tracemalloc.start()
    try:
        out = conv2d(x, w, b, padding=k // 2, groups=groups)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The result has to be somewhere, and the weights are rearranged once: neither is scratch.
    scratch = peak - out.nbytes - w.nbytes
    assert scratch <= 3 * (x.nbytes + out.nbytes)
