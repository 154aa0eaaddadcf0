"""The live figures, used in a browser: right to the integer, by keys, by thumb, without scripts."""

import json
import re

import numpy as np
import pytest
from draw_live import HIGH, LIVE, PHOTOGRAPHS, WIDE, chapter_arrays, numbers, photograph
from PIL import Image
from run_notebooks import ROOT

from pointwise import conv1x1, conv2d, cost
from pointwise.cost import Conv

PAGES = {
    "mixer": "channel-collapse",
    "pixel": "channels",
    "reduction": "inception-reductions",
}
LIVE_URL = "_static/live/"


@pytest.fixture
def figure(open_tab, site_url):
    """figure(name, …): its place on its page, mounted; further arguments are open_tab's."""

    def find(name, *args, **options):
        page = open_tab(*args, **options)
        page.goto(f"{site_url}chapters/{PAGES[name]}/lesson.html")
        place = page.locator(f'[data-live="{name}"]')
        place.evaluate("place => place.scrollIntoView()")
        page.wait_for_selector(f'.live-figure[data-live="{name}"]')
        return place

    return find


def ask(place, name, expression, argument=None):
    """Evaluate an expression of `m`, a module of the figures, and `a`, the argument."""
    program = f"""async (place, a) => {{
        const m = await import(new URL("{LIVE_URL}{name}.js", new URL("../../", location.href)));
        return {expression};
    }}"""
    return place.evaluate(program, argument)


def next_frame(place):
    place.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


# ---------------------------------------------------------------------------------- the numbers


def test_the_numbers_are_those_of_the_book():
    assert json.loads((LIVE / "numbers.json").read_text(encoding="utf-8")) == numbers()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_photographs_are_those_of_the_book(name):
    stored = np.asarray(Image.open(LIVE / f"{name}.jpg").convert("RGB"), float)
    assert stored.shape == (HIGH, WIDE, 3)
    assert abs(stored - photograph(name)).mean() < 8  # what JPEG takes; another crop has 40
    assert (LIVE / f"{name}.jpg").stat().st_size < 40_000


def test_the_calculator_agrees_with_the_cost_model(figure):
    rng = np.random.default_rng(0)
    names = ["k", "c_in", "r", "c_out", "h", "w"]
    small = rng.integers(1, [12, 600, 600, 600, 60, 60], size=(1000, 6))
    large = rng.integers(1, [32, 65537, 65537, 65537, 65537, 65537], size=(200, 6))
    settings = [dict(zip(names, map(int, row), strict=True)) for row in [*small, *large]]
    answers = ask(
        figure("reduction"),
        "reduction",
        """a.map((setting) => {
            const { direct, reduced, breakEven, widest } = m.count(setting);
            const counts = [direct.weights, direct.macs, reduced.weights, reduced.macs];
            return [...counts, ...breakEven, widest].map(String);
        })""",
        settings,
    )
    for s, answer in zip(settings, answers, strict=True):
        shape = (s["c_in"], s["h"], s["w"])
        same = {"padding": "same", "bias": False}
        direct = cost.table([Conv(s["c_in"], s["c_out"], s["k"], **same)], shape)
        chain = [Conv(s["c_in"], s["r"], bias=False), Conv(s["r"], s["c_out"], s["k"], **same)]
        reduced = cost.table(chain, shape)
        over, under, widest = map(int, answer[4:])
        counted = [direct.weights, direct.macs, reduced.weights, reduced.macs]
        assert list(map(int, answer[:4])) == counted, s
        assert cost.break_even(s["k"], s["c_in"], s["c_out"]) * under == over, s
        assert cost.widest_saving(s["k"], s["c_in"], s["c_out"]) == widest, s


