"""The torch modules: counts of the cost model, outputs of the NumPy kernels."""

import doctest

import numpy as np
import pytest
import torch
from torch import nn

from pointwise import conv1x1, conv2d, cost, max_pool2d, nets
from pointwise.architectures import (
    GOOGLENET_INPUT,
    INCEPTION,
    NIN_INPUT,
    Widths,
    googlenet,
    inception,
    naive_inception,
    nin,
)

SMALL = Widths(c_in=12, size=9, n1x1=5, r3x3=4, n3x3=6, r5x5=2, n5x5=3, pool=4)
MODULES = {**INCEPTION, "small": SMALL}


def counts(table):
    return [row[1:] for row in table.rows]


def seeded(build, *arguments):
    torch.manual_seed(0)
    return build(*arguments).eval()


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(
    ("module", "layers"),
    [(nets.Inception, inception), (nets.NaiveInception, naive_inception)],
    ids=["reduced", "naive"],
)
def test_modules_cost_what_the_layer_lists_say(module, layers, name):
    widths = MODULES[name]
    net = module(widths)
    listed = cost.table(layers(widths), widths.input_shape)
    hooked = cost.from_torch(net, widths.input_shape)
    assert counts(hooked) == counts(listed)
    assert hooked.unknown == ()
    assert hooked.out_shape == listed.out_shape
    assert sum(p.numel() for p in net.parameters()) == listed.parameters


@pytest.mark.parametrize(
    ("net", "layers", "shape"),
    [
        (nets.GoogLeNet, googlenet(), GOOGLENET_INPUT),
        *[(lambda v=v: nets.NIN(v), nin(v), shape) for v, shape in NIN_INPUT.items()],
    ],
    ids=["googlenet", *NIN_INPUT],
)
def test_networks_cost_what_the_layer_lists_say(net, layers, shape):
    listed, hooked = cost.table(layers, shape), cost.from_torch(net(), shape)
    assert counts(hooked) == counts(listed)
    assert hooked.unknown == ()
    assert hooked.out_shape == listed.out_shape


@pytest.mark.parametrize("name", ["3a", "4e", "small"])
def test_shapes_of_the_branches(name):
    w = MODULES[name]
    net, x = nets.Inception(w), torch.zeros(2, *w.input_shape)
    shapes = {branch: tuple(part(x).shape) for branch, part in net.branches.items()}
    assert shapes == {
        "1x1": (2, w.n1x1, w.size, w.size),
        "3x3": (2, w.n3x3, w.size, w.size),
        "5x5": (2, w.n5x5, w.size, w.size),
        "pool": (2, w.pool, w.size, w.size),
    }
    assert list(shapes) == ["1x1", "3x3", "5x5", "pool"]
    naive = nets.NaiveInception(w)
    assert naive(x).shape == (2, w.n1x1 + w.n3x3 + w.n5x5 + w.c_in, w.size, w.size)


def relu(x):
    return np.maximum(x, 0)


