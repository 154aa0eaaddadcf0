"""The built site: nothing from elsewhere, no raw formula, no dead link, the right repository."""

import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from base64 import b64decode
from copy import copy
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urlsplit

import imagesize
import numpy as np
import pytest
import tinycss2
import yaml
from bs4 import BeautifulSoup
from conftest import pages_of_the_book
from fontTools.ttLib import TTFont
from PIL import Image
from run_notebooks import ROOT, find_notebooks
from sphinx.application import Sphinx
from sphinxcontrib.katex import katex_version

SITE = ROOT / "_build/html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]
OWNER_AND_NAME = urlsplit(REPOSITORY).path.strip("/")
ADDRESS = "https://{}.github.io/{}/".format(*OWNER_AND_NAME.split("/"))


@pytest.fixture(scope="module")
def pages(site_folder):
    """Each page of the site, parsed, but for the one that only sends the reader on."""
    return {
        path.relative_to(SITE).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in site_folder.rglob("*.html")
        if "_static" not in path.parts and path != site_folder / "index.html"
    }


@pytest.fixture(scope="module")
def chapters(pages):
    found = {name: page for name, page in pages.items() if name.startswith("chapters/")}
    assert len(found) >= 4
    return found


def is_elsewhere(address):
    return bool(urlsplit(address).scheme in ("http", "https") or address.startswith("//"))


def test_no_page_asks_another_host_for_anything(pages):
    for name, page in pages.items():
        for tag in page.select("script[src], img[src], iframe[src], source[src]"):
            assert not is_elsewhere(tag["src"]), f"{name}: {tag}"
        for tag in page.select("link[href]:not([rel=canonical])"):
            assert not is_elsewhere(tag["href"]), f"{name}: {tag}"
        # Thebe would load itself from a CDN.
        assert not page.find_all("script", string=re.compile("unpkg|jsdelivr|cdnjs")), name
    for css in SITE.rglob("*.css"):
        outside = re.findall(r"(?:url\(|@import)\s*['\"]?(https?:[^)'\"]*)", css.read_text("utf-8"))
        assert outside == [], css


def test_formulas_are_drawn(chapters):
    drawn = 0
    for name, page in chapters.items():
        drawn += len(page.select(".katex"))
        assert page.select(".katex-error, script[src*=mathjax]") == [], name
        main = copy(page.select_one("main"))  # other tests look at these pages, too
        for node in main.select("pre, code, script, annotation"):
            node.extract()
        text = main.get_text()
        assert "$" not in text, f"{name}: {re.search(r'.{0,40}[$].{0,40}', text)[0]}"
        for formula in main.select(":not(.unbroken) > span.math"):
            assert str(formula.next_sibling)[:1] not in list(".,;:!?)"), f"{name}: {formula}"
    assert drawn > 0


def test_the_stylesheet_fits_the_katex_that_draws():
    text = (SITE / "_static/katex/katex.min.css").read_text()
    assert f'content:"{katex_version}"' in text
    fonts = re.findall(r"url\((fonts/[^)]*)\)", text)
    assert fonts
    assert all((SITE / "_static/katex" / font).exists() for font in fonts)


def test_pages_are_mended(pages):
    for name, page in pages.items():
        html = page.find("html")
        assert html["data-theme"] == "light", name
        assert len(page.select("meta[name=viewport]")) == 1, name
        for cell in page.select("th"):
            assert cell.get_text(strip=True), f"{name}: {cell.parent}"
        assert page.select("article summary[aria-label]") == [], name
        for summary in page.select("summary"):
            assert summary.get_text(strip=True) or summary.has_attr("aria-label"), name
        for picture in page.select("article img"):
            assert picture.has_attr("width"), f"{name}: {picture}"
            assert picture.has_attr("height"), f"{name}: {picture}"
            far = picture.find_previous("h2") is not None
            assert (picture.get("loading") == "lazy") == far, f"{name}: {picture}"
        assert page.select(".navbar-persistent--container, .navbar-persistent--mobile") == [], name


def test_links_lead_somewhere(pages):
    for name, page in pages.items():
        for tag in page.select("a[href], link[href], script[src], img[src]"):
            address = tag.get("href") or tag.get("src")
            if urlsplit(address).scheme or address.startswith("//"):
                continue
            path, anchor = urldefrag(address)
            path = path.split("?")[0]
            target = os.path.normpath(os.path.join(os.path.dirname(name), unquote(path)))
            target = name if not path else target
            assert (SITE / target).is_file(), f"{name}: {address}"
            if anchor and target in pages:
                assert pages[target].find(id=unquote(anchor)), f"{name}: {address}"


