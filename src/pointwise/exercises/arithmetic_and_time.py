"""Exercises for "Arithmetic and time": all times in them are drawn, none is measured."""

import numpy as np

from pointwise.exercises.core import Chapter, Function, Text, Value, namespace

WIDEST = 1.5  # the chapter's rule: upper over lower quartile of a comparison that counts
REPORT, REFUSE = "report", "refuse"


def count(kind, c_in, c_out, k, side):
    """MACs, numbers of the maps and weights of a layer with stride 1 that keeps the size."""
    pixels = side * side
    weights = k * k * (c_in if kind == "depthwise" else c_in * c_out)
    return weights * pixels, pixels * (c_in + c_out), weights


def named(kind, c_in, c_out, k, side):
    if kind == "depthwise":
        return f"{k}×{k} depthwise, {c_in} channels, on {side}×{side}"
    return f"{k}×{k}, {c_in} → {c_out} channels, on {side}×{side}"


def quartiles(ratios):
    return tuple(float(q) for q in np.quantile(ratios, [0.25, 0.5, 0.75]))


class Bytes(Value):
    name = "bytes"
    title = "Bytes, by hand"
    points, minutes = 3, 6
    tests = "the bytes that a layer must move, and its arithmetic intensity"
    objectives = (1,)
    text = """Every number of the input is read once, every weight is read once, every number of
the output is written once; a number has four bytes. The layer keeps the size of the map and has
no bias. Give the bytes of the maps, the bytes of the weights, and the MACs per byte (three
decimals)."""
    answer, form = "moved", "(bytes of maps, bytes of weights, MACs per byte)"
    parts, tolerance = True, 0.0006

    def draw(self, dice):
        kind = dice.choice(["pointwise", "depthwise"])
        c_in, c_out = dice.sample([2, 3, 4, 5, 6, 8, 10, 12], 2)
        return {
            "kind": kind, "c_in": c_in, "c_out": c_in if kind == "depthwise" else c_out,
            "k": 3 if kind == "depthwise" else 1, "side": dice.integer(4, 12),
            "batch": dice.choice([1, 2, 4]), "last": dice.coin(),
        }  # fmt: skip

    def sound(self, params):
        return params["side"] not in (params["c_in"], params["c_out"]) and super().sound(params)

    def prompt(self, p):
        shape = (p.batch, p.c_in, p.side, p.side)
        shape = (p.batch, p.side, p.side, p.c_in) if p.last else shape
        axes = "(N, H, W, C)" if p.last else "(N, C, H, W)"
        layer = f"a 1×1 layer with {p.c_out} filters"
        layer = "a 3×3 depthwise layer" if p.kind == "depthwise" else layer
        return f"Images of shape {shape}, axes {axes}, go through {layer}."

    def costs(self, p):
        macs, maps, weights = count(p.kind, p.c_in, p.c_out, p.k, p.side)
        return p.batch * macs, 4 * p.batch * maps, 4 * weights

    def solve(self, p):
        macs, maps, weights = self.costs(p)
        return (maps, weights, macs / (maps + weights))

    def mistakes(self, p):
        macs, maps, weights = self.costs(p)
        read = maps * p.c_in // (p.c_in + p.c_out)
        found = {
            "You counted numbers; each has four bytes.": (
                maps // 4, weights // 4, 4 * macs / (maps + weights)),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": (
                maps, weights, 2 * macs / (maps + weights)),
            "You left out the output: it has to be written.": (
                read, weights, macs / (read + weights)),
            "You left out the weights in the last step.": (maps, weights, macs / maps),
            "The ratio is upside down: MACs over bytes.": (
                maps, weights, (maps + weights) / macs),
        }  # fmt: skip
        if p.batch > 1:
            found["The weights are read once for the whole batch."] = (
                maps, p.batch * weights, macs / (maps + p.batch * weights))  # fmt: skip
        if p.kind == "depthwise":
            found["A depthwise layer mixes no channels: one slice for each."] = (
                maps, p.c_in * weights, p.c_in * macs / (maps + p.c_in * weights))  # fmt: skip
        return found


