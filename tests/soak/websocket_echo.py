"""A WebSocket server that sends back what it gets, and clients that see that it does (RFC 6455, unfragmented).

    python3 websocket_echo.py PORT      the server
"""
import asyncio
import base64
import hashlib
import os
import struct
import sys

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key + MAGIC).digest())


async def read_frame(reader):
    """The payload of the next frame, unmasked; None for a close frame."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        [length] = struct.unpack("!H", await reader.readexactly(2))
    mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
    data = await reader.readexactly(length)
    return None if first & 0xF == 8 else bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def frame(payload, mask=b""):
    bit = 0x80 if mask else 0
    head = bytes([0x82, bit | len(payload)]) if len(payload) < 126 else struct.pack("!BBH", 0x82, bit | 126, len(payload))
    return head + mask + (bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload)


async def serve_one(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        keys = [line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:")]
        if not keys:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept_of(keys[0]) + b"\r\n\r\n")
        while (payload := await read_frame(reader)) is not None:
            writer.write(frame(payload))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(port):
    await (await asyncio.start_server(serve_one, "0.0.0.0", port)).serve_forever()


class Clients:
    """So many WebSockets through one address, each of which says something again and again and waits for the echo."""

    def __init__(self, port, path, count, every):
        self.port, self.path, self.count, self.every = port, path, count, every
        self.echoes, self.faults, self.stopped = 0, [], False

    async def one(self, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            key = base64.b64encode(os.urandom(16))
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: soak.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101") and accept_of(key) in head, head
            turn = 0
            while not self.stopped:
                said = f"{number}:{turn}:".encode() + os.urandom(100 + turn % 1000)
                writer.write(frame(said, os.urandom(4)))
                heard = await asyncio.wait_for(read_frame(reader), 60)
                assert heard == said, "another echo than what was said"
                self.echoes += 1
                turn += 1
                await asyncio.sleep(self.every)
        finally:
            writer.close()

    async def run(self):
        done = await asyncio.gather(*[self.one(number) for number in range(self.count)], return_exceptions=True)
        self.faults += [repr(each) for each in done if each is not None]


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
