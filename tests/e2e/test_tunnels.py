"""Tunnels of clients of HTTP/2, byte by byte: a WebSocket to a server of HTTP/1, and CONNECT to a server of plain TCP."""
import base64
import hashlib
import socket
import threading

import pytest

from harness import SLOW
from http2_bytes import OPENING, frame, literal
from proxy_harness import Proxy, Upstream

DATA, HEADERS, SETTINGS, END_STREAM, END_HEADERS, ACK = 0, 1, 4, 1, 4, 1
OPTIONS = "http2_protocol_options: {allow_connect: true}\n          upgrade_configs: [{upgrade_type: websocket}]"
TERMINATE = "- {match: {connect_matcher: {}}, route: {cluster: upstream, upgrade_configs: [{upgrade_type: CONNECT, connect_config: {}}]}}"
MASKED_HELLO, HELLO = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", b"\x81\x05Hello"  # RFC 6455 §5.7


class Stream:
    """Stream 1 of a connection of its own."""

    def __init__(self, proxy, fields):
        self.connection, self.buffer = proxy.connect(), b""
        self.connection.sendall(OPENING + frame(HEADERS, END_HEADERS, 1, b"".join(literal(name, value) for name, value in fields)))

    def next(self):
        """The next frame of the stream: kind, flags, payload."""
        while True:
            while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
                data = self.connection.recv(65536)
                assert data, "the proxy has ended the connection"
                self.buffer += data
            size = int.from_bytes(self.buffer[:3], "big")
            head, payload, self.buffer = self.buffer[:9], self.buffer[9:9 + size], self.buffer[9 + size:]
            if head[3] == SETTINGS and not head[4] & ACK:
                self.connection.sendall(frame(SETTINGS, ACK, 0, b""))
            if head[5:9] == b"\0\0\0\1" and head[3] in (DATA, HEADERS):
                return head[3], head[4], payload

    def say(self, data, flags=0):
        self.connection.sendall(frame(DATA, flags, 1, data))


def is_success(block):
    """`:status: 200` is the first field, behind a change of the table's size perhaps."""
    return b"\x88" in block[:4]


def speak_websocket(connection, request):
    """RFC 6455 §4.2.2, then one frame for each that comes."""
    fields = dict(line.split(b": ", 1) for line in request.lower().split(b"\r\n") if b": " in line)
    key = next(line.split(b": ", 1)[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    assert fields[b"upgrade"] == b"websocket" and fields[b"connection"] == b"upgrade" and len(base64.b64decode(key)) == 16
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept +
                       b"\r\n\r\n")
    while connection.recv(65536) == MASKED_HELLO:
        connection.sendall(HELLO)
    return False


def test_a_websocket_of_http2_reaches_a_server_of_http1(tmp_path):
    upstream = Upstream(act=speak_websocket)
    with Proxy(upstream.port, tmp_path, extra_hcm=OPTIONS) as proxy:
        stream = Stream(proxy, [(b":method", b"CONNECT"), (b":protocol", b"websocket"), (b":scheme", b"http"), (b":path", b"/chat"),
                                (b":authority", b"h"), (b"sec-websocket-version", b"13")])
        kind, flags, block = stream.next()
        assert kind == HEADERS and is_success(block) and not flags & END_STREAM
        for _ in range(3):
            stream.say(MASKED_HELLO)
            assert stream.next() == (DATA, 0, HELLO)
        stream.say(b"", END_STREAM)
        assert stream.next()[1] & END_STREAM
    assert b"sec-websocket-version: 13\r\n" in upstream.requests[0].lower()


@pytest.fixture
def echo_port():
    """A server of plain TCP that sends back what comes."""
    def serve(connection):
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def test_a_connect_of_http2_becomes_a_connection_of_tcp(tmp_path, echo_port):
    with Proxy(echo_port, tmp_path, routes=TERMINATE) as proxy:
        stream = Stream(proxy, [(b":method", b"CONNECT"), (b":authority", b"db:5432")])
        kind, _, block = stream.next()
        assert kind == HEADERS and is_success(block)
        stream.say(b"hello")
        assert stream.next() == (DATA, 0, b"hello")
        stream.say(b"", END_STREAM)
        assert stream.next()[1] & END_STREAM


def test_a_connect_of_http1_becomes_a_connection_of_tcp(tmp_path, echo_port):
    with Proxy(echo_port, tmp_path, routes=TERMINATE) as proxy, proxy.connect() as connection:
        connection.settimeout(10 * SLOW)
        connection.sendall(b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\nhello")
        heard = b""
        while not heard.endswith(b"\r\n\r\nhello"):
            heard += connection.recv(65536)
        assert heard.startswith(b"HTTP/1.1 200 ") and b"content-length" not in heard.lower() and b"transfer-encoding" not in heard.lower()
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536) == b""
