"""A mesh comes back, says why when it cannot, and ends when it is told to. Each test has an instance of its own."""
import contextlib
import os
import signal
import subprocess
import time

import pytest

from harness import Api, BOOKINFO, GATEWAY, SLOW, SUBSETS, WEFT, Instance, free_port, instance, said_until, wait_for

NEVER_READY = """apiVersion: v1
kind: Pod
metadata: {name: never}
spec:
  containers:
  - name: main
    image: example/sh:1
    command: ["/bin/sleep", "98771"]
    readinessProbe: {exec: {command: [/bin/false]}}
"""
SLEEPER = """apiVersion: apps/v1
kind: Deployment
metadata: {name: sleeper}
spec:
  selector: {matchLabels: {app: sleeper}}
  template:
    metadata: {labels: {app: sleeper}}
    spec:
      containers:
      - {name: main, image: example/sh:1, command: ["/bin/sh", "-c", "echo awake; exec sleep 98772"]}
"""


@contextlib.contextmanager
def sleeper(**options):
    with instance(**options) as mesh:
        mesh.apply(text=SLEEPER)
        mesh.wait_ready(1)
        yield mesh


def phases(mesh):
    return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in mesh.objects("pods")}


def start_up(mesh, *arguments):
    return subprocess.Popen([WEFT, "up", "--name", mesh.name, f"--ingress-port={mesh.port}", *map(str, arguments)],
                            env=mesh.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_down_and_up_bring_the_same_pods_again_and_again():
    with instance(BOOKINFO, SUBSETS, GATEWAY) as mesh:
        mesh.wait_ready()
        mesh.apply(text=SLEEPER)
        mesh.wait_ready(7)
        before = phases(mesh)
        for _ in range(3):
            assert mesh.down().returncode == 0
            began = time.monotonic()
            arguments = [f"--ingress-port={mesh.port}", "--detach"]
            again = mesh.weft("up", *arguments, check=False)
            assert again.returncode == 0, again.stdout + again.stderr
            assert "The mesh is up" in again.stdout
            assert time.monotonic() - began < 20 * SLOW
            assert phases(mesh) == before == dict.fromkeys(before, "Running")
            assert mesh.get().status == 200


def test_up_says_why_the_control_plane_cannot_start():
    mesh = Instance()
    try:
        mesh.up()
        mesh.down()
        (mesh.state_dir() / "api.sock" / "in-the-way").mkdir(parents=True)
        failed = mesh.up(check=False, timeout=30)
        assert failed.returncode == 1
        assert "the control plane cannot start: " in failed.stderr and "api.sock" in failed.stderr, failed.stderr
        assert "logs/control.log" in failed.stderr
        assert mesh.weft("get", "pods", check=False).returncode == 1
        (mesh.state_dir() / "api.sock" / "in-the-way").rmdir()
        (mesh.state_dir() / "api.sock").rmdir()
        assert mesh.up().returncode == 0
    finally:
        mesh.destroy()


@pytest.mark.parametrize("detach", [[], ["--detach"]], ids=["foreground", "detach"])
@pytest.mark.parametrize("moment", ["at once", "while pods are awaited"])
def test_ctrl_c_before_all_is_up_says_that_everything_is_ended(detach, moment, tmp_path):
    mesh = Instance()
    (tmp_path / "never.yaml").write_text(NEVER_READY)
    process = start_up(mesh, *detach, "-f", tmp_path / "never.yaml")
    try:
        said = process.stdout.readline()
        assert said.startswith("Starting instance"), said
        if moment == "while pods are awaited":
            wait_for("the pod that is never ready", lambda: any("98771" in line for line in mesh.processes().values()))
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30 * SLOW)
        assert process.returncode == 130, output
        assert output.endswith("interrupted; everything is ended\n"), output
        assert "no mesh is running" in mesh.weft("get", "pods", check=False).stderr
        assert not (mesh.state_dir() / "supervisor.json").exists()
    finally:
        process.kill()
        process.communicate()
        mesh.destroy()


def test_ctrl_c_does_not_hide_that_a_pod_never_came_up(tmp_path):
    (tmp_path / "none.yaml").write_text(SLEEPER.replace("/bin/sh", "/no/such/program"))
    mesh = Instance()
    process = start_up(mesh, "-f", tmp_path / "none.yaml")
    try:
        said = said_until(process, "Ctrl-C ends it.")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30 * SLOW)
        assert process.returncode == 1, said + output
        assert "Ended." in output
    finally:
        process.kill()
        process.communicate()
        mesh.destroy()


