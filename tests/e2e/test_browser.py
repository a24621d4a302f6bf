"""The page as a person sees it, in headless Chromium. Screenshots are left in build/screenshots."""
import pytest
from playwright.sync_api import sync_playwright

from harness import BUILD, NETWORKING, version_of, wait_for

SHOTS = BUILD / "screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request, browser, mesh):
    context = browser.new_context(viewport=DESKTOP if request.param == "desktop" else PHONE,
                                  color_scheme="light" if request.param == "desktop" else "dark")
    opened = context.new_page()
    opened.width_name = request.param
    opened.failures = []
    opened.on("requestfailed", lambda r: opened.failures.append(r.url))
    opened.on("pageerror", lambda e: opened.failures.append(str(e)))
    opened.outside = []
    opened.on("request", lambda r: opened.outside.append(r.url) if f"127.0.0.1:{mesh.port}" not in r.url and
              not r.url.startswith("data:") else None)
    yield opened
    context.close()


def look(page, name):
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{page.width_name}.png", full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} scrolls sideways by {overflow} px at {page.width_name} width"
    assert not page.failures and not page.outside, (page.failures, page.outside)


def address(mesh):
    return f"http://127.0.0.1:{mesh.port}/productpage"


def test_anonymous_readers_see_book_details_and_reviews(mesh, page):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page.goto(address(mesh))
    assert page.title() == "Simple Bookstore App"
    for text in ["The Comedy of Errors", "Book Details", "Book Reviews", "PublisherA", "Reviewer1", "Reviewer2"]:
        assert page.get_by_text(text).first.is_visible(), text
    assert page.locator("[id='glyphicon glyphicon-star']").count() == 9
    assert page.locator("#sign-in-button").is_visible()
    look(page, "anonymous")


def test_jason_signs_in_sees_black_stars_and_signs_out(mesh, page):
    mesh.apply(NETWORKING / "virtual-service-reviews-test-v2.yaml")
    page.goto(address(mesh))
    assert page.locator("[id='glyphicon glyphicon-star']").count() == 0
    page.locator("#sign-in-button").click()
    page.locator("#username").fill("jason")
    page.locator("input[name=passwd]").fill("anything")
    page.locator("dialog button[type=submit], dialog input[type=submit]").first.click()
    page.wait_for_url("**/productpage*")
    assert page.get_by_text("jason").first.is_visible()
    assert page.locator("[id='glyphicon glyphicon-star']").count() == 9
    assert page.locator(".text-black-500").count() >= 2
    look(page, "jason")
    page.get_by_text("Sign out").first.click()
    page.wait_for_url("**/productpage*")
    assert page.locator("#sign-in-button").is_visible()


@pytest.mark.parametrize("service, words, intact", [
    ("details", "Error fetching product details", "Reviewer1"), ("reviews", "Error fetching product reviews", "PublisherA")])
def test_a_service_that_is_down_leaves_the_rest_of_the_page(mesh, page, service, words, intact):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    deployments = [d["metadata"]["name"] for d in mesh.objects("deployments") if d["metadata"]["name"].startswith(service)]
    for name in deployments:
        mesh.weft("scale", "deployment", name, "--replicas=0")
    wait_for(f"{service} to be gone", lambda: not mesh.pods(service))
    page.goto(address(mesh))
    assert page.get_by_text(words).first.is_visible()
    assert page.get_by_text(intact).first.is_visible()
    look(page, f"{service}-down")
