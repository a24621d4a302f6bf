"""Measures the memory of idle connections: anonymous memory of weft-proxy with so many more of them, each of which has done one request.

    scripts/python bench/idle.py [--connections 10000] [--proxy FILE]

Prints a table and JSON. The request is that of a usual client; between the two readings nothing else is asked of the proxy.
"""
import argparse
import json
import pathlib
import resource
import socket
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))
from http2_bytes import ACK, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, Frames, frame, request
from run import BUILD, ROOT, Peer, backend, smaps

GOALS = {"HTTP/1": 2.0, "HTTP/2": 6.0}  # KB


def ask_http1(connection):
    connection.sendall(b"GET /r999/x HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1.0 (a client as many)\r\nAccept: */*\r\n\r\n")
    heard = b""
    while not heard.endswith(b"x" * 250):
        data = connection.recv(65536)
        if not data:
            raise RuntimeError("the proxy has ended the connection")
        heard += data
    if not heard.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"no 200: {heard[:100]}")


def ask_http2(connection):
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS | END_STREAM, 1, request(b"/r999/x")))
    for kind, flags, _, payload in Frames(connection):
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK, 0))
        if kind == HEADERS and b"\x88" not in payload[:4]:  # a change of the table's size may stand before it
            raise RuntimeError(f"no 200: {payload}")
        if kind <= HEADERS and flags & END_STREAM:
            return
    raise RuntimeError("the proxy has ended the connection")


ASK = {"HTTP/1": ask_http1, "HTTP/2": ask_http2}


def measure(protocol, directory, port, options):
    """KB of each connection."""
    peer = Peer("before", directory, port)
    peer.program = options.proxy
    connections = []
    peer.start()
    try:
        for count in (200, options.connections):
            before = smaps(peer.pids(), "Anonymous")
            for _ in range(count):
                connection = socket.create_connection(("127.0.0.1", peer.port))
                ASK[protocol](connection)
                connections.append(connection)
            time.sleep(1)
        return (smaps(peer.pids(), "Anonymous") - before) / options.connections
    finally:
        for connection in connections:
            connection.close()
        peer.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--proxy", type=pathlib.Path, default=BUILD / "src/app/weft-proxy")
    parser.add_argument("--protocols", nargs="*", choices=list(ASK), default=list(ASK))
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Half of the proxy's descriptors are for clients.
    options.connections = min(options.connections, most // 2 - 500)
    results = {}
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as directory:
        server, port = backend(pathlib.Path(directory))
        try:
            for protocol in options.protocols:
                print(f"measuring {options.connections} idle connections of {protocol} ...", file=sys.stderr, flush=True)
                folder = pathlib.Path(directory) / protocol.replace("/", "")
                folder.mkdir()
                results[protocol] = measure(protocol, folder, port, options)
        finally:
            server.terminate()
            server.wait()
    print(f"{'idle connection of':24}{'anonymous KB':>14}{'goal':>8}")
    for protocol, kilobytes in results.items():
        print(f"{protocol:24}{kilobytes:>14.2f}{GOALS[protocol]:>8.1f}")
    out = BUILD / "bench-idle.json"
    out.write_text(json.dumps({"anonymous_kb_of_an_idle_connection": results}, indent=1))
    print(f"\nwritten to {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