def test_every_claim_has_an_address_of_its_own(pages):
    page = pages["chapters/claims/lesson.html"]
    found = [tag["id"] for tag in page.find_all(id=re.compile(r"^claim-"))]
    assert sorted(found) == sorted(f"claim-{number}" for number in range(1, 88))
    for address in found:
        mark = page.find(id=address)  # the number that one follows and copies
        assert mark["href"] == f"#{address}", mark
        assert mark.find_parent("tr").select('a[href$=".html"], a[href*=".html#"]'), mark


def test_pictures_are_described(chapters):
    for name, page in chapters.items():
        for picture in page.select("article img"):
            alt = picture.get("alt", "")
            assert len(alt) >= 30, f"{name}: {picture}"
            assert not alt.endswith((".png", ".jpg", ".svg")), f"{name}: {picture}"


def test_every_notebook_opens_in_binder(pages):
    for path in find_notebooks():
        name = path.relative_to(ROOT).as_posix()
        page = pages[name.replace(".ipynb", ".html")]
        address = f"https://mybinder.org/v2/gh/{OWNER_AND_NAME}/main?urlpath=lab/tree/{name}"
        assert page.select(f'a[href="{address}"]'), name


def test_a_fork_builds_buttons_that_open_the_fork(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "_ext"))
    import pages as extension

    config = SimpleNamespace(html_theme_options={"repository_url": REPOSITORY})
    extension.set_repository(None, config)
    assert config.html_theme_options["repository_url"] == REPOSITORY
    assert config.html_baseurl == ADDRESS
    monkeypatch.setenv("REPOSITORY", "https://github.com/Me/fork")
    extension.set_repository(None, config)
    assert config.html_theme_options["repository_url"] == "https://github.com/Me/fork"
    assert config.html_baseurl == "https://me.github.io/fork/"
    assert extension.public_address("https://github.com/me/me.github.io") == "https://me.github.io/"


def test_all_files_name_the_same_repository():
    owner = OWNER_AND_NAME.split("/")[0]
    files = [ROOT / name for name in ["README.md", "CONTRIBUTING.md", "CITATION.cff"]]
    files += [*(ROOT / "chapters").rglob("*.md"), *find_notebooks()]
    for file in files:
        text = file.read_text(encoding="utf-8")
        for found in re.findall(r"(?:github\.com|mybinder\.org/v2/gh)/([\w-]+/[\w-]+)", text):
            assert found == OWNER_AND_NAME or not found.startswith(owner), f"{file.name}: {found}"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == REPOSITORY


def test_workflows_parse_and_ask_for_little():
    for file in (ROOT / ".github/workflows").glob("*.yml"):
        workflow = yaml.safe_load(file.read_text())
        granted = [workflow["permissions"]]
        granted += [job.get("permissions", {}) for job in workflow["jobs"].values()]
        for permissions in granted:
            writes = {what for what, how in permissions.items() if how == "write"}
            assert writes <= {"pages", "id-token"}, file.name
        for job in workflow["jobs"].values():
            assert "timeout-minutes" in job, file.name


