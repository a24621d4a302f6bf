"""Measures weft beside a bare relay, nginx, HAProxy and Envoy in one run and prints a table and JSON.

Rules: every proxy runs one worker pinned to one core, in front of the same nginx that answers 250 bytes; the access
log goes to a file in every proxy, and a run whose log lines, requests and status codes do not agree is void. CPU is
user plus system time of the proxy's processes divided by requests. weft and Envoy read the same bootstrap file.
With --before, another weft-proxy is measured in turns with this one and the ratio of each turn counts.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
ENVOY = ROOT / "build/venv/bin/envoy"
TICKS = os.sysconf("SC_CLK_TCK")
CLUSTERS, ROUTES = 100, 1000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def family(pid):
    found, stack = [pid], [pid]
    while stack:
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{stack.pop()}/task").iterdir():
                for child in (task / "children").read_text().split():
                    found.append(int(child))
                    stack.append(int(child))
    return found


def smaps(pids, key):
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(key + ":"):
                total += int(line.split()[1])
    return total


def switches(pids):
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int(re.search(r"voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text()).group(1))
    return total


def answers(port, deadline=5.0):
    """Polls until the proxy on `port` answers 200; seconds since the call, to a quarter of a millisecond."""
    began = time.monotonic()
    request = b"GET /r999/x HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
    while time.monotonic() - began < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(request)
                if connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.00025)
    raise RuntimeError(f"nothing answers 200 on port {port}")


class Peer:
    """One proxy under measurement."""

    def __init__(self, name, directory, upstream):
        self.name, self.directory, self.upstream = name, directory / name, upstream
        self.directory.mkdir()
        self.port, self.log = free_port(), self.directory / "access.log"
        self.process = None

    def command(self):
        return getattr(self, "command_" + self.name)()

    def command_relay(self):
        return [BUILD / "bench/relay", str(self.port), str(self.upstream)]

    def command_nginx(self):
        locations = "".join(f"    location /r{i}/ {{ proxy_pass http://c{i % CLUSTERS}; }}\n" for i in range(ROUTES))
        upstreams = "".join(f"  upstream c{i} {{ server 127.0.0.1:{self.upstream}; keepalive 64; }}\n" for i in range(CLUSTERS))
        return self.nginx(upstreams, f"listen 127.0.0.1:{self.port};", locations)

    def nginx(self, upstreams, listen, locations):
        (self.directory / "nginx.conf").write_text(nginx_config(self.directory, f"""
  access_log {self.log} combined buffer=64k flush=1s;
{upstreams}
  server {{
    {listen} proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
{locations}  }}
"""))
        return ["nginx", "-c", self.directory / "nginx.conf"]

    def command_haproxy(self):
        backends = "".join(f"backend c{i}\n  http-reuse always\n  server s 127.0.0.1:{self.upstream}\n" for i in range(CLUSTERS))
        table = "".join(f"/r{i}/ c{i % CLUSTERS}\n" for i in range(ROUTES))
        (self.directory / "routes.map").write_text(table)
        return self.haproxy(f"""
