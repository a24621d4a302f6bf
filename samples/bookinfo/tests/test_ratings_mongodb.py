"""ratings v2 on MongoDB: the real driver, a server that speaks its protocol, and what happens when that is gone."""
import json
import math
import signal
import subprocess

import pytest

import mongodb_server
from mongodb_server import MongodbServer
from shop import BINARY, RATINGS, SLOW, at_once, free_port, more_of, visitors, wait_for

NOT_CONNECTED = {"error": "could not connect to ratings database"}
NOT_READ = {"error": "could not load ratings from database"}


@pytest.fixture(scope="module")
def running():
    server = MongodbServer()
    yield server
    server.stop()


@pytest.fixture
def mongodb(running):
    running.seed(5, 4)
    yield running


@pytest.fixture
def on_mongodb(start):
    def make(url, **environment):
        return start.service("ratings", SERVICE_VERSION="v2", MONGO_DB_URL=url, **environment)
    return make


def healthy(ratings):
    answer = ratings.ask("/health")
    return answer.status == 200 and answer.json == {"status": "Ratings is healthy"} and answer.seconds < 0.5 * SLOW


def test_16_the_seed_is_the_answer_and_a_change_shows_at_the_next_request(mongodb, on_mongodb):
    ratings = on_mongodb(mongodb.url())
    answer = ratings.ask("/ratings/0")
    assert answer.status == 200 and answer.text == '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'
    mongodb.client.test.ratings.update_one({"rating": 5}, {"$set": {"rating": 1}})
    assert ratings.ask("/ratings/7").json == {"id": 7, "ratings": {"Reviewer1": 1, "Reviewer2": 4}}
    assert healthy(ratings)


def test_15_a_post_is_501(mongodb, on_mongodb):
    answer = on_mongodb(mongodb.url()).ask("/ratings/0", method="POST", body=json.dumps({"Reviewer1": 1}))
    assert answer.status == 501 and answer.json == {"error": "Post not implemented for database backed ratings"}


@pytest.mark.parametrize("values, shown", [
    ([], [0, 0]), ([3], [3, 0]), ([1, 2, 3, 4], [1, 2]), ([-1, 7], [-1, 7]), ([5.0, 2.5], [5, 2.5]),
    (["many <b>\"", None], ["many <b>\"", None]), ([math.nan, True], [None, True]), ([2**40, {"a": 1}], [2**40, None])])
def test_19_documents_are_shown_as_they_are_and_missing_ones_are_0(mongodb, on_mongodb, values, shown):
    mongodb.seed(*values)
    answer = on_mongodb(mongodb.url()).ask("/ratings/0")
    assert answer.status == 200 and answer.json["ratings"] == dict(zip(("Reviewer1", "Reviewer2"), shown))


def test_a_text_that_is_too_long_is_a_failed_read(mongodb, on_mongodb):
    mongodb.seed("x" * 1_000_000, 4)
    ratings = on_mongodb(mongodb.url())
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_READ and healthy(ratings)


@pytest.mark.parametrize("compat, shown", [("", RATINGS["ratings"]), ("0.2.9", {"Reviewer1": 1, "Reviewer2": 2})])
def test_the_database_is_test_and_only_in_2017_the_one_of_the_url(mongodb, on_mongodb, compat, shown):
    mongodb.seed(1, 2, database="other")
    answer = on_mongodb(mongodb.url(database="other"), BOOKINFO_COMPAT=compat).ask("/ratings/0")
    assert answer.status == 200 and answer.json["ratings"] == shown


@pytest.mark.parametrize("url", [
    "", "http://127.0.0.1", "mongodb://", "mongodb://mongodb.invalid:27017/test", "mongodb://127.0.0.1:1/test",
    "mongodb://name@127.0.0.1:1/test?authMechanism=GSSAPI"])
def test_17_no_server_is_no_connection_and_health_is_still_good(on_mongodb, url):
    ratings = on_mongodb(url)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_CONNECTED and answer.seconds < 5 * SLOW and healthy(ratings)


