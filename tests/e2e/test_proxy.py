"""weft-proxy as a process on a static bootstrap: what it does beyond routing, seen from outside."""
import http.client
import json
import re
import signal
import socket
import threading

import pytest

from harness import SLOW, free_port, wait_for
from proxy_harness import PROXY, Proxy, Upstream, read_answer, read_to_end
import subprocess


@pytest.fixture
def upstream():
    made = Upstream()
    yield made
    made.close()


def admin(proxy, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.admin, timeout=10 * SLOW)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def get(proxy, path="/", headers=""):
    with proxy.connect() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode())
        return read_answer(connection)


def test_the_admin_pages_answer_what_tools_ask_for(upstream, tmp_path):
    with Proxy(upstream.port, tmp_path) as proxy:
        wait_for("readiness", lambda: admin(proxy, "/ready")[0] == 200)
        assert get(proxy)[0] == 200
        assert "LIVE" in admin(proxy, "/ready")[1]
        prometheus = admin(proxy, "/stats/prometheus")[1]
        assert re.search(r'^envoy_cluster_upstream_rq_total\{[^}]*upstream[^}]*\} 1$', prometheus, re.M), prometheus[:2000]
        assert "cluster.upstream.upstream_rq_total: 1" in admin(proxy, "/stats")[1]
        dump = json.loads(admin(proxy, "/config_dump")[1])
        assert "front" in json.dumps(dump) and "virtual_hosts" in json.dumps(dump)
        assert f"upstream::127.0.0.1:{upstream.port}::" in admin(proxy, "/clusters")[1]
        assert f"127.0.0.1:{proxy.port}" in admin(proxy, "/listeners")[1]
        assert admin(proxy, "/logging?level=debug", "POST")[0] == 200
        assert admin(proxy, "/nonsense")[0] == 404


def test_the_signals_of_log_rotation_end_nothing(upstream, tmp_path):
    with Proxy(upstream.port, tmp_path) as proxy:
        for number in (signal.SIGHUP, signal.SIGUSR1):
            proxy.process.send_signal(number)
            assert get(proxy)[0] == 200
        assert proxy.process.poll() is None


def test_requests_share_one_upstream_connection(upstream, tmp_path):
    with Proxy(upstream.port, tmp_path) as proxy:
        for _ in range(50):
            assert get(proxy)[0] == 200
    assert len(upstream.requests) == 50 and upstream.connections == 1


def test_an_upgrade_is_passed_through_and_carries_bytes_both_ways(tmp_path):
    def act(connection, request):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := connection.recv(1000):
            connection.sendall(data.upper())
        return False
    upstream = Upstream(act=act)
    with Proxy(upstream.port, tmp_path, extra_hcm="upgrade_configs: [{upgrade_type: websocket}]") as proxy:
        with proxy.connect() as connection:
            connection.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\nearly")
            data = b""
            while b"EARLY" not in data:
                data += connection.recv(1000)
            assert data.startswith(b"HTTP/1.1 101 ")
            connection.sendall(b"later")
            assert connection.recv(1000) == b"LATER"
    upstream.close()


def test_a_slow_upstream_is_504_after_the_route_s_timeout(tmp_path):
    release = threading.Event()
    upstream = Upstream(act=lambda connection, request: release.wait(20) and False)
    with Proxy(upstream.port, tmp_path, routes="- {match: {prefix: /}, route: {cluster: upstream, timeout: 0.2s}}") as proxy:
        status, _, body = get(proxy)
        assert status == 504 and b"timeout" in body
        release.set()
    upstream.close()


def test_sigterm_lets_an_open_request_end_and_takes_no_new_one(tmp_path):
    asked, release = threading.Event(), threading.Event()

    def act(connection, request):
        asked.set()
        release.wait(20)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
    upstream = Upstream(act=act)
    with Proxy(upstream.port, tmp_path, routes="- {match: {prefix: /}, route: {cluster: upstream, timeout: 60s}}") as proxy:
        with proxy.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert asked.wait(10 * SLOW)
            proxy.process.send_signal(signal.SIGTERM)

            def refused():
                try:
                    proxy.connect().close()
                except ConnectionRefusedError:
                    return True
            wait_for("the listener to close", refused)
            release.set()
            assert read_answer(connection)[2] == b"late"
        assert proxy.process.wait(timeout=10 * SLOW) == 0
    upstream.close()


