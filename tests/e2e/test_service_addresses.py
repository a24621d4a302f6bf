"""What a pod finds on the network of one machine: Services' addresses, names, its own name, and nothing past the sidecar."""
import ctypes
import json
import subprocess

import pytest

from harness import SLOW, instance, wait_for

SERVER = r"""
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = socket.gethostname().encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
MANIFEST = f"""apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: tcp-raw, port: 90, targetPort: 8080}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web-hl}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{name: http, port: 8080}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: main
        image: example/web:1
        ports: [{{containerPort: 8080}}]
        command: [/usr/bin/python3, -c, {json.dumps(SERVER)}]
""" + "".join(f"""---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}, sidecar.istio.io/inject: "{inject}"}}}}
spec: {{containers: [{{name: main, image: example/sh:1, command: [/bin/sleep, "98781"]}}]}}
""" for name, inject in (("meshed", "true"), ("bare", "false")))

ASK = r"""
import http.client, json, sys, time
host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
began = time.monotonic()
try:
    connection = http.client.HTTPConnection(host, port, timeout=15)
    connection.request("GET", "/", headers={"Host": name})
    answer = connection.getresponse()
    said = {"status": answer.status, "body": answer.read().decode()}
except Exception as error:
    said = {"status": 0, "body": type(error).__name__}
said["seconds"] = time.monotonic() - began
print(json.dumps(said))
"""


class Inside:
    """Commands where a pod's application lives: its networks, its files, its host name."""

    def __init__(self, mesh, pod):
        self.pid = mesh.application_pid(pod)

    def run(self, *words):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", *map(str, words)], text=True,
                              capture_output=True, timeout=60 * SLOW)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, code, *arguments):
        return self.run("/usr/bin/python3", "-c", code, *arguments)

    def ask(self, host="web", port=80, name="web"):
        return json.loads(self.python(ASK, host, port, name))


@pytest.fixture(scope="module")
def mesh():
    with instance() as made:
        made.apply(text=MANIFEST)
        made.wait_ready(4)
        # A Service leads to a pod a moment after the pod is ready.
        for name in ("meshed", "bare"):
            for port in (80, 90):
                wait_for(f"the way from {name} to port {port}", lambda: Inside(made, name).ask(port=port)["status"] == 200)
        yield made


@pytest.fixture(params=["meshed", "bare"])
def pod(mesh, request):
    return Inside(mesh, request.param)


def web_pods(mesh):
    return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in mesh.pods("web")}


@pytest.mark.parametrize("name", ["web", "elsewhere", "10.244.0.77:80"])
@pytest.mark.parametrize("port", [80, 90])
def test_a_services_address_reaches_an_endpoint_whatever_host_is_asked_for(mesh, pod, name, port):
    answer = pod.ask(port=port, name=name)
    assert answer["status"] == 200 and answer["body"] in web_pods(mesh), answer
    assert answer["seconds"] < 5 * SLOW


def test_each_endpoint_has_its_share(mesh):
    # A sidecar keeps what it passes through on one connection, as long as that is there; without one each is new.
    bare = Inside(mesh, "bare")
    assert {bare.ask()["body"] for _ in range(25)} == set(web_pods(mesh))


def test_a_port_that_the_service_lacks_is_rejected_at_once(mesh, pod):
    answer = pod.ask(port=7999)
    assert answer["status"] == 0, answer
    assert answer["seconds"] < 5 * SLOW, answer


def test_a_pod_without_a_sidecar_is_refused_by_the_kernel(mesh):
    bare = Inside(mesh, "bare")
    assert bare.ask(port=7999)["body"] == "ConnectionRefusedError"
    assert bare.ask(host="10.96.255.254")["body"] == "ConnectionRefusedError"


def test_addresses_follow_the_endpoints(mesh):
    bare = Inside(mesh, "bare")
    try:
        mesh.weft("scale", "deployment/web", "--replicas=1")
        # A pod that ends is there until its processes are gone.
        left = wait_for("one pod alone", lambda: (lambda pods: pods if len(pods) == 1 else None)(set(web_pods(mesh))))
        wait_for("the rest alone", lambda: {bare.ask()["body"] for _ in range(10)} == left)
        mesh.weft("scale", "deployment/web", "--replicas=0")
        wait_for("nobody", lambda: bare.ask()["body"] == "ConnectionRefusedError")
    finally:
        mesh.weft("scale", "deployment/web", "--replicas=2")
    wait_for("both again", lambda: {bare.ask()["body"] for _ in range(10)} == set(web_pods(mesh)))


