"""memcached's text protocol: a client that speaks first, in words.   memcached.py compare | load N"""
import hashlib
import socket
import sys


class Cache:
    def __init__(self):
        self.stream = socket.create_connection(("memcached", 11211), 30)
        self.file = self.stream.makefile("rb")

    def line(self, command, data=None):
        self.stream.sendall(command.encode() + b"\r\n" + (b"" if data is None else data + b"\r\n"))
        return self.file.readline().decode().strip()

    def get(self, key):
        head = self.line(f"get {key}")
        if head == "END":
            return None
        value = self.file.read(int(head.split()[3]) + 2)[:-2]
        assert self.file.readline() == b"END\r\n"
        return value


def compare():
    # The first words of a connection differ, for they decide what it is taken for.
    for first in ("get missing", "version", "set k 0 0 5", "delete missing", "gets a b c", "incr n 1", "mn", "stats nothing", "GET of"):
        answer = Cache().line(first, b"12345" if first.startswith("set") else None)
        print(first, "|", answer)
    cache = Cache()
    for size in (0, 1, 1000, 1_000_000):
        print(cache.line(f"set of{size} 0 0 {size}", b"v" * size))
        print(hashlib.sha256(cache.get(f"of{size}")).hexdigest())
    print(cache.get("missing"))


def load(count):
    cache = Cache()
    for number in range(count // 2):
        assert cache.line(f"set k{number % 100} 0 0 10", b"0123456789") == "STORED"
        assert cache.get(f"k{number % 100}") == b"0123456789"


compare() if sys.argv[1] == "compare" else load(int(sys.argv[2]))
