"""The stopwatch under false clocks: what it counts, what it refuses. No real time is asserted."""

import doctest
import subprocess
import sys

import numpy as np
import pytest
import torch

from pointwise import timing
from pointwise.cost import Conv, Depthwise, Pool, table
from pointwise.timing import Comparison, Measurement, TooNoisy, compare, measure, race


class FalseClock:
    """A clock that moves when a call says so, and notes who called."""

    def __init__(self):
        self.now = 0.0
        self.log = []

    def __call__(self):
        return self.now

    def call(self, name, durations):
        """A call that takes the next of the durations each time, and the last one for ever."""
        left = list(durations)

        def run():
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_a_comparison_is_the_median_of_the_ratios_of_the_rounds():
    clock = FalseClock()
    first = clock.call("a", [2, 4, 6, 8, 10])
    second = clock.call("b", [1, 2, 3, 4, 4])
    result = compare(first, second, rounds=5, warmup=0, budget=1e9, clock=clock)
    assert result.seconds.tolist() == [[2, 1], [4, 2], [6, 3], [8, 4], [10, 4]]
    assert result.ratio == 2
    assert result.quartiles == (2, 2, 2)
    assert str(result) == "2.00× [2.00, 2.00]"


def test_it_is_not_the_ratio_of_the_medians():
    seconds = np.array([[1, 1], [9, 3], [2, 2], [8, 2], [3, 3]])
    assert Comparison(seconds).quartiles[1] == 1
    assert np.median(seconds[:, 0]) / np.median(seconds[:, 1]) == 1.5


def test_the_calls_take_strict_turns():
    """A call never runs twice in a row: it would find its own arrays in the cache."""
    options = {"rounds": 5, "warmup": 1, "budget": 99}
    clock = FalseClock()
    compare(clock.call("a", [1]), clock.call("b", [1]), clock=clock, **options)
    assert "".join(clock.log) == 6 * "ab"
    clock = FalseClock()
    race({name: clock.call(name, [1]) for name in "abc"}, clock=clock, **options)
    assert "".join(clock.log) == 6 * "abc"


def test_warm_up_runs_and_is_not_counted():
    clock = FalseClock()
    call = clock.call("a", [100, 100, 100, 1])
    result = measure(call, rounds=6, warmup=3, budget=1e9, clock=clock)
    assert len(clock.log) == 9
    assert result.seconds.tolist() == [1] * 6


def test_the_budget_ends_a_try_but_leaves_five_rounds():
    for budget, rounds in [(0.5, 5), (7.5, 8), (1e9, 20)]:
        clock = FalseClock()
        call = clock.call("a", [1])
        assert len(measure(call, rounds=20, warmup=0, budget=budget, clock=clock).seconds) == rounds


@pytest.mark.parametrize(
    ("ratios", "refused"),
    [
        ([1.0, 1.0, 1.0, 1.0, 1.0], False),
        ([1.0, 1.0, 1.2, 1.5, 9.0], False),  # 1.5 times, and an outlier beyond the quartile
        ([1.0, 1.0, 1.2, 1.51, 9.0], True),
        ([0.7, 0.7, 1.1, 1.9, 1.9], True),
        ([20.0, 20.0, 24.0, 30.0, 30.0], False),  # the rule is on the spread, whatever the ratio
        ([0.02, 0.02, 0.024, 0.031, 0.031], True),
    ],
)
def test_the_rule_looks_at_the_spread_alone(ratios, refused):
    result = Comparison(np.array([[ratio, 1.0] for ratio in ratios]))
    assert (result.refused is not None) == refused
    if refused:
        with pytest.raises(TooNoisy, match=r"too noisy: quartiles \d"):
            _ = result.ratio
        assert str(result) == result.refused
    else:
        assert result.ratio == pytest.approx(ratios[2])


def test_a_refusal_shows_the_quartiles():
    result = Comparison(np.array([[0.7, 1], [0.7, 1], [1.1, 1], [1.9, 1], [1.9, 1]]))
    assert str(result) == "too noisy: quartiles 0.70–1.90"
    assert result.quartiles == (0.7, 1.1, 1.9)


def test_a_disturbed_try_is_thrown_away_whole_and_made_again():
    clock = FalseClock()
    disturbed = [1, 9, 1, 9, 9]
    first = clock.call("a", [*disturbed, 3])
    result = compare(first, clock.call("b", [1]), rounds=5, warmup=0, budget=1e9, clock=clock)
    assert len(clock.log) == 20
    assert result.ratio == 3
    assert result.seconds[:, 0].tolist() == [3] * 5


@pytest.mark.parametrize("tries", [1, 2, 4])
def test_it_gives_up_after_the_tries(tries):
    clock = FalseClock()
    first = clock.call("a", [1, 9] * 50)
    second = clock.call("b", [1])
    result = compare(first, second, rounds=6, warmup=0, budget=1e9, tries=tries, clock=clock)
    assert len(clock.log) == 12 * tries
    with pytest.raises(TooNoisy):
        _ = result.ratio


def test_a_clock_that_stands_still_gives_no_ratio():
    clock = FalseClock()
    result = compare(clock.call("a", [1]), clock.call("b", [0]), clock=clock, rounds=5)
    with pytest.raises(TooNoisy, match="the clock did not move"):
        _ = result.ratio
    assert measure(clock.call("b", [0]), clock=clock).noisy


def test_a_drift_of_the_machine_leaves_the_ratio_alone():
    """The machine gets ten times slower while it measures: both calls of a round suffer alike."""
    clock = FalseClock()
    slower = np.linspace(1, 10, 21)
    first, second = clock.call("a", 3 * slower), clock.call("b", slower)
    result = compare(first, second, rounds=21, warmup=0, budget=1e9, clock=clock)
    assert result.ratio == pytest.approx(3)


