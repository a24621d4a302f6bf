"""A client that runs inside a pod's network namespace, driven by lines of JSON on standard input.

{"do": "check", "want": "v3", "kept": 32, "new": 4}  one request on each kept and on new connections; who answered
{"do": "count", "requests": 10000, "connections": 8} how often each version answered
{"do": "load", "connections": 8}                     starts steady load; {"do": "stop"} ends it and says what failed
Each command is answered by one line of JSON.
"""
import collections
import http.client
import json
import sys
import threading

ADDRESS, HOST, PATH = sys.argv[1], sys.argv[2], sys.argv[3]
kept = []


def connect():
    ip, port = ADDRESS.rsplit(":", 1)
    return http.client.HTTPConnection(ip, int(port), timeout=30)


def request(connection):
    connection.request("GET", PATH, headers={"Host": HOST})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        return f"{answer.status} {body[:200].decode(errors='replace')}"
    return json.loads(body).get("podname", "?").split("-")[1]


def check(want, kept_count, new_count):
    while len(kept) < kept_count:
        kept.append(connect())
    wrong = collections.Counter()
    for index, connection in enumerate(kept):
        try:
            got = request(connection)
        except (OSError, http.client.HTTPException) as error:
            got = f"kept connection broke: {error!r}"
            kept[index] = connect()
        if got != want:
            wrong["kept " + got] += 1
    for _ in range(new_count):
        connection = connect()
        got = request(connection)
        connection.close()
        if got != want:
            wrong["new " + got] += 1
    return {"wrong": dict(wrong)}


def count(requests, connections):
    seen = collections.Counter()
    lock = threading.Lock()

    def work(share):
        mine = collections.Counter()
        connection = connect()
        for _ in range(share):
            mine[request(connection)] += 1
        connection.close()
        with lock:
            seen.update(mine)

    threads = [threading.Thread(target=work, args=(requests // connections,)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return dict(seen)


class Load:
    def __init__(self, connections):
        self.running, self.served, self.failed = True, 0, []
        self.threads = [threading.Thread(target=self.work) for _ in range(connections)]
        for thread in self.threads:
            thread.start()

    def work(self):
        connection = connect()
        while self.running:
            try:
                got = request(connection)
                if got.startswith("v"):
                    self.served += 1
                else:
                    self.failed.append(got)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                connection = connect()

    def stop(self):
        self.running = False
        for thread in self.threads:
            thread.join()
        return {"served": self.served, "failed": len(self.failed), "examples": self.failed[:5]}


load = None
for line in sys.stdin:
    command = json.loads(line)
    if command["do"] == "check":
        reply = check(command["want"], command["kept"], command["new"])
    elif command["do"] == "count":
        reply = count(command["requests"], command["connections"])
    elif command["do"] == "load":
        load, reply = Load(command["connections"]), {}
    else:
        reply = load.stop()
    print(json.dumps(reply), flush=True)
