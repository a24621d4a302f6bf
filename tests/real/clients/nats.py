"""NATS: the server speaks first, then both at once.   nats.py COUNT"""
import hashlib
import json
import socket
import sys

count = int(sys.argv[1])
stream = socket.create_connection(("nats", 4222), 30)
file = stream.makefile("rb")
info = file.readline()
print(info.split()[0].decode(), json.loads(info[5:])["max_payload"])
stream.sendall(b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n')
print(file.readline())
stream.sendall(b"SUB news 1\r\n")
digest, got = hashlib.sha256(), 0
for first in range(0, count, 1000):
    stream.sendall(b"".join(b"PUB news 10\r\n%010d\r\n" % number for number in range(first, first + 1000)) + b"PING\r\n")
    while (line := file.readline()) != b"PONG\r\n":
        assert line == b"MSG news 1 10\r\n", line
        digest.update(file.readline())
        got += 1
print(got, digest.hexdigest())
stream.sendall(b"PUB news 500000\r\n" + b"p" * 500000 + b"\r\n")
print(file.readline(), len(file.readline()))
stream.sendall(b"NOTHING\r\n")
print(file.readline(), file.readline())
