"""What the tortures of the control plane and of the machine share: an instance, rules that say which generation they are, findings."""
import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import BOOKINFO, GATEWAY, SLOW, SUBSETS, Instance  # noqa: E402

__all__ = ["BOOKINFO", "GATEWAY", "SLOW", "SUBSETS", "Instance", "Findings", "direct_response", "ask_host", "control_pid", "alive", "main"]


class Findings:
    """Broken invariants, with the step at which each was seen, and the last kinds of step up to it where they are kept."""

    def __init__(self):
        self.lock, self.broken, self.step, self.counts = threading.Lock(), [], 0, {}
        self.recent = collections.deque(maxlen=4)

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def tell(self, what, **details):
        with self.lock:
            self.broken.append({"step": self.step, "steps": [*self.recent], "broken": what, **details})


def direct_response(name, generation, host=None):
    """A rule at the gateway whose response says its own name and generation."""
    return json.dumps({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name},
                       "spec": {"hosts": [host or f"{name}.example"], "gateways": ["bookinfo-gateway"],
                                "http": [{"directResponse": {"status": 200, "body": {"string": f"{name} {generation}"}}}]}})


def ask_host(port, host, path="/of-a-rule", timeout=20):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * SLOW)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def control_pid(mesh):
    return [pid for pid, line in mesh.processes().items() if " control " in f" {line} " and "registration" in line][0]


def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    return False


def main(name, torture, report=None):
    """Runs `torture(findings, random, until)` and prints what it found. Returns the exit code."""
    seed = os.environ.get("SEED") or str(random.SystemRandom().randint(0, 10**9))
    seconds = float(os.environ.get("MINUTES", "1")) * 60
    print(f"{name} torture: SEED={seed}, {seconds:g} s", flush=True)
    findings = Findings()
    torture(findings, random.Random(seed), time.monotonic() + seconds)
    for what, count in sorted(findings.counts.items()):
        print(f"  {count:6} {what}")
    for finding in findings.broken[:20]:
        print("BROKEN " + json.dumps(finding)[:4000])
    if findings.broken:
        print(f"{len(findings.broken)} broken invariants; repeat with: SEED={seed} MINUTES={seconds / 60:g} {sys.argv[0]}")
    return 1 if findings.broken else 0