def draw_rounds(dice, number, noisy, ratio):
    """Throw microseconds of two calls, one row for each round, one round interrupted."""
    hit = dice.integer(0, number - 1)
    table = []
    for k in range(number):
        second = dice.integer(200, 260)
        spread = dice.integer(60, 160) if noisy else dice.integer(94, 106)
        first = second * ratio * spread // 1000
        row = [first, second]
        if k == hit:
            row[dice.integer(0, 1)] *= dice.integer(5, 9)
        table.append(row)
    return table


def clear(ratios):
    """Is it plain on which side of the rule a comparison lies?"""
    low, _, high = quartiles(ratios)
    return abs(high / low - WIDEST) > 0.05


class Bet(Value):
    name = "bet"
    title = "Would you bet on it?"
    points, minutes = 3, 7
    tests = "comparing two times round by round, and refusing a comparison that says nothing"
    objectives = (0,)
    text = """Two calls have taken strict turns, nine rounds, after a warm-up. How many times as
long does the first take as the second? Give the lower quartile, the median and the upper
quartile of the ratio **within each round** (two decimals; of nine sorted numbers they are the
third, the fifth and the seventh), and then `"report"` or `"refuse"`, by the chapter's rule: refuse
where the upper quartile is more than one and a half times the lower one."""
    answer, form = "bet", '(lower, median, upper, "report" or "refuse")'
    parts, tolerance = True, 0.006

    def draw(self, dice):
        return {"rounds": draw_rounds(dice, 9, dice.coin(), dice.integer(15, 80))}

    def sound(self, params):
        return clear(self.ratios(namespace(params))) and super().sound(params)

    def prompt(self, p):
        lines = ["| round | first call, µs | second call, µs |", "|---|---|---|"]
        lines += [f"| {k} | {a} | {b} |" for k, (a, b) in enumerate(p.rounds, 1)]
        return "\n".join(lines)

    def ratios(self, p):
        a, b = np.array(p.rounds, dtype=float).T
        return a / b

    def solve(self, p):
        low, middle, high = quartiles(self.ratios(p))
        return (low, middle, high, REFUSE if high > WIDEST * low else REPORT)

    def mistakes(self, p):
        low, middle, high, word = self.solve(p)
        a, b = np.array(p.rounds, dtype=float).T
        other = REPORT if word == REFUSE else REFUSE
        flipped = quartiles(b / a)
        return {
            "That is the ratio of the two bests: it throws the pairs away.": (
                low, float(a.min() / b.min()), high, word),
            "That is the ratio of the two means: one interrupted round moves it.": (
                low, float(a.mean() / b.mean()), high, word),
            "That is the mean of the ratios: one interrupted round moves it.": (
                low, float((a / b).mean()), high, word),
            "Those are the smallest and the largest ratio, not the quartiles.": (
                float((a / b).min()), middle, float((a / b).max()), word),
            "It is upside down: first over second.": (*flipped, word),
            "The figures are right, the decision is not: look at upper over lower.": (
                low, middle, high, other),
        }  # fmt: skip