def test_a_race_measures_each_and_repeats_where_one_is_noisy():
    clock = FalseClock()
    calls = {"calm": clock.call("c", [2]), "wild": clock.call("w", [1, 5, 1, 5, 5, 4])}
    result = race(calls, rounds=5, warmup=0, budget=1e9, clock=clock)
    assert list(result) == ["calm", "wild"]
    assert (result["calm"].median, result["wild"].median) == (2, 4)
    assert len(clock.log) == 20


def test_a_measurement_says_its_quartiles_in_a_fitting_unit():
    assert str(Measurement(np.array([2.0, 2, 2]))) == "2.00 s [2.00, 2.00]"
    assert str(Measurement(np.array([2e-6, 3e-6, 4e-6]))) == "3.00 µs [2.50, 3.50]"
    assert Measurement(np.array([1.0, 1, 1, 9])).noisy is True
    assert Measurement(np.array([1.0, 1, 1, 1])).noisy is False


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="function of no arguments, got 7"):
        compare(7, list)
    with pytest.raises(TypeError, match="got None"):
        compare(list, None)
    with pytest.raises(ValueError, match="rounds"):
        compare(list, list, rounds=4)
    with pytest.raises(ValueError, match="rounds"):
        measure(list, rounds=5.5)
    with pytest.raises(ValueError, match="warmup"):
        measure(list, warmup=-1)
    with pytest.raises(ValueError, match="tries"):
        measure(list, tries=0)
    for budget in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="budget must be a positive"):
            measure(list, budget=budget)
    for nothing in ({}, [list]):
        with pytest.raises(ValueError, match="at least one function"):
            race(nothing)


# ------------------------------------------------------------------------------- threads, machine


def test_threads_are_pinned_and_given_back():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def blas():
        pools = threadpoolctl.threadpool_info()
        return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]

    before = torch.get_num_threads(), blas()
    for number in (1, 2):
        with timing.threads(number) as pinned:
            assert torch.get_num_threads() == number
            assert set(blas()) <= {number}
            assert f"torch: {number} thread" in pinned
            if blas():
                assert "blas: " in pinned or "mkl: " in pinned
        assert (torch.get_num_threads(), blas()) == before


def test_threads_are_given_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), timing.threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_without_threadpoolctl_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with timing.threads(1) as pinned:
        assert pinned == "torch: 1 thread, BLAS: not pinned, threadpoolctl is not installed"


@pytest.mark.parametrize("bad", [0, -1, 1.5, "2", True])
def test_threads_refuses(bad):
    with pytest.raises(ValueError, match="number of threads"), timing.threads(bad):
        pass


def test_the_machine_is_named_without_its_host():
    import platform

    about = timing.machine()
    assert list(about) == ["CPU", "cores", "Python", "NumPy", "torch"]
    assert all(about.values())
    assert about["torch"].startswith(torch.__version__)
    assert platform.node() not in " ".join(about.values()) or len(platform.node()) < 4
    assert timing.usable_cores() >= 1


def test_the_import_needs_numpy_alone():
    code = (
        "import sys, pointwise.timing, pointwise.predict\n"
        "heavy = {'torch', 'matplotlib', 'sklearn', 'scipy', 'threadpoolctl'} & set(sys.modules)\n"
        "assert 'torch' not in pointwise.timing.machine()\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------------------------- what is timed


def in_torch(layer, x, w, b):
    from torch import nn

    groups = 1 if isinstance(layer, Conv) else layer.c
    module = nn.Conv2d(
        x.shape[1], w.shape[0], layer.k, stride=layer.stride, padding=layer.padding, groups=groups
    )
    module.weight.data, module.bias.data = w, b
    with torch.no_grad():
        return module(x)


@pytest.mark.parametrize(
    "layer",
    [
        Conv(6, 4),
        Conv(6, 4, stride=2),
        Conv(6, 4, 3, padding=1),
        Conv(6, 4, 5, padding="same"),
        Conv(6, 4, 4, padding="same"),
        Conv(6, 4, 2, padding="same"),
        Depthwise(6, 3, padding=1),
        Depthwise(6, 3, padding=1, stride=2),
        Depthwise(6, 4, padding="same", multiplier=2),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_on_torch_runs_the_layer_that_is_counted(layer):
    call = timing.on_torch(layer, (6, 9, 8), batch=2)
    closure = dict(zip(call.__code__.co_freevars, call.__closure__, strict=True))
    x = closure["x"].cell_contents
    [(w, b, *_)] = closure["steps"].cell_contents
    counted = table(layer, (6, 9, 8))
    assert tuple(call().shape) == (2, *counted.out_shape)
    assert w.numel() == counted.weights
    assert torch.allclose(call(), in_torch(layer, x, w, b), atol=1e-5)


def test_on_torch_chains_and_refuses():
    chain = [Conv(8, 2, bias=False), Depthwise(2, 3, padding=1)]
    assert tuple(timing.on_torch(chain, (8, 5, 5))().shape) == (1, 2, 5, 5)
    with pytest.raises(ValueError, match="only Conv and Depthwise"):
        timing.on_torch([Conv(8, 2), Pool(2)], (8, 4, 4))
    with pytest.raises(ValueError, match="reads 2 channels, but gets 3"):
        timing.on_torch([Conv(8, 3), Conv(2, 2)], (8, 4, 4))
    with pytest.raises(ValueError, match="batch"):
        timing.on_torch(Conv(8, 3), (8, 4, 4), batch=0)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(timing)
    assert result.attempted >= 10
    assert result.failed == 0
