#!/usr/bin/env python3
"""The control plane under torture: several writers of good, bad and dangling objects, while pods come and go, sidecars stall and
end, and the control plane itself is killed.

    SEED=7 MINUTES=1 tests/torture/control_plane/run.py
"""
import contextlib
import json
import os
import pathlib
import random as randoms
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from meshes import BOOKINFO, GATEWAY, SLOW, SUBSETS, Instance, alive, ask_host, control_pid, direct_response, main  # noqa: E402

WRITERS, NAMES = 3, 6
ROUTES = '{"route": [{"destination": {"host": "details"}}]'
BAD = [
    ('"hostz": ["a.example"]', "hostz"),
    ('"hosts": ["a.example"], "http": [' + ROUTES + ', "timeout": "soon"}]', "timeout"),
    ('"hosts": ["a.example"], "http": [' + ROUTES + ', "headers": {"request": {"set": {"x-discount": "100%"}}}}]', "x-discount"),
    ('"hosts": ["a.example"], "http": [' + ROUTES + ', "headers": {"response": {"set": {"x-two": "a\\r\\nx-evil: 1"}}}}]', "x-two"),
    ('"hosts": ["a.example"], "http": [{"redirect": {"uri": "/a\\r\\nset-cookie: evil=1"}}]', "uri"),
    ('"hosts": ["a.example"], "http": [' + ROUTES + ', "weight": 100}]', "weight"),
    ('"hosts": ["a.example"], "http": [' + ROUTES + ', "mirror": {"host": "details"}}]', "mirror"),
    ('"hosts": "a.example"', "hosts"),
    ('"hosts": ["a.example"], "http": [{"fault": {"abort": {"httpStatus": 7000, "percentage": {"value": 100}}}, "route": [{"destination": {"host": "details"}}]}]', "httpStatus"),
]


def bad_object(random):
    spec, field = random.choice(BAD)
    return '{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "bad"}, "spec": {' + spec + "}}", field


def dangling(name, random):
    """Accepted, and responded to with 503 until what it names is there."""
    return json.dumps({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name},
                       "spec": {"hosts": [f"{name}.example"], "gateways": ["bookinfo-gateway"],
                                "http": [{"route": [{"destination": {"host": random.choice(["details", "nobody"]), "subset": "none"}}]}]}})


