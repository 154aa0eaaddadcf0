"""Exercises for "Learned mixing: gradients, rank, and what descent finds"."""

import numpy as np

from pointwise.exercises.core import Chapter, Function, Text, Value, namespace


def shuffle_order(channels, groups):
    """Which channel stands at each place after the shuffle."""
    return np.arange(channels).reshape(groups, -1).T.ravel()


class ThreeGradients(Value):
    name = "three-gradients"
    title = "Three gradients by hand"
    points, minutes = 3, 8
    tests = "the three lines of the backward pass on paper"
    objectives = (0,)
    text = """A 1×1 layer with a bias, $Y = WX + b$, has two channels in, two filters and three
pixels, one column for each pixel. Backwards comes `q.dY`, the change of the loss with each number
of $Y$. Work out on paper how the loss changes with $W$, with $X$ and with $b$. Each of the three
arrays earns a point."""
    answer = "gradients"
    form = "(np.array([[…], […]]), np.array([[…], […]]), np.array([…]))"
    parts = True
    effort_range = (14, 20)

    def draw(self, dice):
        return {
            "X": dice.array(0, 3, 2, 3), "W": np.array(dice.nonzero(3, 2, 2)),
            "dY": dice.array(-2, 2, 2, 3),
        }  # fmt: skip

    def effort(self, p):
        """Products that are not 0."""
        return int(((p.dY != 0).astype(int) @ (p.X != 0).T).sum() + 2 * np.count_nonzero(p.dY))

    def prompt(self, p):
        return "Give $dW$, $dX$ and $db$, in this order."

    def grids(self, p):
        return [("q.X", p.X), ("q.W", p.W), ("q.dY", p.dY)]

    def solve(self, p):
        return p.dY @ p.X.T, p.W.T @ p.dY, p.dY.sum(axis=1)

    def mistakes(self, p):
        dw, dx, db = self.solve(p)
        return {
            "An input goes to every output through its own column of W: dX needs W transposed.": (
                dw, p.W @ p.dY, db),
            "dW has the shape of W, a row for each filter; yours is transposed.": (dw.T, dx, db),
            "Each bias is added at every pixel: sum over the pixels, not over the filters.": (
                dw, dx, p.dY.sum(axis=0)),
            "A sum over the pixels, not their mean: a mean would have to be in the loss.": (
                dw / 3, dx, db / 3),
            "The three lines multiply matrices; you multiplied entry by entry.": (
                dw, dx, (p.dY * p.X).sum(axis=1)),
            "The order is dW, dX, db.": (dx, dw, db),
        }  # fmt: skip


