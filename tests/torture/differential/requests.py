"""Request bytes at random: mostly sound, often odd, sometimes wrong."""
from responses import RESPONSES

METHODS = [b"GET"] * 8 + [b"POST"] * 4 + [b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PROPFIND", b"get", b"G3T", b"M-SEARCH", b"G\x7fT", b"GE(T"]
PATHS = [b"/", b"/exact", b"/exact/", b"/exact?x=1", b"/admin", b"/admin/x", b"//admin", b"/./admin", b"/x/../admin", b"/%61dmin", b"/x/..%2fadmin", b"/x%2f..%2fadmin",
         b"/\\admin", b"/ADMIN", b"/admin%00", b"/r12/x", b"/r/x", b"/h", b"/h?x", b"/q?v=2", b"/q?v=1&v=2", b"/q?v=2&v=1", b"/q?a&v=2", b"/q?v=%32", b"/m", b"/old/a/b", b"/old/",
         b"/old", b"/host", b"/re/abc/def", b"/re/123", b"/redirect?x=1", b"/https/a?b=c", b"/seg", b"/seg/", b"/seg/x", b"/segment", b"/add", b"/a//b///c", b"/a/./b/../c", b"/a/%2e%2e/c",
         b"/..", b"/../..", b"/a/..", b"/%zz", b"/%", b"/a%20b", b"/a;b=c", b"/a?b?c", b"/a?//b/../c", b"/\xc3\xa9", b"/a#b", b"/a\"b", b"/a{b}", b"/a|b", b"/a^b", b"/a<b>", b"/~a", b"/a%2Fb", b"/a%5cb",
         b"/..;/admin", b"/a" * 2000, b"*", b"", b"a", b"http://shop.example/exact", b"http://b.example/x", b"http://shop.example", b"http://b.example:80/x?y", b"https://b.example/x",
         b"http://u@b.example/", b"http://b.example#f", b"HTTP://B.EXAMPLE/", b"shop.example:443", b"b.example:80", b"://x/", b"ftp://b.example/"]
VERSIONS = [b"HTTP/1.1"] * 14 + [b"HTTP/1.0"] * 3 + [b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.1 ", b""]
HOSTS = [b"shop.example"] * 6 + [b"b.example"] * 4 + [b"SHOP.example", b"www.shop.example", b"a.b.shop.example", b"shop.example:8080", b"shop.example:81", b"b.example:80", b"b.example.", b"other.example", b"127.0.0.1",
         b"[::1]", b"[::1]:80", b"", b"a b", b"a/b", b"u@b.example", b"b.example:", b"b.example:x", b"b.example:99999", b"a,b", b"[::1", b"b.example:80:80", b"b_c.example", b"\xc3\xa9.example"]
FIELDS = [b"X-Pick: b", b"x-pick: a", b"X-Pick: b\r\nX-Pick: a", b"X-Gone: 1", b"X-Added: 0", b"Accept: */*", b"User-Agent: torture", b"Cookie: a=b; c=d", b"Cookie: a=b\r\nCookie: c=d", b"X-Empty:", b"X-Space:  a  b  ",
          b"X-Tab:\ta\t", b"X-Obs: a\r\n b", b"X-Bytes: \xff\xfe", b"X_Under: 1", b"X-Forwarded-For: 9.9.9.9", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil", b"X-Request-Id: 12345678-1234-1234-1234-123456789012",
          b"X-Envoy-Original-Path: /forged", b"X-Envoy-Expected-Rq-Timeout-Ms: 5", b"X-Envoy-Retry-On: 5xx", b"X-Envoy-Internal: true", b"X-Envoy-Upstream-Rq-Timeout-Ms: 1", b"Connection: close", b"Connection: keep-alive",
          b"Connection: x-gone", b"Connection: close, x-pick", b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive", b"TE: trailers", b"TE: gzip", b"Trailer: x", b"Upgrade: websocket", b"Upgrade: h2c",
          b"Connection: Upgrade", b"Connection: Upgrade\r\nUpgrade: websocket", b"Connection: Upgrade\r\nUpgrade: TLS/1.2", b"Expect: 100-continue", b"Expect: other", b"Max-Forwards: 0", b"Range: bytes=0-1", b"Via: 1.1 x",
          b"Date: now", b"Server: me", b"Authorization: Basic eA==", b"Forwarded: for=1", b"X-Nul: a\0b", b"X-Cr: a\rb", b"X-Ctl: a\x01b", b"X-Del: a\x7fb", b"Bad Name: 1", b"X-Colon : 1", b": 1", b"nocolon",
          b"\xc3\xa9: 1", b"X-Long: " + b"l" * 8000, b"X-Longer: " + b"l" * 70000, b"B3: 0", b"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
FRAMINGS = [b"Content-Length: 5", b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5\r\nContent-Length: 6", b"Content-Length: 5, 5", b"Content-Length: +5", b"Content-Length: 05", b"Content-Length:", b"Content-Length: -1",
            b"Content-Length: 5 ", b"Content-Length: 0x5", b"Content-Length: 99999999999999999999", b"Transfer-Encoding: Chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, gzip",
            b"Transfer-Encoding: identity", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Content-Length: 5\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding:\tchunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: "]
CHUNKED = [b"5\r\nhello\r\n0\r\n\r\n", b"005\r\nhello\r\n0\r\n\r\n", b"5;ext=1\r\nhello\r\n0\r\n\r\n", b"5 ;ext\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n", b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", b"0\r\n\r\n", b"A\r\n0123456789\r\n0\r\n\r\n",
           b"g\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff1\r\n", b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n", b"5;a\nb\r\nhello\r\n0\r\n\r\n"]


SEGMENTS = [b"admin", b"exact", b"old", b"seg", b"r1", b"re", b"abc", b"h", b"x", b"", b".", b"..", b"...", b"..;", b"..;v=1", b".;", b"%2e", b"%2E%2e", b".%2e;", b"%61dmin", b"admin;a", b"admin%20", b"%2f", b"..%2f",
            b"%5c..", b"\\", b"..\\", b"%00", b"%", b"%zz", b"%25", b"%252e", b"a+b", b"~", b"%7E", b"|", b"AdMin"]
# How many of each hundred requests are wrong on purpose; the others are what clients send.
WRONG = 40


def path(random):
    """A path made of segments, or one of those above."""
    if random.random() < 0.5:
        return random.choice(PATHS)
    made = b"/" + b"/".join(random.choices(SEGMENTS, k=random.randint(1, 5)))
    return made + random.choice([b"", b"", b"/", b"?v=2", b"?/../admin", b"?v=1&v=2&%76=2"])


def usual(random):
    """What a client may send. Some of it no server likes."""
    method = random.choice([b"GET"] * 6 + [b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH"])
    lines = [b" ".join((method, path(random), random.choice([b"HTTP/1.1"] * 9 + [b"HTTP/1.0"]))), b"Host: " + random.choice(HOSTS[:18])]
    lines += random.sample(FIELDS[:18] + FIELDS[24:30] + FIELDS[38:39] + FIELDS[40:44], random.choice([0, 1, 2, 3]))
    if random.random() < 0.4:
        lines.append(b"X-Answer: %d" % random.randrange(len(RESPONSES)))
    body = b""
    if method in (b"POST", b"PUT", b"PATCH") or random.random() < 0.03:
        lines.append(random.choice([b"Content-Length: 5", b"Transfer-Encoding: chunked"]))
        body = b"hello" if lines[-1].startswith(b"C") else random.choice(CHUNKED[:8])
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def draw(random):
    """One request: bytes."""
    return wrong(random) if random.randrange(100) < WRONG else usual(random)


def wrong(random):
    method, version = random.choice(METHODS), random.choice(VERSIONS)
    lines = [b" ".join(part for part in (method, path(random), version) if part)]
    hosts = random.choices([1, 0, 2], [30, 1, 1])[0]
    lines += [b"Host: " + random.choice(HOSTS) for _ in range(hosts)]
    lines += random.sample(FIELDS, random.choice([0, 0, 1, 1, 2, 4]))
    body = b""
    if method in (b"POST", b"PUT", b"PATCH") or random.random() < 0.08:
        if random.random() < 0.45:
            lines.append(b"Content-Length: 5")
            body = b"hello"
        elif random.random() < 0.6:
            lines.append(b"Transfer-Encoding: chunked")
            body = random.choice(CHUNKED)
        else:
            lines.append(random.choice(FRAMINGS))
            body = random.choice(CHUNKED) if b"hunked" in lines[-1] else b"hello"
    end = random.choices([b"\r\n", b"\n"], [60, 1])[0]
    data = end.join(lines) + end + end + body
    if random.random() < 0.02:
        data = b"\r\n" + data
    return data