def shown_and_expected(place, show=None):
    """What the mixer drew, (H, W, 3) bytes, and what conv1x1 makes of the same photograph."""
    program = "p => [p.mixer.source(), p.mixer.shown()].map((a) => Array.from(a.slice(0, 40000)))"
    source, shown = (np.reshape(a, (-1, 4)) for a in place.evaluate(program))
    state = place.evaluate("p => p.mixer.state")
    x = source[:, :3].T[None, :, :, None] / 255
    if state["log"]:
        x = np.log(np.maximum(x, 1e-6)) / np.log(1e-6)
    rows = np.array(state["rows"], float)
    rows = rows if show is None else rows[show : show + 1]
    y = conv1x1(x, rows[:, :3], rows[:, 3])[0, :, :, 0]
    grey_or_colour = {1: lambda: y[[0, 0, 0]], 2: lambda: np.stack([*y, 0 * y[0]]), 3: lambda: y}
    expected = np.clip(255 * grey_or_colour[len(y)](), 0, 255).T
    return shown[:, :3], expected


def test_the_mixer_is_a_1x1_convolution(figure):
    place = figure("mixer")
    for name in ["as it is", "average", "BT.601", "sepia", "swap", "negative", "stains"]:
        place.get_by_role("button", name=name, exact=True).click()
        place.page.wait_for_selector(f'[data-preset="{name}"][aria-pressed="true"]')
        next_frame(place)
        shown, expected = shown_and_expected(place, show=0 if name == "stains" else None)
        assert abs(shown - expected).max() <= 0.51, name
        assert len(np.unique(shown)) > 20, name
    rng = np.random.default_rng(1)
    for outputs in (1, 2, 3):
        rows = rng.normal(size=(outputs, 4)).round(3).tolist()
        change = "(p, rows) => Object.assign(p.mixer.state, { rows, show: null }) && p.mixer.draw()"
        place.evaluate(change, rows)
        shown, expected = shown_and_expected(place)
        assert abs(shown - expected).max() <= 0.51


def test_one_pixel_steps_through_the_convolution_of_the_chapter(figure):
    place = figure("pixel")
    x, w2 = (np.array(a) for a in chapter_arrays("channels", ["x", "w2"]))
    for name, w in [("2×2 convolution", w2), ("1×1 convolution", w2[:, :, 1:, 1:])]:
        expected = conv2d(x[None], w)[0]
        place.get_by_role("button", name=name).click()
        steps = place.evaluate("(p, n) => p.pixel.steps(p.pixel.x, p.pixel.layers[n])", name)
        assert len(steps) == expected.size * w[0].size
        for s in steps:
            o, c, u, v, i, j = (s[k] for k in "ocuvij")
            assert (s["weight"], s["value"]) == (w[o, c, u, v], x[c, i + u, j + v])
        place.locator(".pixel-board").press("End")
        out = place.locator(".pixel-grid.out button").all_inner_texts()
        assert [int(n.replace("−", "-")) for n in out] == expected.ravel().tolist()


# ------------------------------------------------------------------------------------- in use


def test_the_mixer_follows_slider_field_and_pixel(figure):
    place = figure("mixer")
    field = place.get_by_label("Output 0, weight from red", exact=True)
    slider = place.get_by_label("Output 0, weight from red, slider")
    sums = place.locator(".mixer-sums")
    before = place.evaluate("p => Array.from(p.mixer.shown()).reduce((a, b) => a + b)")
    slider.press("ArrowRight")
    next_frame(place)
    assert float(field.input_value()) > 0.299
    assert place.evaluate("p => Array.from(p.mixer.shown()).reduce((a, b) => a + b)") > before
    assert place.locator('[aria-pressed="true"]').count() == 0  # no longer BT.601
    field.fill("-2")
    next_frame(place)
    assert float(slider.input_value()) == -2
    assert "−2.000 ·" in sums.inner_text()
    assert "shown as 0" in sums.inner_text()
    field.fill("")
    assert field.get_attribute("aria-invalid") == "true"
    assert "−2.000 ·" in sums.inner_text()  # nothing was taken from an empty field
    place.locator(".mixer-stage").click(position={"x": 5, "y": 7})
    place.locator(".mixer-stage").press("Shift+ArrowRight")
    next_frame(place)
    assert re.search("row [67], column 15:", sums.inner_text())
    place.get_by_label("output channels").select_option("3")
    assert place.locator(".mixer-matrix tbody tr").count() == 3
    place.get_by_label("show").select_option("1")
    next_frame(place)
    shown, expected = shown_and_expected(place, show=1)
    assert abs(shown - expected).max() <= 0.51


