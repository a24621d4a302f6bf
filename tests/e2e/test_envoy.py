"""A real Envoy beside us: the same static bootstrap gives the same answers, and our control plane drives one."""
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

from harness import BOOKINFO, GATEWAY, NETWORKING, SUBSETS, instance, version_of, wait_for
from proxy_harness import ENVOY, Proxy, Upstream, read_answer

ROUTES = """
              - {match: {path: /exact}, direct_response: {status: 201, body: {inline_string: "exact"}}}
              - {match: {prefix: /old/}, redirect: {prefix_rewrite: /new/, response_code: PERMANENT_REDIRECT}}
              - {match: {prefix: /elsewhere}, redirect: {host_redirect: other.example, scheme_redirect: https, path_redirect: /x}}
              - {match: {safe_regex: {regex: "/item/[0-9]+"}}, direct_response: {status: 202, body: {inline_string: "regex"}}}
              - match: {prefix: /h, headers: [{name: x-kind, string_match: {exact: a}}]}
                direct_response: {status: 203, body: {inline_string: "header exact"}}
              - match: {prefix: /h, headers: [{name: x-kind, string_match: {prefix: b}}]}
                direct_response: {status: 204}
              - match: {prefix: /h, headers: [{name: x-absent, present_match: true, invert_match: true}, {name: ":method", string_match: {exact: POST}}]}
                direct_response: {status: 205, body: {inline_string: "no header, POST"}}
              - match: {prefix: /q, query_parameters: [{name: v, string_match: {exact: "2"}}]}
                direct_response: {status: 206, body: {inline_string: "query"}}
              - {match: {path_separated_prefix: /seg}, direct_response: {status: 207, body: {inline_string: "segment"}}}
              - {match: {prefix: /nowhere}, route: {cluster: missing}}
              - {match: {prefix: /rewritten}, route: {cluster: upstream, prefix_rewrite: /base}}
              - match: {prefix: /changed}
                route: {cluster: upstream}
                request_headers_to_add: [{header: {key: x-added, value: one}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]
                request_headers_to_remove: [x-secret]
                response_headers_to_add: [{header: {key: x-answer, value: two}}]
                response_headers_to_remove: [x-upstream]
              - {match: {prefix: /up}, route: {cluster: upstream}}
"""


def requests():
    """A hundred and some requests: paths that match, nearly match and do not, with the headers that decide."""
    paths = ["/exact", "/exact/", "/exac", "/exact?x=1", "/old/a", "/old/", "/old", "/elsewhere", "/elsewhere/deep?q=1",
             "/item/1", "/item/123", "/item/", "/item/1/2", "/item/x", "/item/7?z", "/seg", "/seg/a", "/segment", "/seg?x",
             "/nowhere", "/rewritten", "/rewritten/a?b=c", "/changed", "/changed/x", "/up", "/up/a%20b", "/up?x=%2F", "/", "/none"]
    for path in paths:
        yield "GET", path, {}
        yield "HEAD", path, {}
    for value, method in itertools.product(["a", "b", "bee", "c", "A", ""], ["GET", "POST"]):
        yield method, "/h", {"X-Kind": value}
    for query in ["?v=2", "?v=1", "?v=", "?a=1&v=2", "?v=2&v=1", "?V=2", "?v=22", ""]:
        yield "GET", "/q" + query, {}
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]:
        yield method, "/h", {"X-Absent": "here"}
        yield method, "/h", {}
        yield method, "/changed", {"X-Secret": "s", "X-Added": "before"}
        yield method, "/up/method", {"X-Kind": "a"}


IGNORED = {"date", "server", "x-envoy-upstream-service-time", "transfer-encoding", "content-length", "connection", "content-type"}


