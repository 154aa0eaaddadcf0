"""Receptive fields: against chains that really run, and against published ones."""

import doctest

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv1d

from pointwise import field, zoo
from pointwise.cost import Branches, Conv, Dense, Depthwise, GlobalPool, Pool
from pointwise.field import Field, receptive_field


def windows(layers):
    """Give (k, stride, padding) of a chain of layers."""
    return [(layer.k, getattr(layer, "stride", 1) or layer.k, layer.padding) for layer in layers]


def reached(layers, n):
    """Say which of n pixels change which outputs: True at [pixel, output].

    Every pixel alone is lit, and the chain runs with weights of 1: nothing cancels.
    """
    x = torch.eye(n, dtype=torch.float64)[:, None]
    for k, stride, padding in layers:
        x = conv1d(x, torch.ones(1, 1, k, dtype=torch.float64), stride=stride, padding=padding)
    return (x[:, 0] > 0).numpy()


@st.composite
def chains(draw, gaps):
    """One to four layers; without gaps, no stride is larger than its window."""
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        k = draw(st.integers(1, 5))
        stride = draw(st.integers(1, 3 if gaps else min(3, k)))
        layers.append((k, stride, draw(st.integers(0, k - 1))))
    return layers


def shortest(layers):
    """Give a length on which every layer finds room for two windows."""
    return 2 * receptive_field(layers).size + 40


@given(chains(gaps=False))
@settings(max_examples=150, deadline=None)
def test_what_an_output_sees_is_what_changes_it(layers):
    n = shortest(layers)
    found, lit = receptive_field(layers), reached(layers, n)
    compared = 0
    for i in range(lit.shape[1]):
        if found.pixels(i).stop <= n:
            assert np.flatnonzero(lit[:, i]).tolist() == list(found.seen(i, n))
            compared += 1
    assert compared >= 2


@given(chains(gaps=True))
@settings(max_examples=150, deadline=None)
@example([(1, 2, 0), (2, 3, 1), (1, 3, 0), (1, 3, 0)])
def test_with_gaps_the_ends_are_right(layers):
    found = receptive_field(layers)
    n = shortest(layers) + found.stride  # room for a position behind the padding
    lit = reached(layers, n)
    compared = 0
    for i in range(lit.shape[1]):
        pixels = found.pixels(i)
        if pixels.start >= 0 and pixels.stop <= n:
            lit_here = np.flatnonzero(lit[:, i])
            assert (lit_here[0], lit_here[-1]) == (pixels[0], pixels[-1])
            compared += 1
    assert compared >= 1


