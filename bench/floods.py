"""Floods weft-proxy with HTTP/2 that means harm, from clients and from an upstream, beside an honest client that sends 100 requests a second.

    scripts/python bench/floods.py [--seconds 5] [--only KIND...] [--proxy FILE]

Prints for each kind the peak of anonymous memory above that before it, how often the proxy ended a connection of the peer's, how many of the
peer's requests the honest server saw, and the honest client's p99 beside its p99 when nothing else goes on. A kind passes when the memory stays
within its bound, no honest request fails, the p99 is at most three times the idle one and 5 ms, the peer itself has not failed, and the proxy
has ended the connections of one that must not go on; of rapid resets, fewer than 500 reach the server. The last line is "N passed, N failed";
the exit code is 1 when one has failed.
"""
import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))
from http2_bytes import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, PRIORITY, RST_STREAM,
                         SETTINGS, WINDOW_UPDATE, Frames, frame, literal, request)
from run import BUILD, free_port, nginx_config, smaps
from stream import address, running, wait_until_open

MEGABYTE = 1 << 20
SLACK_MS, TIMES_IDLE, RATE = 5.0, 3.0, 100
SLOW_CONNECTIONS, STREAMS = 10, 100
BORNE = {"DATA of one byte"}  # a body like others; an honest library makes one of each small message
REACH_SERVER = {"client: rapid reset": 500}  # requests, fewer than which may


