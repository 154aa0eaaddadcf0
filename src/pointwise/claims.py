"""Eighty-seven sentences that people read about 1×1 convolutions, and the rule that tries them.

The sentences come from three places where many meet the subject: a set of lecture notes, a deck of
slides, and a much-read question with its answers and comments. They are told here in our words and
numbered in the order in which they stand there: 1 to 11 in the notes, 12 to 28 on the slides, 29 to
87 in the thread. Sentences that say the same share an `Entry`.

The ledger holds no verdict that counts. A `Trial` starts with none; a cell hands it what it has
computed, and `verdict` turns that into a word. An entry's `why` was written for one verdict,
`written_for`, and takes its figures from the cell; where another verdict comes out, the table says
so instead.
"""

import re
from collections import Counter
from typing import NamedTuple

RIGHT, RIGHT_IF, WRONG, OPEN = "right", "right if", "wrong", "cannot be known"
MARKS = {RIGHT: "✓", RIGHT_IF: "◐", WRONG: "✗", OPEN: "?"}
COMPUTED, READ, NOT_DECIDED = "computed", "read", "not decided"
NOTES, SLIDES = "lecture notes", "slides"
QUESTION, ANSWER, COMMENT = "a question", "an answer", "a comment"
SOURCES = (NOTES, SLIDES, QUESTION, ANSWER, COMMENT)

CHAPTERS = {
    "channels": "Channels",
    "channel-collapse": "Channel collapse",
    "worked-examples": "Worked examples",
    "network-in-network": "Network in Network",
    "learned-mixing": "Learned mixing",
    "inception-reductions": "Inception",
    "after-inception": "After Inception",
    "arithmetic-and-time": "Arithmetic and time",
}


class Entry(NamedTuple):
    """A sentence of the ledger, or several that say the same.

    `sources` has one kind of source for each of `numbers`. `taught` names chapters, each a key of
    `CHAPTERS`, perhaps with a heading behind a "#". `why` may hold fields such as `{ratio:.2f}`,
    which the cell fills.
    """

    numbers: tuple
    group: str
    says: str
    sources: tuple
    taught: tuple
    written_for: str
    why: str


def verdict(*, holds=None, holds_with=None, holds_without=None):
    """Turn computed evidence into a verdict.

    A sentence that claims something without exception takes `holds`. One that may need a condition
    is tried twice: in a case that meets the condition, and in an ordinary case that does not.

        holds                                   right
        does not hold                           wrong
        holds with the condition and without    right
        holds with it, fails without            right if
        fails with it and without               wrong

    Parameters
    ----------
    holds : bool, optional
        Alone.
    holds_with, holds_without : bool, optional
        Together.

    Returns
    -------
    str
        "right", "right if" or "wrong".

    Raises
    ------
    TypeError
        Not one of the two forms, or evidence that is neither True nor False.
    ValueError
        It holds only where the condition is *not* met: that is another condition.

    Examples
    --------
    >>> verdict(holds=2 + 2 == 5)
    'wrong'
    >>> verdict(holds_with=28 % 2 == 0, holds_without=27 % 2 == 0)
    'right if'
    """
    if holds is not None and holds_with is None and holds_without is None:
        return RIGHT if truth("holds", holds) else WRONG
    if holds is not None or holds_with is None or holds_without is None:
        raise TypeError("give either holds, or holds_with and holds_without together")
    with_it, without = truth("holds_with", holds_with), truth("holds_without", holds_without)
    if without and not with_it:
        raise ValueError("it holds without its condition and fails with it: not its condition")
    return (WRONG, RIGHT_IF, RIGHT)[with_it + without]


def truth(name, value):
    """Return True or False as a Python bool; NumPy's count too, numbers and arrays do not."""
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


class Ruling(NamedTuple):
    """What a trial found on one entry."""

    verdict: str
    how: str
    figures: dict


