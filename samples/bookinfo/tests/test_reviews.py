import json

import pytest

from shop import NO_RATING, RATINGS, SLOW, StandIn, at, at_once, closed_port

FORWARDED = ["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid", "x-b3-flags",
             "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority",
             "traceparent", "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "sw8", "end-user", "user-agent",
             "authorization", "jwt", "cookie"]


def ratings_of(answer):
    assert answer.status == 200, answer.text
    return [review["rating"] for review in answer.json["reviews"]]


@pytest.fixture
def reviews_before(start):
    def make(ratings, color="black", **environment):
        return start.service("reviews", ENABLE_RATINGS="true", STAR_COLOR=color, **at(ratings=ratings), **environment)
    return make


def test_25_health_is_json(bookshop):
    answer = bookshop.reviews["v1"].ask("/health")
    assert answer.status == 200 and answer.json == {"status": "Reviews is healthy"}


def test_26_v1_has_two_reviews_and_never_asks_for_ratings(start):
    ratings = start.stand_in((200, RATINGS))
    answer = start.service("reviews", **at(ratings=ratings)).ask("/reviews/0")
    assert answer.status == 200 and answer.json["id"] == "0"
    assert [review["reviewer"] for review in answer.json["reviews"]] == ["Reviewer1", "Reviewer2"]
    assert all(set(review) == {"reviewer", "text"} and review["text"] for review in answer.json["reviews"])
    assert ratings.requests == []


@pytest.mark.parametrize("environment, pod, cluster", [
    ({}, "null", "null"), ({"HOSTNAME": "reviews-1", "CLUSTER_NAME": "east"}, "reviews-1", "east")])
def test_27_pod_and_cluster_come_from_the_environment(start, environment, pod, cluster):
    answer = start.service("reviews", **environment).ask("/reviews/007").json
    assert (answer["id"], answer["podname"], answer["clustername"]) == ("7", pod, cluster)


@pytest.mark.parametrize("version, color", [("v2", "black"), ("v3", "red")])
def test_28_v2_and_v3_show_stars_in_their_colour(bookshop, version, color):
    assert ratings_of(bookshop.reviews[version].ask("/reviews/0")) == [
        {"stars": 5, "color": color}, {"stars": 4, "color": color}]


@pytest.mark.parametrize("path", ["/reviews/abc", "/reviews", "/", "/reviews/2147483648"])
def test_29_other_paths_and_ids_are_404(bookshop, path):
    assert bookshop.reviews["v1"].ask(path).status == 404


def test_29_a_post_is_405(bookshop):
    assert bookshop.reviews["v1"].ask("/reviews/0", method="POST", body="{}").status == 405


@pytest.mark.parametrize("color", ["black", "red"])
@pytest.mark.parametrize("how", ["answers 500", "refuses", "resets"])
def test_30_without_ratings_both_reviews_say_so(start, reviews_before, color, how):
    ratings = {"answers 500": lambda: start.stand_in((500, "broken")), "refuses": closed_port,
               "resets": lambda: start.stand_in(None)}[how]()
    assert ratings_of(reviews_before(ratings, color).ask("/reviews/0")) == [NO_RATING, NO_RATING]


OLD = {"BOOKINFO_COMPAT": "0.2.9"}


def test_31_in_0_2_9_failing_ratings_cost_the_stars_and_missing_ones_the_answer(start, reviews_before):
    answer = reviews_before(start.stand_in((500, "broken")), **OLD).ask("/reviews/0")
    assert answer.status == 200 and [set(review) for review in answer.json["reviews"]] == [{"reviewer", "text"}] * 2
    assert set(answer.json) == {"id", "reviews"}
    for ratings in [closed_port(), start.stand_in(None)]:
        assert reviews_before(ratings, **OLD).ask("/reviews/0").status == 500


@pytest.mark.parametrize("ratings, shown", [
    ({"Reviewer1": 5, "Reviewer2": 4}, [{"stars": 5, "color": "red"}, {"stars": 4, "color": "red"}]),
    ({"Reviewer1": 5}, [{"stars": 5, "color": "red"}, {"stars": -1, "color": "red"}]),
    ({"Reviewer2": 4}, [None, None])])
def test_31_in_0_2_9_the_first_reviewer_decides_for_both(start, reviews_before, ratings, shown):
    answer = reviews_before(start.stand_in((200, {"id": 0, "ratings": ratings})), "red", **OLD).ask("/reviews/0")
    assert answer.status == 200 and [review.get("rating") for review in answer.json["reviews"]] == shown


def test_32_v3_waits_two_and_a_half_seconds_and_v2_ten(start, reviews_before):
    stalled, slow = start.stand_in(StandIn.STALL), start.stand_in((200, RATINGS, 7.0))
    services = [reviews_before(stalled, "red"), reviews_before(stalled), reviews_before(slow)]
    v3, v2, v2_slow = at_once(*[lambda s=service: s.ask("/reviews/0") for service in services])
    assert ratings_of(v3) == ratings_of(v2) == [NO_RATING, NO_RATING]
    assert ratings_of(v2_slow)[0] == {"stars": 5, "color": "black"}
    for service, answer, seconds in zip(services, [v3, v2, v2_slow], [2.5, 10.0, 7.0]):
        assert seconds - 0.1 <= answer.seconds, seconds
        assert service.took("/reviews/0", 1)[0] <= seconds + 0.3 * SLOW, seconds