class Writer:
    """Owns its names: nobody else writes them, so what it was told is what has to be true."""

    def __init__(self, mesh, findings, number, seed):
        self.mesh, self.findings, self.number = mesh, findings, number
        self.random = randoms.Random(seed)
        self.names = [f"w{number}-{i}" for i in range(NAMES)]
        self.state = {name: None for name in self.names}  # None: deleted; "?": unknown; a generation; "dangling"
        self.generation = 0
        self.file = mesh.state / f"writer-{number}.yaml"

    def weft(self, *arguments):
        try:
            done = self.mesh.weft(*arguments, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            self.findings.tell("a command did not end within its time", command=arguments)
            return 1, ""
        if done.returncode not in (0, 1):
            self.findings.tell("an exit code that means nothing", command=arguments, code=done.returncode, output=done.stderr[-500:])
        return done.returncode, done.stdout + done.stderr

    def apply_some(self):
        names = self.random.sample(self.names, self.random.randint(1, 4))
        documents, after = [], {}
        for name in names:
            if self.random.random() < 0.2:
                documents.append(dangling(name, self.random))
                after[name] = "dangling"
            else:
                self.generation += 1
                documents.append(direct_response(name, self.generation))
                after[name] = self.generation
        spoiled = self.random.random() < 0.3
        if spoiled:
            bad, field = bad_object(self.random)
            place = self.random.randint(0, len(documents))
            documents.insert(place, bad)
        self.file.write_text("\n---\n".join(documents) + "\n")
        code, output = self.weft("apply", "-f", str(self.file))
        if spoiled:
            self.findings.count("applies with a bad object")
            line = 1 + 2 * place
            if code == 0:
                self.findings.tell("a bad object was accepted", bad=bad, output=output[-500:])
                self.state.update({name: "?" for name in names})
            elif f"{self.file.name}:{line}" not in output and "control plane" not in output and "mesh" not in output:
                self.findings.tell("a bad object is not named by file, line and field", field=field, line=line, output=output[-500:])
            return
        self.findings.count("good applies")
        if code != 0:
            self.findings.count("applies that failed while the control plane was away")
            self.state.update({name: "?" for name in names})
            return
        self.state.update(after)
        for name in names:
            self.expect(name)

    def delete_some(self):
        names = [n for n in self.names if self.state[n] not in (None, "?")]
        names = self.random.sample(names, min(len(names), self.random.randint(1, 3)))
        if not names:
            return
        self.findings.count("deletes")
        code, _ = self.weft("delete", "virtualservice", *names)
        self.state.update({name: None if code == 0 else "?" for name in names})
        if code == 0:
            for name in names:
                self.expect(name)

    def expect(self, name):
        """What the command said is done has to be what the gateway does from now on."""
        wanted = self.state[name]
        if wanted == "?":
            return
        try:
            status, body = ask_host(self.mesh.port, f"{name}.example")
        except OSError as error:
            self.findings.tell("the ingress did not respond", error=repr(error))
            return
        right = {None: status == 404, "dangling": status == 503}.get(wanted, body == f"{name} {wanted}")
        if not right:
            self.findings.tell("an applied change is not in force", rule=name, wanted=wanted, status=status, body=body[:200])

    def run(self, until):
        while time.monotonic() < until:
            self.random.choice([self.apply_some, self.apply_some, self.apply_some, self.delete_some])()
            self.findings.step += 1


class Disturber:
    """Everything that happens to a mesh while people write rules."""

    def __init__(self, mesh, findings, seed):
        self.mesh, self.findings = mesh, findings
        self.random = randoms.Random(seed)

    def kill_control(self):
        os.kill(control_pid(self.mesh), signal.SIGKILL)
        self.findings.count("control planes killed")

    def pod(self):
        pods = [p["metadata"]["name"] for p in self.mesh.pods() if "productpage" not in p["metadata"]["name"]]
        return self.random.choice(pods)

    def kill_sidecar(self):
        os.kill(self.mesh.sidecar_pid(self.pod()), signal.SIGKILL)
        self.findings.count("sidecars killed")

    def stall_sidecar(self):
        pid = self.mesh.sidecar_pid(self.pod())
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.random.uniform(0.1, 1.0))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self.findings.count("sidecars stalled")

    def scale(self):
        self.mesh.weft("scale", "deployment", self.random.choice(["details-v1", "ratings-v1", "reviews-v1"]), f"--replicas={self.random.randint(1, 3)}", check=False)
        self.findings.count("scales")

    def run(self, until):
        while time.monotonic() < until:
            step = self.random.choice([self.kill_control, self.kill_sidecar, self.stall_sidecar, self.stall_sidecar, self.scale, self.scale])
            try:
                step()
            except (AssertionError, OSError, IndexError, ValueError, KeyError, subprocess.TimeoutExpired):
                self.findings.count("disturbances that met a mesh in between")
            time.sleep(self.random.uniform(0.5, 3))


class Visitor:
    """The page, again and again: whatever the control plane goes through, the gateway serves."""

    def __init__(self, mesh, findings):
        self.mesh, self.findings = mesh, findings

    def run(self, until):
        while time.monotonic() < until:
            try:
                status, _ = ask_host(self.mesh.port, "any.example", "/productpage", timeout=30)
                self.findings.count(f"pages with {status}")
                if status not in (200, 503, 504):
                    self.findings.tell("a page with another status", status=status)
            except OSError as error:
                self.findings.tell("the ingress did not respond to a visitor", error=repr(error))
            time.sleep(0.02)


