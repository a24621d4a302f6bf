"""The page that people see: its landmarks, and what is left of it when services fail."""
import re

import pytest

from shop import (BOOK, DETAILS_ERROR, NO_RATING, RATINGS, REVIEWS, REVIEWS_ERROR, SLOW, STAR, StandIn, at, at_once,
                  closed_port, wait_for)

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


@pytest.mark.parametrize("color", ["black", "red"])
def test_47_of_029_stars_are_in_a_font_and_the_empty_one_counts(start, page_before, color):
    old = {"BOOKINFO_COMPAT": "0.2.9"}
    reviews = start.service("reviews", ENABLE_RATINGS="true", STAR_COLOR=color, **old,
                            **at(ratings=start.stand_in((200, RATINGS))))
    page = page_before(old, reviews=reviews).ask("/productpage").text
    assert page.count("glyphicon-star") == 10 and page.count("glyphicon-star-empty") == 1
    assert page.count(f'<font color="{color}">') == 2 and "gap-x-1" not in page


def test_48_of_029_the_headings_of_errors_end_in_an_exclamation_mark(page_before):
    page = page_before({"BOOKINFO_COMPAT": "0.2.9"}, details=closed_port(), reviews=closed_port()).ask("/productpage").text
    assert "Error fetching product details!" in page and "Error fetching product reviews!" in page


def test_a_section_that_is_missing_says_how_the_calls_for_it_ended(start, page_before):
    page = page_before(details=start.stand_in((503, "down")), reviews=closed_port()).ask("/productpage").text
    reasons = re.findall(r'<p class="why">(.*?)</p>', page)
    assert re.fullmatch(r"Asked once within .*; status 503\.", reasons[0]), reasons
    assert re.fullmatch(r"Asked 2 times within .*; no answer \(Connection refused\)\.", reasons[1]), reasons


def calls_of(page):
    """The rows of the panel "How this page was made": (service, address, answer, time in ms)."""
    units = {"ms": 1, "s": 1000}
    rows = re.findall(r"<b>(\w+)</b> <span class=\"address\">([^<]*)</span>.*?<td[^>]*>([^<]*)</td>"
                      r"<td[^>]*>(?:under )?([0-9.]+) (ms|s) ", page)
    return [(service, url, answer, float(time) * units[unit]) for service, url, answer, time, unit in rows]


def test_the_page_shows_the_calls_that_made_it_with_their_times(start, page_before):
    reviews = start.stand_in((503, "down", 0.2), (200, REVIEWS, 0.1))
    page = page_before({"HOSTNAME": "productpage-7"}, reviews=reviews)
    shown = page.ask("/productpage", headers={"x-request-id": "id-<1>"}).text
    calls = calls_of(shown)
    assert [(c[0], c[2]) for c in calls] == [("details", "status 200"), ("reviews", "status 503"), ("reviews", "status 200")]
    assert calls[0][1] == f"http://127.0.0.1:{page.places['details'].port}/details/0"
    assert calls[1][3] >= 200 and calls[2][3] >= 100, calls
    # The stand-in may get its turn late.
    wait_for("the ends of both", lambda: all(request.took is not None for request in reviews.requests))
    for call, request in zip(calls[1:], reviews.requests):
        assert abs(call[3] - request.took * 1e3) < 100 * SLOW, (call, request.took)
    assert "<dd>productpage-7</dd>" in shown and "<dd>id-&lt;1&gt;</dd>" in shown
    assert re.search(r"<summary>.*3 calls, \d+ ms", shown)


def test_the_panel_names_the_extra_calls_of_a_flood_but_does_not_list_them(page_before):
    shown = page_before({"FLOOD_FACTOR": "30"}).ask("/productpage").text
    assert len(calls_of(shown)) == 2 and "<dt>Calls of reviews for nothing</dt><dd>30</dd>" in shown


