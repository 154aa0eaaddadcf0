"""Blocks and networks after Inception: the cost model's counts, and other people's numbers."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pointwise import channel_shuffle, conv1x1, cost, depthwise_conv2d, nets, zoo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pytorchcv.model_provider import get_model
    from pytorchcv.models.mobilenetv2 import LinearBottleneck
    from pytorchcv.models.resnet import ResUnit
    from pytorchcv.models.shufflenet import ShuffleUnit as TheirShuffleUnit
    from pytorchcv.models.squeezenet import FireUnit


def shaken(net, seed=0):
    """Give every tensor of the network random numbers, those of its normalisations too."""
    rng = torch.Generator().manual_seed(seed)
    for name, tensor in itertools.chain(net.named_parameters(), net.named_buffers()):
        if tensor.is_floating_point():
            drawn = torch.rand(tensor.shape, generator=rng, dtype=torch.float64)
            fan = max(1, tensor[0].numel()) if tensor.ndim > 1 else 1
            centred = "var" not in name and tensor.ndim != 1
            values = (drawn - 0.5) * (12 / fan) ** 0.5 if centred else drawn + 0.5
            tensor.data = values
    return net.eval()


def shared(ours, theirs):
    """Copy their tensors into our network, in the order of their definition."""
    names, tensors = ours.state_dict(), theirs.state_dict().values()
    assert len(names) == len(tensors)
    ours.double().load_state_dict(dict(zip(names, tensors, strict=True)))
    return ours.eval()


def image(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=torch.manual_seed(1))


# (module, layer list, input shape)
BLOCKS = {
    "bottleneck": (nets.Bottleneck(256, 64, 256), zoo.bottleneck(256, 64, 256), (256, 8, 8)),
    "bottleneck, wider": (nets.Bottleneck(64, 64, 256), zoo.bottleneck(64, 64, 256), (64, 8, 8)),
    "bottleneck, 3x3/2": (
        nets.Bottleneck(32, 16, 64, stride=2),
        zoo.bottleneck(32, 16, 64, stride=2),
        (32, 9, 9),
    ),
    "bottleneck, 1x1/2": (
        nets.Bottleneck(32, 16, 64, stride=2, stride_in="1x1"),
        zoo.bottleneck(32, 16, 64, stride=2, stride_in="1x1"),
        (32, 9, 9),
    ),
    "fire": (nets.Fire(96, 16, 64, 32), zoo.fire(96, 16, 64, 32), (96, 11, 11)),
    "separable": (nets.Separable(8, 12, stride=2), zoo.separable(8, 12, stride=2), (8, 9, 9)),
    "bare separable": (nets.Separable(8, 12, norm=False), zoo.separable(8, 12), (8, 9, 9)),
    "inverted": (nets.InvertedResidual(8, 8), zoo.inverted_residual(8, 8), (8, 9, 9)),
    "inverted, narrow": (
        nets.InvertedResidual(8, 6, expansion=1, stride=2),
        zoo.inverted_residual(8, 6, expansion=1, stride=2),
        (8, 9, 9),
    ),
    "shuffle": (
        nets.ShuffleUnit(240, 240, groups=3),
        zoo.shuffle_unit(240, 240, groups=3),
        (240, 7, 7),
    ),
    "shuffle, first": (
        nets.ShuffleUnit(24, 240, groups=3, stride=2, first_groups=1),
        zoo.shuffle_unit(24, 240, groups=3, stride=2, first_groups=1),
        (24, 9, 9),
    ),
    "convnext": (nets.ConvNeXtBlock(12), zoo.convnext_block(12), (12, 9, 9)),
}
NETWORKS = {
    "ResNet-50": (nets.ResNet50, zoo.resnet50(), (3, 224, 224)),
    "ResNet-50, 1x1": (lambda: nets.ResNet50("1x1"), zoo.resnet50("1x1"), (3, 224, 224)),
    "MobileNetV1": (nets.MobileNetV1, zoo.mobilenet_v1(), (3, 224, 224)),
    "0.5 MobileNet-160": (
        lambda: nets.MobileNetV1(0.5),
        zoo.mobilenet_v1(0.5),
        (3, 160, 160),
    ),
}


def costs_what_is_listed(net, layers, shape):
    listed, hooked = cost.table(layers, shape), cost.from_torch(net, shape)
    rows = [row[1:] for row in hooked.rows if row.kind != "norm"]
    assert rows == [row[1:] for row in listed.rows]
    assert hooked.out_shape == listed.out_shape
    norms = [row for row in hooked.rows if row.kind == "norm"]
    assert hooked.parameters == listed.parameters + sum(row.parameters for row in norms)
    return listed, hooked


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_cost_what_the_layer_lists_say(name):
    net, layers, shape = BLOCKS[name]
    listed, hooked = costs_what_is_listed(net, layers, shape)
    y = net.eval()(torch.zeros(2, *shape))
    assert y.shape == (2, *listed.out_shape)
    if name == "convnext":
        assert hooked.unknown == ("ConvNeXtBlock (ConvNeXtBlock): 12 parameters",)  # its scale
    else:
        assert hooked.unknown == ()
        norms = sum(row.parameters for row in hooked.rows if row.kind == "norm")
        assert norms == (0 if "bare" in name else zoo.norm_parameters(listed))


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_cost_what_the_layer_lists_say(name):
    build, layers, shape = NETWORKS[name]
    net = build()
    listed, hooked = costs_what_is_listed(net, layers, shape)
    assert hooked.unknown == ()
    whole = listed.parameters + zoo.norm_parameters(listed)
    assert sum(p.numel() for p in net.parameters()) == hooked.parameters == whole


@pytest.mark.parametrize(
    ("build", "twin", "size"),
    [
        (lambda: nets.ResNet50("1x1"), "resnet50", 224),
        (lambda: nets.ResNet50(), "resnet50b", 224),
        (lambda: nets.MobileNetV1(), "mobilenet_w1", 224),
    ],
    ids=["resnet50", "resnet50b", "mobilenet_w1"],
)
def test_networks_compute_what_other_peoples_do(build, twin, size):
    theirs = shaken(get_model(twin, pretrained=False))
    ours, x = shared(build(), theirs), image(1, 3, size, size)
    with torch.no_grad():
        wanted, found = theirs(x), ours(x)
    assert wanted.std() > 1e-6
    assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-9 * wanted.abs().max().item())


@pytest.mark.parametrize(
    ("ours", "theirs", "channels"),
    [
        *[
            (
                nets.Bottleneck(c_in, 16, 64, stride=stride, stride_in="1x1" if first else "3x3"),
                ResUnit(c_in, 64, stride, conv1_stride=first),
                c_in,
            )
            for c_in, stride, first in [(64, 1, True), (24, 1, True), (64, 2, True), (64, 2, False)]
        ],
        (nets.Fire(12, 4, 6, 8), FireUnit(12, 4, 6, 8, residual=False), 12),
        (nets.InvertedResidual(8, 8), LinearBottleneck(8, 8, 1, True, True), 8),
        (nets.InvertedResidual(8, 12, stride=2), LinearBottleneck(8, 12, 2, True, True), 8),
        (
            nets.InvertedResidual(8, 12, expansion=1),
            LinearBottleneck(8, 12, 1, False, True),
            8,
        ),
        (
            nets.ShuffleUnit(48, 48, groups=3),
            TheirShuffleUnit(48, 48, 3, downsample=False, ignore_group=False),
            48,
        ),
        (
            nets.ShuffleUnit(24, 48, groups=2, stride=2),
            TheirShuffleUnit(24, 48, 2, downsample=True, ignore_group=False),
            24,
        ),
        (
            nets.ShuffleUnit(22, 48, groups=2, stride=2, first_groups=1),
            TheirShuffleUnit(22, 48, 2, downsample=True, ignore_group=True),
            22,
        ),
    ],
)
def test_blocks_compute_what_other_peoples_do(ours, theirs, channels):
    ours, x = shared(ours, shaken(theirs)), 3 * image(2, channels, 10, 10)
    with torch.no_grad():
        wanted, found = theirs(x), ours(x)
    if getattr(ours, "stacks", False):
        wanted = wanted.roll(channels, dims=1)  # the twin stacks the input behind the new channels
    assert wanted.shape == found.shape
    assert wanted.std() > 1e-3
    assert torch.allclose(found, wanted, rtol=1e-12, atol=1e-12)


# -------------------------------------------------------------------- against the NumPy kernels


def test_a_bare_separable_layer_is_the_kernels_one_after_the_other():
    net = nets.Separable(6, 9, stride=2, norm=False).double()
    x = image(2, 6, 9, 9).numpy()
    depthwise, pointwise = (half.weight.detach().numpy() for half in net)
    ours = depthwise_conv2d(x, depthwise, stride=2, padding=1)
    ours = conv1x1(ours, pointwise[:, :, 0, 0])
    with torch.no_grad():
        assert np.abs(net(torch.from_numpy(x)).numpy() - ours).max() < 1e-12


def test_mobilenet_rectifies_both_halves():
    kinds = [type(step) for half in nets.Separable(4, 4) for step in half]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2


def test_the_shuffle_of_the_unit_is_that_of_the_kernels():
    x = image(1, 12, 3, 3)
    shuffle = nets.ShuffleUnit(48, 48, groups=3).residual[1]
    assert np.array_equal(shuffle(x).numpy(), channel_shuffle(x.numpy(), 3))


@pytest.mark.parametrize("shuffle", [True, False])
def test_without_the_shuffle_the_groups_never_meet(shuffle):
    """Which input channels does each third of the residual's output depend on?"""
    net = shaken(nets.ShuffleUnit(72, 72, groups=3, shuffle=shuffle)).residual
    x = image(1, 72, 5, 5).requires_grad_()
    y = net(x).reshape(3, -1).sum(dim=1)
    read = np.array(
        [
            torch.autograd.grad(part, x, retain_graph=True)[0].reshape(3, -1).abs().sum(dim=1) > 0
            for part in y
        ]
    )
    assert np.array_equal(read, np.ones((3, 3)) if shuffle else np.eye(3))


