"""Two namespaces of one mesh that hold the same pods: in `meshed` they have sidecars, in `plain` they have none.

A server stands in both under the same name, and a client's shell line runs in a pod of each: whatever it prints has to be the same.
Each pod has a folder of its own, DIR; SITE is a folder of files that all share, BUILT one of programs, HERE is this one.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import BUILD, SLOW, Instance, wait_for  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PLAIN, MESHED = "plain", "meshed"
SIDES = (PLAIN, MESHED)
CLIENT = "client"
RATIOS = BUILD / "real.json"


class Done:
    def __init__(self, code, output, errors, seconds):
        self.code, self.output, self.errors, self.seconds = code, output, errors, seconds

    def __repr__(self):
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.output[-3000:]}\n{self.errors[-3000:]}"


def deployment(name, namespace, command, environment, user=None, probe=None):
    container = {"name": name, "image": f"real/{name}:1", "command": command,
                 "env": [{"name": key, "value": str(value)} for key, value in environment.items()]}
    if probe:
        container["readinessProbe"] = {"tcpSocket": {"port": probe}, "periodSeconds": 1, "failureThreshold": 60}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
    if user is not None:
        spec["securityContext"] = {"runAsUser": user}
    annotations = {} if namespace == MESHED else {"sidecar.istio.io/inject": "false"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": spec}}}


def service(name, namespace, ports, selected=None):
    """`ports` are pairs of a port's name, which says its protocol and may be empty, and its number. With `selected` it is headless."""
    listed = [{"port": number, **({"name": given} if given else {})} for given, number in ports]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"app": selected or name}, "ports": listed, **({"clusterIP": "None"} if selected else {})}}


class Lab:
    def __init__(self, folder):
        self.folder, self.site, self.built = folder, folder / "site", folder / "built"
        self.mesh = Instance()
        self.servers = set()

    def up(self):
        make_site(self.site)
        build(self.built)
        objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": side,
                    "labels": {"istio-injection": "enabled" if side == MESHED else "disabled"}}} for side in SIDES]
        objects += [deployment(CLIENT, side, ["/bin/sleep", "infinity"], self.environment(side, CLIENT)) for side in SIDES]
        file = self.folder / "lab.json"
        file.write_text("\n---\n".join(map(json.dumps, objects)))
        self.mesh.up(file)
        self.wait_ready(CLIENT)

    def environment(self, side, name):
        folder = self.folder / side / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        return {"DIR": folder, "SITE": self.site, "BUILT": self.built, "HERE": HERE, "NAMESPACE": side, "HOME": folder, "TMPDIR": folder,
                "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NODE_PATH": "/usr/share/nodejs", "PYTHONDONTWRITEBYTECODE": "1"}

    def serve(self, software):
        """The software's server in both namespaces, ready; twice the same does nothing."""
        if software.name in self.servers:
            return
        objects = []
        for side in SIDES:
            environment = self.environment(side, software.name)
            for name in software.config:
                text = (HERE / "servers" / name).read_text()
                (environment["DIR"] / name).write_text(text.replace("@DIR@", str(environment["DIR"])).replace("@SITE@", str(self.site)))
            objects.append(deployment(software.name, side, ["/bin/bash", "-ec", f"cd $DIR && {software.server}"], environment, software.user,
                                      software.port))
            ports = [(software.port_name, software.port), *software.more_ports]
            objects.append(service(software.name, side, ports))
            if software.headless:
                objects.append(service(f"{software.name}-pods", side, ports, selected=software.name))
        self.mesh.apply(text="\n---\n".join(map(json.dumps, objects)))
        self.servers.add(software.name)
        self.wait_ready(software.name)
        # A Service leads to a pod a moment after the pod is ready.
        for side in SIDES:
            connect = f"exec 3<>/dev/tcp/{software.name}/{software.port}"
            wait_for(f"a connection to {software.name} in {side}", lambda: self.run(side, connect).code == 0, 60)

    def pod(self, side, name):
        pods = [p for p in self.mesh.objects("pods", "-n", side) if p["metadata"]["labels"]["app"] == name]
        return pods[0] if pods else None

    def wait_ready(self, name):
        def ready(side):
            pod = self.pod(side, name)
            states = pod["status"].get("containerStatuses", [])
            return states and all(state["ready"] for state in states)
        try:
            wait_for(f"{name} in both namespaces", lambda: all(ready(side) for side in SIDES), 60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.log(side, name) for side in SIDES)) from None
        for side in SIDES:
            states = self.pod(side, name)["status"]["containerStatuses"]
            assert len(states) == (2 if side == MESHED else 1), f"{name} in {side}: {[s['name'] for s in states]}"

    def log(self, side, name, container=None):
        done = self.mesh.weft("logs", f"deploy/{name}", "-n", side, "-c", container or name, "--tail", "8", check=False)
        return f"log of {name} in {side}:\n{done.stdout[-2000:]}{done.stderr[-500:]}"

    def pid(self, side, name):
        """A process of the pod. Some write their title over their environment; theirs has the pod's folder in it."""
        pod = self.pod(side, name)["metadata"]["name"]
        titled = [pid for pid, line in self.mesh.processes().items() if re.search(rf"{re.escape(str(self.folder))}/{side}/{name}(?![\w-])", line)]
        return titled[0] if titled else self.mesh.application_pid(pod)

    def begin(self, side, line, pod=CLIENT, **options):
        pid = self.pid(side, pod)
        environment = self.environment(side, CLIENT)
        shutil.rmtree(environment["DIR"])
        environment = self.environment(side, CLIENT)
        return subprocess.Popen(["nsenter", "-t", str(pid), "-n", "-m", "-p", "/bin/bash", "-c", f"cd $DIR; {line}"], text=True,
                                errors="replace", env={key: str(value) for key, value in environment.items()}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **options)

    def run(self, side, line, seconds=60, pod=CLIENT):
        """The shell line in the client's pod of one namespace, or in another, in an empty folder."""
        began = time.monotonic()
        process = self.begin(side, line, pod, start_new_session=True)
        try:
            output, errors = process.communicate(timeout=seconds * SLOW)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, errors = process.communicate()
            errors += f"\nstill running after {seconds * SLOW} s"
        return Done(process.returncode, output, errors, time.monotonic() - began)


def make_site(site):
    """What servers of files serve: texts, one larger than any buffer, and a page of many words that compresses well."""
    site.mkdir()
    (site / "small.txt").write_text("a small file\n")
    (site / "empty.txt").write_text("")
    (site / "page.html").write_text("<html>" + "<p>one line after the other</p>\n" * 2000 + "</html>\n")
    block = bytes(range(256)) * 4096
    for name, megabytes in (("medium.bin", 8), ("large.bin", 64)):
        with (site / name).open("wb") as file:
            for number in range(megabytes):
                file.write(number.to_bytes(4, "big") + block[4:])
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "real", "-f", site / "key"], check=True)
    for file in site.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))


def build(folder):
    """The programs in Go and Java; what Debian's compilers make of their own standard libraries."""
    folder.mkdir()
    environment = {**os.environ, "GOCACHE": str(BUILD / "go-cache"), "GOPATH": str(folder / "go"), "CGO_ENABLED": "0", "GOTOOLCHAIN": "local",
                   "GOFLAGS": ""}
    for source in ("servers/server.go", "clients/client.go"):
        program = folder / pathlib.Path(source).stem
        subprocess.run(["/usr/bin/go", "build", "-o", program, HERE / source], check=True, env=environment, cwd=folder)
    subprocess.run(["javac", "-d", folder, HERE / "servers/Server.java", HERE / "clients/Client.java"], check=True)
