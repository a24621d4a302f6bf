"""details v2 in the mesh: its external book service is a pod here, and both ends of the call go through sidecars."""
import json
import shlex
import sys

import pytest
import yaml

from harness import BOOKINFO, GATEWAY, NETWORKING, SAMPLE, SUBSETS, instance, wait_for

IMAGE = "example/books"
VOLUME = {"authors": ["William Shakespeare"], "publisher": "A House by the Sea", "publishedDate": "2002-09-01",
          "printType": "BOOK", "pageCount": 96, "language": "en", "industryIdentifiers": [
              {"type": "ISBN_13", "identifier": "9780486424613"}, {"type": "ISBN_10", "identifier": "0486424618"}]}
SERVER = f"""
import http.server, json, sys
class Books(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({{"items": [{{"volumeInfo": {VOLUME!r}}}]}}).encode()
        print(json.dumps([self.path, dict(self.headers)]), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Books).serve_forever()
"""
BOOKS = f"""
apiVersion: v1
kind: Service
metadata: {{name: books}}
spec: {{ports: [{{port: 80, targetPort: 8000, name: http}}], selector: {{app: books}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: books-v1}}
spec:
  selector: {{matchLabels: {{app: books, version: v1}}}}
  template:
    metadata: {{labels: {{app: books, version: v1}}}}
    spec: {{containers: [{{name: books, image: '{IMAGE}:1', ports: [{{containerPort: 8000}}]}}]}}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Bookinfo with the manifest of details v2 as it is, but for the variable that names another book service."""
    folder = tmp_path_factory.mktemp("books")
    [details] = yaml.safe_load_all((SAMPLE / "platform/kube/bookinfo-details-v2.yaml").read_text())
    details["spec"]["template"]["spec"]["containers"][0]["env"].append(
        {"name": "EXTERNAL_BOOK_SERVICE_HOSTNAME", "value": "books"})
    (folder / "details-v2.yaml").write_text(yaml.safe_dump(details))
    (folder / "books.yaml").write_text(BOOKS)
    (folder / "server.py").write_text(SERVER)
    command = shlex.join([sys.executable, str(folder / "server.py")])
    with instance(BOOKINFO, GATEWAY, SUBSETS, folder / "books.yaml", folder / "details-v2.yaml",
                  NETWORKING / "virtual-service-details-v2.yaml", up_options=["--image", f"{IMAGE}={command}"]) as mesh:
        mesh.wait_ready(count=8)
        yield mesh


def requests_of(mesh):
    return [json.loads(line) for line in mesh.log(mesh.pod_name("books"), "books").splitlines() if line.startswith("[")]


def test_06_the_page_shows_the_book_of_the_external_service(shop):
    wait_for("the publisher", lambda: VOLUME["publisher"] in shop.get().text)
    assert "0486424618" in shop.get().text
    answer = shop.get("/api/v1/products/7")
    assert answer.status == 200 and answer.json == {
        "id": 7, "author": "William Shakespeare", "year": "2002-09-01", "type": "paperback", "pages": 96,
        "publisher": VOLUME["publisher"], "language": "English", "ISBN-10": "0486424618", "ISBN-13": "9780486424613"}


def test_06_the_call_is_plain_to_port_80_through_both_sidecars_with_the_headers_of_the_page(shop):
    seen = len(requests_of(shop))
    shop.get(headers={"user-agent": "a reader", "x-other": "not this"})
    [[path, headers]] = wait_for("one request", lambda: requests_of(shop)[seen:])
    headers = {name.lower(): value for name, value in headers.items()}
    assert path == "/books/v1/volumes?q=isbn:0486424618" and headers["host"] == "books"
    assert headers["user-agent"] == "a reader" and "x-request-id" in headers and "x-other" not in headers
    for app, version, direction in (("details", "v2", "outbound|80||books"), ("books", "v1", "inbound|8000||")):
        pod = shop.pod_name(app, version)
        wait_for(f"the line of the sidecar of {app}", lambda: any(
            headers["x-request-id"] in line and direction in line for line in shop.log(pod).splitlines()))


def test_06_no_rule_no_external_book(shop):
    shop.weft("delete", "virtualservice", "details")
    try:
        wait_for("both versions", lambda: len({shop.get("/api/v1/products/0").json["publisher"] for _ in range(30)}) == 2)
    finally:
        shop.apply(NETWORKING / "virtual-service-details-v2.yaml")
    assert {shop.get("/api/v1/products/0").json["publisher"] for _ in range(30)} == {VOLUME["publisher"]}


def test_07_a_book_service_that_is_gone_costs_the_details_alone_and_comes_back(shop):
    endpoints = ("proxy-config", "endpoints", "deploy/details-v2", "--fqdn", "books")
    assert "books" in shop.weft(*endpoints).stdout
    shop.weft("scale", "deployment", "books-v1", "--replicas=0")
    wait_for("no endpoint in the sidecar of details", lambda: "books" not in shop.weft(*endpoints).stdout)
    assert "Error fetching product details" in shop.get().text
    answer = shop.get("/api/v1/products/0")
    assert answer.status == 400 and "details are currently unavailable" in answer.json["error"]
    assert "Reviewer1" in shop.get().text
    shop.weft("scale", "deployment", "books-v1", "--replicas=1")
    wait_for("the publisher", lambda: VOLUME["publisher"] in shop.get().text)
