"""What tests of the built site share: its address on this machine, and a browser that stays on it.

Without Chromium the tests that need it are skipped, and the run says so; with SITE_TOOLS=required
in the environment they fail.
"""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest
import yaml
from build_book import build
from playwright.sync_api import sync_playwright
from run_notebooks import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",  # in a container there is nothing to build it from
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser(playwright):
    """The path of Chromium or Chrome, or of what `playwright install chromium` brought, or None."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def do_without(reason):
    if os.environ.get("SITE_TOOLS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


class Files(http.server.SimpleHTTPRequestHandler):
    """A file server that keeps its connections, as servers do, and logs nothing."""

    protocol_version = "HTTP/1.1"
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".woff2": "font/woff2",
        ".js": "text/javascript",
    }

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site_folder():
    """The built site; built first where `make` has not just done so."""
    site = ROOT / "_build/html"
    if not (site / ".complete").exists():
        assert build(ROOT)
    return site


@pytest.fixture(scope="session")
def site_url(site_folder):
    """The address of the site on this machine, with a slash at the end."""
    handler = functools.partial(Files, directory=site_folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium without a window."""
    with sync_playwright() as playwright:
        executable = find_browser(playwright)
        if executable is None:
            do_without(f"NO BROWSER: none of {', '.join(BROWSERS)} is installed")
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium, site_url):
    """open_tab(wide, scheme, **options): a page whose requests to other hosts all fail.

    Options are Playwright's for a context. `page.faults` lists failed and foreign requests, answers
    that are errors, console errors and exceptions; when the test ends it must be empty.
    """
    tabs = []

    def open_one(wide=1300, scheme="light", **options):
        high = 844 if wide < 600 else 900
        context = chromium.new_context(
            viewport={"width": wide, "height": high}, color_scheme=scheme, **options
        )
        page = context.new_page()
        page.faults = faults = []

        def only_here(route):
            if route.request.url.startswith(site_url):
                route.continue_()
            else:
                faults.append(f"request to another host: {route.request.url}")
                route.abort()

        context.route(lambda url: not url.startswith(site_url), only_here)
        page.on(
            "requestfailed",
            # Aborted: the page was left while the icon was still on its way.
            lambda request: (
                request.failure != "net::ERR_ABORTED" and faults.append(f"failed: {request.url}")
            ),
        )
        page.on(
            "response",
            lambda answer: answer.status >= 400 and faults.append(f"{answer.status}: {answer.url}"),
        )
        page.on(
            "console",
            lambda message: (
                message.type in ("error", "warning") and faults.append(f"console: {message.text}")
            ),
        )
        page.on("pageerror", lambda error: faults.append(f"exception: {error}"))
        tabs.append(page)
        return page

    yield open_one
    faults = [fault for tab in tabs for fault in tab.faults]
    for tab in tabs:
        tab.context.close()
    assert faults == []


def pages_of_the_book():
    """The pages that _toc.yml names, and the two that Sphinx adds, as they are in the site."""

    def visit(entries):
        for entry in entries:
            yield entry["file"]
            yield from visit(entry.get("sections", []))
            yield from visit(entry.get("chapters", []))

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [entry for part in toc.get("parts", []) for entry in part["chapters"]]
    named = [toc["root"], *visit(toc.get("chapters", []) + parts), "genindex", "search"]
    return [f"{name}.html" for name in named]


def pytest_generate_tests(metafunc):
    """A test that asks for `page_name` runs on every page."""
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", pages_of_the_book())


def pytest_collection_modifyitems(items):
    """`make site-check` runs what needs the built site."""
    for item in items:
        if {"site_folder", "pages"} & set(item.fixturenames):
            item.add_marker("site")
