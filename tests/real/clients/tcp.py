"""How connections end, seen from both sides."""
import hashlib
import socket
import struct
import sys
import threading
import time

BLOCK = bytes(range(256)) * 4096
host = sys.argv[1]


def connect(what):
    stream = socket.create_connection((host, 7070), 30)
    stream.sendall(what.encode() + b"\n")
    return stream


def rest(stream):
    data = b""
    try:
        while piece := stream.recv(1 << 20):
            data += piece
        return f"end {len(data)} {hashlib.sha256(data).hexdigest()[:16]}"
    except ConnectionResetError:
        return f"reset after {len(data)}"


def last():
    """How the server saw the connection before end; it may not have ended yet."""
    for _ in range(1000):
        with connect("last") as stream:
            seen = stream.recv(1000).decode()
        if seen != "nothing yet":
            return seen
        time.sleep(0.01)
    return "never"


print("forgotten", last())
with connect("sum") as stream:
    for _ in range(8):
        stream.sendall(BLOCK)
    stream.shutdown(socket.SHUT_WR)
    print("sum", stream.recv(1000))
with connect("sum") as stream:
    stream.shutdown(socket.SHUT_WR)
    print("sum of nothing", stream.recv(1000))
with connect("flood") as stream:
    print("flood", rest(stream))
with connect("both") as stream:
    def write():
        for _ in range(8):
            stream.sendall(BLOCK)
        stream.shutdown(socket.SHUT_WR)
    writer = threading.Thread(target=write)
    writer.start()
    print("both", rest(stream))
    writer.join()
with connect("first") as stream:
    print("first", rest(stream))
    for _ in range(3):
        stream.sendall(BLOCK)
print("first, its server", last())
with connect("watch") as stream:
    stream.recv(9)
print("watch, closed", last())
with connect("watch") as stream:
    stream.recv(9)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
print("watch, reset", last())
with connect("nothing of this kind") as stream:
    print("closed", rest(stream))
with connect("reset") as stream:
    print("reset", rest(stream))
streams = [connect("sum") for _ in range(200)]
for stream in streams:
    stream.sendall(b"x" * 1000)
    stream.shutdown(socket.SHUT_WR)
print("two hundred", {rest(stream) for stream in streams})
