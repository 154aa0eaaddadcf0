r"""Find the numbers in a notebook's prose that the notebook does not compute.

Every number in a Markdown cell, code spans and fences included, must stand in a text output of the
notebook or in an `assert`.

What counts as the same number
- Thousands separators (comma, thin space, `{,}`, `\,`), trailing zeros and the kind of minus sign
  do not matter: 207,360 is 207360, and −2.50 is -2.5. The sign does: 3 is not -3.
- A decimal may be rounded: 0.87 is found in 0.8659. A whole number may be rounded where the prose
  says so: "about 90", "≈ 90", or a percentage.
- 89.3 % is found in 89.3 and in 0.893. 1.3 million is found in 1312000.
- A whole number from -10 to 10 may also come, with any sign, from the source of a code cell.

What is not looked at
- Words ("two"), the targets of links, addresses, HTML tags, list numbering, "40 minutes".
- Kernel names, n×n with equal n up to 11: 1×1, `3 \times 3`; but not 28×28, nor the 3×3 of 64×3×3.
- Numbers glued to letters before them: RGB8, float32, conv2d, BT.601, ResNet-50, C4W2, `x_1`;
  also 8-bit, 2D, 3rd, version numbers with two dots, and arXiv numbers.
- The year of a citation in brackets: (Lin et al., 2013), Szegedy and others (2015).
- The section "Further reading".
"""

import ast
import re
from decimal import Decimal
from html import unescape
from typing import NamedTuple

THIN_SPACES = "\u00a0\u2009\u202f"
NUMBER = re.compile(
    r"(?<![\w.])"
    r"(?:(?<![\w)\]}])-)?"  # a minus is a sign unless there is something before it to subtract from
    rf"(?:\d{{1,3}}(?:[,{THIN_SPACES}]\d{{3}})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+\b)?"
)
TEXT_TYPES = ["text/plain", "text/html", "text/latex", "text/markdown"]
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
SAYS_ROUNDED = re.compile(r"(?:\b(?:about|almost|around|nearly|roughly)|≈|~)\s*$", re.IGNORECASE)

CUT = re.compile(
    r"""
      <!--[\s\S]*?-->
    | \]\([^)]*\)                                  # the target of a link
    | https?://\S+
    | </?[A-Za-z][^>]*>                            # an HTML tag
    | ^[\s>]*(?:\#+\s*)?\d+[.)](?=\s)              # the numbering of a list or a heading
    | \b\d+(?:\s?[–-]\s?\d+)?[\s-]minutes?\b
    | \b[A-Za-z]+\.\d+\b                           # BT.601
    | \b[A-Za-z]\w+-\d+\b                          # ResNet-50
    | [A-Za-z_]+\d\w*                              # float32, C4W2, x_1
    | \b\d+-bit\b | \b\d+(?:st|nd|rd|th|D)\b
    | \b\d+\.\d+\.\d[\w.]* | \b(?:arXiv:\d{4}\.\d{4}|\d{4}\.\d{5})\b  # a version; an arXiv number
    """,
    re.VERBOSE | re.MULTILINE,
)
PRODUCT = re.compile(r"\w+(?:\s?×\s?\w+)+")
YEAR_OF_CITATION = re.compile(
    r"([(\[](?:[^()\[\]]*[A-Z][^()\[\]]*[\s,])?)(?:19|20)\d\d(?=[a-z]?[)\];])"
)


class Prose(NamedTuple):
    """A number of the prose: how it is written, and what may stand for it."""

    written: str
    value: Decimal
    tolerance: Decimal  # half a unit of the last digit where it may be rounded, else 0
    scales: tuple  # a computed value times one of these may be meant


def plain(text):
    """One spelling for minus, times and separators; other LaTeX commands become spaces."""
    text = unescape(text).replace("−", "-").replace("$", " ")
    text = re.sub(r"(?<=\d)(?:\{,\}|\\,)(?=\d{3})", ",", text)
    text = re.sub(r"\\times(?![A-Za-z])", "×", text)
    text = re.sub(r"\\approx(?![A-Za-z])", "≈", text)
    text = text.replace(r"\%", "%").replace("_{", "_")
    text = re.sub(r"\\[A-Za-z]+|\\[,;: ]", " ", text)
    return re.sub(r"(?<=\d)\s?x\s?(?=\d)", "×", text)


