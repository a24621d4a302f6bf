#!/usr/bin/env python3
"""weft and a real Envoy read the same bootstrap and get the same request bytes; what they do is compared.

    SEED=7 MINUTES=1 tests/torture/differential/run.py

Compared: the status, the upstream that was reached, the head and body that were forwarded, whether the connection goes on.
Accepted differences stand in differences.py with their reasons; any other is printed, and the exit code is 1.
"""
import collections
import concurrent.futures
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
from responses import RESPONSES, End  # noqa: E402

ROOT = HERE.parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build/release"))
ENVOY = ROOT / "build/venv/bin/envoy"
OWN_ANSWER = {"date", "x-envoy-upstream-service-time"}
OK = b"HTTP/1.1 200 OK\r\nX-Upstream: 1\r\nContent-Length: 2\r\n\r\n"
# After so many requests each row of differences.py has been needed (the rarest once in 14,000), or is out of date.
LONG_RUN = 100_000
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
    location: str = ""
    answer: tuple = ()  # of what an upstream said: the fields that came
    content: bytes = b""
    whole: bool = True

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
                    answer = re.search(rb"(?i)\r\nx-answer: (\d+)\r\n", request)
                    said = RESPONSES[int(answer.group(1))] if answer else OK + (b"" if request.startswith(b"HEAD ") else b"ok")
                    connection.sendall(said)
                    if isinstance(said, End):
                        return
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


def content(body):
    """What chunks carry: where they are cut is nobody's business."""
    whole = b""
    while size := int(body.split(b"\r\n", 1)[0], 16):
        body = body.split(b"\r\n", 1)[1]
        whole, body = whole + body[:size], body[size + 2:]
    return whole


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

    def address(self):
        return f"127.0.0.1:{self.port}".encode()

    def send(self, data, patience):
        """One request on a connection of its own, a second one behind its response. Waits `patience` seconds for each."""
        for upstream in self.upstreams:
            upstream.seen.clear()
        result = Result()
        connection = socket.create_connection(("127.0.0.1", self.port), 20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(patience)
        with connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            head = self.response(connection, data, result)
            if result.status is not None and result.status != 101:
                result.kept = self.kept(connection, head)
        result.location = result.location.replace(self.address().decode(), "own")
        self.note(result)
        return result

    def response(self, connection, data, result):
        """Fills in the response, and the interim ones before it; no status if the connection ended, or nothing came. Returns the head."""
        buffer = b""
        try:
            while True:
                while b"\r\n\r\n" not in buffer:
                    piece = connection.recv(65536)
                    if not piece:
                        return b""
                    buffer += piece
                head, buffer = buffer.split(b"\r\n\r\n", 1)
                status = int(head.split(b" ")[1])
                if 100 <= status < 200 and status != 101:
                    result.interim += (status,)
                    continue
                lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
                fields = {n.lower().decode("latin-1"): v.strip().decode("latin-1") for n, _, v in lines}
                result.status, result.location = status, fields.get("location", "")
                result.answer = tuple(sorted((n.lower().decode("latin-1"), v.strip().decode("latin-1")) for n, _, v in lines))
                bare = data.lstrip(b"\r\n").startswith(b"HEAD ") or status in (101, 204, 304)
                result.content, result.whole = (b"", True) if bare else self.body(connection, buffer, fields)
                return head
        except (OSError, ValueError, IndexError):
            return b""

    @staticmethod
    def body(connection, buffer, fields):
        """(the content, whether it is whole)."""
        ended = False
        while True:
            if fields.get("transfer-encoding") == "chunked":
                if re.search(rb"(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n$", buffer):
                    return content(buffer), True
            elif "content-length" in fields:
                if len(buffer) >= int(fields["content-length"]):
                    return buffer[:int(fields["content-length"])], True
            elif ended:
                return buffer, True
            if ended:
                return b"", False
            try:
                piece = connection.recv(65536)
            except ConnectionError:
                piece = b""
            ended, buffer = not piece, buffer + piece

    def kept(self, connection, head):
        """Whether a second request on the connection gets a response, be it that its upstream connection has just ended. Envoy keeps for a
        second what it has said to close."""
        closes = re.search(rb"(?i)\r\nconnection: *close", head) is not None
        if closes and self.name == "envoy":
            return False
        try:
            if not closes:
                connection.sendall(b"GET /second HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            return connection.recv(65536).startswith((b"HTTP/1.1 200", b"HTTP/1.1 503"))
        except TimeoutError:
            return closes
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
        if ("x-upstream", "1") not in result.answer:  # nobody compares the texts of own responses
            result.answer, result.content = (), b""
        if not seen:
            return
        result.upstream, request = seen[0]
        result.answer = tuple(f for f in result.answer if f[0] not in OWN_ANSWER)
        head, body = request.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        result.line = first
        fields = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        fields = [(n, "own" if v == self.address().decode() else v) for n, v in fields]
        result.body = content(body) if ("transfer-encoding", "chunked") in fields else body
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


def ask_both(pool, peers, data, patience):
    return [future.result() for future in [pool.submit(peer.send, data, patience) for peer in peers]]


def compare(peers, random, until):
    """(counts, findings). A difference counts when it is seen again with more patience, of the twin too: a machine may be slow."""
    counts, findings = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        while time.monotonic() < until and len(findings) < 200 and peers[0].process.poll() is None:
            data = requests.draw(random)
            ours, theirs = ask_both(pool, peers, data, 0.3)
            rows, fields = [], ours.differs(theirs)
            for patience in (1.5, 5):
                if not fields or rows:
                    break
                ours, theirs = ask_both(pool, peers, data, patience)
                if fields := ours.differs(theirs):
                    twin, rows = differences.twin_of(data, peers[1].address())
                    twin_result = peers[1].send(twin, patience) if rows else theirs
                    rows = differences.explain(data, vars(ours), vars(twin_result), rows)
            if fields and not rows:
                findings.append(Case(data, ours, theirs, fields))
            counts["requests"] += 1
            counts[f"status {ours.status}"] += 1
            counts.update(f"accepted: {row}" for row in rows)
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
    unused = [row.name for row in differences.ROWS if f"accepted: {row.name}" not in counts]
    if unused:
        print(f"  rows of differences.py that nothing needed: {', '.join(unused)}")
    stale = unused if counts["requests"] > LONG_RUN else []
    if findings:
        print(f"{len(findings)} differences that no entry of differences.py covers; repeat with: SEED={seed} MINUTES={seconds / 60:g} {sys.argv[0]}")
    return 1 if findings or stale or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
