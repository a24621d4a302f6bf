#!/usr/bin/env python3
"""The machine under torture: up, down, apply, delete, scale, kill -9 and SIGSTOP of any process, a full disk, a
wall clock that jumps, in random order.

    SEED=7 MINUTES=1 tests/torture/machine/run.py

Invariants: what was acknowledged is there after every `up`, and nothing else; `up` returns 0; after `down` no process, no
namespace, no mount and no network interface of the instance is left.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import clock  # noqa: E402
from meshes import BOOKINFO, GATEWAY, SLOW, SUBSETS, Instance, alive, ask_host, control_pid, direct_response, main  # noqa: E402

DISK_BYTES = 48 << 20
HOUR, DAY = 3600, 86400


class Machine:
    def __init__(self, findings, random):
        self.findings, self.random = findings, random
        self.clock = clock.Clock()
        self.mesh = Instance(BOOKINFO, SUBSETS, GATEWAY)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "weft-torture", self.mesh.state], check=True)
        self.rules, self.doubtful = {}, {}  # name -> generation; name -> generations it may have besides
        self.running, self.generation = False, 0

    def weft(self, *arguments, timeout=90):
        try:
            return self.mesh.weft(*arguments, check=False, timeout=timeout)
        except subprocess.TimeoutExpired:
            self.findings.tell("a command did not end within its time", command=arguments)
            return subprocess.CompletedProcess(arguments, 1, "", "")

    def up(self):
        began = time.monotonic()
        try:
            done = self.mesh.up(check=False, timeout=90)
        except subprocess.TimeoutExpired:
            self.findings.tell("`up` did not end within its time")
            return
        self.findings.count("up")
        if done.returncode != 0:
            self.findings.tell("`up` failed", code=done.returncode, output=(done.stdout + done.stderr)[-1500:])
            return
        self.running = True
        if time.monotonic() - began > 30 * SLOW:
            self.findings.tell("`up` was slow", seconds=time.monotonic() - began)
        self.compare()

    def compare(self):
        """What was acknowledged is there, nothing else."""
        done = self.weft("get", "virtualservices", "-o", "json")
        if done.returncode != 0:
            self.findings.tell("`get` failed after `up`", output=done.stderr[-500:])
            return
        there = {o["metadata"]["name"]: int(o["spec"]["http"][0]["directResponse"]["body"]["string"].split()[1])
                 for o in json.loads(done.stdout)["items"] if o["metadata"]["name"].startswith("rule-")}
        for name in sorted(set(there) | set(self.rules) | set(self.doubtful)):
            may = {self.rules.get(name), *self.doubtful.get(name, ())}
            if there.get(name) not in may:
                self.findings.tell("an object is not what was acknowledged", rule=name, may=list(may), there=there.get(name))
        self.rules, self.doubtful = there, {}
        for name in self.random.sample(sorted(there), min(2, len(there))):
            with contextlib.suppress(OSError):
                status, body = ask_host(self.mesh.port, f"{name}.example")
                if body != f"{name} {there[name]}":
                    self.findings.tell("a stored rule is not applied after `up`", rule=name, status=status, body=body[:200])

    def down(self):
        done = self.weft("down")
        self.findings.count("down")
        self.running = False
        if done.returncode != 0:
            self.findings.tell("`down` failed", output=(done.stdout + done.stderr)[-500:])
        self.nothing_left()

    def nothing_left(self):
        deadline = time.monotonic() + 20 * SLOW
        while time.monotonic() < deadline and (left := self.left_over()):
            time.sleep(0.1)
        if left := self.left_over():
            self.findings.tell("something is left behind", what=left[:10])

    def left_over(self):
        """Processes that name the instance's state directory, and mounts below it."""
        state, found = str(self.mesh.state), []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                    if state.encode() in text and alive(int(entry.name)):
                        found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200])
        return found + [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if f"{state}/" in line]

    def apply(self):
        name = f"rule-{self.random.randint(0, 9)}"
        self.generation += 1
        done = self.mesh.apply(text=direct_response(name, self.generation), check=False)
        self.findings.count("apply")
        if done.returncode == 0:
            self.rules[name] = self.generation
            self.doubtful.pop(name, None)
        else:
            self.doubtful.setdefault(name, set()).add(self.generation)
        return done

    def delete(self):
        if not self.rules:
            return
        name = self.random.choice(sorted(self.rules))
        done = self.weft("delete", "virtualservice", name)
        self.findings.count("delete")
        if done.returncode == 0:
            self.rules.pop(name)
            self.doubtful.pop(name, None)
        else:
            self.doubtful.setdefault(name, set()).add(None)

    def scale(self):
        self.weft("scale", "deployment", self.random.choice(["details-v1", "ratings-v1"]), f"--replicas={self.random.randint(0, 3)}")
        self.findings.count("scale")

    def victim(self):
        """(pid, whether it is the supervisor): the end of that one is the end of all."""
        supervisor = self.mesh.supervisor_pid()
        pid = self.random.choice([supervisor, *self.mesh.processes()])
        return pid, pid == supervisor

    def kill(self):
        pid, everything = self.victim()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # On a busy machine it runs on for a moment: who looks then would take it for the next one.
        deadline = time.monotonic() + 20 * SLOW
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.001)
        self.findings.count("kill -9")
        if everything:
            self.running = False
            self.nothing_left()

    def pause(self):
        pid, _ = self.victim()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.05, 1.5))
            os.kill(pid, signal.SIGCONT)
        self.findings.count("SIGSTOP and SIGCONT")

    def full_disk(self):
        """No space for a moment: changes are rejected or stored, and nothing that is stored is harmed."""
        ballast = self.mesh.state / "ballast"
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * self.random.choice([100, 4096, 65536]))
        for _ in range(3):
            done = self.apply()
            if done.returncode == 0:
                self.findings.count("apply that fitted on a full disk")
        ballast.unlink()
        self.findings.count("full disk")
        deadline = time.monotonic() + 20 * SLOW
        while self.apply().returncode != 0:
            if time.monotonic() > deadline:
                self.findings.tell("`apply` fails after the disk has space again", output=self.apply().stderr[-500:])
                return

    def set_clock(self):
        """Nothing ends by it, and the next rule is applied as ever."""
        pids = [self.mesh.supervisor_pid(), control_pid(self.mesh)]
        went = self.clock.rules(pids[1])
        self.clock.set(self.random.choice([-DAY, -HOUR, 0, HOUR, DAY]))
        self.findings.count("clock set" if went else "clock set, of applications (the mesh is linked statically)")
        time.sleep(self.random.uniform(0, 1))
        for pid in pids:
            if not alive(pid):
                self.findings.tell("a process ended when the clock was set", supervisor=pid == pids[0])
        deadline = time.monotonic() + 20 * SLOW
        while (done := self.apply()).returncode != 0:
            if time.monotonic() > deadline:
                self.findings.tell("`apply` fails after the clock was set", output=done.stderr[-500:])
                return
        name = done.stdout.split()[0].split("/")[1]
        status, body = ask_host(self.mesh.port, f"{name}.example")
        if body != f"{name} {self.rules[name]}":
            self.findings.tell("a rule is not applied after the clock was set", rule=name, status=status, body=body[:200])

    def step(self):
        if not self.running:
            return self.up()
        choices = [(self.apply, 6), (self.delete, 3), (self.scale, 2), (self.kill, 3), (self.pause, 2), (self.full_disk, 1), (self.set_clock, 2), (self.down, 2)]
        chosen = self.random.choices([c for c, _ in choices], [w for _, w in choices])[0]
        self.findings.recent.append(chosen.__name__)
        try:
            chosen()
        except (OSError, ValueError, AssertionError, KeyError, IndexError) as error:
            self.findings.count(f"steps that met a mesh in between ({type(error).__name__})")

    def end(self):
        if not self.running:
            self.up()
        self.down()
        for log in (self.mesh.state_dir() / "logs").rglob("*.log"):
            text = log.read_text(errors="replace")
            if any(alarm in text for alarm in ("AddressSanitizer", "runtime error:", "assertion failed")):
                self.findings.tell("a process reported a fault", log=log.name, text=text[-3000:])


def torture(findings, random, until):
    machine = Machine(findings, random)
    try:
        while time.monotonic() < until:
            machine.step()
            findings.step += 1
        machine.end()
    finally:
        with contextlib.suppress(Exception):
            machine.mesh.down()
        with contextlib.suppress(Exception):
            os.kill(machine.mesh.supervisor_pid(), signal.SIGKILL)
        subprocess.run(["umount", "-l", machine.mesh.state], check=False)
        machine.mesh.destroy()


if __name__ == "__main__":
    clock.enter()
    sys.exit(main("machine", torture))
