"""Pages with a place for a live figure, `<div data-live="mixer"></div>`, load the figures' script.

The figures themselves are plain modules in _extra/_static/live; pages without one load nothing.
"""


def load_figures(app, pagename, templatename, context, doctree):
    if "data-live=" not in context.get("body", ""):
        return
    script, style = (context["pathto"](f"_static/live/{n}", 1) for n in ("mount.js", "live.css"))
    context["metatags"] = context.get("metatags", "") + (
        f'\n<link rel="stylesheet" href="{style}">\n<script type="module" src="{script}"></script>'
    )


def setup(app):
    app.connect("html-page-context", load_figures, priority=960)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
