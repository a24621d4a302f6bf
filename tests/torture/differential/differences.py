"""Where weft and Envoy may differ, and why. Nothing else may: each row predicts from the request's bytes and from what Envoy did
what weft does, exactly.

Three kinds of rows. A *rejection*: weft responds with that status, ends the connection, and nothing reaches an upstream. A *twin*:
weft does with the request what Envoy does with another one, into which the row turns it. A *change*: weft does what Envoy does but
for what the row changes in the result. A row that a long run never needs is out of date; the run names it.
"""
import collections.abc
import dataclasses
import re

from responses import RESPONSES

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+;=-]*)(?::[0-9]{0,5})?\Z")
# Methods that Envoy's parser knows; it rejects every other.
KNOWN_METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH", b"PROPFIND"}
# Requests with these have no body by their meaning (RFC 9110 §9.3); to others without one Envoy adds "content-length: 0".
BODILESS = ("GET", "HEAD", "DELETE", "TRACE", "CONNECT")
NOTHING = {"interim": (), "upstream": "", "line": "", "fields": (), "body": b"", "kept": False, "requests": 0, "location": "", "answer": (), "content": b"", "whole": True}


class Request:
    """What the rows ask about a request. Lenient: much of what is drawn is malformed."""

    def __init__(self, data):
        self.data = data
        self.head, _, self.body = data.lstrip(b"\r\n").replace(b"\r\n", b"\n").partition(b"\n\n")
        self.line, *self.lines = self.head.split(b"\n")
        parts = self.line.split(b" ")
        self.method, self.version = parts[0], parts[-1] if len(parts) > 2 else b""
        self.target = parts[1] if len(parts) > 1 else b""
        self.fields = [(n.lower(), v.strip(b" \t")) for n, _, v in (line.partition(b":") for line in self.lines)]

    def values(self, name):
        return [v for n, v in self.fields if n == name]

    def path(self):
        return re.sub(rb"(?i)^https?://[^/?#]*", b"", self.target).split(b"?")[0]

    def closes(self):
        said = b",".join(self.values(b"connection")).lower()
        return b"close" in said or (self.version == b"HTTP/1.0" and b"keep-alive" not in said)

    def answer(self):
        """What the upstream says to it."""
        said = self.values(b"x-answer")
        return RESPONSES[int(said[0])] if said else b""

    def with_path(self, path):
        return self.data.replace(self.path(), path, 1) if path != self.path() else None

    def with_host(self, host):
        lines = [line for line in self.data.split(b"\r\n") if not line.lower().startswith(b"host:")]
        at = next(i for i, line in enumerate(lines) if line)
        return b"\r\n".join(lines[:at + 1] + [b"Host: " + host] + lines[at + 1:])


@dataclasses.dataclass
class Rejection:
    name: str
    status: int
    reason: str
    applies: collections.abc.Callable  # of the request


@dataclasses.dataclass
class Twin:
    name: str
    reason: str
    turn: collections.abc.Callable  # (request, Envoy's own address): other bytes, or None
    back: collections.abc.Callable = lambda request, result: {}  # (request, Envoy's result): what is different in weft's


@dataclasses.dataclass
class Change:
    name: str
    reason: str
    change: collections.abc.Callable  # (request, Envoy's result): what is different in weft's


def has_control(value):
    return any((c < 0x20 and c != 9) or c == 0x7F for c in value)


def ends_lines_in_lf(request):
    head = request.data.lstrip(b"\r\n")
    return re.search(rb"(?<!\r)\n", re.split(rb"\r?\n\r?\n", head)[0] + b"\r\n")


def malformed_chunks(request):
    """Whether the body is not what weft takes for chunks: no bare LF, no white space in a size line, no bytes behind the data."""
    if not any(v.lower() == b"chunked" for v in request.values(b"transfer-encoding")):
        return False
    body = re.split(rb"\r?\n\r?\n", request.data.lstrip(b"\r\n"), maxsplit=1)[1]
    while line := re.match(rb"([0-9A-Fa-f]{1,16})(?:;[!-~]*)?\r\n", body):
        size, body = int(line.group(1), 16), body[line.end():]
        if size == 0:
            return not re.fullmatch(rb"(?:[!-~]+: *[!-~]*\r\n)*\r\n", body)
        if body[size:size + 2] != b"\r\n":
            return True
        body = body[size + 2:]
    return True


