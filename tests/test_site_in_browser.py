"""Every page as a reader meets it, in Chromium with the network cut: whole, light, open to all.

`page_name` runs a test on every page that _toc.yml names: a new chapter is covered by itself.
"""

import gzip
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import axe_playwright_python
import pytest
from conftest import do_without, find_browser, pages_of_the_book
from run_notebooks import ROOT, find_notebooks

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
LESSON = "chapters/network-in-network/lesson.html"
WITH_LIVE_FIGURES = [
    path.relative_to(ROOT).with_suffix(".html").as_posix()
    for path in find_notebooks()
    if "data-live=" in path.read_text(encoding="utf-8")
]
# Bytes, compressed, read to the end with all its figures: a page at the first visit, then another.
FIRST_VISIT, NEXT_PAGE = 600_000, 200_000

# What a reader sees of the text, without code and without the source that KaTeX keeps for copying.
VISIBLE_TEXT = """() => {
  const copy = document.querySelector("main").cloneNode(true);
  for (const part of copy.querySelectorAll("pre, code, script, style, annotation")) part.remove();
  return copy.textContent;
}"""
SCROLL_THROUGH = """async () => {
  await document.fonts.ready;
  for (let y = 0; y < document.documentElement.scrollHeight; y += 700) {
    scrollTo(0, y);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 20)));
  }
  while (document.querySelector("[data-live]:not(.live-figure)")) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // The static version of a live figure is folded, and its picture not loaded.
  const shown = [...document.images].filter((image) => image.checkVisibility());
  const wait = shown.map((image) => image.decode());
  await Promise.all(wait);
}"""
# What is too wide for the screen, and how far it sticks out.
WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth - innerWidth"
# Frames that scroll sideways without a tab stop or a name.
UNREACHABLE_FRAMES = """() => [...document.querySelectorAll("main *")].filter((e) => {
  const style = getComputedStyle(e);
  return ["auto", "scroll"].includes(style.overflowX)
    && e.checkVisibility() && e.scrollWidth > e.clientWidth && e.clientWidth > 0
    && !(e.tabIndex === 0 && e.getAttribute("role") && e.getAttribute("aria-label"));
}).map((e) => e.outerHTML.slice(0, 120))"""


# Mark the words of code, and the formulas, that look like one before, on the same ground.
MARK_REPEATED = """() => {
  const seen = new Set();
  for (const e of document.querySelectorAll(".highlight span, .katex")) {
    const ground = e.closest("blockquote, table, .cell_input, .cell_output");
    const look = `${e.className} in ${ground?.tagName} ${ground?.className}`;
    if (seen.has(look)) e.dataset.repeated = "";
    seen.add(look);
  }
}"""


@pytest.fixture
def requested():
    """Note what a tab asks for: requested(tab) is a list that fills."""

    def start(tab):
        urls = []
        tab.on("request", lambda request: urls.append(request.url.split("?")[0].split("#")[0]))
        return urls

    return start


def compressed(folder, site_url, urls):
    """Bytes that these files take over the wire; pictures and fonts are compressed already."""
    total = 0
    for url in set(urls):
        if not url.startswith(site_url):
            continue  # data: inside the style sheet
        data = (folder / url.removeprefix(site_url)).read_bytes()
        packed = url.endswith((".png", ".jpg", ".avif", ".woff2"))
        total += len(data) if packed else len(gzip.compress(data))
    return total


def test_every_page_of_the_site_is_tested(site_folder):
    built = {
        path.relative_to(site_folder).as_posix()
        for path in site_folder.rglob("*.html")
        if "_static" not in path.parts
    }
    assert built - {"index.html"} == set(pages_of_the_book())


