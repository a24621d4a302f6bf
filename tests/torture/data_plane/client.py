"""Clients that ask for everything the protocol allows, and for much that it does not, and judge what they get.

Each exchange ends in exactly one of: `whole` (the upstream's response, every byte its own), `local` (the proxy's own response),
`abort` (the connection ended where a response was owed). Everything else breaks an invariant and is told.
"""
import asyncio
import collections
import json
import os
import random
import socket

from ask import Ask
from content import Checker, piece
from wire import Ended, Malformed, Wire, read_body

LOCAL = {400, 403, 404, 408, 413, 414, 417, 418, 421, 426, 431, 500, 501, 502, 503, 504, 505, 555}
HANG_SECONDS = 90
FAULTS = ["extra", "short", "bad_chunk", "bad_head", "two_lengths", "reset_before", "reset_head", "reset_body", "end_before"]


class Broken(Exception):
    """An invariant does not hold."""


class Client:
    def __init__(self, ports, moving_ports, seed, report):
        self.stable, self.moving = ports, moving_ports
        self.random = random.Random(seed)
        self.report_fd = report
        self.counts = collections.Counter()
        self.number = 0
        self.seed = seed

    def tell(self, **finding):
        os.write(self.report_fd, (json.dumps(finding) + "\n").encode())

    def token(self):
        self.number += 1
        return f"{self.seed}-{self.number}"

    def size(self):
        """Mostly small, sometimes around the proxy's buffers, rarely 64 MB."""
        draw = self.random.random()
        if draw < 0.5:
            return self.random.randint(0, 2000)
        if draw < 0.8:
            return 16384 * self.random.randint(0, 4) + self.random.randint(-3, 3) if self.random.random() < 0.5 else self.random.randint(0, 70000)
        if draw < 0.998:
            return self.random.randint(0, 1 << 20)
        return self.random.randint(1 << 24, 1 << 26)

    def small(self):
        return max(0, min(self.size(), 200000))

    def ask(self, **fields):
        form = self.random.choice(["length", "length", "chunked", "chunked", "close"])
        made = dict(token=self.token(), size=max(0, self.size()), form=form, piece=self.random.choice([1000, 4096, 16384, 65536]),
                    trailers=form == "chunked" and self.random.random() < 0.2, interims=self.random.choice([0] * 8 + [1, 3]))
        made.update(fields)
        return Ask(**made)

    async def connect(self, port=None):
        connection = socket.socket()
        connection.setblocking(False)
        if self.random.random() < 0.3:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port or self.stable))
        except OSError:
            connection.close()
            raise Ended(True) from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Wire(connection)

    def head(self, method, path, ask, *more, version="1.1"):
        lines = [f"{method} {path}{ask.token}?q={self.random.randint(0, 99)} HTTP/{version}", "Host: torture.example",
                 f"X-Ask: {ask.to_field()}", f"x-token: {ask.token}", *more]
        lines += [f"x-filler-{i}: {'f' * self.random.randint(0, 60)}" for i in range(self.random.choice([0, 0, 0, 1, 5, 40]))]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def dribble(self, wire, data):
        """In pieces, with pauses now and then."""
        if self.random.random() < 0.7:
            return await wire.send(data)
        at = 0
        while at < len(data):
            step = self.random.randint(1, max(2, len(data) // 3))
            await wire.send(data[at:at + step])
            at += step
            await asyncio.sleep(self.random.choice([0, 0, 0.001, 0.01]))

    async def read_response(self, wire, ask, method="GET"):
        """Returns (end, status)."""
        checker = Checker(ask.token)
        try:
            for interims in range(100):
                first, fields = await wire.head()
                status = int(first.split(" ")[1])
                if status >= 200 or status == 101:
                    break
            own = fields.get("x-token")
            if own is None:
                if status not in LOCAL:
                    raise Broken(f"a response of nobody: {first} {fields}")
                if method != "HEAD":
                    await self.read_framed(wire, fields, lambda data: None, status)
                return "local", status
            if own != [ask.token]:
                raise Broken(f"the response of {own} for the request {ask.token}")
            if status == 101 or method == "HEAD" or status in (204, 304):
                return "whole", status
            await self.read_framed(wire, fields, checker.take, status)
        except Ended:
            if checker.fault:
                raise Broken(checker.fault)
            return "abort", 0
        if checker.fault:
            raise Broken(checker.fault)
        if checker.taken != ask.size and ask.fault != "short":
            if ask.form == "close" or "connection" in fields and "content-length" not in fields and "transfer-encoding" not in fields:
                return "abort", status  # HTTP/1.0: an end is all that says where a body ends
            raise Broken(f"{ask.token}: {checker.taken} bytes of {ask.size} in a response that is whole by its framing {fields}")
        return "whole", status

    async def read_framed(self, wire, fields, take, status):
        if await read_body(wire, fields, take) == "none" and status not in (204, 304):
            await wire.until_end(take)

    async def send_request_body(self, wire, ask, chunked, pause=0.0, stop_at=None):
        """`stop_at`: bytes after which the client leaves."""
        sent = 0
        stop = ask.body if stop_at is None else stop_at
        while sent < stop:
            step = min(self.random.choice([100, 1000, 16384, 65536]), stop - sent)
            if ask.body > 300000:
                step = min(65536, stop - sent)
            data = piece(ask.token, sent, step)
            await wire.send(b"%x\r\n%s\r\n" % (step, data) if chunked else data)
            sent += step
            if pause:
                await asyncio.sleep(pause)
        if chunked and stop_at is None:
            await wire.send(b"0\r\n" + self.random.choice([b"", b"x-sum: 1\r\n"]) + b"\r\n")

    async def with_body(self, wire, path, ask, pause=0.0, method="POST", expect=False):
        chunked = self.random.random() < 0.5
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {ask.body}"
        more = [framing] + (["Expect: 100-continue"] if expect else [])
        reading = asyncio.ensure_future(self.read_response(wire, ask, method))

        async def send():
            await self.dribble(wire, self.head(method, path, ask, *more))
            if expect:
                await asyncio.sleep(0.005)
            await self.send_request_body(wire, ask, chunked, pause)
        sending = asyncio.ensure_future(send())
        try:
            done, _ = await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending in done and sending.exception() and not isinstance(sending.exception(), Ended):
                raise sending.exception()
            result = await reading
            if result[0] == "whole" and not ask.unread:
                await sending  # also after an early response: what comes next on the connection would be body
            return result
        finally:
            for task in (reading, sending):
                task.cancel()
            await asyncio.gather(reading, sending, return_exceptions=True)