class CompareRounds(Function):
    name = "compare-rounds"
    title = "A stopwatch's last step, in code"
    points, minutes = 4, 10
    tests = "the rule for a comparison, in code: warm-up, pairs, quartiles, refusal"
    objectives = (0,)
    text = """Write the function below with NumPy. It returns an array of four numbers: the lower
quartile, the median and the upper quartile (as `np.quantile` gives them) of the ratio within each
round, and a 1 where the comparison counts, a 0 where it is to be refused: where the upper
quartile is more than one and a half times the lower one."""
    answer = "compare_rounds"

    def arguments(self, p):
        return "times"

    def draw(self, dice):
        return {"warmup": dice.integer(1, 3), "rows": dice.coin(), "new_first": dice.coin()}

    def prompt(self, p):
        shape = (
            "(rounds, 2), a row for each round" if p.rows else "(2, rounds), a row for each call"
        )
        calls = (
            "the new layer, then the old one" if p.new_first else "the old layer, then the new one"
        )
        first = "round is" if p.warmup == 1 else f"{p.warmup} rounds are"
        return (
            f"Write `compare_rounds(times)`. `times` holds microseconds and has the shape {shape}. "
            f"The calls are {calls}; the ratio is old over new. The first {first} warm-up: throw "
            "them away."
        )

    def throw(self, p, dice):
        calls = []
        for number, noisy in [(5, False), (8, True), (9, False), (13, True), (16, dice.coin())]:
            while True:
                table = np.array(draw_rounds(dice, number, noisy, dice.integer(15, 80)))
                if clear(table[:, 0] / table[:, 1]):
                    break
            slow = [[dice.integer(9, 15) * 1000, dice.integer(2, 4) * 100] for _ in range(p.warmup)]
            table = np.concatenate([np.array(slow), table])
            table = table[:, ::-1] if p.new_first else table
            calls.append((np.ascontiguousarray(table if p.rows else table.T).astype(np.int64),))
        return calls

    def split(self, p, times, warmup=None):
        old, new = (times.T if p.rows else times)[:, p.warmup if warmup is None else warmup :]
        return (new, old) if p.new_first else (old, new)

    def decide(self, ratios):
        low, middle, high = quartiles(ratios)
        return np.array([low, middle, high, float(high <= WIDEST * low)])

    def solve(self, p, times):
        old, new = self.split(p, times)
        return self.decide(old / new)

    def mistakes(self, p):
        def apart(times):
            old, new = (np.quantile(a, [0.25, 0.5, 0.75]) for a in self.split(p, times))
            low, middle, high = old / new
            return np.array([low, middle, high, float(high <= WIDEST * low)])

        def flipped(times):
            old, new = self.split(p, times)
            return self.decide(new / old)

        def warm(times):
            old, new = self.split(p, times, 0)
            return self.decide(old / new)

        def inverted(times):
            *found, counts = self.solve(p, times)
            return np.array([*found, 1 - counts])

        return {
            "You forgot the warm-up: the first rounds are another experiment.": warm,
            "The ratio is upside down: old over new.": flipped,
            "You took quartiles of the times and divided: divide within each round first.": apart,
            "The last number is turned round: 1 where the comparison counts.": inverted,
        }


class Ceilings(Value):
    name = "ceilings"
    title = "Two ceilings"
    points, minutes = 3, 6
    tests = "the two ceilings of a machine, its ridge, and the roof over a layer"
    objectives = (2, 3)
    text = """A large copy and a large multiply have been timed on some machine (a number has four
bytes; 1 GB is a billion bytes). Give the bytes moved per second in GB/s, the multiplication in
billion MACs per second, the ridge in MACs per byte, and the speed that the roof allows to a
depthwise 3×3 layer on a large map, in billion MACs per second. Two decimals."""
    answer, form = "ceilings", "(GB/s, billion MACs/s, ridge, billion MACs/s)"
    parts, tolerance = True, 0.006

    def draw(self, dice):
        power, n = dice.integer(22, 25), 128 * dice.integer(2, 8)
        return {
            "power": power, "n": n,
            "copy": 8 * 2**power // (1000 * dice.integer(10, 60)),
            "multiply": n**3 // (1000 * dice.integer(40, 160)),
        }  # fmt: skip

    def prompt(self, p):
        return (
            f"Copying an array of 2^{p.power} = {2**p.power:,} numbers takes {p.copy:,} µs. "
            f"Multiplying two matrices of {p.n}×{p.n} takes {p.multiply:,} µs."
        )

    def roof(self, copied, macs):
        return (copied, macs, macs / copied, 9 / 8 * copied)

    def solve(self, p):
        return self.roof(8 * 2**p.power / p.copy / 1e3, p.n**3 / p.multiply / 1e3)

    def mistakes(self, p):
        copied, macs, ridge, depthwise = self.solve(p)
        return {
            "A copy reads every byte and writes it: twice the array.": self.roof(copied / 2, macs),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": self.roof(
                copied, 2 * macs),
            "You counted numbers; each has four bytes.": self.roof(copied / 4, macs),
            "The ridge is MACs per byte, not bytes per MAC.": (
                copied, macs, copied / macs, depthwise),
            "Left of the ridge the slope holds: MACs per byte times bytes per second.": (
                copied, macs, ridge, macs),
            "A depthwise 3×3 has 9/8 MACs per byte: it reads and writes, four bytes each.": (
                copied, macs, ridge, 9 * copied),
            "Each of n² results takes n multiplications.": self.roof(copied, macs / p.n),
        }  # fmt: skip


