"""Networks that cannot be are refused, and the error names the layer and the shapes."""

from fractions import Fraction

import numpy as np
import pytest

from pointwise import architectures, cost
from pointwise.cost import Branches, Conv, Dense, Depthwise, GlobalPool, Pool


def on(shape, *layers):
    """Say later: the table of these layers on an input of this shape."""
    return lambda: cost.table(list(layers), shape)


FINE = Conv(3, 64, 3, padding=1, name="fine")

# What is built, and what the message must contain.
REFUSED = [
    # numbers that cannot be
    (lambda: Conv(0, 64), ["Conv(0, 64)", "c_in must be at least 1, got 0"]),
    (lambda: Conv(3, 0, name="reduce"), ['"reduce"', "Conv(3, 0)", "c_out", "got 0"]),
    (lambda: Conv(-3, 64), ["Conv(-3, 64)", "c_in", "got -3"]),
    (lambda: Conv(3, 64, 0), ["Conv(3, 64, 0)", "k must be at least 1"]),
    (lambda: Conv(3, 64, 3, stride=0), ["stride=0", "stride must be at least 1"]),
    (lambda: Conv(3, 64, 3, padding=-1), ["padding=-1", "padding must be at least 0"]),
    (lambda: Conv(3, 64, 3, groups=0), ["groups=0", "groups must be at least 1"]),
    (lambda: Conv(3.0, 64), ["Conv(3.0, 64)", "c_in must be an integer, got 3.0"]),
    (lambda: Conv(3, 64, True), ["Conv(3, 64, True)", "k must be an integer, got True"]),
    (lambda: Conv(3, 64, (3, 3)), ["Conv(3, 64, (3, 3))", "k must be an integer, got (3, 3)"]),
    (lambda: Conv(3, None), ["Conv(3, None)", "c_out must be an integer"]),
    (lambda: Conv(3, "64"), ["Conv(3, '64')", "c_out must be an integer"]),
    (lambda: Conv(3, np.array([4, 5])), ["c_out must be an integer", "[4, 5]"]),
    (lambda: Conv(3, 64, 3, padding="valid"), ["padding='valid'", "padding must be an integer"]),
    (lambda: Conv(3, 64, 3, padding="same", stride=2), ["padding='same'", "stride = 2"]),
    (lambda: Conv(6, 8, groups=4), ["Conv(6, 8, groups=4)", "6 channels in", "groups = 4"]),
    (lambda: Conv(8, 6, groups=4, name="g"), ['"g"', "6 out", "groups = 4"]),
    (lambda: Conv(3, 64, bias=1), ["bias=1", "bias must be True or False, got 1"]),
    (lambda: Conv(3, 64, name=7), ["Conv(3, 64, name=7)", "name must be a string, got 7"]),
    (lambda: Conv(3, 64, name=""), ["name must be a string"]),
    (lambda: Depthwise(0, 3), ["Depthwise(0, 3)", "c must be at least 1"]),
    (lambda: Depthwise(8, 3, multiplier=0), ["multiplier=0", "multiplier must be at least 1"]),
    (lambda: Depthwise(8, 3, multiplier=1.5), ["multiplier must be an integer, got 1.5"]),
    (lambda: Depthwise(8, 3, stride=2, padding="same"), ["Depthwise(8, 3", "stride = 2"]),
    (lambda: Dense(0, 10), ["Dense(0, 10)", "c_in must be at least 1"]),
    (lambda: Dense(10, -1, name="scores"), ['"scores"', "c_out must be at least 1, got -1"]),
    (lambda: Pool(0), ["Pool(0)", "k must be at least 1"]),
    (lambda: Pool(2, stride=0), ["stride=0", "stride must be at least 1"]),
    (lambda: Pool(3, padding=2), ["Pool(3, padding=2)", "more than half of k = 3"]),
    (lambda: Pool(3, ceil=None), ["ceil must be True or False, got None"]),
    (lambda: GlobalPool(3), ["GlobalPool(3)", "name must be a string, got 3"]),
    (lambda: Branches({}), ["Branches({})", "at least one branch"]),
    (lambda: Branches([[FINE]], name="3a"), ['"3a"', "at least one branch"]),
    (lambda: Branches({1: []}), ["a branch is named by a string, got 1"]),
    (lambda: Branches({"a": None}), ['branch "a"', "must be a list of layers, got None"]),
    (lambda: Branches({"a": []}, join="sum"), ["join", "'sum'", '"concat" or "add"']),
    # chains that do not fit
    (on((4, 8, 8), FINE), ['"fine"', "reads 3 channels", "gets 4", "(4, 8, 8)"]),
    (on((3, 8, 8), FINE, Conv(3, 8)), ["layer 2, Conv(3, 8)", "gets 64", "(64, 8, 8)"]),
    (on((3, 8, 8), [FINE, [FINE]]), ['"fine"', "gets 64", "(64, 8, 8)"]),
    (on((3, 8, 8), [[FINE], [Pool(2), Conv(64, 8, 5)]]), ["layer 3, Conv(64, 8, 5)", "(64, 4, 4)"]),
    (on((3, 4, 9), Conv(3, 8, 5)), ["Conv(3, 8, 5)", "5×5 window", "(3, 4, 9)", "padding = 0"]),
    (on((3, 9, 2), Depthwise(3, 5, padding=1)), ["layer 1, Depthwise", "5×5", "(3, 9, 2)"]),
    (on((4, 8, 8), Depthwise(3, 3)), ["layer 1, Depthwise(3, 3)", "reads 3", "(4, 8, 8)"]),
    (on((3, 4, 4), Pool(5, name="p")), ['"p", Pool(5)', "5×5", "(3, 4, 4)"]),
    (on((3, 2, 2), Pool(3, stride=2, ceil=True)), ["layer 1, Pool", "3×3", "(3, 2, 2)"]),
    (on((2, 4, 4), Dense(16, 3)), ["layer 1, Dense(16, 3)", "16 entries", "(2, 4, 4)", "has 32"]),
    (on((9,), Dense(8, 3, name="fc")), ['"fc"', "8 entries", "(9,)", "has 9"]),
    (on((3, 8, 8), GlobalPool(), Conv(3, 8)), ["layer 2", "(C, H, W)", "vector", "(3,)"]),
    (on((3,), Pool(1)), ["layer 1, Pool(1)", "(C, H, W)", "(3,)"]),
    (on((3,), GlobalPool("mean")), ['"mean"', "(C, H, W)", "(3,)"]),
    (on((3, 8, 8), Conv(3, 4), Dense(256, 1), Depthwise(1, 1)), ["layer 3", "(1,)"]),
    # branches that do not join
    (
        on((3, 8, 8), Branches({"a": [], "b": [Pool(2)]}, name="split")),
        ['"split"', "agree in H×W", '"a" gives (3, 8, 8)', '"b" gives (3, 4, 4)'],
    ),
    (
        on((3, 8, 8), FINE, Branches({"a": [], "b": [Conv(64, 32)]}, join="add")),
        ["layer 2", "join='add'", "one shape", "(64, 8, 8)", "(32, 8, 8)"],
    ),
    (
        on((3, 8, 8), Branches({"a": [], "b": [GlobalPool()]})),
        ["layer 1", "agree in H×W", "(3, 8, 8)", "(3,)"],
    ),
    (
        on((3, 8, 8), Branches({"a": [Branches({"x": [Conv(4, 2)]}, name="in")]}, name="out")),
        ["layer out/in/x 1, Conv(4, 2)", "(3, 8, 8)"],
    ),
    (
        on((192, 28, 28), architectures.inception(architectures.INCEPTION["3b"], name="3b")),
        ['"3b/1x1", Conv(256, 128)', "reads 256", "(192, 28, 28)"],
    ),
    (on((3, 8, 8), Branches({"a": ["conv"]}, name="out")), ["out/a 1", "'conv'"]),
    # what is no layer, no chain, no shape
    (on((3, 8, 8), FINE, None), ["layer 2 must be a layer, got None"]),
    (on((3, 8, 8), [FINE, [FINE.text]]), ["layer 2 must be a layer"]),
    (on((3, 8, 8), Conv), ["layer 1 must be a layer", "Conv"]),
    (lambda: cost.table("conv", (3, 8, 8)), ["a chain is a list of layers, got 'conv'"]),
    (lambda: cost.table({"a": []}, (3, 8, 8)), ["a chain is a list of layers"]),
    (on((1, 3, 8, 8), FINE), ["without the batch axis", "(1, 3, 8, 8)"]),
    (on((8, 8), FINE), ["(C, H, W)", "(8, 8)"]),
    (on((), FINE), ["(C, H, W)", "()"]),
    (on(3, FINE), ["(C, H, W)", "got 3"]),
    (on((3, 0, 8), FINE), ["H of input_shape (3, 0, 8)", "at least 1, got 0"]),
    (on((3, 8, -8), FINE), ["W of input_shape (3, 8, -8)", "got -8"]),
    (on((3.0, 8, 8), FINE), ["C of input_shape (3.0, 8, 8)", "integer, got 3.0"]),
    (on((True, 8, 8), FINE), ["C of input_shape", "integer, got True"]),
    # break-even
    (lambda: cost.break_even(0, 8, 8), ["k must be at least 1, got 0"]),
    (lambda: cost.break_even(3, -8, 8), ["c_in must be at least 1, got -8"]),
    (lambda: cost.break_even(3, 8, Fraction(8)), ["c_out must be an integer"]),
    (lambda: cost.widest_saving(3, 8, 0), ["c_out must be at least 1, got 0"]),
    (lambda: cost.widest_saving(3, 8.0, 8), ["c_in must be an integer, got 8.0"]),
    (lambda: cost.widest_saving(True, 8, 8), ["k must be an integer, got True"]),
    # published networks
    (lambda: architectures.googlenet("sparse"), ['"dense" or "separable"', "'sparse'"]),
    (lambda: architectures.googlenet(bias=0), ['"conv1"', "bias must be True or False, got 0"]),
    (lambda: architectures.nin("imagenet"), ["cifar10, cifar100, mnist, svhn", "'imagenet'"]),
]


@pytest.mark.parametrize(("build", "said"), REFUSED, ids=lambda v: v[0] if type(v) is list else "")
def test_refused_by_name(build, said):
    with pytest.raises(ValueError, match=r"\w") as caught:
        build()
    message = str(caught.value)
    for text in said:
        assert text in message
    assert message.count("layer ") <= 1 or "list of layers" in message  # named once, not per level


def test_the_table_above_is_long_enough():
    assert len(REFUSED) >= 60


def test_a_refusal_is_one_error_without_a_tail():
    with pytest.raises(ValueError, match="layer 1") as caught:
        cost.table([Conv(4, 4)], (3, 8, 8))
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None
