"""Published networks: the typed numbers hang together, and the totals are those on record."""

import doctest

import pytest

from pointwise import architectures, cost
from pointwise.architectures import (
    GOOGLENET_INPUT,
    GOOGLENET_TABLE,
    INCEPTION,
    NIN,
    NIN_INPUT,
    googlenet,
    googlenet_rows,
    inception,
    naive_inception,
    nin,
    printed_shape,
)

MODULES = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]


def module_table(build, key, **options):
    return cost.table(build(INCEPTION[key], **options), INCEPTION[key].input_shape)


def test_table_1_hangs_together():
    assert len(GOOGLENET_TABLE) == 19
    assert list(INCEPTION) == MODULES
    for name, widths in INCEPTION.items():
        [row] = [row for row in GOOGLENET_TABLE if f"({name})" in row.type]
        assert printed_shape(row) == (widths.c_out, widths.size, widths.size)
        assert widths[2:] == row[4:10]
    assert INCEPTION["3a"] == (192, 28, 64, 96, 128, 16, 32, 32)
    assert INCEPTION["5b"] == (832, 7, 384, 192, 384, 48, 128, 128)
    assert sum(row.depth for row in GOOGLENET_TABLE) == 22


def test_the_printed_columns_add_up_to_what_the_ledger_has():
    params = sum(float(row.params.rstrip("K")) for row in GOOGLENET_TABLE if row.params)
    ops = sum(int(row.ops.rstrip("M")) for row in GOOGLENET_TABLE if row.ops)
    assert (round(params, 1), ops) == (6797.7, 1502)


@pytest.mark.parametrize("stem", ["dense", "separable"])
def test_every_row_puts_out_the_printed_size(stem):
    rows = googlenet_rows(stem)
    assert [printed for printed, _, _ in rows] == GOOGLENET_TABLE
    shape = GOOGLENET_INPUT
    for printed, layers, in_shape in rows:
        assert in_shape[: len(shape)] == shape
        shape = cost.table(layers, shape).out_shape
        padded = shape + (1,) * (3 - len(shape))
        assert padded == printed_shape(printed)


# Weights and MACs of every row, without biases; the stem both ways.
RECOMPUTED = {
    "dense": [(9_408, 118_013_952)],
    "separable": [(2_712, 34_019_328)],
    "the rest": [
        *[(114_688, 359_661_568), (163_328, 128_049_152), (388_096, 304_267_264)],
        *[(375_552, 73_608_192), (448_512, 87_908_352), (509_440, 99_850_240)],
        *[(604_672, 118_515_712), (867_328, 169_996_288), (1_042_432, 51_079_168)],
        *[(1_442_816, 70_697_984), (1_024_000, 1_024_000)],
    ],
}


@pytest.mark.parametrize("stem", ["dense", "separable"])
def test_rows_recomputed(stem):
    tables = [
        cost.table(layers, shape)
        for printed, layers, shape in googlenet_rows(stem, bias=False)
        if printed.ops
    ]
    expected = RECOMPUTED[stem] + RECOMPUTED["the rest"]
    assert [(t.parameters, t.macs) for t in tables] == expected


def test_biases_by_row():
    tables = [cost.table(layers, shape) for printed, layers, shape in googlenet_rows()]
    biases = [64, 256, 368, 640, 624, 648, 664, 704, 1024, 1024, 1264, 1000]
    assert [t.biases for t in tables if t.weights] == biases


def test_which_printed_figures_come_out():
    """Ops are MACs in millions; params are weights in units of 1024."""
    wrong_ops, off = [], {}
    for printed, layers, shape in googlenet_rows("separable", bias=False):
        if printed.ops:
            t = cost.table(layers, shape)
            if round(t.macs / 1e6) != int(printed.ops.rstrip("M")):
                wrong_ops.append(printed.type)
            off[printed.type] = float(printed.params.rstrip("K")) * 1024 / t.weights - 1
    assert wrong_ops == ["inception (4a)", "inception (5a)"]
    assert off["linear"] == 0
    assert round(100 * off["inception (4c)"], 1) == -6.9
    assert round(100 * off["inception (5a)"], 1) == 5.3


