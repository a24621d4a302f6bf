"""HTTP/2 as bytes (RFC 9113, RFC 7541), written and read by hand: what no library would send, and no more code than that takes."""
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE, NO_WINDOW = 4, struct.pack(">HI", 4, 0)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OPENING = PREFACE + frame(SETTINGS, 0, 0)


def prefixed(number, bits, first):
    """RFC 7541 §5.1."""
    limit = (1 << bits) - 1
    if number < limit:
        return bytes([first | number])
    out, number = [first | limit], number - limit
    while number >= 128:
        out.append(number % 128 + 128)
        number //= 128
    return bytes([*out, number])


def text(value):
    return prefixed(len(value), 7, 0) + value


def literal(name, value, remembered=False):
    return (b"\x40" if remembered else b"\x00") + text(name) + text(value)


def request(path, method=b"\x82", authority=b"bench"):
    """The block of a request's head as usual clients send it: what seldom changes is remembered."""
    return (method + b"\x86" + b"\x04" + text(path) + b"\x41" + text(authority) + b"\x7a" + text(b"bench/1.0 (a client as many)") +
            b"\x53" + text(b"*/*"))


class Frames:
    """Yields the frames of what a socket gives behind its first `passed` bytes, each (kind, flags, stream, payload), until the peer has ended."""

    def __init__(self, connection, passed=0):
        self.connection, self.heard, self.passed = connection, b"", passed

    def __iter__(self):
        while self.passed:
            data = self.connection.recv(self.passed)
            if not data:
                return
            self.passed -= len(data)
        while True:
            while len(self.heard) < 9 or len(self.heard) < 9 + int.from_bytes(self.heard[:3], "big"):
                data = self.connection.recv(65536)
                if not data:
                    return
                self.heard += data
            size = int.from_bytes(self.heard[:3], "big")
            head, payload, self.heard = self.heard[:9], self.heard[9:9 + size], self.heard[9 + size:]
            yield head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, payload