REJECTIONS = [
    Rejection("version", 505, "RFC 9110 §15.6.6 names the status; Envoy says 400, or takes it for another version",
              lambda r: re.fullmatch(rb"HTTP/([2-9]\.\d|0\.9)", r.version)),
    Rejection("space behind the version", 400, "bad-input A23", lambda r: r.line.endswith(b" ")),
    Rejection("bare LF", 400, "bad-input A17", ends_lines_in_lf),
    Rejection("control byte in a value", 400, "bad-input A18, B06", lambda r: any(has_control(v) for _, v in r.fields)),
    Rejection("folded line", 400, "bad-input A15", lambda r: any(line[:1] in (b" ", b"\t") for line in r.lines)),
    Rejection("Host that is no host[:port]", 400, "bad-input B01", lambda r: len(r.values(b"host")) == 1 and not HOST.match(r.values(b"host")[0])),
    Rejection("two Hosts", 400, "bad-input B01; Envoy looks at Upgrade first", lambda r: len(r.values(b"host")) == 2),
    Rejection("userinfo in the target", 400, "bad-input B02; RFC 9110 §4.2.4", lambda r: b"://u@" in r.target),
    Rejection("no version", 400, "bad-input A27; Envoy answers with HTTP/0.9 too", lambda r: r.line.count(b" ") == 1),
    Rejection("no Host in HTTP/1.1", 400, "RFC 9112 §3.2, also with an absolute target; Envoy asks for none there", lambda r: not r.values(b"host") and r.version != b"HTTP/1.0"),
    Rejection("Transfer-Encoding in HTTP/1.0", 400, "bad-input A13", lambda r: r.version == b"HTTP/1.0" and r.values(b"transfer-encoding")),
    Rejection("malformed chunks", 400, "bad-input D02 to D09", malformed_chunks),
    Rejection("fragment", 400, "bad-input B16; Envoy says 100 first", lambda r: b"#" in r.target),
    Rejection("expectation", 417, "RFC 9110 §10.1.1; Envoy passes it on",
              lambda r: any(v.lower() != b"100-continue" for v in r.values(b"expect")) and r.version != b"HTTP/1.0"),
]


def plain_dots(segment):
    name, semicolon, rest = segment.partition(b";")
    dots = re.sub(rb"(?i)%2e", b".", name)
    return dots + semicolon + rest if semicolon and dots in (b".", b"..") else segment


def known_method(request, _):
    if TOKEN.match(request.method) and request.method not in KNOWN_METHODS:
        return request.data.replace(request.method + b" ", b"PROPFIND ", 1)
    return None


def own_host(request, own):
    if request.version == b"HTTP/1.0" and request.values(b"host") in ([], [b""]):
        return request.with_host(own)
    return None


def no_final_dot(request, _):
    if request.values(b"host") == [b"b.example."]:
        return request.with_host(b"b.example")
    return None


def final_dot(request, envoy):
    dotted = not re.match(rb"(?i)https?://", request.target)
    return {"fields": tuple(("host", "b.example.") if f == ("host", "b.example") and dotted else f for f in envoy["fields"])}


def no_upgrade(request, _):
    offers = request.values(b"upgrade")
    unspoken = offers and (b"websocket" not in offers or request.version == b"HTTP/1.0")
    return re.sub(rb"(?im)^upgrade:[^\n]*\n", b"", request.data) if unspoken else None


def asked_about_all(request, _):
    return request.data.replace(b" * ", b" / ", 1) if request.line.startswith(b"OPTIONS * ") else None


def stray_percent(request, _):
    path = request.path()
    return request.with_path(b"/%00") if path.startswith(b"/") and re.search(rb"%(?![0-9A-Fa-f]{2})", path) else None


def one_offer(request, _):
    offers = request.values(b"upgrade")
    if len(offers) > 1 and b"websocket" in offers and not request.body:
        # Behind the request line, before which there may be an empty one.
        return re.sub(rb"([^\r\n]+\r?\n)", rb"\1Upgrade: websocket\r\n", re.sub(rb"(?im)^upgrade:[^\n]*\n", b"", request.data), count=1)
    return None


def malformed_websocket(request):
    """An offer with another method than GET, or with content."""
    offered = b"websocket" in request.values(b"upgrade") and b"upgrade" in b",".join(request.values(b"connection")).lower()
    return offered and request.version != b"HTTP/1.0" and (request.method != b"GET" or request.body or request.values(b"transfer-encoding"))


