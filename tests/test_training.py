"""The training loop: what it returns, prints and repeats; and what is measured on a network."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from pointwise import datasets
from pointwise.training import accuracy, activity, each_seed, train


@pytest.fixture(scope="module")
def task():
    return datasets.contrasts(40, side=8), datasets.contrasts(40, side=8, seed=1)


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1))


def run(task, **options):
    net = small()
    step = torch.optim.Adam(net.parameters(), 0.02)
    return net, train(net, task[0], epochs=12, optimiser=step, batch=8, test=task[1], **options)


def test_it_learns_and_says_how_far(task):
    net, history = run(task)
    assert len(history) == 12
    assert history[-1]["loss"] < history[0]["loss"] / 2
    assert history[-1]["accuracy"] == accuracy(net, task[1]) > 0.9


def test_the_same_seed_gives_the_same_run(task):
    assert run(task)[1] == run(task)[1]
    assert run(task, seed=1)[1] != run(task)[1]


def test_one_line_is_left_on_the_screen(task, capsys):
    run(task, name="XOR")
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.rpartition("\r")[2].startswith("XOR: epoch 12 of 12, loss 0.")
    run(task, end="")
    assert "\n" not in capsys.readouterr().out


def test_one_step_is_plain_gradient_descent():
    """One batch, one epoch: the weights move by the rate times the gradient of the mean loss."""
    x, y = torch.randn(6, 3, 1, 1, generator=torch.manual_seed(0)), torch.tensor([0, 1, 2, 0, 1, 2])
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Flatten()).double()
    loss = nn.functional.cross_entropy(net(x.double()), y)
    gradients = torch.autograd.grad(loss, net.parameters())
    expected = [p - 0.5 * g for p, g in zip(net.parameters(), gradients, strict=True)]
    step = torch.optim.SGD(net.parameters(), 0.5)
    history = train(net, (x.double(), y), epochs=1, optimiser=step, batch=6)
    assert history[0]["loss"] == pytest.approx(loss.item())
    for new, wanted in zip(net.parameters(), expected, strict=True):
        assert torch.allclose(new, wanted, rtol=0, atol=1e-12)


def test_every_image_is_seen_once_in_an_epoch():
    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.seen = nn.Parameter(torch.zeros(1)), []

        def forward(self, x):
            self.seen += x[:, 0, 0, 0].tolist()
            return torch.cat([self.weight * x[:, :, 0, 0], x[:, :, 0, 0]], dim=1)

    spy, x = Spy(), np.arange(10.0).reshape(10, 1, 1, 1)
    step = torch.optim.SGD(spy.parameters(), 0.01)
    train(spy, (x, np.zeros(10, int)), epochs=2, optimiser=step, batch=4)
    assert sorted(spy.seen[:10]) == sorted(spy.seen[10:]) == list(range(10))
    assert spy.seen[:10] != spy.seen[10:]


def test_dropout_acts_in_training_and_not_in_tests(task):
    modes = []

    class Note(nn.Module):
        def forward(self, x):
            modes.append(self.training)
            return x

    net = nn.Sequential(Note(), small())
    train(net, task[0], epochs=1, optimiser=torch.optim.SGD(net.parameters(), 0.1), test=task[1])
    assert modes == [True, False]


def test_a_loss_that_blew_up_is_told(task):
    net = small()
    step = torch.optim.SGD(net.parameters(), 1e20)
    history = train(net, task[0], epochs=2, optimiser=step, batch=8)
    assert not math.isfinite(history[-1]["loss"])


def test_accuracy_counts_images_and_pixels():
    class Fixed(nn.Module):
        def forward(self, x):
            return x

    scores = torch.tensor([[2.0, 1], [0, 3], [5, 4]])
    assert accuracy(Fixed(), (scores, np.array([0, 1, 1]))) == pytest.approx(2 / 3)
    pixels = scores.T.reshape(1, 2, 3, 1)
    assert accuracy(Fixed(), (pixels, np.array([[[0], [0], [1]]]))) == pytest.approx(1 / 3)


def test_activity_by_hand():
    net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.ReLU())
    x = np.array([-1.0, 3.0, 1.0, -5.0]).reshape(2, 2, 1, 1)  # two images of two channels
    first, second = activity(net, x)
    assert first == second
    share, spread = first  # outputs (0, 3) and (1, 0): deviations √0.5 and √4.5
    assert share == 0.5
    assert spread == pytest.approx((0.5**0.5 + 4.5**0.5) / 2)
    assert not any(m._forward_hooks for m in net.modules())


def test_a_dead_layer_shows():
    net = small()
    nn.init.constant_(net[0].bias, -100)
    assert activity(net, datasets.contrasts(5)[0]) == [(0.0, 0.0)]


def test_each_seed_keeps_and_prints_every_value(capsys):
    assert each_seed("tries", lambda seed: seed / 2, seeds=3) == [0, 0.5, 1]
    left = capsys.readouterr().out.rpartition("\r")[2]
    assert left.split() == ["tries", "0.000", "0.500", "1.000"]
