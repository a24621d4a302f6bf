"""Requests at a fixed rate, whether or not answers come: what users do."""
import http.client
import queue
import threading
import time
import urllib.parse


class Load:
    """`with Load(url, 200) as load: ...` sends 200 requests a second until the block ends; load.failures tells of each that
    failed: no 200, or a body that `good` does not like. Connections are kept, as browsers keep them."""

    def __init__(self, url, rate, good=lambda body: True, threads=48):
        self.parts, self.rate, self.good = urllib.parse.urlsplit(url), rate, good
        self.due, self.failures, self.sent = queue.Queue(), [], 0
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        self.clock = threading.Thread(target=self._tick, daemon=True)
        self.ended = threading.Event()

    def __enter__(self):
        for thread in [*self.threads, self.clock]:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.clock.join()
        for _ in self.threads:
            self.due.put(None)
        for thread in self.threads:
            thread.join(30)

    def _tick(self):
        began = time.monotonic()
        while not self.ended.is_set():
            while self.sent < (time.monotonic() - began) * self.rate:
                self.due.put(time.monotonic())
                self.sent += 1
            time.sleep(0.002)

    def _work(self):
        connection = None
        while (due := self.due.get()) is not None:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=10)
                connection.request("GET", self.parts.path)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200 or not self.good(body):
                    self.failures.append((due, answer.status, body[:200]))
                if answer.getheader("connection", "").lower() == "close":
                    connection.close()
                    connection = None
            except Exception as error:
                self.failures.append((due, repr(error), b""))
                if connection is not None:
                    connection.close()
                connection = None