def ask(proxy, method, path, headers):
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    body = "Content-Length: 0\r\n" if method in ("POST", "PUT", "PATCH") else ""
    with proxy.connect() as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: example\r\n{lines}{body}\r\n".encode())
        status, head, answer = read_answer(connection, head_only=method == "HEAD")
    fields = {}
    for line in head.decode().split("\r\n")[1:]:
        name, value = line.split(":", 1)
        if name.lower() not in IGNORED:
            fields[name.lower()] = value.strip().replace(str(proxy.port), "PORT")
    return status, fields, answer


def upstream_view(request):
    head = request.split(b"\r\n\r\n")[0].decode().split("\r\n")
    ignored = {"x-request-id", "x-envoy-expected-rq-timeout-ms", "content-length", "x-forwarded-proto", "connection"}
    return head[0], {l.split(":")[0].lower(): l.split(":", 1)[1].strip() for l in head[1:] if l.split(":")[0].lower() not in ignored}


def test_one_bootstrap_gives_the_same_answers_in_envoy_and_in_weft(tmp_path):
    upstream = Upstream(reply=b"HTTP/1.1 200 OK\r\nX-Upstream: yes\r\nContent-Length: 2\r\n\r\nok")
    listed = list(requests())
    assert len(listed) >= 100
    with Proxy(upstream.port, tmp_path, routes=ROUTES) as ours, Proxy(upstream.port, tmp_path, envoy=True, routes=ROUTES) as theirs:
        different = []
        for method, path, headers in listed:
            seen = []
            for proxy in (ours, theirs):
                before = len(upstream.requests)
                answer = ask(proxy, method, path, headers)
                seen.append((answer, [upstream_view(r) for r in upstream.requests[before:]]))
            if seen[0] != seen[1]:
                different.append((method, path, headers, *seen))
    upstream.close()
    assert not different, json.dumps(different[:5], default=str, indent=1)


def test_a_real_envoy_as_the_sidecar_of_reviews_gives_the_same_page_and_refuses_nothing():
    with instance(BOOKINFO, SUBSETS, GATEWAY) as mesh:
        mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
        pod = mesh.pod_name("reviews", "v3")
        ours = mesh.get().text
        mesh.weft("scale", "deployment", "reviews-v3", "--replicas=0")
        text = envoy_deployment()
        mesh.apply(text=text)
        wait_for("Envoy's pod alone", lambda: ["envoy" in p["metadata"]["name"] for p in mesh.pods("reviews", "v3")] == [True])
        with_envoy = mesh.pods("reviews", "v3")[0]["metadata"]["name"]
        wait_for("Envoy's process", lambda: any(
            "envoy" in pathlib.Path(line.split()[0]).name for line in mesh.processes().values() if line.strip()))
        wait_for("the page through Envoy", lambda: version_of(mesh.get().text) == "v3")
        theirs = mesh.get().text
        assert without_making(ours).replace(pod, "POD") == without_making(theirs).replace(with_envoy, "POD")
        status = json.loads(mesh.weft("proxy-status", "-o", "json").stdout)
        mine = [p for p in status if with_envoy in json.dumps(p)]
        assert mine, status
        assert "REJECTED" not in json.dumps(mine) and not re.search(r'"nacked?": *[1-9"]', json.dumps(mine)), mine
        assert mesh.get("/api/v1/products/0/reviews").json["reviews"][0]["rating"]["color"] == "red"


def without_making(page):
    """The page less the panel that tells each call's time and the request's id, which are other ones every time."""
    text, panels = re.subn(r"<details.*?</details>", "", page, flags=re.DOTALL)
    assert panels == 1
    return text


def envoy_deployment():
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: envoy-reviews-v3}}
spec:
  selector: {{matchLabels: {{app: reviews, version: v3}}}}
  template:
    metadata:
      labels: {{app: reviews, version: v3}}
      annotations: {{weft.dev/proxy-command: "{ENVOY} --use-dynamic-base-id -l warning"}}
    spec:
      containers:
      - name: reviews
        image: registry.istio.io/release/examples-bookinfo-reviews-v3:1.20.3
"""
