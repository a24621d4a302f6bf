"""What the tests on a real cluster stand on. They run inside the cluster's namespaces (scripts/kubernetes/run), so the
cluster's addresses, its processes and the network namespaces of its pods are all within reach."""
import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import time
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
WEFT = BUILD / "src/cli/weft"
VERSION = subprocess.run([WEFT, "version"], capture_output=True, text=True).stdout.split()[1] if WEFT.exists() else "none"
SAMPLE = ROOT / "samples/bookinfo"
BOOKINFO = SAMPLE / "platform/kube/bookinfo.yaml"
BOOKINFO_2017 = SAMPLE / "platform/kube/bookinfo-2017.yaml"
NETWORKING = SAMPLE / "networking"
SYSTEM = "weft-system"
PROXY_ID = 1337
TOOLS = "weft.dev/tools:1"
# The commands are found as a reader's shell would find them.
ENVIRONMENT = {**os.environ, "PATH": f"{WEFT.parent}:{os.environ['PATH']}", "NO_COLOR": "1"}


def run(*command, check=True, input=None, timeout=60, environment=ENVIRONMENT):
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, input=input, timeout=timeout,
                          env=environment, errors="replace")
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def shell(line, check=True, timeout=120):
    """A line as a reader types it, run by bash."""
    return run("bash", "-c", line, check=check, timeout=timeout)


def weft(*arguments, **options):
    return run(WEFT, *arguments, **options)


def wait_for(what, condition, seconds=30, pause=0.05):
    """Polls until condition() is true and returns its value; fails with `what` and the last exception otherwise."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except Exception as error:  # the condition may fail while things come up
            last = error
        time.sleep(pause)
    raise AssertionError(f"waited {seconds} s for {what}; last error: {last!r}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)


def get(url, headers=None, timeout=10):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/", headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Pod:
    """A pod that runs, and a way into its network namespace with the programs of this machine."""

    def __init__(self, cluster, item):
        self.cluster = cluster
        self.name, self.ns = item["metadata"]["name"], item["metadata"]["namespace"]
        self.item = item

    def refresh(self):
        self.item = self.cluster.object("pod", self.name, self.ns)
        return self

    @property
    def ip(self):
        return self.item["status"]["podIP"]

    @property
    def spec(self):
        return self.item["spec"]

    def statuses(self):
        status = self.item["status"]
        return {s["name"]: s for s in status.get("initContainerStatuses", []) + status.get("containerStatuses", [])}

    def containers(self):
        """{name: container} of all, those that run before the others too."""
        return {c["name"]: c for c in self.spec.get("initContainers", []) + self.spec["containers"]}

    def is_injected(self):
        return "istio-proxy" in self.containers()

    def is_ready(self):
        return any(c["type"] == "Ready" and c["status"] == "True" for c in self.item["status"].get("conditions", []))

    def pid(self, container=None):
        """The first process of a container that runs; without a name, of any."""
        names = [container] if container else list(self.statuses())
        for name in names:
            identity = self.statuses()[name].get("containerID", "").removeprefix("containerd://")
            place = pathlib.Path(f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{identity}/init.pid")
            if identity and place.exists() and "running" in self.statuses()[name]["state"]:
                return int(place.read_text())
        raise AssertionError(f"no container of {names} runs in {self.name}: {self.statuses()}")

    def inside(self, *command, uid=0, gid=0, check=True, timeout=30):
        """A program of this machine in the pod's network namespace."""
        return run("nsenter", "-t", self.pid(), "-n", "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *command,
                   check=check, timeout=timeout)

    def curl(self, url, *options, uid=0, gid=0, check=True):
        return self.inside("curl", "-sS", "--max-time", "10", *options, url, uid=uid, gid=gid, check=check)

    def status_of(self, url, *options, **who):
        return self.curl(url, "-o", "/dev/null", "-w", "%{http_code}", *options, check=False, **who).stdout

    def connect(self, host, port, uid=0, gid=0):
        """Which way a TCP connection from the pod takes: {connected, captured: 15001, 15006 or 0, error}."""
        done = self.inside("/usr/bin/python3", pathlib.Path(__file__).with_name("pod_connect.py"), host, port, uid=uid, gid=gid)
        return json.loads(done.stdout)

    def logs(self, container):
        return self.cluster.kubectl("logs", "-n", self.ns, self.name, "-c", container, check=False).stdout

    def delete(self, *options):
        self.cluster.kubectl("delete", "pod", "-n", self.ns, self.name, *options)