def test_the_last_1x1_of_an_inverted_residual_is_linear():
    for net in (nets.InvertedResidual(8, 8), nets.InvertedResidual(8, 12)):
        kinds = [[type(step) for step in part] for part in net.residual]
        assert kinds[:2] == [[nn.Conv2d, nn.BatchNorm2d, nn.ReLU6]] * 2
        assert kinds[2] == [nn.Conv2d, nn.BatchNorm2d]
        assert (net(torch.randn(2, 8, 6, 6)) < 0).any()


@pytest.mark.parametrize(("c_out", "stride", "adds"), [(8, 1, True), (8, 2, False), (12, 1, False)])
def test_an_inverted_residual_adds_where_the_shapes_agree(c_out, stride, adds):
    net = nets.InvertedResidual(8, c_out, stride=stride).double().eval()
    for parameter in net.parameters():
        parameter.data.zero_()
    x = image(1, 8, 6, 6)
    assert net.adds == adds
    assert torch.equal(net(x), x) == adds
    assert ("identity" in zoo.inverted_residual(8, c_out, stride=stride).branches) == adds


# ------------------------------------------------------------------ ConvNeXt and the transformer


def test_a_convnext_block_written_with_linear_on_channels_last():
    """The block of the paper's figure, from the tensors alone."""
    net, x = shaken(nets.ConvNeXtBlock(6, scale=0.5)), image(2, 6, 9, 7)
    up, _, down = net.ffn
    with torch.no_grad():
        y = F.conv2d(x, net.depthwise.weight, net.depthwise.bias, padding=3, groups=6)
        y = y.permute(0, 2, 3, 1)
        mean, var = y.mean(-1, keepdim=True), y.var(-1, keepdim=True, correction=0)
        y = (y - mean) / (var + 1e-6).sqrt() * net.norm.weight + net.norm.bias
        y = F.gelu(F.linear(y, up.weight[:, :, 0, 0], up.bias))
        y = F.linear(y, down.weight[:, :, 0, 0], down.bias)
        y = x + (net.scale[:, 0, 0] * y).permute(0, 3, 1, 2)
        assert torch.allclose(net(x), y, rtol=1e-12, atol=1e-12)
        assert not torch.allclose(y, x, atol=1e-3)


