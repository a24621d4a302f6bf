"""What a person writes wrongly is named by file, line, field, value and remedy, and nothing of it is applied."""
import pytest

from harness import Instance, PROXY, WEFT, wait_for
import subprocess

GOOD = """apiVersion: v1
kind: ConfigMap
metadata: {name: good}
data: {a: b}
---
"""
CASES = {
    "yaml that does not parse": ("apiVersion: v1\nkind: Service\nmetadata:\n  name: [a\nspec: {}\n", ["bad.yaml:"]),
    "a duplicate key": ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  name: b\n", ["bad.yaml:10", "name"]),
    "an unknown kind": ("apiVersion: v1\nkind: Serivce\nmetadata: {name: a}\n", ["bad.yaml:7", "Serivce"]),
    "an unknown field": ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - prot: 9080\n",
                         ["bad.yaml:11", "prot", "port"]),
    "a wrong type": ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: web\n",
                     ["bad.yaml:11", "port", "web"]),
    "a field that is not supported": (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  http:\n"
        "  - mirror: {host: b}\n    route:\n    - destination: {host: a}\n", ["bad.yaml:12", "mirror"]),
    "a value that no proxy accepts": (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  http:\n"
        "  - route:\n    - destination: {host: a}\n    headers:\n      request:\n        set:\n          x-discount: 100%\n",
        ["bad.yaml:17", "spec.http[0].headers.request.set.x-discount", "no proxy accepts it"]),
    "a value of several lines": (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  http:\n"
        "  - route:\n    - destination: {host: a}\n    headers:\n      request:\n        set:\n          x: |\n            a\n",
        ["bad.yaml:17", "set.x", "one line"]),
    "a port that is the proxy's own": (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec:\n  servers:\n"
        "  - port: {number: 15000, name: http, protocol: HTTP}\n    hosts: ['*']\n",
        ["bad.yaml:11", "15000", "port of the proxy itself"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_with(mesh, tmp_path, name):
    text, wanted = CASES[name]
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD + text)
    done = mesh.weft("apply", "-f", file, check=False)
    assert done.returncode == 1, done.stdout
    for word in wanted:
        assert word in done.stderr, done.stderr
    assert mesh.weft("get", "configmap", "good", check=False).returncode == 1, "half of the file was applied"


def test_an_ingress_port_in_use_is_named_and_nothing_starts(mesh):
    other = Instance()
    other.port = mesh.port
    try:
        done = other.up(check=False)
        assert done.returncode == 1
        assert str(mesh.port) in done.stderr and "--ingress-port" in done.stderr, done.stderr
        assert not (other.state_dir() / "supervisor.json").exists()
    finally:
        other.destroy()


DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {annotations}
    spec:
      containers:
      - name: main
        image: {image}
        {more}
"""


def reason(mesh, app):
    for pod in mesh.pods(app):
        for status in pod["status"].get("containerStatuses", []):
            waiting = status.get("state", {}).get("waiting")
            if status["name"] == "main" and waiting:
                return waiting
    return None


@pytest.fixture
def deployment(mesh):
    made = []

    def make(name, image="example/nothing:1", annotations="{}", more="env: []"):
        mesh.apply(text=DEPLOYMENT.format(name=name, image=image, annotations=annotations, more=more))
        made.append(name)
        return name
    yield make
    for name in made:
        mesh.weft("delete", "deployment", name)


def test_an_image_without_a_command_is_a_pod_state_with_a_remedy(mesh, deployment):
    app = deployment("unknown-image")
    waiting = wait_for("ErrImageNeverPull", lambda: (reason(mesh, app) or {}).get("reason") == "ErrImageNeverPull" and reason(mesh, app))
    assert "example/nothing:1" in waiting["message"] and "--image" in waiting["message"]
    assert mesh.get().status == 200


def test_an_application_that_exits_is_restarted_with_back_off_and_the_page_stays(mesh, deployment):
    app = deployment("exits", more='command: ["/bin/sh", "-c", "exit 3"]')

    def restarted():
        status = [s for s in mesh.pods(app)[0]["status"]["containerStatuses"] if s["name"] == "main"][0]
        return status["restartCount"] >= 1 and status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
    wait_for("CrashLoopBackOff", restarted)
    assert mesh.get().status == 200


def test_an_application_that_never_gets_ready_is_one_of_two_and_says_so(mesh, deployment):
    app = deployment("never-ready", more='command: ["/bin/sleep", "1000"]\n        readinessProbe: '
                                         '{tcpSocket: {port: 9999}, periodSeconds: 1}')
    def row():
        for line in mesh.weft("get", "pods").stdout.splitlines():
            if line.startswith("never-ready"):
                return line.split()[1:3] == ["1/2", "Running"]
    wait_for("1/2 Running", row)


def test_a_wrong_command_line_ends_with_2_and_help_with_0():
    assert subprocess.run([WEFT, "nonsense"], capture_output=True).returncode == 2
    assert subprocess.run([WEFT, "get"], capture_output=True).returncode == 2
    for command in ["up", "down", "apply", "delete", "get", "describe", "logs", "scale", "proxy-status", "proxy-config",
                    "version"]:
        done = subprocess.run([WEFT, command, "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and len(done.stdout) > 100, command


def test_a_bootstrap_with_an_unknown_field_is_refused_by_its_path(tmp_path):
    file = tmp_path / "bootstrap.yaml"
    file.write_text("static_resources:\n  listeners:\n  - name: a\n    adress: {}\n")
    done = subprocess.run([PROXY, "-c", file], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "bootstrap.yaml" in done.stderr and "adress" in done.stderr, done.stderr
