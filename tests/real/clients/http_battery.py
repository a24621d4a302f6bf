"""Speaks HTTP with one server in every usual way and prints what came back, without what a proxy may add or choose.

    http_battery.py URL [files] [app] [put] [large] [connections] [early]     which of the server's abilities to use
"""
import gzip
import hashlib
import http.client
import json
import os
import socket
import sys
import urllib.parse

# A proxy adds these, or they belong to one connection only (RFC 9110 section 7.6.1).
NOT_COMPARED = {"date", "server", "connection", "keep-alive", "transfer-encoding", "via", "proxy-connection",
                *os.environ.get("UNCOMPARED", "").split()}
ADDED = ("x-forwarded-", "x-envoy-", "x-request-id", "x-real-ip", "x-b3-", "traceparent", "tracestate")
BLOCK = bytes(range(256)) * 4096
LARGE = 64 << 20
WAIT = 60


def compared(headers):
    pairs = [(name.lower(), ",".join(sorted(value.split(","))) if name.lower() == "allow" else value) for name, value in headers]
    return sorted(pair for pair in pairs if pair[0] not in NOT_COMPARED and not pair[0].startswith(ADDED))


def digest(body):
    return f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()[:16]}"


def show(name, *what):
    print(name, *what, sep=" | ", flush=True)


