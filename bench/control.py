"""Measures what services, rules and proxies cost the control plane, and prints a table and JSON.

    scripts/python bench/control.py [--scales 10,100,300,1000] [--proxies 200,2000] [--repeat 15] [-o table|json]

Scales: N Services of two fixed endpoints and N VirtualServices are applied beside Bookinfo, which runs on this machine
with its sidecars as `make up` starts it; each scale has a mesh of its own. Then one rule and one endpoint change, each
`--repeat` times and each when the control plane has rested: by `weft apply`, and by the API, where the time runs from
the response to the write until every sidecar runs the change. The CPU time of a change is of three more, each with all
that follows it: statuses, remarks.

Proxies: `weft control` by itself, with Bookinfo's objects, 100 Services and a Pod for each proxy; ads_load plays the
sidecars of these pods, with a connection and an identity each. It takes one of the machine's cores while it answers.

WEFT_BUILD names another build than build/release, such as one of an earlier state.

Goals are marked as met or not and never fail the run: exit code 1 says that something could not be measured.
"""
import argparse
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import queue
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import yaml

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))
from harness import BOOKINFO, BUILD, GATEWAY, PROXY, SUBSETS, WEFT, Api, Instance, instance, wait_for

LIMIT = 120  # seconds for anything that is measured
PREPARE_LIMIT = 600  # and for what other measurements stand on
GOAL_SCALE, GOAL_PROXIES = 1000, 2000  # where the goals hold
SERVICES_OF_PROXIES = 100
CLIENTS_OF_PODS = 16
# Longer than the control plane waits after a change before it looks for remarks.
REMARKS = 2.2
LATE = f">{LIMIT}"
LEAST_CHANGES = 3
SERIAL = itertools.count(1)  # makes each change differ from those before

# Key, what it is, its form, its goal at GOAL_SCALE or GOAL_PROXIES.
OF_SCALES = [
    ("apply_s", "all objects by weft apply, s", ".2f", 3),
    ("apply_cpu_s", "  CPU of the control plane, s", ".2f", None),
    ("rule_command_ms", "one rule: weft apply, ms", ".1f", None),
    ("rule_ms", "  from the write's response to applied, ms", ".1f", 20),
    ("rule_min_ms", "  the shortest of them, ms", ".1f", None),
    ("rule_max_ms", "  the longest of them, ms", ".1f", None),
    ("rule_write_ms", "  the write before it, ms", ".1f", None),
    ("rule_cpu_ms", "  CPU of the control plane, ms", ".1f", None),
    ("rule_sidecars_cpu_ms", "  CPU of all sidecars, ms", ".1f", None),
    ("rule_ratio", "  ms, by those of the first scale", ".2f", 1.5),
    ("rule_cpu_ratio", "  CPU, by that of the first scale", ".2f", None),
    ("endpoint_command_ms", "one endpoint: weft apply, ms", ".1f", None),
    ("endpoint_ms", "  from the write's response to applied, ms", ".1f", 10),
    ("endpoint_min_ms", "  the shortest of them, ms", ".1f", None),
    ("endpoint_max_ms", "  the longest of them, ms", ".1f", None),
    ("endpoint_write_ms", "  the write before it, ms", ".1f", None),
    ("endpoint_cpu_ms", "  CPU of the control plane, ms", ".1f", None),
    ("endpoint_sidecars_cpu_ms", "  CPU of all sidecars, ms", ".1f", None),
    ("endpoint_ratio", "  ms, by those of the first scale", ".2f", 1.5),
    ("endpoint_cpu_ratio", "  CPU, by that of the first scale", ".2f", None),
    ("resident_mb", "control plane: resident, MB", ".1f", 60),
    ("anonymous_mb", "  anonymous, MB", ".1f", None),
    ("sidecar_mb", "sidecars: anonymous, median, MB", ".1f", None),
    ("sidecar_max_mb", "  the largest of them, MB", ".1f", 6),
]
OF_PROXIES = [
    ("pods_s", f"their Pods made by the API, {CLIENTS_OF_PODS} at once, s", ".2f", None),
    ("connect_s", "all have their configuration, s", ".2f", None),
    ("connect_cpu_s", "  CPU of the control plane, s", ".2f", None),
    ("connect_mb", "  sent, MB", ".1f", None),
    ("rule_s", "one rule: from the write to the last ACK, s", ".3f", 1),
    ("rule_min_s", "  the shortest of them, s", ".3f", None),
    ("rule_max_s", "  the longest of them, s", ".3f", None),
    ("rule_cpu_ms", "  CPU of the control plane, ms", ".1f", None),
    ("crowd_cpu_ms", "  CPU of ads_load, ms", ".1f", None),
    ("rule_mb", "  sent, MB", ".1f", None),
    ("resident_mb", "control plane: resident, MB", ".1f", 150),
    ("anonymous_mb", "  anonymous, MB", ".1f", None),
    ("proxy_kb", "  resident for each proxy, kB", ".1f", None),
    ("lost", "streams that broke", "d", 0),
]


