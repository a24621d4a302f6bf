import contextlib
import http.client
import json
import time

import pytest

from shop import RATINGS, SLOW, at_once

NOT_NUMERIC = {"error": "please provide numeric product ID"}
UNAVAILABLE = {"error": "Service unavailable"}
NOT_JSON = {"error": "please provide valid ratings JSON"}


@pytest.fixture
def ratings(start):
    return start.service("ratings")


def test_09_health_is_json(bookshop):
    answer = bookshop.ratings.ask("/health")
    assert answer.status == 200 and answer.json == {"status": "Ratings is healthy"}


def test_10_five_and_four_stars_to_begin_with(bookshop):
    answer = bookshop.ratings.ask("/ratings/0")
    assert answer.status == 200 and answer.json == RATINGS
    assert answer.text == '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'


@pytest.mark.parametrize("path", ["/ratings/abc", "/ratings/"])
def test_11_an_id_that_is_no_number_is_400(bookshop, path):
    answer = bookshop.ratings.ask(path)
    assert answer.status == 400 and answer.json == NOT_NUMERIC


def test_11_letters_after_the_number_do_not_matter(bookshop):
    answer = bookshop.ratings.ask("/ratings/12abc")
    assert answer.status == 200 and answer.json["id"] == 12


@pytest.mark.parametrize("path", ["/ratings", "/foo"])
def test_12_other_paths_are_404_and_empty(bookshop, path):
    answer = bookshop.ratings.ask(path)
    assert answer.status == 404 and answer.body == b""


def test_13_posted_ratings_stay_with_their_product(ratings):
    posted = {"Reviewer1": 1, "Reviewer2": 2}
    answer = ratings.ask("/ratings/0", method="POST", body=json.dumps(posted))
    assert answer.status == 200 and answer.json == {"id": 0, "ratings": posted}
    assert ratings.ask("/ratings/0").json == {"id": 0, "ratings": posted}
    assert ratings.ask("/ratings/1").json["ratings"] == RATINGS["ratings"]


@pytest.mark.parametrize("path, body, error", [
    ("/ratings/0", "{bad", NOT_JSON), ("/ratings/0", "", NOT_JSON), ("/ratings/abc", "{}", NOT_NUMERIC),
    ("/ratings/abc", "{bad", NOT_NUMERIC)])
def test_14_what_cannot_be_posted_is_400(ratings, path, body, error):
    answer = ratings.ask(path, method="POST", body=body)
    assert answer.status == 400 and answer.json == error
    assert ratings.ask("/ratings/0").json == RATINGS


@pytest.mark.parametrize("method, status", [("PUT", 405), ("DELETE", 405), ("HEAD", 200)])
def test_24_other_methods_are_answered_at_once(ratings, method, status):
    answer = ratings.ask("/ratings/0", method=method, timeout=3)
    assert answer.status == status
    assert method == "HEAD" or "GET" in answer.headers["Allow"]


def test_a_posted_value_is_bounded(ratings):
    answer = ratings.ask("/ratings/0", method="POST", body='"' + "x" * 20000 + '"')
    assert answer.status == 413
    assert ratings.ask("/ratings/0", method="POST", body="x" * 100_000).status == 413


def test_20_v_faulty_refuses_about_half_and_stays_healthy(start):
    ratings = start.service("ratings", SERVICE_VERSION="v-faulty")
    refused = 0
    for number in range(1000):
        answer = ratings.ask("/ratings/0")
        if answer.status == 503:
            assert answer.json == UNAVAILABLE
            refused += 1
        else:
            assert answer.status == 200 and answer.json == RATINGS
        assert number % 20 or ratings.ask("/health").status == 200
    assert 430 <= refused <= 570, refused  # 4.4 standard deviations: wrong once in 100,000 runs
    assert ratings.ask("/ratings/abc").status == 400
    assert ratings.ask("/ratings/0", method="POST", body="{}").status == 200


def test_21_v_delayed_keeps_about_half_waiting_for_seven_seconds(start):
    ratings = start.service("ratings", SERVICE_VERSION="v-delayed")
    answers = at_once(*[lambda: ratings.ask("/ratings/0")] * 100)
    assert all(answer.status == 200 and answer.json == RATINGS for answer in answers)
    took = ratings.took("/ratings/0", 100)
    late = [seconds for seconds in took if seconds >= 7.0]
    assert all(seconds < 7.5 * SLOW for seconds in late)
    assert all(seconds < 0.5 * SLOW for seconds in took if seconds not in late)
    assert len(late) == sum(answer.seconds >= 7.0 for answer in answers), "who is not delayed does not wait for the others"
    assert 25 <= len(late) <= 75, len(late)