def test_up_on_a_running_instance_says_what_it_ignores_and_hints_name_the_instance():
    mesh = Instance()
    try:
        first = mesh.up()
        assert f"'weft down --name {mesh.name}' ends it" in first.stdout
        other = free_port()
        second = mesh.weft("up", f"--ingress-port={other}", "--image", "a=b", "--detach")
        assert "is running already.\n" in second.stdout
        assert f"--ingress-port {other} is ignored: the instance listens at 127.0.0.1:{mesh.port}" in second.stderr
        assert "--image is ignored" in second.stderr
        assert f"'weft down --name {mesh.name}'" in second.stderr
        nobody = subprocess.run([WEFT, "get", "pods", "--name", "nobody"], env=mesh.environment, text=True, capture_output=True)
        assert f"running here: {mesh.name} (choose one with --name)" in nobody.stderr, nobody.stderr
        assert f"'weft down --name {mesh.name} --purge'" in mesh.down().stdout
    finally:
        mesh.destroy()


def test_a_busy_port_leaves_no_folder():
    holder, mesh = Instance(), Instance()
    try:
        holder.up()
        mesh.port = holder.port
        failed = mesh.up(check=False)
        assert failed.returncode == 1 and "is in use by another program" in failed.stderr
        assert not mesh.state_dir().exists()
    finally:
        holder.destroy()
        mesh.destroy()


def test_a_mesh_with_a_pod_that_cannot_start_is_not_called_up(tmp_path):
    (tmp_path / "none.yaml").write_text(SLEEPER.replace("/bin/sh", "/no/such/program"))
    mesh = Instance(tmp_path / "none.yaml")
    try:
        failed = mesh.up(check=False)
        assert failed.returncode == 1
        assert "The mesh is up" not in failed.stdout
        assert f"http://127.0.0.1:{mesh.port}/" in failed.stdout
    finally:
        mesh.destroy()


def test_the_ingress_says_what_is_missing_when_no_gateway_opens_it_and_follows_one_that_does():
    with instance(BOOKINFO, SUBSETS) as mesh:
        answer = mesh.get("/")
        assert answer.status == 404
        assert "Gateway" in answer.text
        mesh.apply(GATEWAY)
        wait_for("the page", lambda: mesh.get().status == 200)
        mesh.weft("delete", "gateway", "bookinfo-gateway")
        wait_for("the answer of before", lambda: "no Gateway" in mesh.get("/").text)


def test_following_a_log_ends_with_its_pod():
    with sleeper() as mesh:
        pod = mesh.pod_name("sleeper")
        follower = subprocess.Popen([WEFT, "logs", "--name", mesh.name, pod, "-f"], env=mesh.environment, text=True,
                                    stdout=subprocess.PIPE)
        try:
            assert follower.stdout.readline() == "awake\n"
            mesh.weft("delete", "pod", pod)
            assert follower.wait(timeout=20 * SLOW) == 0
        finally:
            follower.kill()
            follower.communicate()
        wait_for("the next pod", lambda: mesh.pods("sleeper") and mesh.pod_name("sleeper") != pod)
        assert mesh.log(pod, "main") == "awake\n", "what it said stays for a while"


# The first grace is the pod's own, of 1,000 s.
@pytest.mark.parametrize("graces", [[1], [None, 1], [None, 0]], ids=["at-once", "second-thoughts", "by-force"])
def test_whoever_deletes_a_pod_may_give_it_less_time_than_it_asks_for(graces):
    stubborn = """apiVersion: v1
kind: Pod
metadata: {name: stubborn, labels: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 1000
  containers:
  - {name: main, image: example/sh:1, command: ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 98774; done"]}
"""
    with instance() as mesh:
        mesh.apply(text=stubborn)
        wait_for("its trap", lambda: "up" in mesh.log("stubborn", "main"))
        for grace in graces:
            query = "" if grace is None else f"?gracePeriodSeconds={grace}"
            Api(mesh).call("DELETE", "/api/v1/namespaces/default/pods/stubborn" + query)
        wait_for("its end", lambda: not mesh.pods() and not any("98774" in line for line in mesh.processes().values()))


def test_a_new_pod_is_never_in_no_phase():
    with sleeper() as mesh:
        watch = subprocess.Popen([WEFT, "get", "pods", "--name", mesh.name, "-w"], env=mesh.environment, text=True,
                                 stdout=subprocess.PIPE)
        try:
            assert watch.stdout.readline().startswith("NAME")
            mesh.weft("scale", "deployment/sleeper", "--replicas=4")
            mesh.down()
        finally:
            watch.kill()
        seen = watch.communicate()[0]
        assert seen.count("Pending") >= 3 and "Unknown" not in seen, seen


def test_a_control_plane_that_hangs_is_started_anew():
    with sleeper() as mesh:
        def control():
            return [pid for pid, line in mesh.processes().items() if " control --state-dir" in line][0]
        hung = control()
        os.kill(hung, signal.SIGSTOP)
        wait_for("another control plane", lambda: control() != hung, 90)
        wait_for("its answer", lambda: mesh.weft("get", "pods", check=False).returncode == 0)
