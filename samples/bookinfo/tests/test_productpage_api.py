"""productpage's JSON for programs, and how it treats the services behind it."""
import pytest

from shop import (BOOK, DETAILS_ERROR, RATINGS, RATINGS_ERROR, REVIEWS, REVIEWS_ERROR, SLOW, StandIn, at, at_once,
                  closed_port)

PATHS = {"details": "/api/v1/products/0", "reviews": "/api/v1/products/0/reviews",
         "ratings": "/api/v1/products/0/ratings"}
ERRORS = {"details": DETAILS_ERROR, "reviews": REVIEWS_ERROR, "ratings": RATINGS_ERROR}
BODIES = {"details": BOOK, "reviews": REVIEWS, "ratings": RATINGS}
ATTEMPTS = {"details": 1, "reviews": 2, "ratings": 1}
every_service = pytest.mark.parametrize("service", ["details", "reviews", "ratings"])


def test_37_health_is_a_sentence(bookshop):
    answer = bookshop.page.ask("/health")
    assert answer.status == 200 and answer.text == "Product page is healthy"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_38_the_products_are_one_book_known_without_asking_anybody(page_before):
    page = page_before()
    answer = page.ask("/api/v1/products")
    assert answer.status == 200 and len(answer.json) == 1
    product = answer.json[0]
    assert (product["id"], product["title"]) == (0, "The Comedy of Errors")
    assert product["descriptionHtml"].startswith(
        '<a href="https://en.wikipedia.org/wiki/The_Comedy_of_Errors">Wikipedia Summary</a>')
    assert all(place.requests == [] for place in page.places.values())


@every_service
def test_39_what_a_service_answers_is_passed_on(bookshop, page_before, service):
    assert page_before().ask(PATHS[service]).json == BODIES[service]
    real = bookshop.pages["v2"].ask(PATHS[service])
    assert real.status == 200
    assert service == "reviews" or real.json == BODIES[service]
    assert service != "reviews" or real.json["reviews"][0]["rating"] == {"stars": 5, "color": "black"}


def test_39_json_is_written_with_a_space_after_colon_and_comma(bookshop):
    assert bookshop.page.ask(PATHS["ratings"]).text == '{"id": 0, "ratings": {"Reviewer1": 5, "Reviewer2": 4}}'


@every_service
@pytest.mark.parametrize("status", [503, 404, 418, 555])
def test_40_a_status_of_failure_is_passed_on_with_an_apology(start, page_before, service, status):
    answer = page_before(**{service: start.stand_in((status, {"x": 1}))}).ask(PATHS[service])
    assert answer.status == status and answer.json == {"error": ERRORS[service]}


@every_service
def test_40_a_204_has_no_body(start, page_before, service):
    answer = page_before(**{service: start.stand_in((204, ""))}).ask(PATHS[service])
    assert answer.status == 204 and answer.body == b"" and answer.headers["Content-Length"] is None


@every_service
def test_41_a_service_that_refuses_is_500(page_before, service):
    answer = page_before(**{service: closed_port()}).ask(PATHS[service])
    assert answer.status == 500 and answer.json == {"error": ERRORS[service]}


def test_41_a_stalled_service_is_500_after_three_seconds_per_attempt(start, page_before):
    page = page_before(**{service: start.stand_in(StandIn.STALL) for service in PATHS})
    answers = at_once(*[lambda p=path: page.ask(p) for path in PATHS.values()])
    for (service, attempts), answer in zip(ATTEMPTS.items(), answers):
        assert answer.status == 500 and answer.json == {"error": ERRORS[service]}
        assert 3.0 * attempts - 0.1 <= answer.seconds, service
        assert page.took(PATHS[service], 1)[0] <= 3.0 * attempts + 0.3 * SLOW, service


@every_service
@pytest.mark.parametrize("reply", [(503, "down"), None])
def test_42_only_reviews_is_asked_a_second_time(start, page_before, service, reply):
    failing = start.stand_in(reply)
    page_before(**{service: failing}).ask(PATHS[service])
    assert len(failing.requests) == ATTEMPTS[service]


def test_42_reviews_that_fail_once_are_shown(start, page_before):
    reviews = start.stand_in((503, "down"), (200, REVIEWS))
    answer = page_before(reviews=reviews).ask(PATHS["reviews"])
    assert answer.status == 200 and answer.json == REVIEWS and len(reviews.requests) == 2


def test_43_an_id_that_details_refuses_is_400_with_its_own_text(bookshop):
    answer = bookshop.page.ask("/api/v1/products/abc")
    assert answer.status == 400 and answer.json == {"error": DETAILS_ERROR}


def test_43_the_id_goes_on_as_it_came(page_before):
    page = page_before()
    page.ask("/api/v1/products/a%20b")
    assert page.places["details"].requests[0].path == "/details/a%20b"


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/nowhere", 404), ("GET", "/productpage/", 404), ("GET", "/api/v1/products/", 404),
    ("POST", "/productpage", 405), ("GET", "/login", 405), ("POST", "/logout", 405), ("HEAD", "/productpage", 200)])
def test_44_unknown_paths_are_404_and_wrong_methods_405(bookshop, method, path, status):
    answer = bookshop.page.ask(path, method=method)
    assert answer.status == status
    assert status != 405 or answer.headers["Allow"]


@pytest.mark.parametrize("environment, host", [
    ({"HOSTNAME": "localhost"}, "localhost"), ({"HOSTNAME": "127", "DOMAIN": "0.0.1"}, "127.0.0.1")])
def test_60_every_service_can_be_elsewhere(start, environment, host):
    places = {name: start.stand_in((200, BODIES[name])) for name in PATHS}
    variables = at(**places) | {f"{name.upper()}_HOSTNAME": environment["HOSTNAME"] for name in places}
    if "DOMAIN" in environment:
        variables["SERVICES_DOMAIN"] = environment["DOMAIN"]
    page = start.service("productpage", **variables)
    for name, path in PATHS.items():
        assert page.ask(path).json == BODIES[name]
        assert places[name].requests[0].headers["Host"] == f"{host}:{places[name].port}"


def test_a_redirect_is_followed_but_not_forever(start, page_before):
    elsewhere = start.stand_in((200, {**BOOK, "id": 9}))
    details = start.stand_in((302, f"http://127.0.0.1:{elsewhere.port}/moved"))
    assert page_before(details=details).ask(PATHS["details"]).json["id"] == 9
    assert elsewhere.requests[0].path == "/moved"
    circle = start.stand_in((302, "/details/0"))
    assert page_before(details=circle).ask(PATHS["details"]).json == {"error": DETAILS_ERROR}
    assert len(circle.requests) == 31


@every_service
def test_success_that_is_not_json_is_500(start, page_before, service):
    page = page_before(**{service: start.stand_in((200, "<html>"))})
    assert page.ask(PATHS[service]).status == 500
    assert service == "ratings" or page.ask("/productpage").status == 500
