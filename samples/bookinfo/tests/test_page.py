"""The page that people see: its landmarks, and what is left of it when services fail."""
import re

import pytest

from shop import (BOOK, DETAILS_ERROR, NO_RATING, RATINGS, REVIEWS, REVIEWS_ERROR, SLOW, STAR, StandIn, at, at_once,
                  closed_port)

BLACK, RED = 'gap-x-1 text-black-500', 'gap-x-1 text-red-500'


def reviews_with(text="Good.", **more):
    return {**REVIEWS, "reviews": [{"reviewer": "Reviewer1", "text": text, **more}]}


def test_45_the_page_has_all_its_parts(bookshop):
    answer = bookshop.pages["v1"].ask("/productpage")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for landmark in ["<title>Simple Bookstore App</title>", "BookInfo Sample", "The Comedy of Errors", "Book Details",
                     "Book Reviews", "Reviewer1", "Reviewer2", "PublisherA", "1234567890", 'name="login_form"',
                     'id="sign-in-button"', 'id="dialog"', 'id="close-dialog"', "Sign in to BookInfo"]:
        assert landmark in answer.text, landmark


def test_46_v1_has_no_stars(bookshop):
    assert "glyphicon-star" not in bookshop.pages["v1"].ask("/productpage").text


@pytest.mark.parametrize("version, row, other", [("v2", BLACK, RED), ("v3", RED, BLACK)])
def test_47_v2_has_nine_black_stars_and_v3_nine_red_ones(bookshop, version, row, other):
    page = bookshop.pages[version].ask("/productpage").text
    assert page.count(STAR) == 9 and page.count("glyphicon-star") == 9
    assert page.count(row) == 2 and other not in page


@pytest.mark.parametrize("down", [("details",), ("reviews",), ("details", "reviews")])
def test_48_a_service_that_is_down_takes_only_its_own_section(page_before, down):
    answer = page_before(**{service: closed_port() for service in down}).ask("/productpage")
    assert answer.status == 200
    assert ("Error fetching product details" in answer.text) == (DETAILS_ERROR in answer.text) == ("details" in down)
    assert ("Error fetching product reviews" in answer.text) == (REVIEWS_ERROR in answer.text) == ("reviews" in down)
    assert ("PublisherA" in answer.text) == ("details" not in down)
    assert ("Reviewer2" in answer.text) == ("reviews" not in down)
    headings = re.findall(r'<p class="text-2xl text-red-500">(.*?)</p>', answer.text)
    assert headings == [f"Error fetching product {service}" for service in down]


def test_49_without_ratings_each_review_says_so(start, page_before):
    reviews = start.service("reviews", ENABLE_RATINGS="true", **at(ratings=start.stand_in((500, "broken"))))
    answer = page_before(reviews=reviews).ask("/productpage")
    assert answer.status == 200 and STAR not in answer.text
    assert answer.text.count('<p class="text-red-500">Ratings service is currently unavailable</p>') == 2


@pytest.mark.parametrize("cluster", [None, "east"])
def test_50_each_review_names_its_pod_and_the_cluster_if_there_is_one(start, page_before, cluster):
    environment = {"HOSTNAME": "reviews-7f"} | ({"CLUSTER_NAME": cluster} if cluster else {})
    page = page_before(reviews=start.service("reviews", **environment)).ask("/productpage").text
    assert len(re.findall(r"Reviews served by:\s*(?:<[^>]*>)*\s*reviews-7f", page)) == 2
    assert page.count("on cluster") == (2 if cluster else 0) and page.count(">east<") == (2 if cluster else 0)


def test_51_slow_ratings_cost_the_reviews_of_v2_but_only_the_stars_of_v3(start, page_before):
    slow = start.stand_in((200, RATINGS, 7.0))
    v2 = page_before(reviews=start.service("reviews", ENABLE_RATINGS="true", **at(ratings=slow)))
    v3 = page_before(reviews=start.service("reviews", ENABLE_RATINGS="true", STAR_COLOR="red", **at(ratings=slow)))
    page_v2, page_v3 = at_once(lambda: v2.ask("/productpage"), lambda: v3.ask("/productpage"))
    assert 5.0 <= page_v2.seconds <= 8.0 and REVIEWS_ERROR in page_v2.text and "PublisherA" in page_v2.text
    assert 2.4 <= page_v3.seconds <= 2.5 + 0.5 * SLOW and page_v3.text.count(NO_RATING["error"]) == 2


def test_52_what_others_wrote_is_escaped_and_the_description_is_not(start, page_before):
    page = page_before(reviews=start.stand_in((200, reviews_with("<b>bold</b>"))),
                       details=start.stand_in((200, {**BOOK, "publisher": "<i>x</i>"})))
    login = page.ask("/login", method="POST", body="username=%3Cb%3Ejason",
                     headers={"Content-Type": "application/x-www-form-urlencoded"})
    shown = page.ask("/productpage", headers={"Cookie": login.headers["Set-Cookie"].split(";")[0]}).text
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown and "&lt;b&gt;jason" in shown and "&lt;i&gt;x" in shown
    assert "<b>bold" not in shown and "<b>jason" not in shown and "<i>x" not in shown
    assert "<b>William Shakespeare's</b>" in shown and ">Wikipedia Summary</a>" in shown


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_53_the_index_names_the_services_and_links_to_the_page(bookshop, path):
    answer = bookshop.page.ask(path)
    assert answer.status == 200
    for landmark in [">details<", ">reviews<", ">ratings<", 'href="/productpage?u=normal"', "Normal user",
                     'href="/productpage?u=test"', "Test user"]:
        assert landmark in answer.text, landmark


def test_61_the_avatar_is_an_image_that_need_not_be_sent_twice(bookshop):
    answer = bookshop.page.ask("/static/img/izzy.png")
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/png"
    assert answer.body.startswith(b"\x89PNG\r\n\x1a\n") and answer.headers["Last-Modified"]
    again = bookshop.page.ask("/static/img/izzy.png", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and again.body == b""


def test_61_the_page_loads_nothing_from_elsewhere(bookshop):
    page = bookshop.page.ask("/productpage").text
    loaded = re.findall(r'(?:src|<link[^>]* href|action)="([^"]+)"', page)
    assert loaded and "static/bookinfo.css" in loaded
    for path in {path for path in loaded if path != "login"}:
        assert "//" not in path and bookshop.page.ask("/" + path).status == 200, path
    for file in ["/static/bookinfo.css", "/static/bookinfo.js"]:
        assert not re.search(r"url\(|@import|https?:", bookshop.page.ask(file).text), file
    assert bookshop.page.ask("/static/nothing").status == 404


def test_a_stalled_details_and_reviews_cost_nine_seconds_at_most(start, page_before):
    stalled = start.stand_in(StandIn.STALL)
    answer = page_before(details=stalled, reviews=stalled).ask("/productpage")
    assert answer.status == 200 and 8.9 <= answer.seconds <= 9.0 + 0.5 * SLOW