def wait(findings, what, condition, seconds):
    deadline, last = time.monotonic() + seconds * SLOW, None
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except Exception as error:  # in between nothing has to hold
            last = repr(error)[-600:]
        time.sleep(0.2)
    findings.tell(f"not within {seconds * SLOW} s: {what}", last=last)
    return False


def status_rows(mesh):
    return json.loads(mesh.weft("proxy-status", "-o", "json").stdout)


def configuration(mesh):
    """What every proxy runs, without what may differ between two that do the same."""
    found = {}
    for pod in mesh.pods():
        name = pod["metadata"]["name"]
        for part in ("listeners", "routes", "clusters", "endpoints"):
            text = mesh.weft("proxy-config", part, name, "-o", "json").stdout
            found[name, part] = json.dumps(strip(json.loads(text)), sort_keys=True)
    return found


def strip(value):
    """Versions and times of updates are those of the sender, and lists of resources have no order."""
    if isinstance(value, dict):
        return {k: strip(v) for k, v in value.items() if k not in ("versionInfo", "version_info", "lastUpdated", "last_updated")}
    if isinstance(value, list):
        return sorted((strip(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def settled(mesh, findings):
    """The configuration of all proxies once it stays: what follows from a pod is sent a moment after the pod is ready."""
    seen = [configuration(mesh)]

    def stays():
        seen.append(configuration(mesh))
        return seen[-1] == seen[-2]
    wait(findings, "a configuration that stays after quiet", stays, 30)
    return seen[-1]


def after_quiet(mesh, findings, writers):
    def one_of_each():
        for deployment in mesh.objects("deployments"):
            mesh.weft("scale", "deployment", deployment["metadata"]["name"], "--replicas=1")
        return True
    # The last that happened to the mesh may have been the end of its control plane.
    if not wait(findings, "one pod of each deployment after quiet", one_of_each, 60):
        return

    def ready():
        pods = mesh.pods()
        return len(pods) == 6 and all(c["ready"] for p in pods for c in p["status"]["containerStatuses"])
    if not wait(findings, "six ready pods after quiet", ready, 60):
        return
    for writer in writers:
        for name in writer.names:
            writer.expect(name)
    wait(findings, "every proxy in sync", lambda: "REJECTED" not in (text := mesh.weft("proxy-status").stdout) and "STALE" not in text, 30)
    before = settled(mesh, findings)
    old = control_pid(mesh)
    os.kill(old, signal.SIGKILL)
    wait(findings, "a fresh control plane", lambda: not alive(old) and control_pid(mesh) != old, 30)
    wait(findings, "every proxy connected to it", lambda: len(status_rows(mesh)) >= 7, 30)
    wait(findings, "every proxy has what a fresh control plane computes", lambda: configuration(mesh) == before, 30)
    if (now := configuration(mesh)) != before:
        for key in sorted(set(now) | set(before)):
            if now.get(key) != before.get(key):
                findings.tell("a proxy had not what a fresh control plane computes", what=key, before=before.get(key, "")[:1500], after=now.get(key, "")[:1500])


def torture(findings, random, until):
    mesh = Instance(BOOKINFO, SUBSETS, GATEWAY)
    try:
        mesh.up()
        mesh.wait_ready()
        writers = [Writer(mesh, findings, n, random.random()) for n in range(WRITERS)]
        actors = [*writers, Disturber(mesh, findings, random.random()), Visitor(mesh, findings)]
        threads = [threading.Thread(target=actor.run, args=(until,)) for actor in actors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after_quiet(mesh, findings, writers)
        for log in (mesh.state_dir() / "logs").rglob("*.log"):
            text = log.read_text(errors="replace")
            if any(alarm in text for alarm in ("AddressSanitizer", "runtime error:", "assertion failed")):
                findings.tell("a process reported a fault", log=log.name, text=text[-3000:])
    finally:
        mesh.destroy()


if __name__ == "__main__":
    sys.exit(main("control plane", torture))
