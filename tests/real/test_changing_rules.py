"""Streams that live long go on while the rules of their route change every moment."""
import threading

from lab import MESHED, PLAIN
from test_real import compare

from harness import Api, wait_for

CHANGES = 40


def rule(number):
    """Another timeout, header and match each time; the stream's own route is among them."""
    def route(**more):
        return {"route": [{"destination": {"host": "websocket", "port": {"number": 8081}}}], "timeout": "0s", **more}
    return {"hosts": ["websocket"], "http": [
        {"match": [{"uri": {"prefix": f"/generation-{number}"}}], "directResponse": {"status": 418}},
        route(headers={"response": {"set": {"x-generation": str(number)}}}) if number % 2 else route()]}


def object_of(number):
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "websocket", "namespace": MESHED},
            "spec": rule(number)}


class Changes:
    """Writes another rule as soon as the one before is applied and `between` has returned."""

    def __init__(self, mesh, between=lambda: None):
        self.between = between
        self.api, self.count, self.stopped, self.fault = Api(mesh), 0, threading.Event(), None
        self.path = f"/apis/networking.istio.io/v1/namespaces/{MESHED}/virtualservices"
        self.api.call("POST", self.path, object_of(0))
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.stopped.is_set():
                current = self.api.call("GET", f"{self.path}/websocket")
                current["spec"] = rule(self.count + 1)
                version = int(self.api.call("PUT", f"{self.path}/websocket", current)["metadata"]["resourceVersion"])
                self.api.applied(version)
                self.count += 1
                self.between()
        except Exception as error:
            self.fault = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        self.api.call("DELETE", f"{self.path}/websocket")
        assert self.fault is None, self.fault


def test_a_websocket_and_an_event_stream_outlive_changes_of_their_rules(lab, served):
    served("websocket")
    echoes = lab.begin(MESHED, f"touch {lab.folder}/begun; exec node $HERE/clients/websocket.js until {lab.folder}/enough")
    file = lab.folder / "enough.echoes"

    def echoed():
        return file.stat().st_size if file.exists() else 0

    def an_echo_begins_and_ends():
        before = echoed()
        wait_for("an echo under this rule", lambda: echoed() >= before + 2, 20)

    with Changes(lab.mesh, an_echo_begins_and_ends) as changes:
        events = 0
        while changes.count < CHANGES and changes.fault is None:
            compare(lab, "/usr/bin/python3 $HERE/clients/events.py 50", "websocket")
            events += 1
    (lab.folder / "enough").touch()
    output, errors = echoes.communicate(timeout=60)
    assert echoes.returncode == 0, (output, errors)
    assert int(output) > changes.count and events > 0, (output, changes.count)


def test_clients_that_come_and_go_meet_some_rule_in_force_and_no_fault(lab, served):
    served("websocket")
    with Changes(lab.mesh) as changes:
        for _ in range(3):
            done = lab.run(MESHED, "ab -q -n 1000 -c 4 http://websocket:8081/ | grep -E '^(Complete|Failed|Non-2xx)'")
            assert done.output.split() == ["Complete", "requests:", "1000", "Failed", "requests:", "0"], done
    assert changes.count > 0 and lab.run(PLAIN, "true").code == 0