class WhoWaits(Value):
    name = "who-waits"
    title = "Who waits for memory?"
    points, minutes = 3, 8
    tests = "placing layers under the roof by their arithmetic intensity"
    objectives = (1, 2, 3)
    text = """A machine's ceilings and five layers (stride 1, the size is kept, no biases, numbers
of four bytes). Which of the layers wait for memory, however well they are programmed? Give their
numbers in rising order. Compute; a look is not enough."""
    answer, form = "waiting", "such as (0, 3)"

    def draw(self, dice):
        c = 32 * dice.integer(2, 24)
        narrow, slim = (dice.choice([8, 16, 24, 32, 40, 48]) for _ in range(2))
        large = 32 * dice.integer(6, 32)
        wide, wider = (64 * dice.integer(4, 16) for _ in range(2))
        layers = [
            ["depthwise", c, c, dice.choice([3, 5]), 7 * dice.choice([1, 2, 4, 8])],
            ["pointwise", narrow, slim, 1, 7 * dice.choice([2, 4, 8])],
            ["pointwise", large, slim, 1, 7 * dice.integer(1, 4)],
            ["pointwise", wide, wider, 1, dice.choice([1, 2, 3, 14])],
            ["k×k", 16 * dice.integer(1, 8), 16 * dice.integer(1, 8), 3, dice.choice([7, 14, 28])],
        ]  # fmt: skip
        return {
            "layers": dice.sample(layers, 5), "bandwidth": dice.integer(10, 40),
            "rate": 10 * dice.integer(6, 20), "batch": dice.choice([1, 1, 8]),
        }  # fmt: skip

    def intensity(self, p, weighed=1, written=1):
        found = []
        for kind, c_in, c_out, k, side in p.layers:
            macs, _, weights = count(kind, c_in, c_out, k, side)
            maps = side * side * (c_in + written * c_out)
            found.append(p.batch * macs / (4 * (p.batch * maps + weighed * weights)))
        return np.array(found)

    def below(self, p, intensity):
        return tuple(int(k) for k in np.flatnonzero(intensity < p.rate / p.bandwidth))

    def sound(self, params):
        p = namespace(params)
        away = abs(np.log(self.intensity(p) * p.bandwidth / p.rate))
        return away.min() > 0.1 and 2 <= len(self.solve(p)) <= 4 and super().sound(params)

    def prompt(self, p):
        lines = "\n".join(f"- ({k}) {named(*layer)}" for k, layer in enumerate(p.layers))
        images = "one image" if p.batch == 1 else f"{p.batch} images at once"
        return (
            f"A large copy runs at {p.bandwidth} GB/s, a large multiply at {p.rate} billion "
            f"MACs/s; {images}.\n\n{lines}"
        )

    def solve(self, p):
        return self.below(p, self.intensity(p))

    def mistakes(self, p):
        right, intensity = self.solve(p), self.intensity(p)
        macs = [count(*layer)[0] for layer in p.layers]
        found = {
            "You counted FLOPs; the ridge is in MACs per byte.": self.below(p, 2 * intensity),
            "You counted numbers; each has four bytes.": self.below(p, 4 * intensity),
            "You left out the weights: on small maps they are most of the bytes.": self.below(
                p, self.intensity(p, weighed=0)),
            "The weights are read once for the whole batch.": self.below(
                p, self.intensity(p, weighed=p.batch)),
            "You left out the output: it has to be written.": self.below(
                p, self.intensity(p, written=0)),
            "Few MACs do not mean few MACs per byte.": tuple(
                sorted(int(k) for k in np.argsort(macs)[: len(right)])),
        }  # fmt: skip
        found = {hint: value for hint, value in found.items() if value != right}
        found["Those wait for the multipliers."] = tuple(k for k in range(5) if k not in right)
        found["They are counted from zero."] = tuple(k + 1 for k in right)
        for k in right:
            found[f"One more lies left of the ridge: ({k})."] = tuple(o for o in right if o != k)
        return found


