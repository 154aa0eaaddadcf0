"""The pictures: shapes, range, and errors that say what is wrong."""

import numpy as np
import pytest

from pointwise import images


@pytest.mark.parametrize("name", images.PICTURES)
def test_every_picture_is_one_rgb_image_from_0_to_1(name):
    x = images.picture(name)
    assert x.shape[:2] == (1, 3)
    assert x.dtype == np.float64
    assert x.min() >= 0
    assert 0.9 < x.max() <= 1


def test_channels_come_as_red_green_blue():
    saucer = images.picture("coffee")[0, :, 300, 150]
    assert saucer[0] == saucer.max()


def test_shrink_averages_blocks():
    full, half = images.picture("chelsea"), images.picture("chelsea", shrink=2)
    assert half.shape == (1, 3, 150, 225)  # the odd last column is dropped
    assert np.allclose(half[0, :, 0, 0], full[0, :, :2, :2].mean(axis=(1, 2)))


@pytest.mark.parametrize("shrink", [0, -1, 301, 1.5, True, "2"])
def test_shrink_out_of_range_is_refused(shrink):
    with pytest.raises(ValueError, match=f"1 to 300, got {shrink!r}"):
        images.picture("chelsea", shrink=shrink)


def test_an_unknown_name_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match="astronaut"):
        images.picture("lena")


def test_there_and_back():
    image = np.arange(24).reshape(2, 4, 3)
    x = images.from_hwc(image)
    assert x.shape == (1, 3, 2, 4)
    assert x[0, 2, 1, 3] == image[1, 3, 2]
    assert np.array_equal(images.to_hwc(x), image)
    assert np.array_equal(images.to_hwc(x[0]), image)
    assert not np.shares_memory(images.to_hwc(x), x)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (4, 4), (1, 1, 3, 4, 4)])
def test_to_hwc_wants_one_image(shape):
    with pytest.raises(ValueError, match=str(shape).replace("(", r"\(").replace(")", r"\)")):
        images.to_hwc(np.zeros(shape))


def test_from_hwc_wants_three_axes():
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        images.from_hwc(np.zeros((4, 4)))


def test_known_matrices():
    assert np.isclose(images.BT601.sum(), 1)
    assert images.BT601.shape == (1, 3)
    assert images.SEPIA.shape == (3, 3)
