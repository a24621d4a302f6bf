"""A server without a protocol: the first line of a client says what it does with the connection. It remembers how the last one ended."""
import hashlib
import socket
import socketserver
import struct
import threading

MEGABYTES = 8
BLOCK = bytes(range(256)) * 4096
last = {"end": "none"}


def to_the_end(stream):
    """Reads until the other side ends; how it did, and what came."""
    digest, length = hashlib.sha256(), 0
    try:
        while data := stream.recv(65536):
            digest.update(data)
            length += len(data)
        return f"end {length} {digest.hexdigest()[:16]}"
    except ConnectionResetError:
        return "reset"


class Handler(socketserver.BaseRequestHandler):
    def line(self):
        line = b""
        while not line.endswith(b"\n") and (data := self.request.recv(1)):
            line += data
        return line.decode().strip()

    def handle(self):
        what = self.line()
        getattr(self, "do_" + what, lambda: None)()

    def do_sum(self):
        self.request.sendall(to_the_end(self.request).encode())

    def do_flood(self):
        for _ in range(MEGABYTES):
            self.request.sendall(BLOCK)

    def do_both(self):
        writer = threading.Thread(target=self.do_flood)
        writer.start()
        seen = to_the_end(self.request)
        writer.join()
        self.request.sendall(seen.encode())

    def do_first(self):
        """Ends its own side first and goes on listening."""
        self.request.sendall(b"go on")
        self.request.shutdown(socket.SHUT_WR)
        last["end"] = to_the_end(self.request)

    def do_watch(self):
        self.request.sendall(b"watching\n")
        last["end"] = to_the_end(self.request)

    def do_reset(self):
        self.request.sendall(b"bye")
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()

    def do_last(self):
        self.request.sendall(last.pop("end", "nothing yet").encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 512

    def shutdown_request(self, request):  # no shutdown before the close, so that unread bytes and resets are the kernel's to tell
        self.close_request(request)


Server(("0.0.0.0", 7070), Handler).serve_forever()
