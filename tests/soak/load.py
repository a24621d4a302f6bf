"""The load of a soak: pages and `Connection: close` clients by wrk, WebSockets, and a change of rules each second."""
import asyncio
import contextlib
import re
import subprocess
import threading

from harness import Api
from websocket_echo import Clients

UNITS = {"us": 0.001, "ms": 1, "s": 1000}
VERSIONS = ["v1", "v2", "v3"]
PAGE_CONNECTIONS, CLOSING_CONNECTIONS, WEBSOCKETS = 8, 4, 20


class Pages:
    """wrk at full speed for so many seconds. `faults` is what wrk saw beside good answers."""

    def __init__(self, port, seconds):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{PAGE_CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency",
             f"http://127.0.0.1:{port}/productpage"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.seconds = seconds

    def result(self):
        """(pages, pages a second, 99th percentile in ms, faults)"""
        out = self.process.communicate(timeout=self.seconds + 120)[0]
        pages = int(re.search(r"(\d+) requests in", out).group(1))
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
        return pages, pages / self.seconds, float(number) * UNITS[unit], re.findall(r"Non-2xx.*|Socket errors.*", out)


@contextlib.contextmanager
def closing_clients(mesh, pod, services):
    """Clients in the pod that ask these services, each time on a connection that is closed afterwards."""
    network = ["nsenter", "-t", str(mesh.application_pid(pod)), "-n"]
    addresses = {s["metadata"]["name"]: s["spec"]["clusterIP"] for s in mesh.objects("services")}
    processes = [subprocess.Popen(
        [*network, "wrk", "-t1", f"-c{CLOSING_CONNECTIONS}", "-d24h", "-H", "Connection: close", "-H", f"Host: {name}:9080",
         f"http://{addresses[name]}:9080{path}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, path in services.items()]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
            process.wait()


class InThread:
    def __init__(self, run):
        self.fault = None
        self.thread = threading.Thread(target=self.guarded, args=(run,), daemon=True)
        self.thread.start()

    def guarded(self, run):
        try:
            run()
        except Exception as fault:  # told by whoever joins
            self.fault = fault

    def join(self):
        self.thread.join(120)
        assert not self.thread.is_alive(), "it does not end"
        if self.fault:
            raise self.fault


@contextlib.contextmanager
def websockets(port, path):
    clients = Clients(port, path, WEBSOCKETS, 0.5)
    thread = InThread(lambda: asyncio.run(clients.run()))
    try:
        yield clients
    finally:
        clients.stopped = True
        thread.join()


class Rules:
    """Sends all users to another version of reviews each second."""

    def __init__(self, mesh):
        self.api, self.count, self.stopped = Api(mesh), 0, threading.Event()

    def run(self):
        while not self.stopped.wait(1.0):
            subset = VERSIONS[self.count % 3]
            self.api.put("virtualservices", "reviews", {"hosts": ["reviews"], "http": [
                {"route": [{"destination": {"host": "reviews", "subset": subset}}]}]})
            self.count += 1


@contextlib.contextmanager
def changing_rules(mesh):
    rules = Rules(mesh)
    thread = InThread(rules.run)
    try:
        yield rules
    finally:
        rules.stopped.set()
        thread.join()
