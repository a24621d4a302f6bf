"""ratings v2 on MySQL: a real MariaDB server, and what happens when it is slow, locked, gone, or somebody else."""
import contextlib
import json
import pathlib
import socket
import subprocess
import threading
import time

import pytest

from mysql_server import PASSWORD, DataFolder, MysqlServer
from shop import BINARY, RATINGS, SLOW, at_once, free_port, more_of, visitors, wait_for

NOT_CONNECTED = {"error": "could not connect to ratings database"}
NOT_READ = {"error": "could not perform select"}


@pytest.fixture(scope="module")
def running():
    with DataFolder() as data:
        server = MysqlServer(data, options=["--default-authentication-plugin", "mysql_native_password"])
        yield server
        server.stop()


@pytest.fixture
def mysql(running):
    running.seed()
    yield running


@pytest.fixture
def on_mysql(start):
    def make(port, **environment):
        variables = {"SERVICE_VERSION": "v2", "DB_TYPE": "mysql", "MYSQL_DB_HOST": "127.0.0.1",
                     "MYSQL_DB_PORT": str(port), "MYSQL_DB_USER": "root", "MYSQL_DB_PASSWORD": PASSWORD}
        return start.service("ratings", **{**variables, **environment})
    return make


@contextlib.contextmanager
def locked(mysql):
    client = mysql.client()
    client.stdin.write("LOCK TABLES ratings WRITE; SELECT 'locked';\n")
    client.stdin.flush()
    assert client.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        client.communicate("UNLOCK TABLES;\n", timeout=10)


def healthy(ratings):
    answer = ratings.ask("/health")
    return answer.status == 200 and answer.json == {"status": "Ratings is healthy"} and answer.seconds < 0.5 * SLOW


def test_16_the_seed_is_the_answer_and_a_change_shows_at_the_next_request(mysql, on_mysql):
    ratings = on_mysql(mysql.port)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 200 and answer.text == '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'
    mysql.client("UPDATE ratings SET Rating = 1 WHERE ReviewID = 1")
    assert ratings.ask("/ratings/7").json == {"id": 7, "ratings": {"Reviewer1": 1, "Reviewer2": 4}}
    assert healthy(ratings)


def test_15_a_post_is_501(mysql, on_mysql):
    answer = on_mysql(mysql.port).ask("/ratings/0", method="POST", body=json.dumps({"Reviewer1": 1}))
    assert answer.status == 501 and answer.json == {"error": "Post not implemented for database backed ratings"}


@pytest.mark.parametrize("statements, shown", [
    ("DELETE FROM ratings", [0, 0]), ("DELETE FROM ratings WHERE ReviewID = 2", [5, 0]),
    ("INSERT INTO ratings VALUES (3, 1), (4, 2)", [5, 4]),
    ("UPDATE ratings SET Rating = IF(ReviewID = 1, -1, 7)", [-1, 7]),
    ("UPDATE ratings SET Rating = NULL WHERE ReviewID = 1", [None, 4]),
    ("ALTER TABLE ratings MODIFY Rating DOUBLE; UPDATE ratings SET Rating = 2.5 WHERE ReviewID = 1", [2.5, 4]),
    ("ALTER TABLE ratings MODIFY Rating TEXT; UPDATE ratings SET Rating = 'vi\u00eble <b>\"' WHERE ReviewID = 1",
     ["vi\u00eble <b>\"", "4"])])
def test_19_rows_are_shown_as_they_are_and_missing_ones_are_0(mysql, on_mysql, statements, shown):
    mysql.client("SET NAMES utf8mb4; " + statements)
    answer = on_mysql(mysql.port).ask("/ratings/0")
    assert answer.status == 200 and answer.json["ratings"] == dict(zip(("Reviewer1", "Reviewer2"), shown))


@pytest.mark.parametrize("statements", [
    "DROP TABLE ratings", "ALTER TABLE ratings RENAME COLUMN Rating TO Stars",
    "ALTER TABLE ratings MODIFY Rating BLOB; UPDATE ratings SET Rating = x'ff41'",
    "ALTER TABLE ratings MODIFY Rating LONGTEXT; UPDATE ratings SET Rating = REPEAT('x', 1000000)"])
def test_18_what_cannot_be_read_is_a_failed_select(mysql, on_mysql, statements):
    ratings = on_mysql(mysql.port)
    mysql.client(statements)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_READ and healthy(ratings)
    mysql.seed()
    assert ratings.ask("/ratings/0").json == RATINGS


def test_0_a_failed_select_was_told_as_a_failed_connection(mysql, on_mysql):
    ratings = on_mysql(mysql.port, BOOKINFO_COMPAT="0.2.9")
    mysql.client("DROP TABLE ratings")
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_CONNECTED


