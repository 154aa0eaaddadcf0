"""Time the kernels on GoogLeNet's layers, against torch and against the bare matrix multiply.

    python benchmarks/kernels.py                 # all layers, batches of 1 and 8
    python benchmarks/kernels.py --batch 1 --rounds 51 --json times.json

One thread, float32, bias included. Each round times the kernel and a rival once, in turns first, so
that neither always finds the cache as the other left it. A speed is the median over rounds of
(their time / our time): 1.00 means as fast as they are, more is faster. Shared machines are noisy:
look at the quartiles, and run it twice.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
import platform
import time
import tracemalloc
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from pointwise.conv import conv1x1, conv2d

# Szegedy et al. 2014, arXiv 1409.4842, table 1: input channels, height and width, then
# #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj.
INCEPTION = {
    "3a": (192, 28, 64, 96, 128, 16, 32, 32),
    "3b": (256, 28, 128, 128, 192, 32, 96, 64),
    "4a": (480, 14, 192, 96, 208, 16, 48, 64),
    "4b": (512, 14, 160, 112, 224, 24, 64, 64),
    "4c": (512, 14, 128, 128, 256, 24, 64, 64),
    "4d": (512, 14, 112, 144, 288, 32, 64, 64),
    "4e": (528, 14, 256, 160, 320, 32, 128, 128),
    "5a": (832, 7, 256, 160, 320, 32, 128, 128),
    "5b": (832, 7, 384, 192, 384, 48, 128, 128),
}


def googlenet():
    """List the 37 pointwise and the 19 wider layers: (name, C_in, C_out, size, k)."""
    pointwise = [("conv2 reduce", 64, 64, 56, 1)]
    wider = [("conv2 3×3", 64, 192, 56, 3)]
    for name, (C, n, one, reduce3, three, reduce5, five, proj) in INCEPTION.items():
        pointwise += [
            (f"{name} 1×1", C, one, n, 1),
            (f"{name} 3×3 reduce", C, reduce3, n, 1),
            (f"{name} 5×5 reduce", C, reduce5, n, 1),
            (f"{name} pool proj", C, proj, n, 1),
        ]
        wider += [(f"{name} 3×3", reduce3, three, n, 3), (f"{name} 5×5", reduce5, five, n, 5)]
    assert (len(pointwise), len(wider)) == (37, 19)
    return pointwise + wider


def contenders(layer, batch):
    """Return the kernel, torch and the bare multiply as functions of nothing."""
    _, C_in, C_out, n, k = layer
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, C_in, n, n), np.float32)
    w = rng.standard_normal((C_out, C_in, k, k), np.float32)
    b = rng.standard_normal(C_out, np.float32)
    tx, tw, tb = (torch.from_numpy(a) for a in (x, w, b))
    matrix = w.reshape(C_out, -1)
    # What the multiply reads: the image itself, or an array as large as all its windows.
    columns = x if k == 1 else rng.standard_normal((batch, C_in, k, k, n, n), np.float32)
    columns = columns.reshape(batch, -1, n * n)

    def ours():
        return conv1x1(x, matrix, b) if k == 1 else conv2d(x, w, b, padding=k // 2)

    def theirs():
        return F.conv2d(tx, tw, tb, padding=k // 2)

    def multiply():
        return matrix @ columns

    # Sums of K products of numbers around 1: far above float32's rounding, far below a wrong sum.
    assert np.abs(ours() - theirs().numpy()).max() < 1e-5 * C_in * k * k
    return ours, theirs, multiply


def memory(call, batch, C_in, C_out, n, k):
    """Return peak memory, and peak memory without the result, in units of input + output."""
    tracemalloc.start()
    try:
        out = call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    unit = 4 * batch * n * n * (C_in + C_out)
    peak -= 4 * C_in * C_out * k * k if k > 1 else 0  # conv2d's rearranged weights
    return peak / unit, (peak - out.nbytes) / unit


def duel(ours, theirs, rounds):
    """Time both in alternating order; return two arrays of seconds."""
    times = np.empty((rounds, 2))
    for r in range(-2, rounds):  # two rounds to warm up
        for i in (0, 1) if r % 2 else (1, 0):
            start = time.perf_counter()
            (ours, theirs)[i]()
            times[r, i] = time.perf_counter() - start
    return times.T


def measure(layer, batch, rounds):
    kernel, by_torch, multiply = contenders(layer, batch)
    with torch.inference_mode():
        ours, theirs = duel(kernel, by_torch, rounds)
    again, bare = duel(kernel, multiply, rounds)
    name, C_in, C_out, n, k = layer
    peak, scratch = memory(kernel, batch, C_in, C_out, n, k)
    return {
        "layer": name,
        "shape": f"{C_in}→{C_out}, {n}×{n}",
        "k": k,
        "batch": batch,
        "microseconds": [float(q) for q in 1e6 * np.quantile(ours, [0.25, 0.5, 0.75])],
        "torch": [float(q) for q in np.quantile(theirs / ours, [0.25, 0.5, 0.75])],
        "matmul": [float(q) for q in np.quantile(bare / again, [0.25, 0.5, 0.75])],
        "peak": peak,
        "scratch": scratch,
    }


def machine():
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0].split(":")[1].strip() if names else cpu
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "CPU": cpu,
        "cores": os.cpu_count(),
        "OS": platform.platform(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": f"{blas['name']} {blas['version']}",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="default: 1 8")
    parser.add_argument("--rounds", type=int, default=31, help="timings of a layer; default: 31")
    parser.add_argument("--only", choices=["pointwise", "wider"], help="1×1 layers, or the others")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    options = parser.parse_args()
    torch.set_num_threads(1)

    about = machine()
    print("\n".join(f"{key}: {value}" for key, value in about.items()))
    print("\nspeed: median [quartiles] of their time / ours; memory in units of input + output\n")
    heads = f"{'batch':5} {'layer':15} {'shape':16} {'µs':>7}  {'vs torch':17} {'vs matmul':9} "
    print(heads + f"{'peak':>5} {'without result':>14}")
    rows = []
    for layer in googlenet():
        if options.only and (options.only == "pointwise") != (layer[4] == 1):
            continue
        for batch in options.batch:
            row = measure(layer, batch, options.rounds)
            rows.append(row)
            low, middle, high = row["torch"]
            print(
                f"{batch:5} {row['layer']:15} {row['shape']:16} {row['microseconds'][1]:7.0f}  "
                f"{middle:4.2f} [{low:4.2f} {high:4.2f}]  {row['matmul'][1]:9.2f} "
                f"{row['peak']:5.2f} {row['scratch']:14.2f}",
                flush=True,
            )
    print()
    for title, is_pointwise in [("conv1x1, 37 layers", True), ("conv2d, 19 layers", False)]:
        for batch in options.batch:
            chosen = [r for r in rows if r["batch"] == batch and (r["k"] == 1) == is_pointwise]
            if chosen:
                worst = min(chosen, key=lambda r: r["torch"][1])
                mean = {
                    rival: np.exp(np.mean([np.log(r[rival][1]) for r in chosen]))
                    for rival in ("torch", "matmul")
                }
                print(
                    f"{title}, batch {batch}: geometric mean {mean['torch']:.2f} of torch, "
                    f"{mean['matmul']:.2f} of matmul; "
                    f"worst {worst['torch'][1]:.2f} of torch ({worst['layer']}); "
                    f"memory at most {max(r['peak'] for r in chosen):.2f}, "
                    f"without the result {max(r['scratch'] for r in chosen):.2f}"
                )
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "layers": rows}, indent=1))


if __name__ == "__main__":
    main()
