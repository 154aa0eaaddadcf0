"""Small arrays as coloured tables: a picture that a screen reader can read, without matplotlib."""

from html import escape

import numpy as np

TINTS = ("#d7e6f5", "#fce0c4", "#d9efd5", "#eadcf2", "#f6e0e6", "#e6e6d2")  # blue, orange, green …
CELL = "padding:0.15em 0.6em;text-align:right;border:1px solid #8a8a8a;color:#1a1a1a;"


def panels(title, array):
    """Split an array into grids of two axes: (title of the grid, rows, number of its colour)."""
    array = np.asarray(array)
    if array.ndim > 2:
        for index in np.ndindex(array.shape[:-2]):
            where = ", ".join(map(str, index))
            yield f"{title}[{where}]", array[index], index[-1]
    else:
        yield title, np.atleast_2d(array), None


class Grids:
    """Arrays side by side, each slice of the last two axes as a grid of numbers.

    Parameters
    ----------
    arrays : list of (str, ndarray)
        Title and array.
    """

    def __init__(self, arrays):
        self.panels = [panel for title, array in arrays for panel in panels(title, array)]

    def __repr__(self):
        texts = []
        for title, rows, _ in self.panels:
            width = max(len(str(number)) for number in rows.ravel())
            lines = [" ".join(str(number).rjust(width) for number in row) for row in rows]
            texts.append("\n".join([f"{title}", *(f"  {line}" for line in lines)]))
        return "\n".join(texts)

    def _repr_html_(self):
        tables = "".join(_table(*panel) for panel in self.panels)
        return f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:end">{tables}</div>'


def _table(title, rows, colour):
    tint = TINTS[colour % len(TINTS)] if colour is not None else "#ececec"
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{CELL}background:{tint}">{number}</td>' for number in row)
        + "</tr>"
        for row in rows
    )
    head = f'<caption style="caption-side:top;padding:0.2em 0">{escape(title)}</caption>'
    return f'<table style="border-collapse:collapse;margin:0">{head}<tbody>{body}</tbody></table>'