def test_the_site_needs_neither_torch_nor_matplotlib():
    program = (
        "import sys; sys.modules.update(torch=None, matplotlib=None, numpy=None); "
        "import jupyter_book.sphinx; sys.path.insert(0, '_ext'); import findable, pages, weight"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


# ------------------------------------------------------------------ found, shared, cited


def content(page, selector):
    tag = page.select_one(selector)
    return tag["content"] if tag else ""


def test_each_page_has_its_own_title_and_description(pages):
    titles = {name: page.title.get_text() for name, page in pages.items()}
    descriptions = {name: content(p, "meta[name=description]") for name, p in pages.items()}
    assert len(set(titles.values())) == len(pages)
    assert len(set(descriptions.values())) == len(pages)
    for name, page in pages.items():
        assert titles[name].count("One by One") == 1, titles[name]
        assert 50 <= len(descriptions[name]) <= 320, f"{name}: {descriptions[name]}"
        assert "$" not in descriptions[name], name
        assert page.find("html")["lang"] == "en", name


def test_each_page_knows_its_public_address_and_has_a_card(pages, site_folder):
    for name, page in pages.items():
        assert page.select_one("link[rel=canonical]")["href"] == ADDRESS + name
        assert content(page, "meta[property='og:url']") == ADDRESS + name
        for kind in ("title", "description", "image", "image:alt", "type", "locale"):
            assert content(page, f"meta[property='og:{kind}']"), f"{name}: {kind}"
        assert content(page, "meta[name='twitter:card']") == "summary_large_image"
        card = content(page, "meta[property='og:image']").removeprefix(ADDRESS)
        assert imagesize.get(site_folder / card) == (1200, 630), name


def test_the_map_names_the_pages_of_the_book(site_folder):
    schema = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = [node.text for node in ET.parse(site_folder / "sitemap.xml").iter(f"{schema}loc")]
    of_the_book = [p for p in pages_of_the_book() if p not in ("genindex.html", "search.html")]
    assert found == [ADDRESS + page for page in of_the_book]
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (site_folder / "robots.txt").read_text()
    root = BeautifulSoup((site_folder / "index.html").read_text("utf-8"), "html.parser")
    assert root.select_one("a[href]")["href"] == of_the_book[0]
    assert root.select_one("link[rel=canonical]")["href"] == ADDRESS + of_the_book[0]


def test_each_page_says_how_to_cite_it(pages):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for name, page in pages.items():
        line = " ".join(page.select_one(".cite").get_text().split())
        assert citation["title"] in line, name
        assert f"version {citation['version']}" in line, name
        assert ADDRESS + name in line, name
        assert page.select("a[rel=license]"), name


def test_lessons_open_with_place_minutes_and_summary(pages):
    lessons = [name for name in pages_of_the_book() if name.endswith("/lesson.html")]
    table = pages["chapters/index.html"].select_one("table")
    for number, name in enumerate(lessons, 1):
        page = pages[name]
        assert page.select_one(".place").get_text() == f"Chapter {number} of {len(lessons)}"
        minutes = re.match(r"(\d+) minutes", page.select_one("h1 + .minutes").get_text())[1]
        assert len(page.select_one(".minutes + .summary").get_text()) > 80, name
        # The landing page says the same of it.
        link = table.select_one(f'a[href="{name.removeprefix("chapters/")}"]')
        cells = [cell.get_text(strip=True) for cell in link.find_parent("tr").select("td")]
        assert cells[0] == str(number), name
        assert cells[2] == minutes, name


def test_previous_and_next_read_as_a_path(pages):
    order = [p for p in pages_of_the_book() if p not in ("genindex.html", "search.html")]
    for here, there in pairwise(order):
        ahead = pages[here].select_one(".prev-next-area a[rel=next]")
        back = pages[there].select_one(".prev-next-area a[rel=prev]")
        assert os.path.normpath(os.path.join(os.path.dirname(here), ahead["href"])) == there
        assert os.path.normpath(os.path.join(os.path.dirname(there), back["href"])) == here
        for link, page in ((ahead, pages[there]), (back, pages[here])):
            place = page.select_one(".place")
            said = link.select_one(".prev-next-subtitle").get_text(strip=True)
            assert place is None or said.endswith(place.get_text())


def test_words_of_the_glossary_have_addresses_and_lead_to_chapters(pages):
    page = pages["chapters/glossary.html"]
    words = page.select("dl.glossary > dt")
    assert len(words) >= 35
    for word in words:
        assert word["id"].startswith("term-")
        assert word.select_one("a.headerlink")["href"] == f"#{word['id']}"
        meaning = word.find_next_sibling("dd")
        assert meaning.select_one("a[href*='/lesson.html']"), word.get_text()
        assert len(meaning.get_text()) > 60, word.get_text()


# ------------------------------------------------------------------ light


@pytest.mark.parametrize("kept", [True, False])
def test_a_build_of_one_page_keeps_the_index_words_of_the_others(kept, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "_ext"))
    from findable import keep_index_words

    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    (source / "conf.py").write_text("")
    page = "{0}\n=====\n\n.. index:: {0}word\n\n"
    (source / "index.rst").write_text(page.format("first") + ".. toctree::\n\n   other\n")
    (source / "other.rst").write_text(page.format("other"))
    found = []
    for _ in range(2):
        book = Sphinx(source, source, out, tmp_path / "trees", "html", status=None)
        if kept:
            book.connect("html-collect-pages", keep_index_words)
        book.build()
        assert book.statuscode == 0
        text = (out / "searchindex.js").read_text()
        found.append(("firstword" in text, "otherword" in text))
        with (source / "index.rst").open("a") as file:
            file.write("\nMore.\n")
    assert found == [(True, True), (True, kept)]  # without the mend Sphinx forgets one


