import json

import pytest

from shop import RATINGS

NOT_NUMERIC = {"error": "please provide numeric product ID"}
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