class WriteBackward(Function):
    name = "write-backward"
    title = "Write the backward pass"
    points, minutes = 5, 12
    tests = "the backward pass of a 1×1 layer on batches of images, in either order of axes"
    objectives = (0, 1)
    text = """Write the backward pass of a 1×1 layer for a batch of images with NumPy. An optimiser
wants all gradients in one flat array, one block behind the other, each flattened in C order. The
weights have the shape (C_out, C_in), and the loss sums over all pixels of all images. Before you
hand it in, check it by finite differences, as the chapter does."""
    answer = "backward"

    def arguments(self, p):
        return "x, w, dy"

    def draw(self, dice):
        bias = dice.coin()
        blocks = ["dW", "dX", "db"] if bias else ["dW", "dX"]
        return {"last": dice.coin(), "blocks": dice.sample(blocks, len(blocks))}

    def prompt(self, p):
        axes = "(N, H, W, {})" if p.last else "(N, {}, H, W)"
        bias = "has a bias" if "db" in p.blocks else "has no bias"
        return (
            f"`x` has the axes {axes.format('C_in')}, `dy` has {axes.format('C_out')}. The layer "
            f"{bias}. Order of the blocks: {', '.join(p.blocks)}; $dX$ with the axes of `x`."
        )

    def throw(self, p, dice):
        calls = []
        shapes = [(1, 2, 3, 1, 2), (2, 3, 3, 2, 3), (3, 4, 2, 3, 2), (2, 1, 4, 2, 2)]
        for n, c_in, c_out, height, width in shapes:
            x = dice.array(-4, 5, n, c_in, height, width)
            dy = dice.array(-3, 4, n, c_out, height, width)
            if p.last:
                x, dy = np.moveaxis(x, 1, -1).copy(), np.moveaxis(dy, 1, -1).copy()
            calls.append((x, np.array(dice.nonzero(4, c_out, c_in)), dy))
        return calls

    def gradients(self, p, x, w, dy, *, dw=None, dx=None, db=None):
        """The blocks in their order, some of them by another rule; a row for each pixel."""

        def rows(a):
            return a if p.last else np.moveaxis(a, 1, -1)

        shape = rows(x).shape
        xs, dys = rows(x).reshape(-1, w.shape[1]), rows(dy).reshape(-1, w.shape[0])
        inner = (dx or (lambda dys, w: dys @ w))(dys, w).reshape(shape)
        blocks = {
            "dW": (dw or (lambda xs, dys: dys.T @ xs))(xs, dys),
            "dX": inner if p.last else np.moveaxis(inner, -1, 1),
            "db": (db or (lambda dys: dys.sum(axis=0)))(dys),
        }
        return np.concatenate([blocks[name].ravel() for name in p.blocks])

    def solve(self, p, x, w, dy):
        return self.gradients(p, x, w, dy)

    def mistakes(self, p):
        def changed(**rules):
            return lambda x, w, dy: self.gradients(p, x, w, dy, **rules)

        def averaged(x, w, dy):
            positions = dy.size // w.shape[0]
            return self.gradients(
                p, x, w, dy, dw=lambda xs, dys: dys.T @ xs / positions,
                db=lambda dys: dys.sum(axis=0) / positions,
            )  # fmt: skip

        def one_image(x, w, dy):
            pixels = dy.size // w.shape[0] // len(x)
            return self.gradients(
                p, x, w, dy, dw=lambda xs, dys: dys[-pixels:].T @ xs[-pixels:],
                db=lambda dys: dys[-pixels:].sum(axis=0),
            )  # fmt: skip

        other = namespace({"last": not p.last, "blocks": list(p.blocks)})
        found = {
            "dW has a row for each filter, as W has; yours is transposed.": changed(
                dw=lambda xs, dys: xs.T @ dys),
            "dX needs W transposed; yours fits only where C_in equals C_out.": changed(
                dx=lambda dys, w: dys @ w.T),
            "You averaged over the pixels; the chapter's three lines sum.": averaged,
            "The weights serve all images of the batch: sum over them all.": one_image,
            "Your blocks stand in another order.": lambda x, w, dy: self.gradients(
                namespace({"last": p.last, "blocks": list(p.blocks[::-1])}), x, w, dy),
            "You read the axes in the other order.": lambda x, w, dy: self.gradients(
                other, x, w, dy),
        }  # fmt: skip
        if "db" in p.blocks:
            found["A bias is added at every pixel: one number for each filter."] = changed(
                db=lambda dys: dys.sum(axis=1)
            )
        return found