class Trial:
    """The verdicts so far: none at first.

    Attributes
    ----------
    entries : tuple of Entry
    rulings : dict of int to Ruling
        By the first number of an entry.

    Examples
    --------
    >>> trial = Trial()
    >>> trial.judge(47, holds=round(256 / 17, 1) == 3.7, slip=256 / 17, true=64 / 17)
    >>> trial.verdict_of(47), len(trial.untried())
    ('wrong', 86)
    """

    def __init__(self, entries=None):
        self.entries = LEDGER if entries is None else tuple(entries)
        self.rulings = {}

    def entry(self, number):
        """Find the entry of a claim; ValueError where there is none."""
        for entry in self.entries:
            if number in entry.numbers:
                return entry
        raise ValueError(f"there is no claim {number!r}")

    def judge(self, number, *, holds=None, holds_with=None, holds_without=None, **figures):
        """Decide the entry of a claim by computed evidence, as `verdict` does; keep its figures."""
        found = verdict(holds=holds, holds_with=holds_with, holds_without=holds_without)
        self._rule(number, Ruling(found, COMPUTED, figures))

    def read(self, number, *, holds=None, holds_with=None, holds_without=None, **figures):
        """Decide an entry by what stands in a publication: a date, a wording. Same rule."""
        found = verdict(holds=holds, holds_with=holds_with, holds_without=holds_without)
        self._rule(number, Ruling(found, READ, figures))

    def leave_open(self, number, **figures):
        """Say that nothing within reach decides the entry."""
        self._rule(number, Ruling(OPEN, NOT_DECIDED, figures))

    def _rule(self, number, ruling):
        entry = self.entry(number)
        if ruling.verdict == entry.written_for:
            entry.why.format(**ruling.figures)  # a missing figure shows here, beside its cell
        self.rulings[entry.numbers[0]] = ruling

    def ruling_of(self, number):
        """Give the ruling on a claim, None where it was not tried."""
        return self.rulings.get(self.entry(number).numbers[0])

    def verdict_of(self, number):
        """Give the verdict on a claim; "not tried" where there is none yet."""
        ruling = self.ruling_of(number)
        return ruling.verdict if ruling else "not tried"

    def claims(self):
        """Give every claim once, in order: (number, kind of source, entry, ruling or None)."""
        found = [
            (number, source, entry, self.rulings.get(entry.numbers[0]))
            for entry in self.entries
            for number, source in zip(entry.numbers, entry.sources, strict=True)
        ]
        return sorted(found, key=lambda claim: claim[0])

    def untried(self):
        """Give the numbers of the claims without a verdict."""
        return [number for number, _, _, ruling in self.claims() if ruling is None]

    def surprises(self):
        """Give the numbers of the claims with another verdict than their text was written for."""
        return [
            number
            for number, _, entry, ruling in self.claims()
            if ruling and ruling.verdict != entry.written_for
        ]

    def totals(self):
        """Count the claims by verdict."""
        count = Counter(self.verdict_of(number) for number, *_ in self.claims())
        return {word: count[word] for word in MARKS}

    def table(self, group):
        """Show the entries of a group, such as "learning", with the verdicts they have."""
        entries = [entry for entry in self.entries if entry.group == group]
        if not entries:
            raise ValueError(f"no group {group!r}; there are {', '.join(GROUPS)}")
        rows = [
            [
                addresses(entry) + entry.says + heard(entry),
                self._verdict_cell(entry),
                self._why(entry),
            ]
            for entry in entries
        ]
        plain = [f"{first(entry):>12}  {self.verdict_of(entry.numbers[0])}" for entry in entries]
        return Grid(["claim, and where it stands", "verdict", "why"], rows, "\n".join(plain))

    def _verdict_cell(self, entry):
        word = self.verdict_of(entry.numbers[0])
        return f"**{MARKS[word]}\u00a0{word}**" if word in MARKS else word

    def _why(self, entry):
        ruling = self.rulings.get(entry.numbers[0])
        if ruling is None:
            return ""
        if ruling.verdict == entry.written_for:
            text = entry.why.format(**ruling.figures)
            if ruling.verdict == RIGHT_IF:
                text = text.removeprefix("if ")  # the word stands in the cell before
        else:
            text = f'The book was written for "{entry.written_for}". What has changed?'
        return f"{text} {links(entry)}".strip()

    def coverage(self):
        """Show one line a claim: number, verdict, how it was decided, chapter."""
        rows = [
            [
                f'<a href="#claim-{number}">{number}</a>',
                source,
                self._verdict_cell(entry),
                ruling.how if ruling else "",
                links(entry),
            ]
            for number, source, entry, ruling in self.claims()
        ]
        plain = [
            f"{number:3} {self.verdict_of(number):15} {ruling.how if ruling else ''}"
            for number, _, _, ruling in self.claims()
        ]
        head = ["claim", "source", "verdict", "how decided", "taught in"]
        return Grid(head, rows, "\n".join(plain))

    def by_source(self):
        """Show how many claims of each kind of source got each verdict."""
        return self._cross("source", SOURCES, lambda claim: claim[1])

    def by_route(self):
        """Show how many claims were decided in each way, and with which verdict."""
        routes = (COMPUTED, READ, NOT_DECIDED)
        return self._cross("how decided", routes, lambda claim: claim[3] and claim[3].how)

    def _cross(self, what, names, key):
        claims = [claim for claim in self.claims() if claim[3]]
        count = Counter((key(claim), claim[3].verdict) for claim in claims)
        rows = []
        for name in names:
            cells = [count[name, word] for word in MARKS]
            rows.append([name, *cells, sum(cells)])
        rows.append(["**all**", *(sum(row[k] for row in rows) for k in range(1, len(MARKS) + 2))])
        plain = "\n".join(" ".join(map(str, row)) for row in rows)
        head = [what, *(f"{MARKS[word]} {word}" for word in MARKS), "all"]
        return Grid(head, [[str(cell) for cell in row] for row in rows], plain)

    def board(self):
        """Give `plots.board` its rows: group → list of (number, verdict), sorted by verdict."""
        order = [*MARKS, "not tried"]
        rows = {}
        for number, _, entry, ruling in self.claims():
            name = entry.group.partition(":")[0]
            rows.setdefault(name, []).append((str(number), ruling.verdict if ruling else order[-1]))
        return {
            name: sorted(rows[name], key=lambda cell: (order.index(cell[1]), int(cell[0])))
            for name in dict.fromkeys(group.partition(":")[0] for group in GROUPS)
        }


