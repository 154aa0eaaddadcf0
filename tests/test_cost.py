"""The cost of layers: against sums of ones, against torch, by hand, and as printed."""

import doctest
import subprocess
import sys
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import pointwise
from pointwise import cost
from pointwise.cost import Branches, Conv, Dense, Depthwise, GlobalPool, Pool

ODD_SIZES = st.integers(1, 9)


def macs_by_ones(c_in, c_out, k, H, W, stride, padding, groups):
    """Sum a convolution of ones with ones, padded with ones: each multiply adds one."""
    x = np.ones((1, c_in, H + 2 * padding, W + 2 * padding), int)
    w = np.ones((c_out, c_in // groups, k, k), int)
    return int(pointwise.conv2d(x, w, stride=stride, groups=groups).sum())


@settings(max_examples=80, deadline=None)
@given(
    per_group=st.integers(1, 3),
    out_per_group=st.integers(1, 3),
    groups=st.integers(1, 3),
    k=st.integers(1, 4),
    H=ODD_SIZES,
    W=ODD_SIZES,
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    bias=st.booleans(),
)
def test_a_convolution_costs_what_ones_sum_to(
    per_group, out_per_group, groups, k, H, W, stride, padding, bias
):
    assume(k <= min(H, W) + 2 * padding)
    c_in, c_out = per_group * groups, out_per_group * groups
    options = {"stride": stride, "padding": padding, "groups": groups, "bias": bias}
    t = cost.table([Conv(c_in, c_out, k, **options)], (c_in, H, W))
    assert t.macs == macs_by_ones(c_in, c_out, k, H, W, stride, padding, groups)
    layer = torch.nn.Conv2d(c_in, c_out, k, **options)
    assert t.out_shape == layer(torch.zeros(1, c_in, H, W)).shape[1:]
    assert t.weights == layer.weight.numel()
    assert t.parameters == sum(p.numel() for p in layer.parameters())
    [row], [twin] = t.rows, cost.from_torch(layer, (c_in, H, W)).rows
    assert row[1:] == twin[1:]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7])
def test_same_padding_keeps_the_size_for_even_kernels_too(k):
    layer = torch.nn.Conv2d(3, 4, k, padding="same")
    [row] = cost.table([Conv(3, 4, k, padding="same")], (3, 6, 5)).rows
    [twin] = cost.from_torch(layer, (3, 6, 5)).rows
    assert row[1:] == twin[1:]
    assert row.out_shape == (4, 6, 5)
    assert row.macs == 6 * 5 * 3 * 4 * k * k


@settings(max_examples=40, deadline=None)
@given(
    c=st.integers(2, 4),
    k=st.integers(1, 3),
    multiplier=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 1),
    bias=st.booleans(),
)
def test_depthwise_is_a_convolution_in_as_many_groups_as_channels(
    c, k, multiplier, stride, padding, bias
):
    options = {"stride": stride, "padding": padding, "bias": bias}
    ours = cost.table(Depthwise(c, k, multiplier=multiplier, **options), (c, 5, 6))
    grouped = cost.table(Conv(c, c * multiplier, k, groups=c, **options), (c, 5, 6))
    assert ours.rows == grouped.rows
    assert ours.rows[0].kind == f"depthwise {k}×{k}"
    assert ours.weights == c * multiplier * k * k