class TooFast(Value):
    name = "too-fast"
    title = "The largest learning rate"
    points, minutes = 3, 8
    tests = "the bound on the learning rate from the eigenvalues, and what the smallest one costs"
    objectives = (1,)
    text = """A 1×1 layer from two channels to one, without a bias, learns from the four pixels in
`q.X` (a row for each channel) by gradient descent. The loss is half the mean squared error over the
pixels. From which learning rate on does it no longer converge from every start? And at half of
that rate, with which factor is the slowest part of the weights' error multiplied in each step?
NumPy's `eigvalsh` is allowed; four digits are enough."""
    answer, form = "rates", "(first rate that is too large, factor at half of it)"
    parts = True
    tolerance = 2e-4

    def draw(self, dice):
        return {"X": dice.array(0, 5, 2, 4)}

    def grids(self, p):
        return [("q.X", p.X)]

    def eigenvalues(self, p):
        return np.linalg.eigvalsh(p.X @ p.X.T / 4)

    def sound(self, params):
        small, large = self.eigenvalues(namespace(params))
        return 0.04 < small / large < 0.3 and super().sound(params)

    def solve(self, p):
        small, large = self.eigenvalues(p)
        return float(2 / large), float(1 - small / large)

    def mistakes(self, p):
        rate, factor = self.solve(p)
        small, large = self.eigenvalues(p)
        centred = np.linalg.eigvalsh(np.cov(p.X, bias=True))
        return {
            "The loss is a mean over the pixels: divide by their number.": (rate / 4, factor),
            "The loss is half the mean squared error: the half takes away the 2 of the square.": (
                rate / 2, factor),
            "1/λ is the rate that kills the error along λ at once; divergence starts where the "
            "factor passes −1.": (rate / 2, float(1 - small / large / 2)),
            "The largest eigenvalue limits the rate, the smallest sets the pace.": (
                float(2 / small), factor),
            "Without a bias the mean is not taken out: X·Xᵀ/P, not the covariance.": (
                float(2 / centred[1]), float(1 - centred[0] / centred[1])),
            "The factor is 1 − ηλ, with η half of the first number.": (rate, float(small / large)),
            "At the rate 2/λ the factor is this; half of that rate is asked for.": (
                rate, float(1 - 2 * small / large)),
        }  # fmt: skip


class Ranks(Value):
    name = "ranks"
    title = "What two layers can do, in ranks"
    points, minutes = 3, 6
    tests = "the rank and the weights of two linear layers that are one"
    objectives = (3,)
    text = """Two pairs of 1×1 layers stand below, both linear, without biases or anything between
the two layers. All weights are random real numbers, but in the first pair somebody copied one
filter of the first layer over others. Give the rank of the product for each pair; then the weights
that the second pair stores, and those of the single layer that does the same."""
    answer, form = "found", "(rank, rank, weights of the second pair, weights of one layer)"
    parts = True

    def draw(self, dice):
        r, m = dice.integer(12, 40), 4 * dice.integer(50, 120)
        return {
            "narrow": [8 * dice.integer(12, 40), r, 8 * dice.integer(6, 11)],
            "same": dice.integer(3, 6),
            "wide": [4 * dice.integer(8, 28), m, 4 * dice.integer(8, 28)],
        }  # fmt: skip

    def sound(self, params):
        a, _, c = params["wide"]
        return a != c and super().sound(params)

    def prompt(self, p):
        (a, r, c), (d, m, e) = p.narrow, p.wide
        return (
            f"First pair: {a} → {r} → {c} channels, and {p.same} of the {r} filters are the "
            f"same. Second pair: {d} → {m} → {e} channels."
        )

    def solve(self, p):
        d, m, e = p.wide
        return p.narrow[1] - p.same + 1, min(d, e), d * m + m * e, d * e

    def mistakes(self, p):
        narrow, wide, two, one = self.solve(p)
        (a, r, c), (d, m, e) = p.narrow, p.wide
        return {
            "Equal filters give equal channels: count each direction once.": (r, wide, two, one),
            "One of the equal filters does count.": (r - p.same, wide, two, one),
            "All goes through the middle: the rank cannot be larger.": (min(a, c), wide, two, one),
            "The product has the shape C_out×C_in; a wide middle adds no rank.": (
                narrow, m, two, one),
            "The rank is at most the smaller side of the product.": (narrow, max(d, e), two, one),
            "One layer needs one weight for each pair of an input and an output.": (
                narrow, wide, two, d + e),
            "The pair stores both matrices: add their weights.": (narrow, wide, d * m * e, one),
        }  # fmt: skip