class LostFactor(Value):
    name = "lost-factor"
    title = "Where the factor went"
    points, minutes = 3, 7
    tests = "a counted ratio beside a measured one, and the speeds between them"
    objectives = (3, 4)
    text = """A k×k layer is replaced by a 1×1 reduction and a narrower k×k layer; all keep the
size and have no bias. Each was timed, one image, one thread. Give the counted ratio (MACs before
over MACs after), the measured ratio (time before over time after), and the speed of the **pair** in
billion MACs per second. Two decimals. Check: measured = counted × speed after / speed before."""
    answer, form = "lost_factor", "(counted, measured, billion MACs/s of the pair)"
    parts, tolerance = True, 0.006

    def draw(self, dice):
        k, side = dice.choice([3, 5]), dice.choice([14, 28])
        c_in, c_out = 32 * dice.integer(4, 16), 16 * dice.integer(2, 12)
        p = {"k": k, "side": side, "c_in": c_in, "c_out": c_out, "r": 8 * dice.integer(2, 6)}
        speeds = dice.integer(80, 115), dice.integer(35, 75), dice.integer(25, 70)
        macs = self.macs(namespace(p))
        p["times"] = [m // (1000 * v) + 3 for m, v in zip(macs, speeds, strict=True)]
        return p

    def macs(self, p):
        layers = [
            ("k×k", p.c_in, p.c_out, p.k),
            ("1×1", p.c_in, p.r, 1),
            ("k×k", p.r, p.c_out, p.k),
        ]
        return [count(*layer, p.side)[0] for layer in layers]

    def prompt(self, p):
        layers = [(p.c_in, p.c_out, p.k), (p.c_in, p.r, 1), (p.r, p.c_out, p.k)]
        lines = ["| | layer | time, µs |", "|---|---|---|"]
        for when, (a, b, k), time in zip(
            ("before", "after", "after"), layers, p.times, strict=True
        ):
            lines.append(f"| {when} | {named('', a, b, k, p.side)} | {time:,} |")
        return "\n".join(lines)

    def solve(self, p):
        before, *after = self.macs(p)
        time, *times = p.times
        return (before / sum(after), time / sum(times), sum(after) / sum(times) / 1e3)

    def mistakes(self, p):
        counted, measured, speed = self.solve(p)
        before, reduction, narrow = self.macs(p)
        old, first, second = p.times
        return {
            "You forgot the 1×1: it costs and takes time, too.": (
                before / narrow, old / second, narrow / second / 1e3),
            "Speeds do not average like that: all MACs over all the time.": (
                counted, measured, (reduction / first + narrow / second) / 2e3),
            "Speeds do not add: all MACs over all the time.": (
                counted, measured, (reduction / first + narrow / second) / 1e3),
            "The ratios are upside down: before over after.": (1 / counted, 1 / measured, speed),
            "That is the speed of the layer before.": (counted, measured, before / old / 1e3),
            "You counted FLOPs: a multiply-accumulate is both, so half as many.": (
                counted, measured, 2 * speed),
            "So many times fewer multiplications are not so many times faster.": (
                counted, counted, speed),
        }  # fmt: skip


class Predict(Value):
    name = "predict"
    title = "Predict the stopwatch"
    points, minutes = 4, 10
    tests = "the chapter's model on a reduction: calls, MACs, maps, weights"
    objectives = (1, 4)
    text = """The model of the chapter, for each layer:
$t = a + b\\,\\frac{\\text{MACs}}{\\text{multiply rate}}
+ c\\,\\frac{\\text{bytes of maps}}{\\text{copy rate}}
+ d\\,\\frac{\\text{bytes of weights}}{\\text{copy rate}}$. It was fitted on the machine
below. Predict, for one image, the time of the layer before, the time of the two layers after (in
µs), and the ratio. Two decimals; layers keep the size, no biases, four bytes a number."""
    answer, form = "predicted", "(µs before, µs after, ratio)"
    parts, tolerance = True, 0.012

    def draw(self, dice):
        c_in, c_out = 32 * dice.integer(4, 16), 16 * dice.integer(2, 12)
        return {
            "k": dice.choice([3, 5]), "side": dice.choice([14, 28]), "c_in": c_in, "c_out": c_out,
            "r": 8 * dice.integer(2, 6), "rate": 10 * dice.integer(6, 16),
            "bandwidth": dice.integer(10, 50),
            "point": [dice.integer(2, 12), dice.integer(9, 13) / 10, dice.integer(8, 20) / 10,
                      dice.integer(10, 25) / 10],
            "window": [dice.integer(15, 60), dice.integer(9, 15) / 10, dice.integer(30, 90) / 10,
                       dice.integer(10, 25) / 10],
        }  # fmt: skip

    def prompt(self, p):
        lines = ["| kind | a, µs | b | c | d |", "|---|---|---|---|---|"]
        lines.append("| pointwise | " + " | ".join(map(str, p.point)) + " |")
        lines.append("| k×k | " + " | ".join(map(str, p.window)) + " |")
        before, *after = (named("", *layer) for layer in self.layers(p))
        return (
            f"Before: {before}. After: {'; then '.join(after)}. Multiply rate: {p.rate} billion "
            f"MACs/s; copy rate: {p.bandwidth} GB/s.\n\n" + "\n".join(lines)
        )

    def layers(self, p):
        return [
            (p.c_in, p.c_out, p.k, p.side), (p.c_in, p.r, 1, p.side), (p.r, p.c_out, p.k, p.side),
        ]  # fmt: skip

    def parts_of(self, p):
        """Of each layer: a, and the µs of its MACs, maps and weights."""
        found = []
        for layer, factors in zip(self.layers(p), (p.window, p.point, p.window), strict=True):
            macs, maps, weights = count("", *layer)
            ideal = [1, macs / p.rate / 1e3, 4 * maps / p.bandwidth / 1e3]
            found.append(np.array([*ideal, 4 * weights / p.bandwidth / 1e3]) * factors)
        return found

    def answer_of(self, before, *after):
        before, after = float(before.sum()), float(sum(part.sum() for part in after))
        return (before, after, before / after)

    def solve(self, p):
        return self.answer_of(*self.parts_of(p))

    def mistakes(self, p):
        parts = self.parts_of(p)

        def only(*keep):
            return self.answer_of(*(part * np.array(keep) for part in parts))

        swapped = namespace(vars(p) | {"point": p.window})
        free = [parts[0], parts[1], parts[2] * np.array([0, 1, 1, 1])]
        return {
            "You forgot the price of a call, a.": only(0, 1, 1, 1),
            "The pair is two calls: a counts for each.": self.answer_of(*free),
            "You left out the weights.": only(1, 1, 1, 0),
            "You left out the maps.": only(1, 1, 0, 1),
            "The 1×1 has factors of its own.": self.solve(swapped),
            "You counted FLOPs: the multiply rate is in MACs.": only(1, 2, 1, 1),
            "You counted numbers; each has four bytes.": only(1, 1, 0.25, 0.25),
            "You forgot the 1×1.": self.answer_of(parts[0], parts[2]),
        }  # fmt: skip


CLAIMS = {  # what one reads, and what to answer
    "factor": (
        "Our reduction leaves one twentieth of the multiplications, so the layer runs twenty times "
        "faster.",
        "The count is right, the conclusion is another statement. Measured ratio = counted ratio × "
        "speed after / speed before, and the two layers that remain are slower for each "
        "multiplication: the 1×1 moves many bytes for little arithmetic, the narrow layer is so "
        "small that the call and the arranging of its arrays weigh. Show it with interleaved pairs "
        "and their quartiles. The sentence is nearly true where all three layers wait for the "
        "multipliers and are large beside the price of a call.",
    ),
    "once": (
        "I ran the old network, then the new one, and printed both times. The new one took less, "
        "so it is faster.",
        "One call of each says little. The first call is another experiment: kernels are chosen, "
        "memory is fetched, caches are empty; and whatever else ran on the machine hit one of the "
        "two. Warm up, pin the threads, let the two take turns, and report the median of the ratio "
        "within each round with its quartiles; refuse if they lie far apart. Swapping the order "
        "of the two shows the trouble at once. If the difference is huge beside every disturbance, "
        "the conclusion may still hold.",
    ),
    "share": (
        "MobileNet spends 95% of its computation time in 1×1 layers: the table of its paper says "
        "so.",
        "The table counts multiply-adds; no clock stands in it. 95% is the share of the "
        "arithmetic. A depthwise layer has about one MAC for each byte, so memory limits it long "
        "before the multipliers do, and the arranging of its map costs more; it takes a far larger "
        "share of the time than of the MACs, and the 1×1 layers have less than 95%. To show it, "
        "time the layers by kind and add up. The sentence would be true on a machine where every "
        "kind of layer runs at the same speed.",
    ),
}


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "answering a sentence about speed in words"
    objectives = (0, 3, 4)
    text = """Somebody writes the sentence below. In three to five sentences: what is wrong with it,
what would you measure or compute to show that, and on what kind of layers or machine would it
be true? (One point for each of the three.)"""

    def draw(self, dice):
        return {"claim": dice.choice(sorted(CLAIMS))}

    def prompt(self, p):
        return f"> *“{CLAIMS[p.claim][0]}”*"

    def model(self, p):
        return CLAIMS[p.claim][1]


class ShareOfTime(Value):
    name = "share-of-time"
    title = "Stretch: the share of the arithmetic, the share of the time"
    points, minutes = 4, 12
    tests = "why shares of MACs and of time differ, turned around"
    objectives = (3, 4)
    text = """A network's layers by kind, with the MACs of each kind and the speed at which they
ran. Give the share of the 1×1 layers in the MACs and their share in the time (per cent, two
decimals). Then: how fast, in billion MACs per second, would the **depthwise** layers have to run
for the two shares to be equal, if the other kinds stay as they are?"""
    answer, form = "shares", "(% of MACs, % of time, billion MACs/s)"
    parts, tolerance = True, 0.006

    def draw(self, dice):
        speed = dice.integer(60, 120)
        return {
            "macs": [dice.integer(250, 900), dice.integer(14, 40), dice.integer(8, 30)],
            "speeds": [speed, dice.integer(4, 15), speed + dice.integer(-10, 20)],
        }

    def sound(self, params):
        return 5 < self.solve(namespace(params))[2] < 400 and super().sound(params)

    def prompt(self, p):
        lines = ["| kind | million MACs | billion MACs/s |", "|---|---|---|"]
        for kind, macs, speed in zip(("1×1", "depthwise", "k×k"), p.macs, p.speeds, strict=True):
            lines.append(f"| {kind} | {macs} | {speed} |")
        return "\n".join(lines)

    def needed(self, p, share, rest):
        """Speed of the depthwise layers at which the 1×1 has this share in the time."""
        pointwise = p.macs[0] / p.speeds[0]
        return p.macs[1] / (pointwise * (100 - share) / share - rest)

    def solve(self, p):
        times = [m / v for m, v in zip(p.macs, p.speeds, strict=True)]
        share = 100 * p.macs[0] / sum(p.macs)
        return (share, 100 * times[0] / sum(times), self.needed(p, share, times[2]))

    def mistakes(self, p):
        share, time, speed = self.solve(p)
        times = [m / v for m, v in zip(p.macs, p.speeds, strict=True)]
        product = [m * v for m, v in zip(p.macs, p.speeds, strict=True)]
        return {
            "The share of the arithmetic is not the share of the time.": (share, share, speed),
            "You took one share for the other.": (time, share, speed),
            "Time is MACs over speed, not MACs times speed.": (
                share, 100 * product[0] / sum(product), speed),
            "You left out the k×k layers: they take time, too.": (
                100 * p.macs[0] / sum(p.macs[:2]), 100 * times[0] / sum(times[:2]),
                self.needed(p, 100 * p.macs[0] / sum(p.macs[:2]), 0)),
            "A share is a part of the whole, 1×1 included.": (
                100 * p.macs[0] / sum(p.macs[1:]), 100 * times[0] / sum(times[1:]), speed),
            "At the speed of the 1×1 layers the shares would be equal only if the k×k layers had "
            "it as well.": (share, time, float(p.speeds[0])),
        }  # fmt: skip


CHAPTER = Chapter(
    "arithmetic-and-time",
    "Arithmetic and time",
    (
        "compare two times in a way that you would bet on, and recognise a comparison that says "
        "nothing;",
        "count the bytes that a layer must move, and its arithmetic intensity;",
        "measure the two ceilings of your machine and draw its roofline;",
        "say why a depthwise layer is slower than its multiplications, and where small layers lose "
        "their time;",
        "predict the measured speed-up of a reduction, and name what the prediction cannot know.",
    ),
    (
        Bytes(),
        Bet(),
        CompareRounds(),
        Ceilings(),
        WhoWaits(),
        LostFactor(),
        Predict(),
        Explain(),
        ShareOfTime(),
    ),
)
