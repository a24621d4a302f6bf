"""A pod without Kubernetes: `weft-proxy sidecar` as a process, and a control plane over TLS that knows its token."""
import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import re
import subprocess
import threading

import grpc

from harness import PROXY, ROOT, SLOW, free_port, wait_for

TYPES = "type.googleapis.com/"
LISTENER = TYPES + "envoy.config.listener.v3.Listener"
CLUSTER = TYPES + "envoy.config.cluster.v3.Cluster"
TOKEN = "the-token-of-this-pod"


def encode(message, files, text):
    """A message of our .proto files from its text form."""
    return subprocess.run(["protoc", "-I", ROOT / "src", f"--encode={message}", *[ROOT / "src/xds/proto" / f for f in files]],
                          input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def listener(name, port, cluster, direction):
    return encode("envoy.config.listener.v3.Listener", ["listener.proto", "http_connection_manager.proto", "router.proto"], f"""
name: "{name}" traffic_direction: {direction}
address {{ socket_address {{ address: "127.0.0.1" port_value: {port} }} }}
filter_chains {{ filters {{ name: "envoy.filters.network.http_connection_manager" typed_config {{
  [type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager] {{
    stat_prefix: "{name}"
    route_config {{ virtual_hosts {{ name: "all" domains: "*"
      routes {{ match {{ prefix: "/" }} route {{ cluster: "{cluster}" }} }} }} }}
    http_filters {{ name: "envoy.filters.http.router" typed_config {{
      [type.googleapis.com/envoy.extensions.filters.http.router.v3.Router] {{ }} }} }}
  }} }} }} }}""")


def cluster(name, port):
    return encode("envoy.config.cluster.v3.Cluster", ["cluster.proto"], f"""
name: "{name}" type: STATIC load_assignment {{ cluster_name: "{name}" endpoints {{ lb_endpoints {{ endpoint {{
  address {{ socket_address {{ address: "127.0.0.1" port_value: {port} }} }} }} }} }} }}""")


def field(number, data):
    """A field of bytes of the wire format."""
    length, prefix = len(data), bytes([number << 3 | 2])
    while length > 127:
        prefix += bytes([length & 127 | 128])
        length >>= 7
    return prefix + bytes([length]) + data


class ControlPlane:
    """Answers each type once on each stream of whoever has the token."""

    def __init__(self, folder, resources):
        self.folder, self.resources = pathlib.Path(folder), resources
        self.requests, self.refused = [], 0
        self.certificate()
        self.port = free_port()
        self.server = None

    def certificate(self):
        key, root = self.folder / "key.pem", self.folder / "root.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", root],
                       check=True, stderr=subprocess.DEVNULL)
        self.key, self.root = key.read_bytes(), root.read_bytes()

    def start(self):
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        handler = grpc.stream_stream_rpc_method_handler(self.serve)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "envoy.service.discovery.v3.AggregatedDiscoveryService", {"StreamAggregatedResources": handler}),))
        self.server.add_secure_port(f"127.0.0.1:{self.port}", grpc.ssl_server_credentials([(self.key, self.root)]))
        self.server.start()

    def serve(self, requests, context):
        if ("authorization", f"Bearer {TOKEN}") not in [tuple(item) for item in context.invocation_metadata()]:
            self.refused += 1
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "this token is not known")
        answered = set()
        for request in requests:
            self.requests.append(request)
            url = re.search(rb"type\.googleapis\.com/[A-Za-z0-9_.]+", request).group().decode()
            if url in answered:
                continue
            answered.add(url)
            body = field(1, b"1") + field(4, url.encode()) + field(5, b"n")
            for bytes_ in self.resources.get(url, []):
                body += field(2, field(1, url.encode()) + field(2, bytes_))
            yield body

    def stop(self):
        if self.server:
            self.server.stop(0).wait()
            self.server = None


class Pod:
    """One sidecar or gateway with folders and ports of its own."""

    def __init__(self, folder, control_port, root, role="sidecar", program=PROXY, prefix=(), **variables):
        self.folder = pathlib.Path(folder)
        for name, text in (("secrets/istio/root-cert.pem", root), ("secrets/tokens/istio-token", TOKEN.encode()),
                           ("info/labels", b'app="web"\n')):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        self.status, self.health, self.figures, self.admin = (free_port() for _ in range(4))
        self.program = [program] if program == PROXY else [program, "proxy"]
        environment = {"POD_NAME": "web-1", "POD_NAMESPACE": "shop", "INSTANCE_IP": "127.0.0.1", "SERVICE_ACCOUNT": "web",
                       "CA_ADDR": f"localhost:{control_port}", **variables}
        self.log = open(self.folder / "proxy.log", "w+")
        self.process = subprocess.Popen(
            [*prefix, *self.program, role, "--domain", "shop.svc.cluster.local", "--log-level", "info",
             "--secrets-directory", self.folder / "secrets", "--pod-info-directory", self.folder / "info",
             "--status-port", str(self.status), "--health-port", str(self.health), "--metrics-port", str(self.figures),
             "--admin-port", str(self.admin)],
            env={"PATH": os.environ["PATH"], **environment}, stdout=self.log, stderr=self.log)

    def text(self):
        return (self.folder / "proxy.log").read_text()

    def command(self, word, *arguments):
        return subprocess.run([*self.program, word, *arguments], capture_output=True, text=True, timeout=90 * SLOW)

    def ask(self, port, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10 * SLOW)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def ready(self):
        return self.ask(self.health, "/healthz/ready")

    def wait_ready(self):
        wait_for("a ready proxy", lambda: self.ready()[0] == 200)

    def anonymous_kilobytes(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Anonymous:\s+(\d+)", text, re.M).group(1))

    def wait(self, seconds):
        return self.process.wait(timeout=seconds * SLOW)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