def no_websocket(request, _):
    if b"websocket" in request.values(b"upgrade") and request.version != b"HTTP/1.0" and b" 101 " not in request.answer():
        return re.sub(rb"(?im)^upgrade:[^\n]*\n", b"", request.data)
    return None


def websocket(request, envoy):
    if envoy["upstream"] and b"upgrade" in b",".join(request.values(b"connection")).lower():
        return {"fields": tuple(sorted([*envoy["fields"], ("connection", "upgrade"), ("upgrade", "websocket")]))}
    return {}


TWINS = [
    Twin("OPTIONS *", "RFC 9110 §9.3.7: a prefix \"/\" takes it; Envoy has no route for it", asked_about_all, lambda r, e: {"line": e["line"].replace(" / ", " * ")}),
    Twin("list of offers", "decision 25: the first that is spoken is taken; Envoy says 403", one_offer),
    Twin("ignored offer", "RFC 9110 §7.8: a response that is not 101 ends nothing; Envoy waits for a response to the head", no_websocket, websocket),
    Twin("unknown method", "RFC 9110 §9.1 lets others be defined; Envoy knows a list", known_method,
         lambda r, e: {"line": e["line"].replace("PROPFIND ", r.method.decode() + " ", 1)}),
    Twin("HTTP/1.2", "RFC 9110 §2.5: taken for 1.1; Envoy ends the connection then",
         lambda r, _: r.data.replace(b" HTTP/1.2", b" HTTP/1.1", 1) if r.version == b"HTTP/1.2" else None),
    Twin("HTTP/1.0 without Host", "bad-input B01: the address it came to; Envoy rejects it, or passes an empty Host on", own_host),
    Twin("final dot of the host", "decision 25", no_final_dot, final_dot),
    Twin("per cent sign that encodes nothing", "decision 74: 400, as Envoy answers a NUL", stray_percent),
    Twin("dot segment with encoded dots and parameters", "decision 25", lambda r, _: r.with_path(b"/".join(map(plain_dots, r.path().split(b"/"))))),
    Twin("upgrade that is not spoken here", "decision 25, and RFC 9110 §7.8 for HTTP/1.0; Envoy says 403", no_upgrade),
]


def no_length(request, envoy):
    if envoy["line"].split(" ")[0] not in BODILESS and not request.values(b"content-length"):
        return {"fields": tuple(f for f in envoy["fields"] if f != ("content-length", "0"))}
    return {}


def unchanged_path(_, envoy):
    path = envoy["line"].split(" ")[1] if envoy["line"] else None
    return {"fields": tuple(f for f in envoy["fields"] if f != ("x-envoy-original-path", path))}


def nobody_continues(request, envoy):
    if envoy["interim"] == (100,) and (not request.body or not envoy["upstream"] or request.version == b"HTTP/1.0"):
        return {"interim": ()}
    return {}


def whole_request(request, envoy):
    waits = (request.body and request.values(b"expect") and request.version != b"HTTP/1.0") or malformed_chunks(request)
    if envoy["status"] and not envoy["upstream"] and not envoy["kept"]:
        return {"kept": not request.closes() and not waits}
    return {}


def one_number(_, envoy):
    return {"fields": tuple((n, str(int(v)) if n == "content-length" else v) for n, v in envoy["fields"])}


def trailers_named(request, envoy):
    return {"fields": tuple(f for f in envoy["fields"] if f[0] != "trailer")}


def hop_by_hop(_, envoy):
    named = [("connection", "TE")] if ("te", "trailers") in envoy["fields"] else []
    passed = ((n, "upgrade" if n == "connection" else v) for n, v in envoy["fields"] if n != "te" or v == "trailers")
    return {"fields": tuple(sorted([*passed, *named]))}


def about_all(request, envoy):
    if request.method == b"OPTIONS" and re.fullmatch(rb"(?i)https?://[^/?#]+", request.target):
        return {"line": envoy["line"].replace("OPTIONS / ", "OPTIONS * ")}
    return {}


def of_route(envoy, status):
    """What the route that adds fields to requests adds to a response."""
    return [("x-out", str(status))] if ("x-added", "1") in envoy["fields"] else []


def without(envoy, *names):
    return {"answer": tuple(f for f in envoy["answer"] if f[0] not in names)}