class Grid:
    """A table that shows itself as Markdown in a notebook, and as plain lines elsewhere."""

    def __init__(self, head, rows, plain):
        self.head, self.rows, self.plain = head, rows, plain

    def __repr__(self):
        return self.plain

    def _repr_markdown_(self):
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def comparison(rows):
    """Show printed figures beside recomputed ones, with the difference.

    Parameters
    ----------
    rows : list of (str, str, str, float, str)
        Where it stands; what it counts, with the unit; the figure as printed, such as "463K"; the
        recomputed one; and the format of that, such as ".1f".

    Returns
    -------
    Grid

    Examples
    --------
    >>> comparison([("a tutorial", "weights, million", "about 1", 1.605632, ".2f")])
    a tutorial: weights, million: about 1 1.61 −37.7 %
    """
    shown = []
    for where, what, printed, computed, form in rows:
        off = 100 * (float(re.search(r"[\d.]+", printed)[0]) / computed - 1)
        off = f"{round(off, 1) + 0.0:+.1f} %".replace("-", "−").replace("+0.0", "0.0")
        shown.append([where, what, printed, f"{computed:{form}}", off])
    plain = "\n".join(f"{row[0]}: {row[1]}: {' '.join(row[2:])}" for row in shown)
    head = ["where", "what", "printed", "recomputed", "printed is off by"]
    return Grid(head, shown, plain)


def addresses(entry):
    """Write the numbers of an entry as links to themselves, so that one can copy the address."""
    marks = [f'<a id="claim-{n}" href="#claim-{n}">#{n}</a>' for n in entry.numbers]
    return " ".join(marks) + " "


def heard(entry):
    """Name the kinds of source of an entry, each once."""
    return f" *({', '.join(dict.fromkeys(entry.sources))})*"


def first(entry):
    return ", ".join(map(str, entry.numbers))


def links(entry):
    """Write the chapters of an entry as Markdown links."""
    shown = []
    for place in entry.taught:
        slug, sign, heading = place.partition("#")
        shown.append(f"[{CHAPTERS[slug]}](../{slug}/lesson.ipynb{sign}{heading})")
    return ", ".join(shown)


def sentence(numbers, group, sources, taught, written_for, says, why):
    """Build an Entry; a lone number, source or chapter need not be a tuple."""
    numbers, sources, taught = (
        field if isinstance(field, tuple) else (field,) for field in (numbers, sources, taught)
    )
    return Entry(numbers, group, says, sources, taught, written_for, why)


WHAT, CHANNELS, SIZES = "what it is", "shapes: channels", "shapes: sizes"
COUNTING, SAVING = "cost: counting", "cost: saving"
LEARNING, HISTORY, NETWORKS = "learning", "history", "networks"
GROUPS = (WHAT, CHANNELS, SIZES, COUNTING, SAVING, LEARNING, HISTORY, NETWORKS)

