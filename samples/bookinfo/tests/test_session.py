"""Who is signed in, and what productpage tells the services behind it."""
import pytest

from shop import STAR, at, closed_port

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COPIED = ["x-request-id", "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id",
          "x-datadog-sampling-priority", "traceparent", "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "sw8",
          "user-agent", "authorization", "jwt", "cookie"]
TRACE, SPAN = "48485A3953BB6124", "A2FB4A1D1A96D312"
LONG_TRACE = "0" * 16 + TRACE.lower()


def login(page, body="username=jason&passwd=x", **headers):
    return page.ask("/login", method="POST", body=body, headers={**FORM, **headers})


def cookie_of(answer):
    return answer.headers["Set-Cookie"].split(";")[0]


def seen_by(page, headers):
    """What details and reviews receive when the page is opened with these headers."""
    assert page.ask("/productpage", headers=headers).status == 200
    return [page.places[service].requests[-1].headers for service in ["details", "reviews"]]


def test_54_login_leads_back_with_a_session_and_then_the_page_shows_the_user(page_before):
    page = page_before()
    answer = login(page, Referer="http://shop/productpage?x=1")
    assert answer.status == 302 and answer.headers["Location"] == "http://shop/productpage?x=1"
    set_cookie = answer.headers["Set-Cookie"]
    assert set_cookie.startswith("session=") and "HttpOnly" in set_cookie and "Path=/" in set_cookie
    shown = page.ask("/productpage", headers={"Cookie": cookie_of(answer)}).text
    assert ">jason<" in shown and "Sign out" in shown and 'href="logout"' in shown and "sign-in-button" not in shown
    for headers in seen_by(page, {"Cookie": cookie_of(answer)}):
        assert headers["end-user"] == "jason" and headers["Cookie"] == cookie_of(answer)


def test_54_without_a_referer_login_leads_to_the_page(page_before):
    assert login(page_before()).headers["Location"] == "/productpage"


@pytest.mark.parametrize("body, sent", [("username=", ""), ("passwd=x", None)])
def test_54_a_login_without_a_name_shows_the_user_as_signed_out(page_before, body, sent):
    page = page_before()
    cookie = cookie_of(login(page, body))
    assert "sign-in-button" in page.ask("/productpage", headers={"Cookie": cookie}).text
    assert [headers["end-user"] for headers in seen_by(page, {"Cookie": cookie})] == [sent, sent]


def test_54_a_name_that_no_header_can_carry_fails_both_sections(page_before):
    page = page_before()
    shown = page.ask("/productpage", headers={"Cookie": cookie_of(login(page, "username=%E2%82%AC"))}).text
    assert "Error fetching product details" in shown and "Error fetching product reviews" in shown
    assert page.places["details"].requests == []


@pytest.mark.parametrize("compat", ["", "0.2.9"])
@pytest.mark.parametrize("name", ["%FF", "jason%C3", "%C0%AF", "%ED%A0%80"])
def test_a_name_that_is_no_utf_8_cannot_sign_in_nor_spoil_the_page(page_before, compat, name):
    page = page_before({"BOOKINFO_COMPAT": compat})
    answer = login(page, f"username={name}")
    assert answer.status == 400 and answer.headers["Set-Cookie"] is None
    shown = page.ask("/productpage", headers={"Cookie": f"user={name}", "x-request-id": "id-\xff"})
    assert shown.status == 200 and "id-\ufffd" in shown.body.decode("utf-8")


def test_54_of_029_the_user_is_a_cookie_in_clear_text_and_travels_alone(page_before):
    page = page_before({"BOOKINFO_COMPAT": "0.2.9"})
    answer = login(page, Referer="/here")
    assert answer.status == 302 and answer.headers["Set-Cookie"] == "user=jason; Path=/"
    cookies = {"Cookie": "a=b; user=jason; c=d"}
    shown = page.ask("/productpage", headers=cookies).text
    assert ">jason<" in shown and "Sign out" in shown and "sign-in-button" not in shown
    for headers in seen_by(page, cookies):
        assert headers["Cookie"] == "user=jason" and headers["end-user"] is None
    out = page.ask("/logout", headers=cookies).headers["Set-Cookie"]
    assert out.startswith("user=;") and "Max-Age=0" in out


