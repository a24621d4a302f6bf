"""What an upstream may say, by the number in the request's X-Answer: sound, odd and wrong. Behind what is an End the connection ends.

X-Upstream, behind the last status line, tells it from what a proxy says itself.
"""
import re

BODY = b"Content-Length: 2\r\n\r\nok"
OK = b"HTTP/1.1 200 OK\r\n"


def chunked(body, fields=b""):
    return OK + fields + b"Transfer-Encoding: chunked\r\n\r\n" + body


class End(bytes):
    """Nothing else ends it, or not in time."""


RESPONSES = [
    OK + BODY,
    End(OK + b"\r\nup to the end"),
    b"HTTP/1.0 200 OK\r\n" + BODY,
    End(b"HTTP/1.0 200 OK\r\n\r\nup to the end"),
    End(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + BODY),  # Envoy sends the next body on such a connection without any framing
    chunked(b"2\r\nok\r\n0\r\n\r\n"),
    chunked(b"2;a=b\r\nok\r\n0\r\n\r\n"),
    chunked(b"2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n", b"Trailer: x-trailer\r\n"),
    chunked(b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"Content-Length: 5\r\n"),
    chunked(b"0\r\n\r\n"),
    End(chunked(b"2\r\nok")),
    chunked(b"2\r\nokX\r\n0\r\n\r\n"),
    chunked(b"z\r\nok\r\n0\r\n\r\n"),
    End(OK + b"Content-Length: 5\r\n\r\nok"),
    OK + b"Content-Length: 2\r\n" + BODY,
    OK + b"Content-Length: 3\r\n" + BODY,
    OK + b"Content-Length: 2, 2\r\n\r\nok",
    OK + b"Content-Length: +2\r\n\r\nok",
    OK + b"Content-Length: -2\r\n\r\nok",
    OK + b"Content-Length: 2\r\n\r\nok and more",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: identity\r\n" + BODY,
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + BODY,
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + BODY,
    b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + OK + BODY,
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 200\r\n" + BODY,
    b"HTTP/1.1 200 \r\n" + BODY,
    b"HTTP/1.1 299 Odd but \xff\r\n" + BODY,
    b"HTTP/1.1 600 Odd\r\n" + BODY,
    b"HTTP/1.1 999 Odd\r\n" + BODY,
    b"HTTP/1.1 99 Odd\r\n" + BODY,
    b"HTTP/1.1 0200 Odd\r\n" + BODY,
    b"HTTP/1.1 2OO OK\r\n" + BODY,
    b"http/1.1 200 OK\r\n" + BODY,
    b"HTTP/2 200 OK\r\n" + BODY,
    b"\r\nHTTP/1.1 200 OK\r\n" + BODY,
    b"HTTP/1.1 200 OK\n" + BODY.replace(b"\r\n", b"\n"),
    OK + b"X-Folded: a\r\n b\r\n" + BODY,
    OK + b"X-Space : a\r\n" + BODY,
    OK + b"X-Cr: a\rb\r\n" + BODY,
    OK + b"X-Nul: a\0b\r\n" + BODY,
    OK + b"X-Bytes: \xff\xfe\r\n" + BODY,
    OK + b": a\r\n" + BODY,
    OK + b"nocolon\r\n" + BODY,
    OK + b"Bad Name: a\r\n" + BODY,
    OK + b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n" + BODY,
    OK + b"Connection: close\r\n" + BODY,
    OK + b"Connection: x-hop, date\r\nX-Hop: 1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n" + BODY,
    OK + b"Keep-Alive: timeout=1\r\nProxy-Connection: keep-alive\r\n" + BODY,
    OK + b"Upgrade: h2c\r\nConnection: upgrade\r\n" + BODY,
    OK + b"Server: me\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nVia: 1.1 x\r\n" + BODY,
    OK + b"X-Envoy-Upstream-Service-Time: 99\r\nX-Envoy-Overloaded: true\r\nX-Envoy-Attempt-Count: 5\r\n" + BODY,
    OK + b"Location: http://elsewhere.example/\r\nContent-Type: text/html\r\nX-Out: own\r\n" + BODY,
    OK + b"".join(b"X-%d: 1\r\n" % i for i in range(120)) + BODY,
    OK + b"X-Long: " + b"l" * 8000 + b"\r\n" + BODY,
    OK + b"X-Longer: " + b"l" * 70000 + b"\r\n" + BODY,
    b"HTTP/1.1 502 Bad Gateway\r\n" + BODY,
    b"HTTP/1.1 302 Found\r\nLocation: /a b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n" + BODY,
    End(b"HTTP/1.1 200 OK\r\n"),
    End(b"\x16\x03\x01\x00\x05hello"),
    End(b"SSH-2.0-x\r\n"),
]
RESPONSES = [type(each)(re.sub(rb"(?is)(.*HTTP/[^\r\n]*\r?\n)", rb"\1X-Upstream: 1\r\n", each, count=1)) for each in RESPONSES]
