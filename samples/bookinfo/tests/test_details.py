import pytest

from shop import BOOK


def test_01_health_is_json(bookshop):
    answer = bookshop.details.ask("/health")
    assert answer.status == 200 and answer.json == {"status": "Details is healthy"}


def test_02_the_book_has_exactly_nine_facts_of_the_right_types(bookshop):
    answer = bookshop.details.ask("/details/0")
    assert answer.status == 200 and answer.json == BOOK
    assert list(answer.json) == list(BOOK) and len(answer.body) == 178


def test_03_the_id_is_the_one_asked_for(bookshop):
    assert bookshop.details.ask("/details/7").json == {**BOOK, "id": 7}


@pytest.mark.parametrize("path", ["/details/abc", "/details/", "/details"])
def test_04_an_id_that_is_no_number_is_400(bookshop, path):
    answer = bookshop.details.ask(path)
    assert answer.status == 400 and answer.json == {"error": "please provide numeric product id"}


@pytest.mark.parametrize("path", ["/", "/detailsx/1"])
def test_05_other_paths_are_404(bookshop, path):
    assert bookshop.details.ask(path).status == 404


def test_05_a_query_does_not_matter(bookshop):
    answer = bookshop.details.ask("/details/5?x=1")
    assert answer.status == 200 and answer.json["id"] == 5


@pytest.mark.parametrize("method, status", [("POST", 200), ("PUT", 200), ("HEAD", 200), ("DELETE", 405)])
def test_methods_answer_as_they_always_did(bookshop, method, status):
    answer = bookshop.details.ask("/details/0", method=method)
    assert answer.status == status
    assert method != "HEAD" or answer.body == b""
