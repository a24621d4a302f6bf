"""The rules of the walk-through as page views show them. Numbers in names are those of the behaviour checklist."""
import collections
import json
import os
import re
import signal
import threading
import time

import pytest

from harness import NETWORKING, SLOW, version_of, wait_for

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Referer": "/productpage"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def views(mesh, count, headers=None):
    """How often each version of reviews answered."""
    return collections.Counter(version_of(mesh.get(headers=headers).text) for _ in range(count))


def jason(mesh):
    login = mesh.get("/login", method="POST", body="username=jason&passwd=x", headers=FORM)
    return {"Cookie": login.headers["Set-Cookie"].split(";")[0]}


def test_62_without_rules_the_versions_answer_about_equally(mesh):
    seen = views(mesh, 300)
    assert set(seen) == {"v1", "v2", "v3"} and all(60 <= times <= 140 for times in seen.values()), seen


def test_63_with_all_v1_there_is_no_star(mesh):
    mesh.apply(NETWORKING / "virtual-service-all-v1.yaml")
    assert views(mesh, 100) == {"v1": 100}


# Wide enough for chance: each bound is at least four standard deviations away.
@pytest.mark.parametrize("rule, canary, count, least, most", [
    ("50-v3", "v3", 500, 40, 60), ("v2-v3", "v3", 500, 40, 60), ("90-10", "v2", 800, 5, 15), ("80-20", "v2", 800, 14, 26)])
def test_63_a_share_of_the_views_goes_to_the_canary(mesh, rule, canary, count, least, most):
    mesh.apply(NETWORKING / f"virtual-service-reviews-{rule}.yaml")
    seen = views(mesh, count)
    assert set(seen) == {canary, "v2" if rule == "v2-v3" else "v1"}
    assert least <= 100 * seen[canary] / count <= most, seen


@pytest.mark.parametrize("rule, others", [("test-v2", "v1"), ("jason-v2-v3", "v3")])
def test_64_jason_has_a_version_of_his_own(mesh, rule, others):
    mesh.apply(NETWORKING / f"virtual-service-reviews-{rule}.yaml")
    assert views(mesh, 50, jason(mesh)) == {"v2": 50}
    assert views(mesh, 50) == {others: 50}
    assert views(mesh, 10, {"end-user": "jason"}) == {others: 10}, "a reader's own header must not pass for a sign-in"