def bad_answer(request, envoy):
    """Heads that weft takes for no response, and Envoy for one."""
    said = request.answer()
    head = re.split(rb"\r?\n\r?\n", said.lstrip(b"\r\n"))[0]
    old = head.startswith(b"HTTP/1.0") and b"Transfer-Encoding" in head
    if envoy["upstream"] and (old or re.search(rb"(?<!\r)\n|\r(?!\n)|\r\n ", head) or b" 0200 " in head or (b" 101 " in head and b"websocket" not in request.values(b"upgrade")) or len(head) > 60 << 10):
        return OWN | {"status": 502, "kept": not request.closes()}
    return {}


def cut_answer(request, envoy):
    """Nothing of the response was sent yet when its body turned out to be malformed: the client gets none of it."""
    if envoy["upstream"] and request.answer().endswith((b"z\r\nok\r\n0\r\n\r\n", b"okX\r\n0\r\n\r\n")) and request.method != b"HEAD":
        return OWN | {"status": None, "kept": False, "whole": True}
    return {}


def no_head(request, envoy):
    said = request.answer()
    return {"status": 503} if envoy["status"] == 502 and said.startswith((b"HTTP/1.1", b"\x16")) and b"\n\r\n" not in said and b"\n\n" not in said else {}


def taken_answer(request, envoy):
    """Responses of which Envoy makes a 502."""
    said = request.answer()
    if envoy["status"] != 502:
        return {}
    bare = [("server", "envoy"), ("x-upstream", "1"), *of_route(envoy, 204 if b" 204 " in said else 200)]
    word = "close" if request.closes() else "keep-alive" if request.version == b"HTTP/1.0" else ""
    fields = [*bare, ("connection", word)] if word else bare
    if said.startswith(b"\r\n"):
        return {"status": 200, "answer": tuple(sorted([*fields, ("content-length", "2")])), "content": b"" if request.method == b"HEAD" else b"ok"}
    if b"chunked" in said and b"Content-Length" in said and request.version == b"HTTP/1.0" and request.method != b"HEAD":
        return {"status": 200, "answer": tuple(sorted([*bare, ("connection", "close")])), "content": b"ok", "kept": False}
    if b"chunked" in said and b"Content-Length" in said:
        return {"status": 200, "answer": tuple(sorted([*fields, ("transfer-encoding", "chunked")])), "content": b"" if request.method == b"HEAD" else b"ok"}
    if b" 204 " in said:
        return {"status": 204, "answer": tuple(sorted(fields))}
    return {}


def bodiless_to_old(request, envoy):
    bodiless = envoy["status"] in (204, 304) or request.method == b"HEAD"
    if request.version == b"HTTP/1.0" and bodiless and envoy["upstream"] and not request.closes() and not envoy["kept"]:
        return {"kept": True, "answer": tuple(("connection", "keep-alive") if f[0] == "connection" else f for f in envoy["answer"])}
    return {}


def told_of_more(request, envoy):
    told = tuple(int(s) for s in re.findall(rb"HTTP/1.1 (10[23]) ", request.answer()))
    return {"interim": envoy["interim"] + told} if envoy["upstream"] and request.version != b"HTTP/1.0" else {}


def old_expectation(request, envoy):
    if request.version == b"HTTP/1.0":
        return {"fields": tuple(f for f in envoy["fields"] if f[0] != "expect")}
    return {}


def close_wins(request, envoy):
    if request.closes() and envoy["kept"]:
        return {"kept": False, "answer": tuple(("connection", "close") if f[0] == "connection" else f for f in envoy["answer"])}
    return {}


def used_up(request, envoy):
    if request.method in (b"OPTIONS", b"TRACE") and b"0" in request.values(b"max-forwards") and (envoy["upstream"] or malformed_chunks(request)):
        return NOTHING | {"status": 405 if request.method == b"TRACE" else 200, "kept": envoy["kept"] and not malformed_chunks(request)}
    return {}


def connect_with_body(request, envoy):
    return {"status": 404} if request.method == b"CONNECT" and request.body and envoy["status"] in (400, 501) else {}


def rejected_websocket(request, envoy):
    # Envoy would hand it on, redirect it, or respond what its route says; we look at no route, and read no content.
    served = envoy["upstream"] or envoy["location"] or envoy["status"] == 403
    kept = not request.closes() and not request.values(b"expect")
    return NOTHING | {"status": 400, "kept": kept} if malformed_websocket(request) and served else {}