def test_the_calculator_answers_and_refuses(figure):
    place = figure("reduction")
    words, table = place.locator(".reduction-words"), place.locator(".reduction-table")
    assert "21.43 times fewer" in words.inner_text()
    place.get_by_label("a branch of GoogLeNet").select_option("3a, 5×5")
    assert "9.68 times fewer" in words.inner_text()
    assert "120,422,400" in table.inner_text()
    place.get_by_label("reduced to r", exact=True).fill("192")
    assert "this reduction costs" in words.inner_text()
    place.get_by_label("reduced to r, slider").press("Home")
    assert place.get_by_label("reduced to r", exact=True).input_value() == "1"
    settled = words.inner_text()
    for bad in ["", "0", "-3", "1.5", "99999999"]:
        place.get_by_label("kernel k").fill(bad)
        assert "a whole number from 1 to 31" in place.inner_text(), bad
        assert words.inner_text() == settled, bad
    place.get_by_label("kernel k").fill("1")
    assert "no reduction saves" not in words.inner_text()
    assert "a whole number" not in place.inner_text()
    chart = place.locator(".reduction-chart")
    assert "crosses the level of the direct layer at r =" in chart.get_attribute("aria-label")


def test_one_pixel_obeys_buttons_keys_clicks_and_play(figure):
    place = figure("pixel")
    reads, board = place.locator(".pixel-reads"), place.locator(".pixel-board")
    assert "Multiplication 1 of 8 for output 0, row 0, column 0" in reads.inner_text()
    place.get_by_role("button", name="next", exact=True).click()
    assert "Multiplication 2 of 8" in reads.inner_text()
    board.press("ArrowLeft")
    board.press("ArrowLeft")
    assert "Multiplication 1 of 8" in reads.inner_text()
    place.get_by_role("button", name="next number").click()
    assert "Multiplication 8 of 8" in reads.inner_text()
    board.press("ArrowDown")
    assert "Multiplication 8 of 8 for output 0, row 0, column 1" in reads.inner_text()
    place.get_by_role("button", name="output 1, row 1, column 0").click()
    assert "for output 1, row 1, column 0" in reads.inner_text()
    place.get_by_role("button", name="start", exact=True).click()
    place.get_by_role("button", name="play").click()
    place.page.wait_for_function(
        "() => document.querySelector('.pixel-reads').textContent.includes('Multiplication 3')"
    )
    place.get_by_role("button", name="pause").click()
    rested = reads.inner_text()
    place.page.wait_for_timeout(900)
    assert reads.inner_text() == rested


@pytest.mark.parametrize("name", PAGES)
def test_the_static_version_gives_way_and_comes_back(figure, name):
    place = figure(name)
    twin = place.page.locator(f"#live-twin-{name}")
    assert not twin.is_visible()
    assert twin.locator("img").count() == 1
    button = place.get_by_role("button", name="static version")
    button.press("Enter")
    assert twin.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    button.press("Enter")
    place.page.emulate_media(media="print")
    assert twin.is_visible()
    assert not place.is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_picture_and_table_stand_there(open_tab, site_url, name):
    page = open_tab(java_script_enabled=False)
    page.goto(f"{site_url}chapters/{PAGES[name]}/lesson.html")
    twin = page.locator(f'[data-live="{name}"] + .cell')
    assert twin.locator("img").is_visible()
    assert len(twin.locator(".output pre").inner_text().splitlines()) > 3


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_all_of_it(figure, name):
    place = figure(name, 390, "dark")
    root = "document.documentElement"
    assert place.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    for control in place.locator("button, select, input").all():
        box = control.bounding_box()
        assert box["height"] >= 44 or control.get_attribute("type") == "checkbox"
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_only_pages_with_a_figure_load_one(site_folder):
    for page in site_folder.glob("chapters/**/*.html"):
        text = page.read_text("utf-8")
        assert ("live/mount.js" in text) == ("data-live=" in text), page
    mounts = sum((ROOT / f"chapters/{slug}/lesson.ipynb").exists() for slug in PAGES.values())
    assert mounts == len(PAGES)
