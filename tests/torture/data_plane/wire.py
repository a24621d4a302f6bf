"""Raw HTTP/1 over non-blocking sockets: what both the upstreams and the clients of the torture are written with."""
import asyncio
import socket
import struct

MAX_HEAD = 128 * 1024


class Ended(Exception):
    """The other side ended (`reset` false) or broke (`reset` true) the connection."""

    def __init__(self, reset):
        super().__init__("reset" if reset else "end")
        self.reset = reset


class Malformed(Exception):
    """What came is not HTTP/1."""


class Wire:
    """One connection, its unread bytes, and how fast it may be read."""

    def __init__(self, connection):
        self.socket = connection
        self.loop = asyncio.get_running_loop()
        self.buffer = bytearray()
        self.read_size = 65536
        self.read_pause = 0.0

    async def fill(self):
        if self.read_pause:
            await asyncio.sleep(self.read_pause)
        try:
            data = await self.loop.sock_recv(self.socket, self.read_size)
        except OSError:
            raise Ended(True) from None
        if not data:
            raise Ended(False)
        self.buffer += data

    async def send(self, data):
        try:
            await self.loop.sock_sendall(self.socket, data)
        except OSError:
            raise Ended(True) from None

    async def head(self):
        """The next head: its first line and its fields, names in lower case."""
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(self.buffer) > MAX_HEAD:
                raise Malformed(f"no end of a head in {len(self.buffer)} bytes: {bytes(self.buffer[:80])!r}")
            await self.fill()
        lines = bytes(self.buffer[:end]).split(b"\r\n")
        del self.buffer[:end + 4]
        fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise Malformed(f"a field line {line[:80]!r}")
            fields.setdefault(name.decode("latin-1").lower(), []).append(value.strip().decode("latin-1"))
        return lines[0].decode("latin-1"), fields

    async def line(self):
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                taken = bytes(self.buffer[:end])
                del self.buffer[:end + 2]
                return taken
            if len(self.buffer) > MAX_HEAD:
                raise Malformed("a line without an end")
            await self.fill()

    async def exactly(self, size, take):
        while size:
            if not self.buffer:
                await self.fill()
            data = bytes(self.buffer[:size])
            del self.buffer[:len(data)]
            size -= len(data)
            take(data)

    async def chunks(self, take):
        """A chunked body; returns its trailer fields as lines."""
        while True:
            line = (await self.line()).split(b";")[0].strip()
            if not line or any(c not in b"0123456789abcdefABCDEF" for c in line):
                raise Malformed(f"a chunk's size {line[:40]!r}")
            size = int(line, 16)
            if size == 0:
                break
            await self.exactly(size, take)
            if await self.line() != b"":
                raise Malformed("bytes behind a chunk")
        trailers = []
        while line := await self.line():
            trailers.append(line)
        return trailers

    async def until_end(self, take):
        while True:
            if self.buffer:
                take(bytes(self.buffer))
                self.buffer.clear()
            try:
                await self.fill()
            except Ended as ended:
                if ended.reset:
                    raise
                return

    def spent(self):
        """Whether the other side has ended this connection, as a client sees before it uses one again."""
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def reset(self):
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.socket.close()

    def shutdown(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.socket.close()


async def read_body(wire, fields, take):
    """A request's body, or a response's that is allowed one. Returns how it was framed."""
    if "transfer-encoding" in fields:
        if "content-length" in fields or fields["transfer-encoding"] != ["chunked"]:
            raise Malformed(f"framing {fields.get('content-length')} {fields['transfer-encoding']}")
        await wire.chunks(take)
        return "chunked"
    if "content-length" in fields:
        if len(set(fields["content-length"])) > 1 or not fields["content-length"][0].isdigit():
            raise Malformed(f"length {fields['content-length']}")
        await wire.exactly(int(fields["content-length"][0]), take)
        return "length"
    return "none"