@pytest.mark.parametrize("wrong", [
    {"MYSQL_DB_PASSWORD": "password"}, {"MYSQL_DB_USER": "nobody"}, {"MYSQL_DB_HOST": "mysqldb.invalid"}])
def test_who_is_not_let_in_or_finds_no_server_is_told_so_at_once(mysql, on_mysql, wrong):
    ratings = on_mysql(mysql.port, **wrong)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_CONNECTED and answer.seconds < 5 * SLOW and healthy(ratings)


def test_18_a_server_away_at_start_gone_and_back_in_mid_flight(on_mysql):
    with DataFolder() as data:
        port = free_port()
        ratings = on_mysql(port)
        answer = ratings.ask("/ratings/0")
        assert answer.status == 500 and answer.json == NOT_CONNECTED and answer.seconds < 2 * SLOW and healthy(ratings)
        server = MysqlServer(data, port)
        assert ratings.ask("/ratings/0").json == RATINGS
        server.client("UPDATE ratings SET Rating = 3")
        with visitors(lambda: ratings.ask("/ratings/0")) as seen:
            more_of(seen)
            server.stop()
            more_of(seen)
            server = MysqlServer(data, port)
            more_of(seen)
        server.stop()
    good = {"id": 0, "ratings": {"Reviewer1": 3, "Reviewer2": 3}}
    assert all((a.status, a.json) in [(200, good), (500, NOT_CONNECTED), (500, NOT_READ)] for a in seen)
    assert seen[0].status == 200 and seen[-1].status == 200 and any(a.json == NOT_CONNECTED for a in seen)
    assert all(a.seconds < 5 * SLOW for a in seen)


def test_a_table_locked_for_ten_seconds_delays_only_those_who_need_it(mysql, on_mysql):
    ratings, waiting = on_mysql(mysql.port), []
    threads = [threading.Thread(target=lambda: waiting.append(ratings.ask("/ratings/0"))) for _ in range(50)]
    with locked(mysql):
        for thread in threads:
            thread.start()
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            answer = ratings.ask("/ratings/abc")
            assert answer.status == 400 and answer.seconds < 0.5 * SLOW and healthy(ratings)
            time.sleep(0.2)
        assert not waiting
    for thread in threads:
        thread.join()
    assert len(waiting) == 50 and all(answer.status == 200 and answer.json == RATINGS for answer in waiting)
    assert all(9 < answer.seconds < 14 * SLOW for answer in waiting)


def test_a_lock_past_the_deadline_is_a_failed_select_and_leaves_nothing_waiting_on_the_server(mysql, on_mysql):
    ratings = on_mysql(mysql.port, DATABASE_TIMEOUT_MS="1500")
    with locked(mysql):
        answers = at_once(*[lambda: ratings.ask("/ratings/0")] * 20)
        assert all(answer.status == 500 and answer.json == NOT_READ for answer in answers)
        assert all(0.9 < answer.seconds < 3 * SLOW for answer in answers)
        count = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT Rating%'"
        wait_for("the sessions to end", lambda: mysql.client(count).strip() == "0")
    assert ratings.ask("/ratings/0").json == RATINGS


def test_a_server_that_stalls_is_given_up_at_the_deadline(mysql, on_mysql):
    ratings = on_mysql(mysql.port, DATABASE_TIMEOUT_MS="2000")
    mysql.freeze(True)
    try:
        answers = at_once(*[lambda: ratings.ask("/ratings/0")] * 20)
        assert all(answer.status == 500 and answer.seconds < 3 * SLOW for answer in answers)
        assert all(answer.json in (NOT_CONNECTED, NOT_READ) for answer in answers) and healthy(ratings)
    finally:
        mysql.freeze(False)
    wait_for("the server", lambda: ratings.ask("/ratings/0").status == 200)


