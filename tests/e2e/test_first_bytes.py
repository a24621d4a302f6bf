"""What a connection's first bytes decide, in a mesh: a request meets its rule however late and however it is written, and a server that
speaks first is heard."""
import json
import pathlib
import subprocess

import pytest

from harness import SLOW, instance

SERVER = pathlib.Path(__file__).with_name("first_bytes_server.py")
MESH = """
apiVersion: v1
kind: Service
metadata: {name: go}
spec:
  selector: {app: go}
  ports: [{name: http, port: 8000}, {name: any, port: 7000}, {name: greets, port: 7004}, {name: ssh, port: 7005}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: go}
spec:
  selector: {matchLabels: {app: go}}
  template:
    metadata: {labels: {app: go}}
    spec:
      containers:
      - name: go
        image: example/go:1
        command: ["/usr/bin/python3", "%s"]
        ports: [{containerPort: 8000}]
        readinessProbe: {tcpSocket: {port: 7005}, periodSeconds: 1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec:
      containers:
      - {name: caller, image: example/caller:1, command: ["/usr/bin/python3", "-c", "import signal; signal.pause()"]}
"""
RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: go}
spec:
  hosts: [go]
  http:
  - {match: [{uri: {prefix: /dump}}], directResponse: {status: 418}}
  - {route: [{destination: {host: go, port: {number: 8000}}}]}
"""
# Sends pieces with pauses between and before them, and prints what comes back until `enough` or the end.
CALL = """
import json, socket, sys, time
to, pieces, pause, enough = json.loads(sys.argv[1])
with socket.create_connection(to, 60) as s:
    try:
        for piece in pieces:
            time.sleep(pause)
            s.sendall(piece.encode("latin-1"))
        got = b""
        while enough.encode() not in got and (data := s.recv(65536)):
            got += data
    except ConnectionError as error:
        got += repr(error).encode()
    print(json.dumps(got.decode("latin-1")))
"""
PAUSE = 0.3  # three times as long as anybody waits for a first byte
DUMP = "GET /dump HTTP/1.1\r\nHost: go\r\nConnection: close\r\n\r\n"
PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = "\0\0\0\x04\0\0\0\0\0"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    file = tmp_path_factory.mktemp("first") / "mesh.yaml"
    file.write_text(MESH % SERVER)
    with instance(file) as made:
        made.wait_ready(count=2)
        made.apply(text=RULE)
        yield made


def address(mesh, by):
    if by == "service":
        return [s for s in mesh.objects("services") if s["metadata"]["name"] == "go"][0]["spec"]["clusterIP"]
    return mesh.pods("go")[0]["status"]["podIP"]


def in_caller(mesh, *command):
    """What a command prints that runs in the network namespace of the caller's pod."""
    enter = ["nsenter", "-t", str(mesh.application_pid(mesh.pod_name("caller"))), "-n"]
    return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=60 * SLOW, check=True).stdout


def call(mesh, pieces, port, by="service", pause=0, enough="\0"):
    words = json.dumps([[address(mesh, by), port], pieces, pause, enough])
    return json.loads(in_caller(mesh, "/usr/bin/python3", "-c", CALL, words))


@pytest.mark.parametrize("port,by", [(8000, "service"), (8000, "pod"), (7000, "service")])
def test_who_sends_his_request_late_or_in_pieces_meets_the_rule(mesh, port, by):
    for pieces in ([DUMP], ["GE", "T /du", DUMP[7:]], ["\r\n", DUMP], [DUMP[:-2], "\r\n"]):
        assert call(mesh, pieces, port, by, PAUSE).startswith("HTTP/1.1 418"), pieces


@pytest.mark.parametrize("port,by", [(8000, "service"), (8000, "pod"), (7000, "service")])
def test_every_way_of_writing_a_request_meets_the_rule_or_is_rejected(mesh, port, by):
    for request in ("GET /dump?" + "q" * 8000 + DUMP[9:], "GET /dump?" + "q" * 50000 + DUMP[9:], "\r\n" + DUMP, "MSEARCH2" + DUMP[3:],
                    "GET http://go/dump" + DUMP[9:], DUMP.replace("1.1", "1.0")):
        assert " 418" in call(mesh, [request], port, by)[:16], request[:40]
    for request in ("GET\t/dump" + DUMP[9:], "  " + DUMP, "GET /dump\r\n", DUMP.replace("HTTP/1.1", "http/1.1")):
        assert call(mesh, [request], port, by).startswith("HTTP/1.1 400"), request


@pytest.mark.parametrize("port,by", [(8000, "service"), (8000, "pod"), (7000, "service")])
def test_http_2_meets_the_rules_however_late_its_preface_comes(mesh, port, by):
    host = address(mesh, by)
    curl = ["curl", "-s", "-m", "20", "--http2-prior-knowledge", "-H", "Host: go", "-w", " %{http_code} %{http_version}"]
    assert in_caller(mesh, *curl, f"http://{host}:{port}/dump") == " 418 2"
    assert in_caller(mesh, *curl, f"http://{host}:{port}/other") == "seen GET /other HTTP/1.1 go 200 2"
    for pieces in ([PREFACE + SETTINGS], [PREFACE[:3], PREFACE[3:20], PREFACE[20:] + SETTINGS]):
        greeting = call(mesh, pieces, port, by, PAUSE, enough="\x04")
        assert greeting[3:5] == "\x04\0", (pieces, greeting)


def test_what_is_no_http_is_rejected_at_a_declared_http_port_and_passes_at_a_sniffed_one(mesh):
    assert call(mesh, ["EHLO x\r\n\r\n"], 8000).startswith("HTTP/1.1 400")
    assert call(mesh, ["EHLO x\r\n"], 7004, enough="EHLO x\r\n") == "220 hello\r\nEHLO x\r\n"


@pytest.mark.parametrize("port", [7004, 7005])
def test_a_server_that_speaks_first_is_heard_whether_its_port_is_declared_or_not(mesh, port):
    assert call(mesh, [], port, enough="\n") == "220 hello\r\n"
    assert call(mesh, [], port, "pod", enough="\n") == "220 hello\r\n"


def test_http_1_0_without_a_host_is_served_and_upstream_it_is_http_1_1(mesh):
    answer = call(mesh, ["OPTIONS /health HTTP/1.0\r\n\r\n"], 7000)
    assert " 200 " in answer.split("\r\n")[0], answer
    assert answer.endswith(f"seen OPTIONS /health HTTP/1.1 {address(mesh, 'service')}:7000"), answer