def bootstrap(file, listen, good, big, bad):
    def cluster(name, port, http2):
        made = {"name": name, "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
            "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}}
        if http2:
            made["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}}
        return made

    routes = [{"match": {"prefix": "/bad"}, "route": {"cluster": "bad", "timeout": "2s"}},
              {"match": {"prefix": "/big"}, "route": {"cluster": "big", "timeout": "60s"}},
              {"match": {"prefix": "/"}, "route": {"cluster": "good", "timeout": "60s"}}]
    manager = {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix": "front", "route_config": {"name": "r", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
               "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                   "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
    file.write_text(json.dumps({"admin": {"address": address(free_port())}, "static_resources": {
        "listeners": [{"name": "front", "address": address(listen), "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [cluster("good", good, False), cluster("big", big, False), cluster("bad", bad, True)]}}))


@contextlib.contextmanager
def honest_server(directory, *by):
    """Yields a port with 250 bytes at / and 1 MB at /big, whatever the method, and the log of what others than the honest client asked for."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="backend-", dir=directory))
    (folder / "big").write_bytes(b"x" * MEGABYTE)
    for each in (directory, folder):
        each.chmod(0o755)  # nginx reads as another user
    port = free_port()
    (folder / "nginx.conf").write_text(nginx_config(folder, f"""
  map $host $by_a_flood {{ default 1; honest 0; }}
  access_log {folder}/floods.log combined if=$by_a_flood; client_max_body_size 0; client_body_buffer_size 1m;
  server {{ listen 127.0.0.1:{port}; root {folder}; error_page 405 =200 $uri;
    location = / {{ default_type text/plain; return 200 "{"x" * 250}"; }} }}
"""))
    with running(*by, "taskset", "-c", "1", "nginx", "-c", folder / "nginx.conf"):
        wait_until_open(port)
        yield port, folder / "floods.log"


# The honest client.


def honest(port, seconds, into):
    """Milliseconds of each request, from when it was due; a failure is infinite."""
    taken = []
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        for number in range(int(seconds * RATE)):
            due = began + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: honest\r\n\r\n")
            heard = connection.recv(65536)
            while heard and not heard.endswith(b"x" * 250):
                heard += connection.recv(65536)
            taken.append((time.perf_counter() - due) * 1e3 if heard.startswith(b"HTTP/1.1 200") else float("inf"))
    into.put(taken + [float("inf")] * (len(taken) < int(seconds * RATE)))


# Floods by clients: what is sent on one connection, again and again.


def rapid_reset():
    for stream in range(1, 200_001, 2):
        yield frame(HEADERS, END_HEADERS | END_STREAM, stream, request(b"/")) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


def made_you_reset():
    for stream in range(1, 200_001, 2):
        yield frame(HEADERS, END_HEADERS, stream, request(b"/", b"\x83")) + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0x7FFFFFFF))


def continuation():
    yield frame(HEADERS, 0, 1, request(b"/"))
    while True:
        yield frame(CONTINUATION, 0, 1, literal(b"x-more", b"v" * 100) * 100)


def empty_continuation():
    yield frame(HEADERS, 0, 1, request(b"/"))
    while True:
        yield frame(CONTINUATION, 0, 1)


def settings():
    while True:
        yield frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 65535)) * 100


def pings():
    while True:
        yield frame(PING, 0, 0, bytes(8)) * 100


def empty_data():
    yield frame(HEADERS, END_HEADERS, 1, request(b"/", b"\x83"))
    while True:
        yield frame(DATA, 0, 1) * 100


def one_byte_data():
    yield frame(HEADERS, END_HEADERS, 1, request(b"/", b"\x83"))
    while True:
        yield frame(DATA, 0, 1, b"x") * 100


def priorities():
    while True:
        yield frame(PRIORITY, 0, 1, bytes([0, 0, 0, 0, 1])) * 100


def window_updates():
    yield frame(HEADERS, END_HEADERS | END_STREAM, 1, request(b"/big"))
    while True:
        yield frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 100


def hpack_bomb(head=request(b"/")):
    """References of one byte each to a field of 4,000."""
    yield frame(HEADERS, 0, 1, head + literal(b"a", b"v" * 3900, True) + b"\xbe" * 8000)
    while True:
        yield frame(CONTINUATION, 0, 1, b"\xbe" * 16384)


CLIENTS = {"rapid reset": rapid_reset, "resets that we make (MadeYouReset)": made_you_reset, "CONTINUATION": continuation,
           "empty CONTINUATION": empty_continuation, "SETTINGS": settings, "PING": pings, "empty DATA": empty_data,
           "DATA of one byte": one_byte_data, "PRIORITY": priorities, "WINDOW_UPDATE": window_updates, "HPACK bomb": hpack_bomb}


def is_cut(connection, flood, until):
    """Whether the other side ends the connection before the flood, or its time, is over. One that no longer reads has not ended it."""
    try:
        for bytes_ in flood:
            connection.sendall(bytes_)
            if time.monotonic() > until:
                return False
        while connection.recv(65536):  # the flood was over before the other side's farewell
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def flood_by_client(kind, port, seconds, cut):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
            cut.value += is_cut(connection, CLIENTS[kind](), until)


def read_slowly(port, seconds):
    """Asks for 1 MB on each of many streams, whose windows stay closed."""
    connections = []
    for _ in range(SLOW_CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)) + frame(SETTINGS, ACK, 0) +
                           b"".join(frame(HEADERS, END_HEADERS | END_STREAM, stream, request(b"/big")) for stream in range(1, 2 * STREAMS, 2)))
        connections.append(connection)
    time.sleep(seconds)


def many_large_streams(port, seconds):
    """1,000 streams of 1 MB in both directions on one connection, 100 at once, as often as there is time; fails when one of them fails."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"x" * MEGABYTE)
        body.flush()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            out = subprocess.run(["h2load", "-n1000", "-c1", "-m1000", "-t1", "-w20", "-W24", f"-d{body.name}", f"http://127.0.0.1:{port}/big"],
                                 check=True, capture_output=True, text=True).stdout
            if " 1000 succeeded" not in out:
                sys.exit(f"h2load: {out}")


# Floods by an upstream: what it sends once it has been asked.


def responses_that_reset():
    for stream in range(1, 200_001, 2):
        yield frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


def informational():
    while True:
        yield frame(HEADERS, END_HEADERS, 1, b"\x08\x03103")


def endless_head():
    yield frame(HEADERS, 0, 1, b"\x88")
    while True:
        yield frame(CONTINUATION, 0, 1, literal(b"x-more", b"v" * 100) * 100)


def empty_body():
    yield frame(HEADERS, END_HEADERS, 1, b"\x88")
    while True:
        yield frame(DATA, 0, 1) * 100


UPSTREAMS = {"RST_STREAM": responses_that_reset, "CONTINUATION": endless_head, "SETTINGS": settings, "PING": pings,
             "empty DATA": empty_body, "HPACK bomb": lambda: hpack_bomb(b"\x88"), "103 without end": informational}


def flood_back(connection, flood, until, cut):
    with contextlib.suppress(OSError), connection:
        connection.sendall(frame(SETTINGS, 0, 0))
        if not any(kind == HEADERS for kind, *_ in Frames(connection, len(PREFACE))):
            return
        if is_cut(connection, flood(), until):
            with cut.get_lock():
                cut.value += 1


def flood_by_upstream(kind, listener, port, seconds, cut):
    until = time.monotonic() + seconds
    threading.Thread(target=ask_bad_upstream, args=(port, until), daemon=True).start()
    listener.settimeout(0.2)
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            connection.settimeout(2)
            threading.Thread(target=flood_back, args=(connection, UPSTREAMS[kind], until, cut), daemon=True).start()


def ask_bad_upstream(port, until):
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /bad HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            while connection.recv(65536):
                pass


# One kind after another.


def as_peer(work, *arguments):
    """`work` in a process that leaves the processor to the others."""
    def run():
        os.sched_setaffinity(0, {1})
        os.nice(19)
        work(*arguments)
    return multiprocessing.get_context("fork").Process(target=run, daemon=True)


def beside(proxy, port, seconds, peer):
    """The honest client's times, and the peak of the proxy's anonymous memory in KB, while `peer` runs."""
    context = multiprocessing.get_context("fork")
    times = context.Queue()
    client = context.Process(target=honest, args=(port, seconds, times), daemon=True)
    if peer:
        peer.start()
        time.sleep(0.3)
    client.start()
    peak = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        peak = max(peak, smaps([proxy], "Anonymous"))
        time.sleep(0.05)
    taken = times.get(timeout=60)
    client.join()
    if peer:
        peer.join(30)
        peer.kill()
        peer.join()
    return sorted(taken), peak


def p99(taken):
    return taken[int(len(taken) * 0.99)]


def kinds(port, listener, options, cut):
    """Name, memory bound in MB, whether the proxy has to end it, process."""
    for kind in CLIENTS:
        yield "client: " + kind, 16, kind not in BORNE, as_peer(flood_by_client, kind, port, options.seconds, cut)
    yield "client: windows of 0, 1 MB each", 64, False, as_peer(read_slowly, port, options.seconds)
    yield "client: 1,000 streams of 1 MB both ways", 64, False, as_peer(many_large_streams, port, options.seconds)
    for kind in UPSTREAMS:
        yield "upstream: " + kind, 16, True, as_peer(flood_by_upstream, kind, listener, port, options.seconds, cut)


def lines_of(file):
    return file.read_bytes().count(b"\n")


def measure(directory, options):
    results, cut = {}, multiprocessing.Value("i", 0)
    with (honest_server(directory) as (good, floods_log), honest_server(directory, "nice", "-n", "19") as (big, _),
          socket.create_server(("127.0.0.1", 0), backlog=100) as listener):
        port, file = free_port(), directory / "bootstrap.json"
        bootstrap(file, port, good, big, listener.getsockname()[1])
        with running("taskset", "-c", "0", options.proxy, "-c", file, "--concurrency", "1") as process:
            wait_until_open(port)
            for name, bound, must_end, peer in kinds(port, listener, options, cut):
                if options.only and not any(word in name for word in options.only):
                    continue
                idle = p99(beside(process.pid, port, options.seconds, None)[0])
                cut.value, before, asked_before = 0, smaps([process.pid], "Anonymous"), lines_of(floods_log)
                taken, peak = beside(process.pid, port, options.seconds, peer)
                grown, slow, asked = (peak - before) / 1024, p99(taken), lines_of(floods_log) - asked_before
                failed = sum(1 for each in taken if each == float("inf"))
                good_enough = (grown <= bound and slow <= TIMES_IDLE * idle + SLACK_MS and not failed and process.poll() is None and
                               peer.exitcode == 0 and (cut.value > 0 or not must_end) and asked < REACH_SERVER.get(name, float("inf")))
                results[name] = {"peak_mb": grown, "bound_mb": bound, "cut": cut.value, "must_end": must_end, "reached_server": asked,
                                 "p99_ms": slow, "idle_p99_ms": idle, "failed_requests": failed, "peer_exit": peer.exitcode,
                                 "passed": good_enough}
                print(f"{name:40}{grown:>9.1f}{bound:>8}{cut.value:>8}{asked:>8}{slow:>10.2f}{idle:>10.2f}  "
                      f"{'passed' if good_enough else 'FAILED'}", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", nargs="*", help="words of the kinds to try")
    parser.add_argument("--proxy", type=pathlib.Path, default=BUILD / "src/app/weft-proxy")
    options = parser.parse_args()
    print(f"{'kind':40}{'peak MB':>9}{'bound':>8}{'cut':>8}{'reached':>8}{'p99 ms':>10}{'idle':>10}")
    with tempfile.TemporaryDirectory(prefix="weft-floods-") as directory:
        results = measure(pathlib.Path(directory), options)
    (BUILD / "floods.json").write_text(json.dumps(results, indent=1))
    failed = sum(1 for each in results.values() if not each["passed"])
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
