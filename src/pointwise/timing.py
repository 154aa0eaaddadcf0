"""One honest stopwatch: warm-up, interleaved rounds, pinned threads, median and quartiles.

**What it does about the usual mistakes.** The first rounds are thrown away: they fill caches and
choose kernels. The calls take strict turns: a slow minute of the machine hits all of them, and each
finds the caches as the one before it left them, in every round alike. A comparison is the median of
the ratios within a round, not the ratio of two bests. Before it starts, a block of 31 MiB is
borrowed and given back: glibc then keeps freed memory, and no round pays for fresh pages that
another round got for nothing.

**What it refuses.** A `Comparison` has no ratio where the upper quartile of the ratios is more than
`WIDEST` = 1.5 times the lower one, or where the clock did not move during a call. A disturbed
measurement is thrown away whole and made again, three times by default; after that it says
"too noisy" and shows the quartiles. The rule looks at the spread alone, never at the result.

**What it cannot do.** Threads are counted, not tied to a core, and the speed of the core is not
fixed: both are for the operating system. A disturbance that lasts through all rounds alike, such as
another program on the second of two cores, does not show in their spread.
"""

import os
import platform
import sys
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointwise.cost import Conv, Depthwise, table
from pointwise.shapes import integer

WIDEST = 1.5  # upper over lower quartile, at most, for a comparison to mean something
FEWEST = 5  # rounds; below, quartiles say nothing