class Merge(Function):
    name = "merge"
    title = "Merge a 1×1 and a k×k layer"
    points, minutes = 4, 10
    tests = "two linear layers as one, as code"
    objectives = (3,)
    text = """A 1×1 and a k×k convolution stand one behind the other, linear, without biases and
without padding. Write a function that returns the kernel of the one k×k convolution that does
the same. Like everywhere in the book, a kernel is not flipped before it slides."""
    answer = "merge"

    def arguments(self, p):
        return "point, window"

    def draw(self, dice):
        return {"first": dice.coin(), "last": dice.coin()}

    def prompt(self, p):
        axes = "(k, k, inputs, outputs)" if p.last else "(outputs, inputs, k, k)"
        order = "The 1×1 layer comes first" if p.first else "The k×k layer comes first"
        matrix = "(inputs, outputs)" if p.last else "(outputs, inputs)"
        return (
            f"{order}. `point`, the 1×1 layer's matrix, has the axes {matrix}; `window`, the k×k "
            f"kernel, has {axes}. Return the merged kernel with the axes of `window`."
        )

    def throw(self, p, dice):
        calls = []
        for a, b, c, k in [(2, 3, 4, 3), (3, 3, 3, 2), (4, 2, 2, 5), (2, 2, 3, 3)]:
            one, two = (1, k) if p.first else (k, 1)
            first, second = dice.array(-3, 4, b, a, one, one), dice.array(-3, 4, c, b, two, two)
            point, window = (first, second) if p.first else (second, first)
            point = point[:, :, 0, 0]
            if p.last:
                point, window = point.T.copy(), window.transpose(2, 3, 1, 0).copy()
            calls.append((point, window))
        return calls

    def solve(self, p, point, window):
        if p.last:
            rule = "cm,ijmo->ijco" if p.first else "mo,ijcm->ijco"
        else:
            rule = "mc,omij->ocij" if p.first else "om,mcij->ocij"
        return np.einsum(rule, point, window)

    def mistakes(self, p):
        other = namespace({"first": not p.first, "last": p.last})
        spatial = (0, 1) if p.last else (2, 3)

        def spread(point, window):
            summed = window.sum(axis=spatial, keepdims=True)
            return self.solve(p, point, np.broadcast_to(summed, window.shape))

        return {
            "You flipped the window: a convolution layer does not.": lambda point, window: (
                self.solve(p, point, np.flip(window, spatial))
            ),
            "You took the two layers in the other order.": lambda point, window: self.solve(
                other, point, window
            ),
            "You read the matrix with inputs and outputs swapped.": lambda point, window: (
                self.solve(p, point.T, window)
            ),
            "Each place of the window has a matrix of its own: do not sum over places.": spread,
        }


SENTENCES = {
    # what is said: None if it is wrong, else why it is right
    "A 1×1 layer trained as a classifier keeps as much of its input's variance as it can.": None,
    "The optimal one-channel mix for a task is the first principal component.": None,
    "A trained linear autoencoder's encoder rows are the principal directions, one by one.": None,
    "More output than input channels are always pointless in a 1×1 layer.": None,
    "256 → 1024 → 256 linear 1×1 layers can compute more than one layer 256 → 256.": None,
    "Every 1×1 convolution ends in a ReLU: that is part of its definition.": None,
    "For a loss of Σ dY·Y, finite differences of a weight need a tiny step.": None,
    "A ReLU between a 1×1 and a 3×3 layer changes nothing: they can still be merged.": None,
    "A mix with a small share of the variance can solve a task that the strongest cannot.": (
        "the chapter's classifier on the slide is one"),
    "Two rows that span PCA's plane reconstruct as well as the principal directions do.": (
        "the decoder undoes any mix of the two that can be undone"),
    "Just below 2/λ of the largest λ descent converges; above it, it diverges.": (
        "the factor 1 − ηλ passes −1 there"),
    "Widening in front of a ReLU can give functions that the narrow layer cannot.": (
        "|x| needs two channels"),
    "The gradient of a bias is the sum of dY over all pixels of all images.": (
        "the bias is added at each of them"),
    "Two grouped 1×1 layers in a row, with equal groups, do not mix the groups.": (
        "a product of block-diagonal matrices has the same blocks"),
    "Two linear layers c → r → c with nothing between have a rank of at most r.": (
        "all passes through r numbers"),
    "On a photograph, descent first finds brightness and tells colours apart later.": (
        "the differences lie along the small eigenvalues"),
}  # fmt: skip


