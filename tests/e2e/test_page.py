"""The walk-through's first page, and proof that the sidecars carry it."""
import os
import re
import signal

from harness import BOOKINFO, NETWORKING, instance, sockets, stars, version_of, wait_for


def test_the_page_opens_through_the_ingress_and_six_pods_are_two_of_two(mesh):
    page = mesh.get()
    assert page.status == 200
    assert "<title>Simple Bookstore App</title>" in page.text and "The Comedy of Errors" in page.text
    table = mesh.weft("get", "pods").stdout.splitlines()
    assert table[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    rows = [line.split() for line in table[1:]]
    assert len(rows) == 6 and all(row[1:3] == ["2/2", "Running"] for row in rows), table


def test_paths_that_the_gateway_does_not_name_are_404_there(mesh):
    assert "simple bookstore" in mesh.get("/").text
    for path in ["/health", "/metrics", "/details/0"]:
        assert mesh.get(path).status == 404, path
    assert mesh.get("/api/v1/products").status == 200
    assert mesh.get("/static/img/izzy.png").headers["Content-Type"] == "image/png"


def test_without_rules_every_version_of_reviews_is_seen(mesh):
    seen = {version_of(mesh.get().text) for _ in range(60)}
    assert seen == {"v1", "v2", "v3"}


def test_a_stopped_sidecar_of_reviews_gives_the_reviews_error_and_intact_details(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    pod = mesh.pod_name("reviews", "v3")
    pid = mesh.sidecar_pid(pod)
    os.kill(pid, signal.SIGSTOP)
    try:
        page = mesh.get()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert page.status == 200
    assert "Error fetching product reviews" in page.text and "PublisherA" in page.text
    wait_for("the page to heal", lambda: version_of(mesh.get().text) == "v3")


def test_one_request_id_is_in_the_access_logs_of_every_hop(mesh):
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    identifier = "11111111-2222-4333-8444-555555555555"
    # The edge makes its own id, so the one to look for is read from the productpage sidecar's log.
    mesh.get(headers={"user-agent": "hop-test-" + identifier})
    def line_of(app, version=None):
        for line in mesh.log(mesh.pod_name(app, version)).splitlines():
            if "hop-test-" + identifier in line and "inbound|9080||" in line:
                return line
        return None
    first = wait_for("productpage's log line", lambda: line_of("productpage"))
    request_id = re.findall(r'"([0-9a-f]{8}-[0-9a-f-]{27})"', first)[0]
    for app, version in [("details", "v1"), ("reviews", "v3"), ("ratings", "v1")]:
        wait_for(f"{app}'s log line", lambda: request_id in mesh.log(mesh.pod_name(app, version)))


def test_no_connection_joins_two_applications_each_ends_at_a_sidecar(mesh):
    for _ in range(10):
        assert mesh.get().status == 200
    applications, sidecars, tables = set(), set(), []
    for pod in mesh.pods():
        name = pod["metadata"]["name"]
        application, sidecar = mesh.application_pid(name), mesh.sidecar_pid(name)
        applications.add(application)
        sidecars.add(sidecar)
        tables.append(sockets(sidecar))
    between_pods = 0
    for table in tables:
        for local, peer, owners in table:
            if local.startswith("10.244.") and peer.startswith("10.244.") and local.split(":")[0] != peer.split(":")[0]:
                between_pods += 1
                assert not owners & applications, f"{local} -> {peer} belongs to an application"
                assert owners <= sidecars
    assert between_pods > 0, "the sidecars hold no connection to one another"


def test_a_rule_about_stars_is_seen_on_the_page(mesh):
    mesh.apply(NETWORKING / "virtual-service-all-v1.yaml")
    assert all(stars(mesh.get().text) == 0 for _ in range(30))
    mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    assert all(version_of(mesh.get().text) == "v3" for _ in range(30))


def test_the_manifests_of_2017_with_their_ingress_open_the_same_page():
    with instance(BOOKINFO.with_name("bookinfo-2017.yaml")) as mesh:
        mesh.wait_ready()
        wait_for("the page through the Ingress", lambda: mesh.get().status == 200)
        assert "The Comedy of Errors" in mesh.get().text
        table = mesh.weft("get", "ingress").stdout.splitlines()
        assert table[0].split()[0] == "NAME" and table[1].startswith("gateway"), table


def test_a_gateway_of_the_gateway_api_and_its_route_open_the_page():
    sample = NETWORKING.parent / "gateway-api" / "bookinfo-gateway.yaml"
    with instance(BOOKINFO, sample) as mesh:
        mesh.wait_ready()
        wait_for("the page through the HTTPRoute", lambda: mesh.get().status == 200)
        assert "The Comedy of Errors" in mesh.get().text
        assert mesh.get("/api/v1/products").status == 200
        assert mesh.get("/metrics").status == 404
        gateway = mesh.weft("get", "gateways.gateway.networking.k8s.io").stdout.splitlines()
        assert gateway[1].split()[:4] == ["bookinfo-gateway", "istio", "127.0.0.1", "True"], gateway
        assert "Route was valid" in mesh.weft("describe", "httproute", "bookinfo").stdout
        mesh.weft("delete", "service", "productpage")
        wait_for("500 for a backend that is gone", lambda: mesh.get().status == 500)
        assert "BackendNotFound" in mesh.weft("describe", "httproute", "bookinfo").stdout


def test_logs_and_proxy_config_of_a_pod_are_shown(mesh):
    assert mesh.get().status == 200
    assert "productpage" in mesh.weft("logs", "deploy/productpage-v1", "-c", "istio-proxy").stdout
    routes = mesh.weft("proxy-config", "routes", "deploy/productpage-v1").stdout
    assert "reviews" in routes and "9080" in routes, routes
    clusters = mesh.weft("proxy-config", "clusters", mesh.pod_name("productpage")).stdout
    assert "reviews.default.svc.cluster.local" in clusters, clusters
