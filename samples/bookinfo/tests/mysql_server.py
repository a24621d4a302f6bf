"""A MariaDB server of the test's own, as the sample starts it: `bookinfo mysqldb`, on the loopback."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from shop import BINARY, SLOW, free_port

PASSWORD = "pass'word \\"


class MysqlServer:
    """`data` is made at first and may be given again. The server is ready when the object is there."""

    def __init__(self, data, port=None, options=()):
        self.data, self.port = pathlib.Path(data), port or free_port()
        self.log = self.data.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "mysqldb", str(self.port), *options], stdout=log, stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BIND_ADDRESS": "127.0.0.1",
                     "MYSQL_ROOT_PASSWORD": PASSWORD, "MYSQL_DATA_DIR": str(self.data)})
        deadline = time.monotonic() + 60 * SLOW
        while "ready for connections" not in self.log.read_text(errors="replace"):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def client(self, statements=None):
        """The command-line client with these statements, or waiting for them on its standard input."""
        words = ["/usr/bin/mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{self.port}", "-uroot", "-n",
                 "--batch", "--skip-column-names", "test"]
        environment = {"PATH": os.environ["PATH"], "MYSQL_PWD": PASSWORD}
        if statements is None:
            return subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return subprocess.run(words, env=environment, input=statements, capture_output=True, text=True, check=True,
                              timeout=30).stdout

    def seed(self):
        self.client("DROP TABLE IF EXISTS ratings; DROP VIEW IF EXISTS ratings;"
                    "CREATE TABLE ratings (ReviewID INT NOT NULL PRIMARY KEY, Rating INT);"
                    "INSERT INTO ratings VALUES (1, 5), (2, 4);")

    def freeze(self, is_frozen):
        self.process.send_signal(signal.SIGSTOP if is_frozen else signal.SIGCONT)

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class DataFolder:
    """A folder for the server's data, gone at the end: 80 MB a piece are too much to keep."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="bookinfo-mysqldb-"))
        return self.path / "data"

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