def test_the_feed_forward_of_a_transformer_block_is_two_1x1():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, dim_feedforward=64, dropout=0.0).double().eval()
    tokens = image(2, 5, 16)
    with torch.no_grad():
        wanted = layer.linear2(torch.relu(layer.linear1(tokens)))
        up = nets.dense_as_conv(layer.linear1, 16, 1, 1)
        down = nets.dense_as_conv(layer.linear2, 64, 1, 1)
        found = down(torch.relu(up(tokens.transpose(1, 2)[:, :, None])))
    assert torch.allclose(found[:, :, 0].transpose(1, 2), wanted, rtol=1e-12, atol=1e-12)
    listed = cost.table(zoo.feed_forward(16), (16, 1, 5))
    assert listed.parameters == sum(p.numel() for m in (up, down) for p in m.parameters())


def test_the_scale_starts_small():
    assert nets.ConvNeXtBlock(4).scale.flatten().tolist() == pytest.approx([1e-6] * 4)


# --------------------------------------------------------------------- dense layers, convolutions


def flattened(crop):
    return crop.reshape(len(crop), -1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("c", "h", "w"), [(3, 4, 5), (1, 2, 2), (7, 1, 1)])
def test_sliding_a_head_equals_crop_by_crop(c, h, w, bias):
    torch.manual_seed(0)
    linear = nn.Linear(c * h * w, 6, bias=bias).double()
    head, x = nets.dense_as_conv(linear, c, h, w), image(2, c, h + 3, w + 2)
    with torch.no_grad():
        scores = head(x)
        assert scores.shape == (2, 6, 4, 3)
        for i, j in itertools.product(range(4), range(3)):
            crop = linear(flattened(x[:, :, i : i + h, j : j + w]))
            assert torch.allclose(scores[:, :, i, j], crop, rtol=1e-12, atol=1e-12)
    assert (head.bias is None) == (not bias)