class WrongSentences(Value):
    name = "wrong-sentences"
    title = "Two sentences are wrong"
    points, minutes = 3, 6
    tests = "telling what the chapter showed from what is often said"
    objectives = (0, 1, 2, 3)
    text = """Of six sentences on learned 1×1 layers, two are wrong. Which?"""
    answer, form = "wrong", "(number, number), in any order"
    unordered = True

    def draw(self, dice):
        wrong = [k for k, why in enumerate(SENTENCES.values()) if why is None]
        right = [k for k, why in enumerate(SENTENCES.values()) if why]
        chosen = dice.sample(wrong, 2) + dice.sample(right, 4)
        return {"sentences": [list(SENTENCES)[k] for k in dice.sample(chosen, 6)]}

    def prompt(self, p):
        return "\n".join(f"{k}. {sentence}" for k, sentence in enumerate(p.sentences, 1))

    def solve(self, p):
        return tuple(k for k, said in enumerate(p.sentences, 1) if SENTENCES[said] is None)

    def mistakes(self, p):
        found = {}
        for one in self.solve(p):
            for k, said in enumerate(p.sentences, 1):
                if why := SENTENCES[said]:
                    hint = f"Sentence {one} is wrong indeed. Sentence {k} is right: {why}."
                    found[hint] = tuple(sorted((one, k)))
        return found


class Groups(Value):
    name = "groups"
    title = "Who hears whom through a shuffle"
    points, minutes = 4, 8
    tests = "the matrix of grouped 1×1 layers, alone, in a row, and with a shuffle between"
    objectives = (4,)
    text = """A grouped 1×1 layer with as many outputs as inputs has positive weights. Count the
entries of its matrix that are not zero; then those of two such layers in a row, and of two
with a channel shuffle between. The shuffle writes the channels row by row into a table with a
row for each group, and reads it column by column. Last, follow one channel through the two layers
with the shuffle. Channels count from 0."""
    answer, form = "reach", "(count, count, count, [channels in ascending order])"
    parts = True

    def draw(self, dice):
        channels, groups = dice.choice([
            (8, 4), (10, 5), (12, 4), (12, 6), (14, 7), (15, 5), (16, 8), (18, 6), (20, 5), (21, 7),
        ])  # fmt: skip
        return {
            "channels": channels, "groups": groups, "channel": dice.integer(0, channels - 1),
            "backwards": dice.coin(),
        }  # fmt: skip

    def prompt(self, p):
        asked = (
            f"Which inputs does output {p.channel} hear?" if p.backwards
            else f"Which outputs does input {p.channel} reach?"
        )  # fmt: skip
        return f"{p.channels} channels, {p.groups} groups. {asked}"

    def matrices(self, p, order=None):
        n = p.channels // p.groups
        one = np.kron(np.eye(p.groups, dtype=int), np.ones((n, n), dtype=int))
        order = shuffle_order(p.channels, p.groups) if order is None else order
        return one, one @ one, one @ one[order]

    def follow(self, p, matrix, backwards):
        line = matrix[p.channel] if backwards else matrix[:, p.channel]
        return tuple(int(k) for k in np.flatnonzero(line))

    def solve(self, p):
        one, two, shuffled = self.matrices(p)
        counts = (int(np.count_nonzero(m)) for m in (one, two, shuffled))
        return (*counts, self.follow(p, shuffled, p.backwards))

    def mistakes(self, p):
        one, two, shuffled, heard = self.solve(p)
        plain, _, mixed = self.matrices(p)
        n = p.channels // p.groups
        turned = self.matrices(p, shuffle_order(p.channels, n))[2]
        return {
            "That is one block; there is one for each group.": (n * n, n * n, shuffled, heard),
            "Two layers with the same groups never leave a group.": (one, 2 * one, shuffled, heard),
            "A group holds too few channels to hear from all groups after one shuffle.": (
                one, two, p.channels**2, tuple(range(p.channels))),
            "A group has C/g channels, and the matrix g blocks: you swapped the two.": (
                p.channels * p.groups, p.channels * p.groups, shuffled, heard),
            "A shuffle does change who hears whom: you followed the channel without it.": (
                one, two, shuffled, self.follow(p, plain, p.backwards)),
            "You swapped inputs and outputs, rows and columns.": (
                one, two, shuffled, self.follow(p, mixed, not p.backwards)),
            "The table of the shuffle has a row for each group, read column by column.": (
                one, two, shuffled, self.follow(p, turned, p.backwards)),
        }  # fmt: skip


