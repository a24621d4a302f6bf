"""What is watched of a mesh while it is under load: its processes and the network namespaces of its pods, by /proc."""
import contextlib
import os
import pathlib
import re
import socket
import statistics
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


def proc(pid, name):
    return pathlib.Path(f"/proc/{pid}/{name}").read_text()


def cpu_of(pid):
    """Seconds that a process and its ended children have used."""
    fields = proc(pid, "stat").rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def children_of():
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, AttributeError):
                parent = int(re.search(r"\) \S (\d+)", (entry / "stat").read_text()).group(1))
                children.setdefault(parent, []).append(int(entry.name))
    return children


def family(pid):
    """A process and everything below it."""
    children, found, stack = children_of(), [pid], [pid]
    while stack:
        below = children.get(stack.pop(), [])
        found += below
        stack += below
    return found


def cpu_of_all(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            total += cpu_of(pid)
    return total


def machine():
    """(seconds of all cores, idle ones among them) since the machine started."""
    numbers = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(numbers) / TICKS, (numbers[3] + numbers[4]) / TICKS


class Free:
    """How many core seconds were there for us: idle ones and those that we used. What others took is not in it, so that
    a rate per such a second says the same on a machine that is shared."""

    def __init__(self, pids):
        self.pids = pids
        self.before = self.look()

    def look(self):
        return machine()[1], cpu_of_all(self.pids())

    def seconds(self):
        idle, own = self.look()
        return max(0.01, idle - self.before[0] + own - self.before[1])


class Speed:
    """How fast a core is meanwhile: a small piece of work of the kind that the mesh does, over and over. Neighbours on the
    same hardware and a lowered clock make a second of a core worth less, to us as to this piece."""

    USUAL = 0.002  # seconds of processor time; only makes the ratio a number near 1

    def __init__(self):
        self.pairs = socket.socketpair()
        self.seen, self.done = [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        near, far = self.pairs
        while not self.done.wait(0.2):
            began = time.thread_time()
            for _ in range(300):
                near.send(b"x" * 1024)
                far.recv(4096).find(b"y")
            self.seen.append(time.thread_time() - began)

    def stop(self):
        """1 on a usual core, less on a slower one."""
        self.done.set()
        self.thread.join()
        for each in self.pairs:
            each.close()
        return self.USUAL / statistics.median(self.seen)


def counters(pid, file, group):
    """Names and values of one group of /proc/PID/net/netstat or snmp: those of the namespace of the process."""
    names, values = [line.split()[1:] for line in proc(pid, f"net/{file}").splitlines() if line.startswith(group + ":")]
    return dict(zip(names, map(int, values)))


def tcp(pid):
    """What TCP did in the namespace of a process."""
    sockets = re.search(r"^TCP: .*", proc(pid, "net/sockstat"), re.MULTILINE).group(0).split()
    more = counters(pid, "netstat", "TcpExt")
    return {"time_wait": int(sockets[sockets.index("tw") + 1]), "retransmitted": counters(pid, "snmp", "Tcp")["RetransSegs"],
            "syn_retransmitted": more["TCPSynRetrans"], "paws": more.get("PAWSTimewait", 0)}


def resident_kb(pid):
    found = re.search(r"VmRSS:\s+(\d+)", proc(pid, "status"))
    return int(found.group(1)) if found else 0


def role(line):
    """What a process of the mesh is, by its command line."""
    for mark, name in [("weft-proxy", "proxy"), (" proxy ", "proxy"), (" control", "control"), ("supervise", "supervisor"),
                       ("bookinfo ", "service")]:
        if mark in line:
            return name
    return "other"


class Watch:
    """Takes a look at everything now and then; each look is one row."""

    def __init__(self, mesh):
        self.mesh, self.rows = mesh, []
        self.own_network = os.readlink("/proc/self/ns/net")

    def processes(self):
        return {pid: line for pid, line in self.mesh.processes().items() if line}

    def pids(self):
        supervisor = self.mesh.supervisor_pid()
        return [supervisor, *self.processes()]

    def cpu(self, *roles):
        """Seconds by process, of those with such a role."""
        return cpu_of_all([pid for pid, line in self.processes().items() if role(line) in roles])

    def networks(self):
        """One process per network namespace that is not the machine's own."""
        found = {}
        for pid in self.processes():
            with contextlib.suppress(OSError):
                found.setdefault(os.readlink(f"/proc/{pid}/ns/net"), pid)
        found.pop(self.own_network, None)
        return found

    def look(self, **told):
        row = {"at": time.monotonic(), **told, "processes": {}, "networks": {}}
        for pid, line in self.processes().items():
            with contextlib.suppress(OSError):
                row["processes"][pid] = {"role": role(line), "line": line[:120], "resident_kb": resident_kb(pid),
                                         "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}
        for network, pid in self.networks().items():
            with contextlib.suppress(OSError):
                row["networks"][network] = tcp(pid)
        self.rows.append(row)
        return row


def most(row, role_of, key):
    return max((p[key] for p in row["processes"].values() if p["role"] == role_of), default=0)


def total(row, key):
    return sum(network[key] for network in row["networks"].values())


def describe(row):
    return (f"{row['pages']:7.0f} pages/s of a free core {row['rate']:7.0f}/s  p99 {row['p99']:7.1f} ms  "
            f"rules {row['rules']:4d}  echoes {row['echoes']:6d}  "
            f"proxy {most(row, 'proxy', 'resident_kb') / 1024:5.1f} MB {most(row, 'proxy', 'descriptors'):4d} fds  "
            f"control {most(row, 'control', 'resident_kb') / 1024:5.1f} MB  TIME_WAIT {total(row, 'time_wait'):6d}  "
            f"retransmitted {total(row, 'retransmitted'):4d}, SYN {total(row, 'syn_retransmitted'):4d}")
