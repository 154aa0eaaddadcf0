"""One style sheet and one script a page, with nothing in them that no page uses.

The theme sends a dozen each of style sheets and scripts, and fonts with all icons there are: over
400 kB, compressed, before the text and its figures. Once the pages are written, their style sheets
become `_static/site.css`: rules for classes that occur nowhere are left out, and of the icons only
those in use stay, inside the sheet. The fonts for formulas lose the characters that no formula has.
The scripts become `_static/site.js`, which no page waits for.
A file that is not on the lists below, say of a live figure, keeps its own place in its page.
"""

import base64
import hashlib
import io
import logging
import os
import re
from pathlib import Path

import tinycss2
from bs4 import BeautifulSoup
from fontTools import subset
from sphinx.errors import ExtensionError

logging.getLogger("fontTools").setLevel(logging.WARNING)

# In the order of the cascade; a star stands for a hash.
STYLES = [
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "togglebutton.css",
    "copybutton.css",
    "mystnb.*.css",
    "sphinx-design.min.css",
    "katex/katex.min.css",
    "katex-math.css",
    "book.css",
]
SCRIPTS = [
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "reach.js",
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
]
# Live code is off; no page folds an admonition or has tabs; there is no list of versions.
LEFT_OUT = [
    "sphinx-thebe.css",
    "sphinx-thebe.js",
    "togglebutton.js",
    "design-tabs.js",
    "thebe",
    "toggleHint",
    "toggleOpenOnPrint",
    "togglebuttonSelector",
    "DOCUMENTATION_OPTIONS.pagename",
    "DOCUMENTATION_OPTIONS.search_as_you_type",
]
# Where the theme looks for wide frames: it measures and marks one after the other, folded ones as
# well, and has the page laid out anew for each. reach.js does this without.
WIDE_FRAMES_OF_THE_THEME = r'\["pre","\.nboutput > [^\]]*\]\.join\(", "\)'


def is_replaced(asset, names):
    """Is this style sheet or script in the one file for all pages, or left out?"""
    name = os.fspath(asset.filename or "").removeprefix("_static/").split("?")[0]
    if name:
        return name in LEFT_OUT or any(Path(name).match(pattern) for pattern in names)
    return any(word in asset.attributes.get("body", "") for word in LEFT_OUT)


def take_out_assets(app, pagename, templatename, context, doctree):
    context["css_files"] = [c for c in context["css_files"] if not is_replaced(c, STYLES)]
    context["script_files"] = [s for s in context["script_files"] if not is_replaced(s, SCRIPTS)]
    # Asked for at once, the two fonts of nearly every formula come before the text is laid out.
    formulas = 'class="katex"' in context.get("body", "")
    context["early_fonts"] = ["Main-Regular", "Math-Italic"] if formulas else []


def read_asset(static, pattern):
    found = list(static.glob(pattern))
    if len(found) != 1:
        raise ExtensionError(f"_ext/weight.py: the theme has {len(found)} files {pattern}")
    return found[0].read_text(encoding="utf-8")


def with_addresses_from(folder, css):
    """Write the addresses in a style sheet of this folder of _static as seen from _static."""

    def move(match):
        address = match[2]
        if re.match(r"data:|https?:|#|/", address):
            return match[0]
        return f'url("{os.path.normpath(os.path.join(folder, address))}")'

    return re.sub(r"url\((['\"]?)([^)'\"]+)\1\)", move, css)


def names_in_use(outdir):
    """The classes and ids in the pages, and all words in scripts, which may set more of them."""
    names = set()
    for page in outdir.rglob("*.html"):
        if "_static" not in page.relative_to(outdir).parts:
            for value in re.findall(r'\b(?:class|id)="([^"]*)"', page.read_text("utf-8")):
                names.update(value.split())
    unused = {outdir / "_static" / name for name in [*LEFT_OUT, "scripts/fontawesome.js"]}
    for script in outdir.rglob("*.js"):
        if script not in unused and script.name != "searchindex.js":
            names.update(re.findall(r"[\w-]+", script.read_text("utf-8")))
    return names


def names_of(selector):
    """The classes and ids an element must have; what stands inside :not(…) or :is(…) may miss."""
    names = set()
    for before, token in zip([None, *selector], selector, strict=False):
        if token.type == "hash" or (token.type == "ident" and before == "."):
            names.add(token.value)
    return names