def test_a_page_has_one_style_sheet_and_one_script(pages):
    for name, page in pages.items():
        sheets = [tag for tag in page.select("link[rel=stylesheet]") if not is_of_a_figure(tag)]
        styles = [tag["href"] for tag in sheets]
        assert len(styles) == 1, f"{name}: {styles}"
        assert re.search(r"_static/site\.css\?v=[0-9a-f]{8}$", styles[0]), name
        scripts = [tag for tag in page.select("script[src]") if not is_of_a_figure(tag)]
        wanted = ["site.js"]
        if name == "search.html":
            wanted += ["searchtools.js", "language_data.js", "searchindex.js"]
        assert [re.search(r"([\w.]+)(\?|$)", tag["src"])[1] for tag in scripts] == wanted, name
        assert all(tag.has_attr("defer") for tag in scripts), name

        inline = [tag.get_text() for tag in page.select("script:not([src])")]
        assert len(inline) == 1 + (name == "search.html"), f"{name}: {inline}"


def test_the_theme_loads_no_file_that_is_not_in_the_two(weight, site_folder):
    """The template of the theme that loads its files is replaced: look for what it would load."""
    macros = (site_folder / "_static/webpack-macros.html").read_text(encoding="utf-8")
    loaded = set(re.findall(r"_static/([\w./-]+)", macros))
    assert loaded == {
        "styles/theme.css",
        "styles/pydata-sphinx-theme.css",
        "scripts/fontawesome.js",
        "scripts/bootstrap.js",
        "scripts/pydata-sphinx-theme.js",
    }
    assert loaded - set(weight.STYLES + weight.SCRIPTS) == {
        "styles/theme.css",  # imports basic.css, which is in
        "scripts/fontawesome.js",  # the fonts show the same icons
    }
    theme = (site_folder / "_static/styles/theme.css").read_text(encoding="utf-8")
    assert re.sub(r"/\*.*?\*/", "", theme, flags=re.S).split() == ["@import", '"../basic.css";']


def test_the_style_sheet_names_its_makers(site_folder):
    css = (site_folder / "_static/site.css").read_text(encoding="utf-8")
    for maker in ("Font Awesome Free", "Bootstrap", "Sphinx team"):
        assert maker in css


def is_of_a_figure(tag):
    """Live figures bring a module and a style sheet, and only into the pages that hold one."""
    return tag.get("type") == "module" or "/live/" in tag.get("href", "")


def test_code_that_loses_its_marks_keeps_its_colour(chapters, site_folder):
    css = (site_folder / "_static/site.css").read_text(encoding="utf-8")
    for scheme in ("light", "dark"):
        rule = rf'html\[data-theme="{scheme}"\] \.highlight{{}}{{{{[^}}}}]*?(?<!-)color:(#\w+)'
        ground = re.search(rule.format(""), css)[1]
        for plain in ("n", "nn", "p", "w"):
            assert re.search(rule.format(rf" \.{plain}"), css)[1] == ground, (scheme, plain)
    for name, page in chapters.items():
        assert not page.select(".highlight :is(.n, .nn, .p, .w)"), name


def test_photographs_are_offered_in_fewer_bytes_and_look_the_same(chapters, site_folder):
    offered = set()
    for name, page in chapters.items():
        here = (site_folder / name).parent
        for picture in page.select("article img"):
            offer = picture.find_previous_sibling("source")
            assert picture["src"].endswith(".jpg") <= (offer is not None), picture["src"]
            if not offer:
                continue
            stored, small = here / picture["src"], here / offer["srcset"]
            assert small.stat().st_size < 0.85 * stored.stat().st_size, picture["src"]
            a, b = (np.asarray(Image.open(file).convert("L"), float) for file in (stored, small))
            assert a.shape == b.shape
            assert abs(a - b).mean() < 6, picture["src"]
            offered.add(small.resolve())
    assert len(offered) > 10
    assert set((site_folder / "_images").glob("*.avif")) == offered