def test_33_another_colour_has_the_short_timeout_too(start, reviews_before):
    blue = reviews_before(start.stand_in((200, RATINGS), StandIn.STALL), "blue")
    assert ratings_of(blue.ask("/reviews/0"))[1] == {"stars": 4, "color": "blue"}
    stalled = blue.ask("/reviews/0")
    assert ratings_of(stalled) == [NO_RATING, NO_RATING] and 2.4 <= stalled.seconds
    assert blue.took("/reviews/0", 2)[1] <= 2.5 + 0.3 * SLOW


@pytest.mark.parametrize("reply", [(200, RATINGS), (500, "broken")])
def test_34_ratings_is_asked_exactly_once(start, reviews_before, reply):
    ratings = start.stand_in(reply)
    reviews_before(ratings).ask("/reviews/7")
    assert [(r.method, r.path, r.headers["Accept"], r.headers["Host"]) for r in ratings.requests] == [
        ("GET", "/ratings/7", "application/json", f"127.0.0.1:{ratings.port}")]


def test_35_twenty_headers_go_on_to_ratings_and_no_others(start, reviews_before):
    ratings = start.stand_in((200, RATINGS))
    sent = {name: f"value of {name}" for name in [*FORWARDED, "b3", "baggage", "x-other"]}
    reviews_before(ratings).ask("/reviews/0", headers=sent)
    arrived = ratings.requests[0].headers
    assert {name: arrived[name] for name in FORWARDED} == {name: sent[name] for name in FORWARDED}
    assert all(arrived[name] is None for name in ["b3", "baggage", "x-other"])


def test_35_in_0_2_9_seven_headers_and_the_user_cookie_go_on(start, reviews_before):
    ratings = start.stand_in((200, RATINGS))
    sent = {name: f"value of {name}" for name in [*FORWARDED, "b3", "baggage", "x-other"]}
    reviews_before(ratings, **OLD).ask("/reviews/0", headers={**sent, "cookie": "a=b; user=jason; session=x"})
    arrived = {name.lower(): value for name, value in ratings.requests[0].headers.items()}
    old = [*FORWARDED[:7], "cookie"]
    assert set(arrived) == {*old, "host", "accept"}
    assert {name: arrived[name] for name in old} == {**{name: sent[name] for name in old}, "cookie": "user=jason"}


# A consequence of 36 is that a post to ratings shows on the next page.
def test_36_a_reviewer_without_a_rating_gets_the_error_alone(start, reviews_before):
    only_first = start.stand_in((200, {"id": 0, "ratings": {"Reviewer1": 5}}))
    assert ratings_of(reviews_before(only_first).ask("/reviews/0")) == [{"stars": 5, "color": "black"}, NO_RATING]
    ratings = start.service("ratings")
    ratings.ask("/ratings/0", method="POST", body=json.dumps({"Reviewer1": 1}))
    assert ratings_of(reviews_before(ratings).ask("/reviews/0")) == [{"stars": 1, "color": "black"}, NO_RATING]


@pytest.mark.parametrize("first, shown", [
    (7, {"stars": 7, "color": "black"}), (0, {"stars": 0, "color": "black"}), (2.9, {"stars": 2, "color": "black"}),
    (-1, NO_RATING), ("five", NO_RATING), ("5", NO_RATING), (None, NO_RATING), ([5], NO_RATING), (1e300, NO_RATING)])
def test_a_strange_rating_costs_its_own_reviewer_at_most(start, reviews_before, first, shown):
    ratings = start.stand_in((200, {"id": 0, "ratings": {"Reviewer1": first, "Reviewer2": 4}}))
    assert ratings_of(reviews_before(ratings).ask("/reviews/0")) == [shown, {"stars": 4, "color": "black"}]


@pytest.mark.parametrize("body", ["not json", [1], {"ratings": 5}, '{"a":' * 2000])
def test_nonsense_from_ratings_is_500(start, reviews_before, body):
    assert reviews_before(start.stand_in((200, body))).ask("/reviews/0").status == 500


# The parts of an IPv4 address stand in for a name and its domain, so that no name server is needed.
@pytest.mark.parametrize("environment, host", [
    ({"RATINGS_HOSTNAME": "localhost"}, "localhost"),
    ({"RATINGS_HOSTNAME": "127", "SERVICES_DOMAIN": "0.0.1"}, "127.0.0.1")])
def test_60_host_domain_and_port_of_ratings_are_configurable(start, environment, host):
    ratings = start.stand_in((200, RATINGS))
    service = start.service("reviews", ENABLE_RATINGS="true", RATINGS_SERVICE_PORT=str(ratings.port), **environment)
    assert ratings_of(service.ask("/reviews/0"))[0]["stars"] == 5
    assert ratings.requests[0].headers["Host"] == f"{host}:{ratings.port}"