def test_54_of_029_seven_headers_go_on_as_they_came(page_before):
    page = page_before({"BOOKINFO_COMPAT": "0.2.9"})
    seven = ["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid", "x-b3-flags",
             "x-ot-span-context"]
    sent = {name: f"value of {name}" for name in [*seven, *COPIED, "baggage", "end-user"] if name != "cookie"}
    for headers in seen_by(page, sent):
        assert {name: headers[name] for name in seven} == {name: sent[name] for name in seven}
        assert all(headers[name] is None for name in ["traceparent", "sw8", "authorization", "jwt", "end-user", "Cookie"])


def test_54_of_029_a_name_cannot_write_headers(page_before):
    page = page_before({"BOOKINFO_COMPAT": "0.2.9"})
    answer = login(page, "username=a%0d%0aX-Evil:%201;%20Path=/x")
    assert answer.headers["X-Evil"] is None and answer.headers["Set-Cookie"].count(";") == 1
    cookie = {"Cookie": cookie_of(answer)}
    assert "a\r\nX-Evil: 1; Path=/x" in page.ask("/productpage", headers=cookie).text
    assert [headers["X-Evil"] for headers in seen_by(page, cookie)] == [None, None]


def test_55_logout_expires_the_cookie_and_the_page_forgets_the_user(page_before):
    page = page_before()
    cookie = cookie_of(login(page))
    answer = page.ask("/logout", headers={"Cookie": cookie, "Referer": "/here"})
    assert answer.status == 302 and answer.headers["Location"] == "/here"
    assert answer.headers["Set-Cookie"].startswith("session=;") and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert "1970" in answer.headers["Set-Cookie"]
    assert "Sign in" in page.ask("/productpage").text
    assert [headers["end-user"] for headers in seen_by(page, {})] == [None, None]
    assert page.ask("/logout").headers["Set-Cookie"] is None


def test_55_a_tampered_cookie_is_nobody(page_before):
    page = page_before()
    cookie = cookie_of(login(page))
    tampered = "session=" + ("A" if cookie[8] != "A" else "B") + cookie[9:]
    assert "sign-in-button" in page.ask("/productpage", headers={"Cookie": tampered}).text
    assert [headers["end-user"] for headers in seen_by(page, {"Cookie": tampered})] == [None, None]


def test_55_a_cookie_of_an_older_key_is_nobody(page_before):
    old, new = page_before({"SESSION_KEY": "spring"}), page_before({"SESSION_KEY": "autumn"})
    cookie = {"Cookie": cookie_of(login(old))}
    assert ">jason<" in old.ask("/productpage", headers=cookie).text
    assert "sign-in-button" in new.ask("/productpage", headers=cookie).text
    assert [headers["end-user"] for headers in seen_by(new, cookie)] == [None, None]
    assert new.ask("/logout", headers=cookie).headers["Set-Cookie"] is None


@pytest.mark.parametrize("cookie", [
    "session=", "session=.", "session=jason", "session=amFzb24.", "session=amFzb24.AAAA", "session=amFzb24." + "A" * 43,
    "session=" + "A" * 8000, "user=jason", 'session="amFzb24"', "session=%00.%00", ";;==;", "session=\xff\xfe.x"])
def test_55_a_forged_cookie_is_nobody(page_before, cookie):
    page = page_before()
    assert "sign-in-button" in page.ask("/productpage", headers={"Cookie": cookie}).text
    assert [headers["end-user"] for headers in seen_by(page, {"Cookie": cookie})] == [None, None]