def test_the_wrong_order_gives_other_scores():
    torch.manual_seed(0)
    linear = nn.Linear(3 * 4 * 5, 6).double()
    head, x = nets.dense_as_conv(linear, 3, 4, 5), image(1, 3, 4, 5)
    with torch.no_grad():
        right = head(x)[:, :, 0, 0]
        wrong = F.conv2d(x, linear.weight.reshape(6, 4, 5, 3).permute(0, 3, 1, 2), linear.bias)
        assert torch.allclose(right, linear(flattened(x)))
        assert torch.allclose(wrong[:, :, 0, 0], linear(flattened(x.permute(0, 2, 3, 1))))
        assert not torch.allclose(right, wrong[:, :, 0, 0], atol=1e-2)


def test_the_convolution_has_its_own_numbers_in_the_same_dtype():
    linear = nn.Linear(12, 2).double()
    state = torch.get_rng_state()
    head = nets.dense_as_conv(linear, 3, 2, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert head.weight.dtype == torch.float64
    before = head.weight.clone()
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.zero_()
    assert torch.equal(head.weight, before)
    assert head.bias.any()
    assert head.weight.requires_grad
    assert head.bias.requires_grad
    assert sum(p.numel() for p in head.parameters()) == 26


def test_a_head_of_one_pixel_is_the_pointwise_convolution():
    head = nets.dense_as_conv(nn.Linear(512, 10), 512, 1, 1)
    assert cost.from_torch(head, (512, 7, 7)).rows[0].kind == "pointwise"


def test_a_dense_layer_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"reads 12 entries, .* \(3, 4, 5\) has 60"):
        nets.dense_as_conv(nn.Linear(12, 2), 3, 4, 5)
    with pytest.raises(ValueError, match=r"reads 100 entries, .* \(3, 4, 5\) has 60"):
        nets.dense_as_conv(nn.Linear(100, 2), 3, 4, 5)
    with pytest.raises(ValueError, match="h must be at least 1"):
        nets.dense_as_conv(nn.Linear(12, 2), 3, 0, 4)
    with pytest.raises(TypeError, match="Conv2d"):
        nets.dense_as_conv(nn.Conv2d(3, 4, 1), 3, 1, 1)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: nets.Bottleneck(4, 2, 4, stride_in="5x5"), "5x5"),
        (lambda: nets.MobileNetV1(0.01), "0.01 leaves no channel of 32"),
        (lambda: nets.ShuffleUnit(24, 48, groups=2), "24 channels in, 48 out"),
    ],
)
def test_what_cannot_be_built_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize("name", BLOCKS)
def test_every_parameter_learns(name):
    net, _, shape = BLOCKS[name]
    net.train().zero_grad()
    y = net(torch.rand(2, *shape))
    (y * torch.rand(y.shape, generator=torch.manual_seed(0))).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