def test_by_the_gradient_in_two_dimensions():
    """The same for a chain of torch layers with random weights, rows and columns apart."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 5, stride=2, padding=2),
        torch.nn.AvgPool2d(3, 2, padding=1),
        torch.nn.Conv2d(3, 4, 3, padding=1),
        torch.nn.Conv2d(4, 2, 1),
    ).double()
    found = receptive_field([(5, 2, 2), (3, 2, 1), (3, 1, 1), (1, 1, 0)])
    assert found == Field(size=17, stride=4, start=-8)
    x = torch.randn(1, 2, 29, 37, dtype=torch.float64, requires_grad=True)
    y = net(x)
    for i, j in [(0, 0), (1, 3), (2, 5), (4, 0)]:
        (gradient,) = torch.autograd.grad(y[0, :, i, j].sum(), x, retain_graph=True)
        rows = gradient[0].abs().amax(dim=(0, 2)).nonzero().flatten().tolist()
        columns = gradient[0].abs().amax(dim=(0, 1)).nonzero().flatten().tolist()
        assert rows == list(found.seen(i, 29))
        assert columns == list(found.seen(j, 37))


def test_the_corner_of_fcn_sees_three_quarters_of_the_picture():
    layers = zoo.fcn_vgg16()
    found = receptive_field(layers)
    assert found == receptive_field(layers[:-1])  # the scores are a 1×1
    assert found == receptive_field(layers[:-2])  # and so is fc7
    assert found == Field(size=404, stride=32, start=-189)
    assert found.pixels(0) == range(-189, 215)
    seen = found.seen(0, 250)
    assert seen == range(0, 215)
    assert round(len(seen) ** 2 / 250**2, 2) == 0.74
    # By arithmetic: convolutions add 2 pixels of their map, poolings 1, fc6 6 of its own.
    convolutions = 2 * (2 * 1 + 2 * 2 + 3 * 4 + 3 * 8 + 3 * 16)
    assert found.size == 1 + convolutions + (1 + 2 + 4 + 8 + 16) + 6 * 32
    assert found.start == -(100 + 1 + 2 * 2 + 3 * 4 + 3 * 8 + 3 * 16)
    # And by lighting each of the 250 pixels of a row.
    lit = reached(windows(layers), 250)
    assert lit.shape == (250, 8)
    for i in range(8):
        assert np.flatnonzero(lit[:, i]).tolist() == list(found.seen(i, 250))


def test_published_fields():
    """VGG-16 down to its last pooling: 212 pixels, stride 32, padding 90, in Araujo et al. 2019."""
    assert receptive_field(zoo.vgg16_features()) == Field(size=212, stride=32, start=-90)
    assert receptive_field(zoo.resnet50()[:-2]).size == 427


def test_layers_tuples_chains_and_branches_say_the_same():
    same = Field(size=7, stride=2, start=-3)
    assert receptive_field([(5, 2, 2), (2, 1, 0)]).size == 7
    assert receptive_field([Conv(3, 4, 7, stride=2, padding=3)]) == same
    assert receptive_field([Depthwise(3, 7, stride=2, padding=3)]) == same
    assert receptive_field([[(7, 2, 3)], [[Conv(3, 4)]]]) == same
    branches = Branches({"wide": [Conv(3, 4, 7, stride=2, padding=3)], "identity": []})
    with pytest.raises(ValueError, match=r"strides \(2, 1\)"):
        receptive_field([branches])
    branches = Branches(
        {"wide": [Conv(3, 4, 7, stride=2, padding=3)], "1x1": [Conv(3, 4, stride=2)]}
    )
    assert receptive_field([branches]) == same
    assert receptive_field([]) == Field(size=1, stride=1, start=0)
    assert receptive_field([Pool(3)]) == Field(size=3, stride=3, start=0)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_has_its_odd_pixel_after():
    assert receptive_field([Conv(1, 1, 4, padding="same")]) == Field(size=4, stride=1, start=-1)
    with torch.no_grad():
        layer = torch.nn.Conv2d(1, 1, 4, padding="same", bias=False)
        layer.weight.fill_(1)
        y = layer(torch.eye(8).reshape(8, 1, 1, 8).expand(8, 1, 8, 8))
    assert np.flatnonzero(y[:, 0, 4, 3].numpy()).tolist() == list(range(2, 6))


def test_seen_is_empty_where_all_is_padding():
    found = Field(size=3, stride=1, start=-100)
    assert list(found.seen(0, 5)) == []
    assert list(found.seen(200, 5)) == []
    assert list(found.seen(98, 5)) == [0]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([Conv(3, 4), GlobalPool()], "sees the whole map"),
        ([Dense(3, 4, name="fc")], 'layer "fc"'),
        ([(3, 1)], r"got \(3, 1\)"),
        ((3, 1, 1), "got 3"),
        ([(0, 1, 0)], "k must be at least 1"),
        ([(3, 1.5, 0)], "stride must be an integer"),
        ([(3, 1, -1)], "padding must be at least 0"),
    ],
)
def test_what_has_no_field_is_refused(layers, words):
    with pytest.raises(ValueError, match=words):
        receptive_field(layers)


def test_docstring_examples():
    result = doctest.testmod(field)
    assert result.attempted >= 4
    assert not result.failed