class Late(Exception):
    """Something took longer than LIMIT."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def name_of(number):
    return f"load-{number:04}"


def address_of(block, number):
    """Of the addresses that are for benchmarks (RFC 2544): 198.18.0.0/15."""
    return f"198.{block}.{number // 250}.{number % 250 + 1}"


def service(number, selector=None):
    spec = {"ports": [{"name": "http", "port": 8080}]} | ({"selector": selector} if selector else {})
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name_of(number)}, "spec": spec}


def endpoints(number, last=None):
    addresses = [address_of(18, number), last or address_of(19, number)]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name_of(number)}-fixed", "labels": {"kubernetes.io/service-name": name_of(number)}},
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in addresses]}


def rule(number, count, timeout_ms=5000):
    """Some requests by header and path, the rest by weight to this service and the next."""
    to, beside = ({"host": name_of(each)} for each in (number, (number + 1) % count))
    some = {"match": [{"headers": {"end-user": {"exact": "tester"}}, "uri": {"prefix": "/api"}}],
            "timeout": f"{timeout_ms}ms", "retries": {"attempts": 2, "perTryTimeout": "2s", "retryOn": "5xx"},
            "route": [{"destination": to}]}
    rest = {"route": [{"destination": to, "weight": 90}, {"destination": beside, "weight": 10}]}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name_of(number)},
            "spec": {"hosts": [name_of(number)], "http": [some, rest]}}


def pod(number):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"simulated-{number}", "labels": {"app": name_of(number % SERVICES_OF_PROXIES)}},
            "spec": {"serviceAccountName": "default",
                     "containers": [{"name": "app", "image": "app", "ports": [{"containerPort": 8080}]}]}}


def running(number):
    """A pod's status; from 198.18.0.0 on."""
    address = address_of(18, number)
    return {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}]}