LATER = """apiVersion: v1
kind: Service
metadata: {name: later}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""


def exchange(one, other):
    """In one step: in a gap between two, names could be written to a file that is about to be replaced."""
    at_working_folder, by_exchange = -100, 2
    if ctypes.CDLL(None, use_errno=True).renameat2(at_working_folder, bytes(one), at_working_folder, bytes(other), by_exchange):
        raise OSError(ctypes.get_errno(), f"renameat2 {one} {other}")


def test_addresses_lead_on_while_names_cannot_be_written_and_names_follow_when_they_can(mesh):
    bare = Inside(mesh, "bare")
    hosts = mesh.state_dir() / "pods/default_bare/hosts"
    kept = hosts.rename(hosts.with_name("kept"))
    hosts.mkdir()
    try:
        mesh.apply(text=LATER)
        address = next(s["spec"]["clusterIP"] for s in mesh.objects("services") if s["metadata"]["name"] == "later")
        wait_for("the new Service's address", lambda: bare.ask(host=address)["body"] in web_pods(mesh))
    finally:
        exchange(hosts, kept)
        kept.rmdir()
    try:
        wait_for("its name, without any further news", lambda: "\tlater " in hosts.read_text(), 60)
        assert bare.ask(host="later")["body"] in web_pods(mesh)
    finally:
        mesh.weft("delete", "service", "later")


def test_a_pod_has_its_own_name_and_knows_its_address(mesh, pod):
    name, address = json.loads(pod.python("import json, socket; name = socket.gethostname(); "
                                          "print(json.dumps([name, socket.gethostbyname(name)]))"))
    mine = [p for p in mesh.objects("pods") if p["metadata"]["name"] == name]
    assert mine and mine[0]["status"]["podIP"] == address
    assert name in ("meshed", "bare")


@pytest.mark.parametrize("name", ["web-hl", "web-hl.default.svc.cluster.local", "web-hl.default.svc.cluster.local."])
def test_a_headless_name_gives_the_ready_endpoints(mesh, pod, name):
    code = "import json, socket, sys; print(json.dumps(sorted({e[4][0] for e in socket.getaddrinfo(sys.argv[1], 8080, socket.AF_INET)})))"
    wait_for("both addresses", lambda: json.loads(pod.python(code, name)) == sorted(web_pods(mesh).values()))


def test_a_full_name_may_end_with_a_dot(mesh, pod):
    assert pod.ask(host="web.default.svc.cluster.local.")["status"] == 200


def test_there_is_no_way_by_ipv6_past_the_sidecar(mesh, pod):
    interfaces = {line.split()[-1] for line in pod.run("cat", "/proc/net/if_inet6").splitlines()}
    assert interfaces <= {"lo"}
    code = ("import socket, sys\n"
            "try: socket.create_connection((sys.argv[1] + '%eth0', 8080), 5); print('reached')\n"
            "except OSError as error: print(error.strerror or error)\n")
    assert "reached" not in pod.python(code, "fe80::1")


def test_a_pods_connections_have_timestamps_that_only_grow(mesh, pod):
    # With an offset of its own for each destination the kernel takes the SYN of a reused port for an old one.
    assert pod.run("cat", "/proc/sys/net/ipv4/tcp_timestamps").strip() == "2"


DIG = r"""
import json, socket, struct, sys
question = b"\x12\x34\x01\x00\x00\x01" + bytes(6)
for label in sys.argv[1].split("."):
    question += bytes([len(label)]) + label.encode()
question += b"\x00\x00\x01\x00\x01"
server = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")][0]
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(15)
asker.sendto(question, (server, 53))
answer = asker.recv(512)
records = answer[len(question):]
print(json.dumps([answer[3] & 15, sorted(socket.inet_ntoa(records[i + 12:i + 16]) for i in range(0, len(records), 16))]))
"""


def test_who_asks_dns_gets_the_ready_endpoints_of_a_headless_service(mesh, pod):
    wait_for("both addresses", lambda: json.loads(pod.python(DIG, "web-hl.default.svc.cluster.local")) ==
             [0, sorted(web_pods(mesh).values())])
    assert json.loads(pod.python(DIG, "example.org")) == [3, []]
