"""The pictures that more than one chapter draws.

Every function returns a `Drawing`. As the last line of a notebook cell it shows itself.
"""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from pointwise import cost
from pointwise.cost import Conv

# Okabe and Ito's colour-blind-safe set. A channel keeps its colour through the whole book.
INPUT = ("#0072B2", "#D98200", "#009E73", "#7A4FA3")  # blue, orange, green, purple
OUTPUT = ("#4A4A4A",)

LINES = ("-", "--", "-.", ":")  # beside the colours, for whoever cannot tell those apart
MARKS = ("o", "s", "^", "D")
WIDTH, DPI = 7.0, 100  # inches and dots per inch: the 700 px column of the book
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=INPUT),
}


class Drawing:
    """A finished matplotlib figure that shows itself as the last line of a notebook cell.

    Line art becomes a PNG of at most 64 colours, photographs a JPEG: a page of photographs as
    full-colour PNG would weigh a megabyte.
    """

    def __init__(self, figure, text, *, photograph=False):
        self.figure = figure
        self.text = text
        self.photograph = photograph

    def __repr__(self):
        return f"<drawing: {self.text}>"

    def _repr_png_(self):
        if not self.photograph:
            return _encode(self._pixels().quantize(64, dither=Image.Dither.NONE), "png")

    def _repr_jpeg_(self):
        if self.photograph:
            return _encode(self._pixels(), "jpeg", quality=75)

    def _pixels(self):
        raw = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(raw, format="png", dpi=DPI, facecolor="white")
        return Image.open(raw).convert("RGB")


def numbers(*items, titles=None, marks=None, colours=None, cell=0.36):
    """Draw arrays of numbers as grids in a row, with signs such as `"="` between them.

    A `(C, H, W)` array becomes a column of C grids, one per channel; an `(F, C, H, W)` array
    becomes F rows of C grids; `(H, W)` and `(W,)` become one grid.

    Parameters
    ----------
    *items : ndarray or str
        What to draw, from left to right. A string is written as it is.
    titles : list of str, optional
        One title above each array (strings among the items have none).
    marks : dict, optional
        `{k: [(grid, i, j, h, w), …]}`: in array number k, outline the block of h × w cells
        whose first cell is (i, j), in the given grid (counted row by row from 0).
    colours : str or list of str, optional
        `"input"` (channel colours, by column for `(F, C, H, W)`) or `"output"` (grey), for all
        arrays or one for each. Default: `"output"` after a `"="`, else `"input"`.
    cell : float
        Side of one cell in inches.

    Returns
    -------
    Drawing
    """
    if isinstance(colours, str):
        colours = [colours] * len(items)
    blocks, signs, x, before = [], [], 0.15, None  # lengths are in cells
    for item in items:
        if isinstance(item, str):
            wide = 1.5 + 0.25 * (len(item) - 1)
            signs.append((x + wide / 2, item))
            x += wide
        else:
            n = len(blocks)
            x += 1.2 if before == "" else 0  # two arrays with no sign between them
            kind = colours[n] if colours else "output" if before == "=" else "input"
            title = titles[n] if titles and n < len(titles) else ""
            blocks.append(_Block(item, x, kind, title, marks.get(n, ()) if marks else ()))
            x += blocks[-1].width
        before = item if isinstance(item, str) else ""
    tall = max(block.height for block in blocks)
    head = 0.5 + 0.75 * max(block.title.count("\n") + 1 if block.title else 0 for block in blocks)
    total = (x + 0.15, head + tall + 0.2)
    scale = min(cell, WIDTH / total[0])
    fig = Figure(figsize=(total[0] * scale, total[1] * scale))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, total[0]), ylim=(total[1], 0))
    ax.axis("off")
    size = 9.5 * scale / 0.36
    for centre, sign in signs:
        larger = 2.4 if sign == "⋆" else 1.6  # the font draws this one small
        ax.text(centre, head + tall / 2, sign, ha="center", va="center", fontsize=larger * size)
    for block in blocks:
        block.draw(ax, head + (tall - block.height) / 2, size)
    shapes = [item if isinstance(item, str) else str(np.shape(item)) for item in items]
    return Drawing(fig, " ".join(shapes))