def test_line_art_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "_ext"))
    from photographs import write_smaller

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    noise.save(tmp_path / "photograph.png")
    noise.quantize(16).save(tmp_path / "lines.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "flat.png")
    out = tmp_path / "out"
    assert write_smaller(tmp_path / "photograph.png", out) == "photograph.avif"
    assert write_smaller(tmp_path / "lines.png", out) is None
    assert write_smaller(tmp_path / "flat.png", out) is None  # AVIF's header alone weighs more
    assert [file.name for file in out.iterdir()] == ["photograph.avif"]


@pytest.fixture(scope="module")
def weight():
    sys.path.insert(0, str(ROOT / "_ext"))
    import weight

    return weight


def pruned(weight, css, used):
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return weight.prune(rules, used)


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".used { top: 0 }", ".used{top:0}"),
        (".unused { top: 0 }", ""),
        (".used, .unused { top: 0 }", ".used{top:0}"),
        (".used .unused { top: 0 }", ""),
        (".used.unused { top: 0 }", ""),
        ("#here > p { top: 0 }", "#here > p{top:0}"),
        ("#gone > p { top: 0 }", ""),
        ("a:not(.unused) { top: 0 }", "a:not(.unused){top:0}"),
        (".used[data-x='.y']:hover::before { top: 0 }", '.used[data-x=".y"]:hover::before{top:0}'),
        ("@media print { .used { top: 0 } }", "@media print{.used{top:0}}"),
        ("@media print { .unused { top: 0 } }", ""),
        ("p { top: 0 !important; --x: { a }; left: 1px }", "p{top:0!important;--x:{ a };left:1px}"),
        ("p { content: 'a;}b' }", 'p{content:"a;}b"}'),
        ("p { *zoom: 1; top: 0 }", "p{top:0}"),
        ("@keyframes k { from { top: 0 } }", "@keyframes k { from { top: 0 } }"),
        ("/* words */ p { top: 0 } /* words */", "p{top:0}"),
    ],
)
def test_only_rules_for_what_is_not_there_go(weight, css, left):
    assert pruned(weight, css, {"used", "here"}) == left


def test_addresses_in_style_sheets_are_moved(weight):
    css = "a{b:url(../x/f.woff2)} c{d:url('g.png')} e{f:url(data:,x)} g{h:url(#i)}"
    moved = 'a{b:url("x/f.woff2")} c{d:url("styles/g.png")} e{f:url(data:,x)} g{h:url(#i)}'
    assert weight.with_addresses_from("styles", css) == moved


def test_every_icon_in_use_is_in_the_style_sheet(pages, site_folder):
    css = (site_folder / "_static/site.css").read_text(encoding="utf-8")
    assert "vendor/fontawesome" not in css
    fonts = {}
    for face in re.findall(r"@font-face\s*\{[^}]*Font Awesome[^}]*\}", css):
        data = re.search(r"base64,([^\"]*)", face)[1]
        weight_ = re.search(r"font-weight:\s*(\d+)", face)[1]
        family = "Brands" if "Brands" in face else weight_
        fonts[family] = set(TTFont(io.BytesIO(b64decode(data))).getBestCmap())
    styles = {"fa-lg", "fa-solid", "fas", "fab", "fa-brands", "far", "fa-regular"}
    seen = 0
    for name, page in pages.items():
        for icon in page.select("[class*='fa-']"):
            names = [c for c in icon["class"] if c.startswith("fa-") and c not in styles]
            family = "Brands" if {"fab", "fa-brands"} & set(icon["class"]) else "900"
            for icon_name in names:
                found = re.search(rf'\.{icon_name}:before[^{{]*\{{content:"(.)"', css)
                assert found, f"{name}: no rule for {icon_name}"
                assert ord(found[1]) in fonts[family], f"{name}: no picture of {icon_name}"
                seen += 1
    assert seen > 50


def test_every_character_of_a_formula_is_in_the_fonts(chapters, site_folder):
    known = set()
    for font in (site_folder / "_static/katex/fonts").glob("KaTeX_*.woff2"):
        known |= set(TTFont(font).getBestCmap())
    for name, page in chapters.items():
        for formula in page.select(".katex-html"):
            used = {ord(c) for c in formula.get_text() if not c.isspace()} - {0x200B}
            assert used <= known, f"{name}: {[chr(c) for c in used - known]}"