class Cluster:
    def kubectl(self, *arguments, check=True, input=None, timeout=60):
        return run("kubectl", *arguments, check=check, input=input, timeout=timeout)

    def apply(self, what, ns="default", check=True):
        """A file, or text."""
        if isinstance(what, pathlib.Path):
            return self.kubectl("apply", "-n", ns, "-f", what, check=check)
        return self.kubectl("apply", "-n", ns, "-f", "-", input=what, check=check)

    def object(self, kind, name, ns="default"):
        return json.loads(self.kubectl("get", kind, name, "-n", ns, "-o", "json").stdout)

    def objects(self, kind, ns="default", selector=""):
        where = ["-A"] if ns is None else ["-n", ns]
        return json.loads(self.kubectl("get", kind, *where, "-l", selector, "-o", "json").stdout)["items"]

    def pods(self, selector="", ns="default", ending=False):
        items = self.objects("pods", ns, selector)
        return [Pod(self, i) for i in items if ending or "deletionTimestamp" not in i["metadata"]]

    def pod(self, selector, ns="default", seconds=30):
        """The one ready pod that a selector names."""
        def one():
            ready = [p for p in self.pods(selector, ns) if p.is_ready()]
            return ready[0] if len(ready) == 1 else None
        return wait_for(f"one ready pod {selector} in {ns}", one, seconds, 0.2)

    def wait_available(self, ns="default", seconds=90):
        """Every deployment of a namespace has rolled out, and the pods of before have gone."""
        for deployment in self.objects("deployments", ns):
            self.kubectl("rollout", "status", "-n", ns, f"deployment/{deployment['metadata']['name']}", f"--timeout={seconds}s",
                         timeout=seconds + 10)
        wait_for(f"the pods of before to leave {ns}", lambda: len(self.pods("", ns, ending=True)) == len(self.pods("", ns)), 60, 0.3)

    @contextlib.contextmanager
    def namespace(self, **labels):
        """A namespace of its own for a test. A label's name is given with '_' for '-', and '__' for '/'."""
        name = "t" + uuid.uuid4().hex[:8]
        marks = {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
        self.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": marks}}))
        wait_for("the default account", lambda: self.object("serviceaccount", "default", name), 60)
        try:
            yield name
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")

    def injected(self):
        return self.namespace(istio_injection="enabled")

    def node_address(self, service, ns, port=80):
        node = self.objects("nodes")[0]
        address = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"][0]
        ports = self.object("service", service, ns)["spec"]["ports"]
        return f"{address}:{[p['nodePort'] for p in ports if p['port'] == port][0]}"

    def events(self, ns):
        return [f"{e['reason']} {e['involvedObject']['name']}: {e.get('message', '')}" for e in self.objects("events", ns)]

    def daemon(self, action, name):
        """start, stop, kill or restart one of the cluster's own programs; their data stay."""
        run(ROOT / "scripts/kubernetes/daemon", action, name)

    def wait_api(self, seconds=60):
        wait_for("the API server", lambda: self.kubectl("get", "--raw", "/readyz", check=False).returncode == 0, seconds, 0.2)

    # The mesh.

    def install(self, profile="demo", *options):
        manifest = weft("install", "--profile", profile, *options).stdout
        # An object of a kind that the same stream defines can be refused until the API server serves the kind.
        wait_for("the stream of weft install to be accepted",
                 lambda: self.kubectl("apply", "-f", "-", input=manifest), 30, 1)
        self.wait_available(SYSTEM)

    def uninstall(self):
        return weft("uninstall", timeout=120)

    def control_pod(self):
        return self.pod("app=weft-control", SYSTEM, 60)

    def deploy(self, ns, *files):
        for file in files:
            self.apply(file, ns)
        self.wait_available(ns)

    def applied(self, check, seconds=10):
        """How long until check() is true, in seconds, counted finely."""
        began = time.monotonic()
        wait_for("a change to arrive", check, seconds, 0.005)
        return time.monotonic() - began


def stars(page):
    return page.count("glyphicon glyphicon-star")


def version_of(page):
    """Which reviews version a page shows: v1 has no stars, v2 black ones, v3 red ones."""
    if "Error fetching" in page or "Book Reviews" not in page:
        return "error"
    if stars(page) == 0:
        return "v1"
    return "v3" if "text-red-500" in page else "v2"


def server(name, image=f"weft.dev/bookinfo:{VERSION}", args='["details", "9080"]', port=9080, extra="",
           annotations="", labels="", pod_extra=""):
    """A Deployment of one Bookinfo service as a plain HTTP server, with a Service `name` on the port."""
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: {port}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}{labels}}}
      annotations: {{weft.dev/test: "yes"{annotations}}}
    spec:
      terminationGracePeriodSeconds: 10
      {pod_extra}
      containers:
      - name: {name}
        image: {image}
        args: {args}
        ports: [{{containerPort: {port}}}]
        {extra}
"""


def tools_pod(name, script="while true; do sleep 1; done", labels="", annotations="", container="", spec=""):
    """A pod with a shell that runs `script`."""
    return f"""
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: {name}{labels}}}
  annotations: {{weft.dev/test: "yes"{annotations}}}
spec:
  terminationGracePeriodSeconds: 1
  restartPolicy: Never
  {spec}
  containers:
  - name: shell
    image: {TOOLS}
    args: ["-c", {json.dumps(script)}]
    {container}
"""