OWN = {"answer": (), "content": b"", "location": ""}  # what is compared of an own response
CHANGES = [
    Change("WebSocket that is no GET without content", "decision 98", rejected_websocket),
    Change("head that is no response", "bad-input A13, A17, A18, A38, and the limit of 60 KiB; 101 unasked", bad_answer),
    Change("response whose chunks are malformed", "bad-input D02, D09; Envoy passes on what came before", cut_answer),
    Change("response that ends in its head", "the connection ended: 503, as without a byte", no_head),
    Change("response that Envoy does not take", "bad-input A37, A40; an empty line before a status line is skipped", taken_answer),
    Change("Trailer of a response", "trailers pass unannounced: which of them may is known behind the body", lambda r, e: without(e, "trailer")),
    Change("field that a response's Connection names", "RFC 9110 §7.6.1; Envoy passes it on", lambda r, e: without(e, "x-hop")),
    Change("framing of a body that is not sent", "RFC 9112 §6.1: optional in a response to HEAD", lambda r, e: without(e, "transfer-encoding") if r.method == b"HEAD" else {}),
    Change("no length of nothing", "RFC 9110 §8.6: none where the method expects no body; else what the client said is passed on", no_length),
    Change("original path that is the path", "nothing was rewritten", unchanged_path),
    Change("one spelling of a length", "bad-input A07", one_number),
    Change("Trailer", "trailers pass unannounced: which of them may is known behind the body", trailers_named),
    Change("Connection is this hop's own", "RFC 9110 §7.6.1, and §10.1.4 for TE; Envoy passes on what stands beside \"upgrade\"", hop_by_hop),
    Change("OPTIONS of an authority", "RFC 9112 §3.2.4", about_all),
    Change("expectation of HTTP/1.0", "RFC 9110 §10.1.1: to be ignored", old_expectation),
    Change("close wins", "RFC 9112 §9.3", close_wins),
    Change("100 Continue that nobody needs", "RFC 9110 §10.1.1: there is no body, or nobody wants it, or the client speaks HTTP/1.0", nobody_continues),
    Change("interim responses", "RFC 9110 §15.2: passed on; Envoy drops them", told_of_more),
    Change("no body for HTTP/1.0", "RFC 9112 §6.3: a 204, and what HEAD gets, ends with its head; the connection goes on if that was asked for", bodiless_to_old),
    Change("path of nothing but slashes", "decision 25", lambda _, e: {"line": re.sub(r" /+(?=[ ?])", " /", e["line"])}),
    Change("Max-Forwards: 0", "RFC 9110 §7.6.2; Envoy does not count", used_up),
    Change("CONNECT with a body", "RFC 9110 §9.3.6: it means nothing; no route takes it, as without one", connect_with_body),
    Change("own response behind a whole request", "the connection goes on; Envoy ends it where its codec rejects or the body is not read", whole_request),
]
BOTH_REJECT = Rejection("both reject", 400, "400, 431 or 501 (RFC 9112 §6.1): two faults, and the one that is met first is named", bool)
ROWS = [*REJECTIONS, *TWINS, *CHANGES, BOTH_REJECT]


def twin_of(data, own):
    """(what to send to Envoy instead, the rows that say so)."""
    used = []
    for twin in TWINS:
        other = twin.turn(Request(data), own)
        if other is not None and other != data:
            data, used = other, [*used, twin]
    return data, used


def explain(data, weft, envoy, twins):
    """The names of the rows by which weft may do `weft` where Envoy does `envoy` with the request's twin; none: it may not."""
    request = Request(data)
    for row in REJECTIONS:
        if weft in (NOTHING | {"status": row.status}, NOTHING | {"status": row.status, "interim": (100,)}) and row.applies(request):
            return [row.name]
    if all(r == NOTHING | {"status": r["status"]} and r["status"] in (400, 431, 501) for r in (weft, envoy)):
        return [BOTH_REJECT.name]
    used = [twin.name for twin in twins]
    for twin in twins:
        envoy = envoy | twin.back(request, envoy)
    for row in CHANGES:
        changed = envoy | row.change(request, envoy)
        if changed != envoy:
            envoy, used = changed, [*used, row.name]
    return used if weft == envoy else []