class Explain(Text):
    name = "explain"
    title = "Explain what is wrong"
    points, minutes = 3, 8
    tests = "answering in words what people say about learned 1×1 layers"
    objectives = (2, 3)
    text = """Somebody says the sentence below. Explain in three or four sentences what is wrong
with it. One point each for: what is really so; a number or a small example that shows it (from the
chapter or your own); what is true in the sentence, or when it would be true."""

    def draw(self, dice):
        c = 8 * dice.integer(4, 40)
        return {
            "claim": dice.choice(["information", "widening", "neuron", "deep"]),
            "c": c, "r": dice.integer(5, 30), "m": c * dice.integer(2, 6),
        }  # fmt: skip

    def claim(self, p):
        return {
            "information": "Training makes a 1×1 layer pack as much information as possible "
            f"from its {p.c} channels into its {p.r} outputs.",
            "widening": f"Going from {p.c} to {p.m} channels is pointless: the new ones are "
            "only combinations of the old ones.",
            "neuron": "A 1×1 filter is a neuron, so each output is a ReLU of a sum.",
            "deep": f"Three linear 1×1 layers {p.c} → {p.r} → {p.m} → {p.c} learn more complex "
            "functions than one layer.",
        }[p.claim]

    def prompt(self, p):
        return f"> *“{self.claim(p)}”*"

    def model(self, p):
        return {
            "information": "A layer learns what its loss asks for, and a loss for classification "
            "does not ask for information or variance. On the chapter's slide the learned mix "
            "keeps a few percent of the variance and solves the task, while the direction with "
            "nearly all of it is no better than always saying no. If the loss is reconstruction, "
            "there is something in the sentence: the linear autoencoder then keeps PCA's subspace.",
            "widening": "Between two linear layers that is right: the product is one matrix from "
            f"{p.c} channels, of rank {p.c} at most. With a ReLU behind the wide layer it is "
            "wrong. |x| = max(0, x) + max(0, −x) needs two channels made from one, and no single "
            "channel with a ReLU can do it. So the new channels are combinations, but their bends "
            "lie in different places.",
            "neuron": "The convolution is the weighted sum plus a bias, and its output may be "
            "negative; the ReLU is a layer of its own that may follow or not. The chapter's "
            "autoencoder has none, and a ReLU put on its code afterwards makes the loss more than "
            "ten times larger. The sentence is true for a layer that was built, and trained, with "
            "a ReLU behind it.",
            "deep": f"The three matrices multiply to one {p.c}×{p.c} matrix: no function is new, "
            f"and since all passes through {min(p.r, p.c)} channels its rank is at most "
            f"{min(p.r, p.c)}. So the three can do less than one layer, not more. With a ReLU "
            "between the layers the sentence would be true. Linear layers in a row can still save "
            "arithmetic through the narrow middle, or change the path of training.",
        }[p.claim]


