"""Who may die: design rule "kill -9 of any one process". Each test has an instance of its own."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

from harness import BOOKINFO, GATEWAY, NETWORKING, SLOW, SUBSETS, instance, version_of, wait_for

AWKWARD = """apiVersion: apps/v1
kind: Deployment
metadata: {name: awkward}
spec:
  selector: {matchLabels: {app: awkward}}
  template:
    metadata: {labels: {app: awkward}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: forks-twice
        image: example/sh:1
        command: ["/bin/sh", "-c", "(sh -c 'sleep 98761 & exit 0' &) ; exec sleep 98762"]
      - name: ignores-sigterm
        image: example/sh:1
        command: ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 98763; done"]
"""


@pytest.fixture
def own():
    with instance(BOOKINFO, SUBSETS, GATEWAY) as mesh:
        mesh.wait_ready()
        yield mesh


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def control_pid(mesh):
    return [pid for pid, line in mesh.processes().items() if " control " in f" {line} " and "registration" in line][0]


def test_a_killed_sidecar_and_a_killed_application_are_restarted_and_the_others_never_notice(own):
    own.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    others = {p["metadata"]["name"]: own.sidecar_pid(p["metadata"]["name"]) for p in own.pods() if
              p["metadata"]["labels"]["app"] != "reviews"}
    pod = own.pod_name("reviews", "v3")
    for victim in [own.sidecar_pid(pod), own.application_pid(pod)]:
        os.kill(victim, signal.SIGKILL)
        wait_for("the old process to be gone", lambda: not alive(victim))
        wait_for("stars again", lambda: version_of(own.get().text) == "v3")
    assert others == {name: own.sidecar_pid(name) for name in others}
    def restarts():
        return [sum(c["restartCount"] for c in p["status"]["containerStatuses"]) for p in own.pods("reviews", "v3")][0]
    wait_for("two restarts in the table", lambda: restarts() == 2)


def test_a_killed_control_plane_leaves_traffic_alone_and_comes_back_with_its_objects(own):
    own.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
    pid = control_pid(own)
    pods = sorted(p["metadata"]["name"] for p in own.pods())
    os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        assert version_of(own.get().text) == "v3"
    wait_for("the control plane", lambda: sorted(p["metadata"]["name"] for p in own.pods()) == pods)
    assert control_pid(own) != pid
    own.apply(NETWORKING / "virtual-service-all-v1.yaml")
    assert version_of(own.get().text) == "v1"


def leftovers(mesh, before):
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout
    mounts = pathlib.Path("/proc/mounts").read_text()
    return links != before[0] or mounts != before[1] or str(mesh.state) in mounts


def snapshot_of_host():
    return (subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout,
            pathlib.Path("/proc/mounts").read_text())


def test_kill_9_of_the_supervisor_leaves_nothing_and_the_next_up_finds_its_objects():
    before = snapshot_of_host()
    with instance(BOOKINFO, SUBSETS, GATEWAY) as mesh:
        mesh.apply(text=AWKWARD)
        mesh.apply(NETWORKING / "virtual-service-reviews-v3.yaml")
        wait_for("the awkward pod", lambda: any("98763" in line for line in mesh.processes().values()) and
                 any("98761" in line for line in mesh.processes().values()))
        processes = list(mesh.processes())
        os.kill(mesh.supervisor_pid(), signal.SIGKILL)
        wait_for("the end of every process", lambda: not [p for p in processes if alive(p)])
        assert not leftovers(mesh, before)
        mesh.up(NETWORKING / "virtual-service-reviews-v3.yaml")
        wait_for("the page with the rule of before", lambda: version_of(mesh.get().text) == "v3")
        assert [v["metadata"]["name"] for v in mesh.objects("virtualservices")] == ["bookinfo", "reviews"]


def test_down_ends_an_application_that_forks_twice_and_one_that_ignores_sigterm():
    before = snapshot_of_host()
    with instance(BOOKINFO, SUBSETS, GATEWAY) as mesh:
        mesh.apply(text=AWKWARD)
        wait_for("the awkward pod", lambda: any("98763" in line for line in mesh.processes().values()))
        processes = list(mesh.processes())
        done = mesh.down()
        assert done.returncode == 0, done.stderr
        assert not [p for p in processes if alive(p)]
        assert not leftovers(mesh, before)
        assert mesh.weft("get", "pods", check=False).returncode == 1


def test_deleting_a_deployment_ends_its_awkward_processes(own):
    own.apply(text=AWKWARD)
    wait_for("the awkward pod", lambda: any("98763" in line for line in own.processes().values()))
    own.weft("delete", "deployment", "awkward")
    wait_for("their end", lambda: not any("9876" in line for line in own.processes().values()))


def test_ctrl_c_ends_everything_in_order(tmp_path):
    from harness import Instance, WEFT, said_until
    before = snapshot_of_host()
    mesh = Instance(BOOKINFO, SUBSETS, GATEWAY)
    process = subprocess.Popen([WEFT, "up", "--name", mesh.name, f"--ingress-port={mesh.port}", "-f", BOOKINFO, "-f", SUBSETS,
                                "-f", GATEWAY], env=mesh.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    try:
        said = said_until(process, "Ctrl-C")
        assert f"http://127.0.0.1:{mesh.port}/productpage" in said
        assert mesh.get().status == 200
        processes = list(mesh.processes())
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode in (0, 130), output
        assert not [p for p in processes if alive(p)]
        assert not leftovers(mesh, before)
    finally:
        process.kill()
        mesh.destroy()


ECHO = """apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{port: 8000, name: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  replicas: 3
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers:
      - {name: echo, image: example/python:1, command: [/usr/bin/python3, -c, "%s"], ports: [{containerPort: 8000}],
         readinessProbe: {httpGet: {path: /, port: 8000}, periodSeconds: 1}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo}
spec:
  hosts: [echo.test]
  gateways: [bookinfo-gateway]
  http: [{route: [{destination: {host: echo}}]}]
""" % ("import http.server as h; S = h.ThreadingHTTPServer; S.request_queue_size = 100; "
       "S(('', 8000), h.SimpleHTTPRequestHandler).serve_forever()")


def test_ready_pods_that_are_deleted_cost_no_request_though_they_end_at_once(own):
    own.apply(text=ECHO)
    own.wait_ready(count=9)
    # The gateway hears of pods a moment after they are ready.
    wait_for("the way to an echo", lambda: own.get("/", headers={"Host": "echo.test"}).status == 200)
    ended, failed, slowest = threading.Event(), [], [0.0]
    def visit():
        while not ended.is_set():
            began = time.monotonic()
            try:
                status = own.get("/", headers={"Host": "echo.test"}).status
            except OSError as error:
                status = error
            slowest[0] = max(slowest[0], time.monotonic() - began)
            if status != 200:
                failed.append(status)
    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for each in visitors:
        each.start()
    try:
        for _ in range(12):
            names = {pod["metadata"]["name"] for pod in own.pods("echo")}
            victim = min(names)
            own.weft("delete", "pod", victim)
            wait_for("another pod in its place", lambda: {pod["metadata"]["name"] for pod in own.pods("echo")} - names)
            own.wait_ready(count=9)
    finally:
        ended.set()
        for each in visitors:
            each.join()
    assert not failed
    assert slowest[0] < 3 * SLOW, "nobody waited for a connection to a pod that is gone"