def by_numpy(net, x, *, naive=False):
    """Run an Inception module with the NumPy kernels, on the weights of the torch module."""
    branches = {
        name: [
            (layer.weight.detach().numpy(), layer.bias.detach().numpy())
            for layer in part.modules()
            if isinstance(layer, nn.Conv2d)
        ]
        for name, part in net.branches.items()
    }

    def point(x, w, b):
        return relu(conv1x1(x, w[:, :, 0, 0], b))

    def wide(x, w, b):
        return relu(conv2d(x, w, b, padding=w.shape[2] // 2))

    pooled = max_pool2d(x, 3, stride=1, padding=1)
    one, three, five, pool = branches.values()
    parts = [point(x, *one[0])]
    for steps in (three, five):
        parts.append(wide(x if naive else point(x, *steps[0]), *steps[-1]))
    parts.append(pooled if naive else point(pooled, *pool[0]))
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("name", ["3a", "5b", "small"])
@pytest.mark.parametrize("naive", [False, True], ids=["reduced", "naive"])
def test_modules_compute_what_the_kernels_compute(name, naive):
    w = MODULES[name]
    net = seeded(nets.NaiveInception if naive else nets.Inception, w).double()
    x = np.random.default_rng(0).standard_normal((2, *w.input_shape))
    with torch.no_grad():
        theirs = net(torch.from_numpy(x)).numpy()
    ours = by_numpy(net, x, naive=naive)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-12
    assert 0.2 < (ours > 0).mean() < 0.9  # the rectifiers had something to do


def test_a_rectifier_follows_every_convolution():
    for net in (nets.GoogLeNet(), nets.NIN("cifar10"), nets.NaiveInception(SMALL)):
        steps = [step for step in net.modules() if not any(step.children())]
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            assert isinstance(step, nn.Conv2d) == isinstance(following, nn.ReLU)


def test_googlenet_runs_on_an_image():
    net = seeded(nets.GoogLeNet, 7)
    shapes = {}
    for name, step in net.named_children():
        step.register_forward_hook(lambda _, __, y, name=name: shapes.update({name: y.shape[1:]}))
    with torch.no_grad():
        scores = net(torch.rand(1, *GOOGLENET_INPUT, generator=torch.manual_seed(1)))
    assert scores.shape == (1, 7)
    assert scores.isfinite().all()
    for name, widths in INCEPTION.items():
        assert shapes[name] == (widths.c_out, widths.size, widths.size)
    assert shapes["conv1"] == (64, 112, 112)
    assert shapes["conv2"] == (192, 56, 56)
    assert shapes["avg pool"] == (1024, 1, 1)


def test_googlenet_drops_40_percent_and_nin_half_twice():
    def rates(net):
        return [step.p for step in net.modules() if isinstance(step, nn.Dropout)]

    assert rates(nets.GoogLeNet()) == [0.4]
    assert rates(nets.NIN("svhn")) == [0.5, 0.5]


def test_the_callers_seed_decides_the_weights():
    one, two = (seeded(nets.Inception, SMALL).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_networks_learn():
    """Every parameter of a NIN and of an Inception module gets a gradient."""
    for net, shape in [(nets.NIN("mnist"), (1, 28, 28)), (nets.Inception(SMALL), (12, 9, 9))]:
        net(torch.rand(4, *shape)).square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_nin_refuses_an_unknown_variant():
    with pytest.raises(ValueError, match="cifar10, cifar100, mnist, svhn"):
        nets.NIN("imagenet")


@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("pool", [True, False])
def test_small_nin_is_three_blocks_and_a_mean(extra, pool):
    net = nets.small_nin((4, 6, 8), extra=extra, channels=3, classes=5, pool=pool)
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert [c.kernel_size[0] for c in convs] == ([3] + [1] * extra) * 3
    wide = [4] * (extra + 1) + [6] * (extra + 1) + [8] * extra + [5]
    assert [c.out_channels for c in convs] == wide
    assert [c.in_channels for c in convs] == [3, *wide[:-1]]
    x = torch.randn(2, 3, 8, 8, generator=torch.manual_seed(0))
    maps, scores = net[:-1](x), net(x)
    side = 2 if pool else 8
    assert maps.shape == (2, 5, side, side)
    assert torch.allclose(maps.mean(dim=(2, 3)), scores, atol=1e-6)
    assert cost.from_torch(net, (3, 8, 8)).parameters == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("relu_on_scores", [True, False])
def test_small_nin_rectifies_and_normalises_where_it_says(norm, relu_on_scores):
    net = nets.small_nin(norm=norm, relu_on_scores=relu_on_scores)
    kinds = [[type(m) for m in step] for name, step in net.named_children() if "block " in name
             and not name.startswith("after")]  # fmt: skip
    normed = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] if norm else [nn.Conv2d, nn.ReLU]
    assert kinds[:-1] == [normed] * 8
    assert kinds[-1] == ([nn.Conv2d, nn.ReLU] if relu_on_scores else [nn.Conv2d])
    scores = net(torch.randn(50, 1, 8, 8, generator=torch.manual_seed(0)))
    assert (scores.min() >= 0) == relu_on_scores


def test_small_nin_drops_between_blocks_alone():
    drops = [m.p for m in nets.small_nin(dropout=0.3).modules() if isinstance(m, nn.Dropout)]
    assert drops == [0.3, 0.3]
    assert not any(isinstance(m, nn.Dropout) for m in nets.small_nin().modules())


def test_small_nin_computes_what_the_kernels_compute():
    net = seeded(nets.small_nin, (4, 6, 8)).double()
    x = np.random.default_rng(0).standard_normal((2, 1, 8, 8))
    ours = x
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    for n, layer in enumerate(convs):
        w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        ours = conv2d(ours, w, b, padding=w.shape[2] // 2)
        ours = ours if n == 8 else relu(ours)
        ours = max_pool2d(ours, 2) if n in (2, 5) else ours
    with torch.no_grad():
        assert np.abs(net(torch.from_numpy(x)).numpy() - ours.mean((2, 3))).max() < 1e-12


def test_initialise_draws_the_deviation_that_it_names():
    torch.manual_seed(0)
    net = nets.initialise(nets.small_nin((64, 64, 64), channels=16))
    for layer in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
        wanted = (2 / (layer.in_channels * layer.kernel_size[0] ** 2)) ** 0.5
        assert abs(layer.weight.std().item() / wanted - 1) < 0.1
        assert not layer.bias.any()
    net = nets.initialise(net, std=0.05)
    weights = torch.cat([m.weight.flatten() for m in net.modules() if isinstance(m, nn.Conv2d)])
    assert abs(weights.std().item() / 0.05 - 1) < 0.02
    assert nets.initialise(net) is net


def test_docstring_examples():
    result = doctest.testmod(nets)
    assert result.attempted >= 8
    assert not result.failed
