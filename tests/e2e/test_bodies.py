"""Bodies of both directions go at once, at any two speeds and in any framing, and every byte arrives once."""
import random
import socket
import threading

import pytest

from harness import SLOW, wait_for
from proxy_harness import Proxy, read_answer

H = b"Host: a\r\n"


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


class Wire:
    """A connection read piece by piece: heads, then bodies in either framing."""

    def __init__(self, connection, piece=65536, each=lambda: None):
        self.connection, self.piece, self.each, self.buffer = connection, piece, each, b""

    def fill(self):
        self.each()
        data = self.connection.recv(self.piece)
        if not data:
            raise ConnectionError(f"ended with {self.buffer[:100]!r} unread")
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(mark, 1)
        return line

    def take(self, count):
        parts = []
        while count > len(self.buffer):
            parts.append(self.buffer)
            count -= len(self.buffer)
            self.buffer = b""
            self.fill()
        parts.append(self.buffer[:count])
        self.buffer = self.buffer[count:]
        return b"".join(parts)

    def body(self, head):
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            parts = []
            while (size := int(self.until(b"\r\n"), 16)) > 0:
                parts.append(self.take(size))
                assert self.take(2) == b"\r\n"
            assert self.take(2) == b"\r\n"
            return b"".join(parts)
        return self.take(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))


def framed(head, body, framing, rng, largest):
    """The head, then the body in pieces of random sizes."""
    if framing == "length":
        yield head + b"Content-Length: %d\r\n\r\n" % len(body)
    else:
        yield head + b"Transfer-Encoding: chunked\r\n\r\n"
    at = 0
    while at < len(body):
        piece = body[at:at + rng.randint(1, largest)]
        at += len(piece)
        yield piece if framing == "length" else chunk(piece)
    if framing == "chunked":
        yield b"0\r\n\r\n"


def send_all(connection, pieces):
    for piece in pieces:
        connection.sendall(piece)


class DuplexUpstream:
    """Sends a body of its own while it reads the request's; `ready` says when reading may begin."""

    def __init__(self, body, framing, ready=None, receive_buffer=None):
        self.listener = socket.socket()
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.body, self.framing, self.ready = body, framing, ready
        self.got, self.failed = [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                connection.settimeout(60 * SLOW)
                wire = Wire(connection)
                head = wire.until(b"\r\n\r\n")
                pieces = framed(b"HTTP/1.1 200 OK\r\n", self.body, self.framing, random.Random(1), 20000)
                sender = threading.Thread(target=send_all, args=(connection, pieces), daemon=True)
                sender.start()
                if self.ready:
                    self.ready.wait(60 * SLOW)
                self.got.append(wire.body(head + b"\r\n"))
                sender.join()
        except Exception as error:  # the test tells
            self.failed.append(error)

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("up", ["chunked", "length"])
@pytest.mark.parametrize("down", ["chunked", "length"])
def test_a_slow_reader_that_goes_on_sending_gets_every_byte_once(tmp_path, up, down):
    rng = random.Random(7)
    answer, request = rng.randbytes(6_000_000), rng.randbytes(30_000)
    upstream = DuplexUpstream(answer, down)
    results = []

    def one(proxy, number):
        connection = socket.socket()
        # A small window makes the answer wait for the client again and again.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096 * (1 + number))
        connection.settimeout(60 * SLOW)
        connection.connect(("127.0.0.1", proxy.port))
        with connection:
            pieces = framed(b"POST / HTTP/1.1\r\n" + H, request, up, random.Random(number), 40)
            connection.sendall(next(pieces))
            # Each look at the answer sends a little of the request, so that both last.
            wire = Wire(connection, 3000 + 777 * number, lambda: connection.sendall(next(pieces, b"")))
            answer_head = wire.until(b"\r\n\r\n") + b"\r\n"
            results.append(wire.body(answer_head))
            send_all(connection, pieces)

    with Proxy(upstream.port, tmp_path, routes="- {match: {prefix: /}, route: {cluster: upstream, timeout: 0s}}") as proxy:
        clients = [threading.Thread(target=one, args=(proxy, number), daemon=True) for number in range(3)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(120 * SLOW)
        wait_for("the upstream to have read everything", lambda: len(upstream.got) + len(upstream.failed) == 3)
        assert proxy.process.poll() is None, "the proxy has ended"
    upstream.close()
    assert upstream.failed == []
    assert len(results) == 3 and all(result == answer for result in results)
    assert all(got == request for got in upstream.got)


@pytest.mark.parametrize("up", ["chunked", "length"])
def test_an_upload_to_an_upstream_that_reads_late_arrives_byte_for_byte(tmp_path, up):
    request = random.Random(8).randbytes(12_000_000)
    ready = threading.Event()
    upstream = DuplexUpstream(b"ok", "length", ready, receive_buffer=4096)
    with Proxy(upstream.port, tmp_path, routes="- {match: {prefix: /}, route: {cluster: upstream, timeout: 0s}}") as proxy:
        with proxy.connect() as connection:
            connection.settimeout(60 * SLOW)
            pieces = framed(b"POST / HTTP/1.1\r\n" + H, request, up, random.Random(2), 200_000)
            sender = threading.Thread(target=send_all, args=(connection, pieces), daemon=True)
            sender.start()
            # The answer is there although nothing of the body has been read.
            assert read_answer(connection)[0] == 200
            ready.set()
            sender.join(60 * SLOW)
            assert not sender.is_alive()
            wait_for("the upload to have arrived", lambda: upstream.got or upstream.failed)
            connection.sendall(b"GET / HTTP/1.1\r\n" + H + b"Content-Length: 0\r\n\r\n")
            assert read_answer(connection)[0] == 200
        assert proxy.process.poll() is None, "the proxy has ended"
    upstream.close()
    assert upstream.failed == [] and upstream.got[0] == request


def test_bytes_behind_an_answer_that_fills_the_read_buffer_are_nobody_s_answer(tmp_path):
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    size = 16384 - len(head % 16384)

    def serve(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        wire = Wire(connection)
        with connection:
            try:
                while True:
                    first = wire.until(b"\r\n\r\n").startswith(b"GET /first")
                    connection.sendall(head % size + b"x" * size + evil if first else head % 4 + b"good")
            except (ConnectionError, OSError):
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with Proxy(listener.getsockname()[1], tmp_path) as proxy:
            with proxy.connect() as one, proxy.connect() as other:
                one.sendall(b"GET /first HTTP/1.1\r\n" + H + b"\r\n")
                assert read_answer(one)[2] == b"x" * size
                for _ in range(3):
                    other.sendall(b"GET /second HTTP/1.1\r\n" + H + b"\r\n")
                    assert read_answer(other)[2] == b"good"
