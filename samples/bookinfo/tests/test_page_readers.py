"""Pages that no gateway shows, and the page of 0.2.9, as axe-core sees them: nothing serious for anybody who reads them."""
import pathlib

import axe_playwright_python
import pytest
from playwright.sync_api import sync_playwright

from shop import RATINGS, at

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 390])
def test_the_index_and_the_page_of_029_are_readable_by_everybody(start, page_before, browser, width, scheme):
    old = {"BOOKINFO_COMPAT": "0.2.9"}
    reviews = start.service("reviews", ENABLE_RATINGS="true", STAR_COLOR="red", **old,
                            **at(ratings=start.stand_in((200, RATINGS))))
    shop = page_before(old, reviews=reviews)
    for path in ["/", "/productpage"]:
        page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
        page.goto(f"http://127.0.0.1:{shop.port}{path}")
        page.evaluate(AXE)
        found = page.evaluate("axe.run()")
        assert len(found["passes"]) > 10
        assert not [(v["id"], v["nodes"][0]["html"]) for v in found["violations"] if v["impact"] in ("serious", "critical")]
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.context.close()
