"""What lets a page be found, shared, cited, and read in order.

- The search knows "1×1" as "1x1" and keeps numbers whole; `_terms.yml` says which words lead where.
- Each page has its own title, description, place on the path, citation, and card for sharing.
- sitemap.xml, robots.txt, and an index.html that sends on to the first page.
"""

import re
from html import escape
from pathlib import Path

import imagesize
import yaml
from docutils import nodes
from pages import MINUTES
from sphinx import addnodes
from sphinx.search.en import SearchEnglish
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.index_entries import split_index_msg

logger = logging.getLogger(__name__)

CARD = "_static/card.png"
CARD_ALT = (
    "The red, green and blue channels of a photograph above each other, a needle through one "
    "pixel of all three, and the grey picture that their weighted sum gives."
)
# Pages that have no text of their own.
TITLES = {"search": "Search", "genindex": "Index"}
DESCRIPTIONS = {
    "search": "Search the pages of One by One, a hands-on course on 1×1 convolutions.",
    "genindex": "The terms of One by One, a hands-on course on 1×1 convolutions, and where each is "
    "explained.",
}


class BookSearch(SearchEnglish):
    """English, with "3×3" a word and 2.302585 a number; the search page splits a query alike.

    The search page passes over words that are digits alone, hence the n before a whole number.
    """

    lang = "en"
    js_splitter_code = r"""
var splitQuery = (query) =>
  (query.match(/\d+(?:[.,]\d+)+|[\p{L}\p{N}_]+(?:×[\p{L}\p{N}_]+)*/gu) || []).map((word) =>
    word.replaceAll("×", "x").replaceAll(",", "").replace(/^(?=\d{3,}$)/, "n")
  );
"""
    words = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:×\w+)*")

    def split(self, text):
        found = (word.replace("×", "x").replace(",", "") for word in self.words.findall(text))
        return [re.sub(r"^(?=\d{3,}$)", "n", word) for word in found]


class AddIndexTerms(SphinxTransform):
    """Put the terms of `_terms.yml` into the index, as if an index directive stood in the page."""

    default_priority = 300

    def apply(self):
        terms = read_terms(self.app.srcdir).get(self.env.docname, [])
        section = self.document.next_node(nodes.section)
        if terms and section is not None:
            entries = [("single", term, section["ids"][0], "main", None) for term in terms]
            section.insert(1, addnodes.index(entries=entries))


def read_terms(srcdir):
    return yaml.safe_load(Path(srcdir, "_terms.yml").read_text(encoding="utf-8"))


def keep_index_words(app):
    """Give the search the index words of pages that this build did not write.

    Sphinx takes them from the pages that it writes alone; those of an earlier build were lost.
    """
    words = app.builder.indexer._index_entries
    for docname, entries in app.env.get_domain("index").entries.items():
        if docname not in words:
            found = {(word, at or "", main) for kind, value, at, main, _ in entries
                     for word in split_index_msg(kind, value)}  # fmt: skip
            words[docname] = sorted(found)
    in_order = sorted(words.items())
    words.clear()
    words.update(in_order)
    return []


def check_terms(app, env):
    """A page that moves takes its terms along."""
    gone = set(read_terms(app.srcdir)) - set(env.found_docs)
    for page in sorted(gone):
        logger.warning("_terms.yml names a page that is not in _toc.yml: %s", page)


def reading_order(env):
    """All pages, in the order of _toc.yml."""
    order = []

    def visit(page):
        order.append(page)
        for child in env.toctree_includes.get(page, []):
            visit(child)

    visit(env.config.root_doc)
    return order


def places(order):
    """Where a page is on the path, in words; what one looks things up in is beside it."""
    chapters = [page for page in order if page.endswith("/lesson")]
    words = {}
    for number, chapter in enumerate(chapters, 1):
        words[chapter] = f"Chapter {number} of {len(chapters)}"
        folder = chapter.removesuffix("lesson")
        words[folder + "exercises"] = f"Practice for chapter {number}"
        words[folder + "solutions"] = f"Solutions for chapter {number}"
    return words


def describe(doctree):
    """The first sentences of the text under the title, up to some 200 characters."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if isinstance(paragraph.parent, nodes.section) and not re.match(MINUTES, text):
            break
    else:
        return ""
    description = ""
    for sentence in re.split(r"(?<=[.!?:]) ", text):
        if description and len(description) + len(sentence) > 200:
            break
        description = f"{description} {sentence}".strip()
    return description.replace("$", "")


def read_citation(app):
    text = Path(app.srcdir, "CITATION.cff").read_text(encoding="utf-8")
    citation = yaml.safe_load(text)
    return {
        "title": citation["title"],
        "version": citation["version"],
        "authors": ", ".join(author["name"] for author in citation["authors"]),
        "year": app.config.copyright,
    }


def tell_about(app, pagename, templatename, context, doctree):
    env = app.env
    config = app.config
    order = reading_order(env)
    place = places(order)
    wide, high = imagesize.get(Path(app.srcdir, CARD))
    context["card"] = {
        "address": config.html_baseurl + CARD,
        "alt": CARD_ALT,
        "width": wide,
        "height": high,
    }
    context["citation"] = read_citation(app)
    context["place"] = place.get(pagename)
    at = order.index(pagename) if pagename in order else 0
    context["prev_place"] = place.get(order[at - 1]) if at > 0 else None
    context["next_place"] = place.get(order[at + 1]) if at + 1 < len(order) else None
    title = TITLES.get(pagename) or re.sub(r"<[^>]*>", "", context["title"])
    context["full_title"] = f"{title} — {config.html_title}"
    if pagename == config.root_doc:
        context["full_title"] = context["citation"]["title"]
    # docutils writes a second viewport.
    context["metatags"] = re.sub(r'<meta name="viewport"[^>]*>', "", context.get("metatags", ""))
    context["description"] = (
        (context.get("meta") or {}).get("description")
        or DESCRIPTIONS.get(pagename)
        or (describe(doctree) if doctree else "")
    )
    if pagename.endswith(("/exercises", "/solutions")):
        # They all begin with the same words on how to use them.
        context["description"] = f"{title}. {context['description']}"


def write_map(app, error):
    """Tell search engines which pages there are, and send a reader of the root to the first one."""
    if error or app.builder.name != "html":
        return
    base, out = app.config.html_baseurl, Path(app.outdir)
    pages = [app.builder.get_target_uri(page) for page in reading_order(app.env)]
    entries = "".join(f"<url><loc>{escape(base + page)}</loc></url>\n" for page in pages)
    schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    text = f'{head}<urlset xmlns="{schema}">\n{entries}</urlset>\n'
    (out / "sitemap.xml").write_text(text, encoding="utf-8")
    (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\n\nSitemap: {base}sitemap.xml\n")
    first, name = pages[0], escape(app.config.html_title)
    (out / "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{name}</title>\n"
        f'<meta http-equiv="refresh" content="0; url={first}">\n'
        f'<link rel="canonical" href="{escape(base + first)}">\n</head>\n'
        f'<body><p><a href="{first}">{name}</a></p></body>\n</html>\n',
        encoding="utf-8",
    )


def setup(app):
    app.add_search_language(BookSearch)
    app.add_transform(AddIndexTerms)
    app.connect("env-updated", check_terms)
    app.connect("html-page-context", tell_about, priority=900)
    app.connect("html-collect-pages", keep_index_words)
    app.connect("build-finished", write_map)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