@pytest.mark.parametrize(
    ("stem", "parameters", "macs"),
    [("dense", 6_998_552, 1_582_671_872), ("separable", 6_991_856, 1_498_677_248)],
)
def test_totals_of_googlenet(stem, parameters, macs):
    t = cost.table(googlenet(stem), GOOGLENET_INPUT)
    assert (t.parameters, t.macs, t.out_shape) == (parameters, macs, (1000,))
    bare = cost.table(googlenet(stem, bias=False), GOOGLENET_INPUT)
    assert (bare.biases, bare.weights, bare.macs) == (0, t.weights, macs)


def test_the_share_of_1x1_in_googlenet():
    t = cost.table(googlenet(), GOOGLENET_INPUT)
    ones = t.only("pointwise")
    assert len([row for row in t.rows if row.kind not in ("pool", "global pool", "dense")]) == 57
    assert len(ones.rows) == 37
    assert round(100 * ones.weights / t.weights, 1) == 32.3
    assert round(100 * ones.macs / t.macs, 1) == 23.3
    modules = t.only(lambda row: "/" in row.name)
    ones = modules.only("pointwise")
    assert round(100 * ones.weights / modules.weights, 1) == 38.6
    assert round(100 * ones.macs / modules.macs, 1) == 32.3
    narrowing = [row for row in t.only("pointwise").rows if row.out_shape[0] < row.in_shape[0]]
    assert len(narrowing) == 36


@pytest.mark.parametrize(
    ("name", "ratio"),
    list(zip(MODULES, [2.37, 2.81, 4.17, 4.31, 4.05, 3.64, 3.86, 5.06, 4.06], strict=True)),
)
def test_naive_against_reduced(name, ratio):
    naive, reduced = module_table(naive_inception, name), module_table(inception, name)
    assert round(naive.weights / reduced.weights, 2) == ratio
    assert naive.weights * reduced.macs == naive.macs * reduced.weights
    widths = INCEPTION[name]
    assert reduced.out_shape == (widths.c_out, widths.size, widths.size)
    assert naive.out_shape[0] == widths.c_out - widths.pool + widths.c_in


def test_channels_of_the_naive_modules():
    assert module_table(naive_inception, "3a").out_shape == (416, 28, 28)
    assert module_table(naive_inception, "5b").out_shape == (1728, 7, 7)


def test_names_in_a_module():
    parts = ["1x1", "3x3 reduce", "3x3", "5x5 reduce", "5x5", "pool", "pool proj"]
    assert [row.name for row in module_table(inception, "3a").rows] == parts
    assert [row.name for row in module_table(inception, "3a", name="3a").rows] == [
        f"3a/{part}" for part in parts
    ]
    assert list(inception(INCEPTION["3a"]).branches) == ["1x1", "3x3", "5x5", "pool"]
    naive = [row.name for row in module_table(naive_inception, "3a").rows]
    assert naive == ["1x1", "3x3", "5x5", "pool"]
    assert module_table(inception, "3a", bias=False).biases == 0
    assert module_table(naive_inception, "3a", bias=False).biases == 0


@pytest.mark.parametrize(
    ("variant", "parameters", "macs", "share_of_parameters", "share_of_macs"),
    [
        ("cifar10", 966_986, 222_486_528, 16.5, 30.8),
        ("cifar100", 984_356, 223_592_448, 18.0, 31.1),
        ("mnist", 349_674, 50_699_712, 11.4, 22.1),
        ("svhn", 1_986_026, 274_235_392, 11.8, 19.9),
    ],
)
def test_network_in_network(variant, parameters, macs, share_of_parameters, share_of_macs):
    t = cost.table(nin(variant), NIN_INPUT[variant])
    ones = t.only("pointwise")
    assert (t.parameters, t.macs) == (parameters, macs)
    assert round(100 * ones.parameters / parameters, 1) == share_of_parameters
    assert round(100 * ones.macs / macs, 1) == share_of_macs
    assert t.out_shape == (NIN[variant].blocks[-1][-1],)
    maps = [row.out_shape[1] for row in t.only("pool").rows]
    assert maps == ([14, 7] if variant == "mnist" else [16, 8])


def test_docstring_examples():
    result = doctest.testmod(architectures)
    assert result.attempted >= 6
    assert not result.failed