@pytest.mark.parametrize("options", ["", "?authMechanism=PLAIN&authSource=$external", "?authMechanism=SCRAM-SHA-256"])
@pytest.mark.parametrize("password", ["wrong", "gr%C3%BCn"])
def test_who_is_not_let_in_is_told_so_at_once(mongodb, on_mongodb, password, options):
    ratings = on_mongodb(mongodb.url(f"somebody:{password}@") + options)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_CONNECTED and answer.seconds < 5 * SLOW and healthy(ratings)


def test_17_a_server_away_at_start_gone_and_back_in_mid_flight(on_mongodb):
    port = free_port()
    ratings = on_mongodb(f"mongodb://127.0.0.1:{port}/test")
    assert ratings.ask("/ratings/0").json == NOT_CONNECTED
    server = MongodbServer(port)
    server.seed(3, 3)
    assert ratings.ask("/ratings/0").status == 200
    with visitors(lambda: ratings.ask("/ratings/0")) as seen:
        more_of(seen)
        server.stop()
        more_of(seen)
        server = MongodbServer(port)
        server.seed(3, 3)
        more_of(seen)
    server.stop()
    assert {answer.status for answer in seen} == {200, 500} and seen[-1].json["ratings"]["Reviewer1"] == 3
    assert all(answer.json in (NOT_CONNECTED, NOT_READ) for answer in seen if answer.status == 500)
    assert all(answer.seconds < 5 * SLOW for answer in seen)


def test_a_server_that_stalls_delays_only_those_who_need_it(mongodb, on_mongodb):
    ratings = on_mongodb(mongodb.url(), DATABASE_TIMEOUT_MS="1500")
    mongodb.freeze(True)
    try:
        *slow, quick = at_once(*[lambda: ratings.ask("/ratings/0")] * 50, lambda: ratings.ask("/ratings/abc"))
        assert quick.status == 400 and quick.seconds < 0.5 * SLOW and healthy(ratings)
        assert all(a.status == 500 and a.json in (NOT_CONNECTED, NOT_READ) and a.seconds < 2.5 * SLOW for a in slow)
    finally:
        mongodb.freeze(False)
    wait_for("the server", lambda: ratings.ask("/ratings/0").json == RATINGS)


def test_two_thousand_requests_leave_nothing_behind(mongodb, on_mongodb):
    ratings = on_mongodb(mongodb.url())
    def burst(count): return [ratings.ask("/ratings/0").status for _ in range(count)]
    burst(500)
    before = ratings.resident_kib
    assert set(burst(2000)) == {200}
    # The address sanitizer keeps up to 256 MiB of what was freed, to find its late users.
    assert ratings.resident_kib - before < (2000 if SLOW == 1 else 300_000)


def seeded(port, *command):
    """What `bookinfo mongodb` says of the ratings, and its process, which is by then the command's."""
    process = subprocess.Popen([BINARY, "mongodb", str(port), "--", *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    said = next((line for line in process.stderr if line.startswith("bookinfo mongodb: ")), "")
    return said.removeprefix("bookinfo mongodb: ").strip(), process


def ended(process):
    process.terminate()
    with process:
        return process.wait(10)


def test_the_server_that_a_command_starts_has_the_ratings(on_mongodb):
    port = free_port()
    said, server = seeded(port, *mongodb_server.command(), str(port))
    try:
        assert said == "the ratings are put in"
        answer = on_mongodb(f"mongodb://127.0.0.1:{port}/test").ask("/ratings/0")
        assert answer.json == {"id": 0, "ratings": {"Reviewer1": 5, "Reviewer2": 4}}
    finally:
        assert ended(server) in (-signal.SIGTERM, 128 + signal.SIGTERM), "the signal reaches the server itself"


def test_ratings_that_are_there_stay(running):
    running.seed(1, 2)
    said, idle = seeded(running.port, "sleep", "60")
    ended(idle)
    assert said == "the collection has ratings; they stay"
    assert [document["rating"] for document in running.client.test.ratings.find()] == [1, 2]


def test_a_command_that_is_not_there_is_told():
    done = subprocess.run([BINARY, "mongodb", str(free_port()), "--", "/nowhere/mongod"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "/nowhere/mongod: No such file or directory" in done.stderr
