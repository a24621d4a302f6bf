"""What the tests stand on: the real services as processes, stand-ins that record what reaches them, and plain HTTP."""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build/release"))
BINARY = pathlib.Path(os.environ.get("BOOKINFO_BIN", BUILD / "samples/bookinfo/bookinfo"))
SLOW = 3 if "asan" in str(BUILD) or "tsan" in str(BUILD) else 1

DETAILS_ERROR = "Sorry, product details are currently unavailable for this book."
REVIEWS_ERROR = "Sorry, product reviews are currently unavailable for this book."
RATINGS_ERROR = "Sorry, product ratings are currently unavailable for this book."
NO_RATING = {"error": "Ratings service is currently unavailable"}
STAR = "glyphicon glyphicon-star"
BOOK = {"id": 0, "author": "William Shakespeare", "year": 1595, "type": "paperback", "pages": 200,
        "publisher": "PublisherA", "language": "English", "ISBN-10": "1234567890", "ISBN-13": "123-1234567890"}
RATINGS = {"id": 0, "ratings": {"Reviewer1": 5, "Reviewer2": 4}}
REVIEWS = {"id": "0", "podname": "pod-1", "clustername": "null", "reviews": [
    {"reviewer": "Reviewer1", "text": "Good."}, {"reviewer": "Reviewer2", "text": "Fair."}]}


class Answer:
    def __init__(self, status, headers, body, seconds=0.0):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        assert self.headers["Content-Type"] == "application/json", self.headers
        return json.loads(self.body)


def ask(port, path, method="GET", headers=None, body=None, timeout=30):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    began = time.monotonic()
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read(), time.monotonic() - began)


def wait_for(what, condition, seconds=10):
    deadline = time.monotonic() + seconds * SLOW
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds * SLOW} s for {what}")


def at_once(*calls):
    """Makes the calls in parallel and returns their results in order: slow paths then cost their time only once."""
    results = [None] * len(calls)

    def run(at):
        results[at] = calls[at]()
    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@contextlib.contextmanager
def visitors(ask_once, count=4):
    """So many who ask again and again; the list of what they have been answered."""
    seen, stop = [], threading.Event()

    def visit():
        while not stop.is_set():
            seen.append(ask_once())
    threads = [threading.Thread(target=visit) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def more_of(seen, count=50):
    at = len(seen)
    wait_for("more visits", lambda: len(seen) > at + count)


def limiting(descriptors):
    return descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)))


class Service:
    """One `bookinfo` process on a free port of the loopback, which may have so many `descriptors` if that is said."""

    def __init__(self, kind, *arguments, descriptors=None, **environment):
        variables = {"PATH": "/usr/bin:/bin", "BIND_ADDRESS": "127.0.0.1", **environment}
        variables.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.process = subprocess.Popen([BINARY, kind, "0", *arguments], env=variables, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=limiting(descriptors))
        line = self.process.stdout.readline()
        found = re.search(r"listening on .*:(\d+)$", line.strip())
        assert found, f"{kind} did not start: {line!r}, exit {self.process.poll()}"
        self.port = int(found.group(1))
        self.lines = []
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()

    def read_log(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def ask(self, path, *arguments, **options):
        return ask(self.port, path, *arguments, **options)

    def logged(self, target):
        return [json.loads(line) for line in list(self.lines) if f'"target":"{target}"' in line]

    def took(self, target, count):
        """Seconds from each request to its answer as the service itself logs them: who asks may get its turn late."""
        wait_for(f"{count} lines of {target}", lambda: len(self.logged(target)) >= count)
        return [line["ms"] / 1e3 for line in self.logged(target)]

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.reader.join(5)
            self.process.stdout.close()


class Recorded:
    """A request, and the seconds from when it was there to the end of its answer, once that is."""

    def __init__(self, method, path, headers):
        self.method, self.path, self.headers, self.took = method, path, headers, None


class StandIn:
    """A service in the place of a real one: records each request and answers as told.

    `replies` are used up one per request, the last one stays. A reply is (status, body) or (status, body, seconds to
    wait first); a dict or list becomes JSON; the
    body of a 3xx is its Location; None instead of a reply closes the connection; STALL never answers. `tls` is the
    certificate of a stand-in that speaks TLS.
    """
    STALL = "stall"

    def __init__(self, *replies, address=("127.0.0.1", 0), tls=None):
        self.replies = list(replies)
        self.requests = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stand_in.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_):  # clients that gave up are part of the tests
                pass

        self.server = Server(address, Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.chain, tls.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler):
        began = time.monotonic()
        with self.lock:
            recorded = Recorded(handler.command, handler.path, handler.headers)
            self.requests.append(recorded)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        handler.close_connection = True
        if reply is None:
            return
        if reply == self.STALL:
            self.released.wait(60)
            return
        status, body, *delay = reply
        if delay:
            self.released.wait(delay[0])
        is_json = not isinstance(body, str)
        data = (json.dumps(body) if is_json else body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json" if is_json else "text/plain")
        if 300 <= status < 400:
            handler.send_header("Location", body)
        if status != 204:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(b"" if status == 204 else data)
        recorded.took = time.monotonic() - began

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class Certificate:
    """A certificate for a name like `DNS:localhost` or `IP:127.0.0.1` that signs itself: `chain` is also who to trust."""

    def __init__(self, folder, name):
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={name}", "-keyout", self.key,
                        "-out", self.chain], check=True, capture_output=True)


def free_port():
    """A port of the loopback for a server that is to be started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


CLOSED = []


def closed_port():
    """A port of the loopback that refuses connections: bound until the tests end, so that nobody else listens there."""
    CLOSED.append(socket.socket())
    CLOSED[-1].bind(("127.0.0.1", 0))
    return CLOSED[-1].getsockname()[1]


def at(**places):
    """The environment that sends calls to the given services or ports: at(reviews=stand_in, ratings=9080)."""
    environment = {}
    for name, place in places.items():
        environment[f"{name.upper()}_HOSTNAME"] = "127.0.0.1"
        environment[f"{name.upper()}_SERVICE_PORT"] = str(getattr(place, "port", place))
    return environment