class TooNoisy(RuntimeError):
    """The spread is so wide that the comparison has no result."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """How long one call took.

    Attributes
    ----------
    seconds : ndarray of shape (rounds,), float64
    quartiles : (float, float, float)
        Lower quartile, median and upper quartile, in seconds.
    median : float
        In seconds.
    noisy : bool
        The upper quartile is more than `WIDEST` times the lower one.

    Examples
    --------
    >>> print(Measurement(np.array([0.002, 0.002, 0.003])))
    2.00 ms [2.00, 2.50]
    """

    seconds: np.ndarray

    @property
    def quartiles(self):
        return quartiles(self.seconds)

    @property
    def median(self):
        return self.quartiles[1]

    @property
    def noisy(self):
        return why_not(self.seconds) is not None

    def __str__(self):
        low, middle, high = self.quartiles
        unit, name = next((u for u in ((1, "s"), (1e-3, "ms")) if middle >= u[0]), (1e-6, "µs"))
        return f"{middle / unit:.2f} {name} [{low / unit:.2f}, {high / unit:.2f}]"


@dataclass(frozen=True, eq=False)
class Comparison:
    """How many times as long the first call takes as the second.

    Attributes
    ----------
    seconds : ndarray of shape (rounds, 2), float64
        One row for each round: the first call, the second.
    quartiles : (float, float, float)
        Of first over second, round by round. They may be looked at whatever they are.
    ratio : float
        The median of the same; a `TooNoisy` is raised where the comparison is refused.
    refused : str or None
        Why there is no ratio.

    Examples
    --------
    >>> print(Comparison(np.array([[6.0, 2.0], [6.2, 2.0], [5.8, 2.0]])))
    3.00× [2.95, 3.05]
    >>> print(Comparison(np.array([[2.0, 4.0], [4.0, 4.0], [9.0, 4.0]])))
    too noisy: quartiles 0.75–1.62
    """

    seconds: np.ndarray

    @property
    def quartiles(self):
        # A call that the clock did not see gives 0/0 or x/0; `refused` says so.
        with np.errstate(divide="ignore", invalid="ignore"):
            return quartiles(self.seconds[:, 0] / self.seconds[:, 1])

    @property
    def refused(self):
        if (self.seconds <= 0).any():
            return "the clock did not move during a call: repeat the work inside the call"
        low, _, high = self.quartiles
        return f"too noisy: quartiles {low:.2f}–{high:.2f}" if high > WIDEST * low else None

    @property
    def ratio(self):
        if self.refused:
            raise TooNoisy(self.refused)
        return self.quartiles[1]

    def __str__(self):
        low, middle, high = self.quartiles
        return self.refused or f"{middle:.2f}× [{low:.2f}, {high:.2f}]"


def quartiles(values):
    """Give the lower quartile, the median and the upper quartile as floats."""
    return tuple(float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))


def why_not(seconds):
    """Say why these times of one call are no measurement, or None."""
    if (seconds <= 0).any():
        return "the clock did not move"
    low, _, high = quartiles(seconds)
    return "too wide" if high > WIDEST * low else None


def rounds_of(calls, rounds, warmup, budget, clock):
    """Run the calls in turns; return seconds, one row for each round, one column for each call."""
    np.empty(31 << 20, np.uint8)  # freed at once; see "usual mistakes" above
    start, rows = clock(), []
    for number in range(-warmup + 1, rounds + 1):
        row = np.empty(len(calls))
        for i, call in enumerate(calls):
            begin = clock()
            call()
            row[i] = clock() - begin
        rows.append(row)
        if number >= FEWEST and clock() - start > budget:
            break
    return np.array(rows[warmup:])


def check(calls, rounds, warmup, budget, tries):
    for call in calls:
        if not callable(call):
            raise TypeError(f"what is timed must be a function of no arguments, got {call!r}")
    if not budget > 0:
        raise ValueError(f"budget must be a positive number of seconds, got {budget!r}")
    least = {"rounds": (rounds, FEWEST), "warmup": (warmup, 0), "tries": (tries, 1)}
    return [integer(name, value, smallest) for name, (value, smallest) in least.items()]


def compare(first, second, *, rounds=21, warmup=2, budget=2.0, tries=3, clock=time.perf_counter):
    """Time two calls in turns and say how many times as long the first takes.

    Parameters
    ----------
    first, second : callable
        Functions of no arguments.
    rounds : int
        At least 5. In each, both calls run once, the first first.
    warmup : int
        Rounds before, not counted.
    budget : float
        Seconds after which a try ends, once it has 5 rounds.
    tries : int
        How often a measurement that is refused is made, the first time included.
    clock : callable
        Gives seconds. Tests put a false one here.

    Returns
    -------
    Comparison
        Of the first try that is not refused, else of the last.

    Raises
    ------
    TypeError
        What is to be timed cannot be called.
    ValueError
        A number is not an integer or too small, or the budget is not positive.

    Examples
    --------
    >>> result = compare(lambda: sum(range(40_000)), lambda: sum(range(1_000)))
    >>> isinstance(result, Comparison)
    True
    """
    rounds, warmup, tries = check((first, second), rounds, warmup, budget, tries)
    for _ in range(tries):
        result = Comparison(rounds_of((first, second), rounds, warmup, budget, clock))
        if result.refused is None:
            break
    return result


def race(calls, *, rounds=21, warmup=2, budget=2.0, tries=3, clock=time.perf_counter):
    """Time several calls in turns.

    Parameters
    ----------
    calls : dict
        `{"name": function of no arguments}`.
    rounds, warmup, budget, tries, clock
        As in `compare`; all calls together are one try, made again where one of them is noisy.

    Returns
    -------
    dict
        `{"name": Measurement}`

    Raises
    ------
    TypeError, ValueError
        As in `compare`; also a ValueError where there is nothing to time.

    Examples
    --------
    >>> list(race({"a": dict, "b": list}, rounds=5))
    ['a', 'b']
    """
    if not isinstance(calls, dict) or not calls:
        raise ValueError(f"calls must be a dict of at least one function, got {calls!r}")
    rounds, warmup, tries = check(calls.values(), rounds, warmup, budget, tries)
    for _ in range(tries):
        seconds = rounds_of(list(calls.values()), rounds, warmup, budget, clock)
        results = {name: Measurement(column) for name, column in zip(calls, seconds.T, strict=True)}
        if not any(result.noisy for result in results.values()):
            break
    return results


def measure(call, **options):
    """Time one call.

    Parameters
    ----------
    call : callable
        A function of no arguments.
    **options
        Those of `race`.

    Returns
    -------
    Measurement

    Raises
    ------
    TypeError, ValueError
        As in `compare`.

    Examples
    --------
    >>> measure(list, rounds=7).seconds.shape
    (7,)
    """
    return race({"call": call}, **options)["call"]


# ------------------------------------------------------------------------------- threads, machine


def usable_cores():
    """Count the cores that this process may run on.

    Returns
    -------
    int
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def threads(number):
    """Pin the number of threads of torch, and of NumPy's BLAS, inside a `with`.

    Only libraries that are loaded already are pinned. torch is asked itself; BLAS and OpenMP go
    through threadpoolctl, where that is installed.

    Parameters
    ----------
    number : int

    Yields
    ------
    str
        What is pinned: "torch: 1 thread, openblas: 1 thread". What could not be is named too.

    Raises
    ------
    ValueError
        `number` is not an integer of at least 1.

    Examples
    --------
    >>> import torch
    >>> with threads(1) as pinned:
    ...     print("torch: 1 thread" in pinned, torch.get_num_threads())
    True 1
    """
    number = integer("number of threads", number, 1)
    said = {}
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None  # asked first: the limits act on torch too
    try:
        from threadpoolctl import threadpool_info, threadpool_limits

        limits = threadpool_limits(number)
    except ImportError:
        limits, threadpool_info = nullcontext(), None
    try:
        with limits:
            if torch:
                torch.set_num_threads(number)
                said["torch"] = torch.get_num_threads()
            if threadpool_info:
                blas = (pool for pool in threadpool_info() if pool["user_api"] == "blas")
                said |= {pool["internal_api"]: pool["num_threads"] for pool in blas}
            texts = [f"{name}: {n} thread{'s' * (n > 1)}" for name, n in said.items()]
            if not threadpool_info:
                texts.append("BLAS: not pinned, threadpoolctl is not installed")
            yield ", ".join(texts)
    finally:
        if torch:
            torch.set_num_threads(before)