frontend front
  bind 127.0.0.1:{self.port}
  use_backend %[path,map_beg({self.directory}/routes.map)]
{backends}""")

    def haproxy(self, frontend_and_backends):
        (self.directory / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  log 127.0.0.1:{self.syslog()} format raw local0
  maxconn 4096
defaults
  mode http
  log global
  option httplog
  timeout client 60s
  timeout server 60s
  timeout connect 5s
{frontend_and_backends}""")
        return ["haproxy", "-db", "-f", self.directory / "haproxy.cfg"]

    def syslog(self):
        """HAProxy logs to a datagram socket only; a small process of ours writes what comes to the file."""
        port = free_port()
        self.writer = subprocess.Popen([sys.executable, "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
s.bind(("127.0.0.1", {port}))
with open({str(self.log)!r}, "ab", buffering=1 << 16) as f:
    while True:
        f.write(s.recv(65536).rstrip(b"\\n") + b"\\n")
        s.settimeout(0.2)
        try:
            while True: f.write(s.recv(65536).rstrip(b"\\n") + b"\\n")
        except TimeoutError: f.flush()
        s.settimeout(None)
"""])
        return port

    def bootstrap(self):
        file = self.directory / "bootstrap.yaml"
        routes = "".join(f"              - {{match: {{prefix: /r{i}/}}, route: {{cluster: c{i % CLUSTERS}}}}}\n" for i in range(ROUTES))
        endpoint = f"{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {self.upstream}}}}}}}}}"
        clusters = "".join(f"  - name: c{i}\n    connect_timeout: 5s\n    type: STATIC\n    load_assignment: "
                           f"{{cluster_name: c{i}, endpoints: [{{lb_endpoints: [{endpoint}]}}]}}\n" for i in range(CLUSTERS))
        file.write_text(f"""
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {free_port()}}}}}}}
static_resources:
  listeners:
  - name: front
    address: {{socket_address: {{address: 127.0.0.1, port_value: {self.port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {self.log}
          route_config:
            name: routes
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
{routes}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
{clusters}""")
        return file

    def command_envoy(self):
        return [ENVOY, "-c", self.bootstrap(), "--concurrency", "1", "--use-dynamic-base-id", "-l", "error",
                "--file-flush-interval-msec", "200"]

    def command_weft(self):
        return [BUILD / "src/app/weft-proxy", "-c", self.bootstrap(), "--concurrency", "1"]

    def command_before(self):
        return [self.program, "-c", self.bootstrap(), "--concurrency", "1"]

    def start(self, core=0):
        command = self.command()
        began = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self.ready()
        return time.monotonic() - began

    def ready(self):
        answers(self.port)

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if hasattr(self, "writer"):
            self.writer.terminate()
            self.writer.wait()

    def pids(self):
        return family(self.process.pid)

    def log_lines(self):
        return sum(1 for _ in open(self.log, "rb")) if self.log.exists() else 0


def wrk(port, seconds, connections=32, core=1):
    path = f"http://127.0.0.1:{port}/r999/x"
    out = subprocess.run(["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", "Host: bench",
                          "--latency", path], check=True, capture_output=True, text=True).stdout
    bad = re.search(r"(Non-2xx or 3xx responses|Socket errors).*", out)
    return int(re.search(r"(\d+) requests in", out).group(1)), bad.group(0) if bad else None


def latency_at_rate(port, rate, seconds):
    """p50 and p99 in microseconds of requests sent at fixed times on kept connections, from when each was due."""
    import threading
    connections, results = 8, []

    def work(index):
        interval = connections / rate
        request = b"GET /r999/x HTTP/1.1\r\nHost: bench\r\n\r\n"
        mine = []
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.perf_counter() + index * interval / connections
            for number in range(int(seconds * rate / connections)):
                due = began + number * interval
                pause = due - time.perf_counter()
                if pause > 0:
                    time.sleep(pause)
                sent = time.perf_counter()
                connection.sendall(request)
                connection.recv(65536)
                mine.append((time.perf_counter() - max(due, sent)) * 1e6)
        results.extend(mine)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.sort()
    return results[len(results) // 2], results[int(len(results) * 0.99)]


def measure_cpu(peer, seconds, load=wrk, under_way=64):
    """CPU in microseconds a request, and requests a second. `load` counts neither what is under way when it ends, nor what it sent
    before its clock began: `under_way` at most."""
    load(peer.port, 1)
    seen = -1
    while seen != peer.log_lines():
        seen = peer.log_lines()
        time.sleep(1.5)
    lines, before, pids = peer.log_lines(), cpu_seconds(peer.pids()), peer.pids()
    requests, bad = load(peer.port, seconds)
    spent = cpu_seconds(pids) - before
    if bad:
        raise RuntimeError(f"{peer.name}: {bad}")
    deadline = time.monotonic() + 10
    while peer.name != "relay" and time.monotonic() < deadline and peer.log_lines() - lines < requests:
        time.sleep(0.2)
    logged = peer.log_lines() - lines
    if peer.name != "relay" and not requests <= logged <= requests + under_way:
        raise RuntimeError(f"{peer.name}: {requests} requests and {logged} log lines: the run is void")
    return spent / requests * 1e6, requests / seconds


def measure_peer(name, directory, upstream, options):
    peer = Peer(name, directory, upstream)
    figures = {"first_200_ms": peer.start() * 1e3}
    try:
        time.sleep(1)
        figures["anonymous_kb"] = smaps(peer.pids(), "Anonymous")
        figures["pss_kb"] = smaps(peer.pids(), "Pss")
        before = switches(peer.pids())
        time.sleep(options.idle)
        figures["wakeups_per_s_idle"] = (switches(peer.pids()) - before) / options.idle
        runs = [measure_cpu(peer, options.seconds) for _ in range(options.runs)]
        figures["cpu_us_per_request"] = statistics.median(r[0] for r in runs)
        figures["requests_per_s"] = statistics.median(r[1] for r in runs)
        figures["p50_us"], figures["p99_us"] = latency_at_rate(peer.port, 1000, options.seconds)
    finally:
        peer.stop()
    starts = []
    for number in range(options.starts):
        again = Peer(name, directory, upstream) if not (directory / name).exists() else None
        shutil.rmtree(directory / name, ignore_errors=True)
        again = Peer(name, directory, upstream)
        starts.append(again.start() * 1e3)
        again.stop()
    if starts:
        figures["first_200_ms"] = statistics.median(starts)
    return figures


def compare(before, directory, upstream, options):
    """CPU per request of this weft-proxy over that of another one: the median of the turns, and all of them."""
    turns = directory / "turns"  # the peers measured by themselves have folders of the same names
    turns.mkdir()
    peers = {name: Peer(name, turns, upstream) for name in ["weft", "before"]}
    peers["before"].program = before
    ratios = []
    try:
        for peer in peers.values():
            peer.start()
        for turn in range(options.turns):
            order = ["weft", "before"] if turn % 2 else ["before", "weft"]
            spent = {name: measure_cpu(peers[name], options.seconds)[0] for name in order}
            ratios.append(spent["weft"] / spent["before"])
    finally:
        for peer in peers.values():
            if peer.process:
                peer.stop()
    return {"median": statistics.median(ratios), "turns": ratios}


def nginx_config(directory, http):
    return f"""
worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  keepalive_requests 100000000; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
{http}}}
"""


def backend(directory, more=""):
    """An nginx on a port of its own that answers 250 bytes; `more` stands behind the port in its listen directive."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="backend-", dir=directory))
    port = free_port()
    (folder / "nginx.conf").write_text(nginx_config(folder, f"""
  access_log off;
  server {{ listen 127.0.0.1:{port}{more}; location / {{ default_type text/plain; return 200 "{"x" * 250}"; }} }}
"""))
    process = subprocess.Popen(["taskset", "-c", "1", "nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    if not more:
        answers(port)
    return process, port


def mesh_figures(runs):
    """`weft up` to the first page, and one sidecar as one of seven."""
    sys.path.insert(0, str(ROOT / "tests/e2e"))
    from harness import BOOKINFO, GATEWAY, SUBSETS, Instance
    figures, to_page, first = {}, [], []
    for number in range(runs):
        mesh = Instance(BOOKINFO, SUBSETS, GATEWAY)
        try:
            began = time.monotonic()
            arguments = ["--name", mesh.name, f"--ingress-port={mesh.port}", "--detach"]
            for file in mesh.files:
                arguments += ["-f", str(file)]
            starter = subprocess.Popen([BUILD / "src/cli/weft", "up", *arguments], env=mesh.environment,
                                       stdout=subprocess.DEVNULL)
            while True:
                with contextlib.suppress(OSError, Exception):
                    if mesh.get(timeout=2).status == 200:
                        break
                time.sleep(0.002)
            to_page.append((time.monotonic() - began) * 1e3)
            starter.wait()
            if number == runs - 1:
                mesh.wait_ready()
                sidecars = [pid for pid, line in mesh.processes().items() if "bootstrap" in line]
                control = [pid for pid, line in mesh.processes().items() if " control " in f" {line} "]
                time.sleep(2)
                figures["sidecars"] = len(sidecars)
                figures["sidecar_anonymous_kb"] = statistics.median(smaps([p], "Anonymous") for p in sidecars)
                figures["sidecar_pss_one_of_seven_kb"] = statistics.median(smaps([p], "Pss") for p in sidecars)
                figures["sidecar_resident_kb"] = statistics.median(smaps([p], "Rss") for p in sidecars)
                before = switches(sidecars)
                time.sleep(5)
                figures["sidecar_wakeups_per_s_idle"] = (switches(sidecars) - before) / 5 / len(sidecars)
                figures["control_resident_kb"] = smaps(control, "Rss")
                figures["sidecar_first_200_with_control_plane_ms"] = restart_to_first_200(mesh)
        finally:
            mesh.destroy()
    figures["up_to_first_page_ms"] = statistics.median(to_page)
    return figures


def restart_to_first_200(mesh):
    """Kills one sidecar and polls its readiness port from inside the pod: exec to configured by the control plane."""
    pod = mesh.pod_name("details")
    application = mesh.application_pid(pod)
    probe = """
import socket, sys, time
def ready():
    try:
        with socket.create_connection(("127.0.0.1", 15000), timeout=1) as c:
            c.sendall(b"GET /ready HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
            return c.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
while ready(): pass
while not ready(): time.sleep(0.0005)
print(time.clock_gettime(time.CLOCK_BOOTTIME))
"""
    times = []
    for _ in range(5):
        old = mesh.sidecar_pid(pod)
        watcher = subprocess.Popen(["nsenter", "-t", str(application), "-n", sys.executable, "-c", probe],
                                   stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        os.kill(old, signal.SIGKILL)
        ready_at = float(watcher.communicate(timeout=30)[0])
        started = int(pathlib.Path(f"/proc/{mesh.sidecar_pid(pod)}/stat").read_text().rsplit(")", 1)[1].split()[19]) / TICKS
        times.append((ready_at - started) * 1e3)
        time.sleep(0.5)
    return statistics.median(times)


COLUMNS = [("cpu_us_per_request", "CPU µs/request", "{:.2f}"), ("relative", "× relay", "{:.2f}"),
           ("requests_per_s", "requests/s", "{:.0f}"), ("p50_us", "p50 µs", "{:.0f}"), ("p99_us", "p99 µs", "{:.0f}"),
           ("anonymous_kb", "anonymous kB", "{:.0f}"), ("pss_kb", "PSS kB", "{:.0f}"),
           ("first_200_ms", "first 200 ms", "{:.1f}"), ("wakeups_per_s_idle", "idle wake-ups/s", "{:.1f}")]


def table(results):
    lines = [["proxy"] + [title for _, title, _ in COLUMNS]]
    for name, figures in results.items():
        lines.append([name] + [form.format(figures[key]) if key in figures else "-" for key, _, form in COLUMNS])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("   ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
                     for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--starts", type=int, default=11)
    parser.add_argument("--idle", type=int, default=5)
    parser.add_argument("--peers", default="relay,nginx,haproxy,envoy,weft")
    parser.add_argument("--no-mesh", action="store_true")
    parser.add_argument("--before", type=pathlib.Path, help="another weft-proxy to compare with in the same run")
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="weft-bench-"))
    process, upstream = backend(directory)
    results, compared = {}, {}
    try:
        if options.before:
            compared = compare(options.before.absolute(), directory, upstream, options)
            print(f"CPU per request over the other's: {compared['median']:.3f}  "
                  f"({' '.join(f'{ratio:.3f}' for ratio in sorted(compared['turns']))})")
        for name in filter(None, options.peers.split(",")):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            results[name] = measure_peer(name, directory, upstream, options)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)
    for figures in results.values():
        if "relay" in results:
            figures["relative"] = figures["cpu_us_per_request"] / results["relay"]["cpu_us_per_request"]
    if results:
        print(table(results))
    mesh = {}
    if not options.no_mesh:
        print("measuring the mesh ...", file=sys.stderr, flush=True)
        mesh = mesh_figures(5)
        print()
        for key, value in mesh.items():
            print(f"{key:42} {value:10.1f}")
    out = BUILD / "bench.json"
    out.write_text(json.dumps({"proxies": results, "mesh": mesh, "before": compared}, indent=1))
    print(f"\nwritten to {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
