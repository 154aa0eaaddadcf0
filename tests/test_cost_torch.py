"""Counting a torch module: against two other counters, and without a trace left in the module."""

import random
import warnings

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pointwise import cost

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fvcore.nn import FlopCountAnalysis
    from pytorchcv.model_provider import get_model


# Networks that other people wrote, with random weights: size of the image, what is not known by
# class, share of MACs in 1×1 convolutions where a paper or the ledger of this book gives one.
NETWORKS = {
    "resnet50": (224, set(), 0.489),
    "squeezenet_v1_0": (224, set(), None),
    "mobilenet_w1": (224, set(), 0.9486),
    "mobilenetv2_w1": (224, set(), None),
    "shufflenet_g1_w1": (224, {"ChannelShuffle"}, None),
    "shufflenetv2_w1": (224, {"ChannelShuffle"}, None),
    "densenet121": (224, set(), None),
    "bninception": (224, set(), None),
    "inceptionv3": (299, set(), None),
    "mobilenetv3_small_w1": (224, {"HSwish", "HSigmoid"}, None),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_agrees_with_fvcore_and_with_torch(name):
    size, strangers, share = NETWORKS[name]
    net = get_model(name, pretrained=False).eval()
    t = cost.from_torch(net, (3, size, size))

    x = torch.zeros(1, 3, size, size)
    theirs = FlopCountAnalysis(net, x)
    theirs.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing
        operators = theirs.by_operator()
    assert t.macs == operators["conv"] + operators["linear"]
    assert t.only(lambda row: row.kind != "dense").macs == operators["conv"]

    meta = net.to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        meta(x.to("meta"))
    assert 2 * t.macs == counter.get_total_flops()

    assert t.parameters == sum(p.numel() for p in net.parameters())
    assert t.out_shape == (1000,)
    assert {item.split("(")[1].split(")")[0] for item in t.unknown} == strangers
    if share is not None:
        assert round(t.only("pointwise").macs / t.macs, len(str(share)) - 2) == share


def test_rows_are_called_by_the_path_and_carry_the_shapes():
    t = cost.from_torch(get_model("squeezenet_v1_0"), (3, 224, 224))
    assert t.in_shape == (3, 224, 224)
    assert t.rows[0][:4] == ("features.init_block.conv", "7×7", (3, 224, 224), (96, 109, 109))
    assert t["output.final_conv"][1:4] == ("pointwise", (512, 13, 13), (1000, 13, 13))
    assert t["output.final_pool"][1:4] == ("pool", (1000, 13, 13), (1000, 1, 1))


# ------------------------------------------------------------------------- layers one at a time


@pytest.mark.parametrize(
    ("layer", "shape", "row"),
    [
        (nn.Conv1d(4, 6, 3, padding=1), (4, 10), ("3-tap", (4, 10), (6, 10), 72, 6, 720)),
        (nn.Conv1d(4, 6, 1), (4, 10), ("pointwise", (4, 10), (6, 10), 24, 6, 240)),
        (nn.Conv2d(4, 6, (1, 7)), (4, 8, 8), ("1×7", (4, 8, 8), (6, 8, 2), 168, 6, 2688)),
        (nn.Conv2d(4, 6, 3, dilation=2), (4, 8, 8), ("3×3", (4, 8, 8), (6, 4, 4), 216, 6, 3456)),
        (
            nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular", groups=4, bias=False),
            *((4, 8, 8), ("depthwise 3×3", (4, 8, 8), (4, 8, 8), 36, 0, 2304)),
        ),
        (nn.Conv3d(2, 3, 1), (2, 3, 4, 5), ("pointwise", (2, 3, 4, 5), (3, 3, 4, 5), 6, 3, 360)),
        (
            nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
            *((4, 5, 5), ("transposed grouped 3×3", (4, 5, 5), (6, 11, 11), 108, 6, 2700)),
        ),
        (nn.ConvTranspose1d(2, 2, 4), (2, 5), ("transposed 4-tap", (2, 5), (2, 8), 16, 2, 80)),
        (nn.Linear(8, 3), (8,), ("dense", (8,), (3,), 24, 3, 24)),
        (nn.Linear(8, 3, bias=False), (5, 7, 8), ("dense", (5, 7, 8), (5, 7, 3), 24, 0, 840)),
        (nn.BatchNorm2d(4), (4, 8, 8), ("norm", (4, 8, 8), (4, 8, 8), 4, 4, 0)),
        (nn.GroupNorm(2, 4), (4, 8, 8), ("norm", (4, 8, 8), (4, 8, 8), 4, 4, 0)),
        (nn.LayerNorm((4, 8)), (4, 8), ("norm", (4, 8), (4, 8), 32, 32, 0)),
        (nn.PReLU(4), (4, 8, 8), ("activation", (4, 8, 8), (4, 8, 8), 4, 0, 0)),
        (nn.MaxPool2d(3, 2, ceil_mode=True), (4, 8, 8), ("pool", (4, 8, 8), (4, 4, 4), 0, 0, 0)),
        (
            nn.MaxPool2d(2, return_indices=True),
            *((4, 8, 8), ("pool", (4, 8, 8), (4, 4, 4), 0, 0, 0)),
        ),
        (nn.AdaptiveAvgPool2d(2), (4, 8, 8), ("pool", (4, 8, 8), (4, 2, 2), 0, 0, 0)),
        (nn.AdaptiveMaxPool2d(1), (4, 8, 8), ("global pool", (4, 8, 8), (4,), 0, 0, 0)),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else "",
)
def test_rows_of_single_layers(layer, shape, row):
    t = cost.from_torch(layer, shape)
    assert t.rows == [(type(layer).__name__, *row)]
    assert t.unknown == ()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer.eval()(torch.zeros(1, *shape))
    assert 2 * t.macs == counter.get_total_flops()
    numbers = [*t.rows[0].in_shape, *t.rows[0].out_shape, *t.rows[0][4:], t.macs, t.parameters]
    assert {type(number) for number in numbers} == {int}


def test_layers_that_cost_nothing_get_no_row():
    nothing = [nn.ReLU(), nn.GELU(), nn.Dropout(), nn.Identity(), nn.ZeroPad2d(1), nn.Upsample(9)]
    nothing += [nn.LocalResponseNorm(3), nn.BatchNorm2d(3, affine=False), nn.ChannelShuffle(3)]
    nothing += [nn.Sequential(), nn.Flatten(), nn.Softmax(dim=1)]
    t = cost.from_torch(nn.Sequential(*nothing), (3, 4, 4))
    assert (t.rows, t.unknown, t.out_shape) == ([], (), (243,))


def test_a_layer_called_twice_has_its_parameters_once():
    shared = nn.Conv2d(4, 4, 3, padding=1)
    t = cost.from_torch(nn.Sequential(shared, nn.ReLU(), shared), (4, 8, 8))
    assert [row.name for row in t.rows] == ["0", "0 (call 2)"]
    assert [row.macs for row in t.rows] == [9216, 9216]
    assert [row.parameters for row in t.rows] == [148, 0]


def test_weights_that_two_layers_share_count_once():
    one, two = nn.Linear(6, 6), nn.Linear(6, 6)
    two.weight = one.weight
    t = cost.from_torch(nn.Sequential(one, two), (6,))
    assert [(row.weights, row.biases, row.macs) for row in t.rows] == [(36, 6, 36), (0, 6, 36)]
    assert t.parameters == sum(p.numel() for p in nn.Sequential(one, two).parameters())


# ------------------------------------------------------------------------------ what is not known


class Scale(nn.Module):
    """A leaf with parameters and arithmetic of its own."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(7))

    def forward(self, x):
        return x * self.gain.sum()


class Times(nn.Module):
    """A leaf that multiplies matrices and has no parameters."""

    def forward(self, x):
        return x @ x.transpose(-1, -2)


class Holder(nn.Module):
    """A module that has layers, parameters beside them, and a layer that never runs."""

    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Linear(8, 8), nn.Linear(8, 2)
        self.offset = nn.Parameter(torch.zeros(8))

    def forward(self, x):
        return self.used(x) + self.offset


class Standardised(nn.Conv2d):
    """A convolution whose forward is its own."""

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight - self.weight.mean(), self.bias)


def test_a_leaf_of_an_unknown_class_is_named():
    t = cost.from_torch(nn.Sequential(nn.Linear(8, 8), Scale()), (8,))
    assert t.unknown == ("1 (Scale): 7 parameters, its arithmetic is not known",)
    assert t.parameters == 72
    assert repr(t).endswith("not counted: 1 (Scale): 7 parameters, its arithmetic is not known")


def test_matrix_multiplies_outside_layers_are_named_by_operator():
    t = cost.from_torch(nn.Sequential(nn.Linear(8, 6), Times()), (5, 8))
    assert t.unknown == (
        "1 (Times): its arithmetic is not known",
        "aten.bmm outside the known layers: 150 MACs",
    )
    assert t.macs == 240


@pytest.mark.parametrize(
    ("product", "operator", "macs"),
    [
        (lambda x: x[0] @ torch.ones(8, device=x.device), "aten.mv", 40),
        (lambda x: torch.dot(x[0, 0], x[0, 1]), "aten.dot", 8),
        (lambda x: torch.addmv(x[0, :, 0], x[0], x[0, 0]), "aten.addmv", 40),
        (lambda x: torch.einsum("nlc,nmc->nlm", x, x), "aten.bmm", 200),
        (lambda x: nn.functional.scaled_dot_product_attention(x, x, x), "aten.bmm", 400),
        (lambda x: nn.functional.conv1d(x, x.new_ones(2, 5, 3)), "aten.convolution", 180),
    ],
)
def test_functional_products_are_seen(product, operator, macs):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Identity()

        def forward(self, x):
            return product(self.first(x))

    t = cost.from_torch(Functional(), (5, 8))
    assert t.unknown == (f"{operator} outside the known layers: {macs} MACs",)


def test_attention_is_named_with_its_parameters_and_its_products():
    net = nn.MultiheadAttention(32, 4, batch_first=True)

    class Itself(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = net

        def forward(self, x):
            return self.attention(x, x, x)[0]

    t = cost.from_torch(Itself(), (10, 32))
    assert t.unknown == (
        "attention (MultiheadAttention): 3,168 parameters",
        "attention.out_proj (NonDynamicallyQuantizableLinear): 1,056 parameters, never called",
        "aten.addmm outside the known layers: 40,960 MACs",
        "aten.bmm outside the known layers: 6,400 MACs",
    )
    assert torch.backends.mha.get_fastpath_enabled()


def test_parameters_beside_layers_and_of_idle_layers_are_named():
    t = cost.from_torch(Holder(), (8,))
    assert [row.name for row in t.rows] == ["used"]
    assert t.unknown == (
        "Holder (Holder): 8 parameters",
        "idle (Linear): 18 parameters, never called",
    )


def test_a_subclass_with_its_own_forward_is_not_taken_for_its_parent():
    t = cost.from_torch(Standardised(3, 4, 1), (3, 8, 8))
    assert t.rows == []
    assert t.unknown == (
        "Standardised (Standardised): 16 parameters, its arithmetic is not known",
        "aten.convolution outside the known layers: 768 MACs",
    )


def test_recurrent_layers_are_named():
    t = cost.from_torch(nn.LSTM(8, 16, batch_first=True), (5, 8))
    assert t.unknown[0] == "LSTM (LSTM): 1,664 parameters, its arithmetic is not known"
    assert t.parameters == 0


# --------------------------------------------------------------------------------- without a trace


class Looking(nn.Module):
    """A forward that looks at values, so that it cannot run on the meta device."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.register_buffer("runs", torch.zeros(1))
        self.seen, self.grid = [], torch.arange(6.0)

    def forward(self, x):
        self.runs += 1
        self.seen.append(1)
        self.grid = self.grid + torch.rand(6)
        return self.conv(x) if self.conv(x).sum() < 1e9 else x


class Failing(nn.Module):
    def forward(self, x):
        raise RuntimeError("out of order")


def state(net):
    """All that counting could change in a module."""
    return (
        [(name, id(layer), layer.training) for name, layer in net.named_modules()],
        [
            (name, id(p), p.device, p.requires_grad, p.grad, p.tolist(), p._version)
            for name, p in [*net.named_parameters(), *net.named_buffers()]
        ],
        [
            (len(layer._forward_hooks), len(layer._forward_pre_hooks), layer.forward.__func__)
            for layer in net.modules()
        ],
        torch.get_rng_state().tolist(),
        random.getstate(),
        torch.is_grad_enabled(),
    )


def mixed_modes():
    """A small net with batch norm and dropout, half in train and half in eval mode."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 2, 1))
    net[1].eval()
    net[3].weight.requires_grad_(False)
    net[0].register_forward_hook(lambda *_: None)
    return net


@pytest.mark.parametrize("build", [mixed_modes, Looking, lambda: nn.Sequential(Looking())])
def test_the_module_is_left_as_it_was(build):
    net = build()
    before = state(net)
    cost.from_torch(net, (3, 8, 8))
    assert state(net) == before
    with pytest.raises(ValueError, match="does not run"):
        cost.from_torch(net, (5, 8, 8))
    assert state(net) == before


def test_a_forward_that_looks_at_values_runs_on_the_cpu():
    net = Looking()
    t = cost.from_torch(net, (3, 8, 8))
    assert [row.macs for row in t.rows] == [3888, 3888]
    assert net.runs.item() == 0
    assert net.seen == []
    assert torch.equal(net.grid, torch.arange(6.0))


def test_a_cache_inside_forward_is_not_filled_with_empty_tensors():
    class Caching(nn.Module):
        def __init__(self):
            super().__init__()
            self.grid = None

        def forward(self, x):
            if self.grid is None:
                self.grid = torch.arange(x.shape[-1], device=x.device)
            return x + self.grid

    net = Caching()
    cost.from_torch(net, (4,))
    assert net.grid is None


def test_tensors_that_are_no_parameters_come_along_to_the_meta_device():
    net = nn.Sequential(nn.Linear(4, 4))
    net[0].table = torch.ones(4)
    net[0].later = net[0].weight * 2  # not a leaf: a plain copy refuses it
    assert cost.from_torch(net, (4,)).macs == 16


def test_double_precision_and_a_module_on_the_meta_device():
    assert cost.from_torch(nn.Linear(4, 4).double(), (4,)).macs == 16
    net = nn.Linear(4, 4, device="meta")
    assert cost.from_torch(net, (4,)).macs == 16
    assert net.weight.is_meta


def test_large_networks_cost_no_memory():
    with torch.device("meta"):
        net = nn.Sequential(nn.Linear(10**6, 10**6), nn.Linear(10**6, 1000))
    assert cost.from_torch(net, (10**6,)).macs == 10**12 + 10**9


def test_errors_name_the_layer():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU(), nn.Conv2d(5, 6, 3)))
    with pytest.raises(ValueError, match=r"\(3, 8, 8\); it fails in 1\.1 \(Conv2d\): .* 4 ch"):
        cost.from_torch(net, (3, 8, 8))
    with pytest.raises(ValueError, match=r"fails in 0 \(Failing\): out of order"):
        cost.from_torch(nn.Sequential(Failing()), (3, 8, 8))
    with pytest.raises(ValueError, match=r"Sequential does not run .* fails in 0 \(Linear\)"):
        cost.from_torch(nn.Sequential(nn.Linear(4, 4)), (5,))


@pytest.mark.parametrize(
    ("module", "shape", "said"),
    [
        (nn.ReLU, (3, 8, 8), "torch.nn.Module"),
        (lambda x: x, (3, 8, 8), "torch.nn.Module"),
        (None, (3, 8, 8), "got None"),
        (nn.ReLU(), 3, "without the batch axis, got 3"),
        (nn.ReLU(), (), "without the batch axis"),
        (nn.ReLU(), (3, 0, 8), "at least 1, got 0"),
        (nn.ReLU(), (3, 8.0, 8), "integer, got 8.0"),
        (nn.ReLU(), (3, True, 8), "integer, got True"),
        (nn.LazyConv2d(4, 1), (3, 8, 8), "weight is lazy"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_bad_arguments_are_refused(module, shape, said):
    with pytest.raises(ValueError, match=said):
        cost.from_torch(module, shape)


def test_a_module_that_cannot_be_copied_is_refused():
    net = nn.Linear(4, 4)
    net.lines = (line for line in "abc")
    with pytest.raises(ValueError, match="Linear cannot be copied: cannot pickle 'generator'"):
        cost.from_torch(net, (4,))
