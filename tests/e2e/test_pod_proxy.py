"""`weft proxy sidecar|router|wait|drain` as processes: how a proxy comes, lives and leaves in a pod."""
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import PROXY, SLOW, WEFT, free_port, wait_for
from pod_harness import CLUSTER, LISTENER, TOKEN, ControlPlane, Pod, cluster, listener
from proxy_harness import Upstream, read_answer, read_to_end

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Held:
    """Answers "/held" only when it is let go, and everything else at once."""

    def __init__(self):
        self.go = threading.Event()
        self.upstream = Upstream(act=self.act)
        self.port = self.upstream.port

    def act(self, connection, request):
        if b"/held" in request.split(b"\r\n")[0]:
            assert self.go.wait(30)
        connection.sendall(OK)


class Mesh:
    """A control plane, an application, another service, and the ports of one sidecar."""

    def __init__(self, folder):
        self.folder = folder
        self.app, self.other = Held(), Upstream()
        self.inbound, self.outbound = free_port(), free_port()
        self.control = ControlPlane(folder, {
            LISTENER: [listener("virtualInbound", self.inbound, "app", "INBOUND"),
                       listener("outbound", self.outbound, "other", "OUTBOUND")],
            CLUSTER: [cluster("app", self.app.port), cluster("other", self.other.port)]})

    def pod(self, **options):
        options.setdefault("PROXY_CONFIG", '{"concurrency":1,"terminationDrainDuration":"0s"}')
        return Pod(self.folder, self.control.port, self.control.root, **options)

    def close(self):
        self.app.go.set()
        self.control.stop()
        self.app.upstream.close()
        self.other.close()


@pytest.fixture
def mesh(tmp_path):
    made = Mesh(tmp_path)
    yield made
    made.close()


@pytest.fixture
def running(mesh):
    mesh.control.start()
    yield mesh


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)


def get(connection, path="/"):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    status, head, _ = read_answer(connection)
    return status, head.lower()


def test_wait_returns_when_the_proxy_is_ready_and_not_before(mesh):
    with mesh.pod() as pod:
        # Before that nobody listens on its port yet.
        wait_for("the proxy's own word", lambda: "no connection to the control plane" in pod.ready()[1])
        early = pod.command("wait", "--health-port", str(pod.health), "--timeout-seconds", "1")
        assert early.returncode == 1 and "last heard: 503 not ready: no connection to the control plane" in early.stderr, early
        waiting = subprocess.Popen([*pod.program, "wait", "--health-port", str(pod.health)])
        mesh.control.start()
        assert waiting.wait(timeout=20 * SLOW) == 0
        assert pod.ready() == (200, "ready\n")
        with connect(mesh.inbound) as connection:
            assert get(connection)[0] == 200
    nobody = pod.command("wait", "--health-port", str(pod.health), "--timeout-seconds", "1")
    assert nobody.returncode == 1 and "refused" in nobody.stderr.lower(), nobody


def test_the_control_plane_hears_who_it_is(running):
    with running.pod() as pod:
        pod.wait_ready()
        assert any(b"sidecar~127.0.0.1~web-1.shop~shop.svc.cluster.local" in r for r in running.control.requests)
        assert running.control.refused == 0
        (pod.folder / "secrets/tokens/istio-token").write_text("another")
        running.control.stop()
        running.control.start()
        wait_for("the new token", lambda: running.control.refused > 0)
        assert pod.ready()[0] == 200, "the last configuration stays"
        (pod.folder / "secrets/tokens/istio-token").write_text(TOKEN)
        count = len(running.control.requests)
        wait_for("a stream", lambda: len(running.control.requests) > count)


