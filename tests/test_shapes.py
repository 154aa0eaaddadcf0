"""Output sizes, paddings, and what the package promises as a whole."""

import doctest
import inspect
import subprocess
import sys

import numpy as np
import pytest

from pointwise import conv, pool, shapes

KERNELS = [
    shapes.out_size,
    shapes.same_padding,
    conv.conv2d_loops,
    conv.conv1x1,
    conv.conv1x1_backward,
    conv.conv2d,
    conv.depthwise_conv2d,
    conv.channel_shuffle,
    pool.max_pool2d,
    pool.avg_pool2d,
    pool.global_avg_pool,
]


def test_out_size_counts_the_windows_that_fit():
    for n in range(1, 9):
        for f in range(1, 6):
            for stride in range(1, 4):
                for padding in range(3):
                    starts = range(0, n + 2 * padding, stride)
                    fitting = sum(start + f <= n + 2 * padding for start in starts)
                    if fitting:
                        assert shapes.out_size(n, f, stride, padding) == fitting
                    else:
                        with pytest.raises(ValueError, match="does not fit"):
                            shapes.out_size(n, f, stride, padding)


def test_out_size_defaults_and_integer_types():
    assert shapes.out_size(5, 2) == 4
    size = shapes.out_size(np.int64(7), np.uint8(3), np.int32(2), np.int8(1))
    assert size == 4
    assert type(size) is int


def test_out_size_of_published_layers():
    assert shapes.out_size(28, 1) == 28
    assert shapes.out_size(32, 5) == 28  # LeNet-5, C1
    assert shapes.out_size(224, 7, 2, 3) == 112  # GoogLeNet and ResNet, first layer


@pytest.mark.parametrize("f", [1, 3, 5, 7, 11])
def test_same_padding_keeps_the_size(f):
    padding = shapes.same_padding(f)
    assert type(padding) is int
    for n in (1, 2, 7, 28):
        assert shapes.out_size(n, f, padding=padding) == n


@pytest.mark.parametrize("f", [2, 4])
def test_same_padding_says_why_even_windows_have_none(f):
    with pytest.raises(ValueError, match=rf"even window: f = {f} .* {f - 1} pixels"):
        shapes.same_padding(f)


def test_pad_is_numpys():
    x = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)
    for padding in range(3):
        margins = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
        for value in (0, -7):
            padded = shapes.pad(x, padding, value)
            assert padded.dtype == x.dtype
            assert np.array_equal(padded, np.pad(x, margins, constant_values=value))
        assert np.array_equal(shapes.pad(x, padding), np.pad(x, margins))


def test_window_meets_one_pixel_for_each_output():
    pixels = list(range(20))
    for shift in range(4):
        for n_out in range(1, 5):
            for stride in range(1, 4):
                met = pixels[shapes.window(shift, n_out, stride)]
                assert met == [shift + k * stride for k in range(n_out)]


@pytest.mark.parametrize("module", [shapes, conv, pool], ids=lambda m: m.__name__)
def test_examples_in_the_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted >= 2
    assert result.failed == 0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda f: f.__name__)
def test_docstrings_are_complete(kernel):
    doc = inspect.getdoc(kernel)
    for section in ("Parameters", "Returns", "Raises", "References", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in doc, section


def test_import_needs_numpy_alone():
    code = (
        "import sys, pointwise, pointwise.shapes, pointwise.conv, pointwise.pool\n"
        "heavy = {'torch', 'matplotlib', 'skimage', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
