"""weft-proxy and a real Envoy on one static bootstrap, and an upstream that counts every byte it gets."""
import contextlib
import fcntl
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

from harness import PROXY, ROOT, SLOW, free_port, wait_for

ENVOY = ROOT / "build/venv/bin/envoy"
SIOCOUTQ = 0x5411
LAST_CHUNK = re.compile(rb"(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n")


def bootstrap(listen, upstream, admin, extra_hcm="", routes=None):
    routes = routes or "- {match: {prefix: /}, route: {cluster: upstream, timeout: 5s}}"
    return f"""
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
static_resources:
  listeners:
  - name: front
    address: {{socket_address: {{address: 127.0.0.1, port_value: {listen}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          http_protocol_options: {{accept_http_10: true}}
          {extra_hcm}
          route_config:
            name: routes
            validate_clusters: false
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              {routes}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: upstream
    connect_timeout: 1s
    type: STATIC
    load_assignment:
      cluster_name: upstream
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}
"""


class Upstream:
    """Answers every whole request with `reply` and keeps what came, connection by connection.

    It reads only request heads and bodies with a length or chunks, as a strict server would.
    """

    def __init__(self, reply=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", act=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.reply, self.act = reply, act
        self.requests, self.connections, self.aborted = [], 0, 0
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with self.lock:
                    self.connections += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        buffer = b""
        with contextlib.suppress(OSError), connection:
            while True:
                taken = self.take_request(buffer)
                if taken is None:
                    data = connection.recv(65536)
                    if not data:
                        break
                    buffer += data
                    continue
                request, buffer = taken
                with self.lock:
                    self.requests.append(request)
                if self.act:
                    if self.act(connection, request) is False:
                        return
                else:
                    connection.sendall(self.reply)
        if buffer:
            with self.lock:
                self.aborted += 1

    @staticmethod
    def take_request(buffer):
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = buffer[:end].lower()
        body = buffer[end + 4:]
        if b"transfer-encoding: chunked" in head:
            last = LAST_CHUNK.search(body)
            return last and (buffer[:end + 4 + last.end()], body[last.end():])
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
                return None if len(body) < length else (buffer[:end + 4 + length], body[length:])
        return buffer[:end + 4], body

    def close(self):
        self.listener.close()


class Proxy:
    """One proxy process on a static bootstrap: ours, or a real Envoy."""

    def __init__(self, upstream_port, directory, envoy=False, concurrency=1, memory_counts=False, **options):
        self.port, self.admin = free_port(), free_port()
        file = pathlib.Path(directory) / f"bootstrap-{self.port}.yaml"
        file.write_text(bootstrap(self.port, upstream_port, self.admin, **options))
        command = [ENVOY, "-c", file, "--concurrency", str(concurrency), "--use-dynamic-base-id", "-l", "error"] if envoy else \
                  [PROXY, "-c", file, "--concurrency", str(concurrency)]
        self.log = open(pathlib.Path(directory) / f"proxy-{self.port}.log", "w+")
        # What the address sanitizer keeps of freed memory and of stacks, to catch its use, would count as the proxy's.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4:detect_stack_use_after_return=0"
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log,
                                        env=os.environ | ({"ASAN_OPTIONS": sanitizer} if memory_counts else {}))
        wait_for("the proxy's port", self.accepts)

    def accepts(self):
        assert self.process.poll() is None, pathlib.Path(self.log.name).read_text()
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10 * SLOW)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def anonymous_kilobytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Anonymous:"):
                return int(line.split()[1])

    def stop(self):
        self.process.terminate()
        try:
            code = self.process.wait(timeout=20 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.log.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


def send_in_pieces(connection, pieces):
    """Each piece leaves in a segment of its own, after the other side's kernel has taken the one before."""
    for piece in pieces:
        connection.sendall(piece)
        deadline = time.monotonic() + 5
        while struct.unpack("i", fcntl.ioctl(connection, SIOCOUTQ, b"\0" * 4))[0] and time.monotonic() < deadline:
            os.sched_yield()


def read_to_end(connection):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
    return data


def read_answer(connection, head_only=False):
    """One HTTP/1 response with a length: (status, head, body)."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"ended after {data!r}")
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    status = int(head.split()[1])
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    if head_only or status in (204, 304):
        length = 0
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("ended inside a body")
        body += piece
    return status, head, body