def pictures(*images, titles=None, per_row=4, limits=(0, 1), cmap="gray", width=WIDTH):
    """Show images side by side: colour for three channels, grey (or `cmap`) for one.

    Parameters
    ----------
    *images : ndarray of shape (C, H, W) or (1, C, H, W), C = 1 or 3, or (H, W)
        Values outside `limits` are shown as the nearest limit.
    titles : list of str, optional
        One line above each image.
    per_row : int
        Images in a row before the next row starts.
    limits : (float, float)
        The values drawn as black and white (for three channels: as no light and full light).
    cmap : str
        Matplotlib colour map for one-channel images.
    width : float
        Width of the whole picture in inches.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If an image has neither one nor three channels.
    """
    shown = [_for_imshow(image, limits) for image in images]
    cols = min(per_row, len(shown))
    rows = -(-len(shown) // cols)
    side = width / cols
    high = max(image.shape[0] / image.shape[1] for image in shown) * side * 0.97
    head = 0.27 if titles else 0.05
    total = rows * (high + head)
    fig = Figure(figsize=(width, total))
    for k, image in enumerate(shown):
        r, c = divmod(k, cols)
        bottom = (total - (r + 1) * (high + head)) / total
        ax = fig.add_axes(((c + 0.015) / cols, bottom, 0.97 / cols, high / total))
        ax.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="auto")
        ax.axis("off")
        if titles:
            ax.set_title(titles[k], fontsize=9, pad=4)
    return Drawing(fig, " ".join(str(np.shape(i)) for i in images), photograph=True)


def curves(*series, labels=None, xlabel, ylabel, height=2.8):
    """Draw lines on one pair of axes.

    Parameters
    ----------
    *series : (x, y) pairs of array_like
    labels : list of str, optional
        Names for the legend, one per series.
    xlabel, ylabel : str
        What the axes measure, with units.
    height : float
        Inches.

    Returns
    -------
    Drawing
    """
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.8, height)
        for k, (x, y) in enumerate(series):
            ax.plot(x, y, LINES[k % 4], lw=2, label=labels[k] if labels else None)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        if all(np.min(y) >= 0 for _, y in series):
            ax.set_ylim(bottom=0)
        if labels:
            ax.legend(frameon=False)
    return Drawing(fig, f"{ylabel} against {xlabel}")


def paths(tables):
    """Draw chains of layers one below the other: maps as bars, layers as arrows with their MACs.

    A bar is as tall as its map has channels, on one scale for the whole picture.

    Parameters
    ----------
    tables : dict
        `{"name of the path": cost.Table}`, for chains without branches.

    Returns
    -------
    Drawing
    """
    rows = {name: [t.in_shape, *(row.out_shape for row in t.rows)] for name, t in tables.items()}
    most = max(shape[0] for shapes in rows.values() for shape in shapes)
    longest = max(map(len, rows.values()))
    fig = Figure(figsize=(WIDTH, 1.75 * len(tables)))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(-len(tables) - 0.02, -0.02))
    ax.axis("off")
    for line, (name, table) in enumerate(tables.items()):
        middle = -line - 0.42
        ax.text(0.1, middle, f"{name}\n{table.macs / 1e6:.1f} M", va="center", weight="bold")
        places = np.linspace(2.3, 9.4, longest)
        if len(rows[name]) == 2:  # one layer: its arrow spans the picture
            places = places[[0, -1]]
        for shape, x in zip(rows[name], places, strict=False):
            tall = 0.7 * shape[0] / most
            bar = Rectangle((x - 0.14, middle - tall / 2), 0.28, tall, fc=INPUT[0])
            ax.add_patch(bar)
            label = f"{shape[0]}\n" + "×".join(map(str, shape[1:]))
            ax.text(x, middle - tall / 2 - 0.03, label, ha="center", va="top", fontsize=8)
        for k, row in enumerate(table.rows):
            left, right = places[k] + 0.25, places[k + 1] - 0.25
            arrow = {"arrowstyle": "->", "lw": 1.2}
            ax.annotate("", (right, middle), (left, middle), arrowprops=arrow)
            kind = "1×1" if row.kind == "pointwise" else row.kind
            text = f"{kind}\n{row.macs / 1e6:.1f} M MACs"
            ax.text((left + right) / 2, middle + 0.04, text, ha="center", va="bottom", fontsize=9)
    return Drawing(fig, ", ".join(tables))


