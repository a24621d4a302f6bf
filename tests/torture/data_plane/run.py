#!/usr/bin/env python3
"""The data plane under torture: random clients, random upstreams, configurations that change under them.

    SEED=7 MINUTES=1 tests/torture/data_plane/run.py

Prints what was done of each kind and how it ended; exits with 1 and the broken invariants if there are any.
"""
import collections
import json
import multiprocessing
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
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import ads  # noqa: E402
import configuration  # noqa: E402
import upstream  # noqa: E402
import users  # noqa: E402
from kinds import MOSTLY_WHOLE, WHOLE  # noqa: E402

ROOT = HERE.parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build/release"))
SANITIZED = "asan" in BUILD.name or "tsan" in BUILD.name
CLIENT_PROCESSES, USERS = 2, 12
WORKERS = os.environ.get("WEFT_TEST_WORKERS", "2")
ALARM = re.compile(r"AddressSanitizer|ThreadSanitizer|runtime error|assertion failed|LeakSanitizer", re.I)


def free_ports(count):
    """All that are needed at once: a second call may be offered ports of the first that nobody has taken yet."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [p.getsockname()[1] for p in probes]
    for probe in probes:
        probe.close()
    return ports


class Proxy:
    def __init__(self, directory, admin, ads_port):
        self.admin = admin
        file = directory / "bootstrap.json"
        file.write_text(json.dumps(configuration.bootstrap(self.admin, ads_port)))
        self.log = directory / "proxy.log"
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([BUILD / "src/app/weft-proxy", "-c", file, "--concurrency", WORKERS], stdout=log, stderr=log,
                                            env=os.environ | {"ASAN_OPTIONS": sanitizer})

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=30) as got:
            return got.read().decode()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def anonymous_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"Anonymous:\s+(\d+)", text).group(1))

    def active(self):
        """Gauges that count what is under way."""
        found = re.findall(r"^(\S*(?:cx_active|rq_active|rq_pending_active)): (\d+)$", self.ask("/stats"), re.M)
        return {name: int(value) for name, value in found if int(value) and not name.startswith("cluster.xds")}


class Torture:
    def __init__(self, seed, seconds):
        self.seed, self.seconds = seed, seconds
        self.random = random.Random(seed)
        self.broken, self.counts, self.versions = [], collections.Counter(), 0
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weft-torture-"))
        self.report_read, self.report_write = os.pipe()
        self.children = []

    def fork(self, target, *arguments):
        child = multiprocessing.get_context("fork").Process(target=target, args=arguments, daemon=True)
        child.start()
        return child

    def start(self):
        listeners = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in range(4)]
        self.upstream_ports = [listener.getsockname()[1] for listener in listeners]
        self.upstreams = [self.fork(upstream.serve, listeners[:2], self.report_write), self.fork(upstream.serve, listeners[2:], self.report_write)]
        for listener in listeners:
            listener.close()
        admin, ads_port, self.stable, self.dead, *self.moving = free_ports(7)
        begin = multiprocessing.get_context("fork").Event()
        self.clients = [self.fork(users.run, begin, self.stable, self.moving, f"{self.seed}c{i}", self.seconds, USERS, self.report_write)
                        for i in range(CLIENT_PROCESSES)]
        os.close(self.report_write)
        threading.Thread(target=self.read_reports, daemon=True).start()
        self.control = ads.AdsServer(ads_port)
        self.proxy = Proxy(self.directory, admin, ads_port)
        self.publish()
        self.wait("the proxy serves", lambda: socket.create_connection(("127.0.0.1", self.stable), 1).close() is None, 60)
        time.sleep(0.2)
        self.start_level = self.proxy.descriptors(), self.proxy.anonymous_kib()
        begin.set()

    def publish(self):
        self.versions += 1
        version = self.control.publish(configuration.draw(self.random, self.upstream_ports, self.dead, self.stable, self.moving, str(self.directory / "access.log")))
        if not self.control.wait_applied(version, 60):
            self.broken.append({"broken": "a configuration was not applied within 60 s", "version": version, "rejected": self.control.rejected[-3:]})

    def read_reports(self):
        with os.fdopen(self.report_read) as lines:
            for line in lines:
                told = json.loads(line)
                if "broken" in told:
                    self.broken.append({"version": self.versions, **told})
                else:
                    self.counts.update({tuple(k.split("|")): v for k, v in told["counts"].items()})

    def wait(self, what, condition, seconds):
        deadline, last = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            try:
                if condition():
                    return True
            except Exception as error:  # may fail while things come up or go
                last = error
            time.sleep(0.05)
        self.broken.append({"broken": f"waited {seconds} s for {what}", "last": repr(last)})
        return False

    def run(self):
        deadline = time.monotonic() + self.seconds + 200
        while any(c.is_alive() for c in self.clients) and self.proxy.process.poll() is None and time.monotonic() < deadline:
            time.sleep(self.random.uniform(0.02, 0.6))
            self.publish()
        for client in self.clients:
            client.join(timeout=100)
            if client.exitcode != 0:
                self.broken.append({"broken": "a client process did not end in order", "code": client.exitcode})
                client.kill()
        for child in self.upstreams:
            child.kill()
        if self.proxy.process.poll() is not None:
            self.broken.append({"broken": "the proxy ended", "code": self.proxy.process.returncode})

    def after_quiet(self):
        if self.proxy.process.poll() is None:
            if not self.wait("nothing under way after the clients and upstreams have gone", lambda: not self.proxy.active(), 60):
                self.broken.append({"broken": "still under way", "what": self.proxy.active()})
            files, kib = self.start_level
            # Listeners come and go, and one admin connection may be there.
            if not self.wait(f"descriptors back to {files}", lambda: self.proxy.descriptors() <= files + 12, 30):
                self.broken.append({"broken": "descriptors", "start": files, "now": self.proxy.descriptors()})
            if not SANITIZED and self.proxy.anonymous_kib() > kib + 16 * 1024:
                self.broken.append({"broken": "memory", "start KiB": kib, "now KiB": self.proxy.anonymous_kib()})
            self.memory = self.proxy.anonymous_kib()
            self.proxy.process.terminate()
            try:
                code = self.proxy.process.wait(60)
            except subprocess.TimeoutExpired:
                self.proxy.process.kill()
                code = "no end within 60 s of SIGTERM"
            if code != 0:
                self.broken.append({"broken": "the proxy's exit code", "code": code})
        self.control.stop()
        text = self.proxy.log.read_text(errors="replace")
        if ALARM.search(text):
            self.broken.append({"broken": "the proxy's log has a report", "log": text[-6000:]})
        if self.control.rejected:
            self.broken.append({"broken": "a good configuration was rejected", "why": self.control.rejected[:3]})

    def judge(self):
        for kind in sorted({k for k, _ in self.counts}):
            ends = {end: n for (k, end), n in self.counts.items() if k == kind}
            total, whole = sum(ends.values()), ends.get("whole", 0)
            if kind in WHOLE and whole != total or kind in MOSTLY_WHOLE and whole < 0.97 * total:
                self.broken.append({"broken": "requests that have to succeed did not", "kind": kind, "ends": ends})
            print(f"  {kind:16} {total:8} requests: " + ", ".join(f"{n} {end}" for end, n in sorted(ends.items())))

    def report(self):
        self.judge()
        print(f"  {sum(self.counts.values())} requests, {self.versions} configurations; anonymous memory {self.start_level[1]} KiB at start, "
              f"{getattr(self, 'memory', 0)} KiB after")
        for finding in self.broken[:20]:
            print("BROKEN " + json.dumps(finding)[:6000])
        if self.broken:
            print(f"{len(self.broken)} broken invariants; the proxy's log and bootstrap are in {self.directory}\nrepeat with: SEED={self.seed} "
                  f"MINUTES={self.seconds / 60:g} {sys.argv[0]}")
        return 1 if self.broken else 0


def main():
    seed = os.environ.get("SEED") or str(random.SystemRandom().randint(0, 10**9))
    seconds = float(os.environ.get("MINUTES", "1")) * 60
    print(f"data plane torture: SEED={seed}, {seconds:g} s, {BUILD}", flush=True)
    torture = Torture(seed, seconds)
    torture.start()
    torture.run()
    torture.after_quiet()
    return torture.report()


if __name__ == "__main__":
    sys.exit(main())
