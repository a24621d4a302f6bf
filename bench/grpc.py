"""Measures weft beside HAProxy, nghttpx, nginx and Envoy as a proxy of unary gRPC calls, in one run; prints a table and JSON.

The rules are those of http2.py. The endpoint is samples/grpc-echo, a server on the gRPC library; each call carries a message of 64
bytes there and back, and its response ends in trailers. The load is h2load, which posts the message.
"""
import argparse
import json
import pathlib
import re
import subprocess
import tempfile
import time

from http2 import CONNECTIONS, STREAMS, Peer, chosen, in_turns
from run import ROOT, free_port

PEERS = ["nginx", "haproxy", "nghttpx", "envoy", "weft"]

SAY = "/weft.samples.echo.v1.Echo/Say"
TEXT = "x" * 62
# gRPC's framing of a message: not compressed, a length of 4 bytes; then field 1 of the message, a text.
MESSAGE = b"\0" + (len(TEXT) + 2).to_bytes(4, "big") + b"\x0a" + bytes([len(TEXT)]) + TEXT.encode()


class GrpcPeer(Peer):
    """A proxy with gRPC calls on both sides."""

    def __init__(self, name, directory, upstream):
        super().__init__(name, directory, upstream, "h2")
        self.message = directory / "message"
        self.message.write_bytes(MESSAGE)

    def command_nginx(self):
        return self.nginx(f"  upstream c {{ server 127.0.0.1:{self.upstream}; keepalive 128; }}",
                          f"listen 127.0.0.1:{self.port} http2;", "    location / { grpc_pass grpc://c; }\n")

    def bootstrap(self):
        file = super().bootstrap()
        file.write_text(file.read_text().replace("prefix: /r999/", f"prefix: {SAY}"))
        return file

    def ready(self):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if "grpc-status: 0" in call(self.port, self.message):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not respond on port {self.port}")


def call(port, message):
    """What one call has brought: heads and trailers."""
    return subprocess.run(["curl", "-s", "--max-time", "5", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "--data-binary",
                           f"@{message}", "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://127.0.0.1:{port}{SAY}"],
                          capture_output=True, text=True).stdout


def load_with(message):
    def load(port, seconds):
        """How many calls had a response of 200; what else there was, or None."""
        out = subprocess.run(["taskset", "-c", "1", "h2load", f"-c{CONNECTIONS}", f"-m{STREAMS}", f"-D{seconds}", "-t1", "-d", message,
                              "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://127.0.0.1:{port}{SAY}"],
                             check=True, capture_output=True, text=True).stdout
        done, failed, errored = (int(re.search(rf"(\d+) {word}", out).group(1)) for word in ("succeeded", "failed", "errored"))
        return done, None if failed == errored == 0 else out
    return load


def compare(directory, options):
    port = free_port()
    server = subprocess.Popen(["taskset", "-c", "1", ROOT / "build/release/samples/grpc-echo/grpc-echo", "serve", f"--port={port}"],
                              stdout=subprocess.DEVNULL)
    try:
        peers = {name: GrpcPeer(name, directory, port) for name in chosen(PEERS, options)}
        measured = in_turns(peers, lambda peer: load_with(peer.message), options)
    finally:
        server.terminate()
        server.wait()
    return {name: {"cpu_us_per_call": cpu, "calls_per_s": rate} for name, (cpu, rate) in measured.items()}


def table(results):
    print(f"{'':28}{'CPU a call':>16}{'weft to it':>13}{'calls/s':>13}")
    ours = results["weft"]["cpu_us_per_call"]
    for name, figures in results.items():
        spent = figures["cpu_us_per_call"]
        print(f"gRPC unary calls: {name:<10}{spent:>14.1f}us{ours / spent:>13.2f}{figures['calls_per_s']:>13.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of load in each run")
    parser.add_argument("--runs", type=int, default=5, help="of each peer, in turns; the median counts")
    parser.add_argument("--without", nargs="*", default=[], choices=PEERS[:-1], help="peers to leave out")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as directory:
        results = compare(pathlib.Path(directory), options)
    table(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
