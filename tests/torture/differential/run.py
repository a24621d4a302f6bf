#!/usr/bin/env python3
"""weft and a real Envoy read the same bootstrap and get the same request bytes; what they do is compared.

    SEED=7 MINUTES=1 tests/torture/differential/run.py

Compared: the status, the upstream that was reached, the head and body that were forwarded, whether the connection goes on.
Accepted differences stand in differences.py with their reasons; any other is printed, and the exit code is 1.
"""
import collections
import contextlib
import dataclasses
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bootstrap  # noqa: E402
import differences  # noqa: E402
import requests  # noqa: E402

ROOT = HERE.parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build/release"))
ENVOY = ROOT / "build/venv/bin/envoy"
# Another for each request, or that of the machine: Envoy takes loopback for an outside address and adds the machine's own.
OWN_FIELDS = {"x-forwarded-for", "x-envoy-internal", "x-envoy-external-address", "x-request-id", "x-envoy-expected-rq-timeout-ms", "x-envoy-upstream-service-time", "date", "x-b3-traceid", "x-b3-spanid", "traceparent", "b3", "x-b3-sampled", "x-b3-parentspanid"}


@dataclasses.dataclass
class Result:
    status: int | None = None
    interim: tuple = ()
    upstream: str = ""
    line: str = ""
    fields: tuple = ()
    body: bytes = b""
    kept: bool = False
    requests: int = 0

    def differs(self, other):
        return [f.name for f in dataclasses.fields(self) if getattr(self, f.name) != getattr(other, f.name)]


class Upstream:
    """Keeps what came, byte by byte, and responds once to each whole request."""

    def __init__(self, name):
        self.name, self.seen = name, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        buffer = b""
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(1 << 20):
                buffer += data
                while (whole := self.whole(buffer)) is not None:
                    request, buffer = buffer[:whole], buffer[whole:]
                    self.seen.append(request)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nx-upstream: " + self.name.encode() + b"\r\nContent-Length: " + (b"2\r\n\r\n" if request.startswith(b"HEAD ") else b"2\r\n\r\nok"))
            if buffer:
                self.seen.append(b"CUT " + buffer)

    @staticmethod
    def whole(buffer):
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head, end = buffer[:end].lower(), end + 4
        if b"transfer-encoding: chunked" in head:
            stop = re.search(rb"(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n", buffer[end:])
            return None if not stop else end + stop.end()
        length = re.search(rb"content-length: *(\d+)", head)
        total = end + (int(length.group(1)) if length else 0)
        return total if len(buffer) >= total else None


class Peer:
    """One proxy with two upstreams of its own."""

    def __init__(self, envoy, directory):
        self.upstreams = [Upstream("a"), Upstream("b")]
        self.name = "envoy" if envoy else "weft"
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            self.port, admin = one.getsockname()[1], two.getsockname()[1]
        file = directory / f"{self.name}.json"
        file.write_text(bootstrap.make(self.port, admin, *(u.port for u in self.upstreams), str(directory / f"{self.name}.access.log")))
        command = [ENVOY, "-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"] if envoy else [BUILD / "src/app/weft-proxy", "-c", file, "--concurrency", "1"]
        self.log = directory / f"{self.name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)

    def send(self, data):
        for upstream in self.upstreams:
            upstream.seen.clear()
        result = Result()
        connection = socket.create_connection(("127.0.0.1", self.port), 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            result.status, result.interim = self.response(connection, data)
            if result.status is not None and result.status != 101:
                result.kept = self.kept(connection)
        self.note(result)
        return result

    def response(self, connection, data):
        """(status, interim statuses) of the first response, or None: the connection ended, or nothing came."""
        connection.settimeout(0.4)
        buffer, interim = b"", []
        try:
            while True:
                while b"\r\n\r\n" not in buffer:
                    piece = connection.recv(65536)
                    if not piece:
                        return None, tuple(interim)
                    buffer += piece
                head, buffer = buffer.split(b"\r\n\r\n", 1)
                status = int(head.split(b" ")[1])
                if 100 <= status < 200 and status != 101:
                    interim.append(status)
                    continue
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                bare = data.lstrip(b"\r\n").startswith(b"HEAD ") or status in (204, 304)
                need = 0 if bare or not length else int(length.group(1))
                while len(buffer) < need:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    buffer += piece
                return status, tuple(interim)
        except (OSError, ValueError, IndexError):
            return None, tuple(interim)

    @staticmethod
    def kept(connection):
        """Whether a second request on the connection gets a response."""
        connection.settimeout(0.4)
        try:
            connection.sendall(b"GET /second HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            return connection.recv(65536).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def note(self, result):
        deadline = time.monotonic() + 0.05
        seen = []
        while time.monotonic() < deadline:
            seen = [(u.name, r) for u in self.upstreams for r in u.seen if b"/second" not in r.split(b"\r\n")[0]]
            if seen or result.status != 200:
                break
        seen = [s for s in seen if not s[1].startswith(b"CUT")]
        result.requests = len(seen)
        if not seen:
            return
        result.upstream, request = seen[0]
        head, result.body = request.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        result.line = first
        fields = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        result.fields = tuple(sorted(f for f in fields if f[0] not in OWN_FIELDS))

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "no end within 20 s of SIGTERM"


@dataclasses.dataclass
class Case:
    data: bytes
    weft: Result
    envoy: Result
    fields: list


def compare(peers, random, until):
    counts, findings = collections.Counter(), []
    weft, envoy = peers
    while time.monotonic() < until and len(findings) < 200:
        data = requests.draw(random)
        ours, theirs = weft.send(data), envoy.send(data)
        counts["requests"] += 1
        counts[f"status {ours.status}"] += 1
        if not (fields := ours.differs(theirs)):
            continue
        case = Case(data, ours, theirs, fields)
        accepted = next((d for d in differences.ACCEPTED if d.covers(case)), None)
        if accepted:
            counts[f"accepted: {accepted.name}"] += 1
        else:
            findings.append(case)
        if weft.process.poll() is not None:
            break
    return counts, findings


def main():
    seed = os.environ.get("SEED") or str(random.SystemRandom().randint(0, 10**9))
    seconds = float(os.environ.get("MINUTES", "1")) * 60
    print(f"differential torture: SEED={seed}, {seconds:g} s, {BUILD}", flush=True)
    with tempfile.TemporaryDirectory(prefix="weft-differential-") as directory:
        peers = [Peer(envoy, pathlib.Path(directory)) for envoy in (False, True)]
        counts, findings = compare(peers, random.Random(seed), time.monotonic() + seconds)
        code = peers[0].stop()
        peers[1].stop()
        log = peers[0].log.read_text()
    for what, count in sorted(counts.items()):
        print(f"  {count:6} {what}")
    for case in findings[:20]:
        print(f"DIFFERS in {', '.join(case.fields)}\n  request {case.data[:300]!r}\n  weft    {case.weft}\n  envoy   {case.envoy}")
    if code != 0:
        print(f"BROKEN weft-proxy ended with {code}: {log[-3000:]}")
    if findings:
        print(f"{len(findings)} differences that no entry of differences.py covers; repeat with: SEED={seed} MINUTES={seconds / 60:g} {sys.argv[0]}")
    return 1 if findings or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