def test_64_switching_rules_drops_no_page_view(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    stop, seen, bad = threading.Event(), collections.Counter(), []

    def reader():
        while not stop.is_set():
            page = mesh.get()
            seen[version_of(page.text)] += 1
            if page.status != 200 or "Error fetching" in page.text:
                bad.append((page.status, page.text[:200]))
    readers = [threading.Thread(target=reader) for _ in range(3)]
    for one in readers:
        one.start()
    try:
        for _ in range(10):
            for rule in ("v3", "50-v3", "test-v2", "90-10", "jason-v2-v3"):
                mesh.apply(NETWORKING / f"virtual-service-reviews-{rule}.yaml")
    finally:
        stop.set()
        for one in readers:
            one.join()
    assert not bad, bad[:3]
    assert seen["v1"] > 0 and seen["v3"] > 0 and sum(seen.values()) > 100, seen


@pytest.mark.parametrize("path, status", [
    ("/productpage", 200), ("/api/v1/products", 200), ("/api/v1/products/0", 200), ("/api/v1/products/0/reviews", 200),
    ("/api/v1/products/0/ratings", 200), ("/static/bookinfo.css", 200), ("/static/img/izzy.png", 200), ("/logout", 302),
    ("/login", 405), ("/", 200), ("/x", 404), ("/index.html", 404), ("/health", 404), ("/metrics", 404), ("/productpage/", 404)])
def test_67_the_gateway_serves_what_it_names(mesh, path, status):
    answer = mesh.get(path)
    assert answer.status == status
    # The gateway's own 404 has no body; productpage's would be a page.
    assert status != 404 or not answer.body


def test_67_a_login_goes_through_the_gateway(mesh):
    answer = mesh.get("/login", method="POST", body="username=jason&passwd=x", headers=FORM)
    assert answer.status == 302 and answer.headers["Location"] == "/productpage"


@pytest.mark.parametrize("trace", [{"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
                                   {"x-b3-traceid": TRACE, "x-b3-spanid": TRACE[:16], "x-b3-sampled": "1"}], ids=["w3c", "b3"])
def test_70_one_view_through_v2_has_one_request_id_and_trace_id_in_the_logs_of_all_services_and_sidecars(mesh, trace):
    mesh.apply(NETWORKING / "virtual-service-reviews-test-v2.yaml")
    cookie = jason(mesh)
    page = mesh.get(headers={**cookie, **trace})
    assert version_of(page.text) == "v2"
    identifier = re.search(r"<dt>Request id</dt><dd>([0-9a-f-]{36})</dd>", page.text).group(1)
    for app, version in [("productpage", "v1"), ("details", "v1"), ("reviews", "v2"), ("ratings", "v1")]:
        pod = mesh.pod_name(app, version)
        wait_for(f"the log line of {app}'s sidecar", lambda: identifier in mesh.log(pod))
        lines = wait_for(f"{app}'s own log line", lambda: [line for line in mesh.log(pod, app).splitlines() if identifier in line])
        assert [(line["request_id"], line["trace_id"]) for line in map(json.loads, lines)] == [(identifier, TRACE)]
    assert identifier not in mesh.log(mesh.pod_name("reviews", "v1")) + mesh.log(mesh.pod_name("reviews", "v3"))


def test_51_ratings_that_stall_cost_v2_its_reviews_and_v3_its_stars(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-jason-v2-v3.yaml")
    cookie = jason(mesh)
    ratings = mesh.application_pid(mesh.pod_name("ratings"))
    os.kill(ratings, signal.SIGSTOP)
    try:
        # The better of two: other work on the machine may make one late.
        views, seconds_v3 = [], []
        for _ in range(2):
            began = time.monotonic()
            views.append(mesh.get())
            seconds_v3.append(time.monotonic() - began)
        began = time.monotonic()
        jasons = mesh.get(headers=cookie)
        seconds_v2 = time.monotonic() - began
    finally:
        os.kill(ratings, signal.SIGCONT)
    assert [view.status for view in views] == [200, 200] and jasons.status == 200
    assert 2.4 <= min(seconds_v3) <= 3.0 * SLOW, seconds_v3
    assert [view.text.count("Ratings service is currently unavailable") for view in views] == [2, 2]
    assert 5.0 <= seconds_v2 <= 8.0 * SLOW and "Error fetching product reviews" in jasons.text and "PublisherA" in jasons.text
    assert re.search(r"Asked 2 times within 6\.\d\d s; no answer \(", jasons.text), jasons.text
    wait_for("the stars to come back", lambda: version_of(mesh.get().text) == "v3")


def logged(mesh, version, pattern):
    """Whether the sidecar of a version of reviews has written such a line."""
    return re.search(pattern, mesh.weft("logs", mesh.pod_name("reviews", version), "-c", "istio-proxy").stdout)


def test_65_ratings_delayed_for_jason_cost_him_his_reviews_and_nobody_else_anything(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-test-v2.yaml")
    mesh.apply(NETWORKING / "virtual-service-ratings-test-delay.yaml")
    cookie = jason(mesh)
    began = time.monotonic()
    page = mesh.get(headers=cookie)
    assert 5.0 <= time.monotonic() - began <= 8.0 * SLOW
    assert page.status == 200 and "Error fetching product reviews" in page.text and "PublisherA" in page.text
    began = time.monotonic()
    assert version_of(mesh.get().text) == "v1" and time.monotonic() - began < 1.5 * SLOW
    wait_for("the delay in the access log", lambda: logged(mesh, "v2", r'"GET /ratings/0[^"]*" \d+ \S*DI'))


def test_65_ratings_aborted_for_jason_cost_him_the_stars_and_nobody_else_anything(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    mesh.apply(text=(NETWORKING / "virtual-service-ratings-test-abort.yaml").read_text())
    page = mesh.get(headers=jason(mesh))
    assert page.status == 200 and page.text.count("Ratings service is currently unavailable") == 2
    anonymous = mesh.get()
    assert version_of(anonymous.text) == "v3" and "unavailable" not in anonymous.text
    wait_for("the abort in the access log", lambda: logged(mesh, "v3", r'"GET /ratings/0[^"]*" 500 FI fault_filter_abort'))


def test_66_details_aborted_with_555_show_as_an_error_on_the_page_and_as_555_to_programs(mesh):
    mesh.apply(NETWORKING / "fault-injection-details-v1.yaml")
    page = mesh.get()
    assert page.status == 200 and "Error fetching product details" in page.text and "Reviewer1" in page.text
    assert mesh.get("/api/v1/products/0").status == 555


def test_the_page_says_what_the_mesh_did_with_its_calls(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    page = mesh.get().text
    assert mesh.pod_name("productpage") in page and mesh.pod_name("reviews", "v3") in page
    assert "version v3" in page and page.count("behind the sidecar") == 2
    assert "http://details:9080/details/0" in page and "http://reviews:9080/reviews/0" in page


def test_a_missing_subset_shows_as_reviews_that_answered_503_twice(mesh):
    mesh.apply(text="""apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: v9}
""")
    page = mesh.get()
    assert page.status == 200 and "Error fetching product reviews" in page.text and "PublisherA" in page.text
    assert re.search(r"Asked 2 times within [^;]*; status 503\.", page.text)
    assert page.text.count("<td role=\"cell\">status 503</td>") == 2