def reduction_curve(k, c_in, c_out, *, side):
    """Draw the MACs of a k×k layer behind a 1×1 reduction against the width of the reduction.

    Parameters
    ----------
    k, c_in, c_out : int
        The layer that is to be reduced.
    side : int
        Rows and columns of the map, in pixels.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If an argument is not a whole number of at least 1.
    """
    limit = cost.break_even(k, c_in, c_out)
    widths = np.arange(1, max(2, int(1.25 * limit) + 1))
    direct = cost.table([Conv(c_in, c_out, k, padding="same")], (c_in, side, side)).macs
    slope = cost.table([Conv(c_in, 1), Conv(1, c_out, k, padding="same")], (c_in, side, side)).macs
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.8, 3)
        ax.set_title(f"{k}×{k}, {c_in} → {c_out} channels, {side}×{side}")
        ax.plot(widths, slope * widths / 1e6, lw=2, label="through r channels")
        ax.axhline(direct / 1e6, ls="--", lw=2, color=INPUT[1], label="direct")
        ax.plot(float(limit), direct / 1e6, "o", color="black")
        ax.annotate(f"break-even\nr = {float(limit):.1f}", (float(limit), direct / 1e6),
                    (6, -32), textcoords="offset points")  # fmt: skip
        ax.set(xlabel="channels of the reduction, r", ylabel="million MACs", xlim=0, ylim=0)
        ax.legend(frameon=False, loc="lower right")
    return Drawing(fig, f"MACs against r, break-even at {float(limit):.1f}")


def bars(names, groups, *, xlabel, ylabel, height=2.8):
    """Draw groups of bars side by side.

    Parameters
    ----------
    names : list of str
        One for each place along the horizontal axis.
    groups : dict
        `{"name in the legend": one value for each place}`.
    xlabel, ylabel : str
        What the axes hold, with units.
    height : float
        Inches.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If a group has more or fewer values than there are names.
    """
    for name, values in groups.items():
        if len(values) != len(names):
            raise ValueError(f"{len(names)} names, but {name!r} has {len(values)} values")
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.9, height, grid="y")
        wide = 0.8 / len(groups)
        for k, (name, values) in enumerate(groups.items()):
            places = np.arange(len(names)) + (k - (len(groups) - 1) / 2) * wide
            ax.bar(places, values, wide, label=name, hatch=("", "//")[k % 2], edgecolor="white")
        ax.set_xticks(range(len(names)), names)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.set_axisbelow(True)
        ax.legend(frameon=False)
    return Drawing(fig, f"{ylabel} for each {xlabel}")


def runs(groups, *, xlabel, ylabel, level=None, height=2.8):
    """Draw training runs: a thin line for each run, a colour and a line style for each group.

    Parameters
    ----------
    groups : dict
        `{"name in the legend": runs}`, each run a list with one value for each epoch.
    xlabel, ylabel : str
        What the axes measure.
    level : (float, str), optional
        A height to mark across the picture, and its name: `(0.5, "chance")`.
    height : float
        Inches.

    Returns
    -------
    Drawing
    """
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.8, height)
        for k, (name, lines) in enumerate(groups.items()):
            for n, line in enumerate(lines):
                style = {"color": INPUT[k % 4], "ls": LINES[k % 4]}
                label = name if n == 0 else None
                ax.plot(range(1, len(line) + 1), line, lw=1.2, label=label, **style)
        if level:
            ax.axhline(level[0], color="black", lw=0.8)
            ax.annotate(level[1], (1, level[0]), (2, -9), textcoords="offset points", fontsize=8)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.legend(frameon=False)
    return Drawing(fig, f"{ylabel} against {xlabel}, {sum(map(len, groups.values()))} runs")


