"""An upstream that does what it is asked, in order or not, and tells what should never have reached it.

A process of its own: `serve(port_pipe, report_pipe)`. Each finding is one line on the report pipe.
"""
import asyncio
import json
import os
import re
import socket
import urllib.parse

from ask import Ask
from content import Checker, piece
from wire import Ended, Malformed, Wire, read_body

# After these the connection is in doubt: another request on it breaks an invariant.
DOUBTFUL = {"extra", "short", "long", "bad_chunk", "bad_head", "two_lengths", "reset_body", "reset_head"}


def plain_path(target):
    """The path as the most lenient server would read it."""
    path = target.split("#")[0].split("?")[0]
    for _ in range(3):
        path = urllib.parse.unquote(path)
    path = re.sub(r"/+", "/", path.replace("\\", "/"))
    parts = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


# With the last byte of the response: what comes later, when the next request may be on its way, nobody could tell from its response.
EXTRA = b"HTTP/1.1 200 OK\r\nx-token: EVIL\r\nContent-Length: 4\r\n\r\nEVIL"


class Upstream:
    def __init__(self, report):
        self.report_fd = report

    def tell(self, **finding):
        os.write(self.report_fd, (json.dumps(finding) + "\n").encode())

    async def serve_connection(self, connection):
        wire = Wire(connection)
        doubt = None
        try:
            while True:
                first, fields = await wire.head()
                if doubt:
                    self.tell(broken="an upstream connection in doubt was used again", doubt=doubt, request=first)
                doubt = await self.serve_request(wire, first, fields)
                if doubt == "closed":
                    return
        except Ended:
            pass
        except Malformed as malformed:
            self.tell(broken="the proxy sent a request that is not HTTP/1", what=str(malformed))
        finally:
            wire.close()

    async def serve_request(self, wire, first, fields):
        target = first.split(" ")[1] if first.count(" ") == 2 else first
        if plain_path(target).startswith("/forbidden"):
            self.tell(broken="a forbidden path reached an upstream", request=first)
        if "x-ask" not in fields:
            self.tell(broken="a request that no client of the torture makes whole", request=first, fields=str(fields)[:300])
            return "closed"
        if "x-bad" in fields:
            self.tell(broken="a malformed request reached an upstream", request=first, fields=str(fields)[:600])
        ask = Ask.of_field(fields["x-ask"][0])
        if fields.get("x-token") != [ask.token]:
            self.tell(broken="fields of two requests in one", request=first, token=ask.token, other=fields.get("x-token"))
        if ask.upgrade and fields.get("upgrade") == ["torture"]:
            return await self.tunnel(wire, ask)
        if ask.early or ask.unread:
            return await self.early(wire, fields, ask)
        await self.take_body(wire, fields, ask)
        return await self.respond(wire, first, ask)

    async def take_body(self, wire, fields, ask):
        checker = Checker(ask.token)
        wire.read_pause, wire.read_size = ask.read_pause, 4096 if ask.read_pause else 65536
        try:
            await read_body(wire, fields, checker.take)
        finally:
            wire.read_pause, wire.read_size = 0.0, 65536
            if checker.fault:
                self.tell(broken="a request's body is not its own", token=ask.token, what=checker.fault)
        if checker.taken != ask.body:
            self.tell(broken="a request's body has another length", token=ask.token, wanted=ask.body, got=checker.taken)

    async def early(self, wire, fields, ask):
        """Both directions at once."""
        answer = asyncio.ensure_future(self.respond(wire, "", ask))
        try:
            if not ask.unread:
                await self.take_body(wire, fields, ask)
            doubt = await answer
        finally:
            answer.cancel()
        if ask.unread:
            await asyncio.sleep(0.3)  # as servers linger: a reset at once would take the response with it
            return "closed"
        return doubt

    async def respond(self, wire, first, ask):
        if ask.wait:
            await asyncio.sleep(ask.wait)
        if ask.fault in ("reset_before", "end_before"):
            wire.reset() if ask.fault == "reset_before" else wire.shutdown()
            return "closed"
        for number in range(ask.interims):
            await wire.send(f"HTTP/1.1 103 Early Hints\r\nx-interim: {number}\r\nlink: </a>\r\n\r\n".encode())
        head_only = first.startswith("HEAD ") or ask.status in (204, 304)
        head = self.head_of(ask, head_only)
        if ask.fault == "reset_head":
            await wire.send(head[:len(head) // 2])
            wire.reset()
            return "closed"
        if ask.fault in ("bad_head", "two_lengths"):
            await wire.send(b"HTTP/1.1 2x0 what\r\n\r\n" if ask.fault == "bad_head" else
                            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
            return ask.fault
        if head_only:
            await wire.send(head)
        else:
            await self.send_body(wire, head, ask)
        if ask.close or ask.silent_close or (ask.form == "close" and not head_only):
            wire.shutdown()
            return "closed"
        return ask.fault if ask.fault in DOUBTFUL else None

    @staticmethod
    def head_of(ask, head_only):
        lines = [f"HTTP/1.1 {ask.status} Torture", f"x-token: {ask.token}"]
        if ask.form == "length" and ask.status != 204:
            length = ask.size + {"short": 1000}.get(ask.fault, 0)
            lines.append(f"Content-Length: {length}")
        elif ask.form == "chunked" and not head_only:
            lines.append("Transfer-Encoding: chunked")
            if ask.trailers:
                lines.append("Trailer: x-sum")
        if ask.close or ask.form == "close":
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def send_body(self, wire, head, ask):
        sent, pending = 0, head
        while sent < ask.size:
            step = min(ask.piece, ask.size - sent)
            data = piece(ask.token, sent, step)
            if ask.form == "chunked":
                size = b"zz" if ask.fault == "bad_chunk" and sent else b"%x" % step
                data = size + b"\r\n" + data + b"\r\n"
            elif ask.fault == "extra" and sent + step == ask.size:
                data += EXTRA
            await wire.send(pending + data)
            pending = b""
            sent += step
            if ask.fault == "reset_body" and sent * 2 >= ask.size:
                wire.reset()
                raise Ended(True)
            if ask.fault == "short" and sent >= ask.size:
                wire.shutdown()
            if ask.pause:
                await asyncio.sleep(ask.pause)
        if ask.form == "chunked":
            pending += b"0\r\n" + (b"x-sum: 1\r\n" if ask.trailers else b"") + b"\r\n"
        if ask.fault == "extra" and (ask.form == "chunked" or ask.size == 0):
            pending += EXTRA
        if pending:
            await wire.send(pending)

    async def tunnel(self, wire, ask):
        await wire.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: torture\r\nConnection: Upgrade\r\nx-token: "
                        + ask.token.encode() + b"\r\n\r\n")
        checker, sent = Checker(ask.token), 0
        while True:
            if not wire.buffer:
                await wire.fill()
            data = bytes(wire.buffer)
            wire.buffer.clear()
            checker.take(data)
            if checker.fault:
                self.tell(broken="a tunnel's bytes are not its own", token=ask.token, what=checker.fault)
                return "closed"
            await wire.send(piece(ask.token, sent, len(data)))
            sent += len(data)

    async def accept(self, listener):
        loop = asyncio.get_running_loop()
        tasks = set()
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.ensure_future(self.serve_connection(connection))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


def serve(listeners, report):
    """Runs until it is ended. `listeners` are listening sockets, `report` a pipe's descriptor."""
    async def run():
        upstream = Upstream(report)
        for listener in listeners:
            listener.setblocking(False)
        await asyncio.gather(*(upstream.accept(listener) for listener in listeners))
    asyncio.run(run())
