"""Measures plain TCP through two proxies, as through both sidecars, beside the same without, and prints a table and JSON.

    scripts/python bench/stream.py [--turns 7] [--megabytes 1000] [--proxy FILE]

One stream of bytes from a sender to a receiver, and Redis with pipelined commands. Both are done without and with proxies in
turns on the loopback, and the median of the turns' ratios counts: with ÷ without for the rate, without ÷ with for the processor
time of all processes. On a machine whose cores others use, the latter is the one to trust. Nothing is pinned: four processes
share what two have without.
"""
import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from run import BUILD, ROOT, cpu_seconds, free_port

BLOCK = bytes(64 * 1024)


def bootstrap(file, listen, target):
    file.write_text(json.dumps({"admin": {"address": address(free_port())}, "static_resources": {
        "listeners": [{"name": "front", "address": address(listen), "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.tcp_proxy", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "front", "cluster": "back"}}]}]}],
        "clusters": [{"name": "back", "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
            "cluster_name": "back", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(target)}}]}]}}]}}))


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def wait_until_open(port):
    began = time.monotonic()
    while time.monotonic() - began < 10:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.005)
    raise RuntimeError(f"nothing listens on port {port}")


@contextlib.contextmanager
def running(*command):
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def two_proxies(program, directory, target):
    """Yields the port of the first and the processes of both."""
    with contextlib.ExitStack() as stack:
        processes = []
        for _ in range(2):
            port = free_port()
            file = directory / f"{port}.json"
            bootstrap(file, port, target)
            processes.append(stack.enter_context(running(program, "-c", file, "--concurrency", "1")))
            wait_until_open(port)
            target = port
        yield target, processes


def receive(listener):
    into = bytearray(1 << 20)
    while True:
        connection, _ = listener.accept()
        with connection:
            count = 0
            while got := connection.recv_into(into):
                count += got
            if count:
                connection.sendall(f"{count} {time.process_time()}".encode())


def send(port, megabytes):
    """Seconds until the receiver has said that it has everything."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(megabytes * (1 << 20) // len(BLOCK)):
            connection.sendall(BLOCK)
        connection.shutdown(socket.SHUT_WR)
        count = int(connection.recv(100).split()[0])
    if count != megabytes << 20:
        raise RuntimeError(f"{count} bytes have arrived")
    return time.monotonic() - began


def one_stream(port, pids, options):
    before = cpu_seconds([os.getpid(), *pids])
    seconds = send(port, options.megabytes)
    return options.megabytes / seconds, cpu_seconds([os.getpid(), *pids]) - before


def redis_commands(port, pids, options):
    before, children = cpu_seconds(pids), os.times()
    out = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "set,get", "-n", str(options.commands), "-P", "16", "-c", "8",
                          "--csv"], check=True, capture_output=True, text=True).stdout
    rates = [float(rate) for rate in re.findall(r'^"[SG]ET","([\d.]+)"', out, re.MULTILINE)]
    after = os.times()
    own = after.children_user + after.children_system - children.children_user - children.children_system
    return statistics.harmonic_mean(rates), cpu_seconds(pids) - before + own


def compare(measure, port, server, directory, options):
    """(rate, processor time) without and with proxies, turn by turn."""
    turns = []
    with two_proxies(options.proxy, directory, port) as (front, proxies):
        pids = [process.pid for process in proxies]
        measure(front, [server, *pids], options)
        for turn in range(options.turns):
            plain = measure(port, [server], options) if turn % 2 else None
            through = measure(front, [server, *pids], options)
            turns.append((plain or measure(port, [server], options), through))
    return turns


def stream(directory, options):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = multiprocessing.get_context("fork").Process(target=receive, args=(listener,), daemon=True)
        process.start()
        try:
            return compare(one_stream, listener.getsockname()[1], process.pid, directory, options)
        finally:
            process.terminate()
            process.join()


def redis(directory, options):
    port = free_port()
    with running("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", directory) as server:
        wait_until_open(port)
        return compare(redis_commands, port, server.pid, directory, options)


def summary(turns):
    return {"without": statistics.median(plain[0] for plain, _ in turns), "with": statistics.median(meshed[0] for _, meshed in turns),
            "rate": statistics.median(meshed[0] / plain[0] for plain, meshed in turns),
            "processor_time": statistics.median(plain[1] / meshed[1] for plain, meshed in turns)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--commands", type=int, default=200_000)
    parser.add_argument("--proxy", type=pathlib.Path, default=BUILD / "src/app/weft-proxy")
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as directory:
        for name, unit, work in [("one TCP stream", "MB/s", stream), ("Redis, 16 in a pipeline", "commands/s", redis)]:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            figures = results[f"{name}, {unit}"] = summary(work(pathlib.Path(directory), options))
            print(f"{name:24} {figures['without']:8.0f} {unit} without, {figures['with']:8.0f} with: {figures['rate']:.2f}; "
                  f"by processor time {figures['processor_time']:.2f}")
    out = BUILD / "bench-stream.json"
    out.write_text(json.dumps(results, indent=1))
    print(f"\nwritten to {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