class Impostor:
    """Takes connections and says the same bytes to each."""

    def __init__(self, greeting):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.greeting, self.kept = greeting, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.kept.append(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(self.greeting)

    def stop(self):
        self.listener.close()
        for connection in self.kept:
            connection.close()


@pytest.mark.parametrize("greeting", [
    b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 100_000, b"\x00\x00\x00\x00", b"\x4a\x00\x00\x00\x0a" + b"x" * 500,
    b"\x05\x00\x00\x00\x0a5.5\x00"])
def test_what_is_no_mysql_server_is_no_connection(on_mysql, greeting):
    impostor = Impostor(greeting)
    ratings = on_mysql(impostor.port, DATABASE_TIMEOUT_MS="1500")
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json in (NOT_CONNECTED, NOT_READ) and answer.seconds < 3 * SLOW
    assert healthy(ratings)
    impostor.stop()


def packet(number, payload):
    return len(payload).to_bytes(3, "little") + bytes([number % 256]) + payload


OK, END = b"\0\0\0\2\0\0\0", b"\xfe\0\0\2\0"
GREETING = packet(0, b"\x0a5.5.5\0" + b"\1\0\0\0" + b"12345678\0" + b"\xff\xf7\x21\2\0\x0f\x80\x15" + b"\0" * 10
                  + b"123456789012\0mysql_native_password\0")
COLUMN = b"\3def\4test\7ratings\7ratings\6Rating\6Rating\x0c\x3f\0\x0b\0\0\0\3\0\0\0\0\0"
HEAD = packet(1, b"\1") + packet(2, COLUMN) + packet(3, END)
ROW = b"\0015"


def round_of(payload, first):
    """Packets whose numbers go on in the next round."""
    return b"".join(packet(first + at, payload) for at in range(256))


def for_ever(pieces, pause=0, first=b""):
    """The same again and again, until the client is gone."""
    def say(connection):
        connection.sendall(first)
        while True:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
    return say


class HostileServer:
    """Lets everybody in, and answers the select with what `say` does to the connection."""

    def __init__(self, say, greets=True):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.say, self.greets = self.listener.getsockname()[1], say, greets
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            if self.greets:
                self.let_in(connection)
            self.say(connection)

    @staticmethod
    def let_in(connection):
        connection.sendall(GREETING)
        connection.recv(65536)
        connection.sendall(packet(2, OK))
        while b"SELECT Rating" not in (said := connection.recv(65536)):
            if not said:
                raise OSError("gone")
            connection.sendall(packet(1, OK))


def test_the_hostile_server_of_these_tests_would_pass_for_a_good_one(on_mysql):
    server = HostileServer(lambda c: c.sendall(HEAD + packet(4, ROW) + packet(5, b"\0014") + packet(6, END)))
    assert on_mysql(server.port).ask("/ratings/0").json == RATINGS
    server.listener.close()


@pytest.mark.parametrize("say, greets, statuses", [
    (for_ever([round_of(ROW, 4) * 50], first=HEAD), True, {200, 500}),
    (for_ever([round_of(COLUMN, 2) * 50], first=packet(1, b"\1")), True, {500}),
    (for_ever([bytes([byte]) for byte in HEAD[:-1]], 0.4), True, {500}),
    (for_ever([bytes([byte]) for byte in GREETING[:40]], 0.4), False, {500})],
    ids=["rows without end", "columns without end", "an answer byte by byte", "a greeting byte by byte"])
def test_a_server_that_never_ends_costs_little_memory_and_no_worker_past_the_deadline(on_mysql, say, greets, statuses):
    server = HostileServer(say, greets)
    ratings = on_mysql(server.port, DATABASE_TIMEOUT_MS="2000")
    descriptors = pathlib.Path(f"/proc/{ratings.process.pid}/fd")
    open_before = len(list(descriptors.iterdir()))
    ratings.ask("/ratings/0")
    before = ratings.resident_kib
    answers = at_once(*[lambda: ratings.ask("/ratings/0")] * 8)
    assert {answer.status for answer in answers} <= statuses and all(answer.seconds < 3 * SLOW for answer in answers)
    wait_for("every worker to leave the server", lambda: len(list(descriptors.iterdir())) == open_before, 1)
    assert ratings.resident_kib - before < 10_000 * SLOW * SLOW and healthy(ratings)
    server.listener.close()


def test_the_server_refuses_data_that_are_not_its_own_and_comes_back_with_those_that_are(mysql):
    with DataFolder() as data:
        data.mkdir()
        (data / "ibdata1").write_bytes(b"somebody's")
        done = subprocess.run([BINARY, "mysqldb", "3306"], capture_output=True, text=True, timeout=30, env={
            "MYSQL_ROOT_PASSWORD": "x", "MYSQL_DATA_DIR": str(data)})
        assert done.returncode == 1 and "ibdata1" in done.stderr
        assert [entry.name for entry in data.iterdir()] == ["ibdata1"]
        (data / "ibdata1").unlink()
        (data / "bookinfo.making").mkdir()
        (data / "lost+found").mkdir()
        server = MysqlServer(data)
        server.client("DELETE FROM ratings WHERE ReviewID = 1")
        server.stop()
        again = MysqlServer(data)
        assert again.client("SELECT Rating FROM ratings").split() == ["4"]
        again.stop()
        assert sorted(entry.name for entry in pathlib.Path(data).iterdir()) == ["bookinfo", "lost+found"]