def dots(groups, *, xlabel, level=None):
    """Draw one dot for each run, a row for each group, and a bar at the group's median.

    Parameters
    ----------
    groups : dict
        `{"name of the row": list of values}`.
    xlabel : str
        What the values measure.
    level : (float, str), optional
        A value to mark through all rows, and its name.

    Returns
    -------
    Drawing
    """
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.9, 0.7 + 0.32 * len(groups), grid="x")
        for row, values in enumerate(groups.values()):
            ax.plot(values, [row] * len(values), "o", ms=6, alpha=0.55, mew=0, color=INPUT[0])
            ax.plot([np.median(values)] * 2, [row - 0.3, row + 0.3], lw=2, color=INPUT[1])
        ax.set_yticks(range(len(groups)), groups)
        ax.set(xlabel=xlabel, ylim=(len(groups) - 0.5, -0.5))
        if level:
            ax.axvline(level[0], color="black", lw=0.8, ls="--")
            ax.annotate(level[1], (level[0], -0.5), (3, 2), textcoords="offset points", fontsize=8)
    return Drawing(fig, f"{xlabel}, {sum(map(len, groups.values()))} runs in {len(groups)} groups")


def roofline(layers, ceilings, *, cache=None, names=None):
    """Draw the speed of layers against their arithmetic intensity, under the roofs of a machine.

    Parameters
    ----------
    layers : dict
        `{"name in the legend": [(intensity, rate), …]}`: MACs for each byte that must move, and
        MACs in a second.
    ceilings : predict.Ceilings
        MACs in a second of a large multiply, bytes in a second of a large copy.
    cache : float, optional
        Bytes in a second of a small copy, for a second slope.
    names : dict, optional
        `{(intensity, rate): "name in the legend"}`: more layers, each with a mark of its own.

    Returns
    -------
    Drawing
    """
    every = [point for points in layers.values() for point in points] + list(names or {})
    left, right = min(x for x, _ in every) / 1.5, max(x for x, _ in every) * 1.5
    low, roof = min(y for _, y in every) / 1.5, ceilings.macs
    slopes = {"a large copy": (ceilings.bytes, "k-"), "a copy in cache": (cache, "k:")}
    slopes = {name: slope for name, slope in slopes.items() if slope[0]}
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH, 4)
        ax.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, 2 * roof),
               xlabel="arithmetic intensity, MACs per byte", ylabel="MACs per second")  # fmt: skip
        for speed, style in slopes.values():
            ax.plot([left, roof / speed], [left * speed, roof], style)
        ax.plot([roof / max(speed for speed, _ in slopes.values()), right], [roof, roof], "k-")
        for k, (name, points) in enumerate(layers.items()):
            ax.plot(*np.transpose(points), MARKS[k % 4], ms=5.5, alpha=0.65, mew=0,
                    color=INPUT[k % 4], label=name)  # fmt: skip
        for k, (point, name) in enumerate((names or {}).items()):
            ax.plot(*point, "*PX"[k % 3], ms=10, color="black", mec="white", ls="", label=name)
        above = {"textcoords": "offset points", "fontsize": 8}
        ax.annotate("a large multiply", (right, roof), (-4, 4), ha="right", **above)
        fig.draw_without_rendering()  # the slopes have their angle now
        for name, (speed, _) in slopes.items():
            start = max(left, low / speed) * 1.15
            (x0, y0), (x1, y1) = ax.transData.transform([(1, 1), (10, 10)])
            ax.annotate(name, (start, start * speed), (-3, 4), rotation_mode="anchor",
                        rotation=np.degrees(np.arctan2(y1 - y0, x1 - x0)), **above)  # fmt: skip
        ax.legend(frameon=False, loc="lower right")
    return Drawing(fig, f"{len(every)} layers under their roofs")


