"""The page as a person sees it, in headless Chromium: at two widths, light and dark, by keyboard, without scripts.

Screenshots are left in build/screenshots; UPDATE_DOCS=1 copies those that the documents show to docs/images."""
import os
import pathlib
import re
import shutil

import axe_playwright_python
import pytest
from playwright.sync_api import sync_playwright

from harness import BUILD, NETWORKING, ROOT, SAMPLE, wait_for

SHOTS = BUILD / "screenshots"
AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
DESKTOP, PHONE = {"width": 1000, "height": 800}, {"width": 390, "height": 844}
LOOKS = {"desktop-light": (DESKTOP, "light"), "desktop-dark": (DESKTOP, "dark"), "phone-light": (PHONE, "light"),
         "phone-dark": (PHONE, "dark")}
# Screenshot -> its name in docs/images.
SHOWN = {"anonymous-desktop-light": "bookinfo-anonymous", "anonymous-desktop-dark": "bookinfo-dark",
         "jason-desktop-light": "bookinfo-jason", "jason-phone-light": "bookinfo-phone",
         "details-down-desktop-light": "bookinfo-details-down", "details-down-phone-dark": "bookinfo-details-down-phone",
         "reviews-down-desktop-light": "bookinfo-reviews-down", "ratings-down-desktop-light": "bookinfo-ratings-down",
         "sign-in-desktop-light": "bookinfo-sign-in", "both-down-desktop-light": "bookinfo-both-down",
         "without-stars-desktop-light": "bookinfo-without-stars"}
FULL_STAR = "[id='glyphicon glyphicon-star']"


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield started
        started.close()


def open_page(browser, mesh, look, **options):
    viewport, scheme = LOOKS[look]
    opened = browser.new_context(viewport=viewport, color_scheme=scheme, **options).new_page()
    opened.look = look
    opened.failures, opened.outside, opened.weight = [], [], 0
    opened.on("requestfailed", lambda r: opened.failures.append(r.url))
    opened.on("pageerror", lambda e: opened.failures.append(str(e)))
    opened.on("request", lambda r: opened.outside.append(r.url) if f"127.0.0.1:{mesh.port}" not in r.url and
              not r.url.startswith("data:") else None)
    opened.goto(f"http://127.0.0.1:{mesh.port}/productpage")
    return opened


@pytest.fixture(params=LOOKS)
def visit(request, browser, mesh):
    """Opens the page in one of four looks."""
    pages = []

    def make():
        pages.append(open_page(browser, mesh, request.param))
        return pages[-1]
    yield make
    for page in pages:
        page.context.close()


