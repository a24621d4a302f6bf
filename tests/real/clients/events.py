"""Reads N server-sent events and says whether each came, in its order."""
import sys
import urllib.request

count = int(sys.argv[1])
got = []
with urllib.request.urlopen(f"http://websocket:8081/events?n={count}&every=10", timeout=60) as response:
    print(response.status, response.headers["Content-Type"], response.headers["Cache-Control"])
    for line in response:
        if line.startswith(b"data: event "):
            got.append(int(line.split()[-1]))
print(len(got), got == list(range(1, count + 1)))
