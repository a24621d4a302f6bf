"""The kinds of exchange. Each takes a client and a connection, and returns ends: [(end, status), ...].

`WHOLE` are those that an upstream always serves, whatever the configuration does meanwhile: everything but `whole` is wrong there.
"""
import asyncio

from content import Checker, piece
from client import FAULTS, Broken
from wire import Ended

BAD_FIELDS = [
    ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: +5"], ["Content-Length: 5, 5"],
    ["Transfer-Encoding: gzip"], ["Transfer-Encoding: chunked, chunked"], ["Transfer-Encoding: xchunked"], ["Transfer_Encoding: chunked"],
    ["X-A : b"], ["X-A: b", " folded"], ["nocolon"], [": empty"], ["X-A: a\x00b"], ["X-A: a\rb"], ["Host: second.example"], ["X A: b"],
    ["Content-Length: 18446744073709551617"], ["X-A: " + "a" * 200000],
]
FORBIDDEN = ["/forbidden/", "/./forbidden/", "//forbidden/", "/a/../forbidden/", "/%66orbidden/", "/%2e/forbidden/", "/a/%2e%2e/forbidden/",
             "/plain/..%2fforbidden/", "/plain/../forbidden/", "/\\forbidden/", "/plain/..\\forbidden/", "/plain/%2e%2e%2fforbidden/", "/forbidden%2f",
             "/plain/x/../../forbidden/", "/%2fforbidden/", "/forbidden#", "/plain/..;/forbidden/"]
