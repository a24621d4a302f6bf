"""What the end-to-end tests stand on: one instance of the mesh in a state directory of its own, and raw HTTP."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build/release"))
WEFT = BUILD / "src/cli/weft"
PROXY = BUILD / "src/app/weft-proxy"
SAMPLE = ROOT / "samples/bookinfo"
BOOKINFO = SAMPLE / "platform/kube/bookinfo.yaml"
NETWORKING = SAMPLE / "networking"
GATEWAY = NETWORKING / "bookinfo-gateway.yaml"
SUBSETS = NETWORKING / "destination-rule-all.yaml"
# Workers of each sidecar; empty: as the manifests say.
WORKERS = os.environ.get("WEFT_TEST_WORKERS", "")
SLOW = 3 if "asan" in str(BUILD) or "tsan" in str(BUILD) else 1
GIVEN = set()  # ports, by free_port()


def free_port():
    """A port that was given to nobody before: the kernel may offer one again before its owner has taken it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


def wait_for(what, condition, seconds=20):
    """Polls until condition() is true and returns its value; fails with `what` and the last exception otherwise."""
    deadline = time.monotonic() + seconds * SLOW
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except Exception as error:  # the condition may fail while things come up
            last = error
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds * SLOW} s for {what}; last error: {last!r}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)


def with_workers(file, folder):
    """A copy of Bookinfo's manifest whose sidecars have WORKERS workers; another file as it is."""
    if pathlib.Path(file) != BOOKINFO:
        return file
    documents = list(yaml.safe_load_all(BOOKINFO.read_text()))
    for document in documents:
        if document["kind"] == "Deployment":
            marks = document["spec"]["template"]["metadata"].setdefault("annotations", {})
            marks["proxy.istio.io/config"] = f"concurrency: {WORKERS}"
    copy = pathlib.Path(folder) / f"{WORKERS}-workers.yaml"
    copy.write_text(yaml.safe_dump_all(documents))
    return copy


def said_until(process, text):
    """What a process prints up to the line with `text`; it has to say it."""
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


class Instance:
    """`weft up --detach` with a name, state directory and ingress port of its own."""

    def __init__(self, *files, up_options=()):
        self.name = "t" + uuid.uuid4().hex[:8]
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="weft-", dir="/tmp"))
        self.port = free_port()
        self.environment = {**os.environ, "WEFT_STATE_DIR": str(self.state), "NO_COLOR": "1"}
        self.files = files
        self.up_options = up_options

    def up(self, *files, check=True, timeout=60):
        arguments = [f"--ingress-port={self.port}", "--detach", *self.up_options]
        for file in files or self.files:
            arguments += ["-f", str(with_workers(file, self.state) if WORKERS else file)]
        return self.weft("up", *arguments, check=check, timeout=timeout)

    def weft(self, command, *arguments, check=True, timeout=60, input=None):
        done = subprocess.run([WEFT, command, "--name", self.name, *map(str, arguments)], env=self.environment, text=True,
                              capture_output=True, timeout=timeout * SLOW, input=input)
        if check and done.returncode != 0:
            raise AssertionError(f"weft {command} {arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def apply(self, *files, text=None, check=True):
        arguments = []
        for file in files:
            arguments += ["-f", str(file)]
        if text is not None:
            arguments += ["-f", "-"]
        return self.weft("apply", *arguments, check=check, input=text)

    def objects(self, kind, *arguments):
        return json.loads(self.weft("get", kind, "-o", "json", *arguments).stdout)["items"]

    def pods(self, app=None, version=None):
        selected = []
        for pod in self.objects("pods"):
            labels = pod["metadata"].get("labels", {})
            if (app is None or labels.get("app") == app) and (version is None or labels.get("version") == version):
                selected.append(pod)
        return selected

    def pod_name(self, app, version=None):
        return self.pods(app, version)[0]["metadata"]["name"]

    def state_dir(self):
        return self.state / self.name

    def supervisor_pid(self):
        return json.loads((self.state_dir() / "supervisor.json").read_text())["pid"]

    def processes(self):
        """Every process below the supervisor: {pid: command line}."""
        children = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError):
                    parent = int(re.search(r"\) \S (\d+)", (entry / "stat").read_text()).group(1))
                    children.setdefault(parent, []).append(int(entry.name))
        found, stack = {}, [self.supervisor_pid()]
        while stack:
            for pid in children.get(stack.pop(), []):
                stack.append(pid)
                with contextlib.suppress(OSError):
                    found[pid] = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        return found

    def sidecar_pid(self, pod):
        pids = [p for p, line in self.processes().items() if "bootstrap" in line and f"_{pod}/" in line]
        assert pids, f"no sidecar of {pod} among {self.processes()}"
        return max(pids)

    def application_pid(self, pod):
        pids = [p for p, line in self.processes().items() if "bootstrap" not in line and self.hostname(p) == pod]
        assert pids, f"no application of {pod}"
        return max(pids)

    @staticmethod
    def hostname(pid):
        with contextlib.suppress(OSError):
            for item in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                if item.startswith(b"HOSTNAME="):
                    return item[9:].decode()
        return None

    def get(self, path="/productpage", method="GET", headers=None, body=None, timeout=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOW)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def log(self, pod, container="istio-proxy"):
        """With what was put aside when the log had grown too large, which may be the lines of a moment ago."""
        file = self.state_dir() / "logs" / f"default_{pod}" / f"{container}.log"
        earlier = file.with_name(f"{file.name}.1")
        return (earlier.read_text(errors="replace") if earlier.exists() else "") + file.read_text(errors="replace")

    def wait_ready(self, count=6, seconds=30):
        def ready():
            pods = self.pods()
            states = [all(c["ready"] for c in p["status"].get("containerStatuses", [])) for p in pods]
            return len(pods) == count and all(states) and all(p["status"].get("containerStatuses") for p in pods)
        wait_for(f"{count} ready pods", ready, seconds)

    def down(self):
        return self.weft("down", check=False)

    def destroy(self):
        with contextlib.suppress(Exception):
            self.down()
        with contextlib.suppress(Exception):
            os.kill(self.supervisor_pid(), signal.SIGKILL)
        shutil.rmtree(self.state, ignore_errors=True)