@settings(max_examples=150, deadline=None)
@given(
    n=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    k=st.integers(1, 5),
    stride=st.none() | st.integers(1, 6),
    padding=st.integers(0, 2),
    ceil=st.booleans(),
)
@example(n=(32, 28), k=3, stride=2, padding=0, ceil=True)
@example(n=(4, 4), k=2, stride=5, padding=1, ceil=True)
def test_pooling_gives_the_sizes_of_torch(n, k, stride, padding, ceil):
    assume(k <= min(n) + 2 * padding)
    assume(padding <= k // 2)
    t = cost.table([Pool(k, stride=stride, padding=padding, ceil=ceil)], (2, *n))
    layer = torch.nn.MaxPool2d(k, stride, padding, ceil_mode=ceil)
    assert t.out_shape == layer(torch.zeros(1, 2, *n)).shape[1:]
    assert (t.parameters, t.macs) == (0, 0)


def test_kinds():
    layers = [
        Conv(4, 8),
        Conv(8, 8, 1, groups=2),
        Conv(8, 8, 1, groups=8),
        Conv(8, 8, 3, padding=1),
        Conv(8, 8, 3, padding=1, groups=2),
        Conv(8, 16, 5, padding=2, groups=8),
        Depthwise(16, 3),
        Pool(2),
        GlobalPool(),
        Dense(16, 2),
    ]
    assert [row.kind for row in cost.table(layers, (4, 9, 9)).rows] == [
        *("pointwise", "grouped pointwise", "depthwise 1×1", "3×3", "grouped 3×3"),
        *("depthwise 5×5", "depthwise 3×3", "pool", "global pool", "dense"),
    ]


def test_a_dense_layer_reads_a_vector_or_a_whole_map():
    assert cost.table(Dense(8, 3), (8,)).rows[0][3:] == ((3,), 24, 3, 24)
    assert cost.table(Dense(8, 3, bias=False), (2, 2, 2)).rows[0][3:] == ((3,), 24, 0, 24)
    # A dense layer on the map of a k×k convolution that covers it: the same cost.
    dense = cost.table(Dense(4096 * 8 * 8, 2048), (4096, 8, 8))
    conv = cost.table(Conv(4096, 2048, 8), (4096, 8, 8))
    assert (dense.weights, dense.biases, dense.macs) == (conv.weights, conv.biases, conv.macs)


# -------------------------------------------------------------------- the worked examples, by hand


def bottleneck(padding):
    return [Conv(256, 64), Conv(64, 256, 4, padding=padding)]


def test_256_64_256_against_a_direct_4x4():
    around = cost.table(bottleneck("same"), (256, 14, 14))
    direct = cost.table([Conv(256, 256, 4, padding="same")], (256, 14, 14))
    assert (around.weights, around.parameters) == (16384 + 262144, 278848)
    assert (direct.weights, direct.parameters) == (1048576, 1048832)
    assert Fraction(direct.weights, around.weights) == Fraction(64, 17)
    assert Fraction(direct.macs, around.macs) == Fraction(64, 17)
    assert round(direct.parameters / around.parameters, 4) == 3.7613


@pytest.mark.parametrize(("n", "ratio"), [(14, 3.6323), (28, 3.7092), (56, 3.7391)])
def test_256_64_256_with_valid_padding(n, ratio):
    around = cost.table(bottleneck(0), (256, n, n))
    direct = cost.table([Conv(256, 256, 4)], (256, n, n))
    assert round(direct.macs / around.macs, 4) == ratio


def test_inception_4a_branch_of_14x14():
    direct = cost.table([Conv(480, 48, 5, padding=2)], (480, 14, 14))
    around = cost.table([Conv(480, 16), Conv(16, 48, 5, padding=2)], (480, 14, 14))
    assert (direct.macs, around.macs) == (112_896_000, 1_505_280 + 3_763_200)
    assert (direct.weights, around.weights) == (576_000, 7_680 + 19_200)
    assert round(direct.macs / around.macs, 2) == 21.43


def test_28x28x192_to_32_by_5x5():
    direct = cost.table([Conv(192, 32, 5, padding=2)], (192, 28, 28))
    around = cost.table([Conv(192, 16), Conv(16, 32, 5, padding=2)], (192, 28, 28))
    assert (direct.macs, around.macs) == (120_422_400, 2_408_448 + 10_035_200)
    assert round(direct.macs / around.macs, 3) == 9.677


@pytest.mark.parametrize(
    ("c_in", "c_out", "factor"), [(1, 1, 13.0), (3, 64, 19.0), (48, 480, 24.51), (480, 48, 24.95)]
)
def test_one_25th_of_the_parameters_holds_without_biases_only(c_in, c_out, factor):
    wide = cost.table(Conv(c_in, c_out, 5, padding=2), (c_in, 9, 9))
    narrow = cost.table(Conv(c_in, c_out), (c_in, 9, 9))
    assert wide.weights == 25 * narrow.weights
    assert round(wide.parameters / narrow.parameters, 2) == factor


def test_the_resnet_bottleneck_block():
    t = cost.table([Conv(256, 64), Conv(64, 64, 3, padding=1), Conv(64, 256)], (256, 56, 56))
    assert (t.weights, t.macs) == (69_632, 218_365_952)


# -------------------------------------------------------------------------------------- break-even


@pytest.mark.parametrize(
    ("k", "c_in", "c_out", "r"),
    [
        *[(4, 256, 256, 240.94), (5, 480, 48, 342.86), (5, 192, 32, 154.84)],
        *[(3, 192, 128, 164.57), (3, 256, 256, 230.4)],
    ],
)
def test_break_even_of_known_layers(k, c_in, c_out, r):
    assert round(float(cost.break_even(k, c_in, c_out)), 2) == r


@settings(max_examples=200, deadline=None)
@given(k=st.integers(1, 11), c_in=st.integers(1, 300), c_out=st.integers(1, 300))
@example(k=1, c_in=2, c_out=2)  # break-even is exactly 1: no width saves
@example(k=3, c_in=9, c_out=9)  # break-even is exactly 81/10
@example(k=1, c_in=1, c_out=1)
def test_break_even_against_trying_every_width(k, c_in, c_out):
    direct = k * k * c_in * c_out
    saving = [r for r in range(1, c_in * k * k + 1) if c_in * r + k * k * r * c_out < direct]
    widest = cost.widest_saving(k, c_in, c_out)
    assert widest == max(saving, default=0)
    assert type(widest) is int
    r = cost.break_even(k, c_in, c_out)
    assert c_in * r + k * k * r * c_out == direct


@settings(max_examples=30, deadline=None)
@given(k=st.sampled_from([1, 3, 5]), c_in=st.integers(1, 20), c_out=st.integers(1, 20))
def test_the_widest_saving_saves_and_one_more_does_not(k, c_in, c_out):
    def weights(*layers):
        return cost.table(list(layers), (c_in, 5, 5)).weights

    direct = weights(Conv(c_in, c_out, k, padding=k // 2))
    widest = cost.widest_saving(k, c_in, c_out)
    for r in {max(widest, 1), widest + 1}:
        around = weights(Conv(c_in, r), Conv(r, c_out, k, padding=k // 2))
        assert (around < direct) == (r <= widest)


def test_break_even_is_exact_for_numbers_that_floats_cannot_hold():
    big = 2**40 + 1
    assert cost.widest_saving(3, big, big) == (9 * big * big - 1) // (10 * big)
    assert cost.break_even(np.int64(5), 480, 48) == Fraction(2400, 7)


# ------------------------------------------------------------------------------ chains and branches


def test_chains_nest_and_one_layer_is_a_chain():
    one, two, three = Conv(3, 4), Conv(4, 5, 3), Pool(2)
    nested = cost.table([one, [two, [three]], []], (3, 8, 8))
    assert nested.rows == cost.table((one, two, three), (3, 8, 8)).rows
    assert [row.name for row in nested.rows] == ["1", "2", "3"]
    assert cost.table(one, (3, 8, 8)).rows == nested.rows[:1]


def test_an_empty_chain_is_the_identity():
    t = cost.table([], (3, 8, 8))
    assert (t.rows, t.out_shape, t.parameters, t.macs) == ([], (3, 8, 8), 0, 0)


def test_branches_stack_or_add():
    half = [Conv(4, 4, 3, padding=1)]
    stacked = cost.table(Branches({"a": half, "b": [Conv(4, 2)], "c": []}), (4, 6, 6))
    assert stacked.out_shape == (10, 6, 6)
    added = cost.table(Branches({"a": half, "identity": []}, join="add"), (4, 6, 6))
    assert added.out_shape == (4, 6, 6)
    assert added.macs == 36 * 16 * 9
    vectors = Branches({"mean": [GlobalPool()], "max": GlobalPool()})
    assert cost.table(vectors, (4, 6, 6)).out_shape == (8,)


def test_names_inside_branches():
    inner = Branches({"x": [Conv(4, 2), Conv(2, 2)], "y": [Conv(4, 2, name="mix")]}, name="inner")
    outer = Branches({"left": [inner], "right": [Conv(4, 2, name="side")]}, name="outer")
    layers = [Conv(4, 4), outer, Branches({"left": [Conv(6, 6)], "right": []})]
    assert [row.name for row in cost.table(layers, (4, 6, 6)).rows] == [
        *("1", "outer/inner/x 1", "outer/inner/x 2", "outer/inner/mix", "outer/side", "left 1")
    ]


def test_a_name_that_comes_again_gets_a_number():
    block = [Conv(4, 4, name="mix"), Conv(4, 4)]
    named = Conv(4, 4, name="mix (2)")
    names = [row.name for row in cost.table([block, named, block], (4, 6, 6)).rows]
    assert names == ["mix", "2", "mix (2)", "mix (3)", "5"]


def test_layers_are_frozen_equal_by_value_and_print_as_written():
    assert Conv(3, 4) == Conv(3, 4, 1)
    assert Conv(3, 4) != Conv(3, 4, bias=False)
    assert len({Conv(3, 4), Conv(3, 4, 1), Pool(2)}) == 2
    with pytest.raises(AttributeError):
        Conv(3, 4).c_in = 5
    for text in [
        "Conv(3, 4)",
        "Conv(64, 256, 4, padding='same', bias=False, name='x')",
        "Depthwise(3, 7, multiplier=8, stride=2)",
        "Dense(10, 2, bias=False)",
        "Pool(3, stride=2, ceil=True)",
        "GlobalPool()",
        "GlobalPool('mean')",
    ]:
        assert repr(eval(text)) == text
    branches = Branches({"a": [], "b": []}, join="add", name="both")
    assert repr(branches) == "Branches({'a': …, 'b': …}, join='add', name='both')"


def test_branches_keep_their_own_copy():
    chain, given_dict = [Conv(4, 2)], {}
    given_dict["a"] = chain
    branches = Branches(given_dict)
    chain.append("nonsense")
    given_dict["b"] = "nonsense"
    assert branches.branches == {"a": [Conv(4, 2)]}


# -------------------------------------------------------------------------------------- the table


@pytest.fixture
def small():
    return cost.table(
        [
            Branches({"a": Conv(3, 16, name="mix"), "b": Pool(3, stride=1, padding=1)}, name="in"),
            Conv(19, 1200, 3, name="<wide> & co"),
            GlobalPool(),
            Dense(1200, 10, bias=False, name="scores"),
        ],
        (3, 32, 32),
    )


def test_totals_rows_and_selections(small):
    assert small.weights == sum(row.weights for row in small.rows) == 48 + 205_200 + 12_000
    assert small.biases == 16 + 1200
    assert small.parameters == small.weights + small.biases
    assert small.macs == 48 * 1024 + 205_200 * 900 + 12_000
    assert small.out_shape == (10,)
    assert small["in/mix"].parameters == 64
    assert small["in/mix"] == ("in/mix", "pointwise", (3, 32, 32), (16, 32, 32), 48, 16, 49_152)
    assert [row.name for row in small.only("pointwise").rows] == ["in/mix"]
    assert small.only(lambda row: row.macs > 1e6).weights == 205_200
    assert small.only("no such kind").macs == 0
    with pytest.raises(KeyError, match="in/mix, in/b 1"):
        small["mix"]


def test_all_numbers_are_plain_ints():
    sizes = np.array([3, 4, 8], np.int32)
    t = cost.table(Conv(sizes[0], sizes[1], np.uint8(3), padding=np.int64(1)), (*sizes[[0, 2, 2]],))
    [row] = t.rows
    for number in [t.weights, t.biases, t.parameters, t.macs, *row[2], *row[3], *row[4:]]:
        assert type(number) is int
    assert repr(Conv(sizes[0], sizes[1])) == "Conv(3, 4)"


def test_counts_do_not_overflow():
    t = cost.table(Conv(2**20, 2**20, 7, padding=3), (2**20, 2**12, 2**12))
    assert t.macs == 49 * 2**64


def test_the_printed_table(small):
    assert repr(small) == "\n".join(
        [
            "layer        kind         in          out         weights  biases         MACs",
            "─" * 78,
            "in/mix       pointwise    3×32×32     16×32×32         48      16       49,152",
            "in/b 1       pool         3×32×32     3×32×32           0       0            0",
            "<wide> & co  3×3          19×32×32    1200×30×30  205,200   1,200  184,680,000",
            "3            global pool  1200×30×30  1200              0       0            0",
            "scores       dense        1200        10           12,000       0       12,000",
            "─" * 78,
            "total                                             217,248   1,216  184,741,152",
        ]
    )


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.texts = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if text.strip():
            self.texts.append(text.strip())


def test_the_html_table(small):
    page = small._repr_html_()
    tags = Tags(page)
    names = [tag for tag, _ in tags.seen]
    assert names.count("caption") == 1
    assert names.count("tr") == 1 + len(small.rows) + 1
    scopes = [attributes["scope"] for tag, attributes in tags.seen if tag == "th"]
    assert scopes == ["col"] * 7 + ["row"] * (len(small.rows) + 1)
    assert tags.texts[0] == "Cost of one input of 3×32×32 (channels × height × width)"
    assert "<wide> & co" in tags.texts
    assert tags.texts[-4:] == ["total", "217,248", "1,216", "184,741,152"]
    styles = {attributes.get("style") for _, attributes in tags.seen}
    assert styles == {None, "text-align: left", "text-align: right"}
    for text in ("217,248", "184,680,000", "MACs"):
        assert f'style="text-align: right">{text}<' in page
    assert page == small._repr_html_()


def test_what_is_not_counted_is_printed():
    t = cost.Table([], (3, 8, 8), (3, 8, 8), [f"<layer {i}>" for i in range(10)])
    lines = repr(t).splitlines()
    assert lines[4:6] == ["not counted: <layer 0>", "not counted: <layer 1>"]
    assert lines[-1] == "not counted: 2 more, all in .unknown"
    assert len(lines) == 4 + 8 + 1
    assert "not counted: &lt;layer 7&gt;" in t._repr_html_()
    assert "<layer" not in t._repr_html_()
    assert t.only("dense").unknown == t.unknown


# ------------------------------------------------------------------------------------ as a whole


def test_docstring_examples():
    result = doctest.testmod(cost)
    assert result.attempted >= 10
    assert not result.failed


def test_the_cost_model_imports_nothing_heavy():
    program = (
        "import sys; from pointwise import architectures, cost; "
        "cost.table(architectures.googlenet(), (3, 224, 224)); "
        "print([m for m in ('torch', 'matplotlib', 'scipy', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
