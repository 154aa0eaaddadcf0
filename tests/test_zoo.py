"""The networks after Inception: other people's copies, the papers' figures, the shares of 1×1."""

import doctest
import math
import warnings
from collections import Counter

import pytest

from pointwise import cost, zoo
from pointwise.architectures import verdict
from pointwise.cost import table
from pointwise.zoo import IMAGENET_INPUT, NETWORKS, Share

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pytorchcv.model_provider import get_model


def on_image(layers):
    return table(layers, IMAGENET_INPUT)


def weighty(t):
    """Count the rows that have weights, but for normalisation and names."""
    rows = [row for row in t.rows if row.weights and row.kind != "norm"]
    # A dense layer reads a map here, and there the vector that it was flattened to.
    flat = [r._replace(in_shape=math.prod(r.in_shape)) if r.kind == "dense" else r for r in rows]
    return Counter(row[1:] for row in flat)


@pytest.mark.parametrize(
    ("twin", "layers"),
    [
        ("resnet50", zoo.resnet50("1x1")),
        ("resnet50b", zoo.resnet50("3x3")),
        ("squeezenet_v1_0", zoo.squeezenet()),
        ("mobilenet_w1", zoo.mobilenet_v1()),
        ("mobilenet_w3d4", zoo.mobilenet_v1(0.75)),
        ("mobilenet_wd4", zoo.mobilenet_v1(0.25)),
        *[(f"shufflenet_g{groups}_w1", zoo.shufflenet(groups)) for groups in zoo.SHUFFLENET],
        ("vgg16", zoo.vgg16()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_layer_by_layer_the_network_that_other_people_wrote(twin, layers):
    ours = on_image(layers)
    theirs = cost.from_torch(get_model(twin, pretrained=False), IMAGENET_INPUT)
    assert weighty(ours) == weighty(theirs)
    assert ours.parameters + zoo.norm_parameters(ours) == theirs.parameters
    assert ours.out_shape == (1000,)


def test_mobilenet_v2_but_for_its_classifier():
    """The twin's classifier is a 1×1 on one pixel, and has no bias."""
    ours = on_image(zoo.mobilenet_v2())
    theirs = cost.from_torch(get_model("mobilenetv2b_w1", pretrained=False), IMAGENET_INPUT)
    assert ours.macs == theirs.macs
    assert ours.parameters + zoo.norm_parameters(ours) == theirs.parameters + 1000
    [(kind, *_)] = (weighty(ours) - weighty(theirs)).elements()
    [(their_kind, *_)] = (weighty(theirs) - weighty(ours)).elements()
    assert (kind, their_kind) == ("dense", "pointwise")


# ----------------------------------------------------------------------------- the papers' figures


def test_the_bottleneck_against_two_3x3():
    block = table(zoo.bottleneck(256, 64, 256), (256, 56, 56))
    assert (block.weights, block.macs, block.biases) == (69_632, 218_365_952, 0)
    assert [row.weights for row in block.rows] == [16_384, 36_864, 16_384]
    assert [row.name for row in block.rows] == ["reduce", "3x3", "expand"]
    narrow = table([cost.Conv(64, 64, 3, padding=1, bias=False)] * 2, (64, 56, 56))
    assert (narrow.weights, narrow.macs) == (73_728, 231_211_008)


@pytest.mark.parametrize(
    ("c_in", "stride", "projected"), [(256, 1, False), (64, 1, True), (256, 2, True)]
)
def test_a_shortcut_projects_where_it_must(c_in, stride, projected):
    for stride_in in ("1x1", "3x3"):
        layers = zoo.bottleneck(c_in, 64, 256, stride=stride, stride_in=stride_in, name="b")
        t = table(layers, (c_in, 8, 8))
        assert ("b/project" in [row.name for row in t.rows]) == projected
        assert t.out_shape == (256, 8 // stride, 8 // stride)
        middle = 4 if stride == 2 and stride_in == "1x1" else 8
        assert t["b/reduce"].out_shape == (64, middle, middle)


def test_resnet_50_with_either_stride():
    theirs, todays = on_image(zoo.resnet50("1x1")), on_image(zoo.resnet50())
    assert (theirs.macs, todays.macs) == (3_857_973_248, 4_089_184_256)
    assert theirs.parameters == todays.parameters == 25_503_912
    assert zoo.norm_parameters(todays) == 53_120
    assert len([row for row in todays.rows if row.weights]) == 54  # 50, and 4 projections
    assert sum("project" in row.name for row in todays.rows) == 4


def test_squeezenet_by_its_two_sizes():
    small = on_image(zoo.squeezenet())
    released = table(zoo.squeezenet(), zoo.SQUEEZENET_RELEASE_INPUT)
    assert small.parameters == released.parameters == 1_248_424
    assert (small.macs, released.macs) == (818_924_576, 832_667_936)
    # Table 1 prints 111, 55, 27 and 13 pixels: those of the release's crop.
    assert released.rows[0].out_shape == (96, 111, 111)
    assert [row.out_shape[1] for row in released.only("pool").rows] == [55, 27, 13]
    assert small.rows[0].out_shape == (96, 109, 109)
    printed = {"fire2": 11_920, "fire3": 12_432, "fire4": 45_344, "fire5": 49_440}
    printed |= {"fire6": 104_880, "fire7": 111_024, "fire8": 188_992, "fire9": 197_184}
    for name, parameters in printed.items():
        assert small.only(lambda row, n=name: row.name.startswith(n)).parameters == parameters


def test_mobilenet_table_2_and_its_transposed_digit():
    t = on_image(zoo.mobilenet_v1())
    assert (t.weights, t.parameters, t.macs) == (4_209_088, 4_210_088, 568_740_352)
    assert t.parameters + zoo.norm_parameters(t) == 4_231_976
    wrong = []
    for row in zoo.MOBILENET_TABLE_2:
        part = t.only(row.kind)
        if row.macs != f"{part.macs / t.macs:.2%}":
            wrong.append((row.type, row.macs, f"{part.macs / t.macs:.2%}"))
        assert row.parameters == f"{part.weights / t.weights:.2%}"
    assert wrong == [("Conv 3 × 3", "1.19%", "1.91%")]
    assert sum(t.only(row.kind).macs for row in zoo.MOBILENET_TABLE_2) == t.macs
    assert round(sum(float(row.macs[:-1]) for row in zoo.MOBILENET_TABLE_2), 2) == 99.29


def agrees(value, printed):
    digits = len(printed.partition(".")[2])
    return f"{value:.{digits}f}" == printed


def test_mobilenet_tables_3_and_4():
    for row in zoo.MOBILENET_TABLE_3 + zoo.MOBILENET_TABLE_4:
        t = table(row.layers, row.input_shape)
        # The whole network with full 3×3 is printed without its million of dense MACs.
        macs = t.macs - (t["fc"].macs if row.name == "Conv MobileNet" else 0)
        assert agrees(macs / 1e6, row.macs)
        assert agrees(t.weights / 1e6, row.parameters)


@pytest.mark.parametrize(
    ("alpha", "size", "macs", "parameters"),
    [
        *[(1.0, 224, "569", "4.2"), (0.75, 224, "325", "2.6"), (0.5, 224, "149", "1.3")],
        *[(0.25, 224, "41", "0.5"), (1.0, 192, "418", "4.2"), (1.0, 160, "290", "4.2")],
        *[(1.0, 128, "186", "4.2"), (0.5, 160, "76", "1.3")],
    ],
)
def test_mobilenet_by_width_and_resolution(alpha, size, macs, parameters):
    """Tables 6 and 7 of the paper, and one line of Table 9; it cuts two figures off."""
    t = table(zoo.mobilenet_v1(alpha), (3, size, size))
    assert verdict(t.macs / 1e6, f"{macs}M") == ("cut off" if size == 160 else "rounds to it")
    assert agrees(t.parameters / 1e6, parameters)


def test_shufflenet_printed_without_its_dense_layer():
    for groups, printed in zoo.SHUFFLENET_PRINTED.items():
        t = on_image(zoo.shufflenet(groups))
        assert f"{(t.macs - t['fc'].macs) / 1e6:.0f}M" == printed
    both = [f"{on_image(zoo.shufflenet(groups)).macs / 1e6:.0f}M" for groups in zoo.SHUFFLENET]
    assert both == ["143M", "141M", "137M", "134M", "138M"]


def test_shufflenet_groups_all_1x1_but_the_first():
    t = on_image(zoo.shufflenet(3))
    assert [row.name for row in t.only("pointwise").rows] == ["2_1/reduce"]
    assert len(t.only("grouped pointwise").rows) == 2 * 16 - 1
    assert not on_image(zoo.shufflenet(1)).only("grouped pointwise").rows


@pytest.mark.parametrize(
    ("layers", "second"),
    [
        (zoo.bottleneck(8, 2, 8), "shortcut"),
        (zoo.inverted_residual(8, 8), "identity"),
        (zoo.shuffle_unit(8, 8, groups=2), "shortcut"),
        (zoo.convnext_block(8), "identity"),
        (zoo.feed_forward(8), "identity"),
    ],
)
def test_the_input_itself_is_added(layers, second):
    assert layers.join == "add"
    assert layers.branches[second] == []
    assert set(layers.branches) == {"residual", second}


def test_convnext_and_the_feed_forward_of_a_transformer():
    t = on_image(zoo.convnext_tiny())
    # 28,589,128 are known of the released network: 2 numbers a channel in 23 layer normalisations
    # (18 blocks, 3 before the downsampling, one after the stem, one at the end), and 18 scales.
    channels = [c for c, blocks in zoo.CONVNEXT_TINY for _ in range(blocks)]
    norms = sum(channels) + sum([96, 192, 384]) + 96 + 768
    assert t.parameters + 2 * norms + sum(channels) == 28_589_128
    assert f"{t.macs / 1e9:.1f}" == "4.5"
    block = table(zoo.convnext_block(768), (768, 7, 7))
    ffn = table(zoo.feed_forward(768), (768, 7, 7))
    assert block.only("pointwise").macs == ffn.macs == 2 * 4 * 768**2 * 49
    assert ffn.weights == 8 * 768**2
    assert ffn.out_shape == (768, 7, 7)


def test_alexnet_vgg_and_fcn():
    t = table(zoo.alexnet(), zoo.ALEXNET_INPUT)
    assert (t.parameters, t.macs) == (60_965_224, 724_406_816)
    assert [row.out_shape[1] for row in t.rows[:8]] == [55, 27, 27, 13, 13, 13, 13, 6]
    assert [row.kind for row in t.rows if "grouped" in row.kind] == ["grouped 5×5"] + [
        "grouped 3×3"
    ] * 2
    vgg, fcn = on_image(zoo.vgg16()), table(zoo.fcn_vgg16(), (3, 250, 250))
    assert (vgg.parameters, vgg.macs) == (138_357_544, 15_470_264_320)
    assert fcn["fc7"].out_shape == (4096, 8, 8)
    assert fcn["score"].parameters == 86_037
    assert fcn["fc6"].parameters == vgg["fc6"].parameters
    assert fcn["fc7"].parameters == vgg["fc7"].parameters
    assert fcn["fc6"].in_shape == (512, 14, 14)


# ----------------------------------------------------------------------------- the shares of 1×1


# (weights, MACs), in per cent.
SHARES = {
    "AlexNet": (0.0, 0.0),
    "NiN (CIFAR-10)": (16.42, 30.81),
    "VGG-16": (0.0, 0.0),
    "GoogLeNet": (32.34, 23.32),
    "ResNet-50": (47.56, 51.83),
    "SqueezeNet": (54.43, 25.62),
    "MobileNetV1": (74.59, 94.86),
    "ShuffleNet (g = 3)": (46.74, 90.62),
    "MobileNetV2": (61.23, 89.08),
    "ConvNeXt-T": (90.73, 93.41),
}


def test_the_share_of_1x1_in_every_network_of_the_book():
    found = {}
    for name, network in NETWORKS.items():
        share = zoo.pointwise_share(network.table())
        found[name] = (round(100 * share.weights, 2), round(100 * share.macs, 2))
    assert found == SHARES
    assert [n.year for n in NETWORKS.values()] == sorted(n.year for n in NETWORKS.values())


def test_the_share_depends_on_the_stride_of_resnet_and_on_the_groups_of_shufflenet():
    share = zoo.pointwise_share(on_image(zoo.resnet50("1x1")))
    assert (f"{share.weights:.1%}", f"{share.macs:.1%}") == ("47.6%", "48.9%")
    shares = [zoo.pointwise_share(on_image(zoo.shufflenet(g))).macs for g in zoo.SHUFFLENET]
    assert [f"{share:.1%}" for share in shares] == ["92.3%", "91.4%", "90.6%", "89.9%", "88.6%"]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_parts_make_the_whole(name):
    t = NETWORKS[name].table()
    parts = zoo.split(t)
    assert list(parts) == ["1×1", "depthwise", "k×k", "dense"]
    assert sum(part.weights for part in parts.values()) == t.weights
    assert sum(part.macs for part in parts.values()) == t.macs


def test_what_counts_as_1x1():
    layers = [
        cost.Conv(8, 8),  # 64 weights
        cost.Conv(8, 8, groups=2),  # 32
        cost.Conv(8, 8, 3, padding=1, groups=2),  # 288
        cost.Depthwise(8, 1),  # 8: a scale of every channel, and mixes none
        cost.Conv(8, 8, 3, padding=1),  # 576
        cost.GlobalPool(),
        cost.Dense(8, 3),  # 24
    ]
    t = table(layers, (8, 5, 5))
    assert {part: share.weights for part, share in zoo.split(t).items()} == {
        "1×1": 96, "depthwise": 8, "k×k": 864, "dense": 24,
    }  # fmt: skip
    assert zoo.split(t)["1×1"] == Share(96, 25 * 96)
    assert zoo.pointwise_share(t).weights == 96 / 992


@pytest.mark.parametrize("c", [32, 256, 512])
def test_the_share_of_the_1x1_in_a_separable_layer(c):
    t = table(zoo.separable(c, c), (c, 14, 14))
    assert zoo.pointwise_share(t).macs == pytest.approx(c / (c + 9), rel=1e-12)


# --------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: zoo.bottleneck(4, 2, 4, stride_in="5x5"), "5x5"),
        (lambda: zoo.resnet50("both"), "both"),
        (lambda: zoo.mobilenet_v1(0.01), "0.01 leaves no channel of 32"),
        (lambda: zoo.shufflenet(5), "1, 2, 3, 4, 8; got 5"),
        (lambda: zoo.shuffle_unit(24, 48, groups=2), "24 channels in, 48 out"),
        (lambda: zoo.shuffle_unit(48, 48, groups=2, stride=2), "48 channels in, 48 out"),
        (lambda: zoo.shuffle_unit(48, 48, groups=2, stride=3), "stride must be 1 or 2, got 3"),
        (lambda: zoo.shuffle_unit(6, 6, groups=1), "c_out = 6"),
        (lambda: zoo.shuffle_unit(48, 48, groups=5), "groups = 5"),
    ],
)
def test_what_cannot_be_built_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_docstring_examples():
    result = doctest.testmod(zoo)
    assert result.attempted >= 20
    assert not result.failed