def agreement(groups, *, xlabel, ylabel, within, names=None):
    """Draw one quantity against another on logarithmic axes, with a band where the two agree.

    Parameters
    ----------
    groups : dict
        `{"name in the legend": [(x, y), …]}`, all positive.
    xlabel, ylabel : str
        What the axes hold, with units.
    within : float
        The band: 0.2 for y between 0.8 and 1.2 times x.
    names : dict, optional
        `{(x, y): "text beside that point"}`.

    Returns
    -------
    Drawing
    """
    values = [value for points in groups.values() for point in points for value in point]
    ends = np.array([min(values) / 2, max(values) * 1.5])
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.8, 4.2)
        ax.plot(ends, ends, "k-", lw=1)
        ax.fill_between(ends, (1 - within) * ends, (1 + within) * ends, color="black", alpha=0.1,
                        lw=0, label=f"within {within:.0%}")  # fmt: skip
        for k, (name, points) in enumerate(groups.items()):
            ax.plot(*np.transpose(points), MARKS[k % 4], ms=5.5, alpha=0.65, mew=0,
                    color=INPUT[k % 4], label=name)  # fmt: skip
        ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel=xlabel, ylabel=ylabel)
        taken = []  # in points; a label that would lie on another one moves up
        for point, text in sorted((names or {}).items(), key=lambda item: item[0][1]):
            below = point[1] < point[0]
            x, y = ax.transData.transform(point) * 72 / fig.dpi
            up = -4 if below else 2
            while any(abs(x - u) < 90 and abs(y + up - v) < 10 for u, v in taken):
                up += 2
            taken.append((x, y + up))
            ax.annotate(text, point, (6 if below else -6, up), fontsize=8,
                        textcoords="offset points", ha="left" if below else "right")  # fmt: skip
        ax.legend(frameon=False, loc="upper left")
    return Drawing(fig, f"{ylabel} against {xlabel}, {sum(map(len, groups.values()))} points")


def scaling(series, *, xlabel, ylabel, dashed=None):
    """Draw lines with marks on logarithmic axes.

    Parameters
    ----------
    series : dict
        `{"name in the legend": (x, y)}`, all positive.
    xlabel, ylabel : str
        What the axes hold, with units.
    dashed : dict, optional
        The same, for lines that were computed and not measured: dashed, black, without marks.

    Returns
    -------
    Drawing
    """
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH * 0.8, 3.2)
        for k, (name, (x, y)) in enumerate(series.items()):
            ax.plot(x, y, MARKS[k % 4] + LINES[k % 4], ms=5, color=INPUT[k % 4], label=name)
        for name, (x, y) in (dashed or {}).items():
            ax.plot(x, y, "k--", lw=1, label=name)
        ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        ax.legend(frameon=False)
    return Drawing(fig, f"{ylabel} against {xlabel}, {len(series)} lines")


def stacks(rows, *, xlabel):
    """Draw one bar for each row, cut into parts that together make 100 %.

    Parameters
    ----------
    rows : dict
        `{"name of the row": {"name of the part": amount}}`; amounts in any one unit. A part keeps
        its colour and its hatching through all rows.
    xlabel : str

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        The amounts of a row are negative, or all of them are zero.
    """
    parts = list(dict.fromkeys(part for amounts in rows.values() for part in amounts))
    looks = {
        part: {"fc": INPUT[k % 4], "hatch": ("", "//", "..", "xx")[k % 4], "ec": "white"}
        for k, part in enumerate(parts)
    }
    with mpl.rc_context(STYLE):
        fig, ax = _axes(WIDTH, 0.9 + 0.3 * len(rows), grid="x")
        for row, (name, amounts) in enumerate(rows.items()):
            total = sum(amounts.values())
            if total <= 0 or min(amounts.values()) < 0:
                raise ValueError(f"{name!r} cannot be cut into parts: {amounts}")
            left = 0.0
            for part, amount in amounts.items():
                wide = 100 * amount / total
                ax.barh(row, wide, 0.72, left, **looks[part], lw=0.5)
                left += wide
        ax.set_yticks(range(len(rows)), rows)
        ax.set(xlabel=xlabel, xlim=(0, 100), ylim=(len(rows) - 0.4, -0.6))
        ax.set_axisbelow(True)
        handles = [Rectangle((0, 0), 1, 1, **look) for look in looks.values()]
        fig.legend(handles, parts, loc="outside upper center", ncols=len(parts), frameon=False)
    return Drawing(fig, f"{xlabel} of {', '.join(rows)}")