def test_56_the_clients_own_end_user_goes_nowhere(page_before):
    page = page_before()
    assert [headers["end-user"] for headers in seen_by(page, {"end-user": "jason"})] == [None, None]
    page.ask("/api/v1/products/0/ratings", headers={"end-user": "jason"})
    assert page.places["ratings"].requests[0].headers["end-user"] is None


def test_57_fourteen_headers_go_on_as_they_came(page_before):
    sent = {name: f"value of {name}" for name in [*COPIED, "baggage", "x-other"]}
    for headers in seen_by(page_before(), sent):
        assert {name: headers[name] for name in COPIED} == {name: sent[name] for name in COPIED}
        assert headers["baggage"] is None and headers["x-other"] is None


@pytest.mark.parametrize("sent, arrives", [
    ({"x-b3-traceid": TRACE, "x-b3-spanid": SPAN}, (LONG_TRACE, SPAN.lower(), "0")),
    ({"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1"}, (LONG_TRACE, SPAN.lower(), "1")),
    ({"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-flags": "1"}, (LONG_TRACE, SPAN.lower(), "1")),
    ({"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-parentspanid": SPAN}, (LONG_TRACE, SPAN.lower(), "0")),
    ({"b3": f"{TRACE}-{SPAN}-1"}, (LONG_TRACE, SPAN.lower(), "1")),
    ({"x-b3-sampled": "1"}, (None, None, None)),
    ({"x-b3-traceid": "zz", "x-b3-spanid": SPAN, "x-b3-sampled": "1"}, (None, None, None)),
])
def test_57_the_b3_context_is_written_anew(page_before, sent, arrives):
    for headers in seen_by(page_before(), sent):
        assert tuple(headers[f"x-b3-{part}"] for part in ["traceid", "spanid", "sampled"]) == arrives
        assert all(headers[name] is None for name in ["b3", "x-b3-flags", "x-b3-parentspanid"])


def test_58_metrics_count_fetches_not_attempts(start, page_before):
    page = page_before()
    assert "request_result_total{" not in page.ask("/metrics").text
    page.ask("/productpage")
    metrics = page.ask("/metrics").text
    assert 'request_result_total{destination_app="details",response_code="200"} 1' in metrics
    assert 'request_result_total{destination_app="reviews",response_code="200"} 1' in metrics
    failing = page_before(reviews=start.stand_in((503, "down")))
    failing.ask("/api/v1/products/0/reviews")
    assert len(failing.places["reviews"].requests) == 2
    assert 'request_result_total{destination_app="reviews",response_code="503"} 1' in failing.ask("/metrics").text


def test_58_no_answer_counts_as_500(page_before):
    page = page_before(details=closed_port())
    page.ask("/api/v1/products/0")
    assert 'request_result_total{destination_app="details",response_code="500"} 1' in page.ask("/metrics").text


def test_59_flooding_asks_reviews_more_often_for_the_page_only(page_before):
    page = page_before({"FLOOD_FACTOR": "3"})
    page.ask("/productpage")
    assert (len(page.places["reviews"].requests), len(page.places["details"].requests)) == (4, 1)
    page.ask("/api/v1/products/0/reviews")
    assert len(page.places["reviews"].requests) == 5


def test_the_whole_chain_carries_the_user_to_ratings(start):
    ratings = start.stand_in((200, {"id": 0, "ratings": {"Reviewer1": 5, "Reviewer2": 4}}))
    reviews = start.service("reviews", ENABLE_RATINGS="true", **at(ratings=ratings))
    details = start.service("details")
    page = start.service("productpage", **at(details=details, reviews=reviews, ratings=ratings))
    shown = page.ask("/productpage", headers={"Cookie": cookie_of(login(page)), "x-request-id": "id-1"}).text
    assert shown.count(STAR) == 9
    assert (ratings.requests[0].headers["end-user"], ratings.requests[0].headers["x-request-id"]) == ("jason", "id-1")