def test_stars_are_told_by_shape_and_in_words_too(start, page_before):
    review = {**REVIEWS, "podname": "reviews-v3-5d8f-x2", "reviews": [
        {"reviewer": "Reviewer1", "text": "Fair.", "rating": {"stars": 4, "color": "red"}}]}
    shown = page_before(reviews=start.stand_in((200, review))).ask("/productpage").text
    row = re.search(r'<div class="flex gap-x-1 text-red-500".*?</div>', shown, re.S).group(0)
    assert row.count('class="star"') == 4 and row.count('class="star outline"') == 1
    assert 'aria-label="4 of 5 stars"' in row and ">4 of 5, in red<" in shown and ">version v3<" in shown


@pytest.mark.parametrize("rating", [
    {"stars": -1, "color": "red"}, {"stars": 7, "color": "red"}, {"stars": "many", "color": "red"}, {"stars": 5}, {}, 5,
    None, {"stars": 1.5, "color": "red"}, {"stars": 2**63, "color": "red"}, {"error": ["x"]}])
def test_odd_ratings_leave_the_page_whole(start, page_before, rating):
    answer = page_before(reviews=start.stand_in((200, reviews_with(rating=rating)))).ask("/productpage")
    assert answer.status == 200 and answer.text.count(STAR) <= 5
    for landmark in ["Book Details", "Book Reviews", "Reviewer1", "How this page was made", "</html>"]:
        assert landmark in answer.text, landmark


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
    assert "status 200, without ratings" in answer.text


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
    assert 2.4 <= page_v3.seconds and page_v3.text.count(NO_RATING["error"]) == 2
    assert v3.took("/productpage", 1)[0] <= 2.5 + 0.5 * SLOW


def test_52_what_others_wrote_is_escaped_and_the_description_is_not(start, page_before):
    page = page_before(reviews=start.stand_in((200, reviews_with("<b>bold</b>"))),
                       details=start.stand_in((200, {**BOOK, "publisher": "<i>x</i>"})))
    login = page.ask("/login", method="POST", body="username=%3Cb%3Ejason",
                     headers={"Content-Type": "application/x-www-form-urlencoded"})
    shown = page.ask("/productpage", headers={"Cookie": login.headers["Set-Cookie"].split(";")[0]}).text
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown and "&lt;b&gt;jason" in shown and "&lt;i&gt;x" in shown
    assert "<b>bold" not in shown and "<b>jason" not in shown and "<i>x" not in shown
    assert "<b>William Shakespeare’s</b>" in shown and ">Wikipedia Summary</a>" in shown


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


def test_the_whole_page_weighs_less_than_forty_kilobytes(start, page_before):
    pages = [page_before(details=closed_port(), reviews=closed_port()),
             page_before(reviews=start.service("reviews", ENABLE_RATINGS="true", HOSTNAME="reviews-v2-" + "x" * 50,
                                               **at(ratings=start.stand_in((200, RATINGS)))))]
    for page in pages:
        html = page.ask("/productpage")
        files = {path for path in re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', html.text)}
        answers = [html] + [page.ask("/" + path) for path in files]
        # What travels: heads are counted too, at the size that the lines have.
        total = sum(len(a.body) + sum(len(f"{k}: {v}\r\n") for k, v in a.headers.items()) for a in answers)
        assert len(files) >= 3 and total <= 40_000, (total, files)


def test_a_file_that_the_browser_has_is_not_sent_again(bookshop):
    first = bookshop.page.ask("/static/bookinfo.css")
    again = bookshop.page.ask("/static/bookinfo.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_a_stalled_details_and_reviews_cost_nine_seconds_at_most(start, page_before):
    stalled = start.stand_in(StandIn.STALL)
    page = page_before(details=stalled, reviews=stalled)
    answer = page.ask("/productpage")
    assert answer.status == 200 and 8.9 <= answer.seconds
    assert page.took("/productpage", 1)[0] <= 9.0 + 0.5 * SLOW