def run_bootstrap(tmp_path, text, port):
    file = tmp_path / "own.yaml"
    file.write_text(text)
    process = subprocess.Popen([PROXY, "-c", file, "--concurrency", "1"])

    def accepts():
        assert process.poll() is None
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    wait_for("the proxy's port", accepts)
    return process


def cluster(name, ports, policy="ROUND_ROBIN"):
    endpoints = ", ".join(f"{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {p}}}}}}}}}" for p in ports)
    return (f"  - name: {name}\n    connect_timeout: 1s\n    type: STATIC\n    lb_policy: {policy}\n"
            f"    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{endpoints}]}}]}}\n")


def test_plain_tcp_is_joined_both_ways_and_each_end_is_passed_on(tmp_path):
    port = free_port()
    server = socket.create_server(("127.0.0.1", 0))
    got = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            data = b""
            while piece := connection.recv(65536):
                data += piece
            got.append(data)
            connection.sendall(b"all: " + str(len(data)).encode())
            connection.close()
    threading.Thread(target=serve, daemon=True).start()
    process = run_bootstrap(tmp_path, f"""
static_resources:
  listeners:
  - name: tcp
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: c}}
  clusters:
{cluster("c", [server.getsockname()[1]])}""", port)
    try:
        payload = bytes(range(256)) * 4096
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(10 * SLOW)
            connection.sendall(payload)
            connection.shutdown(socket.SHUT_WR)
            assert read_to_end(connection) == b"all: " + str(len(payload)).encode()
        assert payload in got
    finally:
        process.terminate()
        assert process.wait(timeout=20 * SLOW) == 0
        server.close()


@pytest.mark.parametrize("policy", ["ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"])
def test_every_endpoint_gets_its_share_by(policy, tmp_path):
    port = free_port()
    upstreams = [Upstream() for _ in range(3)]
    process = run_bootstrap(tmp_path, f"""
static_resources:
  listeners:
  - name: front
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          route_config:
            name: r
            virtual_hosts: [{{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: c}}}}]}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
{cluster("c", [u.port for u in upstreams], policy)}""", port)
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for _ in range(3000):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert read_answer(connection)[0] == 200
        counts = [len(u.requests) for u in upstreams]
        assert sum(counts) == 3000
        if policy == "ROUND_ROBIN":
            assert counts == [1000, 1000, 1000]
        # 3000 draws of one in three: six standard deviations are 155.
        assert all(840 <= count <= 1160 for count in counts), counts
    finally:
        process.terminate()
        process.wait(timeout=20 * SLOW)
        for each in upstreams:
            each.close()


def test_the_access_log_says_what_happened_with_istio_s_flags(upstream, tmp_path):
    log = tmp_path / "access.log"
    routes = """- {match: {prefix: /none}, route: {cluster: missing}}
              - {match: {prefix: /up}, route: {cluster: upstream}}"""
    extra = f"""access_log:
          - name: envoy.access_loggers.file
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: {log}}}"""
    with Proxy(upstream.port, tmp_path, routes=routes, extra_hcm=extra) as proxy:
        assert get(proxy, "/up/a?b=c", "User-Agent: tester\r\n")[0] == 200
        assert get(proxy, "/none")[0] == 503
        assert get(proxy, "/elsewhere")[0] == 404
    lines = log.read_text().splitlines()
    assert len(lines) == 3, lines
    assert '"GET /up/a?b=c HTTP/1.1" 200 - ' in lines[0] and '"tester"' in lines[0], lines[0]
    assert f'"127.0.0.1:{upstream.port}"' in lines[0], lines[0]
    assert '"GET /none HTTP/1.1" 503 NC ' in lines[1], lines[1]
    assert '"GET /elsewhere HTTP/1.1" 404 NR ' in lines[2], lines[2]
