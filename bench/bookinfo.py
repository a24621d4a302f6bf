"""Measures Bookinfo's services, each alone on one core with wrk on another, and prints a table and JSON.

    scripts/python bench/bookinfo.py [--runs 5] [--seconds 4] [--services details,ratings]

Requests per second of a core are the requests divided by the user and system time of the service's process, so a
machine that others share changes them little; requests/s is what wrk saw. Each figure of speed is the median of the
runs, with the lowest and the highest beside it. The log goes to a file and has to have a line for each request: a run
in which lines and requests do not agree, or an answer is not 200, is void. `ready` is from the start of the process to
its first 200, memory is resident after the runs, `10,000 idle` is memory and the next answer's time with that many kept
connections of which each has had an answer. Exit code 1 when a bound is missed.
"""
import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from run import BUILD, ROOT, cpu_seconds, free_port

sys.path.append(str(ROOT / "samples/bookinfo/tests"))
import mysql_server

BINARY = BUILD / "samples/bookinfo/bookinfo"
CROWD = 10_000
# What is asked of each service, and what has to run behind it. reviews-v2, productpage and details-v2 make a connection
# per call, ratings-v2-mysql one per request.
TARGETS = {
    "details": ("details", "/details/0", {}, []),
    "details-v2": ("details", "/details/0", {"ENABLE_EXTERNAL_BOOK_SERVICE": "true", "DO_NOT_ENCRYPT": "true"}, ["books"]),
    "ratings": ("ratings", "/ratings/0", {}, []),
    "ratings-v2-sqlite": ("ratings", "/ratings/0", {"SERVICE_VERSION": "v2", "DB_TYPE": "sqlite"}, ["sqlite"]),
    "ratings-v2-mysql": ("ratings", "/ratings/0", {"SERVICE_VERSION": "v2", "DB_TYPE": "mysql"}, ["mysql"]),
    "reviews-v1": ("reviews", "/reviews/0", {}, []),
    "reviews-v2": ("reviews", "/reviews/0", {"ENABLE_RATINGS": "true"}, ["ratings"]),
    "productpage": ("productpage", "/productpage", {}, ["details", "reviews", "ratings"]),
}
# Of the issue: so much at least, or at most.
AT_LEAST = {("details", "per_core"): 20_000, ("ratings", "per_core"): 20_000}
AT_MOST = {"resident_kb": 10_000, "ready_ms": 30}


def request(path, keep=True):
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{'' if keep else 'Connection: close' + chr(13) + chr(10)}\r\n".encode()


class Books(asyncio.Protocol):
    """The external book service of details v2, in a process of its own that `books_in` starts: one answer for all."""
    VOLUME = {"authors": ["William Shakespeare"], "publisher": "PublisherA", "publishedDate": "1595", "printType": "BOOK",
              "pageCount": 200, "language": "en", "industryIdentifiers": [
                  {"type": "ISBN_10", "identifier": "1234567890"}, {"type": "ISBN_13", "identifier": "123-1234567890"}]}
    BODY = json.dumps({"items": [{"volumeInfo": VOLUME}]})
    ANSWER = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
              f"Connection: close\r\n\r\n{BODY}").encode()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, _):
        self.transport.write(self.ANSWER)
        self.transport.close()


def serve_books(listener):
    async def serve():
        await (await asyncio.get_running_loop().create_server(Books, sock=listener, backlog=1024)).serve_forever()
    asyncio.run(serve())


@contextlib.contextmanager
def books_in(core):
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        process = multiprocessing.get_context("fork").Process(target=serve_books, args=(listener,), daemon=True)
        process.start()
        os.sched_setaffinity(process.pid, {core})
        try:
            yield {"EXTERNAL_BOOK_SERVICE_HOSTNAME": "127.0.0.1",
                   "EXTERNAL_BOOK_SERVICE_PORT": str(listener.getsockname()[1])}
        finally:
            process.terminate()
            process.join()


@contextlib.contextmanager
def mysql_in(core):
    with mysql_server.DataFolder() as folder:
        server = mysql_server.MysqlServer(folder)
        for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})
        try:
            server.seed()
            yield {"MYSQL_DB_HOST": "127.0.0.1", "MYSQL_DB_PORT": str(server.port), "MYSQL_DB_USER": "root",
                   "MYSQL_DB_PASSWORD": mysql_server.PASSWORD}
        finally:
            server.stop()


class Service:
    """One process on the loopback, on one core."""

    def __init__(self, kind, directory, core, environment):
        self.port = free_port()
        self.log = directory / f"{kind}-{self.port}.log"
        self.read_to = self.counted = 0
        self.began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, kind, str(self.port)], stdout=log, stderr=subprocess.DEVNULL,
                env={"BIND_ADDRESS": "127.0.0.1", **environment}, preexec_fn=lambda: os.sched_setaffinity(0, {core}))

    def wait_until_ready(self):
        """Seconds from before the fork to the first 200."""
        while time.monotonic() - self.began < 5:
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(request("/health", keep=False))
                    if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                        return time.monotonic() - self.began
            time.sleep(0.0001)
        raise RuntimeError(f"nothing answers on port {self.port}")

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def lines(self):
        """Of the log so far; only what is new is read."""
        with open(self.log, "rb") as log:
            log.seek(self.read_to)
            while block := log.read(1 << 20):
                self.counted += block.count(b"\n")
                self.read_to += len(block)
        return self.counted

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.unlink()


@contextlib.contextmanager
def service_in(kind, directory, core, environment):
    service = Service(kind, directory, core, environment)
    try:
        yield service
    finally:
        service.stop()


