"""A pod without a cluster: a network namespace with weft's rules in it, another one outside, a wire between them.

Sockets are made by threads that enter a namespace and take a user and a group, for which the capture rules look at a
socket's maker; nothing but `weft` itself runs as a process.
"""
import ctypes
import itertools
import os
import pathlib
import select
import socket
import struct
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build/release"))
WEFT = BUILD / "src/cli/weft"

POD, POD6 = "10.77.0.2", "fd77::2"
OUTSIDE, OUTSIDE6 = "10.77.0.1", "fd77::1"
# Places in the world, all of them addresses of the namespace outside.
FAR = ("8.8.8.8", "10.2.3.4", "10.1.2.3", "192.0.2.7")
FAR6 = ("fd08::8", "fd10::1", "2001:db8::7")
VIP, VIP6 = "10.96.0.10", "fd96::10"
OUTBOUND, INBOUND, DNS = 15001, 15006, 15053
SIDECAR = 1337
INJECTED = ("-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*",
            "-d", "15090,15021,15020")

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_SO_ORIGINAL_DST, _IP6_ORIGINAL_DST = 80, 80
_numbers = itertools.count()


def run(*words, ok=True, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, **options)
    if ok and done.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Space:
    """A network namespace with a name; `call` runs a function in it as some user and group."""

    def __init__(self):
        self.name = f"weft-capture-{os.getpid()}-{next(_numbers)}"
        run("ip", "netns", "add", self.name)
        self.path = f"/run/netns/{self.name}"

    def remove(self):
        run("ip", "netns", "delete", self.name, ok=False)

    def run(self, *words, **options):
        return run("nsenter", f"--net={self.path}", *map(str, words), **options)

    def call(self, function, user=0, group=0):
        outcome = {}

        def body():
            try:
                with open(self.path) as file:
                    if _libc.setns(file.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                # Of this thread alone; the kernel keeps them with the sockets that are made from here on.
                _libc.setfsgid(group)
                _libc.setfsuid(user)
                outcome["value"] = function()
            except BaseException as error:
                outcome["error"] = error

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]

    def listen(self, port, kind=socket.SOCK_STREAM, addresses=("0.0.0.0", "::"), **who):
        """A listening socket for each address: with one for both families, SO_ORIGINAL_DST knows IPv6 only."""
        def make(address):
            made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in address:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.settimeout(5)
            made.bind((address, port))
            if kind == socket.SOCK_STREAM:
                made.listen(512)
            return made
        return [self.call(lambda: make(address), **who) for address in addresses]

    def dial(self, host, port, user=0, group=0, source=None):
        """A connected socket, or the OSError that the kernel answered with."""
        def make():
            made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            made.settimeout(5)
            if source:
                made.bind((source, 0))
            made.connect((host, port))
            return made
        return self.call(make, user, group)


def original_destination(connection):
    """(address, port) that the client meant, as a proxy reads it; where nothing is tracked, what it reached."""
    six = connection.family == socket.AF_INET6
    try:
        raw = (connection.getsockopt(socket.IPPROTO_IPV6, _IP6_ORIGINAL_DST, 28) if six
               else connection.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16))
    except FileNotFoundError:
        return connection.getsockname()[:2]
    return socket.inet_ntop(connection.family, raw[8:24] if six else raw[4:8]), struct.unpack("!H", raw[2:4])[0]


class Pod:
    """The pod's namespace, the one outside, and who listens where."""

    def __init__(self, ipv4=True, ipv6=False):
        self.inside, self.outside = Space(), Space()
        try:
            self._wire(ipv4, ipv6)
            self.listeners = {}
            for port in (OUTBOUND, INBOUND, 8080, 9000, 15008, 15020, 15021, 15090):
                self.listeners[("pod", port)] = self.inside.listen(port)
            for port in (80, 53, 443, 3306, 8080, 15002):
                self.listeners[("outside", port)] = self.outside.listen(port)
        except BaseException:
            self.remove()
            raise

    def _wire(self, ipv4, ipv6):
        run("ip", "link", "add", "eth0", "netns", self.inside.name, "type", "veth", "peer", "name", "eth0", "netns",
            self.outside.name)
        for space in (self.inside, self.outside):
            space.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                      "net.ipv6.conf.eth0.accept_dad=0")
            space.run("ip", "link", "set", "lo", "up")
            space.run("ip", "link", "set", "eth0", "up")
        if ipv4:
            self.inside.run("ip", "address", "add", f"{POD}/24", "dev", "eth0")
            self.outside.run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
            for far in (*FAR, VIP):
                self.outside.run("ip", "address", "add", f"{far}/32", "dev", "lo")
            self.inside.run("ip", "route", "add", "default", "via", OUTSIDE)
        if ipv6:
            self.inside.run("ip", "address", "add", f"{POD6}/64", "dev", "eth0", "nodad")
            self.outside.run("ip", "address", "add", f"{OUTSIDE6}/64", "dev", "eth0", "nodad")
            for far in (*FAR6, VIP6):
                self.outside.run("ip", "address", "add", f"{far}/128", "dev", "lo", "nodad")
            self.inside.run("ip", "-6", "route", "add", "default", "via", OUTSIDE6)

    def remove(self):
        for listener in itertools.chain(*getattr(self, "listeners", {}).values()):
            listener.close()
        self.inside.remove()
        self.outside.remove()

    def capture(self, *flags, **options):
        return self.inside.run(WEFT, "capture", *flags, **options)

    def rules(self):
        return self.inside.run("nft", "list", "ruleset").stdout

    def arrival(self):
        """Where the one connection that is open arrived: ((place, port), its original destination)."""
        places = {listener: place for place, both in self.listeners.items() for listener in both}
        ready, _, _ = select.select(list(places), [], [], 5)
        assert len(ready) == 1, f"arrived at {[places[each] for each in ready]}"
        connection, _ = ready[0].accept()
        with connection:
            return places[ready[0]], original_destination(connection)

    def connect(self, host, port, *, start="pod", **options):
        space = self.inside if start == "pod" else self.outside
        with space.dial(host, port, **options):
            return self.arrival()
