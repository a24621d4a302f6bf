"""Measures weft beside HAProxy, nghttpx, nginx and Envoy as proxies of HTTP/2, in one run; prints a table and JSON.

The rules are those of run.py: one worker on one core, the access log on, a run whose requests, statuses and log lines do not agree is
void. The load is h2load: 8 connections with 10 streams each, to HTTP/2 endpoints and to HTTP/1 endpoints.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from run import ENVOY, backend, measure_cpu
from run import Peer as Http1Peer

CONNECTIONS, STREAMS = 8, 10
PEERS = {"h2": ["haproxy", "nghttpx", "envoy", "weft"], "h1": ["nginx", "haproxy", "nghttpx", "envoy", "weft"]}


class Peer(Http1Peer):
    """A proxy whose clients speak HTTP/2 and whose endpoint speaks `to`: h2 or h1."""

    def __init__(self, name, directory, upstream, to):
        super().__init__(name, directory, upstream)
        self.to = to

    def command_nginx(self):
        return self.nginx(f"  upstream c {{ server 127.0.0.1:{self.upstream}; keepalive 128; }}",
                          f"listen 127.0.0.1:{self.port} http2;", "    location / { proxy_pass http://c; }\n")

    def command_haproxy(self):
        endpoint = "proto h2" if self.to == "h2" else ""
        return self.haproxy(f"""
frontend front
  bind 127.0.0.1:{self.port} proto h2
  default_backend c
backend c
  http-reuse always
  server s 127.0.0.1:{self.upstream} {endpoint}
""")

    def command_nghttpx(self):
        endpoint = ";;proto=h2" if self.to == "h2" else ""
        return ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{self.port};no-tls", f"--backend=127.0.0.1,{self.upstream}{endpoint}",
                "--workers=1", f"--accesslog-file={self.log}", "--errorlog-file=/dev/null", "--backend-connections-per-host=1024"]

    def bootstrap(self):
        file = super().bootstrap()
        options = ("    typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": "
                   "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: "
                   "{http2_protocol_options: {}}}}\n")
        if self.to == "h2":
            file.write_text(file.read_text().replace("    connect_timeout: 5s\n", "    connect_timeout: 5s\n" + options))
        return file

    def ready(self):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--http2-prior-knowledge",
                                   f"http://127.0.0.1:{self.port}/r999/x"], capture_output=True, text=True)
            if done.stdout == "200":
                return
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} answers nothing on port {self.port}")


def h2load(port, seconds):
    """How many requests were answered 200; what else there was, or None."""
    out = subprocess.run(["taskset", "-c", "1", "h2load", f"-c{CONNECTIONS}", f"-m{STREAMS}", f"-D{seconds}", "-t1",
                          f"http://127.0.0.1:{port}/r999/x"], check=True, capture_output=True, text=True).stdout
    done, failed, errored = (int(re.search(rf"(\d+) {word}", out).group(1)) for word in ("succeeded", "failed", "errored"))
    return done, None if failed == errored == 0 else out


def in_turns(peers, load_of, options):
    """Starts `peers`, by name, and measures each in turns: medians of CPU in microseconds a request, and of requests a second."""
    rounds = {}
    try:
        for peer in peers.values():
            peer.start()
        for turn in range(options.runs):
            for name in list(peers) if turn % 2 else list(reversed(peers)):
                rounds.setdefault(name, []).append(
                    measure_cpu(peers[name], options.seconds, load_of(peers[name]), 2 * CONNECTIONS * STREAMS))
    finally:
        for peer in peers.values():
            if peer.process:
                peer.stop()
    return {name: tuple(statistics.median(figures) for figures in zip(*made)) for name, made in rounds.items()}


def chosen(names, options):
    """Without those that are left out, or not there."""
    return [name for name in names if name not in options.without and (name != "envoy" or ENVOY.exists())]


def compare(to, directory, options):
    server, port = backend(directory, " http2" if to == "h2" else "")
    folder = directory / to
    folder.mkdir(exist_ok=True)
    try:
        peers = {name: Peer(name, folder, port, to) for name in chosen(PEERS[to], options)}
        measured = in_turns(peers, lambda peer: h2load, options)
    finally:
        server.terminate()
        server.wait()
    return {name: {"cpu_us_per_request": cpu, "requests_per_s": rate} for name, (cpu, rate) in measured.items()}


def table(results):
    print(f"{'':28}{'CPU a request':>16}{'weft to it':>13}{'requests/s':>13}")
    for to, peers in results.items():
        ours = peers["weft"]["cpu_us_per_request"]
        for name, figures in peers.items():
            spent = figures["cpu_us_per_request"]
            print(f"HTTP/2 to HTTP/{to[1]}: {name:<12}{spent:>14.1f}us{ours / spent:>13.2f}{figures['requests_per_s']:>13.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of load in each run")
    parser.add_argument("--runs", type=int, default=5, help="of each peer, in turns; the median counts")
    parser.add_argument("--without", nargs="*", default=[], choices=sorted({*PEERS["h1"], *PEERS["h2"]} - {"weft"}), help="peers to leave out")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as directory:
        results = {to: compare(to, pathlib.Path(directory), options) for to in ("h2", "h1")}
    table(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
