"""A server that speaks MongoDB's protocol, on the loopback, and a client to change what is in it."""
import os
import pathlib
import signal
import subprocess

import pymongo

from shop import ROOT, free_port

HERE = pathlib.Path(__file__).parent / "mongodb"
LIBRARIES = ROOT / "build/mongodb-server"


def fetch_libraries():
    """From Maven's registry, once for all build directories."""
    stamp = LIBRARIES / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == (HERE / "pom.xml").read_bytes():
        return
    subprocess.run(["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
                    f"-DoutputDirectory={LIBRARIES}"], check=True, timeout=300)
    stamp.write_bytes((HERE / "pom.xml").read_bytes())


def command():
    """The server as words; its port comes next."""
    fetch_libraries()
    return ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBRARIES}/*", str(HERE / "MongodbServer.java")]


class MongodbServer:
    def __init__(self, port=None):
        self.port = port or free_port()
        self.process = subprocess.Popen(
            [*command(), str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={"PATH": os.environ["PATH"]})
        line = self.process.stdout.readline()
        assert line == "listening\n", f"the server said {line!r}, exit {self.process.poll()}"
        self.client = pymongo.MongoClient("127.0.0.1", self.port, serverSelectionTimeoutMS=10_000)

    def url(self, credentials="", database="test"):
        return f"mongodb://{credentials}127.0.0.1:{self.port}/{database}"

    def seed(self, *values, database="test"):
        """A document for each value, in this order."""
        collection = self.client[database].ratings
        collection.drop()
        if values:
            collection.insert_many([{"rating": value} for value in values])

    def freeze(self, is_frozen):
        self.process.send_signal(signal.SIGSTOP if is_frozen else signal.SIGCONT)

    def stop(self):
        self.client.close()
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