def traces(*lines, titles):
    """Draw lines in the plane side by side, each in its own frame, coloured from start to end.

    Parameters
    ----------
    *lines : ndarray of shape (2, n)
        Points along a line, x above y.
    titles : list of str
        One above each.

    Returns
    -------
    Drawing
    """
    side = WIDTH / len(lines)
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, side + 0.3), layout="constrained")
        axes = fig.subplots(1, len(lines), squeeze=False)[0]
        for ax, (x, y), title in zip(axes, lines, titles, strict=True):
            ax.scatter(x, y, s=5, c=np.arange(len(x)), cmap="viridis", lw=0)
            reach = 1.08 * max(np.abs([x, y]).max(), 1e-9)
            ax.set(title=title, xticks=[], yticks=[], xlim=(-reach, reach), ylim=(-reach, reach))
            ax.set_aspect("equal")
            ax.spines[:].set_visible(False)
    return Drawing(fig, ", ".join(titles))


def board(rows, legend):
    """Draw a board of labelled squares: a row for each group, a colour and a mark for each kind.

    Parameters
    ----------
    rows : dict
        `{"name of the row": [(label, kind), …]}`.
    legend : dict
        `{kind: mark}`, at most four, in the order of the legend. The mark stands in every square of
        its kind, so that nobody needs the colours.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        There are more than four kinds, or a square has a kind that the legend lacks.
    """
    styles = [("#0072B2", "white", "-"), ("#A6CEE3", "black", "-"), ("#E69F00", "black", "-"),
              ("white", "black", "--")]  # fmt: skip
    if len(legend) > len(styles):
        raise ValueError(f"at most {len(styles)} kinds, got {', '.join(map(str, legend))}")
    styles = dict(zip(legend, styles, strict=False))
    for name, cells in rows.items():
        for label, kind in cells:
            if kind not in legend:
                raise ValueError(f"{label} in {name!r} is {kind!r}; known: {', '.join(legend)}")
    per_row, left = 14, 3.2  # squares in a line, and the room for names, in squares
    lines = {name: max(1, -(-len(cells) // per_row)) for name, cells in rows.items()}
    tall = sum(lines.values()) + 0.35 * (len(rows) - 1) + 1.5
    wide = left + per_row + 0.1
    fig = Figure(figsize=(WIDTH, WIDTH * tall / wide))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(tall, 0))
    ax.axis("off")

    def square(x, y, kind, label):
        fill, ink, edge = styles[kind]
        ax.add_patch(Rectangle((x + 0.05, y + 0.05), 0.9, 0.9, fc=fill, ec="#333333", ls=edge))
        ax.text(x + 0.5, y + 0.36, legend[kind], ha="center", va="center", color=ink, fontsize=11)
        ax.text(x + 0.5, y + 0.74, label, ha="center", va="center", color=ink, fontsize=7.5)

    y = 0.05
    for name, cells in rows.items():
        ax.text(0.1, y + 0.5, name, va="center", fontsize=9)
        for k, (label, kind) in enumerate(cells):
            square(left + k % per_row, y + k // per_row, kind, label)
        y += lines[name] + 0.35
    for k, kind in enumerate(legend):
        x = 0.1 + k * (wide - 0.2) / len(legend)
        count = sum(found == kind for cells in rows.values() for _, found in cells)
        square(x, tall - 1.05, kind, "")
        ax.text(x + 1.1, tall - 0.55, f"{kind}, {count}", va="center", fontsize=9)
    return Drawing(fig, "; ".join(f"{name}: {len(cells)}" for name, cells in rows.items()))


def _axes(width, height, grid="both"):
    """Give an empty figure and its one pair of axes; sizes in inches, grid lines across `grid`."""
    fig = Figure(figsize=(width, height), layout="constrained")
    ax = fig.add_subplot()
    ax.grid(axis=grid, alpha=0.3)
    return fig, ax


def _encode(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, format=kind, optimize=True, **options)
    return file.getvalue()


class _Block:
    """One array of `numbers`: rows × columns of grids, and where they stand (in cells)."""

    GAP = 0.7

    def __init__(self, array, left, kind, title, marks):
        array = np.asarray(array)
        if not 1 <= array.ndim <= 4 or not array.size:
            raise ValueError(f"expected numbers along one to four axes, got shape {array.shape}")
        # (W,) and (H, W) are one grid, (C, H, W) a column of grids, (F, C, H, W) rows of grids
        missing = 1 if array.ndim == 3 else tuple(range(4 - array.ndim))
        self.grids = np.expand_dims(array, missing)
        self.by_column = array.ndim == 4
        self.left, self.kind, self.title, self.marks = left, kind, title, marks

    @property
    def height(self):
        rows, _, h, _ = self.grids.shape
        return rows * (h + self.GAP) - self.GAP

    @property
    def inner_width(self):
        _, columns, _, w = self.grids.shape
        return columns * (w + self.GAP) - self.GAP

    @property
    def width(self):
        return max(self.inner_width, 0.31 * max(map(len, self.title.split("\n"))))

    def draw(self, ax, top, size):
        rows, columns, h, w = self.grids.shape
        left = self.left + (self.width - self.inner_width) / 2
        palette = INPUT if self.kind == "input" else OUTPUT
        middle = left + self.inner_width / 2
        ax.text(middle, top - 0.3, self.title, ha="center", va="bottom", fontsize=size)
        for r in range(rows):
            for c in range(columns):
                at = (left + c * (w + self.GAP), top + r * (h + self.GAP))
                channel = c if self.by_column else r
                _draw_grid(ax, self.grids[r, c], at, palette[channel % len(palette)], size)
        for g, i, j, high, wide in self.marks:
            r, c = divmod(g, columns)
            at = (left + c * (w + self.GAP) + j, top + r * (h + self.GAP) + i)
            ax.add_patch(Rectangle(at, wide, high, fill=False, ec="#B00020", lw=2.2, zorder=3))


def _draw_grid(ax, grid, at, colour, size):
    left, top = at
    tint = np.array(mpl.colors.to_rgb(colour))
    finite = np.nan_to_num(np.abs(grid.astype(float)), posinf=0)
    for (i, j), value in np.ndenumerate(grid):
        strength = 0.10 + 0.35 * finite[i, j] / max(finite.max(), 1e-12)
        cell = Rectangle((left + j, top + i), 1, 1, fc=1 - strength * (1 - tint), ec=tint, lw=0.6)
        ax.add_patch(cell)
        label = f"{value:g}".replace("-", "−")
        ax.text(left + j + 0.5, top + i + 0.53, label, ha="center", va="center",
                fontsize=size * min(1, 3 / len(label)))  # fmt: skip
    h, w = grid.shape
    ax.add_patch(Rectangle(at, w, h, fill=False, ec=tint, lw=1.4))


def _for_imshow(image, limits):
    image = np.asarray(image, float)
    if image.ndim == 4 and image.shape[0] == 1:
        image = image[0]
    if image.ndim == 3 and image.shape[0] == 1:
        image = image[0]
    if image.ndim == 3 and image.shape[0] == 3:
        low, high = limits
        return np.clip((image.transpose(1, 2, 0) - low) / (high - low), 0, 1)
    if image.ndim != 2:
        raise ValueError(f"expected one image of one or three channels, got shape {image.shape}")
    return image