def machine():
    """Say what the figures come from: the processor and the versions, no names of hosts or users.

    Returns
    -------
    dict
        Texts, by "CPU", "cores", "Python", "NumPy" and, where torch is loaded, "torch".

    Examples
    --------
    >>> list(machine())[:4]
    ['CPU', 'cores', 'Python', 'NumPy']
    """
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        cpu = names[0] if names else cpu
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    about = {
        "CPU": cpu,
        "cores": f"{usable_cores()} usable of {os.cpu_count()}",
        "Python": platform.python_version(),
        "NumPy": f"{np.__version__}, {blas['name']} {blas['version']}",
    }
    if torch := sys.modules.get("torch"):
        about["torch"] = f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"
    return about


# ---------------------------------------------------------------------------------- what is timed


def on_torch(layers, shape, *, batch=1):
    """Build a call that runs a chain of convolutions on torch, in float32, on random numbers.

    Parameters
    ----------
    layers : Conv, Depthwise, or list of those
        From `pointwise.cost`. Nothing runs between them.
    shape : (C, H, W)
    batch : int

    Returns
    -------
    callable
        A function of no arguments. It returns the result, a tensor of shape (batch, C, H, W).

    Raises
    ------
    ValueError
        A layer is none of the two, or does not fit the shape that it is given.

    Examples
    --------
    >>> tuple(on_torch([Conv(480, 16), Conv(16, 48, 5, padding=2)], (480, 14, 14))().shape)
    (1, 48, 14, 14)
    """
    import torch
    from torch.nn.functional import conv2d, pad

    layers = list(layers) if isinstance(layers, (list, tuple)) else [layers]
    for layer in layers:
        if not isinstance(layer, (Conv, Depthwise)):
            raise ValueError(f"only Conv and Depthwise can be timed, got {layer!r}")
    table(layers, shape)  # every layer fits
    batch = integer("batch", batch, 1)
    generator = torch.Generator().manual_seed(0)
    steps = []
    for layer in layers:
        if isinstance(layer, Conv):
            c_in, c_out, groups = layer.c_in, layer.c_out, layer.groups
        else:
            c_in, c_out, groups = layer.c, layer.c * layer.multiplier, layer.c
        weight = torch.rand(c_out, c_in // groups, layer.k, layer.k, generator=generator)
        bias = torch.rand(c_out, generator=generator) if layer.bias else None
        padding, border = layer.padding, None
        if padding == "same":
            # An even kernel wants one pixel more below and to the right: a padded copy.
            padding, odd = (layer.k - 1) // 2, layer.k % 2
            border = None if odd else (padding, padding + 1) * 2
            padding = padding if odd else 0
        steps.append((weight, bias, layer.stride, padding, groups, border))
    x = torch.rand(batch, *shape, generator=generator)

    def call():
        y = x
        for weight, bias, stride, padding, groups, border in steps:
            y = pad(y, border) if border else y
            y = conv2d(y, weight, bias, stride=stride, padding=padding, groups=groups)
        return y

    return call