def test_a_classic_sidecar_ends_when_nothing_is_open(running):
    with running.pod() as pod:
        pod.wait_ready()
        held, kept, out = connect(running.inbound), connect(running.inbound), connect(running.outbound)
        assert b"connection: close" not in get(kept)[1] and b"connection: close" not in get(out)[1]
        held.sendall(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the held request", lambda: any(b"/held" in r for r in running.app.upstream.requests))
        pod.process.send_signal(signal.SIGTERM)
        wait_for("unreadiness", lambda: pod.ready()[0] == 503)
        assert "draining" in pod.ready()[1]
        status, head = get(kept)
        assert status == 200 and b"connection: close" in head
        assert read_to_end(kept) == b""
        with connect(running.inbound) as late:
            status, head = get(late)
            assert status == 200 and b"connection: close" in head
        for _ in range(3):
            status, head = get(out)
            assert status == 200 and b"connection: close" not in head, "outbound goes on as before"
        assert pod.process.poll() is None
        running.app.go.set()
        assert read_answer(held)[0] == 200
        assert pod.wait(5) == 0


def test_it_stays_for_the_least_time_it_was_given(running):
    with running.pod(PROXY_CONFIG='{"concurrency":1,"terminationDrainDuration":"1s"}') as pod:
        pod.wait_ready()
        begun = time.monotonic()
        pod.process.send_signal(signal.SIGTERM)
        assert pod.wait(5) == 0
        assert time.monotonic() - begun >= 1


def test_a_native_sidecar_drains_first_and_ends_with_the_signal(running):
    with running.pod(PROXY_CONFIG='{"concurrency":1,"terminationDrainDuration":"1h"}') as pod:
        pod.wait_ready()
        out = connect(running.outbound)
        drained = pod.command("drain", "--status-port", str(pod.status))
        assert drained.returncode == 0, drained
        assert pod.ready()[0] == 503
        for _ in range(3):
            status, head = get(out)
            assert status == 200 and b"connection: close" not in head
        with connect(running.inbound) as late:
            assert b"connection: close" in get(late)[1]
        assert pod.process.poll() is None
        pod.process.send_signal(signal.SIGTERM)
        assert pod.wait(2) == 0
    gone = pod.command("drain", "--status-port", str(pod.status))
    assert gone.returncode == 1 and "weft proxy drain: " in gone.stderr, gone


def test_a_second_signal_and_quitquitquit_end_it_at_once(running):
    slow = '{"concurrency":1,"terminationDrainDuration":"1h"}'
    with running.pod(PROXY_CONFIG=slow) as pod:
        pod.wait_ready()
        pod.process.send_signal(signal.SIGTERM)
        wait_for("unreadiness", lambda: pod.ready()[0] == 503)
        pod.process.send_signal(signal.SIGTERM)
        assert pod.wait(2) == 0
    with running.pod(PROXY_CONFIG=slow) as pod:
        pod.wait_ready()
        assert pod.ask(pod.status, "/quitquitquit")[0] == 405
        assert pod.ask(pod.status, "/quitquitquit", "POST")[0] == 200
        assert pod.wait(2) == 0


def test_a_gateway_says_good_bye_on_every_listener(running):
    with running.pod(role="router") as pod:
        pod.wait_ready()
        held, out = connect(running.inbound), connect(running.outbound)
        held.sendall(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the held request", lambda: any(b"/held" in r for r in running.app.upstream.requests))
        pod.process.send_signal(signal.SIGTERM)
        wait_for("unreadiness", lambda: pod.ready()[0] == 503)
        status, head = get(out)
        assert status == 200 and b"connection: close" in head
        running.app.go.set()
        assert pod.wait(5) == 0
    assert any(b"router~127.0.0.1~web-1.shop" in r for r in running.control.requests)


def test_only_the_pod_itself_may_end_its_proxy(mesh, tmp_path):
    """In a network namespace with an address beside loopback."""
    prefix = ["unshare", "-n", "sh", "-c", 'ip link set lo up && ip addr add 10.9.9.9/32 dev lo && exec "$@"', "sh"]
    with mesh.pod(prefix=prefix, INSTANCE_IP="10.9.9.9") as pod:
        inside = ["nsenter", "-t", str(pod.process.pid), "-n", "curl", "-s", "-m", "5", "-X", "POST", "-w", "%{http_code}"]

        def post(address):
            return subprocess.run([*inside, f"http://{address}:{pod.status}/drain"], capture_output=True, text=True).stdout

        wait_for("its port", lambda: post("10.9.9.9") == "only from inside the pod\n403")
        assert post("127.0.0.1") == "OK\n200"


def first_answer(running, program):
    """The seconds from a start to the first 200, and the kilobytes of anonymous memory after two hundred more."""
    begun = time.monotonic()
    with running.pod(program=program, PROXY_CONFIG="{}") as pod:
        def answered():
            with connect(running.inbound) as connection:
                return get(connection)[0] == 200
        while True:
            try:
                if answered():
                    break
            except OSError:
                time.sleep(0.002)
            assert time.monotonic() - begun < 20 * SLOW
        first = time.monotonic() - begun
        pod.wait_ready()
        for _ in range(200):
            assert answered()
        kilobytes = pod.anonymous_kilobytes()
        print(f"{pod.program[0].name}: first 200 after {first * 1000:.0f} ms, anonymous {kilobytes} KB")
        return first, kilobytes


@pytest.mark.parametrize("program", [PROXY, WEFT], ids=["weft-proxy", "weft"])
def test_first_answer_and_memory(running, program):
    """Issue 4: first 200 within 300 ms after the start, at most 3 MB of anonymous memory."""
    tries = [first_answer(running, program)]
    # Other work on the machine makes some late.
    while SLOW == 1 and min(tries)[0] > 0.3 and len(tries) < 10:
        tries.append(first_answer(running, program))
    if SLOW == 1:
        assert min(tries)[0] <= 0.3 and all(kilobytes <= 3 * 1024 for _, kilobytes in tries), tries


def test_what_is_missing_or_wrong_is_named(tmp_path):
    def run(*arguments, **environment):
        return subprocess.run([PROXY, "sidecar", *arguments], env=environment, capture_output=True, text=True, timeout=20 * SLOW)

    good = {"POD_NAME": "a", "POD_NAMESPACE": "b", "INSTANCE_IP": "10.0.0.1", "CA_ADDR": "c:15012"}
    for name in good:
        done = run(**{k: v for k, v in good.items() if k != name})
        assert done.returncode == 1 and re.search(rf"environment variable {name}: is missing", done.stderr), done
    assert "--log-level loud" in run("--log-level", "loud", **good).stderr
    assert run("--concurrency", "0", **good).returncode == 2
    bad = run(**good, ISTIO_KUBE_APP_PROBERS="[")
    assert bad.returncode == 1 and "ISTIO_KUBE_APP_PROBERS" in bad.stderr, bad
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = str(taken.getsockname()[1])
        busy = run("--status-port", port, **good)
        assert busy.returncode == 1 and port in busy.stderr, busy


CAPTURING = """
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 15000}}}
static_resources:
  listeners:
  - name: virtualOutbound
    address: {socket_address: {address: 0.0.0.0, port_value: 15001}}
    use_original_dst: true
    filter_chains: [{filters: [{name: envoy.filters.network.tcp_proxy, typed_config: {
      "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: out, cluster: out}}]}]
  - name: virtualInbound
    address: {socket_address: {address: 0.0.0.0, port_value: 15006}}
    listener_filters: [{name: envoy.filters.listener.original_dst, typed_config: {
      "@type": type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst}}]
    filter_chains: [{filters: [{name: envoy.filters.network.tcp_proxy, typed_config: {
      "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: in, cluster: in}}]}]
  clusters:
  - {name: out, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 1s}
  - {name: in, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 1s,
     upstream_bind_config: {source_address: {address: 127.0.0.6, port_value: 0}}}
"""
FROM_OUTSIDE = """
import socket, sys
for port in (15001, 15006):
    for _ in range(50):
        try:
            with socket.create_connection(("10.88.0.2", port), timeout=5) as connection:
                connection.sendall(b"hello")
                assert connection.recv(100) == b""
        except (ConnectionResetError, ConnectionRefusedError, BrokenPipeError):
            pass
with socket.create_connection(("10.88.0.2", 7777), timeout=5) as connection:
    print(connection.recv(100).decode())
"""


@pytest.fixture
def two_namespaces():
    """A pod whose inbound TCP goes to 15006, and a neighbour of it."""
    pod, outside = (f"weft-{name}-{free_port()}" for name in ("pod", "out"))
    rules = ("table ip nat { chain pre { type nat hook prerouting priority -100; "
             "meta l4proto tcp redirect to :15006; }; }")

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    try:
        for name in (pod, outside):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", pod, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", outside)
        for name, address in ((pod, "10.88.0.2/24"), (outside, "10.88.0.1/24")):
            ip("-n", name, "addr", "add", address, "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        subprocess.run(["ip", "netns", "exec", pod, "nft", "-f", "-"], input=rules, text=True, check=True)
        yield pod, outside
    finally:
        for name in (pod, outside):
            subprocess.run(["ip", "netns", "del", name], check=False)


def test_a_connection_to_a_capturing_port_from_outside_is_closed(two_namespaces, tmp_path):
    """Also without the chains that a control plane sends for it. What is meant for the application still gets there."""
    pod, outside = two_namespaces
    bootstrap = tmp_path / "bootstrap.yaml"
    bootstrap.write_text(CAPTURING)
    inside = ["ip", "netns", "exec", pod]
    server = "import socket\ns = socket.create_server(('10.88.0.2', 7777))\nwhile True:\n  c, a = s.accept(); c.sendall(b'served ' + a[0].encode()); c.close()"
    application = subprocess.Popen([*inside, "python3", "-c", server])
    proxy = subprocess.Popen([*inside, PROXY, "-c", bootstrap, "--concurrency", "1"])

    def admin(path):
        return subprocess.run([*inside, "curl", "-s", "-m", "5", f"http://127.0.0.1:15000{path}"],
                              capture_output=True, text=True, check=True).stdout

    try:
        wait_for("the proxy", lambda: "LIVE" in admin("/ready"))
        wait_for("the application", lambda: ":7777" in subprocess.run([*inside, "ss", "-Hltn"], capture_output=True, text=True).stdout)
        done = subprocess.run(["ip", "netns", "exec", outside, "python3", "-c", FROM_OUTSIDE],
                              capture_output=True, text=True, timeout=120 * SLOW)
        assert done.stdout == "served 127.0.0.6\n", done
        stats = admin("/stats")
        assert "listener.virtualInbound.downstream_cx_to_itself: 100\n" in stats, stats
        assert "listener.virtualInbound.downstream_cx_total: 101\n" in stats, stats
        assert "listener.virtualOutbound.downstream_cx_total: 0\n" in stats or "virtualOutbound" not in stats, stats
        wait_for("closed descriptors", lambda: len(list((Path("/proc") / str(proxy.pid) / "fd").iterdir())) < 40)
    finally:
        for process in (proxy, application):
            process.kill()
            process.wait()


NAME_SERVER = """
import socket, struct
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    question, kind = query[12:at + 5], struct.unpack(">H", query[at + 1:at + 3])[0]
    found = ".".join(labels) == "weft-control.weft-system.svc.cluster.test" and kind == 1
    known = ".".join(labels) == "weft-control.weft-system.svc.cluster.test"
    head = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, 1 if found else 0, 0, 0)
    record = b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + bytes([127, 0, 0, 9]) if found else b""
    server.sendto(head + question + record, client)
"""


def test_the_control_plane_s_name_is_looked_up_through_the_pod_s_search_list(mesh, tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\nsearch shop.svc.cluster.test svc.cluster.test cluster.test\noptions ndots:5\n")
    (tmp_path / "server.py").write_text(NAME_SERVER)
    script = (f'ip link set lo up; mount --bind {tmp_path}/resolv.conf /etc/resolv.conf; '
              f'python3 {tmp_path}/server.py & exec "$@"')
    # The namespace of process ids takes the name server with it.
    prefix = ["unshare", "-n", "-m", "-p", "--fork", "--kill-child", "sh", "-c", script, "sh"]
    with mesh.pod(prefix=prefix, CA_ADDR="weft-control.weft-system.svc:15012") as pod:
        wait_for("the name", lambda: "connect 127.0.0.9:15012" in pod.text(), 30)