class Battery:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.base = parts.hostname, parts.port or 80, parts.path.rstrip("/")
        self.path = "/"

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=WAIT)

    def ask(self, name, method, path, body=None, headers=None, connection=None, chunked=False, inspect=None, without=()):
        """One request, shown; returns the response's headers. `inspect` turns the body into what is shown of it."""
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, self.base + path, body=body, headers=headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            data = response.read()
            shown = inspect(response, data) if inspect else digest(data)
            show(name, response.status, response.reason, [pair for pair in compared(response.getheaders()) if pair[0] not in without], shown)
            return response.headers
        except (OSError, http.client.HTTPException) as error:
            show(name, f"{type(error).__name__}: {error}")
            return {}
        finally:
            if own:
                connection.close()

    def raw(self, name, *pieces, half_close=False, after=None):
        """Bytes as they are; what comes back until the server closes. `after` pairs a piece with what has to come before it."""
        got = b""
        try:
            with socket.create_connection((self.host, self.port), WAIT) as stream:
                for number, piece in enumerate(pieces):
                    if number and after:
                        while after not in got:
                            data = stream.recv(65536)
                            if not data:
                                raise ConnectionError(f"closed before {after!r} after {got[:200]!r}")
                            got += data
                    stream.sendall(piece)
                if half_close:
                    stream.shutdown(socket.SHUT_WR)
                while data := stream.recv(65536):
                    got += data
        except OSError as error:
            if not got:  # a server may end an old connection behind a response, in any way
                show(name, f"{type(error).__name__}: {error}")
        show(name, *dict.fromkeys(responses(got)))

    def target(self, path):
        return f"{self.base}{path}".encode()

    def host_line(self):
        return f"Host: {self.host}:{self.port}\r\n".encode()

    def connections(self):
        """Connections that are kept, closed, filled ahead, old; each for what the ability before asks for."""
        path = self.path
        connection = self.connect()
        for number in range(10):
            self.ask(f"kept connection, request {number}", "HEAD" if number % 3 == 1 else "GET", path, connection=connection)
        connection.close()
        self.ask("Connection: close", "GET", path, headers={"Connection": "close"})
        request = b"GET " + self.target(path) + b" HTTP/1.1\r\n" + self.host_line()
        # How many requests one connection takes is for each hop to say, so that equal responses count once.
        self.raw("pipelined", request + b"\r\n" + request + b"\r\n" + request + b"Connection: close\r\n\r\n")
        self.raw("in pieces", request[:9], request[9:20], request[20:] + b"Connection: clo", b"se\r\n\r\n")
        old = b"GET " + self.target(path) + b" HTTP/1.0\r\n"
        self.raw("HTTP/1.0", old + self.host_line() + b"\r\n")
        self.raw("HTTP/1.0 HEAD", old.replace(b"GET", b"HEAD") + self.host_line() + b"\r\n")
        self.raw("HTTP/1.0 kept", old + self.host_line() + b"Connection: keep-alive\r\n\r\n", old + self.host_line() + b"\r\n", after=b"\r\n\r\n")

    def files(self):
        self.path = "/small.txt"
        for path in ("/small.txt", "/empty.txt", "/page.html", "/medium.bin", "/missing", "/%2e/s%6dall.txt"):
            self.ask(f"GET {path}", "GET", path)
        headers = self.ask("HEAD", "HEAD", "/medium.bin")
        for wanted in ("bytes=10-20", "bytes=-5", "bytes=2000000-7000000", "bytes=999999999-", "lines=1-2"):
            self.ask(f"Range: {wanted}", "GET", "/medium.bin", headers={"Range": wanted})
        if "ETag" in headers:
            self.ask("If-None-Match", "GET", "/medium.bin", headers={"If-None-Match": headers["ETag"]})
            self.ask("If-Match", "GET", "/small.txt", headers={"If-Match": '"another"'})
        self.ask("If-Modified-Since", "GET", "/small.txt", headers={"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"})
        self.ask("gzip", "GET", "/page.html", headers={"Accept-Encoding": "gzip"}, inspect=lambda response, data: digest(
            gzip.decompress(data) if response.headers.get("Content-Encoding") == "gzip" else data))
        for method in ("POST", "DELETE", "OPTIONS", "TRACE", "SPECIAL"):
            self.ask(method, method, "/small.txt", inspect=lambda *_: "")

    def put(self):
        for size in (0, 1, 100_000, LARGE):
            name = f"/put/of-{size}"
            self.ask(f"PUT {size}", "PUT", name, body=BLOCK * (size >> 20) + BLOCK[:size & 0xfffff])
            self.ask(f"GET {size}", "GET", name, headers={"Accept-Encoding": "identity"}, without=("etag", "last-modified"))
            self.ask(f"DELETE {size}", "DELETE", name)
            self.ask(f"GET deleted {size}", "GET", name, inspect=lambda *_: "")

    def app(self):
        self.path = "/bytes?n=300"
        for size in (0, 1, 1000, 1_000_000):
            self.ask(f"bytes {size}", "GET", f"/bytes?n={size}")
        for size in (0, 1, 3_000_000):
            self.ask(f"stream {size}", "GET", f"/stream?n={size}")
        self.ask("HEAD", "HEAD", "/bytes?n=1000")
        self.ask("no content", "GET", "/none")
        self.ask("cookies", "GET", "/cookies")
        for size in (0, 10, 2_000_000):
            self.ask(f"sum of {size}", "POST", "/sum", body=BLOCK * (size >> 20) + BLOCK[:size & 0xfffff], inspect=as_text)
        pieces = [BLOCK[:size] for size in (1, 10, 70_000, 3, 1 << 20, 1 << 20)]
        self.ask("sum of chunks", "POST", "/sum", body=iter(pieces), headers={"Transfer-Encoding": "chunked"}, chunked=True, inspect=as_text)
        self.ask("sum of no chunks", "POST", "/sum", body=iter([]), headers={"Transfer-Encoding": "chunked"}, chunked=True, inspect=as_text)
        expecting = b"POST " + self.target("/sum") + b" HTTP/1.1\r\n" + self.host_line() + b"Content-Length: 5\r\nConnection: close\r\n"
        self.raw("Expect: 100-continue", expecting + b"Expect: 100-continue\r\n\r\n", b"12345", after=b"HTTP/1.1 100")
        self.raw("Expect, not waited for", expecting + b"Expect: 100-continue\r\n\r\n12345")
        self.echo("GET", "/echo/a%20b;c=1?x=%7B1%7D&y=a+b&empty=&z")
        self.echo("GET", "/echo/a//b/")
        self.echo("GET", "/echo", {"Cookie": "a=b; c=d", "X-Empty": "", "X-Long": "l" * 6000, "Accept": "text/html, */*;q=0.1"})
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            self.echo(method, "/echo/" + method.lower(), {"Content-Type": "text/plain"}, b"a body" if method != "OPTIONS" else None)

    def large(self):
        """More than any buffer holds, both ways."""
        if self.path == "/small.txt":
            self.ask("large", "GET", "/large.bin")
            return
        self.ask("large", "GET", f"/bytes?n={LARGE}")
        self.ask("large", "POST", "/sum", body=BLOCK * (LARGE >> 20), inspect=as_text)
        self.ask("large, chunked", "POST", "/sum", body=iter([BLOCK] * (LARGE >> 20)), headers={"Transfer-Encoding": "chunked"}, chunked=True,
                 inspect=as_text)

    def echo(self, method, path, headers=None, body=None):
        self.ask(f"echo {method} {path[:30]}", method, path, headers=headers, body=body, inspect=what_the_server_saw,
                 without=("content-length",))

    def odd(self):
        """What people, browsers and old programs write, though no standard says so, and what standards say and few write."""
        for target in (b"/echo?family=Open+Sans|Roboto", b"/echo?filter={\"a\":[1]}", b"/echo?q=^x`y", b"/echo/a|b",
                       b"/echo/[x]", b"/echo/%7e%7E", b"/echo?%", b"/echo/a'b!(c)*$,;:@&=+~", b"/echo?a?b/c", b"/echo/<x>", b"/echo/{x}", b"/echo?q=<b>",
                       b"/echo?long=" + b"l" * 30_000):
            self.seen(f"target {target[:40]}", b"GET", target)
        for line in (b"X-Latin: caf\xe9", b"X-Utf-8: caf\xc3\xa9", b"X_Under_Score: 1", b"X.Dotted: 1", b"X-Tab: a\tb", b"X-Many: " + b"m" * 40_000,
                     b"X-Two: 1\r\nX-Two: 2", b"X-Quoted: \"a, \\\"b\"", b"Cookie: a=1; b=\"x y\"\r\nCookie: c=2", b"TE: trailers", b"Expect: something",
                     b"Max-Forwards: 10", b"Upgrade: something/1\r\nConnection: upgrade", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAM"):
            self.seen(f"header {line[:40]}", b"GET", b"/echo", line + b"\r\n")
        for method in (b"PROPFIND", b"MKCOL", b"PURGE", b"M-SEARCH", b"LINK", b"purge"):
            self.seen(f"method {method}", method, b"/echo")
        for method in (b"GET", b"DELETE", b"PROPFIND", b"OPTIONS"):
            self.seen(f"{method} with a body", method, b"/echo", b"Content-Length: 6\r\n", b"a body")
            self.seen(f"{method} with chunks", method, b"/echo", b"Transfer-Encoding: chunked\r\n", b"6\r\na body\r\n0\r\n\r\n")
        self.seen("absolute", b"GET", b"http://" + f"{self.host}:{self.port}".encode() + b"/echo?x")
        self.seen("asterisk", b"OPTIONS", b"*")

    def seen(self, name, method, target, lines=b"", body=b""):
        """A request as it is written, its status, and what the server saw of it.

        A path's spelling is not compared: a sidecar normalises it. Nor is an offer to upgrade, which every hop may pass over.
        """
        request = method + b" " + target + b" HTTP/1.1\r\n" + self.host_line() + b"Connection: close\r\n" * (b"onnection:" not in lines) + lines
        stream = socket.create_connection((self.host, self.port), WAIT)
        try:
            stream.sendall(request + b"\r\n" + body)
            response = http.client.HTTPResponse(stream)
            response.begin()
            data = response.read()
            saw = what_the_server_saw(response, data) if response.status == 200 else ""
            if isinstance(saw, list):
                saw[1] = urllib.parse.unquote(saw[1].removeprefix(f"http://{self.host}:{self.port}"), errors="replace")
                saw[2] = [pair for pair in saw[2] if pair[0] not in ("upgrade", "http2-settings")]
            show(name, response.status, saw)
        except (OSError, http.client.HTTPException) as error:
            show(name, f"{type(error).__name__}: {error}")
        finally:
            stream.close()

    def early(self):
        request = b"GET " + self.target("/early") + b" HTTP/1.1\r\n" + self.host_line() + b"Connection: close\r\n\r\n"
        self.raw("early hints", request)


def as_text(_, data):
    return data.decode(errors="replace").strip()


def what_the_server_saw(_, data):
    """The server's report of method, target and headers as JSON, without what proxies add."""
    try:
        seen = json.loads(data)
        return [seen["method"], seen["target"], [(name, value[:200]) for name, value in compared(seen["headers"])]]
    except (ValueError, KeyError) as error:
        return f"{error!r}: {data[:200]!r}"


def responses(data):
    """Each response among `data`: status, and the end of its body; interim ones by their status alone."""
    found = []
    while data:
        head, mark, rest = data.partition(b"\r\n\r\n")
        if not mark or not head.startswith(b"HTTP/"):
            return found + [f"no response: {data[:100]!r}"]
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        if status < 200:
            found.append(status)
            data = rest
            continue
        body, data = take_body(rest, fields)
        # Whoever speaks HTTP/1.0 may be answered as such or as 1.1 (RFC 9110 section 2.5): only the status counts.
        found.append((status, digest(body)))
    return found


def take_body(rest, fields):
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.split(b";")[0] or b"0", 16)
            body, rest = body + rest[:length], rest[length + 2:]
            if length == 0:
                return body, rest
    if "content-length" in fields and not rest.startswith(b"HTTP/"):
        length = int(fields["content-length"])
        return rest[:length], rest[length:]
    return (b"", rest) if rest.startswith(b"HTTP/") else (rest, b"")


if __name__ == "__main__":
    battery = Battery(sys.argv[1])
    for ability in sys.argv[2:]:
        show("==", ability)
        getattr(battery, ability)()
