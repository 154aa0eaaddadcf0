"""What exercises count by formula, counted again with the cost model and with torch."""

import numpy as np
import pytest

from pointwise import cost, exercises
from pointwise.architectures import Widths, inception, naive_inception
from pointwise.cost import Conv
from pointwise.exercises.core import namespace
from pointwise.exercises.inception_reductions import LINES

SEEDS = range(20)


def drawn(slug, name):
    chapter = exercises.chapter(slug)
    for k in SEEDS:
        p = namespace(chapter[name].sample(b"counts", str(k)))
        yield p, chapter[name].solve(p)


def pair(p, r, padding):
    layers = [Conv(p.c_in, r), Conv(r, p.c_out, p.k, padding=padding)]
    return cost.table(layers, (p.c_in, p.side, p.side))


def alone(p, padding):
    layer = Conv(p.c_in, p.c_out, p.k, padding=padding)
    return cost.table([layer], (p.c_in, p.side, p.side))


def test_three_ratios():
    for p, (weights, parameters, macs) in drawn("worked-examples", "three-ratios"):
        a, b = alone(p, 0), pair(p, p.r, 0)
        assert (weights, parameters, macs) == pytest.approx(
            (a.weights / b.weights, a.parameters / b.parameters, a.macs / b.macs)
        )


def test_budget():
    for p, (fits, saves) in drawn("worked-examples", "budget"):
        assert pair(p, fits, "same").macs <= p.budget * 1e6 < pair(p, fits + 1, "same").macs
        direct = alone(p, "same").macs
        assert pair(p, saves, "same").macs < direct <= pair(p, saves + 1, "same").macs


def test_which_layer():
    for p, (c_in, c_out, side) in drawn("worked-examples", "from-the-counts"):
        layer = Conv(c_in, c_out, p.k, stride=p.stride, padding=p.k // 2)
        t = cost.table([layer], (c_in, side, side))
        macs = p.count if p.unit == "MACs" else p.count // 2
        assert (t.weights, t.parameters, t.macs) == (p.weights, p.parameters, macs)


def test_shapes_of_a_chain():
    for p, shapes in drawn("worked-examples", "fill-the-table"):
        layers, channels = [], p.c
        for kind, f, filters, stride, padding in p.layers:
            pad = {"valid": 0, "same": f // 2, "1": 1}[padding]
            if kind == "pool":
                layers.append(cost.Pool(f, stride=stride))
            else:
                layers.append(Conv(channels, filters, f, stride=stride, padding=pad))
                channels = filters
        found = [row.out_shape for row in cost.table(layers, (p.c, p.side, p.side)).rows]
        assert tuple((*s[1:], s[0]) if p.last else s for s in found) == shapes


def test_down_and_up():
    for p, (widest, factor) in drawn("worked-examples", "down-and-up"):
        direct = cost.table([Conv(p.c, p.c, p.k)], (p.c, 9, 9)).weights

        def weights(r, p=p):
            layers = [Conv(p.c, r), Conv(r, r, p.k), Conv(r, p.c)]
            return cost.table(layers, (p.c, 9, 9)).weights

        assert weights(widest) < direct <= weights(widest + 1)
        assert direct / weights(p.r) == pytest.approx(factor)


def test_sentences_about_reductions():
    exercise = exercises.chapter("worked-examples")["explain"]
    for k in SEEDS:
        p = namespace(exercise.sample(b"counts", str(k)))
        counts = exercise.counts(p)
        for r, found in zip(p.widths, counts[1:3], strict=True):
            padded, bare = pair(p, r, "same"), pair(p, r, 0)
            assert found == (padded.weights, padded.parameters, padded.macs, bare.macs)
        assert counts[1][0] < counts[0][0] < counts[2][0]


def test_naive_modules():
    for p, found in drawn("inception-reductions", "naive-width"):
        channels, widths = p.c_in, []
        for one, three, five, pool in p.modules:
            module = Widths(channels, 7, one, 8, three, 8, five, pool)
            channels = cost.table([naive_inception(module)], module.input_shape).out_shape[0]
            widths.append(channels)
        assert found == (*widths, module.c_out)


def test_one_reduction_at_a_time():
    def macs(widths, build=inception):
        return cost.table([build(widths)], widths.input_shape)

    def branch(table, name):
        return sum(row.macs for row in table.rows if row.name.startswith(name))

    for p, found in drawn("inception-reductions", "one-at-a-time"):
        this = Widths(p.c_in, p.side, p.one, *p.three, *p.five, p.projection)
        naive, reduced = macs(this, naive_inception), macs(this)
        one, r3, r5, pool = p.next
        following = Widths(this.c_out, p.side, one, r3, p.outputs[0], r5, p.outputs[1], pool)
        wider = following._replace(c_in=this.c_out - p.projection + p.c_in)
        assert found == (
            branch(naive, "3x3") - branch(reduced, "3x3"),
            branch(naive, "5x5") - branch(reduced, "5x5"),
            branch(reduced, "pool"),
            macs(wider).macs - macs(following).macs,
        )


def test_versions_of_a_module_and_lost_widths():
    for p, (paper, _, thousands) in drawn("inception-reductions", "three-versions"):
        widths = Widths(p.c_in, 7, p.n1, p.r3, p.n3, p.r5, p.n5, p.pool)
        t = cost.table([inception(widths)], widths.input_shape)
        assert (t.parameters, round(t.weights / 1024)) == (paper, thousands)
    for p, (r3, r5) in drawn("inception-reductions", "lost-widths"):
        widths = Widths(p.c_in, 7, p.n1, r3, p.n3, r5, p.n5, p.pool)
        t = cost.table([inception(widths)], widths.input_shape)
        assert (t.weights, t.parameters) == (p.weights, p.parameters)


def test_ranks():
    for k, (p, (rank, _, _)) in enumerate(drawn("inception-reductions", "what-is-kept")):
        rng = np.random.default_rng(k)
        narrow, wide = rng.normal(size=(p.r, len(p.variances))), rng.normal(size=(p.c_out, p.r))
        assert np.linalg.matrix_rank(wide @ narrow) == rank


SLIPS = [(name, kind) for name, (_, slips) in LINES.items() for kind in slips]


@pytest.mark.parametrize(("name", "kind"), SLIPS, ids=["-".join(slip) for slip in SLIPS])
def test_a_planted_bug_is_one(name, kind):
    """Run the listing: with the slip it stops or computes something else."""
    torch = pytest.importorskip("torch")
    widths = {"c": 24, "n1": 8, "r3": 10, "n3": 16, "r5": 4, "n5": 6, "np": 7}

    def run(slip):
        torch.manual_seed(1)
        names = {"self": torch.nn.Module(), "torch": torch, "relu": torch.relu}
        names |= {"Conv2d": torch.nn.Conv2d, "MaxPool2d": torch.nn.MaxPool2d}
        names["x"] = torch.randn(2, 24, 9, 9, generator=torch.Generator().manual_seed(3))
        for line, (fine, slips) in LINES.items():
            exec((slips[kind] if slip and line == name else fine).format(**widths), names)
        return names["y"]

    right = run(slip=False)
    assert right.shape == (2, 37, 9, 9)
    try:
        wrong = run(slip=True)
    except RuntimeError:  # torch's complaint about channels or sizes
        return
    assert not torch.allclose(right, wrong)