def selectors_in(prelude):
    selectors = [[]]
    for token in prelude:
        if token == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def prune(rules, used):
    """Write the rules, without selectors that name a class or id that is not used."""
    written = []
    for rule in rules:
        if rule.type == "qualified-rule":
            kept = [s for s in selectors_in(rule.prelude) if names_of(s) <= used]
            declarations = minified(rule.content)
            if kept and declarations:
                selector = ",".join(tinycss2.serialize(s).strip() for s in kept)
                written.append(f"{selector}{{{declarations}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = prune(tinycss2.parse_rule_list(rule.content, True, True), used)
            if inner:
                prelude = tinycss2.serialize(rule.prelude).strip()
                written.append(f"@{rule.at_keyword} {prelude}{{{inner}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword != "charset":
            written.append(rule.serialize())
        elif rule.type == "error":
            raise ExtensionError(f"_ext/weight.py: {rule.message} in line {rule.source_line}")
    return "".join(written)


def minified(declarations):
    kept = []
    for node in tinycss2.parse_blocks_contents(declarations, True, True):
        if node.type == "declaration":
            value = re.sub(r"\s+", " ", tinycss2.serialize(node.value)).strip()
            kept.append(f"{node.name}:{value}{'!important' if node.important else ''}")
        elif node.type == "error":
            # A hack for browsers of long ago, as in `*zoom: 1`: this one passes over it, too.
            continue
        else:
            kept.append(node.serialize())
    return ";".join(kept)


def only_these_characters(font, characters):
    """A font with nothing but these characters, as the bytes of a woff2 file."""
    options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True)
    loaded = subset.load_font(font, options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[ord(c) for c in characters])
    cutter.subset(loaded)
    file = io.BytesIO()
    subset.save_font(loaded, file, options)
    return file.getvalue()


def notices(css):
    """The comments that say whose work this is, and on what terms."""
    comments = dict.fromkeys(re.findall(r"/\*.*?\*/", css, flags=re.S))
    return "\n".join(c for c in comments if re.search("licen[sc]e|copyright", c, re.I)) + "\n"


def with_small_icons(css, static):
    """Put the icons that the style sheet names into it, in place of fonts with all icons."""
    icons = set(re.findall(r'content:"([\ue000-\uf8ff])"', css))

    def shrink(match):
        if "vendor/fontawesome" not in match[0]:
            return match[0]
        font = re.search(r'url\("?([^)"]*\.woff2)', match[0])[1]
        data = base64.b64encode(only_these_characters(static / font, icons)).decode()
        source = f'src:url("data:font/woff2;base64,{data}") format("woff2")'
        return re.sub(r"src:[^;}]*", source, match[0])

    return re.sub(r"@font-face\s*\{[^}]*\}", shrink, css)


def characters_in_formulas(outdir):
    characters = set()
    for page in outdir.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if 'class="katex-html"' in text:
            for formula in BeautifulSoup(text, "html.parser").select(".katex-html"):
                characters.update(formula.get_text())
    return characters


def shrink_formula_fonts(complete, outdir):
    """Keep, of the fonts in the folder `complete`, the characters that the book's formulas have."""
    characters = characters_in_formulas(outdir)
    for font in complete.glob("*.woff2"):
        target = outdir / "_static/katex/fonts" / font.name
        target.write_bytes(only_these_characters(font, characters))


def write_bundles(outdir):
    """Write site.css and site.js; return a hash of each, by name."""
    static = outdir / "_static"
    script = ";\n".join(read_asset(static, name) for name in SCRIPTS)
    script = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.M)
    script, found = re.subn(WIDE_FRAMES_OF_THE_THEME, '"none"', script)
    if found != 1:
        raise ExtensionError("_ext/weight.py: the theme looks for wide frames in another way")
    css = ""
    for name in STYLES:
        css += with_addresses_from(os.path.dirname(name), read_asset(static, name)) + "\n"
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    css = notices(css) + with_small_icons(prune(rules, names_in_use(outdir)), static)
    hashes = {}
    for name, text in (("site.css", css), ("site.js", script)):
        (static / name).write_text(text, encoding="utf-8", newline="\n")
        hashes[name] = hashlib.sha256(text.encode()).hexdigest()[:8]
    return hashes


def finish_assets(app, error):
    """Write the files, and their hashes into all pages, so that no browser keeps an old one."""
    if error or app.builder.name != "html":
        return
    outdir = Path(app.outdir)
    shrink_formula_fonts(Path(app.srcdir, "_extra/_static/katex/fonts"), outdir)
    hashes = write_bundles(outdir)
    for page in outdir.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        linked = re.sub(
            r'(_static/(site\.css|site\.js))(\?v=\w*)?"',
            lambda match: f'{match[1]}?v={hashes[match[2]]}"',
            text,
        )
        if linked != text:
            page.write_text(linked, encoding="utf-8", newline="\n")


def setup(app):
    app.add_css_file("site.css")
    app.add_js_file("site.js", defer="defer")
    app.connect("html-page-context", take_out_assets, priority=950)
    app.connect("build-finished", finish_assets, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