LEDGER = (
    # ---------------------------------------------------------------------------- what it is
    sentence(
        (2, 54), WHAT, (NOTES, COMMENT), "channel-collapse#one-pixel", RIGHT,
        "It works across the channels: at each pixel, a dot product along them.",
        "All {outputs:,} outputs are one such sum, plus a bias.",
    ),
    sentence(
        3, WHAT, NOTES, "channel-collapse#five-sentences-that-fail", WRONG,
        "It lowers the number of channels, each channel of each pixel being handled by itself.",
        "Each *pixel* by itself, yes. But one input channel was moved, and {moved} of {outputs} "
        "outputs followed. What keeps channels apart is the depthwise layer.",
    ),
    sentence(
        4, WHAT, NOTES, "channel-collapse#what-it-cannot-do", RIGHT,
        "It takes no notice of a pixel's neighbours.",
        "Of {pixels} input pixels, {seen} reaches the output in the middle.",
    ),
    sentence(
        5, WHAT, NOTES, "channel-collapse#which-dense-layer-it-is", RIGHT_IF,
        "It is a fully connected network over the channels of a position.",
        "if one small dense layer serves all positions: {shared} weights. The dense layer on the "
        "flattened map has {flattened:,}.",
    ),
    sentence(
        77, WHAT, COMMENT, "channel-collapse#which-dense-layer-it-is", RIGHT,
        "Each 1×1 is like one fully connected neuron over the 4096 values of a position; here "
        "there are 2048 of them.",
        "Filter by filter, {outputs} neurons give the {outputs} outputs.",
    ),
    sentence(
        6, WHAT, NOTES, "channel-collapse#many-filters-one-matrix", RIGHT_IF,
        "It collapses all channels of a pixel into a single number.",
        "if there is one filter. {filters} filters leave {filters} numbers at every pixel.",
    ),
    sentence(
        33, WHAT, COMMENT, "channel-collapse#five-sentences-that-fail", WRONG,
        "At bottom, it averages the channels.",
        "It is a weighted sum, and you choose the weights. Television's grey is one, and differs "
        "from the average by up to {gap:.2f} on a scale of 1.",
    ),
    sentence(
        65, WHAT, ANSWER, "channel-collapse#five-sentences-that-fail", WRONG,
        "If the number of channels stays the same, all it does is apply ReLU.",
        "It mixes first. After a sepia matrix and ReLU, {changed:.0%} of the values are not those "
        "of ReLU alone. From 512 to 512 there are {weights:,} weights to learn.",
    ),
    sentence(
        (56, 63), WHAT, (ANSWER, ANSWER), "learned-mixing#ask-for-reconstruction-and-pca-comes-out",
        RIGHT_IF,
        "A filter is a neuron: multiply, add up, then apply ReLU to get one number.",
        "if you put a ReLU behind it. MobileNetV2 leaves the last 1×1 of its blocks without, and "
        "{negative:.0%} of this one's outputs are negative.",
    ),
    sentence(
        81, WHAT, ANSWER, "channel-collapse#what-it-cannot-do", RIGHT_IF,
        "On a picture of one channel it can only brighten or darken, which is pointless.",
        "if no ReLU bends the numbers and the weights add up to more than zero. Slope "
        "{inverted} makes a negative; two filters with biases and a ReLU, added up, bend the "
        "tone curve: slope {low:.2f} in the shadows, {high:.2f} in the lights.",
    ),
    sentence(
        78, WHAT, ANSWER, "channels#flipped-or-not", WRONG,
        "To convolve is to take the product of two functions at all shifts.",
        "The *sum* of the products, with one function flipped. At {several} of {shifts} shifts "
        "there are several products to add.",
    ),
    sentence(
        50, WHAT, ANSWER, "channels#many-filters-a-matrix-whose-entries-are-pictures", RIGHT,
        "Each pair of an input and an output channel has a filter of its own; the results are "
        "summed over the inputs.",
        "{slices} slices, slid one by one and summed, give the layer's numbers.",
    ),
    sentence(
        49, WHAT, ANSWER, "channels#many-filters-a-matrix-whose-entries-are-pictures", RIGHT,
        'The "type 2.2" of another thread is the right description of a convolution.',
        "That type counts $k$ first filters and $m$ second ones as $9k + 25mk$ weights; "
        "torch has {torch:,} for $k = {k}$, $m = {m}$. Type 2.1 would have {other:,}.",
    ),
    sentence(
        22, WHAT, SLIDES, "worked-examples#1-two-matrices-one-weight", RIGHT,
        "Two 4×4 grids of numbers, one twice the other, show a 1×1 convolution.",
        "One channel, one filter, and the weight {weight:g}: every number comes out.",
    ),
    # ----------------------------------------------------------------------- shapes: channels
    sentence(
        13, CHANNELS, SLIDES, "channel-collapse#one-pixel", RIGHT_IF,
        "The size of the filter is 1.",
        "if you count rows and columns. Behind {channels} channels it has {weights} weights.",
    ),
    sentence(
        68, CHANNELS, ANSWER, "channel-collapse#one-pixel", RIGHT,
        '"1×1" tacitly means 1×1×k, with k the number of channels.',
        "For {k} channels, torch's filter has {weights} weights.",
    ),
    sentence(
        67, CHANNELS, ANSWER, "channels#three-axis-orders", RIGHT,
        "A picture really has three axes: width, height, and channels, 3 in colour and 1 in grey.",
        "Here the axes come as {colour} and {grey}; libraries differ in their order.",
    ),
    sentence(
        42, CHANNELS, COMMENT, "channels#three-axis-orders", WRONG,
        "Whoever writes (N, F, H, W) must be thinking of grey pictures.",
        "F is the channel axis. For a colour photograph it is {f}.",
    ),
    sentence(
        79, CHANNELS, ANSWER, "channels#one-number-by-hand", RIGHT,
        "For a grey picture, the kernel is a v×v matrix.",
        "A grey picture has one channel: {grey} weights where v = {v}. For {channels} channels "
        "there is one such matrix each, {weights} weights.",
    ),
    sentence(
        51, CHANNELS, ANSWER, "channel-collapse#many-filters-one-matrix", RIGHT_IF,
        "The input is a matrix of shape (m, n, f). A 1×1 filter is a vector of f numbers that "
        "sweeps over it and makes one m×n filter.",
        "if you read array for matrix and *feature map* for the last word. A matrix has two axes "
        "and this has {axes}; what comes out has {out} numbers, the filter {weights}.",
    ),
    sentence(
        (34, 52, 57, 61, 62), CHANNELS, (COMMENT, ANSWER, ANSWER, ANSWER, ANSWER),
        "channel-collapse#many-filters-one-matrix", RIGHT,
        "One filter is a vector, a weight for each channel, and makes one H×W map; F filters turn "
        "C×H×W into F×H×W.",
        "{before} becomes {after}, with {weights} weights.",
    ),
    sentence(
        (40, 44), CHANNELS, (COMMENT, COMMENT), "channel-collapse#five-sentences-that-fail", RIGHT,
        "Each kernel makes one channel, and how many kernels is your choice: 64 of them turn 256 "
        "channels into 64.",
        "From 256 channels, 1, 64 and 300 kernels make {counts}.",
    ),
    sentence(
        69, CHANNELS, ANSWER, "channel-collapse#five-sentences-that-fail", RIGHT_IF,
        "It lowers the number of channels, for example by averaging red, green and blue.",
        "if there are fewer filters than channels. {filters} filters raise {channels} to "
        "{filters}.",
    ),
    # -------------------------------------------------------------------------- shapes: sizes
    sentence(
        7, SIZES, NOTES, "channel-collapse#what-it-cannot-do", RIGHT_IF,
        "It maps each input pixel, with all its channels, to one output pixel.",
        "if the stride is 1 and nothing is padded. At stride 2, {lost:.0%} of the pixels go "
        "nowhere; with padding 1, {frame} output pixels come from none.",
    ),
    sentence(
        (16, 36), SIZES, (SLIDES, ANSWER), "channel-collapse#what-it-cannot-do", RIGHT,
        "It raises or lowers the number of channels.",
        "4 channels become {fewer} or {more}. New directions are another matter: the {more} have "
        "rank {rank}.",
    ),
    sentence(
        35, SIZES, ANSWER, "channel-collapse#what-it-cannot-do", RIGHT_IF,
        "(N, F, H, W) through F₁ filters with zero padding and stride 1 gives (N, F₁, H, W).",
        'if "zero padding" means none. A ring of zeros gives {framed}, and its frame holds the '
        "bias.",
    ),
    sentence(
        38, SIZES, ANSWER, "inception-reductions", RIGHT,
        "In Inception it shrinks the channels and not height or width.",
        "None of the {ones} 1×1 layers in the modules changes height or width.",
    ),
    sentence(
        59, SIZES, ANSWER, "after-inception", RIGHT_IF,
        "It shrinks the channels and not height or width.",
        "if the stride is 1. ResNet has 1×1 layers with stride 2, on its shortcuts: "
        "{before} → {after} pixels a side.",
    ),
    sentence(
        60, SIZES, ANSWER, "channels#pooling-never-touches-the-channels", WRONG,
        "Pooling can shrink height, width and channels.",
        "{before} channels before, {after} after, by maximum and by mean. A comment below the "
        "answer corrects it.",
    ),
    sentence(
        66, SIZES, COMMENT, "channels#pooling-never-touches-the-channels", RIGHT,
        "A pooling layer shrinks height and width, not the channels.",
        "{shape} after 2×2 pooling of (1, {before}, 8, 8).",
    ),
    sentence(
        23, SIZES, SLIDES, "channels#how-large-is-the-output", RIGHT_IF,
        "The output size is (n − f + 1)/stride.",
        "if that is a whole number. In {broken:,} of {cases:,} cases tried it is not, and a layer "
        "has no fraction of a pixel.",
    ),
    sentence(
        24, SIZES, SLIDES, "worked-examples#4-the-shape-table", WRONG,
        "For 6×6 and a 3×3 window: (28 − 3 + 1)/1 = 4.",
        "A slip of the pen. (28 − 3 + 1)/1 is {slip:g}; with the 6 in its place it is {true:g}, as "
        "printed.",
    ),
    sentence(
        (25, 26, 27), SIZES, (SLIDES, SLIDES, SLIDES), "worked-examples#4-the-shape-table",
        RIGHT_IF,
        "By 3×3 windows 28×28×8 becomes 26×26×8; at stride 2, 13×13×8; with same padding, 28×28×8.",
        "if the layer has 8 filters. {filters} filters make all three {filters} deep.",
    ),
    sentence(
        28, SIZES, SLIDES, "worked-examples#4-the-shape-table", RIGHT_IF,
        "A table of sizes, on slides about 1×1, without a 1×1 row: its rule will do.",
        "if the stride divides the side. For 27 pixels at stride 2 the rule gives {rule:g} and the "
        "layer {true}.",
    ),
    # ------------------------------------------------------------------------- cost: counting
    sentence(
        10, COUNTING, NOTES, "worked-examples#6-256--64--256-against-256--256", RIGHT,
        "256 channels by 1×1 to 64 and by 4×4 back to 256, against one 4×4 from 256 to 256: the "
        "first is the cheaper way.",
        "{through:,} weights against {direct:,}, {ratio:.4f} times fewer: 64/17.",
    ),
    sentence(
        43, COUNTING, ANSWER, ("worked-examples", "arithmetic-and-time"), RIGHT_IF,
        "The direct way is about 3.7 times slower.",
        "if slower means more multiplications, on maps of one size: {same:.4f}. On a small map "
        "without padding, {side}×{side}, it is {valid:.2f}. The clock is tried in the chapter on "
        "time.",
    ),
    sentence(
        45, COUNTING, COMMENT, "worked-examples#6-256--64--256-against-256--256", RIGHT_IF,
        "The cost of computation is proportional to the number of weights.",
        "if all maps have one size. Without padding on 14×14 the weights say {weights:.2f} and the "
        "multiplications {macs:.2f}.",
    ),
    sentence(
        46, COUNTING, COMMENT, "worked-examples#6-256--64--256-against-256--256", WRONG,
        "The 4×4 behind the reduction has 64×265×4×4 weights.",
        "A slip of the pen for 256: {true:,}, not {slip:,}.",
    ),
    sentence(
        47, COUNTING, COMMENT, "worked-examples#6-256--64--256-against-256--256", WRONG,
        "The ratio is 256/17, about 3.7.",
        "256/17 is {slip:.2f}. The ratio is 64/17, {true:.4f}.",
    ),
    sentence(
        20, COUNTING, SLIDES, "worked-examples#7-1129-million-against-53-million", RIGHT,
        "(14×14×48) × (5×5×480) = 112.9 million operations.",
        "{macs:,} multiply-accumulates.",
    ),
    sentence(
        21, COUNTING, SLIDES, "worked-examples#7-1129-million-against-53-million", OPEN,
        "With a 1×1 in front: a number that our copy of the slides has lost.",
        "With the {width} channels of the real layer it would be {macs:.1f} million, {ratio:.2f} "
        "times fewer; what the slide said we cannot know.",
    ),
    sentence(
        19, COUNTING, SLIDES, "worked-examples#7-1129-million-against-53-million", RIGHT_IF,
        'Under the heading "how to reduce the number of parameters", a count of operations: one '
        "stands for the other.",
        "if all maps have one size: {weights:,} weights are not {macs:,} operations, but both fall "
        "{ratio:.2f} times. Without padding, weights {ratio:.2f} and operations {valid:.2f} times.",
    ),
    sentence(
        17, COUNTING, SLIDES, "worked-examples#9-a-25th-of-the-parameters", RIGHT_IF,
        "1×1 instead of 5×5 leaves 1/25 of the parameters.",
        "if biases are left out. With them it is 1/{ratio:.2f} from {channels} channels, and from "
        "one channel, {five} against {one}, 1/{single:g}. And a 1×1 sees no neighbours: it is "
        "no 5×5.",
    ),
    sentence(
        (82, 84), COUNTING, (ANSWER, ANSWER),
        "worked-examples#3-a-photograph-to-one-channel-and-to-two", RIGHT,
        "Three channels to one take 3 coefficients and make one picture; to two, 6.",
        "{one} and {two}; with biases {one_biased} and {two_biased}.",
    ),
    # --------------------------------------------------------------------------- cost: saving
    sentence(
        9, SAVING, NOTES, ("inception-reductions", "arithmetic-and-time"), RIGHT_IF,
        "Volumes with very many channels are slow to multiply.",
        "if the map stays as large: then twice the channels, twice the work. GoogLeNet's 5b reads "
        "{deep} channels for {deep_macs:.0f} million MACs, its 3b reads {shallow} for "
        "{shallow_macs:.0f} million.",
    ),
    sentence(
        11, SAVING, NOTES, "worked-examples", WRONG,
        "The network can choose which channels to look at, instead of multiplying all by brute "
        "force.",
        "Nothing is skipped: a NaN in a channel of weight 0 spoils {spoiled:.0%} of the outputs. "
        "What saves work is the narrow middle.",
    ),
    sentence(
        14, SAVING, SLIDES, "worked-examples#10-a-reduction-that-costs-more-than-it-saves",
        RIGHT_IF,
        "It is used to reduce the number of parameters.",
        "if the middle is narrower than the break-even, {limit:.2f} channels for the 4×4 above. At "
        "{wide} there are {more:,} weights more than without.",
    ),
    sentence(
        30, SAVING, COMMENT, "after-inception", RIGHT_IF,
        "The whole idea is to have fewer channels, and so less to compute.",
        "if the layer reduces. ResNet's second 1×1 in a block goes from {c_in} to {c_out} "
        "channels; others score classes or mix without changing the number.",
    ),
    sentence(
        31, SAVING, COMMENT, "after-inception", WRONG,
        "It connects the channels at a negligible cost.",
        "In a depthwise-separable 3×3 it *is* the cost: {narrow:.1%} of the MACs at 32 channels, "
        "{wide:.1%} at 512.",
    ),
    sentence(
        32, SAVING, COMMENT, "after-inception", RIGHT,
        "Depthwise-separable convolutions exploit it.",
        "It is their second half. At 512 channels the pair has {ratio:.2f} times fewer MACs than "
        "the full 3×3.",
    ),
    sentence(
        58, SAVING, ANSWER, "worked-examples#8-1204-million-against-124-million", RIGHT_IF,
        "Use pooling to shrink height and width and a 1×1 to shrink the channels; that saves a "
        "lot of computation.",
        "if the middle is narrow. 5×5 from 192 to 32 channels on 28×28: {direct:,} MACs, through "
        "16 channels {through:,}, {ratio:.2f} times fewer; through 160, {wide:,}.",
    ),
    # ------------------------------------------------------------------------------- learning
    sentence(
        80, LEARNING, ANSWER, "learned-mixing#find-a-known-matrix-again", RIGHT,
        "It learns linear combinations of the input channels.",
        "With a bias if you like. Shown only pictures, descent finds television's weights again: "
        "{found}.",
    ),
    sentence(
        15, LEARNING, SLIDES, "network-in-network#real-data-that-does-not-need-them", RIGHT_IF,
        "More parameters over-fit more, so a 1×1 lowers over-fitting.",
        "if the layer takes weights away, and what its narrow middle cuts off is noise: the gap "
        "falls from {wide:.1f} to {narrow:.1f}. Of two networks of nearly equal size, on "
        "handwritten digits, the one with extra 1×1 layers over-fitted *more*.",
    ),
    sentence(
        53, LEARNING, ANSWER, "learned-mixing#ask-for-reconstruction-and-pca-comes-out", RIGHT_IF,
        "From f₁ to fewer f₂ channels, the network learns the most efficient reduction.",
        "if efficient means by the loss it was trained on. Asked to reconstruct, descent ends in "
        "the plane of principal component analysis. Asked for the pixels rich in a stain, one "
        "channel gets {right:.0%} of them right, and one principal component {pca:.0%}.",
    ),
    sentence(
        83, LEARNING, ANSWER, "learned-mixing#does-it-keep-the-most-information", RIGHT_IF,
        "Training makes the outputs hold as much information as possible.",
        "if the loss asks for reconstruction and variance is what you mean. Trained to find "
        "the pixels rich in a stain, the layer kept {kept:.0%} of the variance; {most:.0%} was to "
        "be had.",
    ),
    sentence(
        85, LEARNING, ANSWER, "learned-mixing#find-a-known-matrix-again", RIGHT_IF,
        "M outputs from N inputs: training finds the optimal set of M combinations.",
        "if the slope is zero only where the loss is lowest, as for one linear layer and squared "
        "error. With a ReLU behind it, {stuck} of {starts} starts came to rest at weight 0, where "
        "the slope from below is zero, though the loss falls further on.",
    ),
    sentence(
        75, LEARNING, ANSWER, "learned-mixing#does-it-keep-the-most-information", RIGHT_IF,
        "With fewer and fewer neurons, each takes over more and more features.",
        "if the channels repeat each other, and variance counts as features. Two directions of "
        "three keep {slide:.2%} of a slide's variance; of three unrelated channels, {noise:.0%}.",
    ),
    sentence(
        87, LEARNING, ANSWER, "learned-mixing#when-two-layers-are-one", RIGHT,
        "Where the next layer forms linear combinations by itself, more channels out than in is "
        "pointless, unless a nonlinearity comes between.",
        "256 → 1024 → 256 is one matrix, of rank {rank}. A layer between that does not mix "
        "channels, such as a depthwise one, is another matter: two channels widened to eight give "
        "four slices of rank {widened}, unwidened of rank {same}.",
    ),
    # -------------------------------------------------------------------------------- history
    sentence(
        (1, 55), HISTORY, (NOTES, ANSWER), "network-in-network#from-a-filter-to-a-small-network",
        WRONG,
        "Network in Network is another name for it.",
        "That is a network, with larger kernels too: {ones} of its {layers} layers with weights "
        "are 1×1, and they have {share:.1%} of the parameters.",
    ),
    sentence(
        12, HISTORY, SLIDES, "network-in-network#from-a-filter-to-a-small-network", RIGHT_IF,
        "It was first introduced in the paper Network in Network.",
        "if you mean as a layer between other layers ({paper}). A dense layer slid over a larger "
        "picture, the same arithmetic, was published in {older}; we know "
        "of none earlier.",
    ),
    sentence(
        37, HISTORY, ANSWER, "inception-reductions", RIGHT,
        "Two passages quoted from the paper on GoogLeNet.",
        "The words are the paper's. The dots between them leave out that the narrow channels hold "
        "a dense, compressed form, which is harder to model.",
    ),
    sentence(
        41, HISTORY, COMMENT, "network-in-network", RIGHT_IF,
        "An Inception module looks at the correlations between channels first, as Network in "
        "Network and Xception explain.",
        "if you ask Xception ({later}). The other paper ({earlier}) is older than Inception "
        "({inception}) and could not explain it.",
    ),
    sentence(
        48, HISTORY, COMMENT, "channels", OPEN,
        "Page 9 of a guide to convolution arithmetic shows how the weights go with the depths.",
        "We have not checked the page number. The guide does have such a figure: two input maps, "
        "three output maps, and a slice for each pair.",
    ),
    # ------------------------------------------------------------------------------- networks
    sentence(
        29, NETWORKS, QUESTION, "inception-reductions", RIGHT,
        "The Inception module uses it.",
        "{ones} of GoogLeNet's {convs} convolutions are 1×1.",
    ),
    sentence(
        8, NETWORKS, NOTES, ("inception-reductions", "after-inception"), RIGHT,
        "It is often used to lower the number of channels.",
        "In {some} of the {having} networks of this book that have 1×1 layers, at least one "
        "reduces.",
    ),
    sentence(
        86, NETWORKS, ANSWER, "after-inception", RIGHT_IF,
        "Its most common use is to have fewer channels out than in.",
        "if GoogLeNet is counted: {reduce} of the {all} 1×1 layers in this book's networks reduce. "
        "In the others {other_reduce} of {other_all} do, and {other_expand} expand.",
    ),
    sentence(
        18, NETWORKS, SLIDES, "after-inception", WRONG,
        "Its main application is the Inception network.",
        "Measured by its share of the work: 1×1 layers do {google:.1%} of GoogLeNet's MACs, "
        "{mobile:.1%} of MobileNetV1's; among the {all} networks of this book "
        "GoogLeNet comes number {place}.",
    ),
    sentence(
        39, NETWORKS, COMMENT, "inception-reductions#the-naive-module", WRONG,
        "Before the 5×5 it compresses all channels into 1.",
        "To {least} at least and {most} at most, in the nine modules.",
    ),
    sentence(
        64, NETWORKS, ANSWER, "inception-reductions#all-nine-modules", RIGHT,
        "In Inception it shrinks the channels and saves computation.",
        "In all {modules} modules: {least:.2f} to {most:.2f} times fewer MACs.",
    ),
    sentence(
        70, NETWORKS, ANSWER, "worked-examples#11-from-4096-features-to-2048", RIGHT,
        "fc7 of the fully convolutional network is 4096×8×8 for a picture of 250×250.",
        "{shape}, because the first layer pads by {padding}. Without, the 7×7 of fc6 would leave "
        "{bare}.",
    ),
    sentence(
        71, NETWORKS, ANSWER, "worked-examples#11-from-4096-features-to-2048", RIGHT_IF,
        "The next layer is a 1×1 to 2048×8×8.",
        "if you only imagine it, as the answer does: {weights:,} weights. The published network "
        "goes from fc7 to {classes} class scores.",
    ),
    sentence(
        72, NETWORKS, ANSWER, "after-inception", RIGHT,
        "Each neuron of fc7 has a large receptive field.",
        "{size}×{size} pixels, more than the whole picture of 250×250.",
    ),
    sentence(
        73, NETWORKS, ANSWER, "after-inception", WRONG,
        "The upper left neuron behind fc7 sees the upper left corner of the picture.",
        "It sees {seen}×{seen} of the 250×250 pixels, {share:.0%} of the picture.",
    ),
    sentence(
        76, NETWORKS, ANSWER, "after-inception", RIGHT_IF,
        "8×8 stays 8×8, so neither the view of a neuron nor the coarseness changes.",
        "if the layer is a 1×1: before and after it, {size} pixels wide, {stride} apart. A 3×3 "
        "with padding 1 keeps 8×8 too, and sees {wider}.",
    ),
    sentence(
        74, NETWORKS, ANSWER, "after-inception", OPEN,
        "Of 4096 features about 500 are active, and of the outputs about 250.",
        "An illustration, and the answer says so. Without the network and the picture there is "
        "nothing to count.",
    ),
)  # fmt: skip