@contextlib.contextmanager
def instance(*files, **options):
    made = Instance(*files, **options)
    try:
        made.up()
        yield made
    finally:
        made.destroy()


def stars(page):
    return page.count("glyphicon glyphicon-star")


def version_of(page):
    """Which reviews version a page shows: v1 has no stars, v2 black ones, v3 red ones."""
    if stars(page) == 0:
        return "error" if "Error fetching product reviews" in page else "v1"
    return "v3" if "text-red-500" in page else "v2"


def sockets(pid):
    """TCP connections in the network namespace of `pid`: [(local, peer, {pids})]."""
    listing = subprocess.run(["nsenter", "-t", str(pid), "-n", "ss", "-Htnp", "state", "established"], check=True,
                             capture_output=True, text=True).stdout
    found = []
    for line in listing.splitlines():
        columns = line.split()
        local, peer = columns[2].replace("[::ffff:", "").replace("]", ""), columns[3].replace("[::ffff:", "").replace("]", "")
        found.append((local, peer, {int(p) for p in re.findall(r"pid=(\d+)", line)}))
    return found


class PodClient:
    """pod_client.py inside the network namespace of an application's pod."""

    def __init__(self, mesh, pod, service, path):
        address = [s for s in mesh.objects("services") if s["metadata"]["name"] == service][0]["spec"]["clusterIP"]
        self.process = subprocess.Popen(
            ["nsenter", "-t", str(mesh.application_pid(pod)), "-n", "/usr/bin/python3",
             str(pathlib.Path(__file__).with_name("pod_client.py")), f"{address}:9080", f"{service}:9080", path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, what, **arguments):
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the client in the pod ended with {self.process.wait()}"
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)


class UnixConnection(http.client.HTTPConnection):
    """HTTP to the API's Unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__("api", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """The embedded API, spoken directly: for tests that change rules faster than a command starts."""

    def __init__(self, mesh):
        self.connection = UnixConnection(mesh.state_dir() / "api.sock")

    def call(self, method, path, body=None):
        self.connection.request(method, path, body=None if body is None else json.dumps(body),
                                headers={"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        data = json.loads(answer.read())
        assert answer.status < 300, f"{method} {path}: {answer.status} {data}"
        return data

    def put(self, plural, name, spec):
        path = f"/apis/networking.istio.io/v1/namespaces/default/{plural}/{name}"
        current = self.call("GET", path)
        current["spec"] = spec
        return int(self.call("PUT", path, current)["metadata"]["resourceVersion"])

    def applied(self, version):
        return self.call("GET", f"/weft/v1/applied?resourceVersion={version}&timeoutSeconds=30")