class StrongestChannel(Value):
    name = "strongest-channel"
    title = "Stretch: what the strongest channel knows"
    points, minutes = 4, 12
    tests = "variance kept and a task solved, as two numbers that have little to do with each other"
    objectives = (2,)
    text = """Three channels have the mean 0 and the covariance `q.C`. The task is to predict
$y = t_1 x_1 + t_2 x_2 + t_3 x_3$ from a single mixed channel with one more weight behind it. A mix
in the direction of $t$ does it without error, and descent finds it. Give the share of the variance
that the first principal component keeps; the share that a unit mix in $t$'s direction keeps;
and the share of $y$'s variance that the first principal component can predict. That last share is
the squared correlation of the two: their covariance squared, over the product of their variances.
Write each share as a fraction between 0 and 1; four digits are enough. Then go on by yourself: can
the last one be 0 while the first is nearly 1?"""
    answer, form = "shares", "(kept by PCA, kept by the learned mix, of y predicted from PCA)"
    parts = True
    tolerance = 5e-4

    def draw(self, dice):
        a = dice.array(-2, 4, 3, 3)
        return {"C": a @ a.T, "t": dice.nonzero(5, 3)}

    def grids(self, p):
        return [("q.C", p.C), ("q.t", np.array(p.t))]

    def sound(self, params):
        p = namespace(params)
        small, middle, large = np.linalg.eigvalsh(p.C)
        right = self.solve(p)
        return (
            small / large > 0.01
            and 0.03 < middle / large < 0.4
            and 0.02 < right[2] < 0.9
            and all(abs(right[2] - row[2]) > 0.01 for row in self.rows_read(p))
            and super().sound(params)
        )

    def solve(self, p):
        values, vectors = np.linalg.eigh(p.C)
        t, total = np.array(p.t), values.sum()
        asked = t @ p.C @ t
        predicted = values[-1] * (vectors[:, -1] @ t) ** 2 / asked
        return float(values[-1] / total), float(asked / (t @ t) / total), float(predicted)

    def rows_read(self, p):
        """Give what comes out with the last row of eigh's vectors for the last column.

        The sign of each column is as the machine pleases, and with it that of each entry of a row.
        """
        kept, mix, _ = self.solve(p)
        values, vectors = np.linalg.eigh(p.C)
        t = np.array(p.t)
        asked = t @ p.C @ t
        for signs in ((1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)):
            row = vectors[-1] * signs
            covariance = row @ p.C @ t
            yield kept, mix, float(covariance**2 / (values[-1] * asked))
            yield kept, mix, float(covariance**2 / (row @ p.C @ row * asked))
            yield kept, mix, float(values[-1] * (row @ t) ** 2 / asked)

    def hints(self, p):
        found = super().hints(p)
        for value in self.rows_read(p):
            if all(self._differ(known, value) for known, _ in found):
                found.append((value, "eigh writes each direction as a column, not as a row."))
        return found

    def mistakes(self, p):
        kept, mix, predicted = self.solve(p)
        values, vectors = np.linalg.eigh(p.C)
        t = np.array(p.t)
        angle = float((vectors[:, -1] @ t) ** 2 / (t @ t))
        least = float(values[0] * (vectors[:, 0] @ t) ** 2 / (t @ p.C @ t))
        return {
            "eigh puts the smallest eigenvalue first: the first principal component is the last.": (
                float(values[0] / values.sum()), mix, least),
            "A fraction between 0 and 1 is asked for, no percentage.": (
                100 * kept, 100 * mix, 100 * predicted),
            "Make t's direction a unit vector before you take its variance.": (
                kept, mix * float(t @ t), predicted),
            "The angle between the directions is not enough: weigh it with the variances.": (
                kept, mix, angle),
            "That is the correlation; a share of variance is its square.": (
                kept, mix, float(np.sqrt(predicted))),
            "What PCA keeps of the input says little about y.": (kept, mix, kept),
            "A share of variance needs squares on both sides: tᵀCt over tᵀt and the trace.": (
                kept, float(np.sqrt(mix)), predicted),
        }  # fmt: skip


CHAPTER = Chapter(
    "learned-mixing",
    "Learned mixing: gradients, rank, and what descent finds",
    (
        "write the backward pass of a 1×1 layer in three lines, and check it in two ways;",
        "train one with NumPy alone, and say at which learning rate a squared error must diverge;",
        'say what a learned mix keeps, and show that it is not "as much information as possible";',
        "say when two layers are one, and when widening is pointless and when it is not;",
        "draw the matrix of a grouped 1×1 layer, before and after a channel shuffle.",
    ),
    (
        ThreeGradients(),
        WriteBackward(),
        TooFast(),
        Ranks(),
        Merge(),
        WrongSentences(),
        Groups(),
        Explain(),
        StrongestChannel(),
    ),
)
