"""Open every built page in headless Chromium, on a desktop and on a phone.

Usage: ``python docs/check_site.py HTML_FOLDER [--screenshots FOLDER]``. Needs playwright
(``pip install -e ".[site]"``) and an installed Chromium, found on the PATH. Ends with status 1 if
a page logs an error, asks the network for anything, leaves a formula unrendered, or scrolls
sideways; and if a link within the site leads nowhere.
"""

import argparse
import shutil
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag, urljoin, urlparse

from playwright.sync_api import sync_playwright

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
# Formulas are typeset when MathJax has finished; pages without any do not load it.
MATH_IS_DONE = "() => !window.MathJax || window.MathJax.startup?.promise?.then(() => true)"
UNRENDERED = """() => [...document.querySelectorAll(".math")].filter(
    e => e.textContent.trim() && !e.querySelector("mjx-container")).length"""
FAILED_FORMULAS = "() => document.querySelectorAll('mjx-merror').length"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LINKS = "() => [...document.querySelectorAll('a[href]')].map(e => e.getAttribute('href'))"
ANCHORS = "() => [...document.querySelectorAll('[id]')].map(e => e.id)"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main(arguments=None):
    """Check all pages and print what is wrong; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where sphinx-build has put the pages")
    parser.add_argument("--screenshots", type=Path, help="folder for one image per page and size")
    options = parser.parse_args(arguments)
    pages = sorted(
        path.relative_to(options.folder).as_posix()
        for path in options.folder.rglob("*.html")
        if not {"_static", "_downloads"} & set(path.parts)
    )
    if not pages:
        sys.exit(f"{options.folder} has no pages")
    handler = partial(_QuietHandler, directory=str(options.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        faults = _check_all(f"http://127.0.0.1:{server.server_port}/", pages, options.screenshots)
        server.shutdown()
    print(*faults, f"{len(pages)} pages, {len(faults)} faults", sep="\n")
    return bool(faults)


def _check_all(root, pages, screenshots):
    faults, links, anchors = [], {}, {}
    with sync_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size, (width, height) in SIZES.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            for page in pages:
                faults += [f"{page} ({size}): {f}" for f in _check_page(tab, root, page)]
                if screenshots:
                    name = page.replace("/", "-").removesuffix(".html")
                    tab.screenshot(path=screenshots / f"{name}-{size}.png")
                links[page] = tab.evaluate(LINKS)
                anchors[page] = set(tab.evaluate(ANCHORS))
            tab.close()
        browser.close()
    return faults + _find_dead_links(links, anchors)


def _check_page(tab, root, page):
    found = []

    def note_message(message):
        if message.type == "error":
            found.append(f"console: {message.text}")

    def note_request(request):
        if not request.url.startswith((root, "data:", "blob:")):
            found.append(f"loads {request.url}")

    tab.on("console", note_message)
    tab.on("request", note_request)
    tab.goto(root + page, wait_until="load")
    tab.wait_for_function(MATH_IS_DONE, timeout=20_000)
    tab.remove_listener("console", note_message)
    tab.remove_listener("request", note_request)
    if n_formulas := tab.evaluate(UNRENDERED) + tab.evaluate(FAILED_FORMULAS):
        found.append(f"{n_formulas} formulas are not rendered")
    if (overflow := tab.evaluate(OVERFLOW)) > 0:
        found.append(f"scrolls sideways by {overflow} pixels")
    return found


def _find_dead_links(links, anchors):
    faults = []
    for page, targets in links.items():
        for target in set(targets):
            if urlparse(target).scheme or target.startswith("//"):
                continue
            path, anchor = urldefrag(urljoin(page, unquote(target)))
            path = path.lstrip("/") or "index.html"
            if path.endswith(".html") and path not in anchors:
                faults.append(f"{page}: links to {target}, which is no page")
            elif anchor and path in anchors and unquote(anchor) not in anchors[path]:
                faults.append(f"{page}: links to {target}, which has no such anchor")
    return faults


if __name__ == "__main__":
    sys.exit(main())