def test_a_page_is_whole(page_name, open_tab, site_url, site_folder, requested):
    tab = open_tab()
    urls = requested(tab)
    tab.add_init_script(
        """window.shifted = 0;
        new PerformanceObserver((list) => {
          for (const shift of list.getEntries()) if (!shift.hadRecentInput) shifted += shift.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    tab.goto(site_url + page_name, wait_until="networkidle")
    tab.evaluate(SCROLL_THROUGH)
    text = tab.evaluate(VISIBLE_TEXT)
    for raw in ("$", r"\(", r"\[", r"\begin"):
        assert raw not in text, text[max(0, text.find(raw) - 40) :][:90]
    shown = "[...document.images].filter((i) => i.checkVisibility())"
    missing = tab.evaluate(shown + ".filter((i) => !i.naturalWidth).map((i) => i.src)")
    assert missing == []
    assert tab.evaluate("[...document.fonts].every((font) => font.status !== 'error')")
    if tab.evaluate("shifted") >= 0.1:  # a busy machine draws before the fonts are there: once more
        tab.reload(wait_until="networkidle")
        tab.evaluate(SCROLL_THROUGH)
        assert tab.evaluate("shifted") < 0.1
    assert compressed(site_folder, site_url, urls) <= FIRST_VISIT
    # A reader who comes from the landing page has its files already.
    before = open_tab()
    seen = requested(before)
    before.goto(site_url + "chapters/index.html", wait_until="load")
    assert compressed(site_folder, site_url, set(urls) - set(seen)) <= NEXT_PAGE


def findings(tab, options, within="document"):
    """What axe finds: the rule, its impact and the first element."""
    found = tab.evaluate(f"axe.run({within}, {{ resultTypes: ['violations'], {options} }})")
    return [(f["id"], f["impact"], f["nodes"][0]["html"][:120]) for f in found["violations"]]


def test_a_page_is_open_to_everyone(page_name, open_tab, site_url):
    """No finding of axe, no sideways scroll, no frame out of reach; both widths, light and dark."""
    tab = open_tab(1300, "light", reduced_motion="reduce")  # colours change at once
    tab.goto(site_url + page_name, wait_until="load")
    tab.evaluate(SCROLL_THROUGH)
    tab.evaluate(AXE)
    tab.evaluate(MARK_REPEATED)
    # Contrast takes most of axe's time. A word of code is looked at once for each of its colours,
    # and the text, which has the same colours on a phone, at one width.
    outside = {1300: "{ exclude: ['[data-repeated]'] }", 390: "{ exclude: ['article section'] }"}
    for wide in (1300, 390):
        tab.set_viewport_size({"width": wide, "height": 900})
        tab.wait_for_timeout(500)  # the page looks again at what scrolls
        assert tab.evaluate(WIDER_THAN_THE_SCREEN) <= 0, wide
        assert tab.evaluate(UNREACHABLE_FRAMES) == [], wide
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            tab.wait_for_function("(s) => document.documentElement.dataset.theme === s", arg=scheme)
            told = findings(tab, "rules: { 'color-contrast': { enabled: false } }")
            told += findings(tab, "runOnly: ['color-contrast']", outside[wide])
            assert told == [], (wide, scheme)


def test_axe_sees_a_fault(open_tab, site_url):
    tab = open_tab()
    tab.goto(site_url + "chapters/notation.html")
    tab.evaluate("document.querySelector('h1').innerHTML = '<img src=../_static/favicon.svg>'")
    tab.evaluate(AXE)
    assert "image-alt" in {rule for rule, _, _ in findings(tab, "")}
    tab.evaluate("document.querySelector('.place, article p').style.color = '#bbb'")
    assert "color-contrast" in {rule for rule, _, _ in findings(tab, "")}


# ------------------------------------------------------------------ the keyboard

FOCUSED = """() => {
  const e = document.activeElement;
  if (e === document.body) return null;
  e.dataset.reached = "yes";
  // The mark of a field goes round its form, that of a fold in the sidebar round its arrow.
  const seen = e.closest("form") ?? e.querySelector(".toctree-toggle") ?? e;
  const style = getComputedStyle(seen);
  const box = seen.getBoundingClientRect();
  return {
    what: e.outerHTML.slice(0, 100),
    shown: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    marked: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
      || style.boxShadow !== "none",
  };
}"""
NOT_REACHED = """() => [...document.querySelectorAll(
  "a[href], button, input, summary, [tabindex='0']"
)].filter((e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  && !e.closest("dialog:not([open])") && e.tabIndex >= 0 && !e.dataset.reached
).map((e) => e.outerHTML.slice(0, 120))"""


def walk(tab, most=400):
    """Press Tab until the focus leaves the page; what it met on the way."""
    met = []
    for _ in range(most):
        tab.keyboard.press("Tab")
        focused = tab.evaluate(FOCUSED)
        if focused is None:
            return met
        met.append(focused)
    raise AssertionError(f"the focus does not come out: {met[-3:]}")


@pytest.mark.parametrize(
    ("name", "wide"),
    [
        (LESSON, 390),
        *[(page, wide) for page in WITH_LIVE_FIGURES for wide in (1300, 390)],
        ("chapters/index.html", 390),
        ("search.html?q=NiN", 1300),
    ],
)
def test_tab_reaches_everything_and_shows_where_it_is(name, wide, open_tab, site_url):
    tab = open_tab(wide, reduced_motion="reduce")  # else the skip link is still on its way
    tab.goto(site_url + name, wait_until="load")
    tab.evaluate(SCROLL_THROUGH)
    tab.wait_for_timeout(300)
    tab.evaluate("document.activeElement.blur()")  # the search page starts in its field
    tab.evaluate("scrollTo(0, 0)")
    met = walk(tab)
    assert [f for f in met if not f["shown"]] == []
    assert [f for f in met if not f["marked"]] == []
    assert tab.evaluate(NOT_REACHED) == []


def press(tab, selector, key="Enter"):
    tab.locator(selector).first.focus()
    tab.keyboard.press(key)


def is_focused(tab, selector):
    """Wait for it: scripts may move the focus a moment later."""
    return tab.wait_for_function(
        "(s) => document.activeElement.matches(s)", arg=selector, timeout=5000
    )


def test_keys_work_what_they_reach(open_tab, site_url):
    tab = open_tab()
    tab.goto(site_url + LESSON, wait_until="load")

    tab.keyboard.press("Tab")
    assert is_focused(tab, ".skip-link a")
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#main-content")

    theme = "document.documentElement.dataset.theme"
    press(tab, ".theme-switch-button")
    first = tab.evaluate(theme)
    assert is_focused(tab, ".theme-switch-button")
    tab.keyboard.press("Enter")
    assert {first, tab.evaluate(theme)} == {"light", "dark"}

    press(tab, ".dropdown-launch-buttons button")
    tab.keyboard.press("ArrowDown")
    assert is_focused(tab, "a[href*='mybinder.org']")
    tab.keyboard.press("Escape")
    assert is_focused(tab, ".dropdown-launch-buttons button")

    press(tab, ".primary-toggle")
    assert is_focused(tab, ".primary-toggle")
    tab.wait_for_timeout(600)
    assert not tab.locator("#pst-primary-sidebar nav a").first.is_visible()
    tab.keyboard.press("Enter")
    tab.wait_for_timeout(600)
    assert tab.locator("#pst-primary-sidebar nav a").first.is_visible()

    press(tab, ".search-button-field")
    assert is_focused(tab, "#pst-search-dialog input")
    tab.keyboard.press("Escape")
    assert is_focused(tab, ".search-button-field")
    tab.keyboard.press("Control+k")
    tab.keyboard.type("mlpconv")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?q=mlpconv")
    tab.locator("#search-results li a").first.wait_for()


def test_folds_open_by_key(open_tab, site_url):
    tab = open_tab()
    tab.goto(site_url + "chapters/channels/lesson.html", wait_until="load")
    press(tab, "article details > summary")
    assert tab.evaluate("document.querySelector('article details').open")


@pytest.mark.parametrize("name", WITH_LIVE_FIGURES)
def test_wide_frames_that_come_out_of_a_fold_are_within_reach(name, open_tab, site_url):
    tab = open_tab(390)
    tab.goto(site_url + name, wait_until="load")
    tab.evaluate(SCROLL_THROUGH)
    before = tab.locator("main [role=region]").count()
    tab.evaluate("document.querySelectorAll('article details').forEach((e) => (e.open = true))")
    for button in tab.get_by_role("button", name="static version").all():
        button.click()
    tab.wait_for_timeout(200)
    assert tab.locator("main [role=region]").count() > before
    assert tab.evaluate(UNREACHABLE_FRAMES) == []


def test_the_menu_of_a_phone_opens_and_closes_by_key(open_tab, site_url):
    tab = open_tab(390)
    tab.goto(site_url + LESSON, wait_until="load")
    for button, dialog in [
        (".primary-toggle", "#pst-primary-sidebar-modal"),
        (".secondary-toggle", "#pst-secondary-sidebar-modal"),
        (".search-button", "#pst-search-dialog"),
    ]:
        press(tab, button)
        assert tab.locator(dialog).is_visible(), button
        tab.keyboard.press("Escape")
        tab.wait_for_timeout(400)
        assert not tab.locator(dialog).is_visible(), button
        assert is_focused(tab, button)


# How many full stops behind formulas begin a line.
LONELY_STOPS = """() => [...document.querySelectorAll('.unbroken')].filter((held) => {
  const stop = document.createRange();
  stop.selectNode(held.lastChild);
  const box = [...held.querySelectorAll('.base')].pop().getBoundingClientRect();
  return stop.getBoundingClientRect().left < box.left;
}).length"""


def test_no_line_begins_with_the_full_stop_of_a_formula(open_tab, site_url):
    tab = open_tab(390)
    counts = {"nowrap": 0, "normal": 0}
    for slug in ("learned-mixing", "worked-examples"):
        tab.goto(f"{site_url}chapters/{slug}/lesson.html", wait_until="load")
        assert tab.locator(".unbroken").count() > 10
        for rule in counts:  # as the site has it, and as it would be without its rule
            if rule == "normal":
                tab.add_style_tag(content=".unbroken { white-space: normal !important }")
            for wide in range(330, 480, 6):
                tab.set_viewport_size({"width": wide, "height": 844})
                counts[rule] += tab.evaluate(LONELY_STOPS)
    assert counts["nowrap"] == 0
    assert counts["normal"] > 0


# ------------------------------------------------------------------ other ways to read


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_can_be_read_without_javascript(scheme, open_tab, site_url):
    tab = open_tab(scheme=scheme, java_script_enabled=False)
    tab.goto(site_url + LESSON)
    assert tab.locator("h1").is_visible()
    assert not tab.locator(".search-button-field").is_visible()  # it would do nothing
    assert tab.locator("html").get_attribute("data-theme") == "light"


def test_nothing_moves_for_those_who_asked_for_rest(open_tab, site_url):
    tab = open_tab(reduced_motion="reduce")
    tab.goto(site_url + LESSON, wait_until="load")
    moving = """() => [...document.querySelectorAll("*")].filter((e) => {
      const style = getComputedStyle(e);
      return style.transitionDuration !== "0s" || style.animationName !== "none"
        || style.scrollBehavior === "smooth";
    }).map((e) => e.outerHTML.slice(0, 100))"""
    assert tab.evaluate(moving) == []


def test_in_the_dark_figures_keep_their_white_ground(open_tab, site_url):
    """Lines and letters of a figure are dark: its ground must not be what the page's is."""
    tab = open_tab(scheme="dark")
    tab.goto(site_url + LESSON, wait_until="load")
    grounds = """() => [...document.querySelectorAll("article img")].map((e) => {
      const [r, g, b] = getComputedStyle(e).backgroundColor.match(/[\\d.]+/g).map(Number);
      return Math.min(r, g, b);
    })"""
    assert min(tab.evaluate(grounds)) > 180
    page = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page == "rgb(18, 18, 18)"


def test_on_paper_there_is_the_chapter_alone(open_tab, site_url, page_name):
    tab = open_tab(672, "dark")  # A4 between its margins
    tab.goto(site_url + page_name, wait_until="load")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "light"
    tab.emulate_media(media="print", color_scheme="dark")
    for part in [
        ".bd-sidebar-primary",
        ".bd-sidebar-secondary",
        ".bd-header-article",
        ".prev-next-footer",
        ".headerlink",
        "button",
    ]:
        assert tab.locator(part).locator("visible=true").count() == 0, part
    assert tab.locator("h1").locator("visible=true").count() == 1
    assert tab.locator(".cite").is_visible()
    cut = """() => [...document.querySelectorAll("article *")].filter((e) =>
      !e.closest(".katex") && e.clientWidth > 0 && getComputedStyle(e).display !== "inline"
      && (e.getBoundingClientRect().right > innerWidth + 1
        || (getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 3))
    ).map((e) => e.outerHTML.slice(0, 100))"""
    assert tab.evaluate(cut) == []
    folded = "[...document.querySelectorAll('details.hide .highlight')]"
    assert tab.evaluate(f"{folded}.every((e) => e.checkVisibility())")
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


# ------------------------------------------------------------------ search


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("NiN", "chapters/network-in-network/lesson.html"),
        ("nin", "chapters/glossary.html#term-NiN"),
        ("pointwise", "chapters/channel-collapse/lesson.html"),
        ("why 1x1", "chapters/channel-collapse/lesson.html"),
        ("1×1 convolution", "chapters/channel-collapse/lesson.html"),
        ("bottleneck", "chapters/glossary.html#term-bottleneck"),
        ("bottleneck", "chapters/worked-examples/lesson.html"),
        ("2.302585", "chapters/network-in-network/lesson.html"),
        ("207,360", "chapters/channel-collapse/lesson.html"),
        ("207360", "chapters/channel-collapse/lesson.html"),
        ("depthwise", "chapters/channels/lesson.html"),
        ("cccp", "chapters/network-in-network/lesson.html"),
        ("dimension reduction", "chapters/inception-reductions/lesson.html"),
        ("backward pass", "chapters/learned-mixing/lesson.html"),
        ("MAC", "chapters/notation.html"),
    ],
)
def test_search_finds_the_words_of_the_field_and_of_people(words, page, open_tab, site_url):
    tab = open_tab()
    tab.goto(f"{site_url}search.html?q={quote(words)}")
    tab.locator("#search-results li a").first.wait_for()
    tab.wait_for_function("document.querySelector('.search-summary').innerText.length > 0")
    links = tab.locator("#search-results li > a").evaluate_all(
        "(links) => links.slice(0, 3).map((a) => a.href)"
    )
    target, _, anchor = page.partition("#")
    assert any(
        link.split("?")[0].split("#")[0] == site_url + target and link.endswith(anchor)
        for link in links
    ), links


def test_a_term_of_the_glossary_has_its_address(open_tab, site_url):
    tab = open_tab()
    tab.goto(site_url + "chapters/glossary.html#term-break-even-width")
    assert tab.evaluate("document.querySelector(':target').innerText").startswith("break-even")


def test_without_a_browser_the_tests_are_skipped_or_fail(monkeypatch, chromium):
    monkeypatch.setattr("conftest.shutil.which", lambda name: None)
    nothing = SimpleNamespace(chromium=SimpleNamespace(executable_path="/nowhere/chrome"))
    assert find_browser(nothing) is None
    with pytest.raises(pytest.skip.Exception, match="NO BROWSER"):
        do_without("NO BROWSER")
    monkeypatch.setenv("SITE_TOOLS", "required")
    with pytest.raises(pytest.fail.Exception, match="NO BROWSER"):
        do_without("NO BROWSER")