def complaints(page):
    """What axe-core finds serious or critical on the page as it stands."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10, "axe did not look at the page"
    return [(v["impact"], v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]
            if v["impact"] in ("serious", "critical")]


def photograph(page, name, **options):
    SHOTS.mkdir(exist_ok=True)
    shot = SHOTS / f"{name}-{page.look}.png"
    page.screenshot(path=shot, **options)
    if os.environ.get("UPDATE_DOCS") and shot.stem in SHOWN:
        shutil.copy(shot, ROOT / f"docs/images/{SHOWN[shot.stem]}.png")


def look_at(page, name):
    """Whole, readable, nothing from elsewhere; folded and with the panel open. Leaves a screenshot."""
    assert not complaints(page)
    page.locator(".making summary").click()
    assert page.get_by_text("productpage asked details").is_visible()
    assert not complaints(page)
    photograph(page, name, full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} scrolls sideways by {overflow} px in the look {page.look}"
    assert not page.failures and not page.outside, (page.failures, page.outside)


def wait_for_signed_in(page):
    page.get_by_text("Sign out").wait_for()
    page.wait_for_load_state()  # the header is there before the stars


def sign_in(page):
    page.locator("#sign-in-button").click()
    page.locator("#username").fill("jason")
    page.locator("input[name=passwd]").fill("anything")
    page.locator("dialog button[type=submit]").click()
    wait_for_signed_in(page)


def take_away(mesh, service):
    for deployment in mesh.objects("deployments"):
        name = deployment["metadata"]["name"]
        if name.startswith(service):
            mesh.weft("scale", "deployment", name, "--replicas=0")
    wait_for(f"{service} to be gone", lambda: not mesh.pods(service))


def test_anonymous_readers_see_book_details_and_reviews(mesh, visit):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page = visit()
    assert page.title() == "Simple Bookstore App"
    for text in ["The Comedy of Errors", "Book Details", "Book Reviews", "PublisherA", "Reviewer1", "Reviewer2",
                 "4 of 5, in red", "version v3"]:
        assert page.get_by_text(text).first.is_visible(), text
    assert page.locator(FULL_STAR).count() == 9
    assert page.locator("#sign-in-button").is_visible()
    look_at(page, "anonymous")


def test_version_one_of_reviews_has_no_stars_and_no_error(mesh, visit):
    mesh.apply(NETWORKING / "virtual-service-all-v1.yaml")
    page = visit()
    assert page.locator(FULL_STAR).count() == 0 and page.get_by_text("Reviewer1").first.is_visible()
    assert page.get_by_text("version v1").first.is_visible() and page.get_by_role("alert").count() == 0
    look_at(page, "without-stars")


def test_jason_signs_in_sees_black_stars_and_signs_out(mesh, visit):
    mesh.apply(NETWORKING / "virtual-service-reviews-test-v2.yaml")
    page = visit()
    assert page.locator(FULL_STAR).count() == 0
    sign_in(page)
    assert page.get_by_text("jason").first.is_visible()
    assert page.locator(FULL_STAR).count() == 9
    assert page.locator(".text-black-500").count() == 2
    look_at(page, "jason")
    page.get_by_text("Sign out").first.click()
    page.locator("#sign-in-button").wait_for()


def test_the_sign_in_dialog_is_usable_by_everybody(mesh, visit):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page = visit()
    page.locator("#sign-in-button").click()
    assert page.locator("#dialog").is_visible() and not complaints(page)
    photograph(page, "sign-in")
    page.locator("#close-dialog").click()
    assert not page.locator("#dialog").is_visible()


@pytest.mark.parametrize("service, words, intact", [
    ("details", "Error fetching product details", "Reviewer1"), ("reviews", "Error fetching product reviews", "PublisherA"),
    ("ratings", "Ratings service is currently unavailable", "PublisherA")])
def test_a_service_that_is_down_leaves_the_rest_of_the_page(mesh, visit, service, words, intact):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    take_away(mesh, service)
    page = visit()
    assert page.get_by_text(words).first.is_visible()
    assert page.get_by_text(intact).first.is_visible()
    look_at(page, f"{service}-down")


def test_without_details_and_reviews_the_page_says_so_twice_and_still_has_its_title(mesh, visit):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    take_away(mesh, "details")
    take_away(mesh, "reviews")
    page = visit()
    for words in ["The Comedy of Errors", "Error fetching product details", "Error fetching product reviews"]:
        assert page.get_by_text(words).first.is_visible(), words
    assert page.get_by_role("alert").count() == 2 and page.locator("#sign-in-button").is_visible()
    look_at(page, "both-down")


def test_each_picture_in_the_documents_is_one_that_these_tests_take_and_the_gallery_shows_it():
    pictures = {file.stem for file in (ROOT / "docs/images").glob("bookinfo*.png")}
    assert pictures == set(SHOWN.values())
    states = re.search(r"## The states\n(.*?)\n## ", (SAMPLE / "README.md").read_text(), re.DOTALL).group(1)
    linked = re.findall(r"!\[[^\]]{10,}\]\(\.\./\.\./docs/images/([\w-]+)\.png\)", states)
    assert set(linked) == pictures and len(linked) == len(pictures)
    for document in (ROOT / "README.md", SAMPLE / "README.md"):
        for name in re.findall(r"!\[.*?\]\(([^)]+)\)", document.read_text()):
            assert (document.parent / name).exists(), f"{document} shows {name}, which is not there"


def test_the_keyboard_alone_skips_signs_in_and_opens_the_panel(mesh, browser):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page = open_page(browser, mesh, "desktop-light")

    def tab_to(selector):
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"Tab does not reach {selector}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip" and page.locator(".skip").bounding_box()["y"] >= -1
    tab_to("#sign-in-button")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is not seen"
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert not page.locator("#dialog").is_visible()
    assert page.evaluate("document.activeElement.id") == "sign-in-button", "the focus must come back"
    page.keyboard.press("Enter")
    tab_to("#username")
    page.keyboard.type("jason")
    tab_to("#password")
    page.keyboard.type("any")
    page.keyboard.press("Enter")
    wait_for_signed_in(page)
    tab_to(".making summary")
    page.keyboard.press("Enter")
    assert page.get_by_text("productpage asked details").is_visible()
    page.context.close()


def test_without_scripts_everything_works_the_sign_in_too(mesh, browser):
    mesh.apply(NETWORKING / "virtual-service-reviews-test-v2.yaml")
    page = open_page(browser, mesh, "phone-light", java_script_enabled=False)
    sign_in(page)
    assert page.locator(FULL_STAR).count() == 9
    page.locator(".making summary").click()
    assert page.get_by_text("productpage asked details").is_visible()
    page.context.close()


def headings(page):
    """Name and level of each heading, from the tree that Chromium gives to assistive technology."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [(node["name"]["value"], next(p["value"]["value"] for p in node["properties"] if p["name"] == "level"))
            for node in nodes if node.get("role", {}).get("value") == "heading"]


def test_a_screen_reader_is_told_of_headings_stars_and_errors(mesh, browser):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page = open_page(browser, mesh, "desktop-light")
    said = page.locator("body").aria_snapshot()
    for line in ['img "5 of 5 stars"', 'img "4 of 5 stars"', 'table "Book Details"', "- main", 'button "Sign in"']:
        assert line in said, f"{line} is not in\n{said}"
    assert headings(page) == [("The Comedy of Errors", 1), ("Book Details", 2), ("Book Reviews", 2)]
    take_away(mesh, "details")
    page.reload()
    assert re.search(r"- alert:\s+- paragraph: Error fetching product details", page.locator("body").aria_snapshot())
    page.context.close()


def test_a_view_moves_less_than_forty_kilobytes(mesh, browser):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page = browser.new_context().new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    moved = []
    session.on("Network.loadingFinished", lambda event: moved.append(event["encodedDataLength"]))
    page.goto(f"http://127.0.0.1:{mesh.port}/productpage", wait_until="networkidle")
    assert len(moved) >= 4 and 5_000 < sum(moved) <= 40_000, moved
    page.context.close()