BAD_CHUNKS = [b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhello!\r\n0\r\n\r\n", b"5\nhello\r\n", b"ffffffffffffffffff\r\n", b"-5\r\nhello\r\n", b"5;a\rb\r\nhello\r\n"]


async def get(client, wire):
    ask = client.ask()
    await client.dribble(wire, client.head("GET", "/plain/", ask))
    return [await client.read_response(wire, ask)]


async def head(client, wire):
    ask = client.ask(interims=0)
    await wire.send(client.head("HEAD", "/plain/", ask))
    return [await client.read_response(wire, ask, "HEAD")]


async def bodiless(client, wire):
    ask = client.ask(status=client.random.choice([204, 304]), size=0, form="length")
    await wire.send(client.head("GET", "/plain/", ask))
    return [await client.read_response(wire, ask)]


async def post(client, wire):
    return [await client.with_body(wire, "/plain/", client.ask(body=max(0, client.size())), method=client.random.choice(["POST", "PUT", "PATCH"]))]


async def duplex(client, wire):
    """The response is under way while the request's body is."""
    ask = client.ask(body=client.random.randint(0, 3 << 20), size=client.random.randint(0, 3 << 20), early=True, form=client.random.choice(["chunked", "length"]))
    return [await client.with_body(wire, "/plain/", ask)]


async def early(client, wire):
    """A server that responds and never reads the body."""
    return [await client.with_body(wire, "/plain/", client.ask(body=client.random.randint(0, 1 << 20), unread=True, close=True, size=client.small()))]


async def expect_continue(client, wire):
    return [await client.with_body(wire, "/plain/", client.ask(body=client.small(), interims=0), expect=True)]


async def pipelined(client, wire):
    asks = [client.ask(size=client.small(), form=client.random.choice(["length", "chunked"]), interims=0) for _ in range(client.random.randint(2, 8))]
    sending = asyncio.ensure_future(client.dribble(wire, b"".join(client.head("GET", "/plain/", ask) for ask in asks)))
    ends = []
    try:
        for ask in asks:
            ends.append(await client.read_response(wire, ask))
            if ends[-1][0] == "abort":
                break
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return ends


async def slow_reader(client, wire):
    wire.read_pause, wire.read_size = 0.005, client.random.choice([500, 5000, 20000])
    ask = client.ask(size=client.random.randint(0, 600000))
    try:
        if client.random.random() < 0.5:
            ask.body = client.random.randint(0, 300000)
            return [await client.with_body(wire, "/plain/", ask)]
        await wire.send(client.head("GET", "/plain/", ask))
        return [await client.read_response(wire, ask)]
    finally:
        wire.read_pause, wire.read_size = 0.0, 65536


async def slow_sender(client, wire):
    ask = client.ask(body=client.random.randint(0, 40000), size=client.small())
    return [await client.with_body(wire, "/plain/", ask, pause=0.003)]


async def slow_upstream(client, wire):
    ask = client.ask(body=client.random.randint(0, 1 << 20), read_pause=0.002, wait=client.random.choice([0, 0.05]), pause=client.random.choice([0, 0.001]),
                     size=client.small())
    return [await client.with_body(wire, "/plain/", ask)]


async def rewritten(client, wire):
    ask = client.ask()
    await wire.send(client.head("GET", "/rewrite/", ask))
    return [await client.read_response(wire, ask)]


async def http10(client, wire):
    ask = client.ask(size=client.small(), interims=0)
    keep = client.random.random() < 0.5
    await wire.send(client.head("GET", "/plain/", ask, *(["Connection: keep-alive"] if keep else []), version="1.0"))
    ends = [await client.read_response(wire, ask)]
    wire.close()
    return ends


async def half_close(client, wire):
    ask = client.ask(size=client.small())
    await wire.send(client.head("GET", "/plain/", ask))
    wire.shutdown()
    ends = [await client.read_response(wire, ask)]
    wire.close()
    return ends


async def leaver(client, wire):
    """A client that goes in the middle of whatever it is in."""
    ask = client.ask(body=client.random.randint(1, 300000), size=client.random.randint(0, 1 << 20), early=client.random.random() < 0.5)
    await wire.send(client.head("POST", "/plain/", ask, f"Content-Length: {ask.body}"))
    try:
        await client.send_request_body(wire, ask, False, stop_at=client.random.randint(0, ask.body))
        await asyncio.sleep(client.random.choice([0, 0.001, 0.02]))
    except Ended:
        pass
    wire.reset() if client.random.random() < 0.5 else wire.close()
    return [("abort", 0)]


async def upstream_fault(client, wire):
    ask = client.ask(fault=client.random.choice(FAULTS), size=client.random.choice([0, 100, 16384, 16384 - 120, 50000]), form=client.random.choice(["length", "chunked"]))
    if ask.fault in ("short", "reset_body", "bad_chunk"):
        ask.size, ask.piece = max(ask.size, 40000), 4096
        ask.form = {"short": "length", "bad_chunk": "chunked"}.get(ask.fault, ask.form)
    path = client.random.choice(["/plain/", "/plain/", "/retry/", "/split/"])
    if client.random.random() < 0.3:
        ask.body = client.random.randint(0, 100000)
        return [await client.with_body(wire, path, ask)]
    await wire.send(client.head("GET", path, ask))
    return [await client.read_response(wire, ask)]


async def keep_alive_race(client, wire):
    """The upstream closes the connection that the pool has just got back."""
    asks = [client.ask(silent_close=True, size=client.random.randint(0, 3000), form="length", interims=0),
            client.ask(size=client.random.randint(0, 3000), form="length", interims=0)]
    ends = []
    for ask in asks:
        await wire.send(client.head("GET", "/plain/", ask))
        ends.append(await client.read_response(wire, ask))
        if ends[-1][0] == "abort":
            break
    return ends


async def limited(client, wire):
    ask = client.ask(wait=client.random.choice([0, 0, 0.01]), size=client.small())
    if client.random.random() < 0.4:
        ask.body = client.small()
        return [await client.with_body(wire, "/limited/", ask)]
    await wire.send(client.head("GET", "/limited/", ask))
    return [await client.read_response(wire, ask)]


async def timed_out(client, wire):
    ask = client.ask(wait=client.random.choice([0, 0.04, 0.3]), pause=client.random.choice([0, 0.02]), size=client.small())
    if client.random.random() < 0.4:
        ask.body, ask.read_pause = client.small(), client.random.choice([0, 0.01])
        return [await client.with_body(wire, "/timeout/", ask)]
    await wire.send(client.head("GET", "/timeout/", ask))
    return [await client.read_response(wire, ask)]


async def retried(client, wire):
    ask = client.ask(status=client.random.choice([200, 200, 503, 500]), size=client.small())
    if client.random.random() < 0.4:
        ask.body = client.small()
        return [await client.with_body(wire, client.random.choice(["/retry/", "/dead/"]), ask)]
    await wire.send(client.head("GET", client.random.choice(["/retry/", "/dead/", "/nowhere/"]), ask))
    return [await client.read_response(wire, ask)]


async def injected(client, wire):
    ask = client.ask(size=client.small())
    await wire.send(client.head("GET", client.random.choice(["/fault/", "/direct/"]), ask))
    return [await client.read_response(wire, ask)]


async def split(client, wire):
    ask = client.ask(size=client.small())
    await wire.send(client.head("GET", "/split/", ask))
    return [await client.read_response(wire, ask)]


async def forbidden(client, wire):
    ask = client.ask(size=10, interims=0)
    await wire.send(client.head("GET", client.random.choice(FORBIDDEN), ask))
    return [await client.read_response(wire, ask)]  # the upstream tells if the path that came is forbidden


async def bad_head(client, wire):
    ask = client.ask(size=10)
    await client.dribble(wire, client.head("POST", "/plain/", ask, "x-bad: 1", *client.random.choice(BAD_FIELDS)) + b"hello")
    end = await client.read_response(wire, ask)
    if end[0] == "whole":
        raise Broken(f"a malformed request was served: {ask.token}")
    wire.close()
    return [end]


async def bad_body(client, wire):
    ask = client.ask(size=10, body=1 << 30)
    await wire.send(client.head("POST", "/plain/", ask, "Transfer-Encoding: chunked") + client.random.choice(BAD_CHUNKS))
    end = await client.read_response(wire, ask)
    if end[0] == "whole":
        raise Broken(f"a request with a malformed body was served whole: {ask.token}")
    wire.close()
    return [end]


async def noise(client, wire):
    """Bytes at random, some of which look like HTTP."""
    data = bytes(client.random.choices(range(256), k=client.random.randint(1, 400)))
    await wire.send(client.random.choice([b"", b"GET ", b"GET /noise HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00"]) + data)
    wire.shutdown()
    try:
        while True:
            await wire.fill()
            if b"x-token" in wire.buffer:
                raise Broken("noise was served by an upstream")
    except Ended:
        pass
    wire.close()
    return [("local" if wire.buffer else "abort", 0)]


async def tunnel(client, wire):
    ask = client.ask(upgrade=True)
    await wire.send(client.head("GET", "/plain/", ask, "Connection: Upgrade", "Upgrade: torture"))
    end, status = await client.read_response(wire, ask)
    if end != "whole" or status != 101:
        return [(end, status)]
    total = client.random.choice([100, 20000, 500000])
    checker = Checker(ask.token)

    async def send():
        sent = 0
        while sent < total:
            step = min(client.random.choice([1, 1000, 30000]), total - sent)
            await wire.send(piece(ask.token, sent, step))
            sent += step
    sending = asyncio.ensure_future(send())
    try:
        await wire.exactly(total, checker.take)
        await sending
    except Ended:
        return [("abort", 101)]
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        wire.close()
    if checker.fault:
        raise Broken(checker.fault)
    return [("whole", 101)]


async def moving(client, _):
    """A listener that comes and goes."""
    wire = await client.connect(client.random.choice(client.moving))
    try:
        ask = client.ask(body=client.small())
        return [await client.with_body(wire, "/plain/", ask)]
    finally:
        wire.close()


KINDS = {f.__name__: f for f in [get, head, bodiless, post, duplex, early, expect_continue, pipelined, slow_reader, slow_sender, slow_upstream, rewritten, http10,
                                 half_close, leaver, upstream_fault, keep_alive_race, limited, timed_out, retried, injected, split, forbidden, bad_head, bad_body,
                                 noise, tunnel, moving]}
WHOLE = {"get", "head", "bodiless", "rewritten", "http10", "pipelined", "keep_alive_race", "tunnel"}
# A body that was begun on a pooled connection which the upstream had just closed cannot be sent again: 503 is right, and rare.
MOSTLY_WHOLE = {"post", "duplex", "early", "expect_continue", "slow_sender", "slow_upstream", "slow_reader", "split"}