def is_kernel_name(product):
    sides = re.split(r"\s?×\s?", product)
    return len(sides) == 2 and sides[0] == sides[1] and sides[0] in map(str, range(1, 12))


def value(written):
    return Decimal(re.sub(rf"[,{THIN_SPACES}]", "", written))


def numbers_in_prose(markdown):
    """Each number of a Markdown text that has to be computed somewhere."""
    text, before = plain(markdown), None
    while text != before:  # brackets may hold more than one citation
        text, before = YEAR_OF_CITATION.sub(r"\1§", text), text
    text = CUT.sub(" § ", text)
    text = PRODUCT.sub(lambda product: " § " if is_kernel_name(product[0]) else product[0], text)
    for match in NUMBER.finditer(text):
        written, after = match[0], text[match.end() :]
        percent = re.match(r"\s?(?:%|per ?cent\b)", after)
        scale = re.match(rf"\s?({'|'.join(SCALES)})\b", after)
        decimals = -value(written).as_tuple().exponent
        if decimals > 0 or percent or scale or SAYS_ROUNDED.search(text[: match.start()]):
            tolerance = Decimal(10) ** -decimals / 2
        else:
            tolerance = Decimal(0)
        scales = [Decimal(1)]
        if percent:
            scales.append(Decimal(100))
        if scale:
            scales.append(Decimal(1) / SCALES[scale[1]])
        yield Prose(written, value(written), tolerance, tuple(scales))


def numbers_in(text):
    """The values of all numbers that an output or a line of code shows."""
    text = re.sub(r"(?<=\d)\s?[x×]\s?(?=\d)", " × ", plain(text))
    values = {value(written) for written in NUMBER.findall(text)}
    for listed in re.findall(r"[\[(]([\d.,-]+)[\])]", text):  # [1,234] may be a list of two
        values |= {value(written) for part in listed.split(",") for written in NUMBER.findall(part)}
    return values


def text_of(outputs):
    """All text that a cell's outputs show; a figure's caption from its repr is not one of them."""
    for output in outputs:
        data = output.get("data", {})
        if output.output_type == "stream" and output.name == "stdout":
            yield output.text
        elif not any(kind.startswith("image/") for kind in data):
            for kind in TEXT_TYPES:
                if kind in data:
                    yield re.sub(r"<[^>]*>", " ", data[kind]) if "html" in kind else data[kind]


def assertions(source):
    """The source of each assert statement in a code cell."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # the cell has magics
        return re.findall(r"^\s*assert .*", source, re.MULTILINE)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return [ast.get_source_segment(source, node) for node in found]


def computed(notebook):
    """All values in outputs and assertions, and the small whole numbers of the code."""
    values, small = set(), set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for text in [*text_of(cell.outputs), *assertions(cell.source)]:
            values |= numbers_in(text)
        small |= {abs(n) for n in numbers_in(cell.source) if n == n.to_integral() and abs(n) <= 10}
    return values, small


def further_reading_cut(markdown, inside):
    """The text without its section "Further reading"; `inside`: an earlier cell opened it."""
    kept = []
    for line in markdown.splitlines():
        if re.match(r"#+ ", line):
            inside = bool(re.match(r"#+ Further reading", line, re.IGNORECASE))
        if not inside:
            kept.append(line)
    return "\n".join(kept), inside


def uncomputed_numbers(notebook):
    """(number of the cell, number as written) for each number without a source."""
    values, small = computed(notebook)
    inside = False
    for position, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "markdown":
            continue
        markdown, inside = further_reading_cut(cell.source, inside)
        for prose in numbers_in_prose(markdown):
            if abs(prose.value) in small:
                continue
            if not any(
                abs(shown * scale - prose.value) <= prose.tolerance
                for shown in values
                for scale in prose.scales
            ):
                yield position, prose.written