def start_behind(stack, other, directory, core):
    """Starts what a service calls and returns the variables by which it finds that."""
    if other == "books":
        return stack.enter_context(books_in(core))
    if other == "mysql":
        return stack.enter_context(mysql_in(core))
    if other == "sqlite":
        return {"SQLITE_FILE": str(directory / "ratings.db")}
    service = stack.enter_context(service_in(other, directory, core, {}))
    service.wait_until_ready()
    return {f"{other.upper()}_HOSTNAME": "127.0.0.1", f"{other.upper()}_SERVICE_PORT": str(service.port)}


@contextlib.contextmanager
def prepared(name, directory, core):
    """What the service needs runs on the other core; gives a function that starts the service itself."""
    kind, _, environment, behind = TARGETS[name]
    with contextlib.ExitStack() as stack:
        places = {}
        for other in behind:
            places |= start_behind(stack, other, directory, 1 - core)
        yield lambda: service_in(kind, directory, core, {**environment, **places})


def settled_lines(service):
    seen = -1
    while seen != (now := service.lines()):
        seen = now
        time.sleep(0.2)
    return seen


def one_run(service, path, seconds):
    """Requests per second of a core, requests per second as wrk saw them, and wrk's 99th percentile in milliseconds."""
    lines, before = settled_lines(service), cpu_seconds([service.process.pid])
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c32", f"-d{seconds}s", "--latency",
                          f"http://127.0.0.1:{service.port}{path}"], check=True, capture_output=True, text=True).stdout
    if bad := re.search(r"(Non-2xx|Socket errors).*", out):
        raise RuntimeError(f"{path}: {bad.group(0)}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    logged = settled_lines(service) - lines
    spent = cpu_seconds([service.process.pid]) - before
    # wrk counts neither what is under way on its 32 connections when it ends, nor what it sent before its clock began.
    if not requests <= logged <= requests + 64:
        raise RuntimeError(f"{path}: {requests} requests and {logged} log lines: the run is void")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return logged / spent, requests / seconds, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def with_a_crowd(service, path):
    """Resident memory with 10,000 kept connections, each of which had an answer, and the next one's milliseconds."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            connection.sendall(request("/health"))
            connection.recv(4096)
        times = []
        for _ in range(100):
            began = time.monotonic()
            connection.sendall(request(path))
            connection.recv(65536)
            times.append((time.monotonic() - began) * 1e3)
        return {"idle_10000_kb": service.resident_kb(), "idle_10000_answer_ms": statistics.median(times)}


def spread(figures, key, values):
    figures |= {key: statistics.median(values), f"{key}_low": min(values), f"{key}_high": max(values)}


def measure_speed(service, path, options, figures):
    service.wait_until_ready()
    figures["fresh_kb"] = service.resident_kb()
    one_run(service, path, 1)
    runs = [one_run(service, path, options.seconds) for _ in range(options.runs)]
    spread(figures, "per_core", [run[0] for run in runs])
    spread(figures, "requests_per_s", [run[1] for run in runs])
    spread(figures, "p99_ms", [run[2] for run in runs])
    figures["resident_kb"] = service.resident_kb()


def measure(name, directory, options):
    path, figures, starts = TARGETS[name][1], {}, []
    with prepared(name, directory, 0) as start:
        for _ in range(options.starts):
            with start() as service:
                starts.append(service.wait_until_ready() * 1e3)
        spread(figures, "ready_ms", starts)
        with start() as service:
            measure_speed(service, path, options, figures)
        with start() as service:
            service.wait_until_ready()
            figures |= with_a_crowd(service, path)
    return figures


def missed(results):
    for name, figures in results.items():
        for (service, key), bound in AT_LEAST.items():
            if service == name and figures[key] < bound:
                yield f"{name}: {key} is {figures[key]:.0f}, less than {bound}"
        for key, bound in AT_MOST.items():
            if figures[key] > bound:
                yield f"{name}: {key} is {figures[key]:.1f}, more than {bound}"


def table(results):
    def with_range(figures, key, form):
        return f"{figures[key]:{form}} ({figures[key + '_low']:{form}}-{figures[key + '_high']:{form}})"
    lines = [["service", "requests/s of a core", "requests/s", "p99 ms", "ready ms", "fresh kB", "resident kB",
              "10,000 idle kB", "their next answer ms"]]
    for name, figures in results.items():
        lines.append([name, with_range(figures, "per_core", ".0f"), with_range(figures, "requests_per_s", ".0f"),
                      with_range(figures, "p99_ms", ".2f"), with_range(figures, "ready_ms", ".1f")]
                     + [f"{figures[key]:.0f}" for key in ["fresh_kb", "resident_kb", "idle_10000_kb"]]
                     + [f"{figures['idle_10000_answer_ms']:.2f}"])
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("   ".join(cell.rjust(width) if at else cell.ljust(width)
                                for at, (cell, width) in enumerate(zip(line, widths))) for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--starts", type=int, default=11)
    parser.add_argument("--services", default=",".join(TARGETS))
    options = parser.parse_args()
    load, results = os.getloadavg()[0], {}
    with tempfile.TemporaryDirectory(prefix="bookinfo-bench-") as directory:
        for name in options.services.split(","):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            results[name] = measure(name, pathlib.Path(directory), options)
    print(table(results))
    failures = list(missed(results))
    out = BUILD / "bench-bookinfo.json"
    machine = {"cores": os.cpu_count(), "load_before": load, "load_after": os.getloadavg()[0]}
    out.write_text(json.dumps({"machine": machine, "services": results, "missed": failures}, indent=1))
    print(f"\nload of the machine before and after: {load:.1f}, {machine['load_after']:.1f}; written to {out.relative_to(ROOT)}")
    for failure in failures:
        print(f"missed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