def phases(ratings, seconds):
    """What (status of /ratings/0, status of /health) was seen, in order, each repetition once."""
    seen, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        answer = ratings.ask("/ratings/0")
        assert answer.json == (RATINGS if answer.status == 200 else UNAVAILABLE)
        pair = (answer.status, ratings.ask("/health").status)
        if not seen or seen[-1] != pair:
            seen.append(pair)
        time.sleep(0.01)
    return seen


def test_22_v_unavailable_is_good_and_bad_in_turns_of_a_minute(start):
    ratings = start.service("ratings", SERVICE_VERSION="v-unavailable", FAULT_CLOCK_SPEED="60")
    assert phases(ratings, 3.5) == [(200, 200), (503, 200), (200, 200), (503, 200)]


def test_23_v_unhealthy_is_good_and_bad_in_turns_of_a_quarter_of_an_hour_and_says_so(start):
    ratings = start.service("ratings", SERVICE_VERSION="v-unhealthy", FAULT_CLOCK_SPEED="900")
    # Between a request and the look at the health that follows it a turn may end.
    seen = [pair for pair in phases(ratings, 3.5) if pair in ((200, 200), (503, 500))]
    assert seen == [(200, 200), (503, 500), (200, 200), (503, 500)]
    answer = ratings.ask("/health")
    assert answer.status == 500 and answer.json == {"status": "Ratings is not healthy"}


def test_the_faults_begin_good_at_the_speed_of_the_wall(start):
    for version in ("v-unavailable", "v-unhealthy"):
        ratings = start.service("ratings", SERVICE_VERSION=version)
        assert ratings.ask("/ratings/0").status == 200 and ratings.ask("/health").status == 200


@pytest.mark.parametrize("version", ["v-faulty", "v-unhealthy"])
def test_0_the_service_of_2017_knows_neither_faults_nor_posts(start, version):
    ratings = start.service("ratings", SERVICE_VERSION=version, FAULT_CLOCK_SPEED="100000", BOOKINFO_COMPAT="0.2.9")
    assert all(ratings.ask("/ratings/0").status == 200 for _ in range(50))
    answer = ratings.ask("/ratings/0", method="POST", body="{}")
    assert answer.status == 404 and answer.body == b""


@pytest.mark.parametrize("body, status", [
    (b"x" * 10_000_000, 413), (b'{"Reviewer1":"\xff\xfe"}', 400), (b"[" * 5000 + b"]" * 5000, 400),
    (b"[" * 16_000, 400), (b'{"Reviewer1":1}{"Reviewer2":2}', 400), (b"\x00", 400), (b"NaN", 400)],
    ids=["ten megabytes", "no UTF-8", "deep", "deep and open", "two values", "a zero byte", "no number"])
def test_bodies_that_are_no_ratings_are_refused_with_json(ratings, body, status):
    before = ratings.resident_kib
    for _ in range(5):
        answer = ratings.ask("/ratings/0", method="POST", body=body)
        assert answer.status == status and answer.json["error"]
    assert ratings.ask("/ratings/0").json == RATINGS
    assert ratings.resident_kib - before < 2000 * SLOW * SLOW


def test_a_body_of_ten_megabytes_in_chunks_is_refused_with_json(ratings):
    before = ratings.resident_kib
    answer = ratings.ask("/ratings/0", method="POST", body=iter([b"x" * 100_000] * 100))
    assert answer.status == 413 and answer.json["error"]
    assert ratings.resident_kib - before < 2000 * SLOW * SLOW


@pytest.mark.parametrize("body", ["[" + "0," * 8000 + "0]", "{}", '"' + "x" * 16_000 + '"'],
                         ids=["many numbers", "nothing", "a long text"])
def test_posts_that_never_end_are_refused_in_the_end_and_cost_little_memory(ratings, body):
    before = ratings.resident_kib
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", ratings.port, timeout=10)) as connection:
        for product in range(30_000):
            connection.request("POST", f"/ratings/{product}", body=body)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            if answer.status != 200:
                break
    assert answer.status == 507 and list(said) == ["error"] and product > 100
    # AddressSanitizer keeps freed memory back, up to its quarantine's size.
    assert ratings.resident_kib - before < (4000 if SLOW == 1 else 300_000)
    assert ratings.ask("/ratings/0").json == {"id": 0, "ratings": json.loads(body)}
    assert ratings.ask("/ratings/0", method="POST", body="[1]").status == 200, "one for another is no more"
    assert ratings.ask(f"/ratings/{product}").json["ratings"] == RATINGS["ratings"]