def write_objects(folder, name, objects):
    file = pathlib.Path(folder) / f"{name}.yaml"
    file.write_text(yaml.dump_all(objects, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    return file


def memory_mb(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no {key}")


class Process:
    """A control plane, a sidecar, or ads_load, as /proc shows it."""

    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        """Seconds; to the nanosecond, which utime and stime are not."""
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()) / 1e9

    def settle(self):
        """Until it has had nothing to do for a while."""
        deadline, calm = time.monotonic() + LIMIT, 0
        while calm < 3:
            before = self.cpu()
            time.sleep(0.1)
            calm = calm + 1 if self.cpu() - before < 0.005 else 0
            if time.monotonic() > deadline:
                raise Late

    def times(self, repeat, change):
        """Seconds of each change; of fewer when they take long."""
        change()
        self.settle()
        taken, deadline = [], time.monotonic() + LIMIT
        while len(taken) < repeat and (len(taken) < LEAST_CHANGES or time.monotonic() < deadline):
            mark = self.cpu()
            taken.append(change())
            # A control plane may pace itself by what a push has cost: every change finds it at rest.
            time.sleep(0.02 + min(2, 4 * (self.cpu() - mark)))
        return taken

    def cost(self, change, others=()):
        """CPU seconds of one change with all that follows it, such as statuses and remarks: its own and those of others."""
        def spent():
            return self.cpu(), sum(other.cpu() for other in others)

        time.sleep(REMARKS)
        self.settle()
        before = spent()
        for _ in range(LEAST_CHANGES):
            change()
            time.sleep(REMARKS)
            self.settle()
        return [(now - then) / LEAST_CHANGES for now, then in zip(spent(), before)]

    def memory(self):
        return {"resident_mb": memory_mb(self.pid, "VmRSS"), "anonymous_mb": memory_mb(self.pid, "RssAnon")}


class Changes:
    """Changes of one rule and one endpoint, each unlike the one before."""

    def __init__(self, mesh, folder, count):
        self.mesh, self.folder, self.count, self.number = mesh, folder, count, count // 2
        self.writes = []  # seconds of each write by the API
        self.api = Api(mesh)
        self.api.connection.timeout = LIMIT + 10

    def rule(self):
        return rule(self.number, self.count, 5000 + next(SERIAL))

    def endpoint(self):
        return endpoints(self.number, address_of(19, 10_000 + next(SERIAL)))

    def by_command(self, made):
        """Seconds of the whole command."""
        file = write_objects(self.folder, "one", [made])
        began = time.monotonic()
        apply(self.mesh, file)
        return time.monotonic() - began

    def put(self, made):
        """The version that was written, when the request was sent and when its response was there."""
        group = {"VirtualService": "networking.istio.io/v1/namespaces/default/virtualservices",
                 "EndpointSlice": "discovery.k8s.io/v1/namespaces/default/endpointslices"}[made["kind"]]
        path = f"/apis/{group}/{made['metadata']['name']}"
        current = self.call("GET", path)
        began = time.monotonic()
        written = self.call("PUT", path, current | {key: made[key] for key in made if key != "metadata"})
        ended = time.monotonic()
        self.writes.append(ended - began)
        return written["metadata"]["resourceVersion"], began, ended

    def wait_applied(self, version):
        self.call("GET", f"/weft/v1/applied?resourceVersion={version}&timeoutSeconds={LIMIT}")

    def call(self, *request):
        try:
            return self.api.call(*request)
        except TimeoutError:
            raise Late from None
        except AssertionError as error:
            if " 504 " in str(error):
                raise Late from None
            raise

    def by_api(self, made):
        """Seconds from the response to the write until it is applied everywhere."""
        version, _, at = self.put(made)
        self.wait_applied(version)
        return time.monotonic() - at


def apply(mesh, *files, limit=LIMIT):
    try:
        done = mesh.weft("apply", f"--timeout={limit}s", *itertools.chain(*(("-f", file) for file in files)), check=False,
                         timeout=limit)
    except subprocess.TimeoutExpired:
        raise Late from None
    if done.returncode != 0:
        raise RuntimeError(f"weft apply ended with {done.returncode}: {done.stderr}")


def apply_all(control, mesh, files, figures):
    cpu, began = control.cpu(), time.monotonic()
    try:
        apply(mesh, *files)
        figures |= {"apply_s": time.monotonic() - began, "apply_cpu_s": control.cpu() - cpu}
    except Late:
        figures["apply_s"] = LATE
        say(f"  not within {LIMIT} s; going on")
        apply(mesh, *files, limit=PREPARE_LIMIT)


def measure_changes(control, sidecars, changes, repeat, figures):
    for what, make in [("rule", changes.rule), ("endpoint", changes.endpoint)]:
        say(f"  one {what}'s change, {repeat} times by weft apply and by the API ...")
        times = control.times(repeat, lambda make=make: changes.by_command(make()))
        figures[f"{what}_command_ms"] = statistics.median(times) * 1e3
        changes.writes.clear()
        times = control.times(repeat, lambda make=make: changes.by_api(make()))
        figures |= {f"{what}_ms": statistics.median(times) * 1e3, f"{what}_min_ms": min(times) * 1e3,
                    f"{what}_max_ms": max(times) * 1e3, f"{what}_write_ms": statistics.median(changes.writes) * 1e3}
        own, others = control.cost(lambda make=make: changes.by_api(make()), sidecars)
        figures |= {f"{what}_cpu_ms": own * 1e3, f"{what}_sidecars_cpu_ms": others * 1e3}


def measure_scale(count, repeat):
    figures = {}
    with instance(BOOKINFO, SUBSETS, GATEWAY) as mesh, tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        mesh.wait_ready()
        processes = mesh.processes().items()
        control = Process(next(pid for pid, line in processes if " control --state-dir" in line))
        sidecars = [Process(pid) for pid, line in processes if line.startswith(str(PROXY))]
        control.settle()
        files = [write_objects(folder, "services", map(service, range(count))),
                 write_objects(folder, "endpoints", map(endpoints, range(count))),
                 write_objects(folder, "rules", (rule(each, count) for each in range(count)))]
        say(f"  {3 * count} objects by weft apply ...")
        try:
            apply_all(control, mesh, files, figures)
        except Late:
            say(f"  not within {PREPARE_LIMIT} s")
            return figures
        try:
            control.settle()
            measure_changes(control, sidecars, Changes(mesh, folder, count), repeat, figures)
        except Late:
            say(f"  not within {LIMIT} s")
        anonymous = [each.memory()["anonymous_mb"] for each in sidecars]
        figures |= control.memory()
        figures |= {"sidecars": len(sidecars), "sidecar_mb": statistics.median(anonymous), "sidecar_max_mb": max(anonymous)}
    return figures


class Alone(Instance):
    """A control plane without a supervisor: whom it serves is said on `registration`."""

    def up(self):
        self.state_dir().mkdir()
        self.registration, theirs = socket.socketpair()
        with theirs, open(self.state_dir() / "control.log", "wb") as log:
            self.process = subprocess.Popen([WEFT, "control", "--state-dir", self.state_dir(), "--registration-fd",
                                             str(theirs.fileno())], pass_fds=[theirs.fileno()], stdout=log, stderr=log)
        wait_for("the control plane's API", lambda: Api(self).call("GET", "/api/v1/namespaces/default"))

    def down(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.process.kill()
        self.process.wait()
        self.registration.close()


@contextlib.contextmanager
def alone():
    made = Alone()
    try:
        made.up()
        yield made
    finally:
        made.destroy()


class Crowd:
    """ads_load as a process."""

    def __init__(self, mesh, count):
        descriptor = mesh.registration.fileno()
        command = [BUILD / "bench/ads_load", mesh.state_dir() / "xds.sock", str(descriptor), str(count)]
        self.process = subprocess.Popen(command, pass_fds=[descriptor], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        self.events = queue.SimpleQueue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))
        self.events.put(None)

    def wait(self, event):
        """The next report of that name."""
        while True:
            try:
                report = self.events.get(timeout=LIMIT)
            except queue.Empty:
                raise Late from None
            if report is None:
                raise RuntimeError("ads_load has ended")
            if report["event"] == event:
                return report

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.wait("asked")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def prepare(mesh, folder):
    """Bookinfo's objects, services and rules."""
    services = range(SERVICES_OF_PROXIES)
    apply(mesh, BOOKINFO, SUBSETS, GATEWAY,
          write_objects(folder, "services", (service(each, {"app": name_of(each)}) for each in services)),
          write_objects(folder, "rules", (rule(each, SERVICES_OF_PROXIES) for each in services)), limit=PREPARE_LIMIT)


def make_pods(mesh, count):
    """One for each proxy, by several clients at once; seconds."""
    began, numbers = time.monotonic(), iter(range(count))

    def work(_):
        api, path = Api(mesh), "/api/v1/namespaces/default/pods"
        for number in numbers:
            made = api.call("POST", path, pod(number))
            api.call("PUT", f"{path}/{made['metadata']['name']}/status", made | {"status": running(number)})
            if time.monotonic() - began > PREPARE_LIMIT:
                raise Late

    with concurrent.futures.ThreadPoolExecutor(CLIENTS_OF_PODS) as pool:
        list(pool.map(work, range(CLIENTS_OF_PODS)))
    return time.monotonic() - began


def measure_crowd(control, crowd, changes, repeat, figures):
    cpu = control.cpu()
    first = crowd.wait("configured")
    figures |= {"connect_s": first["last_ack"] - first["began"], "connect_cpu_s": control.cpu() - cpu,
                "connect_mb": first["bytes"] / 2**20}
    control.settle()
    say(f"  one rule's change, {repeat} times ...")
    sent, spent, load = [], [], Process(crowd.process.pid)

    def change():
        before, cpu_before = crowd.ask()["bytes"], load.cpu()
        version, at, _ = changes.put(changes.rule())
        changes.wait_applied(version)
        seen = crowd.ask()
        sent.append(seen["bytes"] - before)
        spent.append(load.cpu() - cpu_before)
        return seen["last_ack"] - at

    times = control.times(repeat, change)
    figures |= {"rule_s": statistics.median(times), "rule_min_s": min(times), "rule_max_s": max(times),
                "rule_mb": statistics.median(sent) / 2**20, "crowd_cpu_ms": statistics.median(spent) * 1e3}
    figures["rule_cpu_ms"] = control.cost(change)[0] * 1e3


def measure_proxies(count, repeat):
    figures = {}
    with alone() as mesh, tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        control = Process(mesh.process.pid)
        say(f"  Bookinfo's objects, {SERVICES_OF_PROXIES} services and {count} pods ...")
        try:
            prepare(mesh, folder)
            figures["pods_s"] = make_pods(mesh, count)
            time.sleep(REMARKS)
            control.settle()
            before = control.memory()["resident_mb"]
            say(f"  {count} proxies connect ...")
            with Crowd(mesh, count) as crowd:
                try:
                    measure_crowd(control, crowd, Changes(mesh, folder, SERVICES_OF_PROXIES), repeat, figures)
                finally:
                    figures |= control.memory()
                    figures |= {"proxy_kb": (figures["resident_mb"] - before) * 1024 / count, "lost": crowd.ask()["lost"]}
        except Late:
            figures.setdefault("connect_s", LATE)
            figures.setdefault("rule_s", LATE)
            say("  not in time")
    return figures


def add_ratios(scales):
    """Of each scale's costs to those of the first one."""
    first = next(iter(scales.values()), {})
    for figures in scales.values():
        for ratio, key in [("rule_ratio", "rule_ms"), ("rule_cpu_ratio", "rule_cpu_ms"), ("endpoint_ratio", "endpoint_ms"),
                           ("endpoint_cpu_ratio", "endpoint_cpu_ms")]:
            if key in figures and key in first and len(scales) > 1:
                figures[ratio] = figures[key] / first[key]


def verdict(value, goal):
    if goal is None or value is None:
        return ""
    return "met" if value != LATE and value <= goal else "NOT MET"


def rows_of(rows, title, columns, where):
    """Lines of cells, and {key: verdict}."""
    lines, verdicts = [[title, *(f"{count:,}" for count in columns), f"goal at {where:,}", ""]], {}
    for key, label, form, goal in rows:
        values = [columns[count].get(key) for count in columns]
        said = verdict(columns.get(where, {}).get(key), goal)
        if said:
            verdicts[key] = said
        cells = ["-" if value is None else value if isinstance(value, str) else format(value, form) for value in values]
        lines.append([label, *cells, "" if goal is None else f"<= {goal}", said])
    return lines, verdicts


def table(blocks):
    """The blocks below each other, their columns aligned."""
    lines = [line for block in blocks for line in block]
    label = max(len(line[0]) for line in lines)
    text = []
    for block in blocks:
        for name, *values, goal, said in block:
            cells = "".join(value.rjust(10) for value in values)
            text.append(f"{name.ljust(label)}{cells}{goal:>16}   {said}".rstrip())
        text.append("")
    return "\n".join(text[:-1])


def counts(text):
    return [int(each) for each in text.split(",") if each]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scales", type=counts, default="10,100,300,1000", help="numbers of services; empty: none")
    parser.add_argument("--proxies", type=counts, default="200,2000", help="numbers of simulated proxies; empty: none")
    parser.add_argument("--repeat", type=int, default=15, help="changes for each median")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    return parser.parse_args()


def measure_each(what, numbers, measure, repeat):
    """{number: figures}, and whether each could be measured."""
    found, whole = {}, True
    for number in numbers:
        say(f"{number} {what} ...")
        try:
            found[number] = measure(number, repeat)
            say("  " + json.dumps(found[number]))
        except (AssertionError, OSError, RuntimeError) as error:
            say(f"  cannot be measured: {error!r}")
            whole = False
    return found, whole


def main():
    options = arguments()
    # ads_load has a descriptor for each proxy, and the control plane takes connections for half of what it may have.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    machine = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
    scales, first_whole = measure_each("services beside Bookinfo", options.scales, measure_scale, options.repeat)
    proxies, second_whole = measure_each("simulated proxies", options.proxies, measure_proxies, options.repeat)
    add_ratios(scales)
    machine["load_after"] = os.getloadavg()[0]
    first, of_scales = rows_of(OF_SCALES, "services and rules, beside Bookinfo", scales, GOAL_SCALE)
    second, of_proxies = rows_of(OF_PROXIES, f"simulated proxies, {SERVICES_OF_PROXIES} services", proxies, GOAL_PROXIES)
    result = {"machine": machine, "repeat": options.repeat, "scales": scales, "proxies": proxies,
              "goals": {"scales": of_scales, "proxies": of_proxies}}
    out = BUILD / "bench-control.json"
    out.write_text(json.dumps(result, indent=1))
    if options.output == "json":
        print(json.dumps(result, indent=1))
    else:
        load = " and ".join(f"{machine[key]:.1f} {key[5:]}" for key in ["load_before", "load_after"])
        print(f"{machine['cores']} cores, load average {load}; medians of {options.repeat} changes; written to {out}\n")
        print(table([block for block, columns in [(first, scales), (second, proxies)] if columns]))
    return 0 if first_whole and second_whole else 1


if __name__ == "__main__":
    sys.exit(main())
