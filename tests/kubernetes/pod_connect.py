"""Opens one TCP connection in the network namespace it is started in and says which way it took.

    pod_connect.py HOST PORT

A connection that capture redirects still looks like one to HOST; its other end here is a socket of the proxy's on port
15001 (outbound) or 15006 (inbound), whose peer is our own address. The proxy ends at once a connection that it cannot
carry on: `accepted` says that somebody took it, which for an address that nobody has can only be the proxy."""
import json
import socket
import subprocess
import sys

result = {"connected": False, "accepted": False, "captured": 0, "error": ""}
try:
    connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
    result["connected"] = result["accepted"] = True
    own = "%s:%d" % connection.getsockname()[:2]
    listing = subprocess.run(["ss", "-Htn"], capture_output=True, text=True).stdout
    for line in listing.splitlines():
        columns = [c.replace("[::ffff:", "").replace("]", "") for c in line.split()]
        port = columns[3].rsplit(":", 1)[1]
        if columns[4] == own and port in ("15001", "15006"):
            result["captured"] = int(port)
    connection.settimeout(0.3)
    try:
        result["closed"] = connection.recv(1) == b""
    except TimeoutError:
        result["closed"] = False
except OSError as error:
    result["accepted"] |= isinstance(error, ConnectionResetError)
    result["error"] = str(error)
print(json.dumps(result))
